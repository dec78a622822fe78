//! `ckpt transfer`: from one market maker to another, reported, saved as a new checkpoint, or rejected.

use ckpt_market::MarketBundle;
use ckpt_market::component::metadata::SourceMode;
use serde_json::{Value, json};

use crate::market::{cell, learned, stopped};
use crate::scene::{Scene, flip};

fn component<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let components = answer["report"]["components"].as_array().unwrap();
    components.iter().find(|component| component["name"] == name).unwrap()
}

/// A live system that has tried one of the cells, seen some of the volatility, and was stopped.
fn live() -> MarketBundle {
    let mut live = learned("HYPE", 120);
    live.metadata.source_mode = SourceMode::Live;
    live.pre_fill = MarketBundle::default().pre_fill;
    live.kelly_tracker = MarketBundle::default().kelly_tracker;
    live.rl_q_table.q_entries = vec![cell(3, 2)];
    stopped(&mut live);
    live
}

#[test]
fn a_run_that_does_not_exist_begins_with_what_was_learned_on_paper() {
    let scene = Scene::new();
    let mut paper = learned("HYPE", 60);
    stopped(&mut paper);
    scene.save_bundle("runs/paper", paper.clone());
    let dry = scene.run("transfer runs/paper runs/live --dry-run --json").ok().json();
    assert_eq!(
        (&dry["dry_run"], &dry["saved"], &dry["to"]["created"]),
        (&json!(true), &json!(null), &json!(false))
    );
    assert!(!scene.path("runs/live").exists(), "a dry run makes nothing");

    let answer = scene.run("transfer runs/paper runs/live --json").ok().json();
    assert_eq!(answer["report"]["components"], dry["report"]["components"]);
    assert_eq!(component(&answer, "vol_filter")["outcome"], json!("injected"));
    assert_eq!(component(&answer, "kill_switch")["outcome"], json!("kept_own"));
    let table = component(&answer, "rl_q_table");
    assert_eq!(
        (&table["outcome"], &table["seeded"], &table["weight"]),
        (&json!("seeded"), &json!(2), &json!(0.3))
    );
    assert_eq!((&answer["to"]["created"], &answer["saved"]["sequence"]), (&json!(true), &json!(1)));

    let taken = scene.bundle("runs/live");
    let taken = taken.bundle();
    assert_eq!(taken.vol_filter, paper.vol_filter);
    assert!(taken.kill_switch.triggers.is_empty() && taken.kill_switch.daily_pnl == 0.0);
    assert_eq!((taken.metadata.source_mode, taken.metadata.chain_depth), (SourceMode::Live, 1));
    // A copy is no younger than what it is a copy of.
    assert_eq!(taken.metadata.timestamp_ms, paper.metadata.timestamp_ms);
    assert!(taken.rl_q_table.q_entries.iter().all(|cell| cell.seeded && cell.n == 0));
    let shown = scene.run("show runs/live --json").ok().json();
    let lineage = &shown["metadata"]["extra"]["lineage"];
    assert_eq!((&lineage["mode"], &lineage["chain_depth"]), (&json!("live"), &json!(1)), "{shown}");
    assert_eq!(lineage["parent"]["checkpoint"]["sequence"], json!(1));
    let log = scene.run("log runs/live").ok();
    log.says("prior injected of HYPE in checkpoint 1 of run")
        .says(": 6 injected, 2 cells seeded, 9 skipped, 1 kept its own");
    scene.run("gate runs/live").ok().says("ready");
}

#[test]
fn what_it_has_lived_through_stays_and_so_does_its_kill_switch() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("dex:HYPE", 60));
    scene.save_bundle("runs/live", live());
    let before = scene.bundle("runs/live");
    let ran = scene.run("transfer runs/paper runs/live").ok();
    let ran = ran.says("pre_fill: injected").says("rl_q_table: seeded 1 of 2 at weight 0.3, 1 kept live");
    ran.says("kill_switch: kept its own").says("note: the prior's \"dex:HYPE\"").says("sequence 2");
    let after = scene.bundle("runs/live");
    let (was, is) = (before.bundle(), after.bundle());
    assert_eq!(
        (&is.kill_switch, &is.vol_filter, &is.metadata.asset),
        (&was.kill_switch, &was.vol_filter, &was.metadata.asset)
    );
    assert_eq!(is.pre_fill.learning_samples, 100);
    assert_eq!(is.rl_q_table.q_entries[1], was.rl_q_table.q_entries[0], "bit for bit");
    // Its own state is older than the prior.
    assert_eq!(is.metadata.timestamp_ms, was.metadata.timestamp_ms);
    let shown = scene.run("show runs/live --json").ok().json();
    assert_eq!(shown["metadata"]["parent"]["sequence"], json!(1));
    scene.run("restore runs/live --output back").ok();
    assert_eq!(scene.read("back/orders"), b"\x00\xff open orders", "what is no part of it is copied");
    scene.run("transfer runs/paper runs/live").ok();
    assert_eq!(scene.bundle("runs/live").bundle().rl_q_table, is.rl_q_table, "seeding twice is once");
}

