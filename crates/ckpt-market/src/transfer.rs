//! From one market maker to another: what may be inherited, and how it enters. The rules: `docs/TRANSFER.md`.
//!
//! ```
//! use ckpt_format::Timestamp;
//! use ckpt_market::transfer::Recipient;
//! use ckpt_market::{MarketBundle, preset};
//! use ckpt_transfer::{PriorExtract as _, PriorInject as _};
//!
//! let now = Timestamp::from_millis(1_767_323_045_000);
//! let mut paper = MarketBundle::default();
//! paper.metadata.asset = "dex:HYPE".into();
//! paper.metadata.timestamp_ms = 1_767_323_000_000;
//! paper.metadata.session_duration_s = 900.0;
//! let mut live = MarketBundle::default();
//! live.metadata.asset = "HYPE".into();
//!
//! let preset = preset();
//! let mut live = Recipient::new(live, &preset);
//! let rejection = live.inject_prior(&paper.extract_prior(now), &preset.injection, now).unwrap_err();
//! assert_eq!(rejection.code(), "verdict"); // fifteen minutes, and nothing counted
//! ```

use std::collections::BTreeMap;

use ckpt_format::{Stored, Timestamp, readable_versions};
use ckpt_gate::Thresholds;
use ckpt_transfer::{
    Cell, InjectionConfig, Lineage, NormalGamma, Planner, Prior, PriorExtract, PriorInject, Proposal,
    Provenance, Receiver, Seeding, Weight,
};

use crate::bundle::{MarketBundle, names};
use crate::component::baseline::Baseline;
use crate::component::enhanced::Enhanced;
use crate::component::ensemble::EnsembleWeights;
use crate::component::fill_rate::FillRate;
use crate::component::informed_flow::InformedFlow;
use crate::component::kappa::Kappa;
use crate::component::kelly::KellyTracker;
use crate::component::learned::LearnedParams;
use crate::component::metadata::SourceMode;
use crate::component::momentum::Momentum;
use crate::component::pre_fill::PreFill;
use crate::component::quote_outcomes::QuoteOutcomes;
use crate::component::regime::RegimeHmm;
use crate::component::rl::{QCell, RlTable};
use crate::component::vol_filter::VolFilter;
use crate::preset::Preset;
use crate::readiness;
use crate::restore::report::Finding;
use crate::restore::rl::{ACTIONS, AgentShape};
use crate::restore::{RestoreRules, restore};

type Index = (u32, u32);

/// A market maker that may take a prior, by its bundle.
///
/// Live components give their state, the prior enters it, and they take it back. Its kill switch, with the figures of its day, its
/// metadata's asset and its readiness stay its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    bundle: MarketBundle,
    gate: Thresholds,
    rules: RestoreRules,
}

impl Recipient {
    /// With its state, and the thresholds and rules of the preset.
    pub fn new(bundle: MarketBundle, preset: &Preset) -> Self {
        Self { bundle, gate: preset.gate.clone(), rules: preset.restore.clone() }
    }

    /// Its state.
    pub fn bundle(&self) -> &MarketBundle {
        &self.bundle
    }

    /// Its state, for the live components to take back.
    pub fn into_bundle(self) -> MarketBundle {
        self.bundle
    }
}

/// The configuration without the learning agent: neither its table nor the baseline of its rewards is looked at.
#[must_use]
pub fn without_rl(mut config: InjectionConfig) -> InjectionConfig {
    config.skip.extend([names::RL_Q_TABLE, names::BASELINE_TRACKER].map(str::to_owned));
    config
}

