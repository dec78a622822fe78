//! One checker for all: whatever a power loss left must keep every promise.

use std::collections::BTreeMap;
use std::sync::Arc;

use ckpt_format::{Entry, Selector, State};
use ckpt_store::storage::{Access, Storage};
use ckpt_store::{Error, LogEvent, LogLine, Run, RunReader};

use crate::ledger::{Broken, Ledger, Order, hold, works};
use crate::stage::{self, NEW_STEP};

/// Holds what is in `base` against the ledger: first as a reader, then as the next writer.
pub(crate) fn examine(base: &Arc<dyn Storage>, ledger: &Ledger) -> Result<(), Broken> {
    let storage = match base.descend(stage::RUN) {
        Ok(storage) => storage,
        Err(error) => return begin_anew(base, ledger, &error.to_string()),
    };
    let reader = match RunReader::on(Arc::clone(&storage), "run") {
        Err(Error::RunNotFound { .. }) => return begin_anew(base, ledger, "there is no run"),
        other => works(other, "opening always succeeds")?,
    };
    let listed = read(&reader, ledger)?;
    let settled = open_twice(&storage, &listed)?;
    go_on(&storage, ledger, settled)
}

/// Where there is no run yet, none was promised, and one can be made.
fn begin_anew(base: &Arc<dyn Storage>, ledger: &Ledger, found: &str) -> Result<(), Broken> {
    hold(!ledger.created, "a run that was made stays", || found.to_owned())?;
    let run = works(stage::create(base), "a run can be made after a crash")?;
    drop(run);
    let storage = works(base.descend(stage::RUN), "a run can be made after a crash")?;
    go_on(&storage, ledger, Vec::new())
}

/// What a reader sees: what was acknowledged, and of what was not, all or nothing.
fn read(reader: &RunReader, ledger: &Ledger) -> Result<Vec<Entry>, Broken> {
    let entries = works(reader.list(), "listing always succeeds")?;
    let mut steps: BTreeMap<Order, u64> = BTreeMap::new();
    for entry in &entries {
        if ledger.damaged.contains(&entry.order()) {
            continue;
        }
        hold(entry.state == State::Committed, "everything listed is whole", || {
            format!("{} is {}: {:?}", entry.file_name, entry.state, entry.reason)
        })?;
        let loaded = works(reader.load(&Selector::Sequence(entry.sequence)), "everything listed loads")?;
        let step = works(stage::step_of(&loaded), "everything listed equals a submitted state")?;
        hold(ledger.submitted.contains(&step), "everything listed equals a submitted state", || {
            format!("{} holds step {step}, which nobody gave", entry.file_name)
        })?;
        steps.insert(entry.order(), step);
    }
    for (order, step) in ledger.owed() {
        hold(steps.get(order) == Some(step), "what was acknowledged stays", || {
            format!("{order:?} should hold step {step} and is {:?}", steps.get(order))
        })?;
    }
    latest(reader, ledger)?;
    for pinned in &ledger.pinned {
        hold(entries.iter().any(|entry| entry.sequence == *pinned && entry.pinned), "a pin stays", || {
            format!("{pinned} is not pinned")
        })?;
    }
    explained(reader, ledger, &steps)?;
    Ok(entries)
}

fn latest(reader: &RunReader, ledger: &Ledger) -> Result<(), Broken> {
    let Some(newest) = ledger.owed().map(|(order, _)| *order).max() else { return Ok(()) };
    let promise = "latest is never older than the newest acknowledged";
    let loaded = works(reader.load(&Selector::Latest), promise)?;
    hold(loaded.entry.order() >= newest, promise, || {
        format!("{:?} instead of {newest:?}", loaded.entry.order())
    })
}

/// What is gone was said to go, and why, before it went.
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
        hold(said(order), "what is deleted stands in the log", || format!("{order:?} is gone without a word"))
    })
}

/// Opening to write tidies up and changes no checkpoint; doing so again changes nothing at all.
fn open_twice(storage: &Arc<dyn Storage>, listed: &[Entry]) -> Result<Vec<Entry>, Broken> {
    let open = || works(stage::open(storage), "opening always succeeds");
    let run = open()?;
    let entries = works(run.reader().list(), "listing always succeeds")?;
    hold(entries == listed, "opening changes no checkpoint", || format!("{listed:?} became {entries:?}"))?;
    drop(run);
    let staged = storage.list(".staging").unwrap_or_default();
    hold(staged.is_empty(), "nothing half-done stays behind", || format!("{staged:?}"))?;
    let before = files(storage)?;
    let run = open()?;
    let notices = run.take_notices();
    hold(notices.is_empty(), "a second opening finds nothing to mend", || notices.join("; "))?;
    drop(run);
    let after = files(storage)?;
    hold(before == after, "a second opening changes nothing", || {
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>().join(" ");
        format!("{} became {}", names(&before), names(&after))
    })?;
    Ok(entries)
}

/// A new save works, has a number of its own and becomes latest.
fn go_on(storage: &Arc<dyn Storage>, ledger: &Ledger, before: Vec<Entry>) -> Result<(), Broken> {
    let promise = "a new save works";
    let run: Run = works(stage::open(storage), "opening always succeeds")?;
    let saved = works(stage::save(&run, NEW_STEP), promise)?;
    let highest = before.iter().map(|entry| entry.sequence).max().unwrap_or(0).max(ledger.highest());
    hold(saved.sequence > highest, "a number is never used twice", || {
        format!("{} after {highest}", saved.sequence)
    })?;
    let loaded = works(run.load(&Selector::Latest), promise)?;
    let step = works(stage::step_of(&loaded), promise)?;
    hold(step == NEW_STEP, promise, || format!("latest is step {step}"))
}

/// Every file of the run with its content, but for what tells of each opening.
fn files(storage: &Arc<dyn Storage>) -> Result<BTreeMap<String, Vec<u8>>, Broken> {
    let promise = "a run can be read";
    let mut files = BTreeMap::new();
    for dir in ["", ".staging", ".quarantine"] {
        for entry in storage.list(dir).unwrap_or_default() {
            let path = if dir.is_empty() { entry.name } else { format!("{dir}/{}", entry.name) };
            if [".lock", ".mutate", "log.jsonl", ".staging", ".quarantine"].contains(&path.as_str()) {
                continue;
            }
            let file = works(storage.open(&path, Access::Read), promise)?;
            let mut bytes = vec![0; works(file.length(), promise)? as usize];
            let mut done = 0;
            while done < bytes.len() {
                match works(file.read_at(done as u64, &mut bytes[done..]), promise)? {
                    0 => break,
                    count => done += count,
                }
            }
            files.insert(path, bytes);
        }
    }
    Ok(files)
}
