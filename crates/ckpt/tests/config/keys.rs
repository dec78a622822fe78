//! No key is read and then ignored: each is changed, in the file and by the environment, and the result changes.

use std::collections::BTreeSet;

use ckpt::{
    Compress, Config, ConfigFormat, ConfigLayers, Direction, EventClass, PhaseConfig, Reserve,
    RetentionPolicy, Trigger,
};

use super::{effect, fixture};

/// Every key, and a value other than the one in the published file or than the default.
const CHANGES: [(&str, &str); 34] = [
    ("base_interval", "24999"),
    ("max_interval_multiplier", "4.5"),
    ("target_timesteps", "0"),
    ("every", "7"),
    ("every_seconds", "60"),
    ("overhead_budget", "0.01"),
    ("mean_time_between_failures_seconds", "86400"),
    ("combine", "all"),
    ("minimum_pause_seconds", "2.5"),
    ("retry_pause_seconds", "0"),
    ("early_first_save", "0"),
    ("unit", "episodes"),
    ("priority", "-1"),
    ("llm_metadata", "[a, b]"),
    ("events.enabled", "false"),
    ("events.triggers", "[periodic, phase_end]"),
    ("events.monitored_metrics", "[val_reward, 'loss:min']"),
    ("events.metric_improvement_threshold", "0.03"),
    ("events.metric_improvement_absolute", "0.5"),
    ("retention.enabled", "false"),
    ("retention.keep_last_n", "9"),
    ("retention.keep_top_k_by_sharpe", "0"),
    ("retention.keep_top_k_by_reward", "4"),
    ("retention.keep_top_k", "['loss:2:min']"),
    ("retention.keep_every_n", "100"),
    ("retention.max_age_days", "0.5"),
    ("retention.max_bytes", "5GiB"),
    ("retention.preserve_events", "[phase_end]"),
    ("retention.prune_frequency", "0"),
    ("performance.atomic_saves", "false"),
    ("performance.min_disk_space_gb", "0"),
    ("performance.compression", "never"),
    ("paths.phase1", "other/{market}"),
    ("use_default_config", "true"),
];

fn published() -> String {
    std::fs::read_to_string(fixture("checkpoint_config.yaml")).expect("a committed file")
}

fn layers() -> ConfigLayers {
    // `combine` has nothing to combine in the published file.
    let second = "checkpointing:\n  phase1:\n    every: 50000\n";
    ConfigLayers::new().text("main.yaml", ConfigFormat::Yaml, published()).text(
        "second.yaml",
        ConfigFormat::Yaml,
        second,
    )
}

fn phase1(layers: &ConfigLayers) -> PhaseConfig {
    let config = layers.load().unwrap_or_else(|error| panic!("{error}"));
    config.phase("phase1").expect("the published phase").clone()
}

/// One that states this key alone, for `phase1` where that can be said.
fn stating(key: &str, value: &str) -> String {
    match key.split_once('.') {
        None if key == "use_default_config" => format!("checkpointing: {{{key}: {value}}}"),
        None => format!("checkpointing: {{phase1: {{{key}: {value}}}}}"),
        Some(("paths", key)) => format!("checkpointing: {{paths: {{{key}: '{value}'}}}}"),
        Some((section, key)) => format!("checkpointing: {{phase1: {{{section}: {{{key}: {value}}}}}}}"),
    }
}

#[test]
fn the_table_has_every_key_there_is() {
    let config = phase1(&layers());
    let there: BTreeSet<&str> =
        config.settings().iter().map(|setting| setting.key.as_str()).chain(["use_default_config"]).collect();
    let table: BTreeSet<&str> = CHANGES.iter().map(|(key, _)| *key).collect();
    assert_eq!(table, there);
}

#[test]
fn each_key_changes_the_result_in_a_file_in_a_phase_and_by_the_environment() {
    let before = phase1(&layers());
    for (key, value) in CHANGES {
        let in_file = layers().text("third.yaml", ConfigFormat::Yaml, stating(key, value));
        let variable = match key.split_once('.') {
            Some(("paths", _)) => "CKPT_CONFIG__PATHS__PHASE1".to_owned(),
            None => format!("CKPT_CONFIG__PHASE1__{}", key.to_uppercase()),
            Some((section, key)) => {
                format!("CKPT_CONFIG__PHASE1__{}__{}", section.to_uppercase(), key.to_uppercase())
            }
        };
        let plain = value.trim_matches(['[', ']']).replace('\'', "");
        let by_environment = layers().environment([(variable.as_str(), plain.as_str())]);
        match key {
            "performance.atomic_saves" => {
                for layers in [in_file, by_environment] {
                    let message = layers.load().unwrap_err().to_string();
                    assert!(message.contains("saves are always atomic"), "{message}");
                }
            }
            // It says what the order of the files says already; in the first file it is not so.
            "use_default_config" => {
                assert_eq!(effect(&phase1(&in_file)), effect(&before));
                let alone = ConfigLayers::new().text("a.yaml", ConfigFormat::Yaml, stating(key, value));
                assert!(alone.load().is_err());
                assert!(by_environment.load().is_err());
            }
            _ => {
                let (file, environment) = (phase1(&in_file), phase1(&by_environment));
                assert_ne!(effect(&file), effect(&before), "{key} in a file");
                assert_eq!(effect(&environment), effect(&file), "{key} by {variable}");
                assert_eq!(environment.setting(key).unwrap().source.to_string(), variable);
                assert!(file.setting(key).unwrap().source.to_string().starts_with("third.yaml:"), "{key}");
            }
        }
    }
}

