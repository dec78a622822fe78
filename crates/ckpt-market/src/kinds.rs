//! The stored kinds of the bundle, described for the lock, and the samples that their golden files hold.
//!
//! Samples never change: they are in golden files. They are no sensible state, only one that differs from every default.

use ckpt_format::describe::{Described, Kinds};
use ckpt_format::json;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::bundle::v1::{
    KappaV1, KillSwitchV1, LearnedParamsV1, MarketMetadataV1, PreFillV1, QCellV1, ReadinessV1, RlTableV1,
};
use crate::component::baseline::Baseline;
use crate::component::enhanced::Enhanced;
use crate::component::ensemble::EnsembleWeights;
use crate::component::fill_rate::FillRate;
use crate::component::informed_flow::{FlowParams, InformedFlow};
use crate::component::kappa::Kappa;
use crate::component::kelly::KellyTracker;
use crate::component::kill_switch::{KillSwitch, ReasonCode, Trigger};
use crate::component::learned::{Family, LearnedParams};
use crate::component::metadata::{MarketMetadata, SourceMode};
use crate::component::momentum::Momentum;
use crate::component::pre_fill::PreFill;
use crate::component::quote_outcomes::{QuoteOutcomes, SpreadBin};
use crate::component::readiness::{PriorVerdict, Readiness, StampedMinimum, StampedThresholds};
use crate::component::regime::RegimeHmm;
use crate::component::rl::{QCell, RlTable};
use crate::component::vol_filter::VolFilter;

/// Every kind of the bundle, with all its versions, for the schema's documentation and its lock.
///
/// ```
/// assert_eq!(ckpt_market::kinds().names().len(), 17);
/// ```
pub fn kinds() -> Kinds {
    Kinds::new()
        .add::<MarketMetadata>()
        .add::<LearnedParams>()
        .add::<PreFill>()
        .add::<Enhanced>()
        .add::<VolFilter>()
        .add::<RegimeHmm>()
        .add::<InformedFlow>()
        .add::<FillRate>()
        .add::<Kappa>()
        .add::<Momentum>()
        .add::<KellyTracker>()
        .add::<EnsembleWeights>()
        .add::<RlTable>()
        .add::<KillSwitch>()
        .add::<Readiness>()
        .add::<QuoteOutcomes>()
        .add::<Baseline>()
        .part::<FlowParams>()
        .part::<QCell>()
        .part::<QCellV1>()
        .part::<Trigger>()
        .part::<SpreadBin>()
        .part::<StampedThresholds>()
        .part::<StampedMinimum>()
}

/// Those whose samples are made from the schema: each number within its range.
macro_rules! sampled {
    ($($type:ty),*) => {
        $(impl Described for $type {})*
    };
}
sampled!(
    PreFill,
    PreFillV1,
    Enhanced,
    VolFilter,
    RegimeHmm,
    InformedFlow,
    FillRate,
    Kappa,
    KappaV1,
    Momentum,
    KellyTracker,
    EnsembleWeights,
    Baseline
);

impl Described for MarketMetadata {
    fn samples() -> Vec<Self> {
        let modes = [SourceMode::Paper, SourceMode::Live, SourceMode::Unknown];
        let sample =
            |source_mode| Self { asset: "dex:ETH".to_owned(), source_mode, ..moved(&Self::default()) };
        modes.into_iter().map(sample).collect()
    }
}

impl Described for MarketMetadataV1 {
    fn samples() -> Vec<Self> {
        // Another version than the default's could not be migrated.
        vec![Self { version: 1, asset: "ETH".to_owned(), ..moved(&Self::default()) }]
    }
}

impl Described for LearnedParams {
    /// One a family: any parameter could be of any.
    fn samples() -> Vec<Self> {
        let families = [Family::Beta, Family::Gamma, Family::Normal, Family::InverseGamma, Family::LogNormal];
        let sample = |family| {
            let mut sample: Self = moved(&Self::default());
            for (name, param) in sample.each_mut() {
                param.name = format!("{name}_sample");
                param.family = family;
            }
            sample
        };
        families.map(sample).to_vec()
    }
}

impl Described for LearnedParamsV1 {
    fn samples() -> Vec<Self> {
        LearnedParams::samples().into_iter().map(Self::from).collect()
    }
}

