//! A file with right digests, compressed blocks and lies as the newest checkpoint of a run: it is read as it is or passed over.
#![no_main]

use arbitrary::{Result, Unstructured};
use ckpt_format::{Metadata, Selector, State};
use ckpt_store::{Error, RunReader};
use libfuzzer_sys::fuzz_target;

use self::draft::{edit, lies, plain_sections};
use self::forge::{Forge, Stored};

#[path = "../../../ckpt-format/fuzz/draft.rs"]
mod draft;
#[path = "../../../ckpt-format/tests/rig/forge.rs"]
mod forge;
#[path = "../scene.rs"]
mod scene;

const NAME: &str = "00000002.ckpt";

fuzz_target!(|input: &[u8]| {
    let _ = check(&mut Unstructured::new(input));
});

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let storage = scene::run_with_one(b"good");
    let reader = RunReader::on(storage.clone(), "run").expect("a run");
    let identity = reader.identity();
    let (run_id, kind, name) =
        (identity.run_id.clone(), identity.kind.to_string(), identity.name.to_string());
    let metadata = Metadata { run_id, kind, name, sequence: 2, ..Metadata::default() };
    let mut forge = Forge::new(&metadata.encode().expect("metadata"));
    let mut honest = true;
    for number in 0..input.int_in_range(0..=2)? {
        honest &= compressed_section(input, &mut forge, &format!("z{number}"))?;
    }
    plain_sections(input, &mut forge)?;
    honest &= lies(input, &mut forge)? == 0;
    let mut file = forge.seal();
    honest &= !edit(input, &mut file)?;
    scene::put(&storage, NAME, &file);

    let verified = reader.verify(Some(&Selector::Sequence(2))).expect("a result").remove(0);
    assert!(!honest || verified.state == State::Committed, "an honest file: {verified:?}");
    assert_eq!(verified.reason.is_none(), verified.state == State::Committed, "{verified:?}");
    match (verified.state, reader.load(&Selector::Latest)) {
        (State::Committed, Ok(loaded)) => {
            assert_eq!(loaded.entry.sequence, 2);
            let checkpoint = reader.open_checkpoint(NAME).expect("it was loaded");
            for (section, read) in
                checkpoint.sections().expect("it was loaded").iter().zip(loaded.value.iter())
            {
                assert_eq!((&section.name, section.raw_length), (&read.name, read.bytes.len() as u64));
            }
        }
        // A gap that is not zero is found by verifying alone: no section has it.
        (State::Damaged, Ok(loaded)) if loaded.entry.sequence == 2 => {
            let reason = verified.reason.unwrap_or_default();
            assert!(reason.contains("padding"), "loaded, though {reason}");
        }
        (State::Damaged | State::Foreign, Ok(loaded)) => {
            assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (1, 1));
            assert_eq!(loaded.value.bytes("state"), Some(&b"good"[..]));
        }
        (State::Unsupported, Err(Error::Unsupported { .. } | Error::Incompatible { .. })) => {}
        // A table or a section that says it is longer than memory.
        (State::Unreadable | State::Committed, Err(Error::Invalid { .. })) => {}
        (state, loaded) => panic!("{state}, and loading says {loaded:?}"),
    }
    Ok(())
}

/// A section of one or two blocks, each what zstd made of some bytes or what the fuzzer made of that. Returns whether they
/// are what they say.
fn compressed_section(input: &mut Unstructured<'_>, forge: &mut Forge, name: &str) -> Result<bool> {
    let mut honest = true;
    let mut blocks = Vec::new();
    let count = input.int_in_range(1..=2)?;
    for number in 0..count {
        let length = if number + 1 < count { forge::BLOCK } else { input.int_in_range(1..=forge::BLOCK)? };
        let raw = vec![input.arbitrary::<u8>()?; length];
        let mut stored = zstd::bulk::compress(&raw, 1).expect("zstd compresses");
        match input.int_in_range(0..=4)? {
            0 => {
                let place = input.choose_index(stored.len())?;
                stored[place] = input.arbitrary()?;
                honest = false;
            }
            1 => {
                stored.extend_from_slice(&input.arbitrary::<Vec<u8>>()?);
                honest = false;
            }
            2 => {
                stored = input.arbitrary()?;
                honest = false;
            }
            _ => {}
        }
        blocks.push((stored, raw));
    }
    let stored: Vec<Stored<'_>> =
        blocks.iter().map(|(bytes, raw)| Stored { bytes, compression: 1, raw }).collect();
    forge.section(name, 2, &stored);
    Ok(honest)
}
