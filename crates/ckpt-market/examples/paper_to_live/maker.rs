//! The market maker: live components that learn from each step, and the quotes they lead to.

use ckpt::Timestamp;
use ckpt::gate::{Assessment, Fills, WarmupPlan};
use ckpt_market::component::kill_switch::ReasonCode;
use ckpt_market::component::metadata::{MarketMetadata, SourceMode};
use ckpt_market::live::LiveComponent as _;
use ckpt_market::live::baseline::BaselineTracker;
use ckpt_market::live::kelly::Kelly;
use ckpt_market::live::kill_switch::LiveKillSwitch;
use ckpt_market::live::volatility::Volatility;
use ckpt_market::{MarketBundle, Preset, readiness};

use super::agent::Agent;
use super::desk::{Decision, Desk, INVENTORY_MAX, Waiting};
use super::fill_rate::FillRates;
use super::kappa::FillIntensity;
use super::market::{HORIZON_STEPS, Market, Order, STEP_SECONDS, Side, Venue};
use super::outcomes::Outcomes;
use super::parameters::Parameters;
use super::quoting::{Quotes, View};
use super::regime::Regime;
use super::toxicity::{Signals, Toxicity};

/// What is traded.
pub(crate) const ASSET: &str = "SPX";
/// Loss of a day, in index points, at which it stops.
const DAY_LOSS_MAX: f64 = 1_000.0;
/// Wins and losses before the Kelly fraction is used.
const KELLY_SAMPLES: u64 = 20;
/// Weight of a step in the moving average of the flow.
const FLOW_GAIN: f64 = 0.2;

/// A market maker at one venue.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    venue: Venue,
    volatility: Volatility,
    regime: Regime,
    kappa_own: FillIntensity,
    kappa_bid: FillIntensity,
    kappa_ask: FillIntensity,
    fill_rates: FillRates,
    toxicity: Toxicity,
    kelly: Kelly,
    agent: Agent,
    baseline: BaselineTracker,
    outcomes: Outcomes,
    kill_switch: LiveKillSwitch,
    /// Of the lineage; the durations are counted by the desk.
    metadata: MarketMetadata,
    /// What this process began with.
    start: Start,
    pub(crate) desk: Desk,
}

/// What a process begins with: how far its state can be trusted, and the fills in it.
#[derive(Debug, Clone)]
struct Start {
    assessment: Assessment,
    fills: Fills,
    /// Steps and seconds before.
    steps: u64,
    seconds_before: f64,
}

/// What a step showed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seen {
    /// From bid to ask.
    pub(crate) spread_bps: f64,
}

impl Maker {
    /// One that knows nothing.
    pub(crate) fn cold(venue: Venue, desk: Desk, preset: &Preset) -> Self {
        let source_mode = match venue {
            Venue::Paper => SourceMode::Paper,
            Venue::Live => SourceMode::Live,
        };
        let metadata = MarketMetadata { asset: ASSET.to_owned(), source_mode, ..MarketMetadata::default() };
        let start = Start {
            assessment: preset.gate.assess(&readiness::evidence(&MarketBundle::default())),
            fills: Fills::default(),
            steps: desk.steps(),
            seconds_before: 0.0,
        };
        Self {
            venue,
            volatility: Volatility::with_cap(preset.restore.sigma),
            regime: Regime::default(),
            kappa_own: FillIntensity::default(),
            kappa_bid: FillIntensity::default(),
            kappa_ask: FillIntensity::default(),
            fill_rates: FillRates::default(),
            toxicity: Toxicity::default(),
            kelly: Kelly::default(),
            agent: Agent::default(),
            baseline: BaselineTracker::default(),
            outcomes: Outcomes::default(),
            kill_switch: LiveKillSwitch::default(),
            metadata,
            start,
            desk,
        }
    }

    /// Goes on from a bundle that restoring or an injection has checked, as far as the assessment trusts it.
    pub(crate) fn go_on_from(&mut self, bundle: &MarketBundle, assessment: Assessment) {
        self.volatility.restore_checkpoint(&bundle.vol_filter);
        self.regime.restore_checkpoint(&bundle.regime_hmm);
        self.kappa_own.restore_checkpoint(&bundle.kappa_own);
        self.kappa_bid.restore_checkpoint(&bundle.kappa_bid);
        self.kappa_ask.restore_checkpoint(&bundle.kappa_ask);
        self.fill_rates.restore_checkpoint(&bundle.fill_rate);
        self.toxicity.restore_checkpoint(&bundle.pre_fill);
        self.kelly.restore_checkpoint(&bundle.kelly_tracker);
        self.agent.restore_checkpoint(&bundle.rl_q_table);
        self.baseline.restore_checkpoint(&bundle.baseline_tracker);
        self.outcomes.restore_checkpoint(&bundle.quote_outcomes);
        self.kill_switch.restore_checkpoint(&bundle.kill_switch);
        self.metadata = bundle.metadata.clone();
        self.start = Start {
            assessment,
            fills: Fills { restored: bundle.kelly_tracker.fills(), live: self.desk.fills },
            steps: self.desk.steps(),
            seconds_before: bundle.metadata.cumulative_duration_s,
        };
    }

