//! Which signals are heard, what they mean, and which cannot be.

use std::collections::BTreeMap;
use std::io;

use ckpt_format::Event;
use signal_hook::consts::{FORBIDDEN, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::low_level::signal_name;

use super::reason::name;

/// Which signals ask for what. Signals are given by number.
///
/// ```
/// use ckpt::{Event, SignalOptions};
///
/// const SIGHUP: i32 = 1;
/// // SIGTERM and SIGUSR1 as by default, SIGHUP like SIGTERM, and SIGINT is left alone.
/// let options = SignalOptions::default().without(2).stop_on(SIGHUP, Event::Shutdown);
/// # drop(options);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalOptions {
    pub(super) stop: BTreeMap<i32, Event>,
    pub(super) save: Option<i32>,
}

impl SignalOptions {
    /// No signal at all, to add to.
    #[must_use]
    pub fn none() -> Self {
        Self { stop: BTreeMap::new(), save: None }
    }

    /// `signal` asks to stop, and checkpoints saved for it have `event`.
    #[must_use]
    pub fn stop_on(mut self, signal: i32, event: Event) -> Self {
        self.stop.insert(signal, event);
        self
    }

    /// `signal`, and no other, asks to save and go on.
    #[must_use]
    pub fn save_on(mut self, signal: i32) -> Self {
        self.save = Some(signal);
        self
    }

    /// `signal` asks for nothing and is left as it is.
    #[must_use]
    pub fn without(mut self, signal: i32) -> Self {
        self.stop.remove(&signal);
        self.save = self.save.filter(|save| *save != signal);
        self
    }

    pub(super) fn check(&self) -> Result<(), StopError> {
        for signal in self.stop.keys().copied().chain(self.save) {
            if FORBIDDEN.contains(&signal) || signal_name(signal).is_none() {
                return Err(StopError::Unheard { signal });
            }
        }
        match self.save.filter(|save| self.stop.contains_key(save)) {
            Some(signal) => Err(StopError::TwoMeanings { name: name(signal) }),
            None => Ok(()),
        }
    }
}

impl Default for SignalOptions {
    /// SIGTERM is `shutdown`, SIGINT is `interrupt`, SIGUSR1 asks to save.
    fn default() -> Self {
        Self::none().stop_on(SIGTERM, Event::Shutdown).stop_on(SIGINT, Event::Interrupt).save_on(SIGUSR1)
    }
}

/// Why signals can't be heard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StopError {
    /// No program can hear it, or it is not known here.
    #[error(
        "signal {signal} can't ask for anything: choose one that a program may handle, like SIGTERM (15)"
    )]
    Unheard {
        /// Its number.
        signal: i32,
    },
    /// It should both stop and save.
    #[error("{name} can't ask both to stop and to save: give each a signal of its own")]
    TwoMeanings {
        /// Its name.
        name: String,
    },
    /// The system refused to hear it.
    #[error("listening for {name} failed")]
    Listen {
        /// Its name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused the thread that waits for signals, or the socket it waits at.
    #[error("starting the thread that waits for signals failed")]
    Watch {
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_that_no_program_may_handle_are_refused() {
        for signal in [9, 19, 11, 0, -1, 4_000] {
            let error = SignalOptions::default().stop_on(signal, Event::Shutdown).check().unwrap_err();
            assert!(matches!(error, StopError::Unheard { signal: refused } if refused == signal), "{error}");
            SignalOptions::none().save_on(signal).check().unwrap_err();
        }
    }

    #[test]
    fn a_signal_has_one_meaning() {
        let error = SignalOptions::default().save_on(SIGTERM).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "SIGTERM can't ask both to stop and to save: give each a signal of its own"
        );
        SignalOptions::default().without(SIGTERM).save_on(SIGTERM).check().unwrap();
    }

    #[test]
    fn without_takes_away_either_meaning() {
        let left = SignalOptions::default().without(SIGTERM).without(SIGUSR1);
        assert_eq!(left, SignalOptions::none().stop_on(SIGINT, Event::Interrupt));
    }
}
