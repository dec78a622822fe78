//! The bundle: the market maker's learned state as one section per component, and the stamp without which it is not saved.

pub mod names;
pub mod v1;
mod v2;

use ckpt_format::{
    Bundle, BundleError, BundleMode, BundleReader, BundleWriter, EncodeError, LoadedBundle, SectionSource,
    Timestamp,
};

use crate::component::baseline::Baseline;
use crate::component::enhanced::Enhanced;
use crate::component::ensemble::EnsembleWeights;
use crate::component::fill_rate::FillRate;
use crate::component::informed_flow::InformedFlow;
use crate::component::kappa::Kappa;
use crate::component::kelly::KellyTracker;
use crate::component::kill_switch::KillSwitch;
use crate::component::learned::LearnedParams;
use crate::component::metadata::MarketMetadata;
use crate::component::momentum::Momentum;
use crate::component::pre_fill::PreFill;
use crate::component::quote_outcomes::QuoteOutcomes;
use crate::component::readiness::Readiness;
use crate::component::regime::RegimeHmm;
use crate::component::rl::RlTable;
use crate::component::vol_filter::VolFilter;
use crate::import;

/// The learned state. Its default is a cold start.
///
/// It is no [`Bundle`]: only a [`StampedBundle`] can be saved, so that no path to the disk forgets the readiness.
///
/// ```compile_fail
/// fn saved(bundle: impl ckpt_format::Bundle) {}
/// saved(ckpt_market::MarketBundle::default());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarketBundle {
    /// Of which asset, when, for how long, and where it comes from.
    pub metadata: MarketMetadata,
    /// 26 learned parameters.
    pub learned_params: LearnedParams,
    /// Adverse selection before a fill, by six signals.
    pub pre_fill: PreFill,
    /// Adverse selection by ten features.
    pub enhanced: Enhanced,
    /// Volatility.
    pub vol_filter: VolFilter,
    /// Regime of the market.
    pub regime_hmm: RegimeHmm,
    /// Informed, noise and forced flow.
    pub informed_flow: InformedFlow,
    /// Fill rate by depth.
    pub fill_rate: FillRate,
    /// Fill intensity of own fills.
    pub kappa_own: Kappa,
    /// Fill intensity of bids.
    pub kappa_bid: Kappa,
    /// Fill intensity of asks.
    pub kappa_ask: Kappa,
    /// Whether moves go on.
    pub momentum: Momentum,
    /// Wins and losses.
    pub kelly_tracker: KellyTracker,
    /// Trust in the models.
    pub ensemble_weights: EnsembleWeights,
    /// The learning agent's values.
    pub rl_q_table: RlTable,
    /// Why trading was stopped, and the day's figures.
    pub kill_switch: KillSwitch,
    /// What became of quotes; since version 2 of the bundle.
    pub quote_outcomes: QuoteOutcomes,
    /// Baseline of rewards; since version 2 of the bundle.
    pub baseline_tracker: Baseline,
    /// Until when a restore has let its evidence fade, so that the next one fades only what came after; none if none has. Of this
    /// process: it is not stored, and what is saved anew is as old as its metadata says.
    pub faded_until: Option<Timestamp>,
}

impl MarketBundle {
    /// Dates the figures of the day, and with them triggers that have no time of their own, if they are not dated: they are as old as the
    /// rest. Version 1 said when the figures were taken only while it was triggered. Restoring does it; whoever gives the bundle another
    /// time does it before.
    ///
    /// ```
    /// let mut bundle = ckpt_market::MarketBundle::default();
    /// bundle.metadata.timestamp_ms = 1_767_323_000_000;
    /// bundle.kill_switch.daily_pnl = -300.0;
    /// bundle.date_figures();
    /// assert_eq!(bundle.kill_switch.figures_at_ms, 1_767_323_000_000);
    /// ```
    pub fn date_figures(&mut self) {
        if self.kill_switch.figures_at_ms == 0 && self.kill_switch != KillSwitch::default() {
            self.kill_switch.figures_at_ms = self.metadata.timestamp_ms;
        }
    }
}

/// A bundle with what the gate thought of it: what is saved and loaded, as one section per component.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StampedBundle {
    bundle: MarketBundle,
    readiness: Readiness,
}

