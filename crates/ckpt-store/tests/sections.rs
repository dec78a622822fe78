//! What is saved comes back bit for bit, from every source and in every size; what cannot be saved is refused by name.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io::{self, Read};
use std::path::PathBuf;

use ckpt_format::{Choice, Metadata, Selector, Timestamp};
use ckpt_store::{Compress, Error, Run, RunOptions, Section};
use proptest::prelude::*;

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn new_run() -> (tempfile::TempDir, Run) {
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let run = Run::create(
        run_path(&root),
        &"tests".parse().unwrap(),
        &"run".parse().unwrap(),
        RunOptions::new(clock),
    );
    (root, run.unwrap())
}

fn run_path(root: &tempfile::TempDir) -> PathBuf {
    root.path().join("tests").join("run")
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A reader that hands out odd little pieces.
struct Pieces(io::Cursor<Vec<u8>>);

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len().min(70_001);
        self.0.read(&mut out[..count])
    }
}

#[test]
fn sections_of_every_size_and_source_come_back() {
    let (_root, run) = new_run();
    let block = ckpt_format::BLOCK_RAW_LENGTH;
    for length in
        [0, 1, 4_095, 4_096, block - 1, block, block + 1, 8 * block, 8 * block + 1, 5_000_000, 21_000_000]
    {
        for compress in [Compress::BySample, Compress::Always, Compress::Never] {
            let noise = noise(length, length as u64 + 7);
            let zeros = vec![0; length];
            let sections = vec![
                Section::json("small", &[1.5, f64::NAN, f64::NEG_INFINITY]).unwrap().compress(compress),
                Section::raw("noise", &noise).compress(compress),
                Section::reader("stream", Pieces(io::Cursor::new(noise.clone()))).compress(compress),
                Section::raw("zeros", &zeros).of_kind("tensor", 3).compress(compress),
            ];
            let saved = run.save(Metadata::default(), sections).unwrap();
            assert_eq!(saved.stored_bytes % 4_096, 0);
            let loaded = run.load(&Selector::Latest).unwrap();
            assert_eq!(loaded.entry.sequence, saved.sequence);
            assert_eq!(loaded.value.bytes("noise").unwrap(), noise, "{length} {compress:?}");
            assert_eq!(loaded.value.bytes("stream").unwrap(), noise, "{length} {compress:?}");
            assert_eq!(loaded.value.bytes("zeros").unwrap(), zeros, "{length} {compress:?}");
            let zeros_section = loaded.value.get("zeros").unwrap();
            assert_eq!((zeros_section.kind.as_str(), zeros_section.version), ("tensor", 3));
            let mut buffer = vec![9; length + 3];
            let into = run.load_section_into(&Selector::Latest, "noise", &mut buffer).unwrap();
            assert_eq!(
                (into.value, &buffer[..length], &buffer[length..]),
                (length, &noise[..], &[9, 9, 9][..])
            );
            let verified = run.reader().verify(None).unwrap();
            assert!(verified.iter().all(|v| v.reason.is_none()), "{verified:?}");
            run.load_with(&Selector::Latest, |checkpoint| {
                let mut streamed = Vec::new();
                checkpoint.stream("stream")?.read_to_end(&mut streamed).unwrap();
                assert_eq!(streamed, noise);
                let mut copied = Vec::new();
                checkpoint.copy_to("zeros", &mut copied)?;
                assert_eq!(copied, zeros);
                Ok(())
            })
            .unwrap();
        }
    }
    assert_eq!(run.take_notices(), Vec::<String>::new());
}

#[test]
fn the_same_state_has_the_same_content_digest_however_it_was_stored() {
    let (_root, run) = new_run();
    let text = b"again and again, ".repeat(40_000);
    let mut digests = Vec::new();
    for compress in [Compress::BySample, Compress::Always, Compress::Never] {
        let saved =
            run.save(Metadata::default(), vec![Section::raw("text", &text).compress(compress)]).unwrap();
        digests.push(saved.content_digest);
    }
    let streamed = Section::reader("text", io::Cursor::new(text.clone()));
    digests.push(run.save(Metadata::default(), vec![streamed]).unwrap().content_digest);
    digests.dedup();
    assert_eq!(digests.len(), 1);
}

/// Compressing 100 KB took as long as a fast disk needs to have them for good, and saved a slow one nothing.
#[test]
fn a_small_checkpoint_is_compressed_only_when_asked() {
    let (_root, run) = new_run();
    let text = b"again and again, ".repeat(4_000);
    let choices = |compress: Option<Compress>, count: usize| {
        let section = |number| {
            let section = Section::raw(format!("text-{number}"), &text);
            compress.into_iter().fold(section, Section::compress)
        };
        run.save(Metadata::default(), (0..count).map(section).collect()).unwrap();
        let found = run.load_with(&Selector::Latest, |checkpoint| {
            Ok(checkpoint.sections()?.iter().map(|section| section.choice).collect::<Vec<_>>())
        });
        found.unwrap().value
    };
    assert_eq!(choices(None, 1), [Choice::TooSmall]);
    assert_eq!(choices(Some(Compress::Always), 1), [Choice::AskedFor]);
    // It is the whole that counts: two such sections are worth it.
    assert_eq!(choices(None, 2), [Choice::SampleShrank; 2]);
}

