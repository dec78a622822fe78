//! A market maker's state: what a start would make of it, each finding really caused.

use std::cell::Cell;

use ckpt::{Bundle, EncodedSection, Event, Metadata, Run, RunName, RunOptions, Section, Timestamp};
use ckpt_market::component::kill_switch::{ReasonCode, Trigger};
use ckpt_market::component::rl::QCell;
use ckpt_market::restore::rl::AgentShape;
use ckpt_market::v1::MarketBundleV1;
use ckpt_market::{MarketBundle, StampedBundle, names, preset};
use serde_json::{Value, json};

use crate::market::learned;
use crate::scene::Scene;

use super::{MARKET, Told, doctor};

thread_local! {
    /// What the clock of a save shows.
    static AT: Cell<Timestamp> = Cell::default();
}

const HOUR_MS: i64 = 3_600_000;

#[test]
fn a_run_of_something_else_is_told_apart() {
    let told = doctor(&Scene::with_checkpoints(1), "train/ppo");
    for id in MARKET {
        assert_eq!(told.says(id, "not a market maker's run").check(id)["finding"], "unasked");
    }
    let told = doctor(&Scene::new(), "train/ppo");
    for id in MARKET {
        assert_eq!(told.says(id, "there is no run to ask about").check(id)["finding"], "unasked");
    }
}

#[test]
fn a_state_that_is_ready_answers_all_six() {
    let scene = Scene::new();
    save(&scene, &[ready()]);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[]);
    told.says(
        "wrong_parameters",
        "checkpoint 1 would be restored: HYPE, taken 0 s ago, 1 h of learning, from a cold start",
    );
    told.says("cannot_decode", "each of its 19 components could be decoded");
    told.says("not_saving", "no session saved twice here");
    told.says("cold_start", "was ready when it was saved and is ready now");
    told.says("cold_start", "it begins with 1 of the spread and 1 of the size");
    told.says(
        "kappa_sigma_off",
        "sigma 0.0005 (cold 0.0005, at most 0.0025); kappa 500 own, 500 bid, 500 ask",
    );
    told.says("q_table_wrong", "1 cell: 1 observed here, 0 seeded");
}

#[test]
fn a_state_that_is_too_old_or_too_young_starts_cold() {
    let scene = Scene::new();
    save(&scene, &[aged(ready(), 5)]);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cold_start", "warning")]).advises("cold_start", "ckpt gate train/ppo");
    told.says("cold_start", "it is 5 h old, it was ready when it was saved and is insufficient now");

    let mut young = ready();
    young.metadata.session_duration_s = 600.0;
    young.metadata.cumulative_duration_s = 600.0;
    let told = asked(young);
    told.finds(&[("cold_start", "warning")]).says("cold_start", "short of session 600 s of 1800 s");

    let mut few = ready();
    few.kappa_own.total_observations = 31;
    let told = asked(few);
    told.finds(&[]).says("cold_start", "is marginal now, short of kappa 31 of 50");
}

#[test]
fn a_state_without_time_or_asset_can_not_be_judged() {
    let mut nowhere = ready();
    nowhere.metadata.timestamp_ms = 0;
    nowhere.metadata.asset.clear();
    let told = asked(nowhere);
    told.finds(&[("wrong_parameters", "warning"), ("cold_start", "warning")]);
    told.says("wrong_parameters", "does not say when it was taken");
    told.says("cold_start", "nobody knows how old it is, it was ready")
        .says("cold_start", "does not say of which asset");

    let scene = Scene::new();
    let mut other = ready();
    other.metadata.asset = "ETH".to_owned();
    save(&scene, &[other, ready()]);
    doctor(&scene, "train/ppo").says("cold_start", "older ones of the run are of another asset: 1");
}

#[test]
fn a_state_that_was_not_taken_when_it_was_saved_is_told() {
    let scene = Scene::new();
    let mut ahead = ready();
    ahead.metadata.timestamp_ms += 7_200_000;
    save(&scene, &[ahead]);
    doctor(&scene, "train/ppo").says("wrong_parameters", "in the future: check the clocks");

    let scene = Scene::new();
    let taken = sections(&aged(ready(), 2));
    save_at(&scene, ckpt::now(), taken);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("wrong_parameters", "warning")])
        .says("wrong_parameters", "its state was 2 h old when it was saved");
}

