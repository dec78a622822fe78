//! The raw limits, on a file system that knows direct writes.

use std::io;

use ckpt_measure::Noise;
use ckpt_measure::raw::{read, write_and_hope, write_directly, write_durably};

#[test]
fn each_way_of_writing_writes_the_same_and_leaves_nothing_else() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let noise = Noise::new(64 << 10, 3);
    write_durably(dir.path(), "a", noise.aligned()).unwrap();
    write_and_hope(dir.path(), "b", noise.aligned()).unwrap();
    write_directly(dir.path(), "c", noise.aligned()).unwrap();
    for name in ["a", "b", "c"] {
        assert!(read(dir.path(), name).unwrap() == noise.aligned(), "{name}");
        assert!(write_and_hope(dir.path(), name, b"").is_err(), "{name} is not free");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    let odd = write_directly(dir.path(), "d", noise.unaligned()).map_err(|error| error.kind());
    assert_eq!(odd, Err(io::ErrorKind::InvalidInput), "direct I/O took what is not aligned");
}
