//! `ckpt prune`: the plan, what is withheld, what stays whatever the rules, and what is in the way.

use std::collections::BTreeMap;

use ckpt::{ConfigLayers, Direction, Event, Metadata, Session, SessionOptions, Timestamp, is_plan_confirmed};
use serde_json::{Value, json};

use crate::scene::{Ran, Scene};

const SIX: [&str; 6] = ["1.1", "2.5", "1.3", "nan", "1.5", "1.6"];

const CONFIG: &str = "
checkpointing:
  phase1:
    every: 1000
  phase2:
    every: 1000
    retention: {keep_last_n: 5}
  events:
    monitored_metrics: [sharpe_ratio]
  retention:
    keep_last_n: 1
    keep_top_k_by_sharpe: 1
";

/// Everything beneath the run, hidden files too, with its bytes.
fn files(scene: &Scene, run: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for name in scene.names(run) {
        let path = format!("{run}/{name}");
        if scene.path(&path).is_dir() {
            found.extend(files(scene, &path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), scene.read(&path));
        }
    }
    found
}

/// The verdicts of a plan by sequence.
fn verdicts(plan: &Value) -> Vec<(u64, &str)> {
    let entries = plan["entries"].as_array().unwrap().iter();
    entries.map(|row| (row["sequence"].as_u64().unwrap(), row["verdict"].as_str().unwrap())).collect()
}

/// The one object on standard error, beside an answer on standard output.
#[track_caller]
fn error(ran: &Ran) -> Value {
    serde_json::from_str::<Value>(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))["error"]
        .clone()
}

#[test]
fn a_dry_run_prints_the_plan_of_the_real_run_and_changes_nothing() {
    let rules = "--keep-last 3 --top sharpe_ratio:1:max";
    let scenes = [Scene::new(), Scene::new()];
    for scene in &scenes {
        scene.save_periodic("runs/ppo", "NQ", &SIX);
    }
    let [text, data] = &scenes;
    let before = files(text, "runs/ppo");
    let dry = text.run(&format!("prune runs/ppo {rules} --dry-run")).ok().stdout;
    assert_eq!(files(text, "runs/ppo"), before, "nothing is created, locked or logged");
    let real = text.run(&format!("prune runs/ppo {rules}")).ok().stdout;
    let (dry, dry_end) = dry.trim_end().rsplit_once('\n').unwrap();
    let (real, real_end) = real.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(dry, real);
    assert!(dry.contains("keep_last: 3; top sharpe_ratio (max): 1; preserve: manual"), "{dry}");
    assert!(dry.contains("rank 4 of the last 3 periodic; sharpe_ratio: rank 4, keeps 1"), "{dry}");
    assert!(dry_end.contains("would delete 2 checkpoints") && dry_end.contains("dry run"), "{dry_end}");
    assert!(real_end.contains("deleted 2 checkpoints") && real_end.contains("kept 4"), "{real_end}");
    assert_eq!(text.sequences("runs/ppo"), [2, 4, 5, 6]);
    let log = text.run("log runs/ppo").ok().says("came into force over 6 checkpoints");
    log.says("decided to delete 1 (rank 6 of the last 3 periodic; sharpe_ratio: rank 5, keeps 1), 3 (rank 4");

    let mut dry = data.run(&format!("prune runs/ppo {rules} --dry-run --json")).ok().json();
    let mut real = data.run(&format!("prune runs/ppo {rules} --json")).ok().json();
    assert_eq!((dry["applied"].take(), real["applied"].take()), (json!(false), json!(true)));
    (dry["now"], real["now"]) = (Value::Null, Value::Null);
    assert_eq!(dry, real);
    assert_eq!(
        (&real["keep"], &real["delete"], &real["freed_bytes"]),
        (&json!(4), &json!(2), &json!(16_384))
    );
    assert_eq!(data.sequences("runs/ppo"), [2, 4, 5, 6]);
    let again = data.run(&format!("prune runs/ppo {rules} --json")).ok().json();
    assert_eq!((&again["delete"], &again["applied"]), (&json!(0), &json!(true)), "survivors stay");
}