#[test]
fn the_kill_switch_is_shown_with_its_true_time_and_its_end() {
    let now = ckpt::now();
    let at = |hours: i64| now.millis() - hours * HOUR_MS;
    let trigger = |code, hours, time_is_exact| Trigger {
        code,
        triggered_at_ms: u64::try_from(at(hours)).unwrap(),
        time_is_exact,
        detail: String::new(),
    };
    let mut held = ready();
    held.kill_switch.triggers = vec![
        trigger(ReasonCode::MaxLoss, 2, true),
        trigger(ReasonCode::MaxDrawdown, 25, true),
        trigger(ReasonCode::StaleData, 1, true),
    ];
    let told = asked(held);
    told.finds(&[("cold_start", "warning")]);
    let (since, until) = (Timestamp::from_millis(at(2)), Timestamp::from_millis(at(2) + 24 * HOUR_MS));
    told.says(
        "cold_start",
        &format!("still triggered by max_loss, 2.0 h ago (at {since}; expires at {until})"),
    );
    told.says("cold_start", "the trigger max_drawdown expired: it is 25.0 h old, triggers hold 24 h");
    told.says("cold_start", "the trigger stale_data was of the moment");
    told.advises("cold_start", "ckpt reset train/ppo --component kill_switch");

    let mut unsure = ready();
    unsure.kill_switch.triggers = vec![trigger(ReasonCode::Manual, 3, false)];
    asked(unsure).says("cold_start", "at least 3.0 h ago").says("cold_start", "at the latest; expires at");
}

#[test]
fn kappa_and_sigma_that_are_off_are_named_with_what_a_restore_does() {
    let mut wild = ready();
    wild.vol_filter.sigma_mean = 1.0;
    let told = asked(wild);
    told.finds(&[("kappa_sigma_off", "warning")]);
    told.says("kappa_sigma_off", "vol_filter: sigma_mean was 1 and is 0.0025");
    told.advises("kappa_sigma_off", "ckpt reset train/ppo --component vol_filter");

    let mut wide = ready();
    wide.vol_filter.sigma_mean = 0.002;
    wide.regime_hmm.belief = [0.0, 0.1, 0.1, 0.8];
    let told = asked(wide);
    told.finds(&[("kappa_sigma_off", "warning")]).says("kappa_sigma_off", "quotes are wide until");
    told.says("kappa_sigma_off", "taken in an extreme market (80 %)");

    let mut strong = ready();
    strong.kappa_bid.prior_alpha = 400.0;
    strong.kappa_bid.prior_beta = 0.05;
    let told = asked(strong);
    told.says("kappa_sigma_off", "the prior of kappa_bid weighs as much as 400 fills");
    told.says("kappa_sigma_off", "kappa_bid says 500, its prior and its window say 8000");

    let mut far = ready();
    far.kappa_ask.prior_beta = 0.001;
    far.kappa_ask.kappa_posterior_mean = 10_000.0;
    asked(far).says("kappa_sigma_off", "kappa_ask is 10000, more than 10 times off the cold 500");
}

#[test]
fn a_q_table_that_does_not_fit_is_a_problem_and_one_from_elsewhere_a_warning() {
    let mut other = ready();
    other.rl_q_table.action_space_version = 1;
    let told = asked(other);
    told.finds(&[("q_table_wrong", "problem")]);
    told.says("q_table_wrong", "the action space is 1, the agent's is 2");
    told.advises("q_table_wrong", "ckpt reset train/ppo --component rl_q_table");

    let mut odd = ready();
    odd.rl_q_table.q_entries.push(QCell { n: 3, ..QCell::fresh(45, 0) });
    odd.rl_q_table.reward_config_hash = 0;
    let told = asked(odd);
    told.finds(&[("q_table_wrong", "warning")]).says("q_table_wrong", "1 out of range");
    told.says("q_table_wrong", "the reward's configuration fits is unknown");

    let mut seeded = ready();
    seeded.rl_q_table.q_entries = vec![QCell { seeded: true, ..QCell::fresh(1, 1) }];
    asked(seeded)
        .finds(&[("q_table_wrong", "warning")])
        .says("q_table_wrong", "all of it came from another system");

    // A seeded cell that was observed is counted as both: without a word the parts were more than the whole.
    let mut lived = ready();
    let seeded = |n| QCell { seeded: true, n, kappa_n: 1.0, ..QCell::fresh(1, 1 + n as u32) };
    lived.rl_q_table.q_entries.extend([seeded(0), seeded(2)]);
    asked(lived).says(
        "q_table_wrong",
        "3 cells: 2 observed here, 2 seeded by another system, 1 of them observed since; ",
    );

    let mut none = ready();
    none.rl_q_table = ckpt_market::component::rl::RlTable::default();
    asked(none).finds(&[]).says("q_table_wrong", "it has no cells");
}