    /// What it has learned.
    pub(crate) fn bundle(&self, now: Timestamp) -> MarketBundle {
        let session_duration_s = (self.desk.steps() - self.start.steps) as f64 * STEP_SECONDS;
        MarketBundle {
            metadata: MarketMetadata {
                timestamp_ms: u64::try_from(now.millis()).unwrap_or_default(),
                session_duration_s,
                cumulative_duration_s: self.start.seconds_before + session_duration_s,
                ..self.metadata.clone()
            },
            vol_filter: self.volatility.to_checkpoint(),
            regime_hmm: self.regime.to_checkpoint(),
            kappa_own: self.kappa_own.to_checkpoint(),
            kappa_bid: self.kappa_bid.to_checkpoint(),
            kappa_ask: self.kappa_ask.to_checkpoint(),
            fill_rate: self.fill_rates.to_checkpoint(),
            pre_fill: self.toxicity.to_checkpoint(),
            kelly_tracker: self.kelly.to_checkpoint(),
            rl_q_table: self.agent.to_checkpoint(),
            baseline_tracker: self.baseline.to_checkpoint(),
            quote_outcomes: self.outcomes.to_checkpoint(),
            kill_switch: self.kill_switch.to_checkpoint(),
            ..MarketBundle::default()
        }
    }

    /// How carefully it trades now.
    pub(crate) fn warmup(&self, preset: &Preset) -> WarmupPlan {
        let Start { assessment, fills, .. } = &self.start;
        let live = self.desk.fills - fills.live;
        preset.warmup.plan(assessment, Fills { live, ..*fills })
    }

    /// What its quotes go by.
    pub(crate) fn parameters(&self) -> Parameters {
        Parameters {
            sigma: self.volatility.sigma(),
            kappa: self.kappa_own.kappa(),
            lambda_0: self.fill_rates.lambda_0(),
            delta_char_bps: self.fill_rates.delta_char_bps(),
        }
    }

    /// A person stops it.
    pub(crate) fn stop(&mut self, now: Timestamp, why: &str) {
        self.kill_switch.trigger(ReasonCode::Manual, millis(now), why);
    }

    /// Takes in what the account made earlier on the day.
    pub(crate) fn account(&mut self, market: &Market) {
        let pnl = self.desk.day_pnl(market);
        self.kill_switch.set_daily(pnl, millis(market.time(self.desk.step)));
    }

    /// Lives a step: learns from what the market did since the last one, quotes, and is filled or not.
    pub(crate) fn step(&mut self, market: &Market, preset: &Preset) -> Seen {
        let step = self.desk.step;
        let mid = market.mid(step);
        let signals = self.watch(market, mid);
        self.look_back(step, mid);
        self.account(market);
        if self.desk.day_pnl(market) < -DAY_LOSS_MAX {
            self.kill_switch.trigger(ReasonCode::MaxLoss, millis(market.time(step)), "loss of the day");
        }

        let inventory = (self.desk.inventory / INVENTORY_MAX).clamp(-1.0, 1.0);
        let state = Agent::state(inventory, self.regime.volatile(), signals[0]);
        self.reward(mid, inventory, state);
        let action = self.agent.choose(state, &mut market.random(self.venue, step, 3));
        self.desk.decision = Some(Decision { state, action, worth: self.desk.worth(mid) });

        let plan = self.warmup(preset);
        let (spread, skew_factor) = Agent::factors(action);
        let expected = self.toxicity.predict(&signals);
        let Parameters { sigma, kappa, .. } = self.parameters();
        let spread_factor = spread * plan.spread_factor;
        let quotes = View { sigma, kappa, expected, inventory, spread_factor, skew_factor }.quotes();
        if !self.kill_switch.is_triggered() {
            let size = plan.size_factor * (1.0 + self.kelly.fraction(KELLY_SAMPLES).unwrap_or(0.0));
            self.trade(market, quotes, size, &signals, expected);
        }
        self.desk.last_mid = Some(mid);
        self.desk.step += 1;
        Seen { spread_bps: quotes.spread_bps() }
    }

    /// Learns from the move since the last step; the signals of this one, normalised.
    fn watch(&mut self, market: &Market, mid: f64) -> Signals {
        let moved = self.desk.last_mid.map_or(0.0, |last| mid / last - 1.0);
        let deviations = moved / (self.volatility.sigma() * STEP_SECONDS.sqrt());
        if self.desk.last_mid.is_some() {
            self.regime.observe(deviations);
            self.volatility.observe(moved, STEP_SECONDS);
        }
        let imbalance = market.imbalance(self.venue, self.desk.step);
        let flow = self.desk.flow;
        let changepoint = (deviations.abs() - 2.0).max(0.0) * deviations.signum();
        self.toxicity.normalised([imbalance, flow, flow * self.regime.volatile(), 0.0, changepoint])
    }

