//! Changes that the plain words of a type hide: in a type of its own, in the keys of a map, in what only a save of nothing shows.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use ckpt_format::FirstVersion;
use ckpt_format::describe::{Described, Kinds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A module with a kind of these fields, and what stands in them.
macro_rules! hidden {
    ($($(#[$meta:meta])* $module:ident $kind:literal $codec:ident { $($fields:tt)* } $({ $($inside:item)* })?;)*) => {
        $(pub(crate) mod $module {
            use super::*;

            $($($inside)*)?

            kind! { $(#[$meta])* struct Held: $kind 1 $codec, from FirstVersion; $($fields)* }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<Held>()
            }
        })*
    };
}

hidden! {
    in_bps "priced" Json {
        half: Width = Width(0.0), Width(1.0);
        steps: Vec<Width> = vec![], vec![Width(1.0)];
        floor: Option<Width> = None, Some(Width(1.0));
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(extend("x-unit" = "bps"))]
        pub(crate) struct Width(f64);
    };
    in_usd "priced" Json {
        half: Width = Width(0.0), Width(1.0);
        steps: Vec<Width> = vec![], vec![Width(1.0)];
        floor: Option<Width> = None, Some(Width(1.0));
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(extend("x-unit" = "USD"))]
        pub(crate) struct Width(f64);
    };
    in_bps_and_more "priced" Json {
        half: Width = Width(0.0), Width(1.0);
        steps: Vec<Width> = vec![], vec![Width(1.0)];
        floor: Option<Width> = None, Some(Width(1.0));
        #[serde(default)] more: Vec<Width> = vec![], vec![Width(2.0)];
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[schemars(extend("x-unit" = "bps"))]
        pub(crate) struct Width(f64);
    };
    bare_list "bounded" Json { weights: Vec<f64> = vec![], vec![1.0]; };
    bounded_list "bounded" Json { #[schemars(inner(range(min = 0)))] weights: Vec<f64> = vec![], vec![1.0]; };
    list_in_usd "bounded" Json { #[schemars(extend("x-unit" = "USD"))] weights: Vec<f64> = vec![], vec![1.0]; };

    by_wide_numbers "by_number" Json { by: BTreeMap<u64, f64> = BTreeMap::new(), [(1, 2.0)].into(); };
    by_narrow_numbers "by_number" Json { by: BTreeMap<u8, f64> = BTreeMap::new(), [(1, 2.0)].into(); };
    by_three "by_side" Json { by: BTreeMap<Side, f64> = BTreeMap::new(), [(Side::Bid, 1.0)].into(); } {
        /// With a meaning each.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum Side {
            /// Bids.
            Bid,
            /// Asks.
            Ask,
            /// Both.
            Both,
        }
    };
    by_three_again "by_side" Json { by: BTreeMap<Side, f64> = BTreeMap::new(), [(Side::Bid, 1.0)].into(); } {
        /// In another order.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum Side {
            /// Both.
            Both,
            /// Asks.
            Ask,
            /// Bids.
            Bid,
        }
    };
    by_two "by_side" Json { by: BTreeMap<Side, f64> = BTreeMap::new(), [(Side::Bid, 1.0)].into(); } {
        /// With a meaning each, in another order.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum Side {
            /// Asks.
            Ask,
            /// Bids.
            Bid,
        }
    };
    by_plain_names "by_name" Json {
        by: BTreeMap<Side, Level> = BTreeMap::new(), [(Side::Bid, Level { mid: 1.0 })].into();
        rows: Vec<BTreeMap<Side, f64>> = vec![], vec![[(Side::Ask, 1.0)].into()];
    } {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum Side { Bid, Ask }
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct Level { mid: f64 }
    };

    with_an_enum "flat" Json {
        x: f64 = 0.0, 1.0;
        y: f64 = 0.0, 2.0;
        #[serde(flatten)] state: State = State::Level(0.0), State::Level(1.0);
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum State { Level(f64) }
    };
    with_an_enum_and_less "flat" Json {
        x: f64 = 0.0, 1.0;
        #[serde(flatten)] state: State = State::Level(0.0), State::Level(1.0);
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) enum State { Level(f64) }
    };

    with_a_map "open" Json { x: f64 = 0.0, 1.0; #[serde(flatten)] by: BTreeMap<String, u64> = BTreeMap::new(), BTreeMap::new(); };
    with_a_narrower_map "open" Json { x: f64 = 0.0, 1.0; #[serde(flatten)] by: BTreeMap<String, u8> = BTreeMap::new(), BTreeMap::new(); };

    #[serde(rename_all = "kebab-case")] kebab "kebab" Json { half_spread: f64 = 0.0, 1.0; };
    #[serde(rename_all = "kebab-case")] kebab_and_more "kebab" Json {
        half_spread: f64 = 0.0, 1.0;
        spread_floor: f64 = 0.0, 2.0;
    };
    #[serde(default)] empty "empty" Json {};
    #[serde(default)] no_more_empty "empty" Json { half: f64 = 0.5, 1.0; };

    #[serde(default)] deep "deep" Json {
        next: Option<Box<Held>> = None, (0..40).fold(None, |next, _| {
            Some(Box::new(Held { next, by: [("a".to_owned(), 1)].into() }))
        });
        by: BTreeMap<String, u8> = BTreeMap::new(), [("a".to_owned(), 1)].into();
    };
    left_out "left_out" Json { #[serde(skip_serializing_if = "is_nothing")] half: f64 = 0.0, 1.0; } {
        fn is_nothing(half: &f64) -> bool {
            *half == 0.0
        }
    };
    left_out_of_bytes "left_out_of_bytes" Bincode {
        #[serde(skip_serializing_if = "Option::is_none")] half: Option<f64> = None, Some(1.0);
    };

    by_no_zero "by_no_zero" Bincode { by: BTreeMap<NonZeroU32, f64> = BTreeMap::new(), [(NonZeroU32::MAX, 1.0)].into(); };

    itself "itself" Bincode {
        tree: Tree = Tree(vec![]), Tree(vec![Tree(vec![])]);
        chain: Chain = Chain(0, None), Chain(1, Some(Box::new(Chain(2, None))));
    } {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct Tree(Vec<Tree>);
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct Chain(u8, Option<Box<Chain>>);
    };
}