/// What is on each line of the published file, with another value, and that it shows.
#[test]
fn each_line_of_the_published_file_has_its_effect() {
    let before = Config::from_file(fixture("checkpoint_config.yaml")).unwrap();
    let text = published();
    let mut changed = 0;
    for (number, line) in text.lines().enumerate() {
        let statement = line.split('#').next().unwrap().trim_end();
        let Some((key, value)) = statement.trim_start().split_once(": ") else { continue };
        let other = match value.trim() {
            "true" => "false".to_owned(),
            list if list.starts_with('[') => "[]".to_owned(),
            path if path.starts_with('"') => "\"elsewhere/{market}\"".to_owned(),
            number => format!("{number}1"),
        };
        changed += 1;
        let indent = &line[..line.len() - line.trim_start().len()];
        let new: Vec<String> = text
            .lines()
            .enumerate()
            .map(
                |(index, old)| {
                    if index == number { format!("{indent}{key}: {other}") } else { old.to_owned() }
                },
            )
            .collect();
        let loaded = ConfigLayers::new().text("main.yaml", ConfigFormat::Yaml, new.join("\n")).load();
        if key == "atomic_saves" {
            assert!(loaded.unwrap_err().to_string().contains("saves are always atomic"));
            continue;
        }
        let after = loaded.unwrap_or_else(|error| panic!("{key}: {other}: {error}"));
        let differs = before
            .phases()
            .any(|name| effect(before.phase(name).unwrap()) != effect(after.phase(name).unwrap()));
        assert!(differs, "line {}: {key}", number + 1);
    }
    assert_eq!(changed, 25, "statements of the published file");
}

#[test]
fn without_events_there_are_periodic_ones_phase_ends_and_ways_to_stop() {
    let config = phase1(&layers().environment([("CKPT_CONFIG__EVENTS__ENABLED", "false")]));
    let left = ["periodic", "phase_end", "interrupt", "cancellation", "failure", "shutdown", "manual"];
    assert_eq!(config.events, left.iter().map(|class| class.parse().unwrap()).collect());
    assert!(config.monitors.is_empty());
    assert_ne!(config.schedule.trigger, Trigger::Any(Vec::new()));
}

#[test]
fn each_trigger_may_be_turned_off_by_a_0_alone() {
    let keys =
        ["base_interval", "every", "every_seconds", "overhead_budget", "mean_time_between_failures_seconds"];
    for key in keys {
        let text = format!("checkpointing: {{p: {{{key}: 0}}}}");
        let config = ConfigLayers::new().text("c.yaml", ConfigFormat::Yaml, text).load().unwrap();
        assert!(!config.phase("p").unwrap().schedule.trigger.is_on(), "{key}");
    }
}

#[test]
fn triggers_turn_off_what_they_do_not_name() {
    let only = |list: &str| phase1(&layers().environment([("CKPT_CONFIG__EVENTS__TRIGGERS", list)]));
    let best = only("best");
    assert_eq!(best.events, [EventClass::Best, EventClass::Manual].into());
    assert_eq!((&best.schedule.trigger, best.schedule.early_first), (&Trigger::Any(Vec::new()), 0));
    assert_eq!(best.monitors.len(), 3);
    let shutdown = only("shutdown");
    assert_eq!(
        shutdown.events,
        [EventClass::Shutdown, EventClass::Manual].into(),
        "each way to stop may stand alone"
    );
    assert!(shutdown.monitors.is_empty());
}

#[test]
fn retention_that_is_off_keeps_everything() {
    let config = phase1(&layers().environment([("CKPT_CONFIG__RETENTION__ENABLED", "false")]));
    assert!(config.retention.is_empty() && !config.retention.is_due_after(u64::MAX));
}