#[test]
fn more_than_half_is_withheld_until_the_policy_is_confirmed() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    let before: Vec<u64> = scene.sequences("runs/ppo");
    scene.run("prune runs/ppo --keep-last 2 --dry-run").ok().warns("it would be withheld").warns("--yes");
    let ran = scene.run("prune runs/ppo --keep-last 2 --json").ends(1);
    let said = error(&ran);
    assert_eq!((&said["code"], &said["path"]), (&json!("withheld"), &json!("runs/ppo")));
    assert!(said["message"].as_str().unwrap().contains("4 of its 6 committed checkpoints"), "{said}");
    assert!(said["hint"].as_str().unwrap().contains("--yes"), "{said}");
    assert_eq!((&ran.json()["applied"], &ran.json()["delete"]), (&json!(false), &json!(4)));
    scene.run("prune runs/ppo --keep-last 2").ends(1).says("withheld, nothing was deleted").warns("--yes");
    assert_eq!(scene.sequences("runs/ppo"), before);
    scene.run("log runs/ppo").ok().says("withheld a plan of policy");

    scene.run("prune runs/ppo --keep-last 2 --yes").ok().says("deleted 4 checkpoints");
    assert_eq!(scene.sequences("runs/ppo"), [5, 6]);
    // The policy is known to this run by now; another one is not.
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    scene.run("prune runs/ppo --keep-last 1").ends(1).warns("withheld");
    scene.run("prune runs/ppo --keep-last 2 --dry-run").ok();
    scene.run("prune runs/ppo --keep-last 2").ok().says("deleted 6 checkpoints");
}

/// The dry run passed, exit status 0, where the real one ended with 5: what was written on another host is not known here to
/// survive a power loss.
#[test]
fn a_dry_run_ends_as_the_real_run_would_where_that_is_refused() {
    let scene = Scene::new();
    let periodic = || Metadata::default().because(Event::Periodic, "a test");
    scene.save_on("another.host", "runs/moved", (0..4).map(|_| periodic()));
    scene.save_as("runs/own", (0..4).map(|_| periodic()));
    let before = files(&scene, "runs/moved");
    let dry = scene.run("prune runs/moved --keep-last 3 --dry-run --json").ends(5);
    assert_eq!(files(&scene, "runs/moved"), before);
    assert_eq!((&dry.json()["applied"], &dry.json()["delete"]), (&json!(false), &json!(1)));
    let real = scene.run("prune runs/moved --keep-last 3 --json").error(5, "last_verified");
    assert_eq!(error(&dry), real);
    let message = real["message"].as_str().unwrap();
    assert!(
        message.contains("written on another.host") && message.contains("save once from here"),
        "{message}"
    );
    let dry = scene.run("prune runs/moved --keep-last 3 --dry-run").ends(5);
    dry.says("would delete 1 checkpoint").says("would be refused").warns("another.host");
    assert_eq!(scene.sequences("runs/moved"), [1, 2, 3, 4]);
    // A policy by which nothing was deleted is not in force.
    assert!(!scene.run("log runs/moved").ok().stdout.contains("came into force"));
    scene.run("prune runs/moved --keep-last 4 --dry-run").ok().says("nothing to delete");

    // One that is refused does not keep the other, dry or not.
    let dry = scene.run("prune runs --keep-last 3 --dry-run --json").ends(5);
    assert_eq!((dry.json().as_array().unwrap().len(), &error(&dry)["path"]), (2, &json!("runs/moved")));
    let real = scene.run("prune runs --keep-last 3 --json").ends(5);
    assert_eq!(error(&dry), error(&real));
    assert_eq!(scene.sequences("runs/own"), [2, 3, 4]);

    scene.write("w.bin", [1; 10]);
    scene.run("save runs/moved --event periodic w=w.bin").ok();
    scene.run("prune runs/moved --keep-last 3 --dry-run").ok().says("would delete 2 checkpoints");
    scene.run("prune runs/moved --keep-last 3").ok().says("deleted 2 checkpoints");
}

#[test]
fn without_a_rule_everything_would_be_kept_so_it_is_refused() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    scene.write("keep.yaml", "checkpointing: {retention: {enabled: false}}");
    for line in [
        "prune runs",
        "prune runs --yes",
        "prune runs --keep-last 0",
        "prune runs --top loss:0:min",
        "prune runs --config keep.yaml",
    ] {
        let error = scene.run(&format!("{line} --json")).error(2, "usage");
        assert!(error["message"].as_str().unwrap().contains("everything is kept"), "{line}: {error}");
    }
    for line in [
        "prune runs --keep-last x",
        "prune runs --top loss:3:up",
        "prune runs --max-age 7",
        "prune runs --max-bytes 5gib",
        "prune runs --phase p --keep-last 3",
        "prune runs --top loss:1:min --top loss:2:min",
        "prune runs --top sharpe_ratio:1",
    ] {
        scene.run(&format!("{line} --json")).error(2, "usage");
    }
    scene.run("prune nowhere --keep-last 1 --json").error(4, "run_not_found");
    assert_eq!(scene.sequences("runs/ppo").len(), 6);
}

