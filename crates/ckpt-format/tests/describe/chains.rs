//! Kinds with a history: two versions released, then edits of the old one, of the step, of the chain.

use ckpt_format::FirstVersion;
use ckpt_format::describe::Kinds;

pub(crate) mod v1 {
    use super::*;

    kind! {
        /// Volatility in percent.
        #[serde(default)] struct Filter: "filter" 1 Json, from FirstVersion;
        #[schemars(extend("x-unit" = "%"))] vol_pct: f64 = 50.0, 20.0;
        count: u32 = 0, 3;
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<Filter>()
    }
}

/// Version 2 over some version 1.
macro_rules! filters {
    ($($(#[$meta:meta])* $module:ident: $previous:ty, |$old:ident| $migrate:expr;)*) => {
        $(pub(crate) mod $module {
            use super::*;

            kind! {
                /// Volatility as a fraction.
                $(#[$meta])* #[serde(default)] struct Filter: "filter" 2 Json, from $previous, |$old| $migrate;
                vol: f64 = 0.5, 0.2;
                count: u32 = 0, 3;
                regime: String = "calm".to_owned(), "wild".to_owned();
            }

            pub(crate) fn kinds() -> Kinds {
                Kinds::new().add::<Filter>()
            }
        })*
    };
}

filters! {
    v2: v1::Filter, |old| Ok(Filter { vol: old.vol_pct / 100.0, count: old.count, ..Filter::default() });
    cut: FirstVersion, |old| match old {};
    forgetful: v1::Filter, |old| Ok(Filter { vol: old.vol_pct / 100.0, ..Filter::default() });
    failing: v1::Filter, |old| Err(ckpt_format::MigrateError::new(format!("vol_pct is {}", old.vol_pct)));
    edited_unit: edited::unit::Filter, |old| Ok(Filter { vol: old.vol_pct / 100.0, count: old.count, ..Filter::default() });
    edited_more: edited::more::Filter, |old| Ok(Filter { vol: old.vol_pct / 100.0, count: old.count, ..Filter::default() });
}

pub(crate) mod edited {
    use super::*;

    pub(crate) mod unit {
        use super::*;

        kind! {
            #[serde(default)] struct Filter: "filter" 1 Json, from FirstVersion;
            #[schemars(extend("x-unit" = "bps"))] vol_pct: f64 = 50.0, 20.0;
            count: u32 = 0, 3;
        }
    }

    pub(crate) mod more {
        use super::*;

        kind! {
            #[serde(default)] struct Filter: "filter" 1 Json, from FirstVersion;
            #[schemars(extend("x-unit" = "%"))] vol_pct: f64 = 50.0, 20.0;
            count: u32 = 0, 3;
            regime: String = "calm".to_owned(), "wild".to_owned();
        }
    }
}

/// A bincode kind with a frozen version 1, and an edit of it.
pub(crate) mod dense {
    use super::*;

    pub(crate) mod v1 {
        use super::*;

        kind! { struct Dense: "dense" 1 Bincode, from FirstVersion; a: u32 = 0, 1; b: u32 = 0, 2; }
    }

    mod swapped {
        use super::*;

        kind! { struct Dense: "dense" 1 Bincode, from FirstVersion; b: u32 = 0, 2; a: u32 = 0, 1; }
    }

    pub(crate) mod v2 {
        use super::*;

        kind! { struct Dense: "dense" 2 Bincode, from v1::Dense, |old| Ok(Dense { a: old.a, b: old.b, c: 5 });
        a: u32 = 0, 1; b: u32 = 0, 2; c: u32 = 5, 3; }
    }

    mod over_swapped {
        use super::*;

        kind! { struct Dense: "dense" 2 Bincode, from swapped::Dense, |old| Ok(Dense { a: old.a, b: old.b, c: 5 });
        a: u32 = 0, 1; b: u32 = 0, 2; c: u32 = 5, 3; }
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<v2::Dense>()
    }

    pub(crate) fn edited() -> Kinds {
        Kinds::new().add::<over_swapped::Dense>()
    }
}

/// The kind `spread` of the JSON cases, written as bincode.
pub(crate) mod recoded {
    use super::*;

    kind! {
        #[serde(default)] struct Filter: "filter" 1 Bincode, from FirstVersion;
        #[schemars(extend("x-unit" = "%"))] vol_pct: f64 = 50.0, 20.0;
        count: u32 = 0, 3;
    }

    pub(crate) fn kinds() -> Kinds {
        Kinds::new().add::<Filter>()
    }
}
