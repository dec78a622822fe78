//! Which triggers of the kill switch still hold, and whether the figures of the day are today's.

use std::collections::BTreeSet;

use ckpt_format::Timestamp;

use super::report::{Finding, RestoreReport};
use crate::bundle::names;
use crate::component::kill_switch::{KillSwitch, ReasonCode, Trigger};

/// How long triggers hold, and which are of the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct KillSwitchRules {
    /// Hours after which a trigger no longer holds; exactly as old still holds. Default: 24.
    pub expiry_hours: f64,
    /// Codes whose cause shows again at once if it lasts. Default: runaway, stale data, rate limit, cascade.
    pub transient: BTreeSet<ReasonCode>,
}

impl Default for KillSwitchRules {
    fn default() -> Self {
        let transient = [
            ReasonCode::PositionRunaway,
            ReasonCode::StaleData,
            ReasonCode::RateLimit,
            ReasonCode::CascadeDetected,
        ];
        Self { expiry_hours: 24.0, transient: transient.into() }
    }
}

/// Drops triggers that are of the moment or too old and figures of another UTC day. Whatever is dropped or held is told.
pub fn restore(switch: &mut KillSwitch, now: Timestamp, rules: &KillSwitchRules, report: &mut RestoreReport) {
    let figures_at_ms = switch.figures_at_ms;
    switch.triggers.retain_mut(|trigger| holds(trigger, figures_at_ms, now, rules, report));
    let today = now.millis().div_euclid(MILLIS_A_DAY);
    let day = signed(figures_at_ms).div_euclid(MILLIS_A_DAY);
    let said = figures_at_ms > 0;
    if (!said || day != today) && (switch.daily_pnl != 0.0 || switch.peak_pnl != 0.0) {
        let finding = Finding::FiguresReset { daily_pnl: switch.daily_pnl, peak_pnl: switch.peak_pnl };
        report.note(names::KILL_SWITCH, finding);
        (switch.daily_pnl, switch.peak_pnl) = (0.0, 0.0);
    }
}

const MILLIS_A_DAY: i64 = 86_400_000;
const MILLIS_AN_HOUR: f64 = 3_600_000.0;

fn holds(
    trigger: &mut Trigger,
    figures_at_ms: u64,
    now: Timestamp,
    rules: &KillSwitchRules,
    report: &mut RestoreReport,
) -> bool {
    let code = trigger.code;
    let mut note = |finding| report.note(names::KILL_SWITCH, finding);
    if rules.transient.contains(&code) {
        note(Finding::TriggerTransient { code });
        return false;
    }
    // A trigger without a time is not newer than the document it stands in, and from now on it says so: the figures will be newer
    // at the next save, and the trigger must not be. If the document has no time either it holds.
    if trigger.triggered_at_ms == 0 {
        (trigger.triggered_at_ms, trigger.time_is_exact) = (figures_at_ms, false);
    }
    let (at_ms, exact) = (trigger.triggered_at_ms, trigger.time_is_exact);
    if at_ms == 0 {
        note(Finding::TriggerHeld { code, age_hours: None, exact });
        return true;
    }
    let age_ms = now.millis().saturating_sub(signed(at_ms));
    if age_ms < 0 {
        note(Finding::ClockAhead { field: "triggered_at_ms", ahead_ms: age_ms.unsigned_abs() });
    }
    let age_hours = age_ms.max(0) as f64 / MILLIS_AN_HOUR;
    let limit_hours = rules.expiry_hours;
    if age_hours > limit_hours {
        note(Finding::TriggerExpired { code, age_hours, limit_hours });
        return false;
    }
    note(Finding::TriggerHeld { code, age_hours: Some(age_hours), exact });
    true
}

fn signed(millis: u64) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}