impl StampedBundle {
    pub(crate) fn new(bundle: MarketBundle, readiness: Readiness) -> Self {
        Self { bundle, readiness }
    }

    /// The state.
    pub fn bundle(&self) -> &MarketBundle {
        &self.bundle
    }

    /// What the gate thought of it when it was saved.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The state, to go on with.
    pub fn into_bundle(self) -> MarketBundle {
        self.bundle
    }
}

impl Bundle for StampedBundle {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        let Self { bundle, readiness } = self;
        writer.put(names::METADATA, &bundle.metadata)?;
        writer.put(names::LEARNED_PARAMS, &bundle.learned_params)?;
        writer.put(names::PRE_FILL, &bundle.pre_fill)?;
        writer.put(names::ENHANCED, &bundle.enhanced)?;
        writer.put(names::VOL_FILTER, &bundle.vol_filter)?;
        writer.put(names::REGIME_HMM, &bundle.regime_hmm)?;
        writer.put(names::INFORMED_FLOW, &bundle.informed_flow)?;
        writer.put(names::FILL_RATE, &bundle.fill_rate)?;
        writer.put(names::KAPPA_OWN, &bundle.kappa_own)?;
        writer.put(names::KAPPA_BID, &bundle.kappa_bid)?;
        writer.put(names::KAPPA_ASK, &bundle.kappa_ask)?;
        writer.put(names::MOMENTUM, &bundle.momentum)?;
        writer.put(names::KELLY_TRACKER, &bundle.kelly_tracker)?;
        writer.put(names::ENSEMBLE_WEIGHTS, &bundle.ensemble_weights)?;
        if bundle.rl_q_table.is_sorted() {
            writer.put(names::RL_Q_TABLE, &bundle.rl_q_table)?;
        } else {
            // Equal state makes equal bytes, whatever map the agent keeps its cells in.
            let mut table = bundle.rl_q_table.clone();
            table.sort();
            writer.put(names::RL_Q_TABLE, &table)?;
        }
        writer.put(names::KILL_SWITCH, &bundle.kill_switch)?;
        writer.put(names::READINESS, readiness)?;
        writer.put(names::QUOTE_OUTCOMES, &bundle.quote_outcomes)?;
        writer.put(names::BASELINE_TRACKER, &bundle.baseline_tracker)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        let bundle = MarketBundle {
            metadata: reader.take(names::METADATA),
            learned_params: reader.take(names::LEARNED_PARAMS),
            pre_fill: reader.take(names::PRE_FILL),
            enhanced: reader.take(names::ENHANCED),
            vol_filter: reader.take(names::VOL_FILTER),
            regime_hmm: reader.take(names::REGIME_HMM),
            informed_flow: reader.take(names::INFORMED_FLOW),
            fill_rate: reader.take(names::FILL_RATE),
            kappa_own: reader.take(names::KAPPA_OWN),
            kappa_bid: reader.take(names::KAPPA_BID),
            kappa_ask: reader.take(names::KAPPA_ASK),
            momentum: reader.take(names::MOMENTUM),
            kelly_tracker: reader.take(names::KELLY_TRACKER),
            ensemble_weights: reader.take(names::ENSEMBLE_WEIGHTS),
            rl_q_table: reader.take(names::RL_Q_TABLE),
            kill_switch: reader.take(names::KILL_SWITCH),
            quote_outcomes: reader.take(names::QUOTE_OUTCOMES),
            baseline_tracker: reader.take(names::BASELINE_TRACKER),
            faded_until: None,
        };
        Self { readiness: reader.take(names::READINESS), bundle }
    }

    /// A checkpoint that holds the text of a `checkpoint.json` in place of a bundle is imported: else every component of it would be
    /// missing, what stopped trading included, and each would take its default.
    fn from_sections(
        source: &dyn SectionSource,
        mode: BundleMode,
    ) -> Result<LoadedBundle<Self>, BundleError> {
        if import::is_text(source.names().iter().map(String::as_str)) {
            return import::load(source, mode);
        }
        let mut reader = BundleReader::new(source);
        let value = Self::read(&mut reader);
        let report = reader.finish(mode)?;
        Ok(LoadedBundle { value, report })
    }
}
