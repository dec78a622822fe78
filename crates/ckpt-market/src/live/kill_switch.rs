//! The kill switch of a running system.

use super::LiveComponent;
use crate::component::kill_switch::{KillSwitch, ReasonCode, Trigger};

/// What holds trading, and the figures of the day.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveKillSwitch {
    state: KillSwitch,
}

const MILLIS_A_DAY: u64 = 86_400_000;

impl LiveKillSwitch {
    /// Stops trading. A code that holds already keeps the time of its first trigger.
    pub fn trigger(&mut self, code: ReasonCode, now_ms: u64, detail: impl Into<String>) {
        if self.state.triggers.iter().any(|trigger| trigger.code == code) {
            return;
        }
        let detail = detail.into();
        self.state.triggers.push(Trigger { code, triggered_at_ms: now_ms, time_is_exact: true, detail });
    }

    /// Takes in the day's profit or loss, in the quote currency; its peak goes with it. Another UTC day begins anew. What is no number
    /// is passed over.
    pub fn set_daily(&mut self, daily_pnl: f64, now_ms: u64) {
        if !daily_pnl.is_finite() {
            return;
        }
        let state = &mut self.state;
        let is_same_day = state.figures_at_ms / MILLIS_A_DAY == now_ms / MILLIS_A_DAY;
        let peak = if is_same_day { state.peak_pnl } else { 0.0 };
        state.peak_pnl = peak.max(daily_pnl);
        state.daily_pnl = daily_pnl;
        state.figures_at_ms = now_ms;
    }

    /// Whether trading is stopped.
    pub fn is_triggered(&self) -> bool {
        self.state.is_triggered()
    }

    /// A person lets trading go on.
    pub fn clear(&mut self) {
        self.state.triggers.clear();
    }
}

impl LiveComponent for LiveKillSwitch {
    type Checkpoint = KillSwitch;

    fn to_checkpoint(&self) -> KillSwitch {
        self.state.clone()
    }

    /// What already holds goes on holding: a restore never lets trading go on.
    fn restore_checkpoint(&mut self, checkpoint: &KillSwitch) {
        let held = std::mem::take(&mut self.state.triggers);
        self.state.clone_from(checkpoint);
        for trigger in held {
            match self.state.triggers.iter_mut().find(|known| known.code == trigger.code) {
                // The older one would expire while this one still holds.
                Some(known) if known.triggered_at_ms < trigger.triggered_at_ms => *known = trigger,
                Some(_) => {}
                None => self.state.triggers.push(trigger),
            }
        }
    }
}
