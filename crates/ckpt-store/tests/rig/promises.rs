//! One checker for all: whatever a power loss, a kill, a failing call or a full disk left must keep every promise.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ckpt_format::{Entry, Selector, State};
use ckpt_store::storage::{Access, Storage};
use ckpt_store::{Deletion, Error, Loaded, LogEvent, LogLine, Run, RunOptions, RunReader, Saved, Sections};

use crate::ledger::{Broken, Ledger, Order, hold, works};

/// Where a test has its run, how it opens it, and what it saves in it.
#[derive(Clone)]
pub(crate) struct Subject {
    /// The run's directory beneath the storage that is examined.
    pub(crate) run: &'static str,
    /// How the next writer opens it.
    pub(crate) options: RunOptions,
    /// Saves the state of a step.
    pub(crate) save: fn(&Run, u64) -> ckpt_store::Result<Saved>,
    /// The step whose state was loaded, bit for bit.
    pub(crate) step_of: fn(&Loaded<Sections>) -> Result<u64, String>,
    /// The step that the next writer saves.
    pub(crate) new_step: u64,
    /// Whether the machine has started anew: then everything that is there may be relied on.
    pub(crate) restarted: bool,
}

impl Subject {
    /// The run, made if it is not there.
    pub(crate) fn create(&self, base: &Arc<dyn Storage>) -> ckpt_store::Result<Run> {
        let names: Vec<String> = self.run.split('/').map(str::to_owned).collect();
        let (kind, name) = ("tests".parse().unwrap(), "run".parse().unwrap());
        match Run::create_beneath(Arc::clone(base), &names, &kind, &name, self.options.clone()) {
            Err(Error::Exists { .. }) => self.open(&base.descend(self.run).unwrap()),
            other => other,
        }
    }

    fn open(&self, storage: &Arc<dyn Storage>) -> ckpt_store::Result<Run> {
        Run::open_on(Arc::clone(storage), self.run, self.options.clone())
    }
}

/// Holds what is in `base` against the ledger: first as a reader, then as the next writer, whose own promises are entered into
/// the ledger as they are made.
pub(crate) fn examine(
    base: &Arc<dyn Storage>,
    subject: &Subject,
    ledger: &Mutex<Ledger>,
) -> Result<(), Broken> {
    let examination = Examination { subject, ledger };
    let storage = match base.descend(subject.run) {
        Ok(storage) => storage,
        Err(error) => return examination.begin_anew(base, &error.to_string()),
    };
    let reader = match RunReader::on(Arc::clone(&storage), "run") {
        Err(Error::RunNotFound { .. }) => return examination.begin_anew(base, "there is no run"),
        other => works(other, OPENS)?,
    };
    let listed = examination.read(&reader)?;
    examination.open_twice(&storage, &listed)?;
    examination.go_on(&storage, &listed)
}

const OPENS: &str = "opening always succeeds";
const LISTS: &str = "listing always succeeds";
const WHOLE: &str = "everything listed is whole";
const STAYS: &str = "what was acknowledged stays";
const SUBMITTED: &str = "everything listed equals a submitted state";
const LATEST: &str = "latest is never older than the newest acknowledged";
const NEW_SAVE: &str = "a new save works";

struct Examination<'a> {
    subject: &'a Subject,
    ledger: &'a Mutex<Ledger>,
}