#[test]
fn a_file_that_does_not_speak_of_retention_keeps_a_few_and_the_best() {
    let bare = |more: &str| {
        let text =
            format!("checkpointing: {{p: {{every: 1}}, events: {{monitored_metrics: ['loss:min']}}{more}}}");
        let config = ConfigLayers::new().text("c.yaml", ConfigFormat::Yaml, text).load().unwrap();
        config.phase("p").unwrap().retention.clone()
    };
    assert_eq!(bare(""), RetentionPolicy::keep_last(5).with_top("loss", Direction::Min, 1));
    // A budget that nobody stated does not turn pruning on.
    assert!(bare(", retention: {keep_last_n: 0}").is_empty());
    // One that was stated is all there is: a session adds no other.
    assert_eq!(
        bare(", retention: {keep_top_k: {}}"),
        RetentionPolicy::keep_last(5).with_top("loss", Direction::Min, 0)
    );
}

#[test]
fn priorities_are_ranked_over_all_phases() {
    let text =
        "checkpointing:\n  every: 1\n  a: {priority: 2}\n  b: {priority: 2}\n  c:\n  d: {priority: -1}\n";
    let config = ConfigLayers::new().text("c.yaml", ConfigFormat::Yaml, text).load().unwrap();
    let ranks: Vec<u32> = ["a", "b", "c", "d"].map(|name| config.phase(name).unwrap().priority_rank).to_vec();
    assert_eq!(ranks, [0, 0, 1, 2]);
}

#[test]
fn the_last_layer_holds_and_in_it_the_phase_before_what_is_for_all() {
    let main = "checkpointing: {every: 1, a: {every: 2}, b: {}}";
    let over = "checkpointing: {every: 3, b: {every: 4}}";
    let every =
        |layers: ConfigLayers, name: &str| match layers.load().unwrap().phase(name).unwrap().schedule.trigger
        {
            Trigger::EveryUnits(every) => every,
            ref other => panic!("{other:?}"),
        };
    let main = || ConfigLayers::new().text("main.yaml", ConfigFormat::Yaml, main);
    let both = || main().text("over.yaml", ConfigFormat::Yaml, over);
    assert_eq!((every(main(), "a"), every(main(), "b")), (2, 1));
    assert_eq!((every(both(), "a"), every(both(), "b")), (3, 4));
    let environment =
        || both().environment([("CKPT_CONFIG__EVERY", "5"), ("CKPT_CONFIG__B__EVERY", "6"), ("PATH", "x")]);
    assert_eq!((every(environment(), "a"), every(environment(), "b")), (5, 6));
}

#[test]
fn the_environment_reaches_phases_whose_names_it_cannot_spell() {
    let text = "checkpointing: {every: 1, My-Phase.1: {}}";
    let layers = ConfigLayers::new().text("c.yaml", ConfigFormat::Yaml, text);
    let config = layers.environment([("CKPT_CONFIG__MY_PHASE_1__UNIT", "bars")]).load().unwrap();
    assert_eq!(config.phase("My-Phase.1").unwrap().unit, "bars");
}

#[test]
fn sizes_and_compression_have_their_forms() {
    let config =
        |key: &str, value: &str| phase1(&layers().environment([(format!("CKPT_CONFIG__{key}"), value)]));
    for (text, bytes) in [
        ("0", 0),
        ("4096", 4096),
        ("1KiB", 1 << 10),
        ("1.5 MiB", 3 << 19),
        ("5GiB", 5 << 30),
        ("5GB", 5_000_000_000),
        ("3kB", 3_000),
        ("2TiB", 2 << 40),
        ("8192TiB", 1 << 53),
    ] {
        assert_eq!(config("RETENTION__MAX_BYTES", text).retention.max_bytes, bytes, "{text}");
    }
    for (text, compress) in [
        ("true", Compress::BySample),
        ("by_sample", Compress::BySample),
        ("always", Compress::Always),
        ("never", Compress::Never),
        ("false", Compress::Never),
    ] {
        assert_eq!(config("PERFORMANCE__COMPRESSION", text).compress, compress, "{text}");
    }
    assert_eq!(config("PERFORMANCE__MIN_DISK_SPACE_GB", "0.5").reserve, Reserve::Bytes(1 << 29));
    assert_eq!(
        phase1(&ConfigLayers::new().text(
            "c.yaml",
            ConfigFormat::Yaml,
            "checkpointing: {phase1: {every: 1}}"
        ))
        .reserve,
        Reserve::Default
    );
}

#[test]
fn the_description_says_where_each_value_came_from() {
    let config = phase1(&layers().environment([("CKPT_CONFIG__RETENTION__KEEP_LAST_N", "4")]));
    let text = config.describe();
    for line in [
        "base_interval = 25000 (main.yaml:4)\n",
        "every = 50000 (second.yaml:3)\n",
        "retention.keep_last_n = 4 (CKPT_CONFIG__RETENTION__KEEP_LAST_N)\n",
        "retention.max_age_days = 0 (default)\n",
        "events.triggers = [periodic, best, phase_end, interrupt, phase_boundary] (main.yaml:23)\n",
        "paths.phase1 = ./models/phase1/{market}/checkpoints/ (main.yaml:36)\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}