/// Declares the components that are taken whole, each with how often it observed something.
macro_rules! inherited {
    ($($(#[$doc:meta])* $field:ident: $type:ty, $observations:expr;)*) => {
        /// What one market maker may hand to another.
        ///
        /// What stops it has no place in here, nor have the figures of its day:
        ///
        /// ```compile_fail
        /// let prior = ckpt_market::transfer::MarketPrior::default();
        /// let inherited = prior.kill_switch;
        /// ```
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct MarketPrior {
            $($(#[$doc])* pub $field: $type,)*
            /// The learning agent's values: they are blended, never taken whole.
            pub rl_q_table: RlTable,
        }

        /// What a plan puts in place of what the recipient has.
        #[derive(Debug)]
        pub struct MarketChange {
            $($field: Option<$type>,)*
            rl_q_table: Option<Seeding<Index, QCell>>,
            lineage: Lineage,
        }

        impl MarketPrior {
            fn of(bundle: &MarketBundle) -> Self {
                Self { $($field: bundle.$field.clone(),)* rl_q_table: bundle.rl_q_table.clone() }
            }
        }

        fn provenance_of_components(provenance: Provenance) -> Provenance {
            provenance
                $(.component(stringify!($field), <$type>::KIND, <$type>::VERSION))*
                .component(names::RL_Q_TABLE, RlTable::KIND, RlTable::VERSION)
        }

        fn readable_components(receiver: Receiver) -> Receiver {
            receiver
                $(.reads(stringify!($field), <$type>::KIND, readable_versions::<$type>()))*
                .reads(names::RL_Q_TABLE, RlTable::KIND, readable_versions::<RlTable>())
        }

        impl Recipient {
            fn plan_all(&self, planner: &mut Planner<'_, MarketPrior>) -> MarketChange {
                let (age, weight) = (planner.age_seconds(), planner.blend_weight());
                $(let $field = planner.component(stringify!($field), |prior| &prior.$field, |theirs| {
                    let observations: fn(&$type) -> u64 = $observations;
                    let lived = observations(&self.bundle.$field);
                    self.taken_whole(stringify!($field), theirs, lived, age, |bundle| &mut bundle.$field)
                });)*
                let rl_q_table = planner.component(
                    names::RL_Q_TABLE,
                    |prior| &prior.rl_q_table,
                    |theirs| self.blended(theirs, age, weight),
                );
                planner.keeps_own(names::KILL_SWITCH);
                MarketChange { $($field,)* rl_q_table, lineage: planner.lineage().clone() }
            }

            fn apply_all(&mut self, change: MarketChange) {
                let mut is_changed = false;
                $(if let Some(value) = change.$field {
                    self.bundle.$field = value;
                    is_changed = true;
                })*
                if let Some(seeding) = change.rl_q_table.filter(|seeding| !seeding.cells().is_empty()) {
                    seed(&mut self.bundle.rl_q_table, seeding, &self.rules.rl);
                    is_changed = true;
                }
                // What took nothing comes from where it came from before.
                if is_changed {
                    self.record(&change.lineage);
                }
            }
        }
    };
}

inherited! {
    /// Learned parameters.
    learned_params: LearnedParams, |params| {
        params.each().iter().map(|(_, param)| param.n_observations).fold(params.total_fills_observed, u64::max)
    };
    /// Adverse selection before a fill, by six signals.
    pre_fill: PreFill, |classifier| classifier.learning_samples;
    /// Adverse selection by ten features.
    enhanced: Enhanced, |classifier| classifier.learning_samples;
    /// Volatility.
    vol_filter: VolFilter, |filter| filter.observation_count;
    /// Regime of the market.
    regime_hmm: RegimeHmm, |regime| regime.observation_count;
    /// Informed, noise and forced flow.
    informed_flow: InformedFlow, |flow| flow.observation_count;
    /// Fill rate by depth.
    fill_rate: FillRate, |rate| rate.observation_count;
    /// Fill intensity of own fills.
    kappa_own: Kappa, fills_seen;
    /// Fill intensity of bids.
    kappa_bid: Kappa, fills_seen;
    /// Fill intensity of asks.
    kappa_ask: Kappa, fills_seen;
    /// Whether moves go on.
    momentum: Momentum, |momentum| sum(momentum.counts_by_magnitude);
    /// Wins and losses.
    kelly_tracker: KellyTracker, |kelly| kelly.fills();
    /// Trust in the models.
    ensemble_weights: EnsembleWeights, |ensemble| ensemble.total_updates;
    /// What became of quotes.
    quote_outcomes: QuoteOutcomes, |outcomes| sum(outcomes.bins.iter().map(|bin| bin.total));
    /// Baseline of rewards.
    baseline_tracker: Baseline, |baseline| baseline.n_observations;
}

impl PriorExtract for MarketBundle {
    type State = MarketPrior;

    /// The time is that of the bundle's metadata: one that lay on the disk is as old as it is, whenever it is offered.
    fn extract_prior(&self, _now: Timestamp) -> Prior<MarketPrior> {
        let provenance = Provenance {
            identity: self.metadata.asset.clone(),
            mode: mode(self.metadata.source_mode).to_owned(),
            saved_at: self.metadata.taken_at(),
            evidence: Some(readiness::evidence(self)),
            chain_depth: self.metadata.chain_depth,
            ..Provenance::default()
        };
        Prior { provenance: provenance_of_components(provenance), state: MarketPrior::of(self) }
    }
}

impl PriorInject for Recipient {
    type State = MarketPrior;
    type Change = MarketChange;

    fn receiver(&self) -> Receiver {
        let metadata = &self.bundle.metadata;
        let receiver = Receiver::new(metadata.asset.as_str(), mode(metadata.source_mode));
        readable_components(receiver).judges_by(self.gate.clone())
    }

    fn plan_components(&self, planner: &mut Planner<'_, MarketPrior>) -> MarketChange {
        self.plan_all(planner)
    }

    fn apply_change(&mut self, change: MarketChange) {
        self.apply_all(change);
    }
}

impl Cell for QCell {
    fn observations(&self) -> u64 {
        self.n
    }

    fn discounted(&self, weight: Weight) -> Self {
        let NormalGamma { mean, kappa, alpha, beta, n } = value(self).discounted(weight);
        Self { mu_n: mean, kappa_n: kappa, alpha, beta, n, seeded: true, ..self.clone() }
    }

    /// Narrower than what a restore keeps: a shape below 1 never came of observing.
    fn is_usable(&self) -> bool {
        value(self).is_usable()
    }
}

impl Recipient {
    /// A component where the live one knows nothing yet: brought into its bounds by the rules of a restore.
    fn taken_whole<T: Clone + Default + PartialEq>(
        &self,
        name: &str,
        theirs: &T,
        lived: u64,
        age_seconds: f64,
        place: fn(&mut MarketBundle) -> &mut T,
    ) -> Proposal<T> {
        if *theirs == T::default() {
            return Proposal::absent();
        }
        if lived > 0 {
            return Proposal::lived(lived);
        }
        let mut alone = MarketBundle::default();
        place(&mut alone).clone_from(theirs);
        let (mut checked, findings) = self.checked(alone, name, age_seconds);
        let proposal = Proposal::inject(place(&mut checked).clone());
        findings.iter().fold(proposal, |proposal, finding| proposal.clamped(finding.to_string()))
    }

    /// The cold cells of the table, if the two mean the same by state, action and reward.
    fn blended(&self, theirs: &RlTable, age_seconds: f64, weight: Weight) -> Proposal<Seeding<Index, QCell>> {
        if *theirs == RlTable::default() {
            return Proposal::absent();
        }
        let (theirs, findings) = self.checked_table(theirs, age_seconds);
        if let Some(refusal) = refusal(&findings) {
            return Proposal::incompatible(refusal);
        }
        let (_, own_findings) = self.checked_table(&self.bundle.rl_q_table, 0.0);
        if let Some(refusal) = refusal(&own_findings) {
            return Proposal::incompatible(format!(
                "this system's own table must be restored first: {refusal}"
            ));
        }
        let shape = &self.rules.rl;
        let fits = |(state, action): &Index| *state < shape.states() && *action < ACTIONS;
        let seeding = Seeding::plan(&by_index(&self.bundle.rl_q_table), &by_index(&theirs), weight, fits);
        let counts = seeding.counts();
        let proposal = Proposal::seed(seeding, counts);
        findings.iter().fold(proposal, |proposal, finding| proposal.clamped(finding.to_string()))
    }

    fn checked_table(&self, table: &RlTable, age_seconds: f64) -> (RlTable, Vec<Finding>) {
        let alone = MarketBundle { rl_q_table: table.clone(), ..MarketBundle::default() };
        let (checked, findings) = self.checked(alone, names::RL_Q_TABLE, age_seconds);
        (checked.rl_q_table, findings)
    }

    /// What a restore would make of one component, and what it finds there.
    fn checked(&self, mut alone: MarketBundle, name: &str, age_seconds: f64) -> (MarketBundle, Vec<Finding>) {
        // Only the distance of the two times matters: posteriors may fade with it.
        alone.metadata.timestamp_ms = 1;
        let now = Timestamp::from_millis(1 + (age_seconds * 1e3) as i64);
        let restored = restore(alone, now, &self.rules);
        let findings = restored.report.of(name).into_iter().cloned().collect();
        (restored.bundle, findings)
    }

    /// In the bundle's own words, so that the lineage is in its next save.
    fn record(&mut self, lineage: &Lineage) {
        let metadata = &mut self.bundle.metadata;
        let saved_at = lineage.parent.as_ref().and_then(|parent| parent.saved_at);
        metadata.chain_depth = lineage.chain_depth;
        metadata.parent_timestamp_ms =
            saved_at.map_or(0, |at| u64::try_from(at.millis()).unwrap_or_default());
        // What it had before may have come from the same prior, so that a sum would count it twice.
        let along = metadata.session_duration_s + lineage.seconds_before.unwrap_or_default();
        metadata.cumulative_duration_s = metadata.cumulative_duration_s.max(along);
    }
}

fn seed(table: &mut RlTable, seeding: Seeding<Index, QCell>, shape: &AgentShape) {
    let mut cells = by_index(table);
    seeding.apply_to(&mut cells);
    table.q_entries = cells.into_values().collect();
    shape.mark(table);
}

fn value(cell: &QCell) -> NormalGamma {
    NormalGamma { mean: cell.mu_n, kappa: cell.kappa_n, alpha: cell.alpha, beta: cell.beta, n: cell.n }
}

fn by_index(table: &RlTable) -> BTreeMap<Index, QCell> {
    table.q_entries.iter().map(|cell| (cell.index(), cell.clone())).collect()
}

fn refusal(findings: &[Finding]) -> Option<String> {
    findings.iter().find(|finding| matches!(finding, Finding::TableRefused { .. })).map(Finding::to_string)
}

fn mode(mode: SourceMode) -> &'static str {
    match mode {
        SourceMode::Unknown => "",
        SourceMode::Paper => "paper",
        SourceMode::Live => "live",
    }
}

fn fills_seen(kappa: &Kappa) -> u64 {
    kappa.total_observations.max(kappa.observation_count)
}

fn sum(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}
