//! What may still be saved when the disk fills: `docs/POLICY.md`, section 4.

use std::fmt;

use ckpt_format::{Event, EventClass};
use serde::Serialize;

use crate::explain::serialize_with_text;

const DEFAULT_BYTES_MAX: u64 = 5 << 30;
const DEFAULT_PART: u64 = 20;

/// Room that periodic saves leave free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reserve {
    /// The lesser of 5 GiB and 5 % of the file system.
    #[default]
    Default,
    /// So many bytes.
    Bytes(u64),
}

impl Reserve {
    /// So many GiB, as configurations say it.
    ///
    /// # Errors
    /// [`ReserveError`] if it is negative or no finite number.
    pub fn gib(gib: f64) -> Result<Self, ReserveError> {
        if gib.is_finite() && gib >= 0.0 {
            Ok(Self::Bytes((gib * (1_u64 << 30) as f64) as u64))
        } else {
            Err(ReserveError { found: gib })
        }
    }

    /// Its bytes on a file system of this size; half as much more for each rank: see [`priority_rank`]. Where the size is
    /// not known, the default is 5 GiB.
    pub fn bytes(self, total: Option<u64>, rank: u32) -> u64 {
        let own = match self {
            Self::Default => {
                total.map_or(DEFAULT_BYTES_MAX, |total| DEFAULT_BYTES_MAX.min(total / DEFAULT_PART))
            }
            Self::Bytes(bytes) => bytes,
        };
        own.saturating_add((own / 2).saturating_mul(u64::from(rank)))
    }
}

/// A reserve that is no size.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a reserve of {found} GiB is no size: it is a finite number of at least 0")]
pub struct ReserveError {
    /// What was given.
    pub found: f64,
}

/// How many distinct priorities of all the phases are higher than one's own: phases of a higher rank stop saving first.
///
/// ```
/// assert_eq!(ckpt_policy::priority_rank(0, &[0, 5, 5, 9]), 2);
/// assert_eq!(ckpt_policy::priority_rank(9, &[0, 5, 5, 9]), 0);
/// ```
pub fn priority_rank(own: i64, all: &[i64]) -> u32 {
    let mut higher: Vec<i64> = all.iter().copied().filter(|priority| *priority > own).collect();
    higher.sort_unstable();
    higher.dedup();
    u32::try_from(higher.len()).unwrap_or(u32::MAX)
}

/// What is known of the room on the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Free bytes; nothing if they could not be read, which does not mean that there are many.
    pub available: Option<u64>,
    /// All bytes; nothing if they could not be read.
    pub total: Option<u64>,
    /// The stored size of the last save, 0 before there is one.
    pub last_stored_bytes: u64,
}

impl Room {
    /// What the next save may need: a tenth more than the last.
    pub fn need(&self) -> u64 {
        self.last_stored_bytes.saturating_add(self.last_stored_bytes / 10)
    }
}

/// How far the disk has filled. The later, the less may be saved.
///
/// ```
/// use ckpt_format::Event;
/// use ckpt_policy::{Level, Reserve, Room};
///
/// let room = |available| Room { available: Some(available), total: None, last_stored_bytes: 100 };
/// let next = |level: Level, available| level.next(&room(available), Reserve::Bytes(1_000), 0);
///
/// let level = next(Level::Normal, 1_109);
/// assert_eq!(level, Level::NoPeriodic);
/// assert!(level.refuses(&[Event::Periodic]).is_some() && level.refuses(&[Event::Manual]).is_none());
/// assert_eq!(next(level, 1_110), Level::NoPeriodic); // up again only with 10 % more
/// assert_eq!(next(level, 1_221), Level::Prune);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everything is saved.
    #[default]
    Normal,
    /// Prune now.
    Prune,
    /// Neither periodic nor best saves.
    NoPeriodic,
    /// Only urgent events.
    UrgentOnly,
    /// Nothing.
    Refuse,
}

impl Level {
    /// Every level, from the one that saves everything to the one that saves nothing.
    pub const ALL: [Level; 5] = [Self::Normal, Self::Prune, Self::NoPeriodic, Self::UrgentOnly, Self::Refuse];

    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Prune => "prune",
            Self::NoPeriodic => "no_periodic",
            Self::UrgentOnly => "urgent_only",
            Self::Refuse => "refuse",
        }
    }

    /// The free bytes below which this level begins; 0 for the normal one.
    pub fn threshold(self, room: &Room, reserve: Reserve, rank: u32) -> u64 {
        let (need, reserve) = (room.need(), reserve.bytes(room.total, rank));
        match self {
            Self::Normal => 0,
            Self::Prune => reserve.saturating_add(need.saturating_mul(2)),
            Self::NoPeriodic => reserve.saturating_add(need),
            Self::UrgentOnly => reserve,
            Self::Refuse => need,
        }
    }

    /// The level after this one, with so much room: downwards at once, upwards only over levels whose threshold is exceeded by
    /// a tenth. Where the free bytes are not known it stays.
    #[must_use]
    pub fn next(self, room: &Room, reserve: Reserve, rank: u32) -> Self {
        let Some(available) = room.available else { return self };
        let deepest = |is_below: fn(u64, u64) -> bool| {
            let begun = |level: &Self| is_below(available, level.threshold(room, reserve, rank));
            Self::ALL.into_iter().rev().find(begun).unwrap_or_default()
        };
        let now = deepest(|available, threshold| available < threshold);
        let surely = deepest(|available, threshold| available < threshold.saturating_add(threshold / 10));
        now.max(self.min(surely))
    }

    /// Why a save with these events is not made; nothing if it is. One event that may be saved is enough.
    pub fn refuses(self, events: &[Event]) -> Option<Refusal> {
        let passes = |event: &Event| match self {
            Self::Normal | Self::Prune => true,
            Self::NoPeriodic => !matches!(event.class(), EventClass::Periodic | EventClass::Best),
            Self::UrgentOnly => event.is_urgent(),
            Self::Refuse => false,
        };
        match self {
            Self::Normal | Self::Prune => None,
            Self::NoPeriodic | Self::UrgentOnly if events.iter().any(passes) => None,
            Self::NoPeriodic => Some(Refusal::NoPeriodic),
            Self::UrgentOnly => Some(Refusal::UrgentOnly),
            Self::Refuse => Some(Refusal::Nothing),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a save is not made for want of room. In JSON `{rule, text}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "rule", rename_all = "snake_case", remote = "Self")]
#[non_exhaustive]
pub enum Refusal {
    /// It is periodic or best, and what is left is for the others.
    NoPeriodic,
    /// It is not urgent, and the reserve is touched.
    UrgentOnly,
    /// It would not fit.
    Nothing,
}

serialize_with_text!(Refusal);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPeriodic => {
                "the disk fills: neither periodic nor best saves until there is room for the reserve and more than one save"
            }
            Self::UrgentOnly => "the disk is down to its reserve: only urgent events are saved",
            Self::Nothing => "the disk has no room for another save",
        })
    }
}
