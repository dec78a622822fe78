//! The published configuration and its override, word for word: everything in them has its effect.
#![cfg(feature = "config")]

use std::path::PathBuf;

use ckpt::{
    Adaptive, Compress, Config, Direction, EventClass, Monitor, PhaseConfig, Reserve, Top, Trigger,
    ValueSource,
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(name)
}

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
        assert_eq!(adaptive(phase), Adaptive { base, max_multiplier: 5.0, target: Some(target) });
        assert_eq!((phase.target, phase.unit.as_str()), (Some(target), "steps"));
        let path = phase.path.as_ref().unwrap();
        assert_eq!(path.expand(Some("NQ")).unwrap(), PathBuf::from(directory));
        assert!(path.expand(None).is_err() && path.expand(Some("..")).is_err());

        let watched =
            ["val_reward", "sharpe_ratio", "win_rate"].map(|name| Monitor::new(name, Direction::Max));
        assert_eq!(phase.monitors, watched);
        assert_eq!(phase.monitors[0].least_gain_relative, 0.02);
        assert_eq!(phase.events, EventClass::ALL.into(), "interrupt stands for every way to stop");

        assert_eq!(phase.retention.keep_last, 8);
        assert_eq!(phase.retention.top, [top("sharpe_ratio", 3), top("val_reward", 2)]);
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
    assert_eq!(adaptive(phase).base, 10_000);
    let line = |phase: &PhaseConfig| phase.setting("base_interval").unwrap().source.clone();
    assert_eq!(line(phase), ValueSource::File { path: fixture("llm_config.yaml"), line: 3 });
    // It holds for whichever phase is chosen; what it does not state is inherited.
    assert_eq!(adaptive(found.phase("phase1").unwrap()).base, 10_000);
    assert_eq!(phase.retention, main.phase("phase3").unwrap().retention);
    assert_eq!(phase.schedule, main.phase("phase3").unwrap().schedule);
}
