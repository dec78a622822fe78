//! Why a checkpoint was saved. One spelling everywhere: at the shell, in names, in JSON.
//!
//! ```
//! use ckpt_format::Event;
//!
//! let events: Vec<Event> = vec!["periodic".parse()?, "phase_boundary_night".parse()?];
//! assert_eq!(Event::strongest(&events).map(Event::to_string).as_deref(), Some("phase_boundary_night"));
//! # Ok::<(), ckpt_format::EventError>(())
//! ```

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ident::{BoundaryName, Excerpt, IdentError};

const BOUNDARY_PREFIX: &str = "phase_boundary_";

/// Why a checkpoint was saved. A checkpoint has a list of them.
///
/// The text forms are `periodic`, `best`, `phase_end`, `phase_boundary_NAME`, `interrupt`, `cancellation`,
/// `failure`, `shutdown`, `manual`. A bare `phase_boundary` is not an event, for a boundary has a name; it is
/// an [`EventClass`]. In serde an event is a string, checked on reading.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Event {
    /// The schedule said so.
    Periodic,
    /// A metric improved.
    Best,
    /// A phase of the work ended as planned.
    PhaseEnd,
    /// The work went over a named boundary within a phase.
    PhaseBoundary(BoundaryName),
    /// Someone interrupted the work.
    Interrupt,
    /// The work was cancelled.
    Cancellation,
    /// The work failed; this is what it had.
    Failure,
    /// The process was asked to stop.
    Shutdown,
    /// Someone asked for it.
    Manual,
}

impl Event {
    /// A phase boundary of this name.
    ///
    /// # Errors
    /// [`EventError::Boundary`] if the name does not match `[a-z0-9_]{1,48}`.
    pub fn phase_boundary(name: &str) -> Result<Self, EventError> {
        let boundary = name.parse().map_err(|source| EventError::boundary(name, source))?;
        Ok(Self::PhaseBoundary(boundary))
    }

    /// What sort of event it is, without the name of a boundary. Budgets and selectors go by class.
    pub fn class(&self) -> EventClass {
        match self {
            Self::Periodic => EventClass::Periodic,
            Self::Best => EventClass::Best,
            Self::PhaseEnd => EventClass::PhaseEnd,
            Self::PhaseBoundary(_) => EventClass::PhaseBoundary,
            Self::Interrupt => EventClass::Interrupt,
            Self::Cancellation => EventClass::Cancellation,
            Self::Failure => EventClass::Failure,
            Self::Shutdown => EventClass::Shutdown,
            Self::Manual => EventClass::Manual,
        }
    }

    /// How much this event tells beside others, 0 (periodic) to 8 (failure): see [`EventClass::strength`].
    pub fn strength(&self) -> u8 {
        self.class().strength()
    }

    /// True for all but periodic, best and manual: these may use the last of a disk and are never skipped.
    pub fn is_urgent(&self) -> bool {
        self.class().is_urgent()
    }

