//! The `checkpoint.json` of the market maker's origin, as a bundle.
//!
//! The text becomes sections of the versions that it has, and those are loaded like any others: what it lacks takes its
//! default, what it has besides is told. JSON has no infinities, so where its origin had one it wrote `null`, which nothing
//! read back: here such a number takes its default, an open end of a bin becomes open again, and each is told.

mod section;

use std::fmt;

use ckpt_format::{Bundle, BundleError, BundleMode, BundleReport, Codec, EncodedSection, Stored, json};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bundle::v1::{
    KappaV1, KillSwitchV1, MarketMetadataV1, PreFillV1, QCellV1, ReadinessV1, RlTableV1,
};
use crate::bundle::{MarketBundle, StampedBundle, names};
use crate::component::baseline::Baseline;
use crate::component::enhanced::Enhanced;
use crate::component::ensemble::EnsembleWeights;
use crate::component::fill_rate::FillRate;
use crate::component::informed_flow::InformedFlow;
use crate::component::kappa::Kappa;
use crate::component::kelly::KellyTracker;
use crate::component::learned::LearnedParams;
use crate::component::metadata::MarketMetadata;
use crate::component::momentum::Momentum;
use crate::component::quote_outcomes::QuoteOutcomes;
use crate::component::readiness::Readiness;
use crate::component::regime::RegimeHmm;
use crate::component::vol_filter::VolFilter;

pub(crate) use section::load;
pub use section::{SECTION, is_text};

/// A bundle that was imported. It is judged and stamped anew before it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The state, in the current versions.
    pub bundle: MarketBundle,
    /// What its origin thought of it. After an orderly shutdown it always says Insufficient: it was not stamped there.
    pub readiness: Readiness,
    /// What happened to it.
    pub report: ImportReport,
}

/// What happened to each component, and what the text had instead of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// Components: migrated, defaulted, fields that were missing or unknown.
    pub bundle: BundleReport,
    /// Paths of the `null`s that stood for numbers: `kappa_own.prior_beta`.
    pub nulls: Vec<String>,
    /// Components that this program does not know.
    pub left: Vec<String>,
}