#[test]
fn a_component_of_an_unknown_version_is_named_and_the_others_are_told_of() {
    let told = edited(|sections| section(sections, names::KAPPA_OWN).version = 9);
    told.finds(&[("cannot_decode", "problem")]);
    told.says("cannot_decode", "kappa_own of checkpoint 1 is incompatible").says("cannot_decode", "9");
    told.advises("cannot_decode", "ckpt reset train/ppo --component kappa_own");

    let told = edited(|sections| {
        edit(section(sections, names::MOMENTUM), |value| value["of_tomorrow"] = 1.into());
    });
    told.finds(&[("cannot_decode", "warning")]).says("cannot_decode", "does not know and drops: of_tomorrow");
}

#[test]
fn what_takes_its_default_instead_of_what_was_learned_is_told() {
    let told = edited(|sections| sections.retain(|section| section.name != names::MOMENTUM));
    told.finds(&[("wrong_parameters", "warning")]);
    told.says("wrong_parameters", "1 component would begin cold, the sections are missing: momentum");

    let told = edited(|sections| {
        let kelly = section(sections, names::KELLY_TRACKER);
        edit(kelly, |value| drop(value.as_object_mut().unwrap().remove("decay")));
    });
    told.finds(&[("wrong_parameters", "warning")]);
    told.says("wrong_parameters", "kelly_tracker lacks fields that take their defaults: decay");

    let mut beyond = ready();
    beyond.momentum.prior_continuation = 2.0;
    let told = asked(beyond);
    told.finds(&[("wrong_parameters", "warning")]);
    told.says("wrong_parameters", "momentum: prior_continuation was 2 and is 1: it is a probability");
    told.advises("wrong_parameters", "ckpt reset train/ppo --component momentum");
}

#[test]
fn an_older_version_is_migrated_and_lacks_only_what_there_was_not() {
    let scene = Scene::new();
    let mut bundle = MarketBundleV1::default();
    bundle.metadata.timestamp_ms = u64::try_from(ckpt::now().millis()).unwrap();
    bundle.metadata.asset = "HYPE".to_owned();
    save_at(&scene, ckpt::now(), bundle.to_sections().unwrap());
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cold_start", "warning")]).says("cannot_decode", "metadata migrated v1 -> v2");
    told.says("wrong_parameters", "version 1 did not keep quote_outcomes, baseline_tracker");
    // Migrating takes what is there to its version; that no program forgot the rest, it still knows.
    scene.run("migrate train/ppo").ok();
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("cold_start", "warning")]);
    told.says("wrong_parameters", "version 1 did not keep quote_outcomes, baseline_tracker");
}

#[test]
fn a_session_that_forgets_to_save_is_found() {
    let scene = Scene::new();
    let at = |seconds: f64| {
        let mut bundle = ready();
        bundle.metadata.session_duration_s = seconds;
        bundle
    };
    // A new session begins at nothing: that is no gap.
    save(&scene, &[at(9_000.0), at(300.0), at(600.0)]);
    doctor(&scene, "train/ppo")
        .finds(&[])
        .says("not_saving", "1 gap of the last 3 saves: at most 5 min apart");
    save(&scene, &[at(2_400.0)]);
    let told = doctor(&scene, "train/ppo");
    told.finds(&[("not_saving", "warning")]);
    told.says("not_saving", "went 30 min without a save, between 3 and 4, and once it was longer");
    told.advises("not_saving", "ckpt log train/ppo");
}

#[test]
fn a_process_that_runs_on_without_saving_is_a_problem() {
    let scene = Scene::new();
    save(&scene, &[aged(ready(), 1)]);
    doctor(&scene, "train/ppo").finds(&[]);
    let mut child = scene.waiting_save();
    let told = doctor(&scene, "train/ppo");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told.check("not_saving")["finding"], "problem", "{:#}", told.answer);
    told.says("not_saving", "its newest good save is 1 h old: the timer does not fire, or saving fails");
}

#[test]
fn what_the_origin_wrote_is_asked_too() {
    let scene = Scene::new();
    let origin = json!({
        "metadata": {"version": 1, "timestamp_ms": ckpt::now().millis(), "asset": "ETH", "session_duration_s": 60.0},
        "vol_filter": {"sigma_mean": 0.5}
    });
    scene.write("checkpoint.json", origin.to_string());
    scene.run("save train/ppo --step 1 checkpoint.json=checkpoint.json").ok();
    let told = doctor(&scene, "train/ppo");
    told.says("wrong_parameters", "checkpoint 1 would be restored: ETH");
    told.says("kappa_sigma_off", "sigma_mean was 0.5 and is 0.0025");
    scene.write("checkpoint.json", &origin.to_string()[..40]);
    scene.run("save train/ppo --step 2 checkpoint.json=checkpoint.json").ok();
    let told = doctor(&scene, "train/ppo");
    assert_eq!(told.check("cannot_decode")["finding"], "problem", "{:#}", told.answer);
    told.says("cannot_decode", "not JSON: use an older backup").says("cold_start", "see `cannot_decode`");
}

