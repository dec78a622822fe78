//! Bounds of every number that a quote could be made from.

use super::report::{Finding, RestoreReport};
use super::sigma::SigmaCap;
use crate::bundle::{MarketBundle, names};
use crate::component::fill_rate::FillRate;
use crate::component::kappa::Kappa;
use crate::component::learned::{BayesianParam, Family, LearnedParams};
use crate::component::quote_outcomes::QuoteOutcomes;

/// Brings every number into its bounds, and notes each that was not.
///
/// A number that is NaN or infinite where it can't be becomes its default, and so does one that would have to be more than 0;
/// any other that is too large or small becomes the nearest that is allowed.
pub fn check(bundle: &mut MarketBundle, sigma: &SigmaCap, report: &mut RestoreReport) {
    let default = MarketBundle::default();
    learned(&mut bundle.learned_params, report);

    let mut vol = Bounds { component: names::VOL_FILTER, report };
    let why = "it is at most the cap on volatility";
    vol.above(&mut bundle.vol_filter.sigma_mean, "sigma_mean", default.vol_filter.sigma_mean);
    vol.within(&mut bundle.vol_filter.sigma_mean, "sigma_mean", 0.0, sigma.max(), why);
    vol.finite(&mut bundle.vol_filter.sigma_std, "sigma_std", default.vol_filter.sigma_std);
    let why = "it is from 0 to the cap on volatility";
    vol.within(&mut bundle.vol_filter.sigma_std, "sigma_std", 0.0, sigma.max(), why);
    vol.shares(&mut bundle.vol_filter.regime_probs, "regime_probs", &default.vol_filter.regime_probs);

    let mut regime = Bounds { component: names::REGIME_HMM, report };
    regime.shares(&mut bundle.regime_hmm.belief, "belief", &default.regime_hmm.belief);
    for (row, counts) in bundle.regime_hmm.transition_counts.iter_mut().enumerate() {
        for (column, count) in counts.iter_mut().enumerate() {
            regime.count(count, &format!("transition_counts[{row}][{column}]"));
        }
    }

    let mut flow = Bounds { component: names::INFORMED_FLOW, report };
    let shares = &default.informed_flow.mixing_weights;
    flow.shares(&mut bundle.informed_flow.mixing_weights, "mixing_weights", shares);
    let params =
        bundle.informed_flow.component_params.iter_mut().zip(&default.informed_flow.component_params);
    for (at, (params, default)) in params.enumerate() {
        let field = |name: &str| format!("component_params[{at}].{name}");
        flow.finite(&mut params.mu_size, &field("mu_size"), default.mu_size);
        flow.above(&mut params.sigma_size, &field("sigma_size"), default.sigma_size);
        flow.above(&mut params.lambda_0, &field("lambda_0"), default.lambda_0);
        flow.finite(&mut params.alpha, &field("alpha"), default.alpha);
        flow.within(&mut params.alpha, &field("alpha"), 0.0, 1.0, "it is a fraction");
        flow.above(&mut params.beta, &field("beta"), default.beta);
        flow.finite(&mut params.impact_per_unit, &field("impact_per_unit"), default.impact_per_unit);
        flow.above(&mut params.impact_variance, &field("impact_variance"), default.impact_variance);
    }

    fill_rate(&mut bundle.fill_rate, &default.fill_rate, report);
    kappa(&mut bundle.kappa_own, names::KAPPA_OWN, report);
    kappa(&mut bundle.kappa_bid, names::KAPPA_BID, report);
    kappa(&mut bundle.kappa_ask, names::KAPPA_ASK, report);

    let mut momentum = Bounds { component: names::MOMENTUM, report };
    let probabilities = bundle.momentum.continuation_by_magnitude.iter_mut().enumerate();
    for (bucket, probability) in probabilities {
        momentum.probability(probability, &format!("continuation_by_magnitude[{bucket}]"), 0.5);
    }
    momentum.probability(&mut bundle.momentum.prior_continuation, "prior_continuation", 0.5);

    classifiers(bundle, &default, report);
    sizing(bundle, &default, report);
}

/// Bounds of one component, with the report that each clamp goes to.
struct Bounds<'a> {
    component: &'static str,
    report: &'a mut RestoreReport,
}