#[test]
fn a_locked_run_names_the_holder_and_does_not_keep_the_others() {
    let scene = Scene::new();
    scene.save_periodic("train/ppo", "NQ", &SIX);
    scene.save_periodic("train/dqn", "ES", &SIX);
    let child = scene.waiting_save();
    let holder = format!("process {}", child.id());
    let error = scene.run("prune train/ppo --keep-last 4 --json").error(5, "locked");
    assert!(error["message"].as_str().unwrap().contains(&holder), "{error}");
    // A dry run needs no lock.
    scene.run("prune train/ppo --keep-last 4 --dry-run").ok().says("would delete 2 checkpoints");
    let ran = scene.run("prune train --keep-last 4 --json").ends(5);
    assert!(self::error(&ran)["message"].as_str().unwrap().contains(&holder), "{ran:?}");
    let plans = ran.json();
    assert_eq!(plans.as_array().unwrap().len(), 1);
    assert_eq!((&plans[0]["run"], &plans[0]["applied"]), (&json!("train/dqn"), &json!(true)));
    assert_eq!((scene.sequences("train/dqn").len(), scene.sequences("train/ppo").len()), (4, 6));
    Ran::of(child.wait_with_output().unwrap()).ok();
}

#[test]
fn a_damaged_newest_counts_in_no_rule_and_the_newest_good_one_stays() {
    let scene = Scene::new();
    scene.save_periodic("train/ppo", "NQ", &SIX);
    scene.damage(6);
    scene.damage(5);
    let dry = scene.run("prune train/ppo --keep-last 2 --dry-run --json").ok();
    assert!(
        dry.stderr.contains("checkpoint 6 is damaged") && dry.stderr.contains("checkpoint 5 is damaged"),
        "{dry:?}"
    );
    let expected = [(1, "delete"), (2, "delete"), (3, "keep"), (4, "keep"), (5, "keep"), (6, "keep")];
    assert_eq!(verdicts(&dry.json()), expected);
    let real = scene.run("prune train/ppo --keep-last 2 --json").ok().warns("checkpoint 6 is damaged");
    assert_eq!(verdicts(&real.json()), expected);
    assert_eq!(scene.sequences("train/ppo"), [3, 4, 5, 6]);
    assert_eq!(scene.run("restore train/ppo --output back --json").ok().json()["sequence"], 4);
    // Nothing good at all: nothing is deleted.
    scene.damage(4);
    scene.damage(3);
    let plan = scene.run("prune train/ppo --keep-last 1 --yes --json").ok().json();
    assert_eq!(plan["delete"], 0);
    assert_eq!(scene.sequences("train/ppo"), [3, 4, 5, 6]);
}

#[test]
fn a_pinned_one_stays_outside_of_all_budgets() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    scene.run("pin runs/ppo seq:1").ok();
    scene.run("pin runs/ppo seq:6").ok();
    let plan =
        scene.run("prune runs/ppo --keep-last 2 --max-age 1s --max-bytes 1B --dry-run --json").ok().json();
    assert_eq!(plan["entries"][0]["reasons"], json!([{"rule": "pinned", "text": "pinned"}]));
    scene.run("prune runs/ppo --keep-last 2 --top sharpe_ratio:1:max").ok().says("deleted 1 checkpoint");
    assert_eq!(scene.sequences("runs/ppo"), [1, 2, 4, 5, 6]);
}

#[test]
fn each_market_of_a_root_is_pruned_by_itself() {
    let scene = Scene::new();
    scene.save_periodic("models/NQ/ppo", "NQ", &SIX);
    scene.save_periodic("models/ES/ppo", "ES", &SIX[..3]);
    let error = scene.run("prune models --market GC --keep-last 4 --json").error(4, "not_found");
    assert!(error["message"].as_str().unwrap().contains("markets: ES, NQ"), "{error}");
    let plans = scene.run("prune models --market NQ --keep-last 4 --json").ok().json();
    assert_eq!(plans.as_array().unwrap().len(), 1, "an array for a directory, however many runs are meant");
    assert_eq!((scene.sequences("models/NQ/ppo").len(), scene.sequences("models/ES/ppo").len()), (4, 3));
    let plans = scene.run("prune models --keep-last 2 --json").ok().json();
    let plans = plans.as_array().unwrap();
    assert_eq!((&plans[0]["run"], &plans[1]["run"]), (&json!("models/ES/ppo"), &json!("models/NQ/ppo")));
    assert_eq!(
        (scene.sequences("models/NQ/ppo"), scene.sequences("models/ES/ppo")),
        (vec![5, 6], vec![2, 3])
    );
    // One that is withheld does not keep the other.
    scene.save_periodic("models/NQ/ppo", "NQ", &SIX);
    scene.save_periodic("models/ES/ppo", "ES", &SIX[..1]);
    let ran = scene.run("prune models --max-age 30d --keep-last 3 --json").ends(1);
    assert!(self::error(&ran)["message"].as_str().unwrap().contains("models/NQ/ppo"), "{ran:?}");
    assert_eq!((&ran.json()[0]["applied"], &ran.json()[1]["applied"]), (&json!(true), &json!(false)));
    assert_eq!(scene.sequences("models/NQ/ppo").len(), 8);
}