    /// The strongest of several, the one a file name shows; of equals the first. `None` if there is none.
    pub fn strongest(events: &[Event]) -> Option<&Event> {
        // `max_by_key` would take the last of equals.
        events.iter().rev().max_by_key(|event| event.strength())
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PhaseBoundary(name) => f.pad(&format!("{BOUNDARY_PREFIX}{name}")),
            plain => f.pad(plain.class().as_str()),
        }
    }
}

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        if let Some(name) = text.strip_prefix(BOUNDARY_PREFIX) {
            return Self::phase_boundary(name);
        }
        match EventClass::from_text(text) {
            Some(EventClass::Periodic) => Ok(Self::Periodic),
            Some(EventClass::Best) => Ok(Self::Best),
            Some(EventClass::PhaseEnd) => Ok(Self::PhaseEnd),
            Some(EventClass::Interrupt) => Ok(Self::Interrupt),
            Some(EventClass::Cancellation) => Ok(Self::Cancellation),
            Some(EventClass::Failure) => Ok(Self::Failure),
            Some(EventClass::Shutdown) => Ok(Self::Shutdown),
            Some(EventClass::Manual) => Ok(Self::Manual),
            Some(EventClass::PhaseBoundary) => Err(EventError::UnnamedBoundary),
            None => Err(EventError::Unknown { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for Event {
    type Error = EventError;

    fn try_from(text: String) -> Result<Self, EventError> {
        text.parse()
    }
}

impl From<Event> for String {
    fn from(event: Event) -> String {
        event.to_string()
    }
}

/// The sort of an event: an [`Event`] without the name of its boundary. Ordered by strength.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventClass {
    /// See [`Event::Periodic`].
    Periodic,
    /// See [`Event::Best`].
    Best,
    /// See [`Event::Manual`].
    Manual,
    /// Any phase boundary, whatever its name.
    PhaseBoundary,
    /// See [`Event::PhaseEnd`].
    PhaseEnd,
    /// See [`Event::Cancellation`].
    Cancellation,
    /// See [`Event::Shutdown`].
    Shutdown,
    /// See [`Event::Interrupt`].
    Interrupt,
    /// See [`Event::Failure`].
    Failure,
}

impl EventClass {
    /// Every class, weakest first: periodic, best, manual, phase boundary, phase end, cancellation, shutdown,
    /// interrupt, failure.
    pub const ALL: [EventClass; 9] = [
        Self::Periodic,
        Self::Best,
        Self::Manual,
        Self::PhaseBoundary,
        Self::PhaseEnd,
        Self::Cancellation,
        Self::Shutdown,
        Self::Interrupt,
        Self::Failure,
    ];

    /// The text form: that of the event, and `phase_boundary` for any boundary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Periodic => "periodic",
            Self::Best => "best",
            Self::Manual => "manual",
            Self::PhaseBoundary => "phase_boundary",
            Self::PhaseEnd => "phase_end",
            Self::Cancellation => "cancellation",
            Self::Shutdown => "shutdown",
            Self::Interrupt => "interrupt",
            Self::Failure => "failure",
        }
    }

    /// The place in [`EventClass::ALL`], 0 for the weakest.
    pub fn strength(self) -> u8 {
        // The variants are declared weakest first; a test holds them to `ALL`.
        self as u8
    }

    /// True for all but periodic, best and manual.
    pub fn is_urgent(self) -> bool {
        !matches!(self, Self::Periodic | Self::Best | Self::Manual)
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

impl fmt::Display for EventClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for EventClass {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        Self::from_text(text).ok_or_else(|| EventError::Unknown { text: text.to_owned() })
    }
}

/// Which events are meant: all of a class, or the boundary of one name.
///
/// The text forms are those of [`EventClass`] and `phase_boundary_NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventPattern {
    /// Any event of the class; `phase_boundary` means any boundary.
    Class(EventClass),
    /// The phase boundary of this name only.
    Boundary(BoundaryName),
}

impl EventPattern {
    /// True if the event is one that is meant.
    pub fn matches(&self, event: &Event) -> bool {
        match self {
            Self::Class(class) => event.class() == *class,
            Self::Boundary(name) => matches!(event, Event::PhaseBoundary(other) if other == name),
        }
    }
}

impl From<Event> for EventPattern {
    fn from(event: Event) -> Self {
        match event {
            Event::PhaseBoundary(name) => Self::Boundary(name),
            plain => Self::Class(plain.class()),
        }
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => class.fmt(f),
            Self::Boundary(name) => Event::PhaseBoundary(name.clone()).fmt(f),
        }
    }
}

impl FromStr for EventPattern {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        match EventClass::from_text(text) {
            Some(class) => Ok(Self::Class(class)),
            None => text.parse::<Event>().map(Self::from),
        }
    }
}

/// Why a text is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// No event is spelled like this.
    #[error(
        "unknown event {}; use one of periodic, best, phase_end, phase_boundary_NAME, interrupt, \
         cancellation, failure, shutdown, manual",
        Excerpt(text)
    )]
    Unknown {
        /// The whole text.
        text: String,
    },
    /// A phase boundary without a name.
    #[error(
        "event \"phase_boundary\" names no boundary; write phase_boundary_NAME, where NAME matches \
         [a-z0-9_]{{1,48}}"
    )]
    UnnamedBoundary,
    /// A phase boundary whose name breaks the rule.
    #[error("event {} names no boundary: {source}", Excerpt(text))]
    Boundary {
        /// The whole text of the event.
        text: String,
        /// What is wrong with the name; positions count from its beginning.
        source: IdentError,
    },
}

