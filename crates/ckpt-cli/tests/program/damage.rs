//! Damage and strangers: found, named, stepped over only by `latest`, never moved by a reader.

use serde_json::json;

use crate::scene::{Scene, flip, make_newer};

#[test]
fn latest_steps_back_over_damage_and_says_so() {
    let scene = Scene::with_checkpoints(3);
    scene.damage(3);
    let before = scene.names("train/ppo");
    let ran = scene.run("restore train/ppo --output back").ok();
    let ran = ran.says("restored checkpoint 2").warns("checkpoint 3 was passed over").warns("took 2 instead");
    ran.warns("section \"w\", block 0").warns("ckpt verify");
    assert_eq!(scene.read("back/w"), vec![2; 5_000]);
    assert_eq!(scene.names("back"), ["s", "w"]);
    let answer = scene.run("restore train/ppo --output again --json").ok().json();
    assert_eq!((&answer["sequence"], &answer["skipped"][0]["sequence"]), (&json!(2), &json!(3)));
    assert!(answer["skipped"][0]["reason"].as_str().unwrap().contains("section \"w\""), "{answer}");
    assert_eq!(scene.names("train/ppo"), before, "a reader moves nothing");
    assert_eq!(scene.names("."), ["again", "back", "s.json", "train", "w.bin"], "nothing half-done stays");
}

#[test]
fn a_section_that_is_good_is_restored_from_a_damaged_checkpoint() {
    let scene = Scene::with_checkpoints(2);
    scene.damage(2);
    let answer = scene.run("restore train/ppo --output back --section s --json").ok().json();
    assert_eq!((&answer["sequence"], &answer["skipped"]), (&json!(2), &json!([])));
}

#[test]
fn any_other_selector_fails_on_damage() {
    let scene = Scene::with_checkpoints(2);
    scene.damage(2);
    for line in [
        "restore train/ppo seq:2 --output back",
        "restore train/ppo best:loss:min --output back",
        "show train/ppo step:200 --section w",
        "export train/ppo seq:2 out.ckpt",
        "diff train/ppo seq:1 seq:2",
    ] {
        let error = scene.run(&format!("{line} --json")).error(3, "damaged");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("section \"w\", block 0"), "{line}: {message}");
    }
    assert_eq!(scene.names("."), ["s.json", "train", "w.bin"], "nothing half-done stays");
}

#[test]
fn nothing_good_left_is_damage_and_names_all() {
    let scene = Scene::with_checkpoints(2);
    (1..=2).for_each(|sequence| scene.damage(sequence));
    let error = scene.run("restore train/ppo --output back --json").error(3, "damaged");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("checkpoint 1") && message.contains("checkpoint 2"), "{message}");
    assert_eq!(scene.names("."), ["s.json", "train", "w.bin"]);
}

#[test]
fn verify_says_what_is_wrong_and_where() {
    let scene = Scene::with_checkpoints(3);
    scene.run("verify train/ppo").ok().says("all are good");
    scene.damage(2);
    let ran = scene.run("verify train/ppo --json").ends(3);
    let found = ran.json();
    assert_eq!(found[0], json!({"sequence": 1, "state": "committed"}));
    let bad = &found[1];
    assert_eq!(
        *bad,
        json!({"sequence": 2, "state": "damaged", "section": "w", "block": 0, "reason": bad["reason"]})
    );
    scene.run("verify train/ppo").ends(3).says("damaged").says("section \"w\", block 0").says("1 not good");
    scene.run("verify .").ends(3).says("train/ppo");
    scene.run("verify train/ppo seq:2").ends(3);
    scene.run("verify train/ppo seq:1").ok();
    scene.run("verify train/ppo latest").ok();
    scene.run("verify train/ppo seq:9 --json").error(4, "not_found");
    let file = scene.checkpoint(2);
    scene.args(["verify".as_ref(), file.as_os_str()]).ends(3);
    flip(&scene.checkpoint(1), 3);
    let found = scene.run("verify train/ppo --json").ends(3).json();
    assert_eq!(found[0]["state"], "damaged");
    scene.args(["verify".as_ref(), scene.checkpoint(1).as_os_str()]).ends(3);
}

#[test]
fn list_shows_what_cannot_be_loaded_and_goes_on() {
    let scene = Scene::with_checkpoints(2);
    // Its commit record: a listing reads that.
    let file = scene.checkpoint(1);
    let length = std::fs::metadata(&file).unwrap().len();
    flip(&file, usize::try_from(length).unwrap() - 5);
    let rows = scene.run("list train/ppo --json").ok().json();
    assert_eq!((&rows[0]["state"], &rows[1]["state"]), (&json!("damaged"), &json!("committed")));
    assert_eq!((&rows[0]["events"], &rows[0]["status"]), (&json!([]), &json!(null)));
    scene.run("list train/ppo").ok().says("damaged").warns("1 checkpoint cannot be loaded");
}

#[test]
fn a_newer_file_is_refused_by_name_and_nothing_steps_over_it() {
    let scene = Scene::with_checkpoints(2);
    let file = scene.checkpoint(2);
    make_newer(&file);
    let bytes = std::fs::read(&file).unwrap();
    let error = scene.run("restore train/ppo --output back --json").error(6, "unsupported");
    assert!(error["message"].as_str().unwrap().contains("version 9.0"), "{error}");
    scene.run("verify train/ppo").ends(6).says("unsupported");
    let rows = scene.run("list train/ppo --json").ok().json();
    assert_eq!(rows[1]["state"], "unsupported");
    assert_eq!(std::fs::read(&file).unwrap(), bytes, "never touched");
}

#[test]
fn a_renamed_file_is_foreign_and_never_latest() {
    let scene = Scene::with_checkpoints(2);
    std::fs::copy(scene.checkpoint(1), scene.path("train/ppo/00000009_x.ckpt")).unwrap();
    let answer = scene.run("restore train/ppo --output back --json").ok().json();
    assert_eq!(answer["sequence"], 2);
    scene.run("verify train/ppo").ends(1).says("foreign");
    scene.run("show train/ppo seq:9 --json").error(1, "invalid");
}

#[test]
fn text_that_is_no_checkpoint_is_damaged() {
    let scene = Scene::new();
    scene.write("x.ckpt", b"hello");
    scene.run("show x.ckpt --json").error(3, "damaged");
    scene.run("verify x.ckpt").ends(3);
}
