//! From parameters to quotes.

/// Risk aversion, per unit of squared return.
const AVERSION: f64 = 60.0;
/// Seconds for which an inventory is held, as it seems when quoting.
const HOLDING_SECONDS: f64 = 600.0;
/// How much of the half spread a full inventory shifts the quotes by.
const SKEW: f64 = 0.5;
/// How much of it the side that is in danger steps back by.
const RETREAT: f64 = 0.3;
/// Nearest and farthest half spread, a fraction of price.
const NEAREST: f64 = 0.5e-4;
const FARTHEST: f64 = 100e-4;

/// What the quotes are made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    /// Volatility, a fraction per square root of a second.
    pub(crate) sigma: f64,
    /// Fill intensity, per unit of distance.
    pub(crate) kappa: f64,
    /// What is expected of the price, from -1 to 1.
    pub(crate) expected: f64,
    /// Inventory as a share of its limit, from -1 to 1.
    pub(crate) inventory: f64,
    /// What the agent and the warm-up multiply the half spread by.
    pub(crate) spread_factor: f64,
    /// What the agent multiplies the skew by.
    pub(crate) skew_factor: f64,
}

/// Distances of the quotes from mid, fractions of price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quotes {
    /// Of the bid, below mid.
    pub(crate) bid: f64,
    /// Of the ask, above it.
    pub(crate) ask: f64,
}

impl View {
    /// Quotes around mid: what a fill is worth where orders thin out exponentially, and the risk of holding it. (Guéant, Lehalle
    /// and Fernandez-Tapia, "Dealing with the inventory risk", 2013; the term of the inventory is simplified.)
    pub(crate) fn quotes(&self) -> Quotes {
        let worth = (AVERSION / self.kappa).ln_1p() / AVERSION;
        let risk = 0.5 * AVERSION * self.sigma * self.sigma * HOLDING_SECONDS;
        let half = ((worth + risk) * self.spread_factor).clamp(NEAREST, FARTHEST);
        let shift = SKEW * half * self.inventory * self.skew_factor;
        let bid = half + shift + RETREAT * half * (-self.expected).max(0.0);
        let ask = half - shift + RETREAT * half * self.expected.max(0.0);
        Quotes { bid: bid.max(NEAREST), ask: ask.max(NEAREST) }
    }
}

impl Quotes {
    /// From bid to ask, in basis points.
    pub(crate) fn spread_bps(self) -> f64 {
        1e4 * (self.bid + self.ask)
    }
}