impl EventError {
    fn boundary(name: &str, source: IdentError) -> Self {
        Self::Boundary { text: format!("{BOUNDARY_PREFIX}{name}"), source }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(text: &str) -> Event {
        text.parse().expect("an event")
    }

    #[test]
    fn every_event_has_one_spelling_in_text_and_in_json() {
        for text in [
            "periodic",
            "best",
            "phase_end",
            "phase_boundary_night",
            "phase_boundary__",
            "interrupt",
            "cancellation",
            "failure",
            "shutdown",
            "manual",
        ] {
            assert_eq!(event(text).to_string(), text);
            assert_eq!(serde_json::to_string(&event(text)).expect("json"), format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Event>(&format!("\"{text}\"")).expect("an event"), event(text));
        }
    }

    #[test]
    fn what_is_not_an_event_is_refused_with_the_way_out() {
        for (text, part) in [
            ("", "unknown event \"\"; use one of periodic, best"),
            ("Periodic", "unknown event \"Periodic\""),
            ("periodic ", "unknown event \"periodic \""),
            ("phase_boundary", "write phase_boundary_NAME"),
            ("phase_boundary_", "phase boundary is empty"),
            ("phase_boundary_Night", "has 'N' at byte 0; it must match [a-z0-9_]{1,48}"),
            ("phase_boundary_a/b", "has '/' at byte 1"),
        ] {
            let error = text.parse::<Event>().unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
        assert!(Event::phase_boundary(&"x".repeat(48)).is_ok());
        assert!(Event::phase_boundary(&"x".repeat(49)).is_err());
    }

    #[test]
    fn the_strongest_is_chosen_in_the_published_order() {
        let order = [
            "failure",
            "interrupt",
            "shutdown",
            "cancellation",
            "phase_end",
            "phase_boundary_x",
            "manual",
            "best",
            "periodic",
        ];
        for (i, stronger) in order.iter().enumerate() {
            for weaker in order.iter().skip(i + 1) {
                let events = [event(weaker), event(stronger), event(weaker)];
                assert_eq!(Event::strongest(&events), Some(&event(stronger)), "{stronger} over {weaker}");
            }
        }
        assert_eq!(Event::strongest(&[]), None);
        let two = [event("phase_boundary_a"), event("phase_boundary_b")];
        assert_eq!(Event::strongest(&two), Some(&two[0]), "of equals the first");
    }

    #[test]
    fn strength_is_the_place_in_the_list_of_classes() {
        for (place, class) in EventClass::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(class.strength()), place, "{class}");
            assert_eq!(class.to_string().parse(), Ok(class));
            assert_eq!(serde_json::to_string(&class).expect("json"), format!("\"{class}\""));
        }
    }

    #[test]
    fn all_but_periodic_best_and_manual_are_urgent() {
        for class in EventClass::ALL {
            assert_eq!(
                class.is_urgent(),
                !["periodic", "best", "manual"].contains(&class.as_str()),
                "{class}"
            );
        }
    }

    #[test]
    fn a_pattern_of_a_class_matches_any_boundary_and_a_named_one_only_its_own() {
        let any: EventPattern = "phase_boundary".parse().expect("a pattern");
        let night: EventPattern = "phase_boundary_night".parse().expect("a pattern");
        let best: EventPattern = "best".parse().expect("a pattern");
        assert!(any.matches(&event("phase_boundary_night")) && any.matches(&event("phase_boundary_day")));
        assert!(
            night.matches(&event("phase_boundary_night")) && !night.matches(&event("phase_boundary_day"))
        );
        assert!(!any.matches(&event("phase_end")) && !night.matches(&event("periodic")));
        assert!(best.matches(&event("best")) && !best.matches(&event("periodic")));
        for pattern in [any, night, best] {
            assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
        assert!("phase_boundary_".parse::<EventPattern>().is_err());
    }

    proptest! {
        #[test]
        fn any_text_that_parses_is_written_as_it_was_read(
            text in "[a-z_]{0,12}|phase_boundary_[a-z0-9_]{0,60}|.*"
        ) {
            if let Ok(parsed) = text.parse::<Event>() {
                prop_assert_eq!(parsed.to_string(), text);
            }
        }
    }
}