/// A state that the gate lets through, taken now.
fn ready() -> MarketBundle {
    let mut bundle = MarketBundle::default();
    bundle.metadata.timestamp_ms = u64::try_from(ckpt::now().millis()).unwrap();
    bundle.metadata.asset = "HYPE".to_owned();
    bundle.metadata.session_duration_s = 3_600.0;
    bundle.metadata.cumulative_duration_s = 3_600.0;
    bundle.vol_filter.observation_count = 500;
    bundle.kappa_own.total_observations = 80;
    bundle.pre_fill.learning_samples = 200;
    bundle.regime_hmm.observation_count = 500;
    bundle.fill_rate.observation_count = 300;
    (bundle.kelly_tracker.n_wins, bundle.kelly_tracker.n_losses) = (150, 100);
    bundle.rl_q_table.q_entries = vec![QCell { n: 4, ..QCell::fresh(2, 3) }];
    AgentShape::default().mark(&mut bundle.rl_q_table);
    bundle
}

/// Taken that many hours ago.
fn aged(mut bundle: MarketBundle, hours: i64) -> MarketBundle {
    bundle.metadata.timestamp_ms -= u64::try_from(hours * HOUR_MS).unwrap();
    bundle
}

fn sections(bundle: &MarketBundle) -> Vec<EncodedSection> {
    bundle.clone().stamp(&preset().gate).to_sections().unwrap()
}

/// Saves them into `train/ppo`, each at the time it was taken.
fn save(scene: &Scene, bundles: &[MarketBundle]) {
    for bundle in bundles {
        let taken = bundle.metadata.taken_at().unwrap_or_else(ckpt::now);
        save_at(scene, taken, sections(bundle));
    }
}

fn save_at(scene: &Scene, at: Timestamp, sections: Vec<EncodedSection>) {
    AT.set(at);
    let (path, options) = (scene.path("train/ppo"), RunOptions::new(|| AT.get()));
    let name = |text: &str| text.parse::<RunName>().unwrap();
    let run = if path.exists() {
        Run::open(path, options)
    } else {
        Run::create(path, &name("train"), &name("ppo"), options)
    };
    let mut metadata = Metadata::default().because(Event::Periodic, "a test");
    metadata.position.step = Some(1);
    run.unwrap().save(metadata, sections.into_iter().map(Section::encoded).collect()).unwrap();
}

/// What the doctor says of this state, saved alone.
fn asked(bundle: MarketBundle) -> Told {
    let scene = Scene::new();
    save(&scene, &[bundle]);
    doctor(&scene, "train/ppo")
}

/// What it says of the sections of a good state after this edit of them.
fn edited(edit: impl FnOnce(&mut Vec<EncodedSection>)) -> Told {
    let scene = Scene::new();
    let mut sections = sections(&ready());
    edit(&mut sections);
    save_at(&scene, ckpt::now(), sections);
    doctor(&scene, "train/ppo")
}

fn section<'a>(sections: &'a mut [EncodedSection], name: &str) -> &'a mut EncodedSection {
    sections.iter_mut().find(|section| section.name == name).unwrap()
}

/// Another document in a section.
fn edit(section: &mut EncodedSection, edit: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&section.bytes).unwrap();
    edit(&mut value);
    section.bytes = value.to_string().into_bytes();
}

/// What was taken, and how many components came how, is what people look for first.
#[test]
fn the_last_load_and_the_last_injection_are_told_with_their_counts() {
    let scene = Scene::new();
    scene.save_bundle("runs/paper", learned("HYPE", 60));
    scene.run("transfer runs/paper train/ppo").ok();
    let mut session =
        ckpt::Session::open(scene.path(""), "train", "ppo", ckpt::SessionOptions::default()).unwrap();
    session.resume::<StampedBundle>().unwrap();
    drop(session);
    let told = doctor(&scene, "train/ppo");
    told.says("wrong_parameters", "prior injected of HYPE in checkpoint 1 of run ");
    told.says("wrong_parameters", "6 injected, 2 cells seeded");
    told.says("wrong_parameters", "its log says: resumed from 1: 19 restored");
}
