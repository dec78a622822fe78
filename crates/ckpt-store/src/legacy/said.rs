//! What is said about a checkpoint of another system, field by field, and by whom.

use std::collections::BTreeMap;
use std::fmt;

use ckpt_format::{Event, EventTag, Label, Metadata, NameForm, Status};

use super::Told;
use super::fields::Fields;

/// Metadata that is put together. The first to say something is believed; another who says otherwise gets a note.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) metadata: Metadata,
    pub(super) told: BTreeMap<String, Told>,
    pub(super) notes: Vec<String>,
}

impl Said {
    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub(super) fn market(&mut self, market: Option<&str>, told: Told) {
        let market = market.filter(|text| !text.is_empty()).map(str::to_owned);
        settle(&mut self.metadata.market, market, "market", told, &mut self.told, &mut self.notes);
    }

    pub(super) fn phase(&mut self, phase: Option<String>, told: Told) {
        settle(&mut self.metadata.phase, phase, "phase", told, &mut self.told, &mut self.notes);
    }

    pub(super) fn step(&mut self, step: Option<u64>, unit: &str, told: Told) {
        settle(&mut self.metadata.position.step, step, "step", told, &mut self.told, &mut self.notes);
        if self.metadata.position.step.is_some() && !unit.is_empty() {
            self.metadata.position.unit.get_or_insert_with(|| unit.to_owned());
        }
    }

    pub(super) fn seed(&mut self, seed: Option<i64>, told: Told) {
        settle(&mut self.metadata.seed, seed, "seed", told, &mut self.told, &mut self.notes);
    }

    /// A metric; one in a name is rounded, so another value there is no contradiction.
    pub(super) fn metric(&mut self, name: &str, value: Option<f64>, told: Told) {
        if let Some(value) = value
            && !self.metadata.metrics.values.contains_key(name)
        {
            self.metadata.metrics.set(name, value);
            self.told.insert(format!("metrics.{name}"), told);
        }
    }

    /// Why it was saved. What is no event here is `manual`: that is never deleted as one of many.
    pub(super) fn event(&mut self, tag: Option<&EventTag>, told: Told) {
        let Some(tag) = tag else { return };
        let event = tag.event().cloned();
        if let (Some(cause), Some(event)) = (self.metadata.events.first(), &event)
            && cause.event != *event
        {
            let text = contradiction("event", told, event, &cause.event, self.told.get("events"));
            return self.note(text);
        }
        if !self.metadata.events.is_empty() {
            return;
        }
        let reason = match (&event, tag) {
            (None, EventTag::Text(text)) => format!("its origin calls the event {text:?}"),
            _ => format!("imported: its {told} says so"),
        };
        let event = event.unwrap_or(Event::Manual);
        self.status(status_of(&event), told);
        self.metadata = std::mem::take(&mut self.metadata).because(event, reason);
        self.told.insert("events".to_owned(), told);
    }

    pub(super) fn status(&mut self, status: Status, told: Told) {
        if status != Status::default() {
            self.metadata.status = status;
            self.told.insert("status".to_owned(), told);
        }
    }

    /// What a name says.
    pub(super) fn name(&mut self, form: &NameForm, label: &Label, unit: &str) {
        self.market(label.market.as_deref(), Told::Name);
        self.phase(form.phase().map(|phase| phase_name(u64::from(phase))), Told::Name);
        self.step(label.step, unit, Told::Name);
        self.event(label.event.as_ref(), Told::Name);
        self.metric("val_reward", label.val_reward, Told::Name);
        self.metric("sharpe_ratio", label.sharpe_ratio, Told::Name);
        self.seed(label.seed, Told::Name);
    }

    /// Values that have no field of their own, kept in `extra`.
    pub(super) fn rest(&mut self, fields: &Fields, known: &[&str]) {
        for (name, value) in fields.scalars().filter(|(name, _)| !known.contains(&name.as_str())) {
            self.metadata.extra.insert(name.clone(), value.clone());
        }
    }

    /// Names a value that is there and cannot be what it should be.
    pub(super) fn unusable(&mut self, fields: &Fields, names: &[&str], read: impl Fn(&Fields, &str) -> bool) {
        for name in names {
            if let Some(value) = fields.get(name)
                && !read(fields, name)
            {
                let value: String = value.to_string().chars().take(80).collect();
                self.note(format!("its companion has {name} {value}, which was not used"));
            }
        }
    }
}

/// A phase by its number, as configurations name it.
pub(super) fn phase_name(number: u64) -> String {
    format!("phase{number}")
}

fn status_of(event: &Event) -> Status {
    match event {
        Event::Interrupt | Event::Cancellation | Event::Shutdown => Status::Interrupted,
        Event::Failure => Status::Failed,
        _ => Status::InProgress,
    }
}

fn settle<T: PartialEq + fmt::Display>(
    slot: &mut Option<T>,
    value: Option<T>,
    field: &'static str,
    teller: Told,
    told: &mut BTreeMap<String, Told>,
    notes: &mut Vec<String>,
) {
    match (&*slot, value) {
        (_, None) => {}
        (None, value) => {
            *slot = value;
            told.insert(field.to_owned(), teller);
        }
        (Some(before), Some(value)) if *before != value => {
            notes.push(contradiction(field, teller, &value, before, told.get(field)));
        }
        _ => {}
    }
}

fn contradiction(
    field: &str,
    teller: Told,
    value: &dyn fmt::Display,
    before: &dyn fmt::Display,
    by: Option<&Told>,
) -> String {
    let by = by.map(ToString::to_string).unwrap_or_default();
    format!("its {teller} says {field} {value}, its {by} {before}: the {by} is believed")
}
