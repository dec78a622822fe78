//! A JSON kind as it was released, and what people make of it.

use std::collections::BTreeMap;

use ckpt_format::FirstVersion;
use ckpt_format::describe::{Described, Kinds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) mod base {
    use super::*;

    kind! {
        /// How wide the quotes are.
        #[serde(default)] struct Spread: "spread" 1 Json, from FirstVersion;
        /// Half of the distance.
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        /// Fills so far.
        fills: u32 = 0, 7;
        /// Who asked for it.
        by: Option<String> = None, Some("desk".to_owned());
        /// Weights of the signals.
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<Spread>()
    }
}

/// Makes a module of each change: the kind `spread` with these fields.
macro_rules! spreads {
    ($($(#[$meta:meta])* $module:ident { $($fields:tt)* })*) => {
        $(pub(crate) mod $module {
            use super::*;

            kind! { $(#[$meta])* struct Spread: "spread" 1 Json, from FirstVersion; $($fields)* }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<Spread>()
            }
        })*
    };
}

spreads! {
    /// Other words, another order.
    #[serde(default)] reordered {
        fills: u32 = 0, 7;
        /// The distance, halved.
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        by: Option<String> = None, Some("desk".to_owned());
    }
    #[serde(default)] with_default {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        floor: f64 = f64::INFINITY, 9.0;
    }
    #[serde(default)] field_level_default {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        #[serde(default)] weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] other_default {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        #[serde(default = "three")] fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] changed_default {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 3.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    required {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        #[serde(default)] fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        #[serde(default = "weights")] weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    required_and_new {
        #[serde(default = "half")] #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        #[serde(default)] fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        #[serde(default = "weights")] weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        floor: f64 = 1.0, 9.0;
    }
    #[serde(default)] removed {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] renamed {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half_spread: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] renamed_in_text {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        #[serde(rename = "fillCount", alias = "fills")] fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] unwritten {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        #[serde(skip_serializing)] fills: u32 = 0, 0;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] sometimes_unwritten {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        #[serde(skip_serializing_if = "Option::is_none")] by: Option<String> = None, None;
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        sparse: Vec<Sparse> = Vec::new(), vec![Sparse { mu: Some(1.0) }, Sparse::default(), Sparse::default()];
    }
    #[serde(default)] other_types {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: Option<f64> = Some(2.5), Some(4.0);
        fills: u64 = 0, 7;
        by: Option<Vec<String>> = None, Some(vec!["desk".to_owned()]);
        weights: [f64; 4] = [0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.6, 0.1];
    }
    #[serde(default)] other_meaning {
        #[schemars(extend("x-unit" = "1"), range(min = 0, max = 1))] half: f64 = 2.5, 4.0;
        #[schemars(extend("x-unit" = "fills"))] fills: u32 = 0, 7;
        #[schemars(length(max = 8))] by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
    #[serde(default)] silent_sample {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        cells: Vec<Cell> = Vec::new(), Vec::new();
    }
    #[serde(default)] flattened {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
        #[serde(flatten)] cell: Cell = Cell::default(), Cell { mu: 1.0, kappa: 2.0 };
    }
    #[serde(default, from = "Linked")] linked {
        #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))] half: f64 = 2.5, 4.0;
        fills: u32 = 0, 7;
        by: Option<String> = None, Some("desk".to_owned());
        weights: [f64; 3] = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7];
    }
}

fn three() -> u32 {
    3
}

fn half() -> f64 {
    2.5
}

fn weights() -> [f64; 3] {
    [0.5, 0.3, 0.2]
}

/// What stands in lists and maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Cell {
    mu: f64,
    kappa: f64,
}

/// What is left out where it is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Sparse {
    #[serde(skip_serializing_if = "Option::is_none")]
    mu: Option<f64>,
}

impl Default for Cell {
    fn default() -> Self {
        Self { mu: 0.0, kappa: 0.01 }
    }
}

/// Without fills, the half takes its double.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Linked {
    #[schemars(extend("x-unit" = "bps"), range(min = 0, max = 100))]
    half: f64,
    fills: u32,
    by: Option<String>,
    weights: [f64; 3],
}

impl Default for Linked {
    fn default() -> Self {
        Self { half: 2.5, fills: 0, by: None, weights: weights() }
    }
}

impl From<Linked> for linked::Spread {
    fn from(Linked { half, fills, by, weights }: Linked) -> Self {
        Self { half: if fills == 0 { 2.0 * half } else { half }, fills, by, weights }
    }
}

/// Structs inside a kind: their zeros are held against their own `Default`.
pub(crate) mod parts {
    use super::*;

