//! Adverse selection before a fill: five signals, and what their weights turned out to be worth.

use ckpt_market::component::pre_fill::PreFill;
use ckpt_market::live::LiveComponent;

/// Signals in the order of the checkpoint: imbalance, flow, regime, funding, changepoint. Above 0: the price will rise.
pub(crate) type Signals = [f64; 5];

/// Labelled fills from which on the learned weights are used.
const LEARNED_FROM: u64 = 500;
/// Weight of a new signal in the running moments.
const GAIN: f64 = 0.02;

/// The classifier.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Toxicity {
    state: PreFill,
}

impl Toxicity {
    /// Takes in the signals of a step and gives them back normalised: less their mean, over their deviation, within 3.
    pub(crate) fn normalised(&mut self, signals: Signals) -> Signals {
        let state = &mut self.state;
        let moments = [
            (&mut state.imbalance_ewma_mean, &mut state.imbalance_ewma_var),
            (&mut state.flow_ewma_mean, &mut state.flow_ewma_var),
            (&mut state.regime_ewma_mean, &mut state.regime_ewma_var),
            (&mut state.funding_ewma_mean, &mut state.funding_ewma_var),
            (&mut state.changepoint_ewma_mean, &mut state.changepoint_ewma_var),
        ];
        let mut normalised = signals;
        for (signal, (mean, variance)) in normalised.iter_mut().zip(moments) {
            let surprise = *signal - *mean;
            *mean += GAIN * surprise;
            *variance = ((1.0 - GAIN) * (*variance + GAIN * surprise * surprise)).max(1e-6);
            *signal = (surprise / variance.sqrt()).clamp(-3.0, 3.0);
        }
        state.normalizer_obs_count += 1;
        normalised
    }

    /// What is to be expected of the price, from -1 (falls) to 1 (rises).
    pub(crate) fn predict(&self, normalised: &Signals) -> f64 {
        let learned = self.state.learning_samples >= LEARNED_FROM;
        let weights = if learned { self.state.learned_weights } else { PreFill::default().learned_weights };
        let sum: f64 = weights.iter().zip(normalised).map(|(weight, signal)| weight * signal).sum();
        sum.tanh()
    }

    /// Learns from a fill: the signals at its time, what was predicted, and how far the price rose, in basis points.
    pub(crate) fn learn(&mut self, normalised: &Signals, predicted: f64, rose_bps: f64) {
        let state = &mut self.state;
        let outcome = rose_bps.signum();
        let mut worth = [0.0; 5];
        for (at, signal) in normalised.iter().enumerate() {
            state.signal_outcome_sum[at] += signal * outcome;
            state.signal_sq_sum[at] += signal * signal;
            if state.signal_sq_sum[at] > 0.0 {
                worth[at] = (state.signal_outcome_sum[at] / state.signal_sq_sum[at]).max(0.0);
            }
        }
        let whole: f64 = worth.iter().sum();
        if whole > 0.0 {
            state.learned_weights = worth.map(|share| share / whole);
        }
        state.learning_samples += 1;
        state.bias_observation_count += 1;
        let error = predicted * rose_bps.abs() - rose_bps;
        state.bias_correction_bps +=
            (error - state.bias_correction_bps) / state.bias_observation_count as f64;
    }
}

impl LiveComponent for Toxicity {
    type Checkpoint = PreFill;

    fn to_checkpoint(&self) -> PreFill {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &PreFill) {
        self.state.clone_from(checkpoint);
    }
}
