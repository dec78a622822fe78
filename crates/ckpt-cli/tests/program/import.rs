//! `ckpt import` of what other systems left behind: files as their code writes them, and everything that goes wrong with those.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Ran, Scene};

/// A checkpoint of an RL trainer, whose bytes are its number, and its companions.
fn trainer(scene: &Scene, dir: &str, base: &str, number: u8, metadata: Option<&str>) {
    fs::create_dir_all(scene.path(dir)).unwrap();
    scene.write(&format!("{dir}/{base}.zip"), vec![number; 3_000]);
    if let Some(metadata) = metadata {
        scene.write(&format!("{dir}/{base}_vecnormalize.pkl"), pickle(number));
        scene.write(&format!("{dir}/{base}_metadata.json"), metadata);
    }
}

/// A text that would do harm if it were loaded.
fn pickle(number: u8) -> Vec<u8> {
    let mut bytes = b"\x80\x04cos\nsystem\n(S'touch loaded'\ntR.".to_vec();
    bytes.push(number);
    bytes
}

/// What Python's `json.dumps(.., indent=2, sort_keys=True)` makes of a trainer's metadata.
fn metadata(market: &str, step: u64, event: &str, val_reward: &str, sharpe: &str) -> String {
    format!(
        r#"{{
  "checkpoint_path": "/srv/models/phase1/checkpoints/x",
  "created_at": "2025-11-16T08:30:{:02}.250000+00:00",
  "eval_episodes_run": 0,
  "event_tag": "{event}",
  "learning_rate": 0.0003,
  "market": "{market}",
  "max_drawdown": -Infinity,
  "n_envs": 8,
  "phase": 1,
  "save_counter": 3,
  "schema_version": "1.0",
  "seed": 42,
  "sharpe_ratio": {sharpe},
  "timestamp": "2025-11-16T09:30:00.250000",
  "timesteps": {step},
  "total_return": null,
  "training_elapsed_seconds": 812.5,
  "val_reward": {val_reward},
  "win_rate": NaN
}}"#,
        step / 25_000
    )
}

/// Three checkpoints of one market, the oldest last in the directory.
fn trained() -> Scene {
    let scene = Scene::new();
    let first = metadata("NQ", 25_000, "periodic", "0.1124", "1.4512");
    trainer(&scene, "old", "NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42", 1, Some(&first));
    let second = metadata("NQ", 50_000, "best", "-0.2", "NaN");
    trainer(&scene, "old", "NQ_ts-0050000_evt-best_val--0.200_sharpe-+0.00_seed-42", 2, Some(&second));
    trainer(&scene, "old", "NQ_ts-0100000_evt-interrupt_val-+0.301_sharpe-+2.10_seed-42", 3, None);
    scene
}

fn checkpoints(answer: &Value) -> &Vec<Value> {
    answer["runs"][0]["checkpoints"].as_array().unwrap()
}

fn left(answer: &Value) -> Vec<(String, String)> {
    let left = answer["left"].as_array().unwrap().iter();
    left.map(|left| (left["path"].as_str().unwrap().to_owned(), left["reason"].as_str().unwrap().to_owned()))
        .collect()
}

#[track_caller]
fn stays(answer: &Value, path: &str, reason: &str) {
    let left = left(answer);
    let found = left.iter().find(|left| left.0 == path).unwrap_or_else(|| panic!("no {path} in {left:#?}"));
    assert!(found.1.contains(reason), "{found:?}");
}

fn said(scene: &Scene, selector: &str) -> Value {
    scene.run(&format!("show runs/ppo {selector} --json")).ok().json()
}

