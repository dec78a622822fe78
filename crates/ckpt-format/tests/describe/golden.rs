//! Releases: what they write, what they refuse to write again, and what becomes of the files.

use ckpt_format::describe::{Folder, Kinds, Lock, ReleaseError, Rule};
use ckpt_format::{Container, EncodedSection};
use serde_json::json;

use crate::kind::{Program, refused, released};
use crate::{bincode, chains, hidden, json};

const SPREAD: &str = "golden/spread.v1.ckpt";
const FILTER: &str = "golden/filter.v1.ckpt";

fn lock(folder: &Folder) -> Lock {
    Lock::read(folder).unwrap()
}

/// The typed values of a golden file, read as an application reads a checkpoint.
fn load<T: ckpt_format::Stored>(folder: &Folder, file: &str) -> T {
    let bytes = folder.get(file).unwrap();
    let container = Container::decode(bytes).unwrap();
    container.verify(bytes).unwrap();
    let entry = container.index.section("sample-001").unwrap();
    let section = EncodedSection {
        name: entry.name.clone(),
        kind: entry.kind.clone(),
        version: entry.version,
        codec: entry.codec,
        bytes: container.section(bytes, "sample-001").unwrap().unwrap(),
    };
    section.load::<T>().unwrap().value
}

#[test]
fn a_release_writes_the_lock_and_a_checkpoint_and_never_again() {
    let folder = released(json::base::kinds);
    assert_eq!(folder.iter().map(|(path, _)| path).collect::<Vec<_>>(), [SPREAD, "lock.json"]);
    let spread: json::base::Spread = load(&folder, SPREAD);
    assert_eq!((spread.half, spread.fills, spread.by.as_deref()), (4.0, 7, Some("desk")));
    let locked = &lock(&folder).kinds["spread"][&1];
    assert_eq!(locked.shape.fields["weights"].type_name, "[f64; 3]");
    assert_eq!(
        locked.shape.fields["by"].default,
        Some(json!(null)),
        "null is a default, not the lack of one"
    );
    assert_eq!(
        locked.golden[0].values,
        [json!({"half": 4.0, "fills": 7, "by": "desk", "weights": [0.1, 0.2, 0.7]})]
    );

    let error = json::base::kinds().release("spread", &folder).unwrap_err();
    assert!(matches!(error, ReleaseError::NothingNew { version: 1, .. }), "{error}");
    let mut unlocked = folder.clone();
    unlocked.remove("lock.json");
    let error = json::base::kinds().release("spread", &unlocked).unwrap_err();
    assert!(matches!(&error, ReleaseError::Exists { file } if file == SPREAD), "{error}");
    let error = json::base::kinds().release("sprad", &folder).unwrap_err();
    assert_eq!(error.to_string(), "there is no kind \"sprad\"; there are spread");
    let error = json::changed_default::kinds().release("spread", &folder).unwrap_err();
    assert!(matches!(&error, ReleaseError::Refused(refusals) if refusals.0.len() == 1), "{error}");
}

/// A field that came with a default is released with its version once more; from then on it can't go either.
#[test]
fn a_version_that_grew_is_released_again() {
    let mut folder = released(json::base::kinds);
    let first = folder.clone();
    let (grown, base) = (json::with_default::kinds, json::base::kinds);
    assert!(refused(grown, &folder).0.is_empty());
    folder.extend(grown().release("spread", &folder).unwrap());
    assert_eq!(folder.get(SPREAD), first.get(SPREAD), "what was written stays as it is");
    let locked = &lock(&folder).kinds["spread"][&1];
    assert_eq!((locked.shape.fields["half"].release, locked.shape.fields["floor"].release), (1, 2));
    assert_eq!(locked.shape.fields["floor"].default, Some(json!("~f64:7ff0000000000000")));
    assert_eq!(locked.golden[1].file, "golden/spread.v1.r2.ckpt");
    let summary = grown().check(&folder).unwrap();
    assert_eq!((summary.golden_files, summary.fields_removed), (2, 5));
    let old: json::with_default::Spread = load(&folder, SPREAD);
    assert_eq!((old.half, old.floor), (4.0, f64::INFINITY), "the old file takes the new field's default");
    assert_eq!(refused(base, &folder).0, [("floor".to_owned(), "Removed".to_owned())]);
}

#[test]
fn a_version_is_released_with_all_before_it_and_with_what_they_read_as() {
    let folder = released(chains::v2::kinds);
    let lock = lock(&folder);
    let (first, second) = (&lock.kinds["filter"][&1], &lock.kinds["filter"][&2]);
    assert_eq!(first.golden[0].values, [json!({"vol_pct": 20.0, "count": 3})]);
    assert_eq!(second.reads[FILTER], [json!({"vol": 0.2, "count": 3, "regime": "calm"})]);
    assert!(first.reads.is_empty());
    // One after the other comes to the same.
    let mut later = released(chains::v1::kinds);
    later.extend(chains::v2::kinds().release("filter", &later).unwrap());
    assert_eq!(later, folder);
}