impl Examination<'_> {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    /// Where there is no run yet, none was promised, and one can be made.
    fn begin_anew(&self, base: &Arc<dyn Storage>, found: &str) -> Result<(), Broken> {
        const MAKES: &str = "a run can be made afterwards";
        hold(!self.ledger().created, "a run that was made stays", || found.to_owned())?;
        drop(works(self.subject.create(base), MAKES)?);
        self.ledger().created = true;
        self.go_on(&works(base.descend(self.subject.run), MAKES)?, &[])
    }

    /// What a reader sees: what was acknowledged, and of what was not, all or nothing.
    fn read(&self, reader: &RunReader) -> Result<Vec<Entry>, Broken> {
        let ledger = self.ledger().clone();
        let entries = works(reader.list(), LISTS)?;
        let mut steps: BTreeMap<Order, u64> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !ledger.damaged.contains(&entry.order())) {
            let acknowledged = ledger.acknowledged.contains_key(&entry.order());
            let step = self.load(reader, entry, if acknowledged { STAYS } else { WHOLE })?;
            hold(ledger.submitted.contains(&step), SUBMITTED, || {
                format!("{} holds step {step}, which nobody gave", entry.file_name)
            })?;
            hold(!ledger.refused.contains(&step), "an error left the old set intact", || {
                format!("{} holds step {step}, whose save failed", entry.file_name)
            })?;
            steps.insert(entry.order(), step);
        }
        for (order, step) in ledger.owed() {
            hold(steps.get(order) == Some(step), STAYS, || {
                format!("{order:?} should hold step {step} and is {:?}", steps.get(order))
            })?;
        }
        self.latest(reader, &steps)?;
        unchanged(&entries, &ledger)?;
        explained(reader, &ledger, &steps)?;
        Ok(entries)
    }

    /// The step of a checkpoint that must be whole.
    fn load(&self, reader: &RunReader, entry: &Entry, promise: &'static str) -> Result<u64, Broken> {
        hold(entry.state == State::Committed, promise, || {
            format!("{} is {}: {:?}", entry.file_name, entry.state, entry.reason)
        })?;
        let file = Selector::File(entry.file_name.clone());
        let loaded = works(reader.load(&file), promise)?;
        works((self.subject.step_of)(&loaded), SUBMITTED)
    }

    fn latest(&self, reader: &RunReader, steps: &BTreeMap<Order, u64>) -> Result<(), Broken> {
        // What is owed is among them.
        let Some((newest, step)) = steps.last_key_value() else { return Ok(()) };
        let loaded = works(reader.load(&Selector::Latest), LATEST)?;
        let order = loaded.entry.order();
        hold(order == *newest, LATEST, || format!("{order:?} instead of {newest:?}"))?;
        let found = works((self.subject.step_of)(&loaded), LATEST)?;
        hold(found == *step, LATEST, || format!("step {found} instead of {step}"))
    }

    /// Opening to write tidies up and changes no checkpoint; doing so again changes nothing at all.
    fn open_twice(&self, storage: &Arc<dyn Storage>, listed: &[Entry]) -> Result<(), Broken> {
        let open = || -> Result<(), Broken> {
            let run = works(self.subject.open(storage), OPENS)?;
            let notices = run.take_notices();
            hold(notices.is_empty(), "opening finds nothing that it cannot mend", || notices.join("; "))?;
            let entries = works(run.reader().list(), LISTS)?;
            hold(entries == listed, "opening changes no checkpoint", || {
                format!("{listed:?} became {entries:?}")
            })
        };
        open()?;
        let staged = storage.list(".staging").unwrap_or_default();
        hold(staged.is_empty(), "nothing half-done stays behind", || format!("{staged:?}"))?;
        let before = files(storage)?;
        open()?;
        let after = files(storage)?;
        hold(before == after, "a second opening changes nothing", || {
            let names =
                |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>().join(" ");
            format!("{} became {}", names(&before), names(&after))
        })
    }

    /// The next writer loads, deletes, saves, and deletes in reliance on that. Its save has a number of its own and becomes latest.
    fn go_on(&self, storage: &Arc<dyn Storage>, before: &[Entry]) -> Result<(), Broken> {
        let run = works(self.subject.open(storage), OPENS)?;
        if !before.is_empty() {
            self.delete_oldest(&run, self.subject.restarted)?;
        }
        let step = self.subject.new_step;
        self.ledger().submitted.insert(step);
        let saved = works((self.subject.save)(&run, step), NEW_SAVE)?;
        let highest = before.iter().map(|entry| entry.sequence).max().unwrap_or(0);
        let highest = self.ledger().highest().max(highest);
        self.ledger().answered(step, Ok((saved.epoch, saved.sequence)));
        hold(saved.sequence > highest, "a number is never used twice", || {
            format!("{} after {highest}", saved.sequence)
        })?;
        self.delete_oldest(&run, true)?;
        let loaded = works(run.load(&Selector::Latest), NEW_SAVE)?;
        let found = works((self.subject.step_of)(&loaded), NEW_SAVE)?;
        hold(found == step, NEW_SAVE, || format!("latest is step {found}"))?;
        let notices = run.take_notices();
        hold(notices.is_empty(), "going on finds nothing amiss", || notices.join("; "))
    }

    /// Deletes the oldest good one, if a newer good one stays. Unless it `must` work, the store may say that it knows of none that
    /// would survive a power loss.
    fn delete_oldest(&self, run: &Run, must: bool) -> Result<(), Broken> {
        const DELETES: &str = "what a durable one replaces can be deleted";
        let damaged = self.ledger().damaged.clone();
        let mut entries = works(run.reader().list(), LISTS)?;
        entries.retain(|entry| entry.is_committed() && !damaged.contains(&entry.order()));
        let Some((_, older)) = entries.split_last() else { return Ok(()) };
        let Some(oldest) = older.iter().find(|entry| !entry.pinned) else { return Ok(()) };
        self.ledger().doomed.insert(oldest.order());
        let file_name = oldest.file_name.clone();
        match run.delete(&[Deletion { file_name, reason: "something newer is there".to_owned() }]) {
            Err(Error::LastVerified { .. }) if !must => {}
            other => {
                works(other, DELETES)?;
                self.ledger().gone.insert(oldest.order());
            }
        }
        Ok(())
    }
}

