//! Quotes under way, and what became of those before.

use std::collections::VecDeque;

use super::LiveComponent;
use crate::component::quote_outcomes::{QuoteOutcomes, SpreadBin};

/// Pending quotes, and fills and expiries by spread. The pending ones are not stored: they are gone in half a minute.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QuoteOutcomeTracker {
    state: QuoteOutcomes,
    pending: VecDeque<Pending>,
}

#[derive(Debug, Clone, PartialEq)]
struct Pending {
    at_ms: u64,
    spread_bps: f64,
    is_bid: bool,
}

/// Pending quotes at most; one more expires the oldest.
const PENDING_MAX: usize = 100;
/// How long a quote may wait, in milliseconds; one that waits longer has expired.
const PENDING_MS: u64 = 30_000;
/// Quotes in a bin before its rate is told.
const TOLD_FROM: u64 = 5;

impl QuoteOutcomeTracker {
    /// A quote was made, with its half spread in basis points.
    pub fn quoted(&mut self, now_ms: u64, half_spread_bps: f64, is_bid: bool) {
        self.expire(now_ms);
        if self.pending.len() == PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.resolve(&oldest, false);
        }
        self.pending.push_back(Pending { at_ms: now_ms, spread_bps: 2.0 * half_spread_bps, is_bid });
    }

    /// A quote of that side was filled: the newest that waits. Says whether there was one.
    pub fn filled(&mut self, is_bid: bool) -> bool {
        let newest = self.pending.iter().rposition(|quote| quote.is_bid == is_bid);
        let quote = newest.and_then(|at| self.pending.remove(at));
        if let Some(quote) = &quote {
            self.resolve(quote, true);
        }
        quote.is_some()
    }

    /// Expires what has waited too long.
    pub fn expire(&mut self, now_ms: u64) {
        let waited = |quote: &mut Pending| now_ms.saturating_sub(quote.at_ms) > PENDING_MS;
        while let Some(oldest) = self.pending.pop_front_if(waited) {
            self.resolve(&oldest, false);
        }
    }

    /// The share of quotes of that spread that were filled; none before five of them.
    pub fn fill_rate(&self, spread_bps: f64) -> Option<f64> {
        let bin = self.state.bins.iter().find(|bin| holds(bin, spread_bps))?;
        (bin.total >= TOLD_FROM).then(|| bin.fills as f64 / bin.total as f64)
    }

    fn resolve(&mut self, quote: &Pending, filled: bool) {
        if let Some(bin) = self.state.bins.iter_mut().find(|bin| holds(bin, quote.spread_bps)) {
            bin.total = bin.total.saturating_add(1);
            bin.fills = bin.fills.saturating_add(u64::from(filled));
        }
    }
}

impl LiveComponent for QuoteOutcomeTracker {
    type Checkpoint = QuoteOutcomes;

    fn to_checkpoint(&self) -> QuoteOutcomes {
        self.state.clone()
    }

    fn restore_checkpoint(&mut self, checkpoint: &QuoteOutcomes) {
        self.state.clone_from(checkpoint);
        self.pending.clear();
    }
}

fn holds(bin: &SpreadBin, spread_bps: f64) -> bool {
    bin.lo_bps <= spread_bps && spread_bps < bin.hi_bps
}
