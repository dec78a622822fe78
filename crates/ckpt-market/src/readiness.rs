//! Readiness: what the bundle shows the gate, the stamp of every save, and the judgement at load.

use ckpt_format::Timestamp;
use ckpt_gate::{Assessment, Evidence, Required, Thresholds, ThresholdsConfig, Verdict};

use crate::bundle::{MarketBundle, StampedBundle};
use crate::component::readiness::{PriorVerdict, Readiness, StampedMinimum, StampedThresholds};

/// Name of the count of the volatility filter.
pub const VOL: &str = "vol";
/// Name of the count of own fills.
pub const KAPPA: &str = "kappa";
/// Name of the count of labelled fills.
pub const ADVERSE_SELECTION: &str = "adverse_selection";
/// Name of the count of the regime model.
pub const REGIME: &str = "regime";
/// Name of the count of the fill rate.
pub const FILL_RATE: &str = "fill_rate";
/// Name of the count of wins and losses.
pub const KELLY_FILLS: &str = "kelly_fills";

/// The market maker's thresholds as a file has them: half an hour, 200 observations of volatility, regime and fill rate, 50
/// of kappa, 100 labelled fills, 20 wins and losses, three of five for marginal, four hours of age.
pub fn thresholds_config() -> ThresholdsConfig {
    ThresholdsConfig {
        version: 1,
        session_seconds_min: 1_800.0,
        core: vec![
            Required::new(VOL, 200),
            Required::new(KAPPA, 50),
            Required::new(ADVERSE_SELECTION, 100),
            Required::new(REGIME, 200),
            Required::new(FILL_RATE, 200),
        ],
        marginal_core_min: 3,
        fills: Some(Required::new(KELLY_FILLS, 20)),
        age_seconds_max: Some(14_400.0),
        allow_marginal: true,
    }
}

/// What the bundle shows: its counts, without an age. Kappa counts what it ever saw, not what its window holds now.
pub fn evidence(bundle: &MarketBundle) -> Evidence {
    Evidence::default()
        .count(VOL, bundle.vol_filter.observation_count)
        .count(KAPPA, bundle.kappa_own.total_observations.max(bundle.kappa_own.observation_count))
        .count(ADVERSE_SELECTION, bundle.pre_fill.learning_samples)
        .count(REGIME, bundle.regime_hmm.observation_count)
        .count(FILL_RATE, bundle.fill_rate.observation_count)
        .count(KELLY_FILLS, bundle.kelly_tracker.fills())
        .session_seconds(bundle.metadata.session_duration_s)
        .cumulative_seconds(bundle.metadata.cumulative_duration_s.max(bundle.metadata.session_duration_s))
}

/// Judges a bundle at `now`, its age included. One that does not say when it was taken is of unknown age.
pub fn judge(bundle: &MarketBundle, now: Timestamp, thresholds: &Thresholds) -> Assessment {
    let age = bundle.metadata.taken_at().map_or(f64::NAN, |taken| now.seconds_since(taken));
    thresholds.assess(&evidence(bundle).age_seconds(age))
}

/// The verdict that a stamp holds. It is history: [`judge`] says what it is worth now.
pub fn verdict_at_save(readiness: &Readiness) -> Verdict {
    match readiness.verdict {
        PriorVerdict::Ready => Verdict::Ready,
        PriorVerdict::Marginal => Verdict::Marginal,
        PriorVerdict::Insufficient => Verdict::Insufficient,
    }
}

/// The evidence that a stamp was judged by, without an age.
pub fn evidence_at_save(readiness: &Readiness) -> Evidence {
    Evidence::default()
        .count(VOL, readiness.vol_observations)
        .count(KAPPA, readiness.kappa_observations)
        .count(ADVERSE_SELECTION, readiness.as_learning_samples)
        .count(REGIME, readiness.regime_observations)
        .count(FILL_RATE, readiness.fill_rate_observations)
        .count(KELLY_FILLS, readiness.kelly_fills)
        .session_seconds(readiness.session_duration_s)
        .cumulative_seconds(readiness.cumulative_duration_s.max(readiness.session_duration_s))
}

/// The thresholds that a stamp was held against; none if it does not say, or says what can't be meant.
///
/// ```
/// use ckpt_market::{MarketBundle, preset, readiness};
///
/// let gate = preset().gate;
/// let stamped = MarketBundle::default().stamp(&gate);
/// assert_eq!(readiness::thresholds_at_save(stamped.readiness()), Some(gate));
/// ```
pub fn thresholds_at_save(readiness: &Readiness) -> Option<Thresholds> {
    let stamped = &readiness.thresholds;
    let required = |minimum: &StampedMinimum| Required::new(minimum.name.as_str(), minimum.min);
    let config = ThresholdsConfig {
        version: stamped.version,
        session_seconds_min: stamped.session_seconds_min,
        core: stamped.core.iter().map(required).collect(),
        marginal_core_min: stamped.marginal_core_min,
        fills: stamped.fills.first().map(required),
        age_seconds_max: (stamped.age_seconds_max != f64::INFINITY).then_some(stamped.age_seconds_max),
        allow_marginal: stamped.allow_marginal,
    };
    // Version 0 is refused, and so is more than one count of fills.
    if stamped.fills.len() > 1 { None } else { Thresholds::new(config).ok() }
}

impl MarketBundle {
    /// Judges the state as it is now and stamps it: the only way to something that can be saved.
    ///
    /// ```
    /// use ckpt_format::Bundle as _;
    /// use ckpt_market::{MarketBundle, preset};
    ///
    /// let stamped = MarketBundle::default().stamp(&preset().gate);
    /// assert_eq!(stamped.to_sections()?.len(), 19);
    /// # Ok::<(), ckpt_format::EncodeError>(())
    /// ```
    pub fn stamp(self, thresholds: &Thresholds) -> StampedBundle {
        let readiness = readiness(&self, thresholds);
        StampedBundle::new(self, readiness)
    }
}

fn readiness(bundle: &MarketBundle, thresholds: &Thresholds) -> Readiness {
    let evidence = evidence(bundle);
    let assessment = thresholds.assess(&evidence);
    let count = |name: &str| evidence.counts.get(name).copied().unwrap_or_default();
    Readiness {
        verdict: match assessment.verdict() {
            Verdict::Ready => PriorVerdict::Ready,
            Verdict::Marginal => PriorVerdict::Marginal,
            Verdict::Insufficient => PriorVerdict::Insufficient,
        },
        vol_observations: count(VOL),
        kappa_observations: count(KAPPA),
        as_learning_samples: count(ADVERSE_SELECTION),
        regime_observations: count(REGIME),
        fill_rate_observations: count(FILL_RATE),
        kelly_fills: count(KELLY_FILLS),
        session_duration_s: bundle.metadata.session_duration_s,
        cumulative_duration_s: evidence.cumulative_seconds.unwrap_or_default(),
        estimators_ready: u8::try_from(assessment.core_met()).unwrap_or(u8::MAX),
        thresholds: stamped(thresholds),
    }
}

fn stamped(thresholds: &Thresholds) -> StampedThresholds {
    let config = thresholds.config();
    let minimum = |required: &Required| StampedMinimum { name: required.name.clone(), min: required.min };
    StampedThresholds {
        version: config.version,
        session_seconds_min: config.session_seconds_min,
        core: config.core.iter().map(minimum).collect(),
        marginal_core_min: config.marginal_core_min,
        fills: config.fills.iter().map(minimum).collect(),
        age_seconds_max: config.age_seconds_max.unwrap_or(f64::INFINITY),
        allow_marginal: config.allow_marginal,
    }
}
