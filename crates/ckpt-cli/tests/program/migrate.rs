//! `ckpt migrate`: the newest at current versions, the old one as it was.

use ckpt::{Metadata, Run, RunOptions, Section, Selector};
use ckpt_market::component::kill_switch::ReasonCode;
use serde_json::{Value, json};

use crate::market::{VERSION_1, learned};
use crate::scene::Scene;

/// A run with the committed bundle of version 1.
fn of_version_1() -> Scene {
    let scene = Scene::new();
    scene.write("v1.ckpt", VERSION_1);
    scene.run("import runs/live v1.ckpt").ok();
    scene
}

fn step<'a>(answer: &'a Value, section: &str) -> &'a Value {
    let steps = answer["sections"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == section).unwrap()
}

/// The name of the first checkpoint and its bytes.
fn first(scene: &Scene) -> (String, Vec<u8>) {
    let name = scene.names("runs/live").into_iter().find(|name| name.starts_with("00000001_")).unwrap();
    let bytes = scene.read(format!("runs/live/{name}"));
    (name, bytes)
}

#[test]
fn the_newest_is_saved_again_at_current_versions_and_the_old_one_stays() {
    let scene = of_version_1();
    let (name, bytes) = first(&scene);
    let old = scene.bundle("runs/live");
    let dry = scene.run("migrate runs/live --dry-run --json").ok().json();
    assert_eq!(
        (&dry["dry_run"], &dry["saved"], scene.sequences("runs/live").len()),
        (&json!(true), &json!(null), 1)
    );
    let answer = scene.run("migrate runs/live --json").ok().json();
    assert_eq!(answer["sections"], dry["sections"], "a dry run says what the real one does");
    let kappa = step(&answer, "kappa_own");
    assert_eq!((&kappa["outcome"], &kappa["path"]), (&json!("migrated"), &json!([1, 2])));
    assert!(kappa["text"].as_str().unwrap().starts_with("v1 -> v2"), "{kappa}");
    let vol = step(&answer, "vol_filter");
    assert_eq!((&vol["outcome"], &vol["path"]), (&json!("current"), &json!([1])));
    assert_eq!((&answer["sequence"], &answer["saved"]["sequence"]), (&json!(1), &json!(2)));

    assert_eq!(scene.sequences("runs/live"), [1, 2]);
    assert_eq!(scene.read(format!("runs/live/{name}")), bytes, "the old one is what it was");
    // Read as it is, or rewritten and read: the same state.
    let new = scene.bundle("runs/live");
    assert_eq!(new, old);
    assert!(!new.bundle().kill_switch.triggers.is_empty());
    assert_ne!(new.bundle().kill_switch.triggers[0].code, ReasonCode::Other);
    let shown = scene.run("show runs/live --json").ok().json();
    assert_eq!(shown["metadata"]["parent"]["sequence"], json!(1), "{shown}");
    let kappa = |section: &&Value| section["kind"] == "kappa";
    let versions = shown["sections"].as_array().unwrap().iter().filter(kappa);
    assert_eq!(versions.map(|section| &section["version"]).collect::<Vec<_>>(), [2, 2, 2], "{shown}");

    scene.run("migrate runs/live").ok().says("nothing to migrate");
    assert_eq!(scene.sequences("runs/live"), [1, 2], "there was nothing to do");
}

#[test]
fn what_is_not_known_is_copied_byte_for_byte() {
    let scene = of_version_1();
    let (odd, bytes) = (&b"{ \"b\" : 1,  \"a\": [ 1.50 ] }\n"[..], vec![7; 300_000]);
    let run = Run::open(scene.path("runs/live"), RunOptions::new(ckpt::now)).unwrap();
    let mut sections: Vec<Section<'_>> =
        run.load(&Selector::Latest).unwrap().value.into_map().into_values().map(Section::encoded).collect();
    // Of another program, and of nobody: `kappa` without its kind is no kappa.
    sections.insert(3, Section::json_text("odd", odd).unwrap().of_kind("novel", 9));
    sections.push(Section::raw("bytes", &bytes));
    sections.push(Section::json_text("kappa", &b"{}"[..]).unwrap());
    run.save(Metadata::default(), sections).unwrap();
    drop(run);
    let order = |answer: &Value| {
        let sections = answer["sections"].as_array().unwrap().iter();
        sections.map(|section| section["name"].clone()).collect::<Vec<_>>()
    };
    let before = scene.run("show runs/live --json").ok().json();
    let answer = scene.run("migrate runs/live --json").ok().json();
    for name in ["odd", "bytes", "kappa"] {
        assert_eq!(step(&answer, name)["outcome"], "unknown", "{answer}");
    }
    let after = scene.run("show runs/live --json").ok().json();
    assert_eq!((after["metadata"]["sequence"].as_u64(), order(&after)), (Some(3), order(&before)));
    let of = |shown: &Value| shown["sections"].as_array().unwrap()[3].clone();
    assert_eq!((&of(&after)["kind"], &of(&after)["version"]), (&json!("novel"), &json!(9)), "{after}");
    scene.run("restore runs/live --output back").ok();
    assert_eq!(
        (scene.read("back/odd"), scene.read("back/bytes"), scene.read("back/kappa")),
        (odd.to_vec(), bytes, b"{}".to_vec())
    );
}

/// Intact, but of a later program: it would be lost.
#[test]
fn a_kind_of_a_newer_version_is_refused_and_nothing_is_saved() {
    let scene = of_version_1();
    let newer = Section::json_text("kappa_own", &b"{}"[..]).unwrap().of_kind("kappa", 3);
    let run = Run::open(scene.path("runs/live"), RunOptions::new(ckpt::now)).unwrap();
    run.save(Metadata::default(), vec![newer]).unwrap();
    drop(run);
    let error = scene.run("migrate runs/live --json").error(6, "incompatible");
    assert!(error["message"].as_str().unwrap().contains("kappa v3, this program reads up to v2"), "{error}");
    assert_eq!(scene.sequences("runs/live"), [1, 2]);
}

#[test]
fn a_damaged_newest_is_stepped_over_and_a_writer_is_in_the_way() {
    let scene = of_version_1();
    scene.save_bundle("runs/live", learned("HYPE", 60));
    let newest = scene.names("runs/live").into_iter().find(|name| name.starts_with("00000002_")).unwrap();
    crate::scene::flip(&scene.path("runs/live").join(newest), 4_096 + 17);
    let answer = scene.run("migrate runs/live --json").ok();
    let ran = answer.warns("checkpoint 2 was passed over");
    let answer = ran.json();
    assert_eq!((&answer["sequence"], &answer["saved"]["sequence"]), (&json!(1), &json!(3)));
    assert_eq!(answer["skipped"][0]["sequence"], json!(2));
    let run = Run::open(scene.path("runs/live"), RunOptions::new(ckpt::now)).unwrap();
    scene.run("migrate runs/live --dry-run").ok();
    scene.run("migrate runs/live").ok().says("nothing to migrate");
    scene.run("reset runs/live --component vol_filter --json").error(5, "locked");
    drop(run);
    scene.run("migrate runs/none --json").error(4, "run_not_found");
}
