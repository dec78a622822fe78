//! Names of the sections. Three of them hold the same kind: kappa.

macro_rules! names {
    ($($name:ident = $text:literal: $what:literal;)*) => {
        $(#[doc = $what] pub const $name: &str = $text;)*

        /// Every section of the bundle, in the order in which they are written.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

names! {
    METADATA = "metadata": "Of which asset, when, for how long, and where it comes from.";
    LEARNED_PARAMS = "learned_params": "Learned parameters.";
    PRE_FILL = "pre_fill": "Classifier before a fill.";
    ENHANCED = "enhanced": "Classifier with ten features.";
    VOL_FILTER = "vol_filter": "Volatility.";
    REGIME_HMM = "regime_hmm": "Regime.";
    INFORMED_FLOW = "informed_flow": "Flow.";
    FILL_RATE = "fill_rate": "Fill rate.";
    KAPPA_OWN = "kappa_own": "Kappa of own fills.";
    KAPPA_BID = "kappa_bid": "Kappa of bids.";
    KAPPA_ASK = "kappa_ask": "Kappa of asks.";
    MOMENTUM = "momentum": "Momentum.";
    KELLY_TRACKER = "kelly_tracker": "Kelly sizing.";
    ENSEMBLE_WEIGHTS = "ensemble_weights": "Ensemble.";
    RL_Q_TABLE = "rl_q_table": "Q-table.";
    KILL_SWITCH = "kill_switch": "Kill switch.";
    READINESS = "readiness": "Readiness.";
    QUOTE_OUTCOMES = "quote_outcomes": "Outcomes of quotes.";
    BASELINE_TRACKER = "baseline_tracker": "Baseline of rewards.";
}
