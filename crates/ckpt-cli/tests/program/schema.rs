//! The stored kinds that the program knows, and what it refuses of a lock.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::scene::{Scene, flip};

#[test]
fn every_kind_is_listed_with_its_version_and_what_it_is() {
    let rows = Scene::new().run("schema list --json").ok().json();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 17);
    let kappa = rows.iter().find(|row| row["kind"] == "kappa").unwrap();
    assert_eq!((&kappa["version"], &kappa["released"]), (&2.into(), &json!([1, 2])));
    assert_eq!(kappa["golden"], json!(["golden/kappa.v1.ckpt", "golden/kappa.v2.ckpt"]));
    let text = Scene::new().run("schema list").ok().stdout;
    let line = text.lines().find(|line| line.starts_with("kill_switch ")).unwrap();
    assert!(line.contains("v1, v2") && line.contains("What stopped trading"), "{line}");
}

#[test]
fn the_fields_of_a_kind_have_unit_default_since_and_meaning() {
    let scene = Scene::new();
    let text = scene.run("schema show kappa").ok().stdout;
    assert!(text.starts_with("kappa v2  written as json; released; golden/kappa.v2.ckpt\n"), "{text}");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let line = |name: &str| words(text.lines().find(|line| line.starts_with(name)).unwrap()).join(" ");
    assert_eq!(line("name "), "name type unit default since meaning");
    assert_eq!(
        line("prior_beta "),
        "prior_beta f64, > 0 fraction of price 0.02 1 Rate of the prior, the sum of their distances as a fraction of price; \
         more than 0."
    );
    assert!(
        line("total_observations ").starts_with("total_observations u64 count 0 2 Fills ever seen"),
        "{text}"
    );
    let old = scene.run("schema show kappa --at 1").ok().says("kappa v1").says("; the newest is v2");
    assert!(!old.stdout.contains("total_observations"), "{old:?}");
}

#[test]
fn a_struct_that_was_shown_is_not_shown_again() {
    let text = Scene::new().run("schema show learned_params").ok().stdout;
    assert!(text.lines().count() < 60, "{text}");
    assert!(text.contains("BayesianParam") || text.contains(", as "), "{text}");
}

#[test]
fn as_json_it_is_the_published_schema() {
    let scene = Scene::new();
    for (line, file) in [
        ("schema show rl_q_table --json", "rl_q_table.v2.schema.json"),
        ("schema show rl_q_table --at 1 --json", "rl_q_table.v1.schema.json"),
    ] {
        let published: Value = serde_json::from_slice(&fs::read(published().join(file)).unwrap()).unwrap();
        assert_eq!(scene.run(line).ok().json(), published, "{file}");
    }
}

#[test]
fn what_is_not_known_is_said_with_what_is() {
    let scene = Scene::new();
    let error = scene.run("schema show weights --json").error(4, "not_found");
    assert!(error["message"].as_str().unwrap().contains("it knows baseline_tracker, enhanced"), "{error}");
    let error = scene.run("schema show kappa --at 3 --json").error(4, "not_found");
    assert_eq!(error["message"], "kappa has no version 3: it has 1 to 2");
}

#[test]
fn the_program_reads_what_it_was_built_with() {
    let scene = Scene::new();
    let checked = scene.run("schema check --json").ok().json();
    assert_eq!((&checked["folder"], &checked["refused"]), (&Value::Null, &json!([])));
    assert_eq!((&checked["checked"]["kinds"], &checked["checked"]["golden_files"]), (&17.into(), &24.into()));
    scene.run("schema check").ok().says("good  what this program was built with: 17 kinds in 24 versions");
    copy(&scene);
    scene.run("schema check locked").ok().says("good  locked: 17 kinds");
}

#[test]
fn each_change_against_a_lock_is_refused_with_its_place_and_the_way_out() {
    let change = |edit: &dyn Fn(&mut Value)| {
        let scene = Scene::new();
        copy(&scene);
        let path = scene.path("locked/lock.json");
        let mut lock: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        edit(&mut lock["kinds"]);
        fs::write(&path, lock.to_string()).unwrap();
        refusals(&scene)
    };
    let unit = change(&|kinds| kinds["kappa"]["2"]["fields"]["prior_beta"]["unit"] = "bps".into());
    assert_eq!(unit, ["kappa 2 prior_beta was in bps, is in fraction of price"]);
    let default =
        change(&|kinds| kinds["momentum"]["1"]["fields"]["prior_continuation"]["default"] = 0.25.into());
    assert_eq!(default, ["momentum 1 prior_continuation had the default 0.25, now 0.5"]);
    let gone = change(&|kinds| kinds["weights"] = kinds["momentum"].clone());
    assert_eq!(gone, ["weights 0 $ was released and is gone"]);
    let newer = change(&|kinds| kinds["momentum"]["2"] = kinds["momentum"]["1"].clone());
    assert!(newer[0].starts_with("momentum 2 $ v2 was released and no step leads from it"), "{newer:?}");
    let frozen = change(&|kinds| {
        kinds["kappa"]["1"]["fields"].as_object_mut().unwrap().remove("prior_alpha");
    });
    assert!(frozen[0].starts_with("kappa 1 prior_alpha v1 is frozen, v2 came after it"), "{frozen:?}");
}

#[test]
fn golden_files_that_are_gone_or_changed_are_refused() {
    let scene = Scene::new();
    copy(&scene);
    fs::remove_file(scene.path("locked/golden/kappa.v1.ckpt")).unwrap();
    flip(&scene.path("locked/golden/momentum.v1.ckpt"), 4_100);
    let found = refusals(&scene);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("kappa 1 golden/kappa.v1.ckpt the golden file is missing"), "{found:?}");
    assert!(
        found[1].starts_with("momentum 1 golden/momentum.v1.ckpt the golden file was changed"),
        "{found:?}"
    );
    let ran = scene.run("schema check locked").ends(6).says("restore it from the history");
    assert!(ran.stdout.ends_with("2 refusals against locked\n"), "{ran:?}");
}

#[test]
fn a_folder_without_a_lock_says_nothing_about_releases() {
    let scene = Scene::new();
    let error = scene.run("schema check nowhere --json").error(4, "not_found");
    assert!(error["message"].as_str().unwrap().contains("nowhere has no lock.json"), "{error}");
    fs::create_dir(scene.path("locked")).unwrap();
    scene.write("locked/lock.json", "{");
    assert_eq!(refusals(&scene), ["lock.json 0 $ can't be described"]);
    scene.run("schema check locked").ends(6).says("lock.json can't be read: EOF while parsing");
}

/// What is refused of the folder `locked`, a line each: kind, version, path, the change.
fn refusals(scene: &Scene) -> Vec<String> {
    let answer = scene.run("schema check locked --json").ends(6).json();
    assert_eq!((&answer["folder"], &answer["checked"]), (&"locked".into(), &Value::Null));
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |one: &Value| {
        let text = word(&one["text"]);
        // What follows is the way out.
        let (change, way_out) = text.split_once(": ").or_else(|| text.split_once("; ")).unwrap();
        assert!(!way_out.is_empty());
        format!("{} {} {} {change}", word(&one["kind"]), one["version"], word(&one["path"]))
    };
    answer["refused"].as_array().unwrap().iter().map(line).collect()
}

fn published() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema")
}

/// The folder of this release as `locked`.
fn copy(scene: &Scene) {
    fs::create_dir_all(scene.path("locked/golden")).unwrap();
    for (from, to) in [(published(), "locked"), (published().join("golden"), "locked/golden")] {
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), scene.path(to).join(entry.file_name())).unwrap();
        }
    }
}
