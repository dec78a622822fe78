//! `ckpt name`: the convention of file names.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn a_name_is_read() {
    let scene = Scene::new();
    let name = "NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42.zip";
    let parsed = scene.args(["name", "parse", name, "--json"]).ok().json();
    assert_eq!(
        (&parsed["form"], &parsed["market"], &parsed["step"]),
        (&json!("label"), &json!("NQ"), &json!(25_000))
    );
    assert_eq!((&parsed["val_reward"], &parsed["sharpe_ratio"]), (&json!(0.112), &json!(1.45)));
    assert_eq!((&parsed["event"], &parsed["seed"]), (&json!("periodic"), &json!(42)));
    scene.args(["name", "parse", name]).ok().says("25,000").says("periodic");
    let parsed = scene.args(["name", "parse", "00000001_ts-0000007_val-nan.ckpt", "--json"]).ok().json();
    assert_eq!((&parsed["sequence"], &parsed["val_reward"]), (&json!(1), &json!("NaN")));
    for hostile in ["../../etc/passwd", "", "a\u{1b}[2J", "readme.txt", "00000001_ts-x.ckpt"] {
        let error = scene.args(["name", "parse", hostile, "--json"]).error(1, "invalid");
        assert!(!error["message"].as_str().unwrap().contains('\u{1b}'), "{error}");
    }
}

#[test]
fn a_name_is_written_and_read_back() {
    let scene = Scene::new();
    let line =
        "name render --market NQ --step 25000 --event best --val-reward -0.1125 --sharpe-ratio 1.5 --seed -7";
    assert_eq!(scene.run(line).ok().stdout, "NQ_ts-0025000_evt-best_val--0.113_sharpe-+1.50_seed--7\n");
    let name = scene.run(&format!("{line} --sequence 12 --epoch 3 --json")).ok().json()["name"].clone();
    assert_eq!(name, "e000003-00000012_NQ_ts-0025000_evt-best_val--0.113_sharpe-+1.50_seed--7.ckpt");
    let parsed = scene.args(["name", "parse", name.as_str().unwrap(), "--json"]).ok().json();
    assert_eq!((&parsed["epoch"], &parsed["sequence"], &parsed["name"]), (&json!(3), &json!(12), &name));
    scene.run("name render --json").error(2, "usage");
    scene.run("name render --epoch 3 --market NQ --json").error(2, "usage");
}
