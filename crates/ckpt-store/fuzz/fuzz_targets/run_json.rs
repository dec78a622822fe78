//! Any `run.json`: the run is opened or refused, and the file stays as it is.
#![no_main]

use ckpt_store::storage::Access;
use ckpt_store::{Error, Run, RunReader};
use libfuzzer_sys::fuzz_target;

#[path = "../scene.rs"]
mod scene;

fuzz_target!(|bytes: &[u8]| {
    let storage = scene::run_with_one(b"good");
    scene::put(&storage, "run.json", bytes);
    let read = RunReader::on(storage.clone(), "run");
    let written = Run::open_on(storage.clone(), "run", scene::options());
    match (&read, &written) {
        (Ok(reader), Ok(run)) => {
            assert_eq!(reader.identity(), run.reader().identity());
            // The checkpoint there is of another run, unless the fuzzer guessed its identity.
            assert_eq!(reader.list().expect("a listing").len(), 1);
        }
        (Err(Error::Invalid { .. }), Err(Error::Invalid { .. })) => {}
        (Err(Error::Incompatible { .. }), Err(Error::Incompatible { .. })) => {}
        (read, written) => panic!("reading says {read:?}, writing {written:?}"),
    }
    let (kind, name) = ("tests".parse().expect("a name"), "run".parse().expect("a name"));
    drop(written);
    let created = Run::create_on(storage.clone(), "run", &kind, &name, scene::options());
    assert!(matches!(created, Err(Error::Exists { .. })), "{created:?}");
    let file = storage.open("run.json", Access::Read).expect("it is there");
    let mut found = vec![0; bytes.len() + 1];
    let mut length = 0;
    while let count @ 1.. = file.read_at(length as u64, &mut found[length..]).expect("memory is read") {
        length += count;
    }
    assert!(&found[..length] == bytes, "run.json was changed");
});
