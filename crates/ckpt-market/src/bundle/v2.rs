//! From version 1 to version 2: the steps of the kinds that changed.

use ckpt_format::{MigrateError, Stored};

use super::v1::{
    KappaV1, KillSwitchV1, LearnedParamsV1, MarketMetadataV1, PreFillV1, QCellV1, ReadinessV1, RlTableV1,
};
use crate::component::kappa::Kappa;
use crate::component::kill_switch::{KillSwitch, ReasonCode, Trigger};
use crate::component::learned::LearnedParams;
use crate::component::metadata::MarketMetadata;
use crate::component::pre_fill::PreFill;
use crate::component::readiness::Readiness;
use crate::component::rl::{QCell, RlTable};

macro_rules! second_version {
    ($type:ty, $previous:ty, $migrate:expr) => {
        impl Stored for $type {
            const KIND: &'static str = <$previous>::KIND;
            const VERSION: u32 = 2;
            type Previous = $previous;

            fn migrate(previous: $previous) -> Result<Self, MigrateError> {
                let migrate: fn($previous) -> Result<Self, MigrateError> = $migrate;
                migrate(previous)
            }
        }
    };
}

// Of the sessions before it nothing was kept: what is known of the lineage is this one.
second_version!(MarketMetadata, MarketMetadataV1, |v1| {
    if v1.version != 1 {
        let reason =
            format!("version is {}, and only 1 was ever written: use the program that wrote it", v1.version);
        return Err(MigrateError::new(reason));
    }
    Ok(Self {
        timestamp_ms: v1.timestamp_ms,
        asset: v1.asset,
        session_duration_s: v1.session_duration_s,
        cumulative_duration_s: v1.session_duration_s,
        ..Self::default()
    })
});

// The values are the same. What a document lacks of one parameter is now that parameter's own, not that of none.
second_version!(LearnedParams, LearnedParamsV1, |v1| Ok(v1.into()));

// The trend signal was not kept: it begins where its origin began it after every restart.
second_version!(PreFill, PreFillV1, |v1| {
    Ok(Self {
        learned_weights: v1.learned_weights,
        signal_outcome_sum: v1.signal_outcome_sum,
        signal_sq_sum: v1.signal_sq_sum,
        learning_samples: v1.learning_samples,
        regime_probs: v1.regime_probs,
        imbalance_ewma_mean: v1.imbalance_ewma_mean,
        imbalance_ewma_var: v1.imbalance_ewma_var,
        flow_ewma_mean: v1.flow_ewma_mean,
        flow_ewma_var: v1.flow_ewma_var,
        funding_ewma_mean: v1.funding_ewma_mean,
        funding_ewma_var: v1.funding_ewma_var,
        regime_trust_prev: v1.regime_trust_prev,
        regime_ewma_mean: v1.regime_ewma_mean,
        regime_ewma_var: v1.regime_ewma_var,
        changepoint_ewma_mean: v1.changepoint_ewma_mean,
        changepoint_ewma_var: v1.changepoint_ewma_var,
        normalizer_obs_count: v1.normalizer_obs_count,
        bias_correction_bps: v1.bias_correction_bps,
        bias_observation_count: v1.bias_observation_count,
        ..Self::default()
    })
});

// At least what the window held was seen.
second_version!(Kappa, KappaV1, |v1| {
    Ok(Self {
        prior_alpha: v1.prior_alpha,
        prior_beta: v1.prior_beta,
        observation_count: v1.observation_count,
        sum_distances: v1.sum_distances,
        sum_sq_distances: v1.sum_sq_distances,
        kappa_posterior_mean: v1.kappa_posterior_mean,
        total_observations: v1.observation_count,
    })
});

// The old hash was made by a function that differs between compilers: it can't be compared, so it is unknown.
second_version!(RlTable, RlTableV1, |v1| {
    let mut table = Self {
        q_entries: v1.q_entries.into_iter().map(cell).collect(),
        episodes: v1.episodes,
        total_reward: v1.total_reward,
        total_observations: v1.total_observations,
        action_space_version: v1.action_space_version,
        use_compact_state: v1.use_compact_state,
        reward_config_hash: 0,
        use_drift_bucket: v1.use_drift_bucket,
    };
    table.sort();
    Ok(table)
});