#[test]
fn a_configuration_is_the_policy_and_flags_and_the_environment_hold_over_it() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    scene.write("c.yaml", CONFIG);
    let kept = |line: &str, environment: &[(&str, &str)]| {
        let line = format!("prune runs/ppo --config c.yaml --dry-run --json {line}");
        let mut command = scene.command(line.split_whitespace());
        command.envs(environment.iter().copied());
        let plan = Ran::of(command.output().unwrap()).ok().json();
        let kept = verdicts(&plan).into_iter().filter(|(_, verdict)| *verdict == "keep");
        kept.map(|(sequence, _)| sequence).collect::<Vec<_>>()
    };
    assert_eq!(kept("", &[]), [2, 6]);
    assert_eq!(kept("--phase phase2", &[]), [2, 3, 4, 5, 6], "{CONFIG}");
    assert_eq!(kept("--keep-last 2", &[]), [2, 5, 6]);
    assert_eq!(kept("--top sharpe_ratio:2", &[]), [2, 6], "the configuration says which way is better");
    assert_eq!(kept("--top sharpe_ratio:3", &[]), [2, 5, 6]);
    assert_eq!(kept("--top sharpe_ratio:1:min", &[]), [1, 6]);
    assert_eq!(kept("", &[("CKPT_CONFIG__RETENTION__KEEP_LAST_N", "3")]), [2, 4, 5, 6]);
    let error = scene.run("prune runs --config c.yaml --phase phas1 --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("did you mean \"phase1\""), "{error}");
    scene.run("prune runs --config none.yaml --json").error(4, "not_found");
    scene.write("wrong.yaml", CONFIG.replace("keep_last_n: 1", "keep_lats_n: 1"));
    let error = scene.run("prune runs --config wrong.yaml --json").error(1, "config");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("wrong.yaml:11") && message.contains("keep_last_n"), "{message}");
    assert_eq!(scene.sequences("runs/ppo").len(), 6);
}

/// A session would withhold once more what was confirmed at the shell, if the two took a configuration for different policies.
#[test]
fn what_is_confirmed_at_the_shell_is_confirmed_for_a_session_with_the_same_configuration() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &SIX);
    scene.write("c.yaml", CONFIG);
    scene.run("prune runs/ppo --config c.yaml --phase phase1 --yes").ok().says("deleted 4 checkpoints");
    let config = ConfigLayers::new().file(scene.path("c.yaml")).load().unwrap();
    let options = SessionOptions::from_config(&config, "phase1", None).unwrap();
    let options = SessionOptions { path: Some(scene.path("runs/ppo")), ..options };
    let session = Session::open(scene.path("runs"), "runs", "ppo", options).unwrap();
    let policy = session.plan().unwrap().policy().digest();
    assert!(is_plan_confirmed(session.reader().unwrap(), policy).unwrap());
}

#[test]
fn age_and_bytes_take_from_what_no_other_rule_keeps() {
    let scene = Scene::new();
    let made = [30, 8, 6, 1, 0].map(|days| {
        let created_at = Timestamp::from_millis(ckpt::now().millis() - days * 86_400_000 - 60_000);
        Metadata { created_at, ..Metadata::default() }.because(Event::Periodic, "a test")
    });
    scene.save_as("runs/aged", made);
    let plan = scene.run("prune runs/aged --max-age 7d --json").ok().json();
    let reason = &plan["entries"][1]["reasons"][0];
    assert_eq!((&reason["rule"], &reason["limit"]), (&json!("max_age"), &json!(604_800.0)));
    assert_eq!(scene.sequences("runs/aged"), [3, 4, 5]);
    scene.run("prune runs/aged --max-bytes 17kB").ok().says("max_bytes is 17000");
    assert_eq!(scene.sequences("runs/aged"), [4, 5]);
}

#[test]
fn which_way_is_better_may_be_left_out_where_the_run_says_it() {
    let scene = Scene::new();
    scene.save_losses("runs/says", &[0.5, 0.1, 0.3], Direction::Min);
    scene.run("prune runs/says --top loss:1").ok().says("top loss (min): 1");
    assert_eq!(scene.sequences("runs/says"), [2, 3]);
}