#[test]
fn what_was_chosen_is_recorded_with_its_reason() {
    let (_root, run) = new_run();
    let (text, noise) = (b"again and again, ".repeat(4_000), noise(100_000, 3));
    let sections =
        vec![Section::raw("text", &text), Section::raw("noise", &noise), Section::raw("tiny", b"x")];
    run.save(Metadata::default(), sections).unwrap();
    run.load_with(&Selector::Latest, |checkpoint| {
        let sections = checkpoint.sections()?;
        let choices: Vec<Choice> = sections.iter().map(|section| section.choice).collect();
        assert_eq!(choices, [Choice::SampleShrank, Choice::SampleDidNotShrink, Choice::TooSmall]);
        assert!(sections[0].stored_length < sections[0].raw_length / 10);
        assert_eq!(sections[1].stored_length, sections[1].raw_length);
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_cannot_be_saved_is_refused_by_name_and_leaves_nothing() {
    let (root, run) = new_run();
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the tape is torn"))
        }
    }
    let long = noise(9_000_000, 1);
    let cases: Vec<(Vec<Section<'_>>, &str)> = vec![
        (vec![Section::raw("ok", b"1"), Section::raw("../evil", b"2")], "../evil"),
        (vec![Section::raw("a", b"1"), Section::raw("a", b"2")], "\"a\" is there twice"),
        (vec![Section::raw("a", b"1").of_kind("no kind!", 1)], "no kind!"),
        (vec![Section::raw("a", &long), Section::reader("tape", Failing)], "the tape is torn"),
    ];
    for (sections, expected) in cases {
        let error = run.save(Metadata::default(), sections).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(run.reader().list().unwrap(), []);
        assert_eq!(std::fs::read_dir(run_path(&root).join(".staging")).unwrap().count(), 0);
    }
    assert!(matches!(Section::json("x", &Some(None::<u8>)), Err(Error::Refused { .. })));
    assert!(matches!(Section::json_text("x", &b"{\"a\": }"[..]), Err(Error::Refused { .. })));
    // A number that was used up by a failed save is not used again.
    assert_eq!(run.save(Metadata::default(), vec![Section::raw("a", b"1")]).unwrap().sequence, 5);
}

#[test]
fn a_users_json_is_kept_byte_for_byte_and_read_as_it_stands() {
    let (_root, run) = new_run();
    let text = b"{ \"path\": \"~/data\", \"odd\": \"~f64:7ff8000000000000\" }\n";
    run.save(Metadata::default(), vec![Section::json_text("config", &text[..]).unwrap()]).unwrap();
    let section = run.load_section(&Selector::Latest, "config").unwrap().value;
    assert_eq!((section.codec, &section.bytes[..]), (ckpt_format::Codec::JsonText, &text[..]));
    let (value, _) =
        section.codec.decode::<std::collections::BTreeMap<String, String>>(&section.bytes).unwrap();
    assert_eq!((value["path"].as_str(), value["odd"].as_str()), ("~/data", "~f64:7ff8000000000000"));
}

#[test]
fn a_buffer_that_is_too_short_and_a_section_that_is_not_there_are_named() {
    let (_root, run) = new_run();
    run.save(Metadata::default(), vec![Section::raw("weights", &[1; 100])]).unwrap();
    let error = run.load_section_into(&Selector::Latest, "weights", &mut [0; 99]).unwrap_err();
    assert_eq!(error.to_string(), "section \"weights\" has 100 bytes, the buffer has room for 99");
    let error = run.load_section(&Selector::Latest, "bias").unwrap_err();
    assert!(matches!(&error, Error::NotFound { present, .. } if present == &["weights"]), "{error}");
}

#[test]
fn everything_public_may_cross_threads() {
    fn both<T: Send + Sync>() {}
    both::<Run>();
    both::<ckpt_store::RunReader>();
    both::<ckpt_store::Checkpoint>();
    both::<ckpt_store::Pins>();
    both::<Error>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_mix_of_sections_comes_back(
        parts in prop::collection::vec((0_usize..700_000, any::<bool>(), any::<bool>(), any::<u64>()), 0..5),
    ) {
        let (_root, run) = new_run();
        let bytes: Vec<Vec<u8>> = parts
            .iter()
            .map(|(length, dense, _, seed)| if *dense { noise(*length, *seed) } else { vec![*seed as u8; *length] })
            .collect();
        let sections = parts.iter().zip(&bytes).enumerate().map(|(number, ((_, _, stream, _), bytes))| {
            let name = format!("s{number}");
            if *stream { Section::reader(name, Pieces(io::Cursor::new(bytes.clone()))) } else { Section::raw(name, bytes) }
        });
        run.save(Metadata::default(), sections.collect()).unwrap();
        let loaded = run.load(&Selector::Latest).unwrap().value;
        for (number, bytes) in bytes.iter().enumerate() {
            prop_assert_eq!(loaded.bytes(&format!("s{number}")).unwrap(), &bytes[..]);
        }
    }
}