impl Bounds<'_> {
    fn reset(&mut self, field: &str, why: &'static str) {
        self.report.note(self.component, Finding::Reset { field: field.to_owned(), why });
    }

    fn set(&mut self, value: &mut f64, field: &str, to: f64, why: &'static str) {
        let finding = Finding::Clamped { field: field.to_owned(), from: *value, to, why };
        self.report.note(self.component, finding);
        *value = to;
    }

    fn finite(&mut self, value: &mut f64, field: &str, default: f64) {
        if !value.is_finite() {
            self.set(value, field, default, "it is a finite number");
        }
    }

    fn above(&mut self, value: &mut f64, field: &str, default: f64) {
        if !(value.is_finite() && *value > 0.0) {
            self.set(value, field, default, "it is a finite number above 0");
        }
    }

    fn count(&mut self, value: &mut f64, field: &str) {
        if !(value.is_finite() && *value >= 0.0) {
            self.set(value, field, 0.0, "it is a finite number, at least 0");
        }
    }

    fn within(&mut self, value: &mut f64, field: &str, min: f64, max: f64, why: &'static str) {
        let bounded = value.clamp(min, max);
        if bounded != *value {
            self.set(value, field, bounded, why);
        }
    }

    fn probability(&mut self, value: &mut f64, field: &str, default: f64) {
        self.finite(value, field, default);
        self.within(value, field, 0.0, 1.0, "it is a probability");
    }

    /// Shares of one whole; a sum that is off is brought to 1.
    fn shares(&mut self, values: &mut [f64], field: &str, default: &[f64]) {
        let sum: f64 = values.iter().sum();
        let usable =
            values.iter().all(|value| value.is_finite() && *value >= 0.0) && sum.is_finite() && sum > 0.0;
        if values.len() != default.len() || !usable {
            self.reset(field, "shares are finite, at least 0, and more than 0 together");
            values.copy_from_slice(default);
        } else if (sum - 1.0).abs() > 1e-6 {
            let finding = Finding::Clamped {
                field: format!("{field} (sum)"),
                from: sum,
                to: 1.0,
                why: "shares are 1 together",
            };
            self.report.note(self.component, finding);
            values.iter_mut().for_each(|value| *value /= sum);
        }
    }
}

fn learned(params: &mut LearnedParams, report: &mut RestoreReport) {
    let default = LearnedParams::default();
    let mut bounds = Bounds { component: names::LEARNED_PARAMS, report };
    for ((name, param), (_, default)) in params.each_mut().into_iter().zip(default.each()) {
        let why = match name {
            _ if param.family != default.family => "its family is another",
            _ if !(param.is_usable() && is_in_range(param)) => "its numbers are none of its family",
            "gamma_base" if param.estimate() < 0.1 => "below 0.1 quotes hold no risk premium",
            "kappa" if param.estimate() < 1.0 => "below 1 the spread has no bound",
            _ => continue,
        };
        bounds.reset(name, why);
        *param = default.clone();
    }
    let floor = &mut params.spread_floor_bps.posterior_param1;
    bounds.within(floor, "spread_floor_bps.posterior_param1", 0.0, f64::MAX, "a spread is at least 0");
}

/// A mean of 0 is finite, and so is one below it where the shape is too small for a mean and the prior's stands in.
fn is_in_range(param: &BayesianParam) -> bool {
    let is_signed = param.family == Family::Normal;
    param.prior_strength > 0.0 && param.sum_x2 >= 0.0 && (is_signed || param.estimate() > 0.0)
}

fn fill_rate(rate: &mut FillRate, default: &FillRate, report: &mut RestoreReport) {
    let mut bounds = Bounds { component: names::FILL_RATE, report };
    bounds.above(&mut rate.lambda_0_mean, "lambda_0_mean", default.lambda_0_mean);
    bounds.above(&mut rate.lambda_0_variance, "lambda_0_variance", default.lambda_0_variance);
    bounds.count(&mut rate.lambda_0_n_obs, "lambda_0_n_obs");
    bounds.above(&mut rate.delta_char_mean, "delta_char_mean", default.delta_char_mean);
    bounds.above(&mut rate.delta_char_variance, "delta_char_variance", default.delta_char_variance);
    bounds.count(&mut rate.delta_char_n_obs, "delta_char_n_obs");
}