#[test]
fn a_golden_file_that_is_gone_changed_or_not_its_own_is_refused() {
    let folder = released(chains::v2::kinds);
    let rules = |folder: &Folder| refused(chains::v2::kinds, folder).0;
    let one = |rule: &str| [(FILTER.to_owned(), rule.to_owned())];
    let mut missing = folder.clone();
    missing.remove(FILTER);
    assert_eq!(rules(&missing), one("GoldenMissing"));
    let mut bytes = folder.get(FILTER).unwrap().to_vec();
    for index in 0..bytes.len() {
        bytes[index] ^= 1;
        let mut changed = folder.clone();
        changed.insert(FILTER, bytes.clone());
        assert_eq!(rules(&changed), one("GoldenChanged"), "byte {index}");
        bytes[index] ^= 1;
    }
    // Whoever edits the lock to agree still has the file that says otherwise.
    let mut lock = lock(&folder);
    let locked = lock.kinds.get_mut("filter").unwrap().get_mut(&1).unwrap();
    locked.golden[0].values[0]["count"] = json!(4);
    let mut edited = folder.clone();
    edited.insert("lock.json", lock.to_text());
    assert_eq!(rules(&edited), [("[0].count".to_owned(), "GoldenReadsOther".to_owned())]);
}

/// An entry that got lost in a merge would let any change of the kind pass.
#[test]
fn a_golden_file_of_which_the_lock_knows_nothing_is_refused() {
    let folder = released(json::base::kinds);
    let path = [(SPREAD.to_owned(), "GoldenUnlocked".to_owned())];
    let mut lost = folder.clone();
    lost.remove("lock.json");
    assert_eq!(refused(json::base::kinds, &lost).0, path);
    let mut lock = lock(&folder);
    lock.kinds.get_mut("spread").unwrap().get_mut(&1).unwrap().golden.clear();
    let mut lost = folder.clone();
    lost.insert("lock.json", lock.to_text());
    let (rules, text) = refused(json::base::kinds, &lost);
    assert_eq!(rules, path);
    assert!(
        text[0].contains("golden/spread.v1.ckpt is of no release in the lock: restore lock.json"),
        "{text:?}"
    );
    // Struck from both, nothing would be read as this version any more.
    lost.remove(SPREAD);
    assert_eq!(refused(json::base::kinds, &lost).0, [(SPREAD.to_owned(), "GoldenMissing".to_owned())]);
}

#[test]
fn a_lock_that_cant_be_read_locks_nothing_and_is_refused() {
    let folder = released(json::base::kinds);
    let text = String::from_utf8(folder.get("lock.json").unwrap().to_vec()).unwrap();
    for (text, word) in [("{", "can't be read"), (&*text.replace("\"form\": 1", "\"form\": 2"), "form 2")] {
        let mut folder = folder.clone();
        folder.insert("lock.json", text);
        let refused = json::base::kinds().check(&folder).unwrap_err();
        assert!(matches!(refused.0[0].rule, Rule::NotDescribed { .. }), "{refused}");
        assert!(refused.to_string().contains(word), "{refused}");
        assert!(json::base::kinds().release("spread", &folder).is_err());
        assert!(json::base::kinds().pages(&folder).is_err());
    }
}

/// A lock that could not be read counted as empty besides, so a whole page of versions that were never released stood beside the one
/// thing that was wrong, with the advice to release what was released long ago.
#[test]
fn a_lock_that_cant_be_read_is_all_that_is_said() {
    let mut folder = released(chains::v2::kinds);
    folder.insert("lock.json", "{");
    let refused = chains::v2::kinds().check(&folder).unwrap_err();
    assert_eq!(refused.0.len(), 1, "{refused}");
}

