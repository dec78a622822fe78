//! Why the work should stop, and what the checkpoint then says of it.

use std::fmt;

use ckpt_format::Event;

/// Why the work should stop. Shown as a sentence: "SIGTERM was received".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopReason {
    /// A signal came.
    Signal {
        /// Its number.
        signal: i32,
        /// What it means: `shutdown`, `interrupt`, or what the options say.
        event: Event,
    },
    /// The program itself asked.
    Requested {
        /// In its words.
        text: String,
        /// What it means.
        event: Event,
    },
}

impl StopReason {
    /// The work is not wanted any more: event `cancellation`.
    pub fn cancellation(text: impl Into<String>) -> Self {
        Self::Requested { text: text.into(), event: Event::Cancellation }
    }

    /// The process has to go, the work is still wanted: event `shutdown`.
    pub fn shutdown(text: impl Into<String>) -> Self {
        Self::Requested { text: text.into(), event: Event::Shutdown }
    }

    pub(super) fn signal(signal: i32, event: Option<Event>) -> Self {
        Self::Signal { signal, event: event.unwrap_or(Event::Shutdown) }
    }

    /// The event of a checkpoint that is saved for this reason.
    #[must_use]
    pub fn event(&self) -> Event {
        match self {
            Self::Signal { event, .. } | Self::Requested { event, .. } => event.clone(),
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { signal, .. } => write!(f, "{} was received", name(*signal)),
            Self::Requested { text, .. } => f.write_str(text),
        }
    }
}

/// `SIGTERM`, or `signal 64` where there is no name.
pub(super) fn name(signal: i32) -> String {
    signal_hook::low_level::signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_event_and_its_words() {
        let killed = StopReason::signal(15, Some(Event::Shutdown));
        assert_eq!((killed.event(), killed.to_string().as_str()), (Event::Shutdown, "SIGTERM was received"));
        let unnamed = StopReason::signal(64, Some(Event::Interrupt));
        assert_eq!(
            (unnamed.event(), unnamed.to_string().as_str()),
            (Event::Interrupt, "signal 64 was received")
        );
        let cancelled = StopReason::cancellation("not wanted");
        assert_eq!((cancelled.event(), cancelled.to_string().as_str()), (Event::Cancellation, "not wanted"));
        assert_eq!(StopReason::shutdown("closing").event(), Event::Shutdown);
    }
}