/// Two variants that each refuse a zero: no sample can be both.
pub(crate) mod picky_variants {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    pub(crate) enum Either {
        One(NonZeroU32),
        Other { of: NonZeroU32 },
    }

    impl ckpt_format::Stored for Either {
        const KIND: &'static str = "either";
        const VERSION: u32 = 1;
        const CODEC: ckpt_format::Codec = ckpt_format::Codec::Bincode;
        type Previous = FirstVersion;

        fn migrate(previous: FirstVersion) -> Result<Self, ckpt_format::MigrateError> {
            match previous {}
        }
    }

    impl Described for Either {}

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add_without_default::<Either>()
    }
}

/// A stored type inside itself, with samples from its schema, and what it holds beside.
macro_rules! rooted {
    ($($module:ident { $($field:ident)? };)*) => {
        $(pub(crate) mod $module {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
            #[serde(default)]
            pub(crate) struct Node {
                next: Option<Box<Node>>,
                inside: Vec<Node>,
                by: BTreeMap<String, Leaf>,
                $($field: f64,)?
            }

            #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
            #[serde(default)]
            pub(crate) struct Leaf {
                leaves: Vec<Leaf>,
                $($field: f64,)?
            }

            impl ckpt_format::Stored for Node {
                const KIND: &'static str = "node";
                const VERSION: u32 = 1;
                type Previous = FirstVersion;

                fn migrate(previous: FirstVersion) -> Result<Self, ckpt_format::MigrateError> {
                    match previous {}
                }
            }

            impl Described for Node {}

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<Node>().part::<Leaf>()
            }
        })*
    };
}

rooted! {
    rooted {};
    rooted_and_more { height };
}

/// Two types of one name, of which one has its default on the field.
pub(crate) mod namesakes {
    use super::*;

    mod book {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub(crate) struct Cell {
            #[serde(default)]
            mu: f64,
        }

        impl Default for Cell {
            fn default() -> Self {
                Self { mu: 0.5 }
            }
        }
    }

    mod grid {
        use super::*;

        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default)]
        pub(crate) struct Cell {
            mu: f64,
        }
    }

    kind! {
        #[serde(default)] struct Book: "book" 1 Json, from FirstVersion;
        cells: Vec<book::Cell> = vec![], vec![book::Cell::default()];
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<Book>().part::<book::Cell>().part::<grid::Cell>()
    }
}

/// A step into a map.
macro_rules! steps {
    ($($module:ident: |$old:ident| $migrate:expr;)*) => {
        $(pub(crate) mod $module {
            use super::*;

            kind! {
                #[serde(default)] struct Before: "mapped" 1 Json, from FirstVersion;
                by: BTreeMap<String, f64> = BTreeMap::new(), [("BTC".to_owned(), 1.0)].into();
            }

            kind! {
                #[serde(default)] struct After: "mapped" 2 Json, from Before, |$old| Ok($migrate);
                by: BTreeMap<String, f64> = BTreeMap::new(), [("BTC".to_owned(), 1.0)].into();
                floor: f64 = 0.0, 1.0;
            }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<After>()
            }
        })*
    };
}

steps! {
    kept: |old| After { by: old.by, floor: 2.0 };
    entered: |old| After { by: old.by.into_iter().chain([("ETH".to_owned(), 3.0)]).collect(), floor: 2.0 };
}
