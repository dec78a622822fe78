//! `ckpt diff`: what changed, how much, and where.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn sections_metrics_and_metadata_are_compared() {
    let scene = Scene::with_checkpoints(1);
    scene.write("w2.bin", [vec![1; 4_000], vec![2; 1_500]].concat());
    scene.write("s.json", br#"{"sigma": 0.1, "n": 5, "new": {"x": [1]}}"#);
    scene
        .run("save train/ppo --step 300 --metric loss=0.75 --label k=v w=w2.bin s:json=s.json extra=w.bin")
        .ok();
    scene.run("save train/ppo --step 400 s:json=s.json").ok();
    let diff = scene.run("diff train/ppo seq:1 seq:2 --json").ok().json();
    assert_eq!(diff["identical"], false);
    assert_eq!(diff["metrics"], json!([{"name": "loss", "a": 1.0, "b": 0.75, "delta": -0.25}]));
    let fields = diff["metadata"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|change| change["field"] == name).cloned();
    assert_eq!(field("position.step"), Some(json!({"field": "position.step", "a": 100, "b": 300})));
    assert_eq!(field("labels").map(|change| change["b"].clone()), Some(json!({"k": "v"})));
    let sections = &diff["sections"];
    assert_eq!(sections[0]["differing"], json!({"bytes": 1_000, "first_offset": 4_000}));
    assert_eq!((&sections[0]["a_bytes"], &sections[0]["b_bytes"]), (&json!(5_000), &json!(5_500)));
    assert_eq!(
        sections[1]["paths"],
        json!([{"path": "n", "a": 1, "b": 5}, {"path": "new", "b": {"x": [1]}}])
    );
    assert_eq!((&sections[2]["name"], &sections[2]["change"]), (&json!("extra"), &json!("added")));
    let ran = scene.run("diff train/ppo seq:1 seq:2").ok().says("1,000 bytes differ, the first at 4,000");
    ran.says("n: 1 -> 5").says("+ extra").says("(-0.25)").says("5.0 kB -> 5.5 kB");
    scene.run("diff train/ppo seq:2 seq:3").ok().says("- w").says("- extra");
}

#[test]
fn the_same_state_is_identical_whatever_is_said_about_it() {
    let scene = Scene::with_checkpoints(1);
    scene.run("save train/ppo --step 999 w=w.bin s:json=s.json").ok();
    scene.run("diff train/ppo seq:1 latest").ok().says("identical").says("position.step");
    let diff = scene.run("diff train/ppo seq:1 latest --json").ok().json();
    assert_eq!((&diff["identical"], &diff["sections"]), (&json!(true), &json!([])));
}

#[test]
fn json_that_is_only_written_differently_is_told_apart() {
    let scene = Scene::new();
    scene.write("s.json", b"{\"a\": 1}");
    scene.run("save train/ppo s:json=s.json").ok();
    scene.write("s.json", b"{ \"a\": 1 }");
    scene.run("save train/ppo s:json=s.json").ok();
    scene.run("diff train/ppo seq:1 seq:2").ok().says("only the text differs");
}

#[test]
fn many_changes_are_counted_and_some_are_shown() {
    let scene = Scene::new();
    for offset in [0, 1_000] {
        let values: Vec<u64> = (offset..offset + 500).collect();
        scene.write("s.json", serde_json::to_vec(&values).unwrap());
        scene.run("save train/ppo s:json=s.json").ok();
    }
    let diff = scene.run("diff train/ppo seq:1 seq:2 --json").ok().json();
    let section = &diff["sections"][0];
    assert_eq!((&section["path_count"], section["paths"].as_array().unwrap().len()), (&json!(500), 20));
    scene.run("diff train/ppo seq:1 seq:2").ok().says("and 480 more places");
}

#[test]
fn what_is_compared_must_be_named() {
    let scene = Scene::with_checkpoints(1);
    scene.run("diff train/ppo seq:1 --json").error(2, "usage");
    scene.run("diff train/ppo nonsense seq:1 --json").error(2, "usage");
    scene.run("diff train/ppo seq:1 seq:7 --json").error(4, "not_found");
}
