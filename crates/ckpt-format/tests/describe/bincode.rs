//! A bincode kind as it was released, and changes that its bytes would not betray.

use std::collections::BTreeMap;

use ckpt_format::FirstVersion;
use ckpt_format::describe::Kinds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Side {
    /// Bids.
    Bid,
    /// Asks, with a mark.
    Ask(u16),
    /// Both.
    Both { ratio: f32, inner: Box<Option<Side>> },
}

/// The same with the first two swapped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Swapped {
    /// Asks, with a mark.
    Ask(u16),
    /// Bids.
    Bid,
    /// Both.
    Both { ratio: f32, inner: Box<Option<Swapped>> },
}

macro_rules! grids {
    ($($module:ident { $($fields:tt)* })*) => {
        $(pub(crate) mod $module {
            use super::*;

            kind! { struct Grid: "grid" 1 Bincode, from FirstVersion; $($fields)* }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<Grid>()
            }
        })*
    };
}

grids! {
    base {
        #[schemars(extend("x-unit" = "bps"))] a: f64 = 1.0, 2.0;
        b: f64 = 1.0, 3.0;
        n: u32 = 0, 4;
        sides: Vec<Side> = vec![], vec![Side::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 2]; 3] = [[0.0; 2]; 3], [[1.0; 2]; 3];
        pair: (u8, bool) = (0, false), (1, true);
    }
    // Nothing but the order: the bytes are as long, and decode to each other's values.
    swapped_fields {
        b: f64 = 1.0, 3.0;
        #[schemars(extend("x-unit" = "bps"))] a: f64 = 1.0, 2.0;
        n: u32 = 0, 4;
        sides: Vec<Side> = vec![], vec![Side::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 2]; 3] = [[0.0; 2]; 3], [[1.0; 2]; 3];
        pair: (u8, bool) = (0, false), (1, true);
    }
    wider {
        #[schemars(extend("x-unit" = "bps"))] a: f64 = 1.0, 2.0;
        b: f64 = 1.0, 3.0;
        n: u64 = 0, 4;
        sides: Vec<Side> = vec![], vec![Side::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 3]; 2] = [[0.0; 3]; 2], [[1.0; 3]; 2];
        pair: (u8, bool) = (0, false), (1, true);
    }
    with_default {
        #[schemars(extend("x-unit" = "bps"))] a: f64 = 1.0, 2.0;
        b: f64 = 1.0, 3.0;
        n: u32 = 0, 4;
        sides: Vec<Side> = vec![], vec![Side::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 2]; 3] = [[0.0; 2]; 3], [[1.0; 2]; 3];
        pair: (u8, bool) = (0, false), (1, true);
        #[serde(default)] more: u8 = 0, 1;
    }
    swapped_variants {
        #[schemars(extend("x-unit" = "bps"))] a: f64 = 1.0, 2.0;
        b: f64 = 1.0, 3.0;
        n: u32 = 0, 4;
        sides: Vec<Swapped> = vec![], vec![Swapped::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 2]; 3] = [[0.0; 2]; 3], [[1.0; 2]; 3];
        pair: (u8, bool) = (0, false), (1, true);
    }
    other_unit {
        #[schemars(extend("x-unit" = "1"))] a: f64 = 1.0, 2.0;
        b: f64 = 1.0, 3.0;
        n: u32 = 0, 4;
        sides: Vec<Side> = vec![], vec![Side::Ask(1)];
        by: BTreeMap<(u8, i8), Option<String>> = BTreeMap::new(), BTreeMap::new();
        rows: [[f32; 2]; 3] = [[0.0; 2]; 3], [[1.0; 2]; 3];
        pair: (u8, bool) = (0, false), (1, true);
    }
}

pub(crate) mod picky {
    use super::*;

    /// A number that is never zero, and a name of exactly two letters.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(try_from = "String")]
    pub(crate) struct Code(pub(crate) String);

    impl TryFrom<String> for Code {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            if text.len() == 2 { Ok(Self(text)) } else { Err(format!("{text:?} has not two letters")) }
        }
    }

    kind! {
        struct Named: "named" 1 Bincode, from FirstVersion;
        count: std::num::NonZeroU8 = std::num::NonZeroU8::MIN, std::num::NonZeroU8::MAX;
        code: Option<Code> = None, Some(Code("AB".to_owned()));
    }

    mod silent {
        use super::*;

        kind! {
            struct Named: "named" 1 Bincode, from FirstVersion;
            count: std::num::NonZeroU8 = std::num::NonZeroU8::MIN, std::num::NonZeroU8::MAX;
            code: Option<Code> = None, None;
        }
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<Named>()
    }

    pub(crate) fn silent() -> Kinds {
        Kinds::new().add::<silent::Named>()
    }
}

#[test]
fn the_trace_is_what_the_bytes_are() {
    let shape = base::kinds().shape("grid", 1).unwrap();
    let expected = [
        ("$", "struct {a, b, n, sides, by, rows, pair}"),
        ("a", "f64"),
        ("b", "f64"),
        ("by", "map"),
        ("by{key}", "tuple 2"),
        ("by{key}[0]", "u8"),
        ("by{key}[1]", "i8"),
        ("by{}", "option"),
        ("by{}?", "str"),
        ("n", "u32"),
        ("pair", "tuple 2"),
        ("pair[0]", "u8"),
        ("pair[1]", "bool"),
        ("rows", "tuple 3"),
        ("rows[*]", "tuple 2"),
        ("rows[*][*]", "f32"),
        ("sides", "seq"),
        ("sides[]", "enum {0 Bid, 1 Ask, 2 Both}"),
        ("sides[].Ask", "u16"),
        ("sides[].Bid", "unit variant"),
        ("sides[].Both", "struct {ratio, inner}"),
        ("sides[].Both.inner", "option"),
        ("sides[].Both.inner?", "enum {0 Bid, 1 Ask, 2 Both}"),
        ("sides[].Both.inner?.Bid", "unit variant"),
        ("sides[].Both.ratio", "f32"),
    ];
    let found: Vec<(&str, &str)> =
        shape.trace.iter().map(|(path, call)| (path.as_str(), call.as_str())).collect();
    assert_eq!(found, expected);
}

/// Zero is refused by such a type, so the tracer takes what the sample has; where the sample has nothing, the place is named.
#[test]
fn a_type_that_checks_its_values_is_read_with_those_of_the_sample() {
    assert_eq!(picky::kinds().shape("named", 1).unwrap().trace["code?"], "str");
    let refused = picky::silent().check(&Default::default()).unwrap_err();
    assert_eq!((refused.0.len(), refused.0[0].path.as_str()), (1, "code?"), "{refused}");
    assert!(refused.to_string().contains("\"\" has not two letters"), "{refused}");
}
