//! Evidence that fades with age: an option of the restore.

use super::report::{Finding, RestoreReport};
use crate::bundle::{MarketBundle, names};
use crate::component::fill_rate::FillRate;
use crate::component::kappa::Kappa;
use crate::component::vol_filter::VolFilter;

/// How fast evidence fades: `exp(-age / time constant)`.
///
/// Counts and sums of evidence are worth the root of that factor, so posteriors widen; gradients, which are about a moment,
/// the factor itself. Means stay where they are, but for those that go by the root to what is believed without evidence: kappa to
/// its prior, momentum to one half, the ensemble to equal weights. The kill switch, the regime, informed flow, the learned
/// parameters, the Q-table and counts over a lifetime never fade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decay {
    time_constant_hours: f64,
    from_hours: f64,
}

/// Numbers that are no decay.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{field}` is {found}: {allowed}")]
pub struct DecayError {
    field: &'static str,
    found: f64,
    allowed: &'static str,
}

impl Decay {
    /// With a time constant (not a half-life: that is 0.69 of it) and the age from which it applies, both in hours.
    ///
    /// # Errors
    /// [`DecayError`] if the time constant is not above 0, the age negative, or either not finite.
    pub fn new(time_constant_hours: f64, from_hours: f64) -> Result<Self, DecayError> {
        let refuse = |field, found, allowed| Err(DecayError { field, found, allowed });
        if !(time_constant_hours.is_finite() && time_constant_hours > 0.0) {
            return refuse("time_constant_hours", time_constant_hours, "it is a finite number above 0");
        }
        if !(from_hours.is_finite() && from_hours >= 0.0) {
            return refuse("from_hours", from_hours, "it is a finite number, at least 0");
        }
        Ok(Self { time_constant_hours, from_hours })
    }

    /// The half-life, in hours.
    pub fn half_life_hours(self) -> f64 {
        self.time_constant_hours * std::f64::consts::LN_2
    }

    /// Lets the evidence of a bundle of this age fade, if it is old enough. Says whether it was.
    ///
    /// Called twice it fades twice; [`restore`](super::restore) knows until when it has.
    pub fn apply(self, bundle: &mut MarketBundle, age_hours: f64, report: &mut RestoreReport) -> bool {
        if age_hours.is_nan() || age_hours <= self.from_hours {
            return false;
        }
        let moment = (-age_hours / self.time_constant_hours).exp();
        let factor = moment.sqrt();
        let is_uncertain = bundle.vol_filter.sigma_std >= VolFilter::default().sigma_std;
        fade(bundle, factor, moment);
        for component in FADING.into_iter().filter(|name| !(is_uncertain && *name == names::VOL_FILTER)) {
            report.note(component, Finding::Decayed { age_hours, factor });
        }
        true
    }
}

/// Twelve hours, from half an hour on.
impl Default for Decay {
    fn default() -> Self {
        Self { time_constant_hours: 12.0, from_hours: 0.5 }
    }
}

const FADING: [&str; 12] = [
    names::PRE_FILL,
    names::ENHANCED,
    names::VOL_FILTER,
    names::FILL_RATE,
    names::KAPPA_OWN,
    names::KAPPA_BID,
    names::KAPPA_ASK,
    names::MOMENTUM,
    names::KELLY_TRACKER,
    names::ENSEMBLE_WEIGHTS,
    names::QUOTE_OUTCOMES,
    names::BASELINE_TRACKER,
];

fn fade(bundle: &mut MarketBundle, factor: f64, moment: f64) {
    let count = |count: &mut u64| *count = (*count as f64 * factor).round() as u64;
    let toward = |value: &mut f64, prior: f64| *value = factor * *value + (1.0 - factor) * prior;

    let pre_fill = &mut bundle.pre_fill;
    count(&mut pre_fill.learning_samples);
    let sums = pre_fill.signal_outcome_sum.iter_mut().chain(&mut pre_fill.signal_sq_sum);
    sums.chain([&mut pre_fill.trend_outcome_sum, &mut pre_fill.trend_sq_sum]).for_each(|sum| *sum *= factor);

    count(&mut bundle.enhanced.learning_samples);
    bundle.enhanced.weight_gradients.iter_mut().for_each(|gradient| *gradient *= moment);

    // Uncertainty grows toward the prior's and never shrinks by growing old.
    let sigma_std = &mut bundle.vol_filter.sigma_std;
    let prior = VolFilter::default().sigma_std;
    if *sigma_std < prior {
        toward(sigma_std, prior);
    }

    let FillRate { lambda_0_variance, lambda_0_n_obs, delta_char_variance, delta_char_n_obs, .. } =
        &mut bundle.fill_rate;
    let widen = |variance: &mut f64| *variance = (*variance / factor.max(0.01)).min(f64::MAX);
    [lambda_0_variance, delta_char_variance].into_iter().for_each(widen);
    [lambda_0_n_obs, delta_char_n_obs].into_iter().for_each(|observations| *observations *= factor);

    let prior = Kappa::default();
    for kappa in [&mut bundle.kappa_own, &mut bundle.kappa_bid, &mut bundle.kappa_ask] {
        toward(&mut kappa.prior_alpha, prior.prior_alpha);
        toward(&mut kappa.prior_beta, prior.prior_beta);
        let before = kappa.observation_count;
        count(&mut kappa.observation_count);
        // What is left of the count has the mean distance that it had.
        let share = if before == 0 { 0.0 } else { kappa.observation_count as f64 / before as f64 };
        kappa.sum_distances *= share;
        kappa.sum_sq_distances *= share;
        let (alpha, beta) = kappa.posterior();
        kappa.kappa_posterior_mean = alpha / beta;
    }

    let momentum = &mut bundle.momentum;
    momentum.counts_by_magnitude.iter_mut().for_each(count);
    momentum.continuation_by_magnitude.iter_mut().for_each(|probability| toward(probability, 0.5));

    count(&mut bundle.kelly_tracker.n_wins);
    count(&mut bundle.kelly_tracker.n_losses);

    let weights = &mut bundle.ensemble_weights.model_weights;
    let uniform = 1.0 / weights.len() as f64;
    weights.iter_mut().for_each(|weight| toward(weight, uniform));

    for bin in &mut bundle.quote_outcomes.bins {
        count(&mut bin.fills);
        count(&mut bin.total);
    }
    count(&mut bundle.baseline_tracker.n_observations);
}