#[test]
fn a_trainers_directory_becomes_a_run_in_its_own_order() {
    let scene = trained();
    let plan = scene.run("import runs/ppo old --dry-run --json").ok().json();
    assert!(!scene.path("runs").exists());
    let answer = scene.run("import runs/ppo old --json").ok().json();
    assert_eq!((&answer["layout"], &answer["runs"][0]["created"]), (&json!("rl-trainer"), &json!(true)));
    for (number, (planned, done)) in checkpoints(&plan).iter().zip(checkpoints(&answer)).enumerate() {
        assert_eq!((&planned["verdict"], &done["verdict"]), (&json!("import"), &json!("import")));
        assert_eq!((&planned["sequence"], &done["sequence"]), (&Value::Null, &json!(number + 1)));
        for field in ["name", "path", "step", "metrics", "told", "sections", "digest", "notes", "created_at"]
        {
            assert_eq!(planned[field], done[field], "{field}");
        }
    }
    let first = said(&scene, "seq:1");
    let about = &first["metadata"];
    assert_eq!(
        (&about["market"], &about["phase"], &about["seed"]),
        (&json!("NQ"), &json!("phase1"), &json!(42))
    );
    assert_eq!(about["position"], json!({"step": 25000, "unit": "timesteps"}));
    // The companion is exact, the name rounded; what JSON has no number for is there, too.
    assert_eq!(about["metrics"]["values"]["val_reward"], json!(0.1124));
    let planned = &checkpoints(&plan)[0]["metrics"];
    assert_eq!((&planned["win_rate"], &planned["max_drawdown"]), (&json!("NaN"), &json!("-Infinity")));
    assert_eq!(
        (&about["created_at"], &about["elapsed_seconds"]),
        (&json!("2025-11-16T08:30:01.250Z"), &json!(812.5))
    );
    assert_eq!((&about["extra"]["n_envs"], &about["extra"]["learning_rate"]), (&json!(8), &json!(0.0003)));
    let from = &about["extra"]["imported_from"];
    assert_eq!((&from["layout"], &from["files"][0]["bytes"]), (&json!("rl-trainer"), &json!(3_000)));
    assert_eq!(from["told"]["step"], json!("companion"));
    // Nothing is beside the last: its name speaks.
    let last = said(&scene, "latest");
    let about = &last["metadata"];
    assert_eq!((&about["position"]["step"], &about["status"]), (&json!(100_000), &json!("interrupted")));
    assert_eq!((&about["metrics"]["values"]["sharpe_ratio"], &about["market"]), (&json!(2.1), &json!("NQ")));
    assert_eq!(about["extra"]["imported_from"]["told"]["step"], json!("name"));
    scene.run("restore runs/ppo seq:2 --output back").ok();
    assert_eq!(scene.names("back"), ["metadata.json", "model.zip", "vecnormalize.pkl"]);
    assert_eq!(
        (scene.read("back/model.zip"), scene.read("back/vecnormalize.pkl")),
        (vec![2; 3_000], pickle(2))
    );
    let base = "NQ_ts-0050000_evt-best_val--0.200_sharpe-+0.00_seed-42";
    assert_eq!(scene.read("back/metadata.json"), scene.read(format!("old/{base}_metadata.json")));
    assert!(!scene.path("loaded").exists());
    scene.run("verify runs/ppo").ok();
}

