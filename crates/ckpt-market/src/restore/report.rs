//! What restoring did: data, and a sentence for each.

use std::fmt;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::component::kill_switch::ReasonCode;

/// Everything that restoring changed or has to tell, in the order of the rules. In JSON a list of
/// `{component, rule, text}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct RestoreReport {
    notes: Vec<Note>,
}

/// One finding about one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Name of the component's section.
    pub component: &'static str,
    /// What there is to tell.
    pub finding: Finding,
}

/// What a rule found and did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// A number was outside its bounds.
    Clamped {
        /// The field.
        field: String,
        /// What it was.
        from: f64,
        /// What it is.
        to: f64,
        /// The bound, as a sentence.
        why: &'static str,
    },
    /// A field, or the whole component, could not be used and is its default.
    Reset {
        /// The field.
        field: String,
        /// Why, as a sentence.
        why: &'static str,
    },
    /// A trigger still holds.
    TriggerHeld {
        /// Which.
        code: ReasonCode,
        /// Hours since it happened; none if nobody knows.
        age_hours: Option<f64>,
        /// Whether that is exact, or the least that it can be.
        exact: bool,
    },
    /// A trigger is older than triggers hold.
    TriggerExpired {
        /// Which.
        code: ReasonCode,
        /// Hours since it happened.
        age_hours: f64,
        /// Hours that triggers hold.
        limit_hours: f64,
    },
    /// A trigger was of the moment: if its cause lasts, it comes again.
    TriggerTransient {
        /// Which.
        code: ReasonCode,
    },
    /// The figures of the day are of another day, or of none that is known.
    FiguresReset {
        /// The day's profit or loss that was dropped, in the quote currency.
        daily_pnl: f64,
        /// The peak that was dropped, in the quote currency.
        peak_pnl: f64,
    },
    /// A time lies in the future: it counts as now.
    ClockAhead {
        /// The field.
        field: &'static str,
        /// By how many milliseconds.
        ahead_ms: u64,
    },
    /// The Q-table does not fit the agent and is empty.
    TableRefused {
        /// Why: each thing that does not fit.
        why: Vec<Misfit>,
        /// Cells that it had.
        cells: usize,
    },
    /// Whether something of the Q-table fits is unknown, and the rules let it pass.
    TableUnknown {
        /// What is unknown.
        what: Aspect,
    },
    /// Cells of the Q-table were dropped.
    CellsDropped {
        /// With a state or an action that the agent does not have.
        out_of_range: usize,
        /// With numbers that are no posterior.
        unusable: usize,
        /// Of which there was a later one.
        duplicate: usize,
        /// That said nothing.
        unknown: usize,
    },
    /// Posteriors faded with age.
    Decayed {
        /// The age, in hours.
        age_hours: f64,
        /// Factor of evidence, 0 to 1.
        factor: f64,
    },
    /// Posteriors were to fade, but nobody knows how old they are: they did not.
    AgeUnknown,
}

/// Something of the Q-table that differs from the agent's or is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What.
    pub aspect: Aspect,
    /// What the table has; none is unknown.
    pub found: Option<String>,
    /// What the agent has.
    pub expected: String,
}

/// What has to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aspect {
    /// What the action indices mean.
    ActionSpace,
    /// Whether the state is the compact one.
    CompactState,
    /// Whether the state has a bucket of drift.
    DriftBucket,
    /// What the values are made of.
    RewardConfig,
}

impl RestoreReport {
    /// Adds a note.
    pub fn note(&mut self, component: &'static str, finding: Finding) {
        self.notes.push(Note { component, finding });
    }

    /// The notes.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The notes of one component.
    pub fn of(&self, component: &str) -> Vec<&Finding> {
        self.notes.iter().filter(|note| note.component == component).map(|note| &note.finding).collect()
    }

    /// Whether there is nothing to tell: everything was taken as it was.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }
}

impl Finding {
    /// The rule, in one word.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Clamped { .. } => "clamped",
            Self::Reset { .. } => "reset",
            Self::TriggerHeld { .. } => "trigger_held",
            Self::TriggerExpired { .. } => "trigger_expired",
            Self::TriggerTransient { .. } => "trigger_transient",
            Self::FiguresReset { .. } => "figures_reset",
            Self::ClockAhead { .. } => "clock_ahead",
            Self::TableRefused { .. } => "table_refused",
            Self::TableUnknown { .. } => "table_unknown",
            Self::CellsDropped { .. } => "cells_dropped",
            Self::Decayed { .. } => "decayed",
            Self::AgeUnknown => "age_unknown",
        }
    }
}

impl Serialize for Note {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut note = serializer.serialize_struct("Note", 3)?;
        note.serialize_field("component", self.component)?;
        note.serialize_field("rule", self.finding.rule())?;
        note.serialize_field("text", &self.finding.to_string())?;
        note.end()
    }
}

/// One line a note.
impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.component, self.finding)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clamped { field, from, to, why } => write!(f, "{field} was {from} and is {to}: {why}"),
            Self::Reset { field, why } => write!(f, "{field} is its default: {why}"),
            Self::TriggerHeld { code, age_hours: None, .. } => {
                write!(f, "still triggered by {code}, since nobody knows when")
            }
            Self::TriggerHeld { code, age_hours: Some(age), exact } => {
                let least = if *exact { "" } else { "at least " };
                write!(f, "still triggered by {code}, {least}{age:.1} h ago")
            }
            Self::TriggerExpired { code, age_hours, limit_hours } => {
                write!(
                    f,
                    "the trigger {code} expired: it is {age_hours:.1} h old, triggers hold {limit_hours} h"
                )
            }
            Self::TriggerTransient { code } => {
                write!(
                    f,
                    "the trigger {code} was of the moment and is dropped: it comes again if its cause lasts"
                )
            }
            Self::FiguresReset { daily_pnl, peak_pnl } => {
                write!(f, "the figures begin at 0: {daily_pnl} (peak {peak_pnl}) were of another day")
            }
            Self::ClockAhead { field, ahead_ms } => {
                write!(f, "{field} is {ahead_ms} ms in the future and counts as now: check the clocks")
            }
            Self::TableRefused { why, cells } => {
                write!(f, "the table of {cells} cells does not fit the agent and is empty:")?;
                let mut separator = " ";
                for misfit in why {
                    write!(f, "{separator}{misfit}")?;
                    separator = "; ";
                }
                Ok(())
            }
            Self::TableUnknown { what } => write!(f, "whether {what} fits is unknown, it was let pass"),
            Self::CellsDropped { out_of_range, unusable, duplicate, unknown } => write!(
                f,
                "cells dropped: {out_of_range} out of range, {unusable} without a posterior, {duplicate} given again later, \
                 {unknown} that say nothing"
            ),
            Self::Decayed { age_hours, factor } => {
                write!(f, "{age_hours:.1} h old, so its evidence counts {factor:.3} of what it did")
            }
            Self::AgeUnknown => f.write_str("it does not say when it was taken, so nothing fades"),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { aspect, found, expected } = self;
        match found {
            Some(found) => write!(f, "{aspect} is {found}, the agent's is {expected}"),
            None => write!(f, "{aspect} is unknown, the agent's is {expected}"),
        }
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ActionSpace => "the action space",
            Self::CompactState => "the compact state",
            Self::DriftBucket => "the drift bucket",
            Self::RewardConfig => "the reward's configuration",
        })
    }
}