/// Each field of each JSON kind out of a stored document: its default arrives, and the report names it.
#[test]
fn every_field_is_removed_once() {
    let of = |kinds: Kinds| {
        let removals = kinds.removals().unwrap_or_else(|error| panic!("{error}"));
        removals.into_iter().map(|removal| (removal.place, removal.arrives)).collect::<Vec<_>>()
    };
    let some = |value| Some(value);
    assert_eq!(
        of(json::base::kinds()),
        [
            ("by".to_owned(), some(json!(null))),
            ("fills".to_owned(), some(json!(0))),
            ("half".to_owned(), some(json!(2.5))),
            ("weights".to_owned(), some(json!([0.5, 0.3, 0.2]))),
        ]
    );
    let cell = json!({"mu": 0.0, "kappa": 0.01});
    assert_eq!(
        of(json::parts::named()),
        [
            ("by".to_owned(), some(json!({}))),
            ("by[\"HYPE\"].kappa".to_owned(), some(json!(0.01))),
            ("by[\"HYPE\"].mu".to_owned(), some(json!(0.0))),
            ("cells".to_owned(), some(json!([]))),
            ("cells[0].kappa".to_owned(), some(json!(0.01))),
            ("cells[0].mu".to_owned(), some(json!(0.0))),
            ("grid".to_owned(), some(json!([[0.0, 0.0], [0.0, 0.0]]))),
            ("pair".to_owned(), some(json!([0, cell]))),
            ("pair[1].kappa".to_owned(), some(json!(0.01))),
            ("pair[1].mu".to_owned(), some(json!(0.0))),
        ]
    );
    assert_eq!(of(json::plain::kinds()), [("Wild.sigma".to_owned(), None)], "required, and refused by name");
    assert!(of(bincode::base::kinds()).is_empty(), "bincode has no names to leave out");
    assert_eq!(
        of(chains::v2::kinds()).len(),
        2 + 3,
        "old versions are read as long as there are files of them"
    );
}

/// A lock of the first words, as it was written: no unit or range of a type of its own, `any` for the type itself, a struct that is empty.
/// Unchanged code was told that all of it had changed.
#[test]
fn a_lock_that_was_told_in_fewer_words_means_what_it_said() {
    let earlier = |program: Program, kind: &str, edits: &[(&str, &str)]| {
        let mut folder = released(program);
        let mut text = String::from_utf8(folder.get("lock.json").unwrap().to_vec()).unwrap();
        for (today, then) in [(",\n        \"words\": 2", "")].iter().chain(edits) {
            assert!(text.contains(today), "{today} is not in {text}");
            text = text.replace(today, then);
        }
        folder.insert("lock.json", text);
        assert_eq!(lock(&folder).kinds[kind][&1].words, 1);
        folder
    };
    let steps = "          \"steps[]\": {\"type\":\"f64\",\"unit\":\"bps\"}";
    let priced =
        earlier(hidden::in_bps::kinds, "priced", &[(&format!(",\n{steps}"), ""), (",\"unit\":\"bps\"", "")]);
    let rooted = earlier(hidden::rooted::kinds, "node", &[("object of the same type", "any")]);
    let empty = earlier(
        hidden::empty::kinds,
        "empty",
        &[("\"fields\": {}", "\"fields\": {\"$\": {\"type\": \"object\"}}")],
    );
    let open = earlier(hidden::with_a_map::kinds, "open", &[("object with map of u64", "object")]);
    let accepted: [(Program, &Folder); 6] = [
        (hidden::in_bps::kinds, &priced),
        (hidden::rooted::kinds, &rooted),
        (hidden::rooted_and_more::kinds, &rooted),
        (hidden::empty::kinds, &empty),
        (hidden::no_more_empty::kinds, &empty),
        (hidden::with_a_map::kinds, &open),
    ];
    for (program, folder) in accepted {
        assert_eq!(refused(program, folder).1, Vec::<String>::new());
    }

    // What it did tell is held as before.
    let bare = earlier(hidden::bare_list::kinds, "bounded", &[]);
    let range = [("weights[]".to_owned(), "RangeChanged".to_owned())];
    assert_eq!(refused(hidden::bounded_list::kinds, &bare).0, range);
    let unit = [("weights".to_owned(), "UnitChanged".to_owned())];
    assert_eq!(refused(hidden::list_in_usd::kinds, &bare).0, unit);
    let spread = earlier(json::base::kinds, "spread", &[]);
    let types = refused(json::other_types::kinds, &spread).0;
    assert_eq!(types, refused(json::other_types::kinds, &released(json::base::kinds)).0);
    assert!(!types.is_empty());

    // With the next release it is told in all words; what came with that is no older.
    let mut more = priced.clone();
    more.extend(hidden::in_bps_and_more::kinds().release("priced", &priced).unwrap());
    let fields = &lock(&more).kinds["priced"][&1].shape.fields;
    let releases = ["steps", "steps[]", "more", "more[]"].map(|path| fields[path].release);
    assert_eq!(releases, [1, 1, 2, 2]);
    let mut grown = rooted.clone();
    grown.extend(hidden::rooted_and_more::kinds().release("node", &rooted).unwrap());
    assert_eq!(lock(&grown).kinds["node"][&1].words, 2);
    assert_eq!(refused(hidden::rooted_and_more::kinds, &grown).1, Vec::<String>::new());
}
