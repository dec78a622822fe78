//! What the disk's state lets a session save: the level, its changes, and what is done about them.

use ckpt_format::Event;
use ckpt_policy::{Level, Reserve, Room};
use ckpt_store::{Note, Run};

use super::keep::Keeper;
use super::notices::Notices;
use super::report::Notice;

/// The level of the disk, as far as this session knows.
#[derive(Debug)]
pub(crate) struct Ladder {
    level: Level,
    reserve: Reserve,
    phases_above: u32,
    unknown_told: bool,
}

impl Ladder {
    pub(crate) fn new(reserve: Reserve, phases_above: u32) -> Self {
        Self { level: Level::Normal, reserve, phases_above, unknown_told: false }
    }

    /// Whether these events may be saved now; if not, why. Prunes first where the level asks for it. Where the save happens `behind`
    /// the caller and there is room for it, so does the pruning, after it: the caller would wait for both.
    pub(crate) fn refusal(
        &mut self,
        run: &Run,
        events: &[Event],
        keeper: &Keeper,
        behind: bool,
        notices: &Notices,
    ) -> Option<String> {
        self.look(run, notices);
        match self.level {
            Level::Normal => {}
            Level::Prune if behind => keeper.prune_after_next(),
            // Less room than the reserve and the save need: the pruning may be what makes it.
            _ => {
                keeper.prune_now(run);
                self.look(run, notices);
            }
        }
        self.level.refuses(events).map(|refusal| refusal.to_string())
    }

    /// Reads the free space; a change of level is told once and stands in the log.
    fn look(&mut self, run: &Run, notices: &Notices) {
        let space = match run.space() {
            Ok(space) => space,
            Err(error) => {
                if !std::mem::replace(&mut self.unknown_told, true) {
                    notices.tell(Notice::SpaceUnknown { reason: error.to_string() });
                }
                return;
            }
        };
        self.unknown_told = false;
        let room = Room {
            available: Some(space.available),
            total: Some(space.total),
            last_stored_bytes: run.last_stored_bytes(),
        };
        let (from, to) = (self.level, self.level.next(&room, self.reserve, self.phases_above));
        if from == to {
            return;
        }
        self.level = to;
        let reason = self.explain(&room, from, to);
        metrics::gauge!("ckpt_disk_level").set(f64::from(to as u8));
        run.note(Note::DiskLevel {
            from: from.to_string(),
            to: to.to_string(),
            available_bytes: space.available,
            reason: reason.clone(),
        });
        notices.tell(Notice::DiskLevel { from, to, reason });
    }

    fn explain(&self, room: &Room, from: Level, to: Level) -> String {
        let free = room.available.unwrap_or_default();
        let level = from.max(to);
        let threshold = level.threshold(room, self.reserve, self.phases_above);
        let way = if to > from { "below" } else { "a tenth above" };
        format!(
            "the disk went from {from} to {to}: {free} bytes are free, {way} the {threshold} at which {level} begins"
        )
    }
}