#[test]
fn an_import_that_was_cut_off_goes_on_and_imports_nothing_twice() {
    let scene = trained();
    // The last file exceeds what the process may write: it dies in the middle of the third save.
    let mut noise = 1_u32;
    let noise: Vec<u8> = (0..400_000)
        .map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        })
        .collect();
    scene.write("old/NQ_ts-0100000_evt-interrupt_val-+0.301_sharpe-+2.10_seed-42.zip", &noise);
    let program = env!("CARGO_BIN_EXE_ckpt");
    let mut shell = Command::new("sh");
    let script = format!("ulimit -c 0; ulimit -f 200; exec {program} import runs/ppo old --json");
    let ran = Ran::of(shell.arg("-c").arg(script).current_dir(scene.path("")).output().unwrap());
    assert!(ran.status != Some(0), "{ran:#?}");
    assert_eq!(scene.run("list runs/ppo --json").ok().json().as_array().unwrap().len(), 2);

    let plan = scene.run("import runs/ppo old --dry-run --json").ok().json();
    let verdicts: Vec<&Value> = checkpoints(&plan).iter().map(|row| &row["verdict"]).collect();
    assert_eq!(verdicts, ["there", "there", "import"]);
    let told = scene.run("import runs/ppo old").ok();
    told.says("imported 1 checkpoint of the layout rl-trainer, 2 imported before");
    let entries = scene.run("list runs/ppo --json").ok().json();
    let steps: Vec<&Value> = entries.as_array().unwrap().iter().map(|entry| &entry["step"]).collect();
    assert_eq!(steps, [25_000, 50_000, 100_000]);
    // All is there: nothing is done, and nothing must be meant.
    let again = scene.run("import runs/ppo old --json").ok().json();
    assert!(checkpoints(&again).iter().all(|row| row["verdict"] == "there"), "{again}");
    assert_eq!(checkpoints(&again)[2]["sequence"], entries[2]["sequence"]);
    assert_eq!(scene.run("list runs/ppo --json").ok().json(), entries);
}

#[test]
fn old_state_becomes_the_latest_only_if_it_is_meant() {
    let scene = trained();
    scene.write("w", "w");
    scene.run("save runs/ppo --step 900000 w=w").ok();
    let error = scene.run("import runs/ppo old --json").error(5, "exists");
    assert!(error["message"].as_str().unwrap().contains("--as-latest"), "{error}");
    scene.run("import runs/ppo old --dry-run --json").error(5, "exists");
    scene.run("import runs/ppo old --as-latest").ok();
    assert_eq!(said(&scene, "latest")["metadata"]["position"]["step"], json!(100_000));

    // A file that turns up between those that were imported is older than the latest.
    let scene = trained();
    scene.run("import runs/ppo old").ok();
    trainer(&scene, "old", "NQ_ts-0075000_evt-periodic_val-+0.1_sharpe-+0.1_seed-42", 9, None);
    let error = scene.run("import runs/ppo old --json").error(5, "exists");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("ts-0075000") && message.contains("older"), "{message}");
    // One at the end is not.
    fs::remove_file(scene.path("old/NQ_ts-0075000_evt-periodic_val-+0.1_sharpe-+0.1_seed-42.zip")).unwrap();
    trainer(&scene, "old", "NQ_ts-0125000_evt-periodic_val-+0.1_sharpe-+0.1_seed-42", 9, None);
    scene.run("import runs/ppo old").ok().says("imported 1 checkpoint");
}

#[test]
fn two_markets_are_refused_or_divided() {
    let scene = trained();
    trainer(&scene, "old", "ES_ts-0010000_evt-periodic_val-+0.100_sharpe-+0.50_seed-7", 4, None);
    trainer(&scene, "old", "best_model", 5, None);
    let error = scene.run("import runs/ppo old --json").error(2, "usage");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("ES, NQ") && message.contains("--by market"), "{message}");
    assert!(!scene.path("runs").exists());

    let answer = scene.run("import runs old --by market --json").ok().json();
    let runs: Vec<&Value> = answer["runs"].as_array().unwrap().iter().map(|run| &run["run"]).collect();
    assert_eq!(runs, ["runs/ES", "runs/NQ"]);
    stays(&answer, "old/best_model.zip", "it states no market");
    assert_eq!(scene.run("list runs/ES --json").json().as_array().unwrap().len(), 1);
    assert_eq!(scene.run("list runs/NQ --json").json().as_array().unwrap().len(), 3);
    assert_eq!(scene.run("show runs/NQ --json").json()["metadata"]["kind"], json!("runs"));
    let again = scene.run("import runs old --by market").ok();
    again.says("imported 0 checkpoints").says("4 imported before");
    scene.run("import runs/NQ old --by market --json").error(2, "usage");

    trainer(&scene, "odd", "BTC%2FUSD_ts-0000001_evt-best_seed-1", 1, None);
    let error = scene.run("import odd-runs odd --by market --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("BTC/USD"), "{error}");
    scene.run("import runs/odd odd").ok();
}