/// Why a text was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is not JSON: cut off, or with a number beyond f64.
    #[error("the text is damaged, it is not JSON: use an older backup")]
    NotJson(#[source] json::JsonError),
    /// It is JSON of something else.
    #[error("the text is no checkpoint of a market maker: {0}")]
    NotACheckpoint(&'static str),
    /// A component can't be read.
    #[error("a component can't be imported")]
    Component(#[from] BundleError),
    /// A component can't be written again.
    #[error("a component can't be carried over")]
    Encode(#[from] json::RefusedValue),
}

/// The first of several that could be imported, and why those before it could not.
#[derive(Debug)]
pub struct FirstGood<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub imported: Imported,
    /// The ones before it.
    pub skipped: Vec<(&'a str, ImportError)>,
}

/// None of several could be imported.
#[derive(Debug, thiserror::Error)]
#[error("none of {} checkpoints can be imported: {}", .skipped.len(), listed(.skipped))]
pub struct NoneGood {
    /// All of them, by name, with the reason.
    pub skipped: Vec<(String, ImportError)>,
}

/// Imports the text of a `checkpoint.json`.
///
/// ```
/// use ckpt_format::BundleMode;
/// use ckpt_market::import::import;
///
/// let text = br#"{
///   "metadata": {"version": 1, "timestamp_ms": 1700000000000, "asset": "ETH", "session_duration_s": 3600.0},
///   "kappa_own": {"prior_alpha": 12.0, "prior_beta": null, "observation_count": 31}
/// }"#;
/// let imported = import(text, BundleMode::Strict)?;
/// assert_eq!(imported.bundle.kappa_own.prior_beta, 0.02);
/// assert_eq!(imported.bundle.kappa_own.total_observations, 31);
/// assert_eq!(imported.report.nulls, ["kappa_own.prior_beta"]);
/// # Ok::<(), ckpt_market::import::ImportError>(())
/// ```
///
/// # Errors
/// [`ImportError`]; in strict mode also for a single component that can't be read.
pub fn import(text: &[u8], mode: BundleMode) -> Result<Imported, ImportError> {
    let value: Value = json::from_text(text).map_err(ImportError::NotJson)?;
    let Value::Object(mut parts) = value else {
        return Err(ImportError::NotACheckpoint("it is no object"));
    };
    if !parts.get(names::METADATA).is_some_and(Value::is_object) {
        return Err(ImportError::NotACheckpoint("it has no `metadata`"));
    }
    let saved_at_ms = parts.get(names::KILL_SWITCH).and_then(|switch| switch.get("saved_at_ms")?.as_u64());
    let mut sections = Sections::default();
    sections.metadata(&mut parts)?;
    sections.take::<LearnedParams>(&mut parts, names::LEARNED_PARAMS)?;
    sections.take::<PreFillV1>(&mut parts, names::PRE_FILL)?;
    sections.take::<Enhanced>(&mut parts, names::ENHANCED)?;
    sections.take::<VolFilter>(&mut parts, names::VOL_FILTER)?;
    sections.take::<RegimeHmm>(&mut parts, names::REGIME_HMM)?;
    sections.take::<InformedFlow>(&mut parts, names::INFORMED_FLOW)?;
    sections.take::<FillRate>(&mut parts, names::FILL_RATE)?;
    for name in [names::KAPPA_OWN, names::KAPPA_BID, names::KAPPA_ASK] {
        let counts_all = parts.get(name).is_some_and(|kappa| kappa.get("total_observations").is_some());
        if counts_all {
            sections.take::<Kappa>(&mut parts, name)?;
        } else {
            sections.take::<KappaV1>(&mut parts, name)?;
        }
    }
    sections.take::<Momentum>(&mut parts, names::MOMENTUM)?;
    sections.take::<KellyTracker>(&mut parts, names::KELLY_TRACKER)?;
    sections.take::<EnsembleWeights>(&mut parts, names::ENSEMBLE_WEIGHTS)?;
    sections.take::<RlTableV1>(&mut parts, names::RL_Q_TABLE)?;
    sections.take::<KillSwitchV1>(&mut parts, names::KILL_SWITCH)?;
    sections.take::<ReadinessV1>(&mut parts, names::READINESS)?;
    sections.outcomes(&mut parts)?;
    sections.take::<Baseline>(&mut parts, names::BASELINE_TRACKER)?;

    let loaded = StampedBundle::from_sections(&sections.encoded, mode)?;
    let readiness = loaded.value.readiness().clone();
    let mut bundle = loaded.value.into_bundle();
    if let Some(at) = saved_at_ms.filter(|at| *at > 0) {
        bundle.kill_switch.figures_at_ms = at;
    }
    let left = parts.into_iter().map(|(name, _)| name).collect();
    let report = ImportReport { bundle: loaded.report, nulls: sections.nulls, left };
    Ok(Imported { bundle, readiness, report })
}

/// Imports the first of several texts that can be: `latest` first, then the backups beside it from the newest on.
///
/// # Errors
/// [`NoneGood`] with the reason of each.
pub fn import_first<'a>(
    candidates: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    mode: BundleMode,
) -> Result<FirstGood<'a>, NoneGood> {
    let mut skipped = Vec::new();
    for (name, text) in candidates {
        match import(text, mode) {
            Ok(imported) => return Ok(FirstGood { name, imported, skipped }),
            Err(error) => skipped.push((name, error)),
        }
    }
    let skipped = skipped.into_iter().map(|(name, error)| (name.to_owned(), error)).collect();
    Err(NoneGood { skipped })
}

/// Sections made of the parts of a text.
#[derive(Default)]
struct Sections {
    encoded: Vec<EncodedSection>,
    nulls: Vec<String>,
}

impl Sections {
    /// Takes a part that has the shape of `T`.
    fn take<T: Stored + Default>(
        &mut self,
        parts: &mut Map<String, Value>,
        name: &str,
    ) -> Result<(), ImportError> {
        if let Some(mut value) = parts.remove(name) {
            mend(&mut value, &plain(&T::default()), name, &mut self.nulls);
            self.push::<T>(name, &value)?;
        }
        Ok(())
    }

    /// Later documents say where they come from; then they are of our second version already.
    fn metadata(&mut self, parts: &mut Map<String, Value>) -> Result<(), ImportError> {
        let later = ["source_mode", "parent_timestamp_ms", "chain_depth"];
        let Some(Value::Object(metadata)) = parts.get_mut(names::METADATA) else { return Ok(()) };
        if !later.iter().any(|field| metadata.contains_key(*field)) {
            return self.take::<MarketMetadataV1>(parts, names::METADATA);
        }
        let mode = match metadata.get("source_mode").and_then(Value::as_str) {
            Some(mode @ ("paper" | "live")) => mode.to_owned(),
            _ => "unknown".to_owned(),
        };
        metadata.insert("source_mode".to_owned(), mode.into());
        if let Some(session) = metadata.get("session_duration_s").cloned() {
            metadata.entry("cumulative_duration_s").or_insert(session);
        }
        match metadata.remove("version") {
            Some(Value::Null) => self.nulls.push(format!("{}.version", names::METADATA)),
            Some(version) if version != 1 => {
                let reason = "its metadata is of another version than 1, and only that was ever written";
                return Err(ImportError::NotACheckpoint(reason));
            }
            _ => {}
        }
        self.take::<MarketMetadata>(parts, names::METADATA)
    }

    /// Bins stand as (from, to, fills, total) there; the end of the last is infinite, which became `null` or 1e9.
    fn outcomes(&mut self, parts: &mut Map<String, Value>) -> Result<(), ImportError> {
        let Some(mut value) = parts.remove(names::QUOTE_OUTCOMES) else { return Ok(()) };
        let bins = value.get_mut("bins").and_then(Value::as_array_mut);
        for bin in bins.into_iter().flatten() {
            if let Some([lo, hi, fills, total]) = bin.as_array().map(Vec::as_slice) {
                *bin = json!({"lo_bps": lo, "hi_bps": hi, "fills": fills, "total": total});
            }
        }
        let mut default = plain(&QuoteOutcomes::default());
        open_ends(&mut default);
        mend(&mut value, &default, names::QUOTE_OUTCOMES, &mut self.nulls);
        let opened = open_ends(&mut value);
        self.nulls
            .extend(opened.into_iter().map(|at| format!("{}.bins[{at}].hi_bps", names::QUOTE_OUTCOMES)));
        self.push::<QuoteOutcomes>(names::QUOTE_OUTCOMES, &value)
    }

    fn push<T: Stored>(&mut self, name: &str, value: &Value) -> Result<(), ImportError> {
        self.encoded.push(EncodedSection {
            name: name.to_owned(),
            kind: T::KIND.to_owned(),
            version: T::VERSION,
            codec: Codec::Json,
            bytes: json::to_vec(value)?,
        });
        Ok(())
    }
}

/// A default as plain JSON. All are finite but for the end of the last bin, so there is no other `null` in it but for what is
/// not said.
fn plain(default: &impl Serialize) -> Value {
    serde_json::to_value(default).unwrap_or_default()
}

/// Takes out the ends of bins that stand for infinity: the default of an end is an open one. Gives those that were `null`.
fn open_ends(outcomes: &mut Value) -> Vec<usize> {
    let mut nulls = Vec::new();
    let bins = outcomes.get_mut("bins").and_then(Value::as_array_mut);
    for (at, bin) in bins.into_iter().flatten().enumerate() {
        let Some(bin) = bin.as_object_mut() else { continue };
        match bin.get("hi_bps") {
            Some(Value::Null) => nulls.push(at),
            Some(end) if end.as_f64().is_some_and(|end| end >= 1e9) => {}
            _ => continue,
        }
        bin.remove("hi_bps");
    }
    nulls
}

/// Puts the default in place of each `null` that stands for a number, and notes its path.
fn mend(value: &mut Value, default: &Value, path: &str, nulls: &mut Vec<String>) {
    match (value, default) {
        (value @ Value::Null, default) if !default.is_null() => {
            nulls.push(path.to_owned());
            value.clone_from(default);
        }
        (Value::Object(fields), Value::Object(defaults)) => {
            for (name, field) in fields {
                if let Some(default) = defaults.get(name) {
                    mend(field, default, &format!("{path}.{name}"), nulls);
                }
            }
        }
        (Value::Array(elements), Value::Array(defaults)) => {
            // Of the lists that are empty by default only that of the cells holds objects with numbers.
            let cell = path.ends_with(".q_entries").then(|| plain(&QCellV1::default()));
            for (at, element) in elements.iter_mut().enumerate() {
                if let Some(default) = defaults.get(at).or_else(|| defaults.last()).or(cell.as_ref()) {
                    mend(element, default, &format!("{path}[{at}]"), nulls);
                }
            }
        }
        _ => {}
    }
}

fn listed(skipped: &[(String, ImportError)]) -> String {
    let one = |(name, error): &(String, ImportError)| format!("{name}: {error}");
    skipped.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// What happened to each component, then what the text had instead of numbers and what was left.
impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bundle)?;
        if !self.nulls.is_empty() {
            writeln!(f, "null in place of a number, so the default: {}", self.nulls.join(", "))?;
        }
        if !self.left.is_empty() {
            writeln!(f, "left, no component of this program: {}", self.left.join(", "))?;
        }
        Ok(())
    }
}