fn kappa(kappa: &mut Kappa, component: &'static str, report: &mut RestoreReport) {
    let mut bounds = Bounds { component, report };
    let positive = |value: f64| value.is_finite() && value > 0.0;
    let sum = |value: f64| value.is_finite() && value >= 0.0;
    // A rate that is hardly more than 0 makes a mean that is no number, a shape that is makes one of 0.
    let usable = positive(kappa.prior_alpha) && positive(kappa.prior_beta);
    if !(usable && positive(kappa.prior_alpha / kappa.prior_beta)) {
        bounds.reset("prior", "shape, rate and their mean are finite and above 0");
        (kappa.prior_alpha, kappa.prior_beta) = (Kappa::default().prior_alpha, Kappa::default().prior_beta);
    }
    let (alpha, beta) = kappa.posterior();
    if !(sum(kappa.sum_distances) && sum(kappa.sum_sq_distances) && positive(alpha / beta)) {
        bounds.reset(
            "window",
            "its sums are finite and at least 0, and the mean with it is finite and above 0",
        );
        (kappa.observation_count, kappa.sum_distances, kappa.sum_sq_distances) = (0, 0.0, 0.0);
    }
    if kappa.total_observations < kappa.observation_count {
        let (from, to) = (kappa.total_observations as f64, kappa.observation_count as f64);
        let why = "what is in the window was seen";
        let finding = Finding::Clamped { field: "total_observations".to_owned(), from, to, why };
        bounds.report.note(component, finding);
        kappa.total_observations = kappa.observation_count;
    }
    let (alpha, beta) = kappa.posterior();
    let mean = alpha / beta;
    let is_mean = (kappa.kappa_posterior_mean / mean - 1.0).abs() < 1e-6;
    if !is_mean {
        let why = "it is the mean of prior and window";
        bounds.set(&mut kappa.kappa_posterior_mean, "kappa_posterior_mean", mean, why);
    }
}

fn classifiers(bundle: &mut MarketBundle, default: &MarketBundle, report: &mut RestoreReport) {
    let pre_fill = &mut bundle.pre_fill;
    let mut bounds = Bounds { component: names::PRE_FILL, report };
    let weights = pre_fill.learned_weights.iter_mut().zip(default.pre_fill.learned_weights);
    for (signal, (weight, default)) in weights.enumerate() {
        bounds.probability(weight, &format!("learned_weights[{signal}]"), default);
    }
    bounds.probability(&mut pre_fill.trend_weight, "trend_weight", default.pre_fill.trend_weight);
    bounds.shares(&mut pre_fill.regime_probs, "regime_probs", &default.pre_fill.regime_probs);
    let is_square = |sum: &f64| sum.is_finite() && *sum >= 0.0;
    let usable = pre_fill.signal_outcome_sum.iter().all(|sum| sum.is_finite())
        && pre_fill.trend_outcome_sum.is_finite()
        && pre_fill.signal_sq_sum.iter().all(is_square)
        && is_square(&pre_fill.trend_sq_sum);
    if !usable {
        bounds.reset("sums", "they are finite, and those of squares at least 0");
        pre_fill.signal_outcome_sum = [0.0; 5];
        pre_fill.signal_sq_sum = [0.0; 5];
        (pre_fill.trend_outcome_sum, pre_fill.trend_sq_sum, pre_fill.learning_samples) = (0.0, 0.0, 0);
    }
    let moments = [
        ("imbalance", &mut pre_fill.imbalance_ewma_mean, &mut pre_fill.imbalance_ewma_var),
        ("flow", &mut pre_fill.flow_ewma_mean, &mut pre_fill.flow_ewma_var),
        ("funding", &mut pre_fill.funding_ewma_mean, &mut pre_fill.funding_ewma_var),
        ("regime", &mut pre_fill.regime_ewma_mean, &mut pre_fill.regime_ewma_var),
        ("changepoint", &mut pre_fill.changepoint_ewma_mean, &mut pre_fill.changepoint_ewma_var),
    ];
    for (signal, mean, variance) in moments {
        bounds.finite(mean, &format!("{signal}_ewma_mean"), 0.0);
        bounds.above(variance, &format!("{signal}_ewma_var"), 1.0);
    }
    bounds.probability(&mut pre_fill.regime_trust_prev, "regime_trust_prev", 1.0);
    bounds.finite(&mut pre_fill.bias_correction_bps, "bias_correction_bps", 0.0);

    let enhanced = &mut bundle.enhanced;
    let mut bounds = Bounds { component: names::ENHANCED, report };
    bounds.shares(&mut enhanced.learned_weights, "learned_weights", &default.enhanced.learned_weights);
    for (feature, gradient) in enhanced.weight_gradients.iter_mut().enumerate() {
        bounds.finite(gradient, &format!("weight_gradients[{feature}]"), 0.0);
    }
    bounds.count(&mut enhanced.prediction_sum, "prediction_sum");
    bounds.count(&mut enhanced.outcome_sum, "outcome_sum");
}