#[test]
fn whatever_is_wrong_with_a_companion_the_name_speaks_and_it_is_said() {
    let scene = Scene::new();
    let base = |step| format!("NQ_ts-{step:07}_evt-periodic_val-+0.112_sharpe-+1.45_seed-42");
    trainer(&scene, "old", &base(1), 1, Some("{\"phase\": 1, \"timesteps\": 1, \"val_rew"));
    trainer(
        &scene,
        "old",
        &base(2),
        2,
        Some(r#"{"phase": "one", "timesteps": -5, "seed": 43, "market": 7, "val_reward": "x"}"#),
    );
    trainer(&scene, "old", &base(3), 3, Some("[1]"));
    scene.write(&format!("old/{}_metadata.json", base(9)), "{}");
    let ran = scene.run("import runs/ppo old --json").ok();
    let answer = ran.json();
    let notes = |row: usize| checkpoints(&answer)[row]["notes"].to_string();
    assert!(
        notes(0).contains("_metadata.json: it is not JSON") && notes(0).contains("from the name"),
        "{}",
        notes(0)
    );
    for part in
        ["phase \\\"one\\\"", "timesteps -5", "market 7", "val_reward \\\"x\\\"", "seed 42, its companion 43"]
    {
        assert!(notes(1).contains(part), "{part}: {}", notes(1));
    }
    assert!(notes(2).contains("no JSON object"), "{}", notes(2));
    let steps: Vec<&Value> = checkpoints(&answer).iter().map(|row| &row["step"]).collect();
    assert_eq!(steps, [1, 2, 3]);
    assert_eq!(checkpoints(&answer)[1]["metrics"], json!({"val_reward": 0.112, "sharpe_ratio": 1.45}));
    assert!(ran.stderr.contains("_metadata.json: it is not JSON"), "{}", ran.stderr);
    stays(&answer, &format!("old/{}_metadata.json", base(9)), "which is not there");
    // The bytes are there as they were, good or not.
    let text = scene.run("show runs/ppo seq:1 --section metadata.json").ok();
    assert_eq!(text.bytes, b"{\"phase\": 1, \"timesteps\": 1, \"val_rew");
}

#[test]
fn what_has_no_name_of_the_layout_is_left_and_named() {
    let scene = trained();
    scene.write("old/NQ_ts-x_evt-best.zip", "x");
    scene.write("old/notes.txt", "x");
    scene.write("old/model.zip.tmp", "x");
    fs::create_dir(scene.path("old/more")).unwrap();
    symlink("notes.txt", scene.path("old/NQ_ts-0000001_evt-best_seed-1.zip")).unwrap();
    symlink(
        "/etc/passwd",
        scene.path("old/NQ_ts-0100000_evt-interrupt_val-+0.301_sharpe-+2.10_seed-42_metadata.json"),
    )
    .unwrap();
    let fifo = scene.path("old/best_model.zip");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let answer = scene.run("import runs/ppo old --json").ok().json();
    stays(&answer, "old/NQ_ts-x_evt-best.zip", "ts");
    stays(&answer, "old/notes.txt", "none of the layout");
    stays(&answer, "old/model.zip.tmp", "half-written");
    stays(&answer, "old/more", "directory");
    stays(&answer, "old/NQ_ts-0000001_evt-best_seed-1.zip", "link");
    stays(&answer, "old/best_model.zip", "FIFO");
    let link = "old/NQ_ts-0100000_evt-interrupt_val-+0.301_sharpe-+2.10_seed-42_metadata.json";
    stays(&answer, link, "link");
    assert_eq!((left(&answer).len(), checkpoints(&answer).len()), (7, 3));
    assert_eq!(checkpoints(&answer)[2]["sections"].as_array().unwrap().len(), 1);

    fs::create_dir(scene.path("none")).unwrap();
    scene.write("none/notes.txt", "x");
    let error = scene.run("import runs/x none --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("--layout"), "{error}");
    let error = scene.run("import runs/x none --layout pickles --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("notes.txt: its name is none"), "{error}");
    scene.run("import runs/x old/notes.txt --json").error(2, "usage");
    let companion = "old/NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42_metadata.json";
    let error = scene.run(&format!("import runs/x {companion} --json")).error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("the metadata of a checkpoint"), "{error}");
    scene.run("import runs/x old/best_model.zip --json").ends(1);
    scene.run("import runs/x nowhere --json").error(4, "not_found");
    assert!(!scene.path("runs/x").exists());
}

#[test]
fn a_file_comes_with_its_companions_alone_and_flags_override_it() {
    let scene = trained();
    let file = "old/NQ_ts-0050000_evt-best_val--0.200_sharpe-+0.00_seed-42.zip";
    let ran =
        scene.run(&format!("import runs/ppo {file} --metric sharpe_ratio=1.5 --label why=x --json")).ok();
    let answer = ran.json();
    assert_eq!((checkpoints(&answer).len(), left(&answer).len()), (1, 0));
    let row = &checkpoints(&answer)[0];
    assert_eq!(
        (&row["metrics"]["sharpe_ratio"], &row["told"]["metrics.sharpe_ratio"]),
        (&json!(1.5), &json!("flag"))
    );
    assert_eq!((&row["labels"]["why"], row["sections"].as_array().unwrap().len()), (&json!("x"), 3));
    let error = scene.run("import runs/other old --metric a=1 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("by itself"), "{error}");
    scene.run("import runs/other old --label a=1 --label a=2 --json").error(2, "usage");
    scene.run("import runs/other old --label set=1").ok();
    assert_eq!(scene.run("list runs/other --json").json()[2]["labels"]["set"], json!("1"));
    // A link to a file is followed: its companions lie where the file does.
    symlink(scene.path(file), scene.path("link")).unwrap();
    let answer = scene.run("import runs/linked link --json").ok().json();
    assert_eq!(checkpoints(&answer)[0]["sections"].as_array().unwrap().len(), 3);
}

#[test]
fn phases_follow_each_other_and_a_model_without_a_step_is_never_the_latest_by_accident() {
    let scene = Scene::new();
    for (number, base) in [
        "phase2_50000_steps",
        "phase1_25000_steps",
        "phase1_1000000_steps",
        "phase1_foundational_final",
        "phase2_position_mgmt_final",
        "best_model",
    ]
    .iter()
    .enumerate()
    {
        trainer(&scene, "old", base, number as u8, None);
    }
    scene.write("old/best_model_vecnorm.pkl", pickle(9));
    let answer = scene.run("import runs/ppo old --json").ok().json();
    let names: Vec<&Value> = checkpoints(&answer).iter().map(|row| &row["name"]).collect();
    assert_eq!(
        names,
        [
            "best_model.zip",
            "phase1_25000_steps.zip",
            "phase1_1000000_steps.zip",
            "phase1_foundational_final.zip",
            "phase2_50000_steps.zip",
            "phase2_position_mgmt_final.zip"
        ]
    );
    let rows = checkpoints(&answer);
    assert_eq!((&rows[0]["events"], &rows[3]["events"]), (&json!(["best"]), &json!(["phase_end"])));
    assert_eq!((&rows[1]["phase"], &rows[1]["told"]["phase"]), (&json!("phase1"), &json!("name")));
    assert_eq!(rows[0]["sections"][1]["name"], json!("vecnormalize.pkl"));

    // A crash left the newest without its metadata: it is of the one phase that the others are of, or nobody knows.
    let scene = trained();
    trainer(&scene, "old", "phase2_5_steps", 9, None);
    let answer = scene.run("import runs/ppo old --dry-run --json").ok().json();
    let order: Vec<&Value> = checkpoints(&answer).iter().map(|row| &row["step"]).collect();
    assert_eq!(order, [100_000, 25_000, 50_000, 5]);
    assert!(checkpoints(&answer)[0]["notes"].to_string().contains("no phase"), "{answer}");
}

#[test]
fn pickles_are_bytes_and_their_names_say_all_that_is_known() {
    let scene = Scene::new();
    fs::create_dir(scene.path("old")).unwrap();
    for (name, number) in [
        ("checkpoint_step_9_20250127_115959.pkl.gz", 1),
        ("checkpoint_step_10_20250127_120000.pkl.gz", 2),
        ("checkpoint_step_10_20250127_130000.pkl", 3),
        ("best_trial_10.pkl.gz", 4),
        ("best_episode_700.pkl", 5),
    ] {
        scene.write(&format!("old/{name}"), pickle(number));
    }
    scene.write("old/checkpoint_step_11_20250127_140000.pkl.gz.tmp", "x");
    let answer = scene.run("import runs/study old --json").ok().json();
    let names: Vec<&str> = checkpoints(&answer).iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "checkpoint_step_9_20250127_115959.pkl.gz",
            "checkpoint_step_10_20250127_120000.pkl.gz",
            "checkpoint_step_10_20250127_130000.pkl",
            "best_trial_10.pkl.gz",
            "best_episode_700.pkl"
        ]
    );
    stays(&answer, "old/checkpoint_step_11_20250127_140000.pkl.gz.tmp", "half-written");
    let rows = checkpoints(&answer);
    assert_eq!(
        (&rows[0]["created_at"], &rows[0]["told"]["created_at"]),
        (&json!("2025-01-27T11:59:59.000Z"), &json!("name"))
    );
    assert!(rows[0]["notes"].to_string().contains("UTC"), "{}", rows[0]["notes"]);
    assert_eq!((&rows[3]["unit"], &rows[4]["unit"]), (&json!("trials"), &json!("episodes")));
    assert_eq!((&rows[3]["created_at"], &rows[4]["events"]), (&Value::Null, &json!(["best"])));
    scene.run("restore runs/study seq:1 --output back").ok();
    assert_eq!(scene.names("back"), ["state.pkl.gz"]);
    assert_eq!(scene.read("back/state.pkl.gz"), pickle(1));
    assert!(!scene.path("loaded").exists() && !scene.path("old/loaded").exists());
    // One of them by itself is the same one.
    scene.run("import runs/study old/best_trial_10.pkl.gz").ok().says("1 imported before");
}

/// What the market maker writes, as far as an import looks into it.
fn bundle(asset: &str, millis: u64, fills: u64) -> String {
    format!(
        "{{\n  \"metadata\": {{\n    \"version\": 1,\n    \"timestamp_ms\": {millis},\n    \"asset\": \"{asset}\",\n    \
         \"session_duration_s\": 1800.5\n  }},\n  \"learned_params\": {{\"total_fills_observed\": {fills}, \"kappa\": \
         {{\"name\": \"kappa\", \"prior_mean\": 2000.0}}}},\n  \"kelly_tracker\": {{\"ewma_wins\": 5.0}},\n  \
         \"readiness\": {{\"verdict\": \"Marginal\"}}\n}}"
    )
}

#[test]
fn a_market_makers_directory_has_each_save_once_and_the_latest_last() {
    let scene = Scene::new();
    for (dir, millis) in [
        ("1763210096789", 1_763_210_096_789),
        ("1763210396789", 1_763_210_396_789),
        ("latest", 1_763_210_396_789),
    ] {
        fs::create_dir_all(scene.path(format!("old/{dir}"))).unwrap();
        scene.write(&format!("old/{dir}/checkpoint.json"), bundle("HYPE", millis, millis % 1000));
    }
    fs::create_dir(scene.path("old/1763210696789")).unwrap();
    scene.write("old/1763210696789/checkpoint.json", &bundle("HYPE", 1, 1)[..90]);
    scene.write("old/latest/checkpoint.json.tmp", "{");
    scene.write("old/prior.json", bundle("HYPE", 5, 5));
    let answer = scene.run("import runs/hype old --json").ok().json();
    assert_eq!(answer["layout"], json!("market-maker"));
    let rows = checkpoints(&answer);
    let paths: Vec<&Value> = rows.iter().map(|row| &row["path"]).collect();
    assert_eq!(paths, ["old/1763210096789/checkpoint.json", "old/latest/checkpoint.json"]);
    stays(&answer, "old/1763210396789/checkpoint.json", "the same save as old/latest/checkpoint.json");
    stays(&answer, "old/1763210696789/checkpoint.json", "cut off");
    stays(&answer, "old/latest/checkpoint.json.tmp", "half-written");
    stays(&answer, "old/prior.json", "by itself");
    assert_eq!(
        (&rows[1]["market"], &rows[1]["created_at"]),
        (&json!("HYPE"), &json!("2025-11-15T12:39:56.789Z"))
    );
    assert_eq!(
        (&rows[1]["labels"]["readiness"], &rows[1]["sections"][0]["codec"]),
        (&json!("Marginal"), &json!("json_text"))
    );
    scene.run("restore runs/hype --output back").ok();
    assert_eq!(scene.read("back/checkpoint.json"), scene.read("old/latest/checkpoint.json"));

    // Later the latest of then is one of the older ones.
    fs::create_dir(scene.path("old/1763210996789")).unwrap();
    scene.write("old/1763210996789/checkpoint.json", bundle("HYPE", 1_763_210_996_789, 9));
    scene.write("old/latest/checkpoint.json", bundle("HYPE", 1_763_210_996_789, 9));
    scene
        .run("import runs/hype old")
        .ok()
        .says("imported 1 checkpoint of the layout market-maker, 2 imported before");
    scene.run("import runs/prior old/prior.json").ok().says("market-maker");
}

#[test]
fn an_artifact_directory_is_one_checkpoint_with_or_without_its_state() {
    let scene = Scene::new();
    fs::create_dir(scene.path("op_training_7")).unwrap();
    scene.write("op_training_7/model.pt", vec![1; 2_000]);
    scene.write("op_training_7/optimizer.pt", vec![2; 2_000]);
    scene.write("op_training_7/scheduler.pt", "");
    let answer = scene.run("import runs/plain op_training_7 --json").ok().json();
    let row = &checkpoints(&answer)[0];
    assert_eq!((&answer["layout"], &row["step"]), (&json!("artifacts"), &Value::Null));
    assert_eq!(
        (&row["labels"]["operation"], &row["told"]["labels.operation"]),
        (&json!("op_training_7"), &json!("name"))
    );
    assert!(row["notes"].to_string().contains("scheduler.pt is empty"), "{row}");

    // As the server answers it; infinities are null there, and NaN where somebody exported the state himself.
    let state = r#"{"success": true, "data": {"operation_id": "op_training_7", "checkpoint_type": "cancellation",
        "created_at": "2025-12-31T10:00:00Z", "artifacts_path": "/x", "state": {"epoch": 29, "train_loss": 0.25, "val_loss": NaN,
        "best_val_loss": null, "learning_rate": 0.001, "training_history": {"loss": [0.5, NaN]}}}}"#;
    scene.write("op_training_7/state.json", state);
    let answer = scene.run("import runs/whole op_training_7 --json").ok().json();
    let row = &checkpoints(&answer)[0];
    assert_eq!(
        (&row["step"], &row["unit"], &row["status"]),
        (&json!(29), &json!("epochs"), &json!("interrupted"))
    );
    assert_eq!(row["metrics"], json!({"train_loss": 0.25, "val_loss": "NaN"}));
    assert_eq!(
        (&row["events"], &row["created_at"]),
        (&json!(["cancellation"]), &json!("2025-12-31T10:00:00.000Z"))
    );
    assert!(row["notes"].to_string().contains("kept as bytes"), "{row}");
    scene.run("restore runs/whole --output back").ok();
    assert_eq!(scene.names("back"), ["model.pt", "optimizer.pt", "scheduler.pt", "state.json"]);
    assert_eq!(scene.read("back/state.json"), state.as_bytes());

    scene.write("op_training_7/my model.pt", "x");
    let error = scene.run("import runs/bad op_training_7 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("my model.pt"), "{error}");
    fs::create_dir(scene.path("op.tmp")).unwrap();
    scene.write("op.tmp/model.pt", "x");
    let error = scene.run("import runs/bad op.tmp --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("half-written"), "{error}");
    assert!(!scene.path("runs/bad").exists());
}

#[test]
fn several_layouts_in_one_directory_are_named_and_one_can_be_said() {
    let scene = trained();
    scene.write("old/best_trial_3.pkl", pickle(1));
    let error = scene.run("import runs/ppo old --json").error(2, "usage");
    let message = error["message"].as_str().unwrap();
    for part in ["rl-trainer (NQ_", "pickles (best_trial_3.pkl)", "--layout"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let answer = scene.run("import runs/ppo old --layout rl-trainer --json").ok().json();
    assert_eq!(checkpoints(&answer).len(), 3);
    stays(&answer, "old/best_trial_3.pkl", "none of the layout rl-trainer");
    scene.run("import runs/ppo runs/ppo --json").error(2, "usage");
    scene.run("import runs/ppo old --layout tar --json").error(2, "usage");
}

#[test]
fn an_exported_checkpoint_takes_flags_and_a_plan_too() {
    let scene = Scene::with_checkpoints(1);
    scene.run("export train/ppo latest one.ckpt").ok();
    let plan = scene.run("import runs/copy one.ckpt --dry-run --json").ok().json();
    assert_eq!((&plan["layout"], &checkpoints(&plan)[0]["told"]["step"]), (&json!("ckpt"), &json!("inside")));
    assert!(!scene.path("runs").exists());
    scene.run("import runs/copy one.ckpt --label from=here --metric extra=2").ok();
    let shown = scene.run("show runs/copy --json").json();
    assert_eq!(shown["metadata"]["labels"]["from"], json!("here"));
    assert_eq!(shown["metadata"]["metrics"]["values"]["extra"], json!(2.0));
    assert_eq!(shown["metadata"]["origin"]["sequence"], json!(1));
    // To make an old one the latest once more is what that is for.
    scene.run("import runs/copy one.ckpt --as-latest").ok().says("sequence 2");
    scene.run("import runs/new one.ckpt --layout pickles --json").error(2, "usage");
}

#[test]
fn names_and_values_of_others_cannot_drive_the_terminal_nor_leave_the_run() {
    let scene = Scene::new();
    let text = r#"{"market": "../../up\u001b[2J", "timesteps": 1, "event_tag": "../x"}"#;
    trainer(&scene, "old", "a..%2Fup_ts-0000001_evt-best_seed-1", 1, Some(text));
    scene.write("old/\u{1b}[2J_seed-1.zip", "x");
    let ran = scene.run("import runs/ppo old").ok();
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains("\u{1b}[2J"), "{ran:#?}");
    assert!(scene.run("verify runs/ppo").status == Some(0));
    scene.run("import by old --by market --json").error(2, "usage");
    assert!(!Path::new(&scene.path("../up")).exists());
    assert_eq!(scene.names("."), ["old", "runs"]);
}
