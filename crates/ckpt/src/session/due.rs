//! The hot path: whether anything is due at a step. Called at every step, mostly for nothing.

use std::time::Duration;

use ckpt_format::{Cause, Event, Position};
use ckpt_policy::Improvement;

use super::{Access, Session};

/// What a step is for.
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// A copy for the guard.
    Hold,
    /// A checkpoint, for these causes.
    Save(Vec<Cause>, Counted),
}

/// Whether a save becomes the last periodic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted(pub(super) bool);

impl Session {
    /// What is due at this step.
    pub(super) fn due(&mut self, position: Position, metrics: &[(&str, f64)]) -> Due {
        self.summary.steps = self.summary.steps.wrapping_add(1);
        self.dirty = true;
        self.failed = false;
        let step = position.step.or(self.position.step);
        self.position = Position { step, ..position };
        self.remember(metrics);
        if !self.in_flight.is_empty() {
            self.settle();
        }
        if matches!(self.access, Access::Read(_)) {
            // Nothing that it saved would ever move the count, so each step after the first would be due.
            return Due::Nothing;
        }
        let step = self.step_number();
        self.pace.reached(step);
        let at = match self.options.schedule.needs_time(&self.pace) {
            true => self.started.elapsed(),
            false => Duration::ZERO,
        };
        let periodic = self.options.schedule.is_due(&self.pace, step, at);
        let improved = self.best.observe(metrics);
        let asked = self.options.stop.take_save_request();
        if periodic || asked || !improved.is_empty() {
            let (causes, counted) = self.causes(step, at, &improved, asked);
            if !causes.is_empty() {
                return Due::Save(causes, counted);
            }
            self.best.not_saved();
        }
        if self.is_hold_due(step) { Due::Hold } else { Due::Nothing }
    }

    /// Every reason for a save at this step, of events that are on.
    fn causes(
        &self,
        step: u64,
        at: Duration,
        improved: &[Improvement],
        asked: bool,
    ) -> (Vec<Cause>, Counted) {
        let mut causes = Vec::new();
        let mut add = |event: Event, reason: String| {
            if self.options.events.contains(&event.class()) {
                causes.push(Cause { event, reason: Some(reason) });
            }
        };
        let due = self.options.schedule.due(&self.pace, step, at);
        if let Some(due) = &due {
            add(Event::Periodic, due.to_string());
        }
        for improvement in improved {
            add(Event::Best, improvement.to_string());
        }
        if asked {
            add(Event::Manual, "a signal or another thread asked for a save".to_owned());
        }
        (causes, Counted(due.is_some_and(|due| due.moves_the_count())))
    }

    /// The position as a number. One that does not say a step is at the one before.
    pub(super) fn step_number(&self) -> u64 {
        self.position.step.unwrap_or(0)
    }

    pub(super) fn is_at_the_end(&self) -> bool {
        let total = self.position.total.or(self.options.total);
        total.is_some_and(|total| total > 0 && self.step_number() >= total)
    }

    /// Keeps the metrics of this step for a save that comes before the next one. Without evaluations it costs nothing.
    fn remember(&mut self, metrics: &[(&str, f64)]) {
        if metrics.len() == self.metrics.len()
            && self.metrics.iter().zip(metrics).all(|(known, given)| known.0 == given.0)
        {
            for (known, given) in self.metrics.iter_mut().zip(metrics) {
                known.1 = given.1;
            }
            return;
        }
        self.metrics.clear();
        self.metrics.extend(metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)));
    }
}
