//! Saving: what a checkpoint says, whether the disk lets it, in the foreground or behind the caller's back, and what follows.

use std::time::{Duration, Instant};

use ckpt_format::{Cause, Event, EventClass, Metadata, Parent, Position, Status};
use ckpt_policy::{Cost, Pace};
use ckpt_store::{Error, Job, Result, RunReader, SaveOutcome, Saved, Submitted};

use super::due::Counted;
use super::report::{Durable, Notice, Step};
use super::resume::Resumed;
use super::state::Save;
use super::{Access, Session};

/// More are not kept for a caller who never asks: the oldest go.
const DURABLE_MAX: usize = 1_024;

/// A save that the writer's thread has.
#[derive(Debug)]
pub(super) struct InFlight {
    ticket: u64,
    blocked: Duration,
    of: Snapshot,
}

/// What a save is of: acknowledged when it is durable.
#[derive(Debug)]
struct Snapshot {
    step: u64,
    counted: Counted,
    values: Vec<(String, f64)>,
    /// The strongest of its events.
    event: String,
}

/// What became of a save that was begun.
enum Written {
    Durable(Box<Saved>),
    /// The session's number for it.
    Queued(u64),
    Dropped,
}

impl Session {
    /// The session goes on from here: what was resumed counts as saved, so a resume does not save at once.
    pub(super) fn begin_at(&mut self, resumed: &Resumed) {
        let Some(entry) = resumed.from.as_deref() else { return };
        let metadata = entry.metadata();
        self.position = entry.position().cloned().unwrap_or_default();
        // How far it went then is no limit for a session that says how far it goes.
        self.position.total = self.options.total.or(self.position.total);
        self.pace = Pace::start(self.step_number());
        self.saved_step = self.step_number();
        self.dirty = false;
        self.metrics.clear();
        self.parent = metadata.map(|metadata| Parent {
            run_id: metadata.run_id.clone(),
            epoch: entry.epoch,
            sequence: entry.sequence,
        });
        self.seconds_before = metadata.and_then(|metadata| metadata.cumulative_seconds).unwrap_or(0.0);
        let further = self.options.total.is_some_and(|total| total > self.step_number());
        self.completed =
            entry.status() == Some(Status::Completed) && !further && !self.options.go_on_after_completion;
    }

    /// Saves for these causes, if events, rank and disk allow.
    pub(super) fn save_because<S: Save + ?Sized>(
        &mut self,
        causes: Vec<Cause>,
        counted: Counted,
        status: Status,
        state: &S,
    ) -> Result<Step> {
        self.settle();
        let Access::Write { run, keeper, background } = &self.access else {
            let reason = format!("rank {} only reads: rank 0 writes", self.options.rank);
            return Ok(Step::Skipped { causes, reason });
        };
        let on = |cause: &Cause| self.options.events.contains(&cause.event.class());
        if !causes.iter().any(on) {
            let names: Vec<String> = causes.iter().map(|cause| cause.event.to_string()).collect();
            return Ok(Step::Skipped { causes, reason: format!("{} is turned off", names.join(", ")) });
        }
        let begun = Instant::now();
        let events: Vec<Event> = causes.iter().map(|cause| cause.event.clone()).collect();
        let refusal = self.ladder.refusal(run, &events, keeper, background.is_some(), &self.notices);
        if let Some(reason) = refusal {
            self.best.not_saved();
            self.summary.refused = self.summary.refused.saturating_add(1);
            self.pace.failed(self.started.elapsed());
            return Ok(Step::Refused { causes, reason });
        }
        let metadata = self.metadata(causes.clone(), status);
        Ok(match self.write(metadata, counted, state, begun)? {
            Written::Durable(saved) => Step::Saved { causes, saved },
            Written::Queued(ticket) => Step::Queued { causes, ticket },
            Written::Dropped => Step::Skipped { causes, reason: "another save is in flight".to_owned() },
        })
    }

    /// Takes what came back from the writer's thread. What failed is told by [`Session::tell`].
    pub(super) fn settle(&mut self) {
        let Access::Write { background: Some(background), .. } = &self.access else { return };
        let outcomes = background.take_outcomes();
        if let Err(error) = self.take_in(outcomes) {
            self.leave(error);
        }
    }

    /// The outcome of a call, or what failed before it: the work that was asked for is done either way.
    pub(super) fn tell<T>(&mut self, outcome: Result<T>) -> Result<T> {
        let Some(before) = self.untold.take() else { return outcome };
        match outcome {
            Ok(_) => Err(before),
            Err(error) => {
                self.notices.tell(Notice::Store { reason: before.to_string() });
                Err(error)
            }
        }
    }

