//! `ckpt export`, `ckpt import`, and bare files in place of a run.

use serde_json::json;

use crate::scene::{Scene, flip};

#[test]
fn an_exported_file_is_a_checkpoint_for_every_reading_command() {
    let scene = Scene::with_checkpoints(2);
    let answer = scene.run("export train/ppo step:100 one.ckpt --json").ok().json();
    assert_eq!((&answer["sequence"], &answer["path"]), (&json!(1), &json!("one.ckpt")));
    assert_eq!(scene.read("one.ckpt"), std::fs::read(scene.checkpoint(1)).unwrap());
    scene.run("export train/ppo seq:2 two.ckpt").ok();
    scene.run("verify one.ckpt").ok().says("it is good");
    scene.run("show one.ckpt").ok().says("the file that was named");
    scene.run("show one.ckpt --section s").ok().says("\"n\": 1");
    scene.run("list one.ckpt").ok().says("manual");
    scene.run("restore one.ckpt --output back").ok();
    assert_eq!(scene.read("back/w"), vec![1; 5_000]);
    scene.run("diff one.ckpt two.ckpt").ok().says("loss");
    std::os::unix::fs::symlink("one.ckpt", scene.path("link.ckpt")).unwrap();
    scene.run("show link.ckpt").ok().says("the file that was named");
    scene.run("restore one.ckpt latest --output x --json").error(2, "usage");
    scene.run("verify one.ckpt latest --json").error(2, "usage");
    scene.run("restore none.ckpt --output x --json").error(4, "run_not_found");
}

#[test]
fn an_export_replaces_nothing_and_leaves_nothing_half_done() {
    let scene = Scene::with_checkpoints(1);
    scene.write("mine", b"mine");
    scene.run("export train/ppo latest mine --json").error(5, "exists");
    assert_eq!(scene.read("mine"), b"mine");
    scene.run("export train/ppo latest none/x --json").error(4, "not_found");
    scene.damage(1);
    scene.run("export train/ppo latest out.ckpt --json").error(3, "damaged");
    assert_eq!(scene.names("."), ["mine", "s.json", "train", "w.bin"]);
}

#[test]
fn an_import_becomes_latest_only_if_it_is_meant() {
    let scene = Scene::with_checkpoints(2);
    scene.run("export train/ppo seq:1 one.ckpt").ok();
    let answer = scene.run("import other/run one.ckpt --json").ok().json();
    assert_eq!((&answer["created"], &answer["sequence"]), (&json!(true), &json!(1)));
    let origin = &answer["origin"];
    assert_eq!(
        (&origin["kind"], &origin["name"], &origin["sequence"]),
        (&json!("train"), &json!("ppo"), &json!(1))
    );
    let (old, new) = (scene.run("show one.ckpt --json").json(), scene.run("show other/run --json").json());
    assert_eq!(old["content_digest"], new["content_digest"]);
    assert_eq!(new["metadata"]["origin"]["index_digest"], old["index_digest"]);
    assert_eq!((&new["metadata"]["kind"], &new["metadata"]["name"]), (&json!("other"), &json!("run")));
    let error = scene.run("import train/ppo one.ckpt --json").error(5, "exists");
    assert!(error["message"].as_str().unwrap().contains("--as-latest"), "{error}");
    scene.run("import train/ppo one.ckpt --as-latest").ok().says("sequence 3");
    scene.run("restore train/ppo --output back").ok();
    assert_eq!(scene.read("back/w"), vec![1; 5_000]);
}

#[test]
fn a_damaged_file_makes_no_run() {
    let scene = Scene::with_checkpoints(1);
    scene.run("export train/ppo latest one.ckpt").ok();
    flip(&scene.path("one.ckpt"), 4_096 + 17);
    scene.run("import other/run one.ckpt --json").error(3, "damaged");
    assert!(!scene.path("other").exists());
    scene.run("import train/ppo one.ckpt --as-latest --json").error(3, "damaged");
    scene.run("import other/run nothing.ckpt --json").error(4, "not_found");
}
