//! `ckpt restore` and `ckpt show`: the right state, whole or not at all.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn selectors_mean_what_they_say() {
    let scene = Scene::with_checkpoints(3);
    for (selector, sequence) in [
        ("latest", 3),
        ("seq:2", 2),
        ("step:100", 1),
        ("step<=250", 2),
        ("best:loss:max", 1),
        ("best:loss:min", 3),
    ] {
        let dir = format!("out{sequence}{}", selector.len());
        let answer = scene.run(&format!("restore train/ppo {selector} --output {dir} --json")).ok().json();
        assert_eq!(answer["sequence"], sequence, "{selector}");
        assert_eq!(scene.read(format!("{dir}/w")), vec![sequence as u8; 5_000]);
    }
    scene.run("restore train/ppo best:loss --output x --json").error(2, "usage");
    scene.run("restore train/ppo newest --output x --json").error(2, "usage");
    let error = scene.run("restore train/ppo step:1 --output x --json").error(4, "not_found");
    assert!(error["message"].as_str().unwrap().contains("300"), "{error}");
    assert!(!scene.path("x").exists());
}

#[test]
fn the_answer_lists_exactly_what_was_written() {
    let scene = Scene::with_checkpoints(1);
    let answer = scene.run("restore train/ppo --output back --json").ok().json();
    assert_eq!(answer["skipped"], json!([]));
    assert_eq!(answer["why"], "it is the newest");
    let sections = answer["sections"].as_array().unwrap();
    let listed: Vec<_> = sections.iter().map(|section| section["name"].as_str().unwrap()).collect();
    assert_eq!(listed, ["w", "s"]);
    for section in sections {
        let bytes = scene.read(section["path"].as_str().unwrap());
        assert_eq!(section["bytes"], bytes.len());
    }
    assert_eq!(scene.names("back"), ["s", "w"]);
}

#[test]
fn some_sections_can_be_asked_for_and_a_missing_one_leaves_nothing() {
    let scene = Scene::with_checkpoints(1);
    scene.run("restore train/ppo --output back --section s --section s").ok();
    assert_eq!(scene.names("back"), ["s"]);
    let before = scene.names(".");
    let error =
        scene.run("restore train/ppo --output other --section s --section nope --json").error(4, "not_found");
    assert!(error["message"].as_str().unwrap().contains("nope"), "{error}");
    assert_eq!(scene.names("."), before, "no directory, no leftovers");
}

#[test]
fn a_directory_that_holds_something_is_refused_and_an_empty_one_is_taken() {
    let scene = Scene::with_checkpoints(1);
    std::fs::create_dir_all(scene.path("full")).unwrap();
    scene.write("full/mine", b"mine");
    let error = scene.run("restore train/ppo --output full --json").error(5, "exists");
    assert!(error["hint"].as_str().unwrap().contains("empty"), "{error}");
    assert_eq!(scene.names("full"), ["mine"]);
    scene.run("restore train/ppo --output full/mine --json").error(5, "exists");
    scene.run("restore train/ppo --output none/there --json").error(4, "not_found");
    std::fs::create_dir(scene.path("empty")).unwrap();
    scene.run("restore train/ppo --output empty").ok().says("restored checkpoint 1");
    assert_eq!(scene.names("empty"), ["s", "w"]);
    assert_eq!(scene.names("."), ["empty", "full", "s.json", "train", "w.bin"]);
    // It is refused before anything is read: not even the run has to be there.
    scene.run("restore nowhere --output full --json").error(5, "exists");
}

#[test]
fn reading_leaves_no_trace() {
    let scene = Scene::with_checkpoints(2);
    let before = scene.names("train/ppo");
    for line in [
        "list train/ppo",
        "show train/ppo",
        "show train/ppo --section s",
        "verify train/ppo",
        "diff train/ppo seq:1 seq:2",
        "log train/ppo",
        "restore train/ppo --output back",
        "export train/ppo latest out.ckpt",
    ] {
        scene.run(line).ok();
        assert_eq!(scene.names("train/ppo"), before, "{line}");
    }
}

#[test]
fn show_tells_what_is_inside_and_prints_sections() {
    let scene = Scene::with_checkpoints(2);
    scene.run("show train/ppo").ok().says("train/ppo").says("loss = 0.5").says("too small").says("5.0 kB");
    let shown = scene.run("show train/ppo seq:1 --json").ok().json();
    assert_eq!((&shown["sequence"], &shown["why"]), (&json!(1), &json!("it is what seq:1 means")));
    assert_eq!(shown["sections"][0]["codec"], "raw");
    let text = scene.run("show train/ppo seq:1 --section s").ok();
    assert_eq!(text.stdout, "{\n  \"sigma\": 0.1, \"n\": 1\n}\n", "byte for byte into a pipe");
    let value = scene.run("show train/ppo seq:1 --section s --json").ok().json();
    assert_eq!(value["value"], json!({"sigma": 0.1, "n": 1}));
    assert_eq!(scene.run("show train/ppo --section w").ok().bytes, vec![2; 5_000]);
    scene.run("show train/ppo --section w --json").error(2, "usage");
    scene.run("show train/ppo --section nope --json").error(4, "not_found");
}