#[test]
fn a_rejection_has_its_reason_and_the_way_out_and_changes_nothing() {
    let scene = Scene::new();
    scene.save_bundle("runs/live", live());
    let mut young = learned("HYPE", 60);
    young.metadata.session_duration_s = 900.0;
    young.metadata.cumulative_duration_s = 900.0;
    for (offered, code, part) in [
        (learned("SOL", 60), "identity", "list them in `aliases`"),
        (learned("HYPE", 18_000), "age", "raise `age_seconds_max`"),
        (young, "verdict", "session 900 s of 1800 s"),
    ] {
        scene.save_bundle("runs/paper", offered);
        for dry in ["", " --dry-run"] {
            let error = scene.run(&format!("transfer runs/paper runs/live{dry} --json")).error(1, code);
            let message = error["message"].as_str().unwrap();
            assert!(message.contains(part) && message.contains("nothing was changed"), "{message}");
        }
    }
    assert_eq!(scene.sequences("runs/live"), [1]);
    scene.save_bundle("runs/paper", learned("SOL", 60));
    scene.write("i.json", r#"{"aliases": [["SOL", "HYPE"]], "skip": ["rl_q_table"]}"#);
    let answer = scene.run("transfer runs/paper runs/live --config i.json --json").ok().json();
    assert_eq!(component(&answer, "rl_q_table")["reason"], json!("excluded"));
    scene.write("i.json", r#"{"inherit_kill_switch": true}"#);
    let error = scene.run("transfer runs/paper runs/live --config i.json --json").error(1, "config");
    assert!(error["message"].as_str().unwrap().contains("unknown field `inherit_kill_switch`"), "{error}");
    scene.write("i.json", r#"{"aliases": [["SOL", "HYPE"]], "skip": ["volatility"]}"#);
    scene.run("transfer runs/paper runs/live --config i.json --json").error(1, "unknown_component");
}

/// A component whose bytes are damaged is found only by reading it: the one before it is the newest good one, of either side.
#[test]
fn what_is_damaged_is_stepped_over_on_both_sides_and_said() {
    let scene = Scene::new();
    for run in ["runs/paper", "runs/live"] {
        let of = |age| if run == "runs/live" { live() } else { learned("HYPE", age) };
        scene.save_bundle(run, of(120));
        scene.save_bundle(run, of(60));
        let newest = scene.names(run).into_iter().find(|name| name.starts_with("00000002_")).unwrap();
        flip(&scene.path(run).join(newest), 4_096 + 17);
    }
    let ran = scene.run("transfer runs/paper runs/live --json").ok().warns("checkpoint 2 was passed over");
    let answer = ran.json();
    let from = &answer["from"];
    assert_eq!((&from["sequence"], &from["skipped"][0]["sequence"]), (&json!(1), &json!(2)), "{answer}");
    assert_eq!((&answer["to"]["sequence"], &answer["saved"]["sequence"]), (&json!(1), &json!(3)));
    assert_eq!(ran.stderr.matches("was passed over").count(), 2, "once of each: {ran:#?}");
}

#[test]
fn what_is_no_market_makers_is_refused_and_a_file_may_be_offered() {
    let scene = Scene::with_checkpoints(1);
    let error = scene.run("transfer train/ppo runs/live --json").error(6, "unsupported");
    assert!(error["message"].as_str().unwrap().contains("no section \"metadata\""), "{error}");
    scene.run("transfer train/none runs/live --json").error(4, "run_not_found");
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    scene.run("transfer runs/paper train/ppo --json").error(6, "unsupported");
    scene.run("export runs/paper latest paper.ckpt").ok();
    scene.run("transfer paper.ckpt runs/live").ok().says("changed");
    let mut more = learned("HYPE", 60);
    more.rl_q_table.q_entries.push(cell(4, 4));
    scene.save_bundle("runs/paper", more);
    let run = ckpt::Run::open(scene.path("runs/live"), ckpt::RunOptions::new(ckpt::now)).unwrap();
    scene.run("transfer runs/paper runs/live --dry-run").ok();
    scene.run("transfer runs/paper runs/live --json").error(5, "locked");
    // What has nothing to save needs no lock.
    scene.run("transfer paper.ckpt runs/live").ok().says("all of it is there already");
    drop(run);
    assert_eq!(scene.sequences("runs/live"), [1]);
}

/// The gate of the receiver said stale where the configuration had allowed the age, and that learning longer would help.
#[test]
fn an_age_that_the_configuration_allows_is_allowed_by_the_gate_too() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 18_000));
    let error = scene.run("transfer runs/paper runs/live --json").error(1, "age");
    assert!(error["message"].as_str().unwrap().contains("raise `age_seconds_max`"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--config"), "where that field stands: {error}");
    scene.write("i.json", r#"{"age_seconds_max": 20000}"#);
    let answer = scene.run("transfer runs/paper runs/live --config i.json --json").ok().json();
    assert_eq!(answer["report"]["verdict"], json!("ready"), "{answer}");
    // That it may be taken makes it no fresher.
    scene.run("gate runs/live").ends(1).says("at most 14400 s");
    scene.write("i.json", "[0.9, 20000]");
    let error = scene.run("transfer runs/paper runs/live --config i.json --json").error(1, "config");
    assert!(error["message"].as_str().unwrap().contains("it is a list"), "{error}");
}

/// Version 1 did not date the figures of a day without a trigger: they are as old as the rest, and the rest got the time of an older
/// prior. Across midnight that was another day, and the live system's loss of today was gone.
#[test]
fn the_figures_of_its_day_do_not_age_with_a_prior() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 9_000));
    for bundle in [live(), MarketBundle::default()] {
        let mut own = bundle;
        own.metadata = live().metadata;
        own.kill_switch = MarketBundle::default().kill_switch;
        (own.kill_switch.daily_pnl, own.kill_switch.figures_at_ms) = (-300.0, 0);
        let taken_ms = own.metadata.timestamp_ms;
        scene.save_bundle("runs/live", own);
        scene.run("transfer runs/paper runs/live").ok().says("changed");
        let after = scene.bundle("runs/live").into_bundle();
        assert!(after.metadata.timestamp_ms < taken_ms, "{:?}", after.metadata);
        assert_eq!((after.kill_switch.daily_pnl, after.kill_switch.figures_at_ms), (-300.0, taken_ms));
    }
}

