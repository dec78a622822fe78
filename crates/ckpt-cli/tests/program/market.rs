//! Runs of a market maker, made through the library.

use ckpt::{Bundle as _, Event, Metadata, Run, RunOptions, Section};
use ckpt_market::component::kill_switch::{ReasonCode, Trigger};
use ckpt_market::component::metadata::SourceMode;
use ckpt_market::component::rl::QCell;
use ckpt_market::restore::rl::AgentShape;
use ckpt_market::{MarketBundle, StampedBundle, preset};

use crate::scene::Scene;

/// A bundle of version 1, as it was committed.
pub(crate) const VERSION_1: &[u8] =
    include_bytes!("../../../ckpt-market/tests/fixtures/v1/market_maker.ckpt");

/// What a market maker on paper knows after an hour, taken that many seconds ago: ready.
pub(crate) fn learned(asset: &str, age_seconds: u64) -> MarketBundle {
    let mut bundle = MarketBundle::default();
    bundle.metadata.asset = asset.to_owned();
    bundle.metadata.timestamp_ms = u64::try_from(ckpt::now().millis()).unwrap() - age_seconds * 1_000;
    bundle.metadata.session_duration_s = 3_600.0;
    bundle.metadata.cumulative_duration_s = 3_600.0;
    bundle.metadata.source_mode = SourceMode::Paper;
    (bundle.vol_filter.sigma_mean, bundle.vol_filter.observation_count) = (0.0007, 4_000);
    bundle.pre_fill.learning_samples = 100;
    bundle.regime_hmm.observation_count = 4_000;
    bundle.fill_rate.observation_count = 220;
    bundle.kappa_own.total_observations = 60;
    (bundle.kelly_tracker.n_wins, bundle.kelly_tracker.n_losses) = (20, 10);
    bundle.rl_q_table.q_entries = vec![cell(0, 1), cell(3, 2)];
    AgentShape::default().mark(&mut bundle.rl_q_table);
    bundle
}

/// A cell that was tried once.
pub(crate) fn cell(state: u32, action: u32) -> QCell {
    QCell { mu_n: 0.5, kappa_n: 1.01, alpha: 1.5, beta: 1.1, n: 1, ..QCell::fresh(state, action) }
}

/// A kill switch that was triggered a minute ago for a loss.
pub(crate) fn stopped(bundle: &mut MarketBundle) {
    let triggered_at_ms = bundle.metadata.timestamp_ms;
    bundle.kill_switch.triggers.push(Trigger {
        code: ReasonCode::MaxLoss,
        triggered_at_ms,
        time_is_exact: true,
        detail: "-120 of -100".to_owned(),
    });
    bundle.kill_switch.daily_pnl = -120.0;
}

impl Scene {
    /// Saves a bundle, stamped, as the next checkpoint of a run, beside bytes that are no part of it.
    pub(crate) fn save_bundle(&self, path: &str, bundle: MarketBundle) {
        let options = RunOptions::new(ckpt::now);
        let (kind, name) = ("runs".parse().unwrap(), "market".parse().unwrap());
        let run = Run::open_or_create(self.path(path), &kind, &name, options).unwrap();
        let stamped = bundle.stamp(&preset().gate).to_sections().unwrap();
        let mut sections: Vec<Section<'_>> = stamped.into_iter().map(Section::encoded).collect();
        sections.push(Section::raw("orders", b"\x00\xff open orders"));
        let mut metadata = Metadata { created_at: ckpt::now(), ..Metadata::default() };
        metadata.metrics.set("sharpe_ratio", 1.5);
        run.save(metadata.because(Event::Periodic, "a test"), sections).unwrap();
    }

    /// The newest bundle of a run.
    pub(crate) fn bundle(&self, path: &str) -> StampedBundle {
        let run = Run::open_read_only(self.path(path)).unwrap();
        let loaded = run.load_bundle(&ckpt::Selector::Latest, ckpt::BundleMode::Strict).unwrap();
        loaded.value.value
    }
}