    /// Leaves an error for the end of the call; one that is left already is told as a notice.
    fn leave(&mut self, error: Error) {
        if let Some(before) = self.untold.replace(error) {
            self.notices.tell(Notice::Store { reason: before.to_string() });
        }
    }

    pub(super) fn take_in(&mut self, outcomes: impl IntoIterator<Item = SaveOutcome>) -> Result<()> {
        let mut failed = None;
        for SaveOutcome { ticket, result } in outcomes {
            let flight = self.in_flight.iter().position(|flight| flight.ticket == ticket);
            let flight = flight.map(|place| self.in_flight.swap_remove(place));
            match (result, flight) {
                (Ok(saved), Some(flight)) => {
                    let cost =
                        Cost { blocked: flight.blocked, total: flight.blocked + in_background(&saved) };
                    self.acknowledge(&saved, &flight.of, cost);
                    if self.durable.len() >= DURABLE_MAX {
                        self.durable.pop_front();
                    }
                    self.durable.push_back(Durable { ticket, saved });
                }
                (Ok(_), None) => {}
                // Without a save of its own it is what the hook after one met.
                (Err(error), _) => {
                    let error = self.count_failure(error);
                    if let Some(before) = failed.replace(error) {
                        self.notices.tell(Notice::Store { reason: before.to_string() });
                    }
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    pub(super) fn reader_or_error(&self) -> Result<&RunReader> {
        self.reader().ok_or_else(|| Error::RunNotFound {
            path: self.options.path.clone().unwrap_or_default(),
            present: Vec::new(),
        })
    }

    /// What the checkpoint says about itself.
    pub(super) fn metadata(&mut self, causes: Vec<Cause>, status: Status) -> Metadata {
        let options = &self.options;
        let elapsed = self.started.elapsed().as_secs_f64();
        let position = Position {
            total: self.position.total.or(options.total),
            unit: self.position.unit.clone().or_else(|| options.unit.clone()),
            ..self.position.clone()
        };
        let mut metadata = Metadata {
            events: causes,
            status,
            position,
            labels: options.labels.clone(),
            market: options.market.clone(),
            phase: options.phase.clone(),
            seed: options.seed,
            program: options.program.clone(),
            elapsed_seconds: Some(elapsed),
            cumulative_seconds: Some(self.seconds_before + elapsed),
            parent: self.parent.clone(),
            extra: self.extra.clone(),
            ..Metadata::default()
        };
        for (name, value) in &self.metrics {
            metadata.metrics.set(name, *value);
        }
        for field in &self.options.extra_fields {
            match self.metrics.iter().find(|(name, _)| name == field) {
                Some((_, value)) => {
                    metadata.extra.insert(field.clone(), number(*value));
                }
                None if metadata.extra.contains_key(field) || self.missing_told.contains(field) => {}
                None => {
                    self.missing_told.push(field.clone());
                    self.notices.tell(Notice::MetadataMissing { field: field.clone() });
                }
            }
        }
        metadata
    }

    fn write<S: Save + ?Sized>(
        &mut self,
        metadata: Metadata,
        counted: Counted,
        state: &S,
        begun: Instant,
    ) -> Result<Written> {
        let step = self.step_number();
        let span = tracing::info_span!("ckpt.save", step, sequence = tracing::field::Empty);
        let _entered = span.enter();
        let Access::Write { run, keeper, background } = &self.access else { return Ok(Written::Dropped) };
        if background.is_some() {
            return self.submit(metadata, counted, state, begun);
        }
        let of = self.snapshot_of(&metadata, counted);
        let saved = match state.sections().and_then(|sections| run.save(metadata, sections)) {
            Ok(saved) => saved,
            Err(error) => {
                self.summary.add_blocked(begun.elapsed());
                return Err(self.count_failure(error));
            }
        };
        span.record("sequence", saved.sequence);
        keeper.after_save(run);
        let cost = begun.elapsed();
        self.summary.add_blocked(cost);
        self.dirty = false;
        self.acknowledge(&saved, &of, Cost { blocked: cost, total: cost });
        Ok(Written::Durable(Box::new(saved)))
    }

    /// Takes a snapshot and hands it to the writer's thread.
    fn submit<S: Save + ?Sized>(
        &mut self,
        metadata: Metadata,
        counted: Counted,
        state: &S,
        begun: Instant,
    ) -> Result<Written> {
        let Access::Write { background: Some(background), .. } = &self.access else {
            return Ok(Written::Dropped);
        };
        let step = self.step_number();
        let may_drop = metadata.event_list().iter().all(|event| event.class() == EventClass::Periodic);
        self.tickets = self.tickets.wrapping_add(1);
        let ticket = self.tickets;
        let of = self.snapshot_of(&metadata, counted);
        let arena = &self.arena;
        let take = || Ok(Job::new(ticket, metadata, arena.snapshot(state.sections()?)?));
        let (submitted, failures) = match background.submit_with(may_drop, take) {
            Ok(submitted) => (submitted, Vec::new()),
            Err(Error::Background { failures, submitted: Some(submitted) }) => (submitted, failures),
            Err(error) => {
                self.summary.add_blocked(begun.elapsed());
                return Err(self.count_failure(error));
            }
        };
        let blocked = begun.elapsed();
        self.summary.add_blocked(blocked);
        let at = self.started.elapsed();
        if submitted == Submitted::Skipped {
            self.best.not_saved();
            self.pace.skipped(step, at);
            self.count_skipped();
        } else {
            if let Submitted::Replaced { ticket } = submitted {
                self.in_flight.retain(|flight| flight.ticket != ticket);
                self.count_skipped();
            }
            self.pace.started(step, at, counted.0);
            self.in_flight.push(InFlight { ticket, blocked, of });
            self.dirty = false;
        }
        self.take_in(failures.into_iter().map(SaveOutcome::failed))?;
        Ok(if submitted == Submitted::Skipped { Written::Dropped } else { Written::Queued(ticket) })
    }

    fn snapshot_of(&self, metadata: &Metadata, counted: Counted) -> Snapshot {
        Snapshot {
            step: self.step_number(),
            counted,
            values: self.metrics.clone(),
            event: Event::strongest(&metadata.event_list()).map(Event::to_string).unwrap_or_default(),
        }
    }

    /// A checkpoint is durable.
    fn acknowledge(&mut self, saved: &Saved, of: &Snapshot, cost: Cost) {
        let step = of.step;
        let values: Vec<(&str, f64)> =
            of.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.best.record(saved.epoch, saved.sequence, &values);
        self.pace.saved(step, self.started.elapsed(), of.counted.0, cost);
        self.times.record(cost.total, saved.stored_bytes);
        self.saved_step = step;
        if self.held.as_ref().is_some_and(|held| held.step <= step) {
            self.held = None;
        }
        self.count(saved, &of.event);
    }

    fn count_skipped(&mut self) {
        self.summary.skipped = self.summary.skipped.saturating_add(1);
        metrics::counter!("ckpt_saves_skipped_total").increment(1);
    }

    pub(super) fn count(&mut self, saved: &Saved, event: &str) {
        self.summary.saves = self.summary.saves.saturating_add(1);
        metrics::counter!("ckpt_saves_total", "event" => event.to_owned()).increment(1);
        metrics::gauge!("ckpt_last_save_bytes").set(saved.stored_bytes as f64);
        let costs = &saved.costs;
        let phases = [
            ("snapshot", costs.snapshot_us),
            ("compress", costs.compress_us),
            ("write", costs.write_us),
            ("sync", costs.sync_us.saturating_add(costs.publish_us)),
        ];
        for (phase, micros) in phases {
            metrics::histogram!("ckpt_save_seconds", "phase" => phase).record(micros as f64 / 1e6);
        }
    }

    /// A save failed: what was taken for granted did not happen.
    fn count_failure(&mut self, error: Error) -> Error {
        self.pace.failed(self.started.elapsed());
        self.best.not_saved();
        self.dirty = true;
        self.summary.failures = self.summary.failures.saturating_add(1);
        metrics::counter!("ckpt_save_failures_total", "code" => error.code()).increment(1);
        tracing::error!(target: "ckpt", %error, "a save failed");
        error
    }
}

/// What a save took on the writer's thread, as it measured it: when the session hears of it says how long its steps are.
fn in_background(saved: &Saved) -> Duration {
    let costs = &saved.costs;
    let micros = [costs.write_us, costs.sync_us, costs.publish_us];
    Duration::from_micros(micros.into_iter().fold(0, u64::saturating_add))
}

/// A metric as JSON; numbers that JSON has not as the strings for them.
fn number(value: f64) -> serde_json::Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => serde_json::Value::Number(number),
        None if value.is_nan() => "NaN".into(),
        None if value > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}