/// It would have begun as a new system, with neither what stopped it nor the figures of its day.
#[test]
fn a_run_that_lost_all_it_had_does_not_begin_anew_in_silence() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    scene.save_bundle("runs/live", live());
    let name = scene.names("runs/live").into_iter().find(|name| name.starts_with("00000001_")).unwrap();
    flip(&scene.path("runs/live").join(name), 4_096 + 17);
    scene.run("transfer runs/paper runs/live --json").error(3, "damaged");
    let run = ckpt::Run::open(scene.path("runs/live"), ckpt::RunOptions::new(ckpt::now)).unwrap();
    run.load(&ckpt::Selector::Latest).unwrap_err();
    drop(run);
    assert_eq!(scene.sequences("runs/live"), [0; 0], "the writer set it aside");
    for dry in ["", " --dry-run"] {
        let error = scene.run(&format!("transfer runs/paper runs/live{dry} --json")).error(3, "damaged");
        assert!(error["message"].as_str().unwrap().contains("all were set aside"), "{error}");
    }
}

#[test]
fn the_same_prior_once_more_saves_nothing() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    scene.run("transfer runs/paper runs/live").ok().says("changed 8");
    let answer = scene.run("transfer runs/paper runs/live --json").ok().json();
    assert_eq!((&component(&answer, "rl_q_table")["seeded"], &answer["saved"]), (&json!(2), &json!(null)));
    for dry in ["", " --dry-run"] {
        scene.run(&format!("transfer runs/paper runs/live{dry}")).ok().says("all of it is there already");
    }
    scene.run("transfer runs/live runs/live").ok().says("nothing was taken");
    assert_eq!(scene.sequences("runs/live"), [1]);
}

/// One level too high: the live system would never have found what it was given.
#[test]
fn a_directory_above_runs_is_not_made_a_run() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    let error = scene.run("transfer runs/paper runs --json").error(4, "run_not_found");
    assert!(error["message"].as_str().unwrap().contains("runs/paper"), "{error}");
    assert_eq!(scene.names("runs"), ["paper"]);
    scene.write("w.bin", vec![1; 10]);
    let saved = scene.run("save runs w=w.bin --json").error(4, "run_not_found");
    assert!(saved["message"].as_str().unwrap().contains("runs/paper"), "{saved}");
    assert_eq!(scene.names("runs"), ["paper"]);
}

#[test]
fn a_path_that_can_t_name_a_run_is_refused_by_a_dry_run_too_and_no_flag_is_advised_that_is_not_there() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    for dry in ["", "--dry-run"] {
        let to = scene.path("x/bad name").display().to_string();
        let ran = scene.args(
            ["transfer", "runs/paper", &to, "--json"].into_iter().chain((!dry.is_empty()).then_some(dry)),
        );
        let error = ran.error(2, "usage");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("which ends in KIND/NAME") && !message.contains("--name"), "{message}");
    }
    assert!(!scene.path("x").exists());
}
