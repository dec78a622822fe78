//! YAML and TOML of the same content are the same configuration.

use ckpt::{ConfigFormat, ConfigLayers};
use proptest::prelude::*;

use super::assert_same;

/// What a configuration may hold, as both formats write it.
#[derive(Debug, Clone)]
enum Value {
    Flag(bool),
    Integer(u64),
    Number(f64),
    Text(String),
    List(Vec<String>),
    Budgets(Vec<(String, u64)>),
}

impl Value {
    fn yaml(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Integer(integer) => integer.to_string(),
            Self::Number(number) => format!("{number:?}"),
            Self::Text(text) => format!("'{text}'"),
            Self::List(texts) => format!("{texts:?}"),
            Self::Budgets(budgets) => {
                let entries: Vec<String> =
                    budgets.iter().map(|(name, count)| format!("'{name}': {count}")).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn toml(&self) -> String {
        match self {
            Self::Budgets(budgets) => {
                let entries: Vec<String> =
                    budgets.iter().map(|(name, count)| format!("'{name}' = {count}")).collect();
                format!("{{{}}}", entries.join(", "))
            }
            other => other.yaml(),
        }
    }
}

type Table = Vec<(&'static str, Value)>;

fn count() -> impl Strategy<Value = Value> {
    prop_oneof![(0..=1_u64 << 53).prop_map(Value::Integer), (0..100_u64).prop_map(Value::Integer)]
}

fn number(range: std::ops::Range<f64>) -> impl Strategy<Value = Value> {
    range.prop_map(Value::Number)
}

fn flag() -> impl Strategy<Value = Value> {
    any::<bool>().prop_map(Value::Flag)
}

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    proptest::sample::subsequence(words, 0..=words.len())
        .prop_map(|words| Value::List(words.into_iter().map(str::to_owned).collect()))
}

/// Some of the keys, each stated or not.
fn table(keys: Vec<(&'static str, BoxedStrategy<Value>)>) -> impl Strategy<Value = Table> {
    let keys: Vec<_> = keys
        .into_iter()
        .map(|(key, value)| {
            proptest::option::of(value).prop_map(move |value| value.map(|value| (key, value)))
        })
        .collect();
    keys.prop_map(|table| table.into_iter().flatten().collect())
}

fn phase() -> impl Strategy<Value = Table> {
    table(vec![
        ("base_interval", count().boxed()),
        ("max_interval_multiplier", number(1.0..1e6).boxed()),
        ("target_timesteps", count().boxed()),
        ("every_seconds", number(0.0..1e9).boxed()),
        ("overhead_budget", number(0.0..1.0).boxed()),
        ("unit", "[A-Za-z][A-Za-z0-9_-]{0,31}".prop_map(Value::Text).boxed()),
        (
            "combine",
            prop_oneof![Just("any"), Just("all")].prop_map(|text| Value::Text(text.to_owned())).boxed(),
        ),
        ("llm_metadata", some_of(&["a", "b.c", "no", "1", "true", "null"]).boxed()),
    ])
}

fn events() -> impl Strategy<Value = Table> {
    table(vec![
        ("enabled", flag().boxed()),
        ("metric_improvement_threshold", number(0.0..1.0).boxed()),
        ("monitored_metrics", some_of(&["val_reward", "loss:min", "win_rate:max"]).boxed()),
        ("triggers", some_of(&["periodic", "best", "interrupt", "failure", "phase_end"]).boxed()),
    ])
}

fn retention() -> impl Strategy<Value = Table> {
    let budgets = (0..9_u64, 0..9_u64)
        .prop_map(|(a, b)| Value::Budgets(vec![("loss:min".to_owned(), a), ("win_rate".to_owned(), b)]));
    table(vec![
        ("keep_last_n", count().boxed()),
        ("keep_top_k_by_sharpe", count().boxed()),
        ("keep_top_k", budgets.boxed()),
        ("max_age_days", number(0.0..36_500.0).boxed()),
        ("max_bytes", prop_oneof![count(), Just(Value::Text("1.5 GiB".to_owned()))].boxed()),
        ("preserve_events", some_of(&["phase_end", "interrupt", "best"]).boxed()),
    ])
}

fn yaml(tables: &[(&str, Table)]) -> String {
    let mut text = "checkpointing:\n  every: 10\n".to_owned();
    for (name, table) in tables {
        text += &format!("  {name}:\n");
        text.extend(table.iter().map(|(key, value)| format!("    {key}: {}\n", value.yaml())));
    }
    text
}

fn toml(tables: &[(&str, Table)]) -> String {
    let mut text = "[checkpointing]\nevery = 10\n".to_owned();
    for (name, table) in tables {
        text += &format!("[checkpointing.{name}]\n");
        text.extend(table.iter().map(|(key, value)| format!("{key} = {}\n", value.toml())));
    }
    text
}

proptest! {
    #[test]
    fn the_same_content_is_the_same_configuration(
        a in phase(), b in phase(), events in events(), retention in retention(), own in retention(),
    ) {
        let tables = [("a", a), ("b", b), ("events", events), ("retention", retention), ("b.retention", own)];
        // The table of a phase within YAML stands in the phase.
        let (nested, flat): (Vec<_>, Vec<_>) = tables.iter().cloned().partition(|(name, _)| name.contains('.'));
        let mut text = yaml(&flat);
        if let [(_, own)] = nested.as_slice() {
            let lines: String = own.iter().map(|(key, value)| format!("        {key}: {}\n", value.yaml())).collect();
            text = text.replace("  b:\n", &format!("  b:\n    retention:\n{lines}"));
        }
        let load = |format, text: &str| ConfigLayers::new().text("c", format, text).load();
        let (yaml, toml) = (load(ConfigFormat::Yaml, &text), load(ConfigFormat::Toml, &toml(&tables)));
        match (yaml, toml) {
            (Ok(yaml), Ok(toml)) => {
                for name in ["a", "b"] {
                    assert_same(yaml.phase(name).unwrap(), toml.phase(name).unwrap());
                }
            }
            (yaml, toml) => prop_assert!(false, "{text}\n{yaml:?}\n{toml:?}"),
        }
    }
}
