//! The components of the bundle: what is stored of each, its unit, its range, and the default that a cold start has.
//!
//! A field that a document lacks takes the value that the component's own default has there, never the type's zero:
//! each struct has a `Default` and `#[serde(default)]` on the whole of it. What is left out on purpose, and how it comes
//! back, is in `docs/MARKET.md`.

pub mod baseline;
pub mod enhanced;
pub mod ensemble;
pub mod fill_rate;
pub mod informed_flow;
pub mod kappa;
pub mod kelly;
pub mod kill_switch;
pub mod learned;
pub mod metadata;
pub mod momentum;
pub mod pre_fill;
pub mod quote_outcomes;
pub mod readiness;
pub mod regime;
pub mod rl;
pub mod vol_filter;

/// Makes a type the first version of its kind.
macro_rules! first_version {
    ($type:ty, $kind:literal) => {
        impl ckpt_format::Stored for $type {
            const KIND: &'static str = $kind;
            const VERSION: u32 = 1;
            type Previous = ckpt_format::FirstVersion;

            fn migrate(previous: ckpt_format::FirstVersion) -> Result<Self, ckpt_format::MigrateError> {
                match previous {}
            }
        }
    };
}
pub(crate) use first_version;

/// Probabilities of the four regimes before anything was seen: calm, normal, volatile, extreme.
pub(crate) const REGIME_PRIOR: [f64; 4] = [0.1, 0.7, 0.15, 0.05];
