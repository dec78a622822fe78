//! Every kind of the bundle can be released, and each field that a document lacks takes its own default.
#![cfg(feature = "schema")]

use ckpt_format::describe::Folder;
use ckpt_market::kinds;

#[test]
fn every_kind_is_described_released_and_read_from_its_golden_file() {
    let kinds = kinds();
    let mut folder = Folder::default();
    for kind in kinds.names() {
        let released = kinds.release(kind, &folder).unwrap_or_else(|error| panic!("{kind}: {error}"));
        folder.extend(released);
    }
    let summary = kinds.check(&folder).unwrap_or_else(|refusals| panic!("{refusals}"));
    assert_eq!((summary.kinds, summary.versions, summary.released, summary.golden_files), (17, 24, 24, 24));
    assert!(summary.fields_removed > 600, "{summary:?}");
}