// The time was that of the save, each save renewed it: it is the latest that the trigger can have been.
second_version!(KillSwitch, KillSwitchV1, |v1| {
    let untold = [String::new()];
    let reasons = if v1.trigger_reasons.is_empty() { &untold[..] } else { &v1.trigger_reasons };
    let triggers = reasons.iter().map(|text| {
        let (code, detail) = reason(text);
        Trigger { code, triggered_at_ms: v1.triggered_at_ms, time_is_exact: false, detail: detail.to_owned() }
    });
    let triggers = if v1.triggered { triggers.collect() } else { Vec::new() };
    Ok(Self {
        triggers,
        daily_pnl: v1.daily_pnl,
        peak_pnl: v1.peak_pnl,
        figures_at_ms: if v1.triggered { v1.triggered_at_ms } else { 0 },
    })
});

// Which thresholds it was held against was not said.
second_version!(Readiness, ReadinessV1, |v1| {
    Ok(Self {
        verdict: v1.verdict,
        vol_observations: v1.vol_observations,
        kappa_observations: v1.kappa_observations,
        as_learning_samples: v1.as_learning_samples,
        regime_observations: v1.regime_observations,
        fill_rate_observations: v1.fill_rate_observations,
        kelly_fills: v1.kelly_fills,
        session_duration_s: v1.session_duration_s,
        cumulative_duration_s: v1.session_duration_s,
        estimators_ready: v1.estimators_ready,
        ..Self::default()
    })
});

/// An index beyond what an index can be stays out of range, for restoring to drop and tell.
fn cell(v1: QCellV1) -> QCell {
    let index = |index: u64| u32::try_from(index).unwrap_or(u32::MAX);
    QCell {
        state_index: index(v1.state_index),
        action_index: index(v1.action_index),
        mu_n: v1.mu_n,
        kappa_n: v1.kappa_n,
        alpha: v1.alpha,
        beta: v1.beta,
        n: v1.n,
        seeded: false,
    }
}

/// What a reason that a person gave begins with, in any case.
const BY_HAND: &str = "manual shutdown:";
/// What each restart put in front of a reason once more.
const RESTORED: &str = "manual shutdown: restored from checkpoint:";

/// Parts of the texts of old, in lower case. The first that occurs decides: a liquidation cascade is a cascade.
const TEXTS: [(&str, ReasonCode); 9] = [
    ("position runaway", ReasonCode::PositionRunaway),
    ("drawdown", ReasonCode::MaxDrawdown),
    ("daily loss", ReasonCode::MaxLoss),
    ("max loss", ReasonCode::MaxLoss),
    ("stale data", ReasonCode::StaleData),
    ("rate limit", ReasonCode::RateLimit),
    ("cascade", ReasonCode::CascadeDetected),
    ("liquidation", ReasonCode::LiquidationDetected),
    ("position", ReasonCode::MaxPosition),
];

/// The code of a reason of version 1, and its text without what restarts put in front.
fn reason(text: &str) -> (ReasonCode, &str) {
    let mut bare = text.trim();
    while let Some(rest) = without(bare, RESTORED) {
        bare = rest;
    }
    // A person's own words are never taken for a rule's.
    if let Some(words) = without(bare, BY_HAND) {
        return (ReasonCode::Manual, words);
    }
    let lower = bare.to_ascii_lowercase();
    let found = TEXTS.iter().find(|(part, _)| lower.contains(part));
    (found.map_or(ReasonCode::Other, |(_, code)| *code), bare)
}

fn without<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_version_1_become_codes_whatever_their_case_and_nesting() {
        let nested = "Manual shutdown: restored from checkpoint: Manual shutdown: restored from checkpoint: \
                      Daily loss $60.00 exceeds limit $50.00";
        for (text, code, detail) in [
            ("Liquidation cascade detected: severity 2.1", ReasonCode::CascadeDetected, None),
            ("Position runaway: 5 contracts", ReasonCode::PositionRunaway, None),
            ("Stale data: 31s", ReasonCode::StaleData, None),
            ("Rate limit errors: 3", ReasonCode::RateLimit, None),
            ("Max drawdown exceeded", ReasonCode::MaxDrawdown, None),
            ("Liquidation detected", ReasonCode::LiquidationDetected, None),
            ("Position value $30000 exceeds limit", ReasonCode::MaxPosition, None),
            (nested, ReasonCode::MaxLoss, Some("Daily loss $60.00 exceeds limit $50.00")),
            ("Manual shutdown: position looks odd", ReasonCode::Manual, Some("position looks odd")),
            (
                "Manual shutdown: restored from checkpoint: Manual shutdown: lunch",
                ReasonCode::Manual,
                Some("lunch"),
            ),
            ("", ReasonCode::Other, None),
            ("§ restored", ReasonCode::Other, None),
        ] {
            assert_eq!(reason(text), (code, detail.unwrap_or(text)), "{text}");
        }
    }
}
