//! What the log tells that the questions need.

use ckpt::{
    Digest, FinalState, LastPolicy, LogEvent, LogLine, Note, Status, Timestamp, Writer, last_policy, prunings,
};

/// What the log tells.
#[derive(Debug, Default)]
pub(super) struct History {
    /// How often a writer opened the run, and when last.
    pub(super) openings: u64,
    pub(super) opened_at: Option<Timestamp>,
    /// The newest policy of a session.
    pub(super) policy: Option<LastPolicy>,
    /// A plan of it that waits to be confirmed.
    pub(super) withheld: Option<WithheldRecord>,
    /// The session that worked last, if it did not say that it ended.
    pub(super) unfinished: Option<Process>,
    /// The session that worked last, if it ended with a state that it did not save, and nothing was saved since.
    pub(super) unsaved: Option<UnsavedEnd>,
    /// The last change of the disk's level.
    pub(super) level: Option<LevelRecord>,
    /// Loads that passed over a checkpoint, oldest first.
    pub(super) stepped_back: Vec<StepBack>,
    /// The last time that work went on from a checkpoint, and the last prior that was taken.
    pub(super) loads: [Option<Load>; 2],
    /// Lines that cannot be read.
    pub(super) bad_lines: usize,
}

/// A plan that waits to be confirmed.
#[derive(Debug)]
pub(super) struct WithheldRecord {
    digest: Digest,
    pub(super) delete: u64,
    pub(super) keep: u64,
}

/// A process that wrote.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) at: Timestamp,
    pub(super) host: String,
    pub(super) pid: u32,
    /// It made a checkpoint.
    pub(super) saved: bool,
    /// It resumed or saved, and did not only prune: that has a policy, too.
    works: bool,
}

/// An end whose state is in no checkpoint.
#[derive(Debug)]
pub(super) struct UnsavedEnd {
    pub(super) at: Timestamp,
    pub(super) status: Status,
    /// Why.
    pub(super) reason: String,
}

/// A change of the disk's level.
#[derive(Debug)]
pub(super) struct LevelRecord {
    pub(super) at: Timestamp,
    pub(super) to: String,
    pub(super) reason: String,
}

/// A load that passed over a checkpoint.
#[derive(Debug)]
pub(super) struct StepBack {
    pub(super) at: Timestamp,
    pub(super) sequence: u64,
    pub(super) reason: String,
}

/// A time that state was loaded, with its counts.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) at: Timestamp,
    pub(super) note: Note,
}

impl History {
    /// Goes through the log, oldest first.
    pub(super) fn of(lines: &[LogLine]) -> Self {
        let mut history = Self::default();
        let mut process: Option<Process> = None;
        let prunings = prunings(lines);
        let mut of_a_session = false;
        for (index, line) in lines.iter().enumerate() {
            let LogLine::Good(entry) = line else {
                history.bad_lines += 1;
                continue;
            };
            let at = entry.at;
            if let LogEvent::Noted(note) = &entry.event {
                let [resumed, injected] = &mut history.loads;
                match note {
                    Note::Resumed { .. } => *resumed = Some(Load { at, note: note.clone() }),
                    Note::Injected { .. } => *injected = Some(Load { at, note: note.clone() }),
                    _ => {}
                }
            }
            match &entry.event {
                LogEvent::Opened { .. } => {
                    history.openings += 1;
                    history.opened_at = Some(at);
                }
                LogEvent::SteppedBack { sequence, reason, .. } => {
                    let (sequence, reason) = (*sequence, reason.clone());
                    history.stepped_back.push(StepBack { at, sequence, reason });
                }
                LogEvent::Noted(Note::PolicyInForce { digest, .. }) if !prunings.contains(&index) => {
                    of_a_session = true;
                    history.withheld = history.withheld.filter(|withheld| withheld.digest == *digest);
                    let (host, pid) = (entry.by.host.clone(), entry.by.pid);
                    process = Some(Process { at, host, pid, saved: false, works: false });
                    history.unsaved = None;
                }
                LogEvent::Noted(Note::PlanWithheld { digest, delete, keep }) => {
                    let (digest, delete, keep) = (*digest, *delete, *keep);
                    history.withheld = Some(WithheldRecord { digest, delete, keep });
                }
                LogEvent::Noted(Note::PlanConfirmed { digest }) => {
                    history.withheld = history.withheld.filter(|withheld| withheld.digest != *digest);
                }
                event @ (LogEvent::Saved { .. } | LogEvent::Noted(Note::Resumed { .. })) => {
                    let is_save = matches!(event, LogEvent::Saved { .. });
                    if is_save {
                        // It may hold what the end did not save.
                        history.unsaved = None;
                    }
                    for process in process.iter_mut().filter(|process| process.is(&entry.by)) {
                        process.saved |= is_save;
                        process.works = true;
                    }
                }
                LogEvent::Noted(Note::Finished { status, final_state, reason }) => {
                    process = None;
                    let reason = reason.clone().unwrap_or_default();
                    let is_unsaved = *final_state == Some(FinalState::NotSaved);
                    history.unsaved = is_unsaved.then_some(UnsavedEnd { at, status: *status, reason });
                }
                LogEvent::Noted(Note::DiskLevel { to, reason, .. }) => {
                    history.level = Some(LevelRecord { at, to: to.clone(), reason: reason.clone() });
                }
                _ => {}
            }
        }
        history.policy = last_policy(lines).filter(|_| of_a_session);
        history.unfinished = process.filter(|process| process.works);
        history
    }
}

impl Process {
    fn is(&self, writer: &Writer) -> bool {
        (&self.host, self.pid) == (&writer.host, writer.pid)
    }
}
