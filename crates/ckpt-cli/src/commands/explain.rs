//! `ckpt explain`: why a checkpoint was saved, and why it is kept, would be deleted, or is gone.

mod history;
mod text;

use ckpt::{
    ChooseError, Digest, Entry, LastPolicy, Reason, RetentionPolicy, RunReader, Selector, State, Timestamp,
    Verdict, Writer,
};
use serde::Serialize;

use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::retention;

use history::{Gone, History, Pin};

/// All that is known of why, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    run: String,
    sequence: u64,
    epoch: Option<u64>,
    name: Option<&'a str>,
    /// None if it is gone.
    state: Option<State>,
    /// What is wrong with it, if something is.
    wrong: Option<&'a str>,
    pinned: bool,
    pin: Option<&'a Pin>,
    saved: Saved<'a>,
    verdict: Option<Verdict>,
    reasons: &'a [Reason],
    policy: Option<&'a Policy>,
    gone: Option<&'a Gone>,
}

/// How it came to be, as its metadata or else the log says it. Only metadata has the reasons.
#[derive(Serialize)]
struct Saved<'a> {
    at: Option<Timestamp>,
    by: Option<&'a Writer>,
    events: Vec<CauseRow<'a>>,
    step: Option<u64>,
    stored_bytes: Option<u64>,
}

/// An event and why it led to a save.
#[derive(Serialize)]
struct CauseRow<'a> {
    event: &'a ckpt::Event,
    reason: Option<&'a str>,
}

/// By what it is judged.
#[derive(Debug, Serialize)]
struct Policy {
    source: Source,
    /// Since when the log has it.
    at: Option<Timestamp>,
    digest: Digest,
    rules: RetentionPolicy,
}

/// Where a policy comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Config,
    Log,
}

/// What is to be explained.
enum Subject<'a> {
    There(&'a Entry),
    /// The run has had it; its number.
    Gone(u64),
}

pub(crate) fn run(args: &ExplainArgs, output: &Output) -> anyhow::Result<()> {
    let configured = retention::configured(&args.policy)?;
    let run = RunReader::open(&args.run)?;
    let entries = run.list()?;
    let good: Vec<Entry> = entries.iter().filter(|entry| entry.is_committed()).cloned().collect();
    let log = run.log()?;
    let subject = choose(&args.selector, &entries, &good, |sequence| History::of(&log, sequence).is_some())?;
    let (entry, sequence) = match subject {
        Subject::There(entry) => (Some(entry), entry.sequence),
        Subject::Gone(sequence) => (None, sequence),
    };
    let history = History::of(&log, sequence).unwrap_or_default();
    let policy = match configured {
        Some(phase) => Some(Policy::new(Source::Config, None, phase.retention)),
        None => ckpt::last_policy(&log).and_then(|last| logged(last, output)),
    };
    let (verdict, reasons) = match (entry, &policy) {
        (Some(entry), Some(policy)) => judged(entry, &entries, &policy.rules),
        _ => (None, Vec::new()),
    };
    let answer = Answer {
        run: run.path().display().to_string(),
        sequence,
        epoch: entry.map(|entry| entry.epoch).or(history.epoch),
        name: entry.map(|entry| entry.file_name.as_str()).or(history.name.as_deref()),
        state: entry.map(|entry| entry.state),
        wrong: entry.and_then(|entry| entry.reason.as_deref()),
        pinned: entry.is_some_and(|entry| entry.pinned),
        pin: history.pin.as_ref().filter(|_| entry.is_some_and(|entry| entry.pinned)),
        saved: Saved::of(entry, &history),
        verdict,
        reasons: &reasons,
        policy: policy.as_ref().filter(|_| entry.is_some()),
        gone: entry.is_none().then_some(&history.gone),
    };
    output.answer(&answer, || text::words(&answer))
}

/// The checkpoint that is meant. A number or a file may be that of one that is not good; `was_there` knows the numbers of those that
/// are gone.
fn choose<'a>(
    selector: &Selector,
    entries: &'a [Entry],
    good: &'a [Entry],
    was_there: impl Fn(u64) -> bool,
) -> anyhow::Result<Subject<'a>> {
    let rows = match selector {
        Selector::Sequence(_) | Selector::File(_) => entries,
        _ => good,
    };
    match (selector.choose(rows), selector) {
        (Ok(entry), _) => Ok(Subject::There(entry)),
        (Err(ChooseError::NotFound { .. }), Selector::Sequence(sequence)) if was_there(*sequence) => {
            Ok(Subject::Gone(*sequence))
        }
        (Err(ChooseError::NotFound { selector, present }), _) => {
            Err(ckpt::Error::NotFound { wanted: selector.to_string(), present: present.items }.into())
        }
        (Err(undecided), _) => Err(Failure::usage(undecided.to_string()).into()),
    }
}

/// What the policy says of it now.
fn judged(entry: &Entry, entries: &[Entry], policy: &RetentionPolicy) -> (Option<Verdict>, Vec<Reason>) {
    let plan = ckpt::plan(policy, entries, ckpt::now());
    let planned = plan.find(entry.sequence).find(|row| row.file_name == entry.file_name);
    planned.map(|row| (Some(row.verdict), row.reasons.clone())).unwrap_or_default()
}

/// The policy of a log, if it is one for this program.
fn logged(last: LastPolicy, output: &Output) -> Option<Policy> {
    match serde_json::from_value(last.policy) {
        Ok(rules) => Some(Policy::new(Source::Log, Some(last.at), rules)),
        Err(error) => {
            let at = last.at;
            output.warn(&format!(
                "the policy that came into force at {at} has rules that this program does not know ({error}): give one with --config"
            ));
            None
        }
    }
}

impl Policy {
    fn new(source: Source, at: Option<Timestamp>, rules: RetentionPolicy) -> Self {
        Self { source, at, digest: rules.digest(), rules }
    }
}

impl<'a> Saved<'a> {
    fn of(entry: Option<&'a Entry>, history: &'a History) -> Self {
        let metadata = entry.and_then(Entry::metadata);
        let events = match metadata {
            Some(metadata) => metadata
                .events
                .iter()
                .map(|cause| CauseRow { event: &cause.event, reason: cause.reason.as_deref() })
                .collect(),
            None => history.events.iter().map(|event| CauseRow { event, reason: None }).collect(),
        };
        Self {
            at: history.saved_at.or(metadata.map(|metadata| metadata.created_at)),
            by: history.saved_by.as_ref().or(metadata.and_then(|metadata| metadata.writer.as_ref())),
            events,
            step: metadata.and_then(|metadata| metadata.position.step),
            stored_bytes: entry.map(|entry| entry.stored_bytes).or(history.stored_bytes),
        }
    }
}
