//! The published configuration and its override, word for word: everything in them has its effect.

use std::path::PathBuf;

use super::fixture;
use ckpt::{
    Adaptive, Compress, Config, ConfigError, Direction, EventClass, Monitor, PhaseConfig, Reserve,
    SessionOptions, Top, Trigger, ValueSource,
};

fn top(metric: &str, count: u64) -> Top {
    Top { metric: metric.to_owned(), direction: Direction::Max, count }
}

fn adaptive(phase: &PhaseConfig) -> Adaptive {
    match phase.schedule.trigger {
        Trigger::Adaptive(adaptive) => adaptive,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn the_main_file_says_all_that_is_printed_in_it() {
    let config = Config::from_file(fixture("checkpoint_config.yaml")).unwrap();
    assert_eq!(config.phases().collect::<Vec<_>>(), ["phase1", "phase2", "phase3"]);
    for (name, base, target, directory) in [
        ("phase1", 25_000, 2_000_000, "./models/phase1/NQ/checkpoints/"),
        ("phase2", 50_000, 5_000_000, "./models/phase2/NQ/checkpoints/"),
        ("phase3", 10_000, 5_000_000, "./models/phase3_hybrid/NQ/checkpoints/"),
    ] {
        let phase = config.phase(name).unwrap();
        assert_eq!(adaptive(phase), Adaptive::new(base, 5.0, Some(target)).unwrap());
        assert_eq!((phase.target, phase.unit.as_str()), (Some(target), "steps"));
        let path = phase.path.as_ref().unwrap();
        assert_eq!(path.expand(Some("NQ")).unwrap(), PathBuf::from(directory));
        assert!(path.expand(None).is_err() && path.expand(Some("..")).is_err());

        let watched =
            ["val_reward", "sharpe_ratio", "win_rate"].map(|name| Monitor::new(name, Direction::Max));
        assert_eq!(phase.monitors, watched);
        assert_eq!(phase.monitors[0].least_gain_relative(), 0.02);
        assert_eq!(phase.events, EventClass::ALL.into(), "interrupt stands for every way to stop");

        assert_eq!(phase.retention.keep_last, 8);
        assert_eq!(phase.retention.top, [top("sharpe_ratio", 3), top("val_reward", 2), top("win_rate", 0)]);
        assert_eq!(phase.retention.prune_every, 10);
        let dropped = [EventClass::Periodic, EventClass::Best];
        let preserved = EventClass::ALL.into_iter().filter(|class| !dropped.contains(class));
        assert_eq!(phase.retention.preserve, preserved.collect());
        assert_eq!((phase.retention.max_age, phase.retention.max_bytes, phase.retention.every), (None, 0, 0));

        assert_eq!(phase.reserve, Reserve::Bytes(5 << 30));
        assert_eq!(phase.compress, Compress::BySample);
        assert_eq!(phase.priority_rank, 0);
        assert!(phase.llm_metadata.is_empty());
    }
}

#[test]
fn the_override_finds_the_main_file_beside_it_and_holds_over_it() {
    let main = Config::from_file(fixture("checkpoint_config.yaml")).unwrap();
    let found = Config::from_file(fixture("llm_config.yaml")).unwrap();
    let given = Config::load(fixture("checkpoint_config.yaml"), fixture("llm_config.yaml")).unwrap();
    assert_eq!(found, given);
    assert_eq!(found.files(), [fixture("checkpoint_config.yaml"), fixture("llm_config.yaml")]);

    let phase = found.phase("phase3").unwrap();
    let names = "reasoning_usage_rate llm_confidence_avg rl_llm_agreement_rate llm_error_count fusion_override_count risk_veto_count";
    assert_eq!(phase.llm_metadata, names.split(' ').collect::<Vec<_>>());
    assert_eq!(adaptive(phase).base(), 10_000);
    let line = |phase: &PhaseConfig| phase.setting("base_interval").unwrap().source.clone();
    assert_eq!(line(phase), ValueSource::File { path: fixture("llm_config.yaml"), line: 3 });
    // It holds for whichever phase is chosen; what it does not state is inherited.
    assert_eq!(adaptive(found.phase("phase1").unwrap()).base(), 10_000);
    assert_eq!(phase.retention, main.phase("phase3").unwrap().retention);
    assert_eq!(phase.schedule, main.phase("phase3").unwrap().schedule);
}

#[test]
fn a_session_goes_by_all_of_it() {
    let config = Config::load(fixture("checkpoint_config.yaml"), fixture("llm_config.yaml")).unwrap();
    let phase = config.phase("phase3").unwrap();
    let options = SessionOptions::from_config(&config, "phase3", Some("YM")).unwrap();
    assert_eq!(options.path, Some(PathBuf::from("./models/phase3_hybrid/YM/checkpoints/")));
    assert_eq!((&options.schedule, &options.monitors), (&phase.schedule, &phase.monitors));
    assert_eq!((&options.events, &options.retention), (&phase.events, &phase.retention));
    assert_eq!((options.reserve, options.phases_above), (phase.reserve, phase.priority_rank));
    assert_eq!((options.total, options.unit.as_deref()), (Some(5_000_000), Some("steps")));
    assert_eq!((options.market.as_deref(), options.phase.as_deref()), (Some("YM"), Some("phase3")));
    assert_eq!(options.extra_fields, phase.llm_metadata);
    assert_eq!(options.run.compress, phase.compress);

    let refused =
        |phase: &str, market| SessionOptions::from_config(&config, phase, market).map(|_| ()).unwrap_err();
    assert!(matches!(refused("phase9", Some("YM")), ConfigError::UnknownPhase { .. }));
    assert!(matches!(refused("phase3", None), ConfigError::MarketMissing { .. }));
    assert!(matches!(refused("phase3", Some("../YM")), ConfigError::Market(_)));
}

#[test]
fn the_published_schedule_saves_as_often_as_its_formula_says() {
    let config = Config::from_file(fixture("checkpoint_config.yaml")).unwrap();
    for (name, saves) in [("phase1", 31), ("phase2", 39), ("phase3", 200)] {
        let phase = config.phase(name).unwrap();
        let (adaptive, target) = (adaptive(phase), phase.target.unwrap());
        let (mut last, mut count) = (0, 0);
        for step in 1..=target {
            if step - last >= adaptive.interval_at(step) {
                (last, count) = (step, count + 1);
            }
        }
        assert_eq!(count, saves, "{name}");
    }
}

#[test]
fn the_same_files_in_toml_say_the_same() {
    for (yaml, toml) in
        [("checkpoint_config.yaml", "checkpoint_config.toml"), ("llm_config.yaml", "llm_config.toml")]
    {
        let yaml = Config::from_file(fixture(yaml)).unwrap();
        let toml = Config::from_file(fixture("toml").join(toml)).unwrap();
        assert_eq!(yaml.phases().collect::<Vec<_>>(), toml.phases().collect::<Vec<_>>());
        for name in yaml.phases() {
            super::assert_same(yaml.phase(name).unwrap(), toml.phase(name).unwrap());
        }
    }
}

#[test]
fn a_file_that_overrides_nothing_says_how_to_give_the_other() {
    let root = tempfile::tempdir().unwrap();
    let place = |name: &str| root.path().join(name);
    let copy = |from: &str, to: &str| std::fs::copy(fixture(from), place(to)).map(|_| ()).unwrap();
    copy("llm_config.yaml", "llm.yaml");
    let message = |path: &str| Config::from_file(place(path)).unwrap_err().to_string();
    let none = message("llm.yaml");
    assert!(none.contains("llm.yaml:2: `use_default_config`: there is no checkpoint_config.yaml"), "{none}");

    copy("checkpoint_config.yaml", "checkpoint_config.yaml");
    assert_eq!(Config::from_file(place("llm.yaml")).unwrap().files().len(), 2);

    copy("toml/checkpoint_config.toml", "checkpoint_config.toml");
    let two = message("llm.yaml");
    assert!(two.contains("which one is meant? give it before this file"), "{two}");

    copy("llm_config.yaml", "checkpoint_config.yml");
    let itself = message("checkpoint_config.yml");
    assert!(itself.contains("this file is the default configuration"), "{itself}");
}

#[test]
fn a_file_that_is_not_there_is_told_from_one_that_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let missing = Config::from_file(root.path().join("none.yaml")).unwrap_err();
    assert_eq!(missing.code(), "not_found");
    assert!(missing.to_string().contains("none.yaml can't be read"), "{missing}");

    let other = root.path().join("config.ini");
    std::fs::write(&other, "").unwrap();
    let other = Config::from_file(other).unwrap_err();
    assert!(other.code() == "config" && other.to_string().contains("neither with .yaml"), "{other}");

    let large = root.path().join("large.yaml");
    std::fs::write(&large, "# comment\n".repeat(200_000)).unwrap();
    let large = Config::from_file(large).unwrap_err().to_string();
    assert!(large.contains("more than 1048576 bytes"), "{large}");

    let latin = root.path().join("latin.yaml");
    std::fs::write(&latin, b"checkpointing:\n  unit: caf\xe9\n").unwrap();
    let latin = Config::from_file(latin).unwrap_err().to_string();
    assert!(latin.ends_with("latin.yaml:2: the file is not UTF-8 text"), "{latin}");
}

#[test]
fn a_phase_that_is_not_there_is_answered_with_those_that_are() {
    let config = Config::from_file(fixture("checkpoint_config.yaml")).unwrap();
    let message = config.phase("phase4").unwrap_err().to_string();
    assert_eq!(
        message,
        "the configuration has no phase \"phase4\": did you mean \"phase1\"? it has phase1, phase2, phase3"
    );
    assert_eq!(
        config.general().retention.keep_last,
        8,
        "without a phase there is what holds for all of them"
    );
}