    /// `#[serde(default)]` stands on the field, where the struct has another default.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Slip {
        mu: f64,
        #[serde(default)]
        kappa: f64,
    }

    impl Default for Slip {
        fn default() -> Self {
            Self { mu: 0.0, kappa: 0.01 }
        }
    }

    kind! {
        #[serde(default)] struct Table: "table" 1 Json, from FirstVersion;
        cells: Vec<Cell> = Vec::new(), vec![Cell { mu: 1.0, kappa: 2.0 }];
        by: BTreeMap<String, Cell> = BTreeMap::new(), [("HYPE".to_owned(), Cell { mu: 3.0, kappa: 4.0 })].into();
        grid: [[f64; 2]; 2] = [[0.0; 2]; 2], [[1.0, 2.0], [3.0, 4.0]];
        pair: (u8, Cell) = (0, Cell::default()), (1, Cell { mu: 5.0, kappa: 6.0 });
    }

    // One of two that have priors of their own: what it lacks, the struct around it knows.
    #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
    pub(crate) struct Prior {
        mean: f64,
        strength: f64,
    }

    #[derive(Default, Deserialize)]
    #[serde(default, rename = "Prior")]
    struct Stored {
        mean: Option<f64>,
        strength: Option<f64>,
    }

    /// With the defaults of the struct around, and with others for what a field lacks.
    macro_rules! priors {
        ($($module:ident: $strength:literal;)*) => {
            $(mod $module {
                use super::*;

                fn low<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Prior, D::Error> {
                    let Stored { mean, strength } = Stored::deserialize(from)?;
                    Ok(Prior { mean: mean.unwrap_or(2.0), strength: strength.unwrap_or($strength) })
                }

                fn high<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Prior, D::Error> {
                    let Stored { mean, strength } = Stored::deserialize(from)?;
                    Ok(Prior { mean: mean.unwrap_or(0.0), strength: strength.unwrap_or(5.0) })
                }

                kind! {
                    #[serde(default)] struct Priors: "priors" 1 Json, from FirstVersion;
                    #[serde(deserialize_with = "low")] low: Prior = Prior { mean: 2.0, strength: 4.0 }, Prior { mean: 1.0, strength: 2.0 };
                    #[serde(deserialize_with = "high")] high: Prior = Prior { mean: 0.0, strength: 5.0 }, Prior { mean: 3.0, strength: 6.0 };
                }
            })*
        };
    }
    priors! { of_their_own: 4.0; lost: 0.0; }

    pub(crate) fn priors_of_their_own() -> Kinds {
        Kinds::new().add::<of_their_own::Priors>()
    }

    pub(crate) fn priors_lost() -> Kinds {
        Kinds::new().add::<lost::Priors>()
    }

    mod slipped {
        use super::*;

        kind! {
            #[serde(default)] struct Table: "table" 1 Json, from FirstVersion;
            cells: Vec<Slip> = Vec::new(), vec![Slip { mu: 1.0, kappa: 2.0 }];
        }
    }

    #[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(crate) enum Side {
        #[default]
        Bid,
        Ask,
    }

    /// The zero of its enum arrives, where the struct has another default.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(crate) struct Quote {
        #[serde(default)]
        side: Side,
    }

    mod sided {
        use super::*;

        kind! {
            #[serde(default)] struct Quotes: "quotes" 1 Json, from FirstVersion;
            quotes: Vec<Quote> = Vec::new(), vec![Quote { side: Side::Ask }, Quote { side: Side::Bid }];
        }
    }

    pub(crate) fn sided() -> Kinds {
        Kinds::new().add::<sided::Quotes>()
    }

    pub(crate) fn named() -> Kinds {
        Kinds::new().add::<Table>().part::<Cell>()
    }

    pub(crate) fn unnamed() -> Kinds {
        Kinds::new().add::<Table>()
    }

    pub(crate) fn slipped() -> Kinds {
        Kinds::new().add::<slipped::Table>().part::<Slip>()
    }
}

/// Enums: a kind that is one, and what becomes of its variants.
macro_rules! regimes {
    ($($(#[$meta:meta])* $module:ident { $($variants:tt)* } = [$($sample:expr),* $(,)?];)*) => {
        $(pub(crate) mod $module {
            use super::*;

            /// What the market does.
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
            $(#[$meta])*
            pub(crate) enum Regime { $($variants)* }

            impl ckpt_format::Stored for Regime {
                const KIND: &'static str = "regime";
                const VERSION: u32 = 1;
                type Previous = FirstVersion;

                fn migrate(previous: FirstVersion) -> Result<Self, ckpt_format::MigrateError> {
                    match previous {}
                }
            }

            impl Described for Regime {
                fn samples() -> Vec<Self> {
                    vec![$($sample),*]
                }
            }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add_without_default::<Regime>()
            }
        })*
    };
}

regimes! {
    plain { Calm, Wild { sigma: f64 }, Level(u8) } = [Regime::Calm, Regime::Wild { sigma: 0.5 }, Regime::Level(1)];
    one_more { Calm, Wild { sigma: f64 }, Level(u8), Halted }
        = [Regime::Calm, Regime::Wild { sigma: 0.5 }, Regime::Level(1), Regime::Halted];
    one_less { Calm, Wild { sigma: f64 } } = [Regime::Calm, Regime::Wild { sigma: 0.5 }];
    untold { Calm, Wild { sigma: f64 }, Level(u8) } = [Regime::Calm, Regime::Level(1)];
    other_data { Calm, Wild { sigma: f64 }, Level(u16) } = [Regime::Calm, Regime::Wild { sigma: 0.5 }, Regime::Level(1)];
    #[serde(tag = "is")] tagged { Calm, Wild { #[serde(default)] sigma: f64 } } = [Regime::Calm, Regime::Wild { sigma: 0.5 }];
    sampleless { Calm } = [];
}
