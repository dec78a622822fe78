//! All that the questions are about, gathered once.

use std::path::{Path, PathBuf};

use ckpt::{Entry, RunReader, Survey, Timestamp};

use crate::commands::verify::{self, Verified};

use super::history::History;
use super::market::{Market, Unread};
use super::policy::Stated;

/// What is known of the run and its surroundings.
#[derive(Debug)]
pub(super) struct Facts {
    /// As it was given.
    pub(super) path: PathBuf,
    pub(super) now: Timestamp,
    /// What lies in the directory; why it could not be looked at, if so.
    pub(super) survey: Result<Survey, ckpt::Error>,
    /// The run; why it is none, if so.
    pub(super) run: Result<Run, ckpt::Error>,
    /// The market maker's state that would be restored, if it is such a run; why it can't be had, if so.
    pub(super) market: Option<Result<Box<Market>, Unread>>,
    /// The configuration that was given; what is wrong with it, if something is.
    pub(super) config: Option<Result<Stated, String>>,
}

/// A run that could be opened to be read.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) reader: RunReader,
    /// Oldest first.
    pub(super) entries: Vec<Entry>,
    /// What reading every byte found out, in the order of the entries.
    pub(super) verified: Vec<Verified>,
    /// What the log tells; why it could not be read, if so.
    pub(super) history: Result<History, String>,
    /// Names that are not ours.
    pub(super) unknown: Vec<String>,
}

impl Facts {
    /// Looks at everything. What cannot be had is a fact, too.
    pub(super) fn gather(path: &Path, config: Option<&Path>, now: Timestamp) -> Self {
        let run = Run::gather(path);
        let market = run.as_ref().ok().and_then(|run| Market::gather(run, now));
        Self {
            path: path.to_owned(),
            now,
            survey: Survey::of(path),
            run,
            market: market.map(|market| market.map(Box::new)),
            config: config.map(Stated::read),
        }
    }

    /// The checkpoints, oldest first; none if there is no run.
    pub(super) fn entries(&self) -> &[Entry] {
        self.run.as_ref().map_or(&[], |run| &run.entries)
    }

    /// The newest that is good.
    pub(super) fn newest(&self) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.is_committed())
    }

    /// Whether a writer is at it; nothing if that cannot be seen.
    pub(super) fn is_written(&self) -> Option<bool> {
        self.survey.as_ref().map_or(Some(false), |survey| survey.writer.is_held)
    }

    /// Why the log of the run can't be read, if so.
    pub(super) fn log_error(&self) -> Option<&str> {
        self.run.as_ref().ok().and_then(|run| run.history.as_ref().err()).map(String::as_str)
    }

    /// What the log tells, if it can be read.
    pub(super) fn history(&self) -> Option<&History> {
        self.run.as_ref().ok().and_then(|run| run.history.as_ref().ok())
    }
}

impl Run {
    fn gather(path: &Path) -> Result<Self, ckpt::Error> {
        let reader = RunReader::open(path)?;
        let entries = reader.list()?;
        let mut verified = verify::verify_all(&reader, &entries);
        // Beside a writer one may be deleted while it is read.
        verified.retain(|verified| reader.path().join(&verified.name).symlink_metadata().is_ok());
        Ok(Self {
            history: reader.log().map_err(|error| error.to_string()).map(|lines| History::of(&lines)),
            unknown: reader.unknown_names().unwrap_or_default(),
            entries,
            verified,
            reader,
        })
    }

    /// What reading found out about the file of this name.
    pub(super) fn verified(&self, file_name: &str) -> Option<&Verified> {
        self.verified.iter().find(|verified| verified.name == file_name)
    }
}
