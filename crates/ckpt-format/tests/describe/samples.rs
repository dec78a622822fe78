//! Samples that are made from the schema.

use std::collections::{BTreeMap, BTreeSet};

use ckpt_format::describe::{Described, Kinds};
use ckpt_format::{Codec, FirstVersion, MigrateError, Stored};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whatever a stored type may be made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Everything {
    flag: bool,
    small: i8,
    byte: u8,
    wide: u64,
    #[schemars(range(min = 3, max = 4))]
    tight: u16,
    single: f32,
    #[schemars(range(min = 0, max = 1))]
    share: f64,
    #[schemars(extend("exclusiveMinimum" = 0))]
    positive: f64,
    #[schemars(length(max = 3))]
    short: String,
    letter: Option<char>,
    row: [f64; 4],
    pair: (bool, String),
    cells: Vec<Cell>,
    by_name: BTreeMap<String, Option<Cell>>,
    by_number: BTreeMap<u32, u8>,
    names: BTreeSet<String>,
    state: State,
    plain: Plain,
    tree: Option<Box<Tree>>,
    unit: (),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Cell {
    mu: f64,
}

/// Some variants share one entry of the schema, since nothing is said of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum State {
    #[default]
    Idle,
    Waiting,
    Active {
        since: u64,
    },
    /// Said.
    Done(u8),
    Both(u8, Cell),
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Plain {
    #[default]
    A,
    B,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Tree {
    leaf: u8,
    left: Option<Box<Tree>>,
    more: Vec<Tree>,
}

/// The same, in bincode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Dense(Everything);

macro_rules! first {
    ($($type:ty: $kind:literal $codec:ident;)*) => {
        $(impl Stored for $type {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;
            const CODEC: Codec = Codec::$codec;
            type Previous = FirstVersion;

            fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
                match previous {}
            }
        }

        impl Described for $type {})*
    };
}

first! {
    Everything: "everything" Json;
    Dense: "dense" Bincode;
}

fn kinds() -> Kinds {
    Kinds::new().add::<Everything>().add::<Dense>().part::<Cell>().part::<Tree>()
}

#[test]
fn samples_from_the_schema_hold_every_field_and_variant() {
    kinds().check(&Default::default()).unwrap_or_else(|error| panic!("{error}"));
    let samples = Everything::samples();
    assert_eq!(samples.len(), 5, "as many as the largest enum has variants");
    assert_eq!(samples, Everything::samples());
    assert!(samples.iter().all(|sample| (3..=4).contains(&sample.tight) && sample.short.len() <= 3));
    assert!(samples.iter().all(|sample| sample.share > 0.0 && sample.share < 1.0 && sample.positive > 0.0));
    let default = serde_json::to_value(Everything::default()).unwrap();
    let sample = serde_json::to_value(&samples[1]).unwrap();
    for (name, value) in sample.as_object().unwrap() {
        assert!(name == "unit" || default[name] != *value, "{name} is its default, {value}");
    }
    let mut numbers = Vec::new();
    collect(&sample["row"], &mut numbers);
    numbers.dedup();
    assert_eq!(numbers.len(), 4, "no two are the same, so that a swap shows: {numbers:?}");
}

fn collect(value: &Value, numbers: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, numbers)),
        other => numbers.push(other.to_string()),
    }
}