impl Described for RlTable {
    fn samples() -> Vec<Self> {
        let cells = vec![
            QCell { seeded: true, ..moved(&QCell::default()) },
            QCell { state_index: 44, action_index: 24, n: 3, ..QCell::default() },
        ];
        let flags = |flag| Self {
            q_entries: cells.clone(),
            use_compact_state: Some(flag),
            use_drift_bucket: Some(!flag),
            ..moved(&Self::default())
        };
        vec![flags(true), flags(false)]
    }
}

impl Described for RlTableV1 {
    fn samples() -> Vec<Self> {
        let flags = |flag| Self {
            q_entries: vec![moved(&QCellV1::default()), QCellV1::default()],
            use_compact_state: Some(flag),
            use_drift_bucket: Some(!flag),
            ..moved(&Self::default())
        };
        vec![flags(true), flags(false)]
    }
}

impl Described for KillSwitch {
    fn samples() -> Vec<Self> {
        let trigger = |(at, code)| Trigger {
            code,
            triggered_at_ms: 1_700_000_000_000 + at as u64,
            time_is_exact: true,
            detail: format!("sample {code}"),
        };
        let triggers = ReasonCode::ALL.into_iter().enumerate().map(trigger).collect();
        vec![Self { triggers, ..moved(&Self::default()) }]
    }
}

impl Described for KillSwitchV1 {
    fn samples() -> Vec<Self> {
        let reasons = [
            "Liquidation cascade detected: severity 2.1",
            "Manual shutdown: restored from checkpoint: Daily loss $60.00 exceeds limit $50.00",
        ];
        let trigger_reasons = reasons.map(str::to_owned).to_vec();
        vec![Self { trigger_reasons, triggered_at_ms: 1_700_000_000_000, ..moved(&Self::default()) }]
    }
}

impl Described for Readiness {
    fn samples() -> Vec<Self> {
        let minimum = StampedMinimum { name: "kappa".to_owned(), min: 50 };
        let thresholds = StampedThresholds {
            core: vec![minimum.clone()],
            fills: vec![minimum],
            age_seconds_max: f64::INFINITY,
            ..moved(&StampedThresholds::default())
        };
        VERDICTS
            .map(|verdict| Self { verdict, thresholds: thresholds.clone(), ..moved(&Self::default()) })
            .to_vec()
    }
}

impl Described for ReadinessV1 {
    fn samples() -> Vec<Self> {
        VERDICTS.map(|verdict| Self { verdict, ..moved(&Self::default()) }).to_vec()
    }
}

impl Described for QuoteOutcomes {
    fn samples() -> Vec<Self> {
        let bins = [(0.0, 2.5), (2.5, 7.0), (7.0, f64::INFINITY)].into_iter().zip(3..);
        let bins = bins.map(|((lo_bps, hi_bps), n)| SpreadBin { lo_bps, hi_bps, fills: n, total: 10 * n });
        let narrow = SpreadBin { lo_bps: 1.0, hi_bps: 1.5, fills: 1, total: 2 };
        vec![Self { bins: bins.collect() }, Self { bins: vec![narrow] }]
    }
}

const VERDICTS: [PriorVerdict; 3] = [PriorVerdict::Ready, PriorVerdict::Marginal, PriorVerdict::Insufficient];

/// The same with every number and flag another one, each in its own way, so that two swapped fields show.
fn moved<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = json::to_vec(value).expect("a default can be written");
    let mut value: Value = json::from_text(&text).expect("what was written is JSON");
    let mut at = 0;
    shift(&mut value, &mut at);
    let text = serde_json::to_vec(&value).expect("a value is JSON");
    json::from_slice(&text).expect("only numbers and flags have changed").0
}

fn shift(value: &mut Value, at: &mut u32) {
    match value {
        Value::Bool(flag) => *flag = !*flag,
        Value::Number(number) => {
            *at += 1;
            let whole = number.as_u64().map(|whole| Number::from(whole + u64::from(*at)));
            let float = || Number::from_f64(number.as_f64()? + f64::from(*at) / 64.0);
            if let Some(moved) = whole.or_else(float) {
                *number = moved;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| shift(element, at)),
        Value::Object(fields) => fields.values_mut().for_each(|field| shift(field, at)),
        Value::Null | Value::String(_) => {}
    }
}
