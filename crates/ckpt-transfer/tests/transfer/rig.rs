//! A small trader: two numbers, a table, and what stops it.

use std::collections::BTreeMap;

use ckpt_format::Timestamp;
use ckpt_gate::{Evidence, Required, Thresholds, ThresholdsConfig};
use ckpt_transfer::{
    NormalGamma, Planner, Prior, PriorExtract, PriorInject, Proposal, Provenance, Receiver, Seeding,
};

pub(crate) type Table = BTreeMap<(u32, u32), NormalGamma>;

pub(crate) const SIGMA_MAX: f64 = 0.0025;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trader {
    pub(crate) identity: &'static str,
    pub(crate) mode: &'static str,
    pub(crate) sigma: f64,
    pub(crate) regime: f64,
    pub(crate) values: Table,
    pub(crate) reward_scale: f64,
    pub(crate) seconds: f64,
    pub(crate) chain_depth: u32,
    pub(crate) kill_switch: (bool, f64),
    pub(crate) judges: bool,
}

/// What may be inherited of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Learned {
    pub(crate) sigma: f64,
    pub(crate) regime: f64,
    pub(crate) values: (f64, Table),
}

#[derive(Debug)]
pub(crate) struct Change {
    sigma: Option<f64>,
    regime: Option<f64>,
    values: Option<Seeding<(u32, u32), NormalGamma>>,
}

pub(crate) fn now() -> Timestamp {
    "2026-01-02T03:05:05Z".parse().unwrap()
}

pub(crate) fn seconds_before_now(seconds: f64) -> Timestamp {
    Timestamp::from_millis(now().millis() - (seconds * 1e3) as i64)
}

pub(crate) fn lived(reward: f64) -> NormalGamma {
    let mut value = NormalGamma::default();
    value.observe(reward);
    value
}

pub(crate) fn paper() -> Trader {
    let mut values: Table = (0..6).map(|action| ((0, action), lived(f64::from(action)))).collect();
    values.insert((1, 0), NormalGamma::default());
    Trader {
        identity: "dex:HYPE",
        mode: "paper",
        sigma: 1.0,
        regime: 0.7,
        values,
        reward_scale: 1.0,
        seconds: 3_600.0,
        chain_depth: 0,
        kill_switch: (true, -300.0),
        judges: false,
    }
}

pub(crate) fn live() -> Trader {
    Trader {
        identity: "HYPE",
        mode: "live",
        sigma: 0.0005,
        regime: 0.1,
        values: Table::from([((0, 0), lived(-1.0)), ((0, 5), lived(-2.0))]),
        seconds: 0.0,
        kill_switch: (false, 12.5),
        judges: true,
        ..paper()
    }
}

pub(crate) fn thresholds() -> Thresholds {
    let core = vec![Required::new("ticks", 100)];
    Thresholds::new(ThresholdsConfig { core, marginal_core_min: 1, ..ThresholdsConfig::default() }).unwrap()
}

impl PriorExtract for Trader {
    type State = Learned;

    fn extract_prior(&self, now: Timestamp) -> Prior<Learned> {
        let provenance = Provenance {
            identity: self.identity.to_owned(),
            mode: self.mode.to_owned(),
            saved_at: Some(now),
            evidence: Some(Evidence::default().session_seconds(self.seconds).count("ticks", 100)),
            chain_depth: self.chain_depth,
            ..Provenance::default()
        }
        .component("volatility", "vol", 2)
        .component("values", "table", 1);
        let values = (self.reward_scale, self.values.clone());
        Prior { provenance, state: Learned { sigma: self.sigma, regime: self.regime, values } }
    }
}

impl PriorInject for Trader {
    type State = Learned;
    type Change = Change;

    fn receiver(&self) -> Receiver {
        let receiver = Receiver::new(self.identity, self.mode).reads("volatility", "vol", vec![1, 2]).reads(
            "values",
            "table",
            vec![1],
        );
        if self.judges { receiver.judges_by(thresholds()) } else { receiver }
    }

    fn plan_components(&self, planner: &mut Planner<'_, Learned>) -> Change {
        let weight = planner.blend_weight();
        let sigma = planner.component(
            "volatility",
            |prior| &prior.sigma,
            |&sigma| {
                let capped = sigma.min(SIGMA_MAX);
                let proposal = Proposal::inject(capped);
                if capped == sigma {
                    proposal
                } else {
                    proposal.clamped(format!("sigma from {sigma} to {capped}"))
                }
            },
        );
        let values = planner.component(
            "values",
            |prior| &prior.values,
            |(scale, values)| {
                if *scale != self.reward_scale {
                    return Proposal::incompatible(format!(
                        "reward_scale is {scale}, here {}",
                        self.reward_scale
                    ));
                }
                let seeding = Seeding::plan(&self.values, values, weight, |_| true);
                let counts = seeding.counts();
                Proposal::seed(seeding, counts)
            },
        );
        let regime = planner.component("regime", |prior| &prior.regime, |regime| Proposal::inject(*regime));
        planner.keeps_own("kill_switch");
        Change { sigma, regime, values }
    }

    fn apply_change(&mut self, change: Change) {
        self.sigma = change.sigma.unwrap_or(self.sigma);
        self.regime = change.regime.unwrap_or(self.regime);
        if let Some(seeding) = change.values {
            seeding.apply_to(&mut self.values);
        }
    }
}