    /// Learns from the fills whose outcome is known now.
    fn look_back(&mut self, step: u64, mid: f64) {
        let (due, waiting) =
            std::mem::take(&mut self.desk.waiting).into_iter().partition(|fill: &Waiting| fill.due <= step);
        self.desk.waiting = waiting;
        for fill in due {
            let rose_bps = 1e4 * (mid / fill.mid - 1.0);
            self.toxicity.learn(&fill.signals, fill.predicted, rose_bps);
            let gained = if fill.is_bought { rose_bps } else { -rose_bps };
            self.kelly.record(fill.depth_bps + gained);
        }
    }

    /// Learns what the last decision led to.
    fn reward(&mut self, mid: f64, inventory: f64, state: u32) {
        if let Some(Decision { state: before, action, worth }) = self.desk.decision.take() {
            let edge_bps = 1e4 * (self.desk.worth(mid) - worth) / mid;
            let reward = self.agent.reward(self.baseline.counterfactual(edge_bps), inventory);
            self.baseline.record(edge_bps);
            self.agent.learn((before, action), reward, state);
        } else {
            self.agent.begin();
        }
    }

    /// Meets the orders of the step. A quote is filled once, then it is gone until the next step.
    fn trade(&mut self, market: &Market, quotes: Quotes, size: f64, signals: &Signals, predicted: f64) {
        let step = self.desk.step;
        let mid = market.mid(step);
        let flow = market.flow(self.venue, step);
        let balance = flow.buys.len() as f64 - flow.sells.len() as f64;
        let whole = (flow.buys.len() + flow.sells.len()).max(1) as f64;
        self.desk.flow += FLOW_GAIN * (balance / whole - self.desk.flow);
        for (side, distance, orders) in
            [(Side::Buy, quotes.ask, &flow.buys), (Side::Sell, quotes.bid, &flow.sells)]
        {
            if !self.desk.may_be_hit_by(side) {
                continue;
            }
            let hit = orders.iter().find(|order| order.reach >= distance);
            self.learn_fill(side, distance, hit);
            if hit.is_some() {
                self.desk.filled(side, size, mid, distance);
                self.desk.waiting.push(Waiting {
                    due: step + HORIZON_STEPS,
                    mid,
                    is_bought: side == Side::Sell,
                    depth_bps: 1e4 * distance,
                    signals: *signals,
                    predicted,
                });
            }
        }
    }

    /// Learns from a quote that was hit, or waited in vain.
    fn learn_fill(&mut self, side: Side, distance: f64, hit: Option<&Order>) {
        let beyond = hit.map(|order| order.reach - distance);
        let waited = hit.map_or(STEP_SECONDS, |order| order.at_seconds);
        self.fill_rates.waited(waited, 1e4 * distance, beyond.map(|beyond| 1e4 * beyond));
        self.outcomes.resolved(1e4 * distance, hit.is_some());
        if let Some(beyond) = beyond {
            self.kappa_own.record(beyond);
            match side {
                Side::Buy => self.kappa_ask.record(beyond),
                Side::Sell => self.kappa_bid.record(beyond),
            }
        }
    }
}

fn millis(now: Timestamp) -> u64 {
    u64::try_from(now.millis()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ckpt_market::live::check_law;
    use ckpt_market::preset;

    use super::*;

    #[test]
    fn each_component_gives_out_what_it_took_and_a_cold_one_its_default() {
        let (preset, market) = (preset(), Market::new(3, 1).unwrap());
        let mut maker = Maker::cold(Venue::Live, Desk::open(&market, 0, 0.0), &preset);
        for _ in 0..400 {
            maker.step(&market, &preset);
        }
        assert!(maker.desk.fills > 0);
        check_law(&maker.volatility, Volatility::default()).unwrap();
        check_law(&maker.regime, Regime::default()).unwrap();
        check_law(&maker.kappa_own, FillIntensity::default()).unwrap();
        check_law(&maker.fill_rates, FillRates::default()).unwrap();
        check_law(&maker.toxicity, Toxicity::default()).unwrap();
        check_law(&maker.kelly, Kelly::default()).unwrap();
        check_law(&maker.agent, Agent::default()).unwrap();
        check_law(&maker.baseline, BaselineTracker::default()).unwrap();
        check_law(&maker.outcomes, Outcomes::default()).unwrap();
        check_law(&maker.kill_switch, LiveKillSwitch::default()).unwrap();
    }

    #[test]
    fn a_loss_of_the_day_stops_it_and_it_quotes_no_more() {
        let (preset, market) = (preset(), Market::new(3, 1).unwrap());
        let mut maker = Maker::cold(Venue::Live, Desk::open(&market, 0, 0.0), &preset);
        let steps = |maker: &mut Maker| {
            for _ in 0..300 {
                maker.step(&market, &preset);
            }
        };
        steps(&mut maker);
        assert!(!maker.kill_switch.is_triggered() && maker.desk.fills > 0);
        maker.desk.cash -= 10.0 * DAY_LOSS_MAX;
        let fills = maker.desk.fills;
        steps(&mut maker);
        assert_eq!((maker.kill_switch.is_triggered(), maker.desk.fills), (true, fills));
    }
}