/// What was seen before is as it was, what was deleted is not there, and pins are as they were left.
fn unchanged(entries: &[Entry], ledger: &Ledger) -> Result<(), Broken> {
    for entry in entries {
        hold(!ledger.gone.contains(&entry.order()), "what was deleted stays gone", || {
            format!("{} is there again", entry.file_name)
        })?;
        hold(
            !(entry.pinned && ledger.unpinned.contains(&entry.sequence)),
            "what was unpinned stays so",
            || format!("{} is pinned", entry.sequence),
        )?;
        let Some(seen) = ledger.seen.iter().find(|seen| seen.order() == entry.order()) else { continue };
        hold(*entry == Entry { pinned: entry.pinned, ..seen.clone() }, "a checkpoint never changes", || {
            format!("{seen:?} became {entry:?}")
        })?;
    }
    ledger.pinned.iter().try_for_each(|pinned| {
        hold(entries.iter().any(|entry| entry.sequence == *pinned && entry.pinned), "a pin stays", || {
            format!("{pinned} is not pinned")
        })
    })
}

/// What is gone was said to go, and why, before it went; and something newer is there.
fn explained(reader: &RunReader, ledger: &Ledger, steps: &BTreeMap<Order, u64>) -> Result<(), Broken> {
    let gone: Vec<&Order> = ledger
        .doomed
        .iter()
        .filter(|order| ledger.acknowledged.contains_key(order) && !steps.contains_key(order))
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    let lines = works(reader.log(), "the log can be read")?;
    let said = |order: &Order| {
        lines.iter().any(|line| match line {
            LogLine::Good(entry) => match &entry.event {
                LogEvent::Deleting { victims } => {
                    victims.iter().any(|victim| (victim.epoch, victim.sequence) == *order)
                }
                _ => false,
            },
            LogLine::Bad(_) => false,
        })
    };
    gone.iter().try_for_each(|order| {
        hold(said(order), "what is deleted stands in the log", || {
            format!("{order:?} is gone without a word")
        })?;
        hold(steps.keys().any(|left| left > order), "what replaces a deleted one lasts", || {
            format!("{order:?} is gone, and of what is newer nothing is left")
        })
    })
}

/// Every file of the run with its content; of those that tell of each opening only that they are there.
fn files(storage: &Arc<dyn Storage>) -> Result<BTreeMap<String, Vec<u8>>, Broken> {
    let promise = "a run can be read";
    let mut files = BTreeMap::new();
    for dir in ["", ".staging", ".quarantine"] {
        for entry in storage.list(dir).unwrap_or_default() {
            let path = if dir.is_empty() { entry.name } else { format!("{dir}/{}", entry.name) };
            let mut bytes = Vec::new();
            if ![".lock", ".mutate", "log.jsonl", ".staging", ".quarantine"].contains(&path.as_str()) {
                let file = works(storage.open(&path, Access::Read), promise)?;
                bytes.resize(works(file.length(), promise)? as usize, 0);
                let mut done = 0;
                while done < bytes.len() {
                    match works(file.read_at(done as u64, &mut bytes[done..]), promise)? {
                        0 => break,
                        count => done += count,
                    }
                }
            }
            files.insert(path, bytes);
        }
    }
    Ok(files)
}
