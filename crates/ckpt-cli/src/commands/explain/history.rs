//! What the log of a run says of one checkpoint.

use ckpt::{Event, LogEntry, LogEvent, LogLine, Timestamp, Writer};
use serde::Serialize;

/// What the log says of one checkpoint.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) epoch: Option<u64>,
    pub(super) name: Option<String>,
    pub(super) saved_at: Option<Timestamp>,
    pub(super) saved_by: Option<Writer>,
    pub(super) events: Vec<Event>,
    pub(super) stored_bytes: Option<u64>,
    /// The pin it has.
    pub(super) pin: Option<Pin>,
    /// How it went, if it did.
    pub(super) gone: Gone,
}

/// A pin, when and why it was set.
#[derive(Debug, Serialize)]
pub(super) struct Pin {
    pub(super) at: Timestamp,
    pub(super) by: Writer,
    pub(super) reason: Option<String>,
}

/// How a checkpoint went.
#[derive(Debug, Default, Serialize)]
pub(super) struct Gone {
    pub(super) how: How,
    pub(super) at: Option<Timestamp>,
    pub(super) by: Option<Writer>,
    pub(super) reason: Option<String>,
    /// Where it is now, if it was set aside.
    pub(super) path: Option<String>,
}

/// By what a checkpoint went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum How {
    /// By a decision: of a policy, or of a person.
    Deleted,
    /// It was damaged, and is in `.quarantine`.
    SetAside,
    /// It was set aside, and is removed for good since.
    Removed,
    /// The log does not say.
    #[default]
    Unknown,
}

impl History {
    /// What the log says of the checkpoint with this number; nothing if it does not name it.
    pub(super) fn of(log: &[LogLine], sequence: u64) -> Option<Self> {
        let mut history = None;
        for line in log {
            if let LogLine::Good(entry) = line {
                Self::take(&mut history, entry, sequence);
            }
        }
        history
    }

    fn take(history: &mut Option<Self>, entry: &LogEntry, sequence: u64) {
        let (at, by) = (entry.at, &entry.by);
        let gone = |how, reason: Option<&String>, path: Option<&String>| Gone {
            how,
            at: Some(at),
            by: Some(by.clone()),
            reason: reason.cloned(),
            path: path.cloned(),
        };
        match &entry.event {
            LogEvent::Saved { sequence: of, epoch, file_name, events, stored_bytes, .. }
                if *of == sequence =>
            {
                let history = history.get_or_insert_default();
                history.known_as(*epoch, file_name);
                history.saved_at = Some(at);
                history.saved_by = Some(by.clone());
                history.events.clone_from(events);
                history.stored_bytes = Some(*stored_bytes);
            }
            LogEvent::Deleting { victims } => {
                for victim in victims.iter().filter(|victim| victim.sequence == sequence) {
                    let history = history.get_or_insert_default();
                    history.known_as(victim.epoch, &victim.file_name);
                    history.gone = gone(How::Deleted, Some(&victim.reason), None);
                }
            }
            LogEvent::SteppedBack { sequence: of, epoch, file_name, reason, set_aside }
                if *of == sequence =>
            {
                let history = history.get_or_insert_default();
                history.known_as(*epoch, file_name);
                if let Some(path) = set_aside {
                    history.gone = gone(How::SetAside, Some(reason), Some(path));
                }
            }
            LogEvent::QuarantinePruned { file_names } => {
                let Some(history) = history else { return };
                let is_it = |path: &String| file_names.iter().any(|name| path.ends_with(name.as_str()));
                if history.gone.how == How::SetAside && history.gone.path.as_ref().is_some_and(is_it) {
                    let reason = history.gone.reason.clone();
                    history.gone = gone(How::Removed, reason.as_ref(), None);
                }
            }
            LogEvent::Pinned { sequence: of, reason } if *of == sequence => {
                let pin = Pin { at, by: by.clone(), reason: reason.clone() };
                history.get_or_insert_default().pin = Some(pin);
            }
            LogEvent::Unpinned { sequence: of } if *of == sequence => {
                history.get_or_insert_default().pin = None;
            }
            _ => {}
        }
    }

    fn known_as(&mut self, epoch: u64, name: &str) {
        self.epoch = Some(epoch);
        self.name = Some(name.to_owned());
    }
}
