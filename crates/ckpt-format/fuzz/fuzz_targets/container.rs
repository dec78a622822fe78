//! A whole file whose digests are right and whose fields are the fuzzer's: read it, verify it, read every section.
#![no_main]

use arbitrary::{Result, Unstructured};
use ckpt_format::{Container, Fault, Metadata};
use libfuzzer_sys::fuzz_target;

use self::draft::{edit, lies, plain_sections};
use self::forge::Forge;

#[path = "../draft.rs"]
mod draft;
#[path = "../../tests/rig/forge.rs"]
mod forge;

fuzz_target!(|input: &[u8]| {
    let _ = check(&mut Unstructured::new(input));
});

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    // A file that nobody touched must be read back; one with lies is an answer, whatever it is.
    let (metadata, readable) = match input.int_in_range(0..=3)? {
        0 => (input.arbitrary::<Vec<u8>>()?, false),
        1 => (vec![b' '; input.int_in_range(0..=9_000)?], false),
        _ => (Metadata::default().encode().expect("the default can be encoded"), true),
    };
    let mut forge = Forge::new(&metadata);
    plain_sections(input, &mut forge)?;
    let honest = lies(input, &mut forge)? == 0 && readable;
    let mut file = forge.seal();
    let untouched = !edit(input, &mut file)?;
    match Container::decode(&file) {
        Ok(container) => {
            let verified = container.verify(&file);
            for section in &container.index.sections {
                if let Ok(Some(bytes)) = container.section(&file, &section.name) {
                    assert_eq!(bytes.len() as u64, section.raw_length);
                }
            }
            assert!(!(honest && untouched) || verified.is_ok(), "{verified:?}");
        }
        Err(error) => {
            assert!(error.fault() != Fault::Refused, "a reader was refused: {error}");
            assert!(error.to_string().len() < 4_096, "an endless message");
            assert!(!(honest && untouched), "an honest file was refused: {error}");
        }
    }
    Ok(())
}
