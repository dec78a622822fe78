//! `ckpt save`: what is taken, what is refused before anything is written.

use serde_json::json;

use crate::scene::Scene;

#[test]
fn what_is_saved_comes_back_byte_for_byte_from_files_and_standard_input() {
    let scene = Scene::new();
    let raw: Vec<u8> = (0..700_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let json = b"{ \"sigma\" : 1e-3,\n\t\"k\": [1, 2.50] }\n\n";
    scene.write("w.bin", &raw);
    scene.write("s.json", json);
    scene.write("empty", b"");
    let ran = scene.run_with("save train/ppo w=w.bin s:json=s.json in=- empty=empty", b"from\0stdin\n").ok();
    assert!(ran.stdout.starts_with("saved 00000001_evt-manual.ckpt (sequence 1, "), "{}", ran.stdout);
    scene.run("restore train/ppo --output back").ok();
    assert_eq!(scene.names("back"), ["empty", "in", "s", "w"]);
    assert!(scene.read("back/w") == raw);
    assert_eq!(scene.read("back/s"), json);
    assert_eq!(scene.read("back/in"), b"from\0stdin\n");
    assert_eq!(scene.read("back/empty"), b"");
}

#[test]
fn everything_that_is_said_about_a_checkpoint_stands_in_it() {
    let scene = Scene::new();
    scene.write("w", b"1");
    scene.write("extra.json", br#"{"note": "~x", "big": 18446744073709551615, "deep": {"a": [1.5, null]}}"#);
    let line = "save train/ppo --json --step 25000 --total 100000 --unit days --cursor row=7 --event periodic \
                --event phase_boundary_night --metric loss=nan --metric reward=-inf --metric val_reward=0.1125 \
                --market NQ --seed -42 --phase warmup --status interrupted --label host=a --label empty= --extra extra.json w=w";
    let saved = scene.run(line).ok().json();
    assert_eq!(saved["name"], "00000001_NQ_ts-0025000_evt-phase_boundary_night_val-+0.113_seed--42.ckpt");
    assert_eq!((&saved["event"], &saved["sections"]), (&json!("phase_boundary_night"), &json!(["w"])));
    let shown = scene.run("show train/ppo --json").ok().json();
    let metadata = &shown["metadata"];
    assert_eq!(
        metadata["position"],
        json!({"step": 25000, "total": 100000, "unit": "days", "cursor": "row=7"})
    );
    let metrics = &metadata["metrics"]["values"];
    assert_eq!(*metrics, json!({"loss": "NaN", "reward": "-Infinity", "val_reward": 0.1125}));
    assert_eq!(metadata["labels"], json!({"host": "a", "empty": ""}));
    assert_eq!((&metadata["seed"], &metadata["phase"]), (&json!(-42), &json!("warmup")));
    assert_eq!((&metadata["status"], &metadata["market"]), (&json!("interrupted"), &json!("NQ")));
    let extra = json!({"note": "~x", "big": 18_446_744_073_709_551_615_u64, "deep": {"a": [1.5, null]}});
    assert_eq!(metadata["extra"], extra);
    assert_eq!((&metadata["kind"], &metadata["name"]), (&json!("train"), &json!("ppo")));
    assert_eq!(metadata["program"]["name"], "ckpt");
}

#[test]
fn nothing_is_written_if_an_input_is_missing_or_refused() {
    let scene = Scene::new();
    scene.write("w", b"1");
    scene.write("bad.json", b"{\"a\": nan}");
    scene.write("list.json", b"[1]");
    for (line, status, code, part) in [
        ("save train/ppo w=w x=missing", 4, "not_found", "missing"),
        ("save train/ppo w=w x=.", 1, "invalid", "is a directory"),
        ("save train/ppo w=w x:json=bad.json", 1, "refused", "column"),
        ("save train/ppo w=w --extra list.json", 1, "refused", "must hold a JSON object"),
        ("save train/ppo w=w --extra bad.json", 1, "refused", "is not JSON"),
        ("save train/ppo w=w w=bad.json", 2, "usage", "section w is given twice"),
        ("save train/ppo a=- b=-", 2, "usage", "standard input"),
        ("save train/ppo w=w --metric a=1 --metric a=2", 2, "usage", "--metric a is given twice"),
        ("save train/ppo w=w --event sometimes", 2, "usage", "unknown event"),
        ("save train/ppo w", 2, "usage", "NAME=PATH"),
        ("save train/ppo ../w=w", 2, "usage", "must match"),
        ("save train/ppo", 2, "usage", "NAME[:json]=PATH"),
    ] {
        let error = scene.run(&format!("{line} --json")).error(status, code);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(part), "{line}: {message}");
        assert!(!scene.path("train").exists(), "{line}");
    }
}

#[test]
fn a_new_run_is_named_by_its_path_or_by_flags() {
    let scene = Scene::new();
    scene.write("w", b"1");
    let identity = |run: &str| {
        let identity: serde_json::Value =
            serde_json::from_slice(&scene.read(format!("{run}/run.json"))).unwrap();
        (identity["kind"].as_str().unwrap().to_owned(), identity["name"].as_str().unwrap().to_owned())
    };
    let named = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
    scene.run("save a/b/c/ w=w").ok();
    assert_eq!(identity("a/b/c"), named("b", "c"));
    scene.run("save a/../d/./e w=w").ok();
    assert_eq!(identity("d/e"), named("d", "e"));
    scene.run("save .hidden --kind k --name n w=w").ok();
    assert_eq!(identity(".hidden"), named("k", "n"));
    std::fs::create_dir_all(scene.path("f/g")).unwrap();
    let here = scene.command(["save", ".", "w=../../w"]).current_dir(scene.path("f/g")).output().unwrap();
    assert!(here.status.success(), "{here:?}");
    assert_eq!(identity("f/g"), named("f", "g"));
    for hostile in ["x/.hidden", "x/-flag", "x/a b", "x/\u{1b}[2J", "x/é", "x/$(id)"] {
        let error = scene.args(["save", hostile, "w=w", "--json"]).error(2, "usage");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("--name"), "{message}");
        assert!(!scene.path("x").exists(), "{hostile}");
    }
    scene.run("save a/b/c --name other w=w --json").error(5, "conflict");
}

#[test]
fn hostile_metadata_reaches_neither_the_file_system_nor_the_terminal() {
    let scene = Scene::new();
    scene.write("w", b"1");
    let evil = "../../x\u{1b}[31m\u{202e}\n/";
    scene.args(["save", "train/ppo", "--market", evil, "--label", &format!("k={evil}"), "w=w"]).ok();
    let names = scene.names("train/ppo");
    assert!(names.iter().any(|name| name.starts_with("00000001_..%2F..%2Fx%1B%5B31m")), "{names:?}");
    for line in ["show train/ppo", "list train/ppo", "log train/ppo"] {
        let ran = scene.run(line).ok();
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'), "{ran:?}");
    }
    let shown = scene.run("show train/ppo --json").ok().json();
    assert_eq!(shown["metadata"]["market"], evil);
}