fn sizing(bundle: &mut MarketBundle, default: &MarketBundle, report: &mut RestoreReport) {
    let kelly = &mut bundle.kelly_tracker;
    let mut bounds = Bounds { component: names::KELLY_TRACKER, report };
    bounds.finite(&mut kelly.ewma_wins, "ewma_wins", default.kelly_tracker.ewma_wins);
    bounds.within(&mut kelly.ewma_wins, "ewma_wins", 0.0, f64::MAX, "a win is at least 0");
    bounds.finite(&mut kelly.ewma_losses, "ewma_losses", default.kelly_tracker.ewma_losses);
    bounds.within(&mut kelly.ewma_losses, "ewma_losses", 0.0, f64::MAX, "a loss has no sign");
    bounds.probability(&mut kelly.decay, "decay", default.kelly_tracker.decay);

    let mut bounds = Bounds { component: names::ENSEMBLE_WEIGHTS, report };
    let weights = &mut bundle.ensemble_weights.model_weights;
    if weights.len() == default.ensemble_weights.model_weights.len() {
        bounds.shares(weights, "model_weights", &default.ensemble_weights.model_weights);
    } else {
        bounds.reset("model_weights", "there are three models");
        weights.clone_from(&default.ensemble_weights.model_weights);
    }

    outcomes(&mut bundle.quote_outcomes, &default.quote_outcomes, report);

    let baseline = &mut bundle.baseline_tracker;
    let mut bounds = Bounds { component: names::BASELINE_TRACKER, report };
    bounds.probability(&mut baseline.decay, "decay", default.baseline_tracker.decay);
    if !baseline.ewma_reward.is_finite() {
        bounds.finite(&mut baseline.ewma_reward, "ewma_reward", 0.0);
        baseline.n_observations = 0;
    }

    let mut bounds = Bounds { component: names::RL_Q_TABLE, report };
    bounds.finite(&mut bundle.rl_q_table.total_reward, "total_reward", 0.0);

    let mut bounds = Bounds { component: names::KILL_SWITCH, report };
    bounds.finite(&mut bundle.kill_switch.daily_pnl, "daily_pnl", 0.0);
    bounds.finite(&mut bundle.kill_switch.peak_pnl, "peak_pnl", 0.0);
}

fn outcomes(outcomes: &mut QuoteOutcomes, default: &QuoteOutcomes, report: &mut RestoreReport) {
    let mut bounds = Bounds { component: names::QUOTE_OUTCOMES, report };
    let ends = |outcomes: &QuoteOutcomes| -> Vec<(f64, f64)> {
        outcomes.bins.iter().map(|bin| (bin.lo_bps, bin.hi_bps)).collect()
    };
    if ends(outcomes) != ends(default) {
        bounds.reset("bins", "they are other bins than the tracker's");
        outcomes.clone_from(default);
    }
    for (at, bin) in outcomes.bins.iter_mut().enumerate() {
        if bin.fills > bin.total {
            let (from, to) = (bin.fills as f64, bin.total as f64);
            let why = "no more quotes are filled than made";
            bounds.report.note(
                names::QUOTE_OUTCOMES,
                Finding::Clamped { field: format!("bins[{at}].fills"), from, to, why },
            );
            bin.fills = bin.total;
        }
    }
}
