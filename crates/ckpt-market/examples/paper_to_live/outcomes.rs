//! What became of quotes, by their spread.

use ckpt_market::component::quote_outcomes::QuoteOutcomes;
use ckpt_market::live::LiveComponent;

/// Fills and expiries. A quote here lasts one step, so that none is pending when the state is saved.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Outcomes {
    state: QuoteOutcomes,
}

impl Outcomes {
    /// A quote of that half spread was filled, or was not.
    pub(crate) fn resolved(&mut self, half_spread_bps: f64, filled: bool) {
        let spread = 2.0 * half_spread_bps;
        let bin = self.state.bins.iter_mut().find(|bin| bin.lo_bps <= spread && spread < bin.hi_bps);
        if let Some(bin) = bin {
            bin.total += 1;
            bin.fills += u64::from(filled);
        }
    }
}

impl LiveComponent for Outcomes {
    type Checkpoint = QuoteOutcomes;

    fn to_checkpoint(&self) -> QuoteOutcomes {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &QuoteOutcomes) {
        self.state.clone_from(checkpoint);
    }
}
