//! `ckpt transfer`: what one market maker learned, offered to another.

use std::path::Path;

use ckpt::gate::{Thresholds, ThresholdsConfig};
use ckpt::transfer::{
    InjectionConfig, InjectionReport, Prior, PriorExtract as _, PriorInject as _, Rejection,
};
use ckpt::{
    Bundle as _, BundleMode, Checkpoint, Entry, Event, Metadata, Run, RunReader, Section, Selector,
    Stored as _, Timestamp,
};
use ckpt_market::component::metadata::{MarketMetadata, SourceMode};
use ckpt_market::transfer::{MarketPrior, Recipient};
use ckpt_market::{MarketBundle, Preset, StampedBundle, import, names, preset, readiness};
use serde::Serialize;

use crate::args::TransferArgs;
use crate::commands::save;
use crate::failure::{DAMAGED, FAILED, Failure, UNSUPPORTED};
use crate::market::with_causes;
use crate::output::Output;
use crate::rewrite::{self, SavedRow};
use crate::source::{self, Found, Source};
use crate::{human, json};

/// What was done, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    from: From<'a>,
    to: To,
    dry_run: bool,
    report: &'a InjectionReport,
    saved: Option<SavedRow>,
    /// What would be taken was taken before.
    #[serde(skip)]
    is_there: bool,
}

/// Where the prior comes from, in JSON.
#[derive(Serialize)]
struct From<'a> {
    path: String,
    sequence: u64,
    name: &'a str,
    skipped: Vec<json::SkippedRow<'a>>,
}

/// Who takes it, in JSON.
#[derive(Serialize)]
struct To {
    run: String,
    /// The checkpoint that it goes on from; none if it begins with this.
    sequence: Option<u64>,
    created: bool,
}

/// A bundle and the checkpoint that holds it.
struct Held {
    bundle: MarketBundle,
    stamped: StampedBundle,
    checkpoint: Checkpoint,
}

/// What came of an offer.
struct Outcome {
    report: InjectionReport,
    bundle: MarketBundle,
}

impl Outcome {
    /// Whether it is what the receiver has already: the same prior was taken before, and what is seeded twice is seeded once.
    fn is_held_by(&self, held: Option<&Held>) -> bool {
        held.is_some_and(|held| held.bundle == self.bundle)
    }

    /// Whether there is anything to save: what is taken, and is not there yet.
    fn is_news_to(&self, held: Option<&Held>) -> bool {
        self.report.changes() > 0 && !self.is_held_by(held)
    }
}

pub(crate) fn run(args: &TransferArgs, output: &Output) -> anyhow::Result<()> {
    let config = config(args.config.as_deref())?;
    let now = ckpt::now();
    let source = Source::open(&args.from)?;
    let from = from(&source, output)?;
    let mut prior = from.value.bundle.extract_prior(now);
    prior.provenance.checkpoint = Some(rewrite::place(&from.value.checkpoint));

    let is_run = ckpt::is_run(&args.to);
    let reader = if is_run { Some(RunReader::open(&args.to)?) } else { None };
    if !is_run {
        // A dry run says it, too, if none can be made there.
        save::identity(&args.to, None)?;
    }
    // Rejected or not is known before anything is locked or made.
    let held = reader.as_ref().map(|run| newest(run, Some(output))).transpose()?.flatten();
    let mut outcome = offer(held.as_ref(), &from.value, &prior, &config, now)?;
    let mut base = held.as_ref().map(|held| held.checkpoint.metadata().sequence);
    let mut saved = None;
    let mut is_news = outcome.is_news_to(held.as_ref());
    if !args.dry_run && is_news {
        let (run, _) = save::open_or_create(&args.to, None, rewrite::options())?;
        // Once more as the writer: nothing newer can come in between now.
        let held = newest(run.reader(), None)?;
        outcome = offer(held.as_ref(), &from.value, &prior, &config, now)?;
        base = held.as_ref().map(|held| held.checkpoint.metadata().sequence);
        is_news = outcome.is_news_to(held.as_ref());
        if is_news {
            saved = Some(store(&run, held.as_ref(), &from.value, &outcome, output)?.into());
        }
    }
    let answer = Answer {
        from: said(&args.from, &from),
        to: To { run: args.to.display().to_string(), sequence: base, created: !is_run && saved.is_some() },
        dry_run: args.dry_run,
        report: &outcome.report,
        saved,
        is_there: !is_news,
    };
    output.answer(&answer, || words(&answer))
}

fn config(file: Option<&Path>) -> anyhow::Result<InjectionConfig> {
    let Some(file) = file else { return Ok(preset().injection) };
    let text = std::fs::read(file).map_err(|error| Failure::io("reading", file, &error))?;
    let refused =
        |reason: String| Failure::new("config", FAILED, format!("{}: {reason}", file.display())).at(file);
    // A list would be taken for the values of the fields in their order.
    if text.trim_ascii_start().starts_with(b"[") {
        return Err(
            refused("it is a list, not an object with the fields of docs/TRANSFER.md".to_owned()).into()
        );
    }
    serde_json::from_slice(&text).map_err(|error| refused(error.to_string()).into())
}

/// The newest good bundle of the one that offers.
fn from(source: &Source, output: &Output) -> anyhow::Result<Found<Held>> {
    // All of it: a component that is damaged makes the one before it the newest good one.
    let Found { entry, why, skipped, .. } = source.load_with(None, output, Checkpoint::verify)?;
    let held = held(source.open_found(&entry)?)?;
    Ok(Found { value: held, entry, why, skipped })
}

/// The newest good bundle of the one that takes it; none in a run that never had a checkpoint. What is passed over is told to whom it is
/// to be told.
fn newest(run: &RunReader, output: Option<&Output>) -> anyhow::Result<Option<Held>> {
    if run.list()?.is_empty() {
        // One that lost all it had must not begin anew in silence: its kill switch and the figures of its day are lost, too.
        return match run.quarantined()?.is_empty() {
            true => Ok(None),
            false => Err(lost(run).into()),
        };
    }
    let found = source::load(run, &Selector::Latest, Checkpoint::verify)?;
    if let Some(output) = output {
        source::tell_skipped(&found, output);
    }
    held(run.open_checkpoint(&found.entry.file_name)?).map(Some)
}

fn lost(run: &RunReader) -> Failure {
    let message =
        format!("no good checkpoint is left in {}: all were set aside as damaged", run.path().display());
    let hint = "bring one from a copy of the directory or an exported file (`ckpt import RUN FILE --as-latest`), or name another \
                directory to begin anew";
    Failure::new("damaged", DAMAGED, message).at(run.path()).hint(hint)
}

fn held(checkpoint: Checkpoint) -> anyhow::Result<Held> {
    let kind = MarketMetadata::KIND;
    let sections = checkpoint.sections()?;
    let is = sections.iter().any(|entry| entry.name == names::METADATA && entry.kind == kind)
        || import::is_text(sections.iter().map(|entry| entry.name.as_str()));
    if !is {
        let message = format!(
            "{} is no market maker's: it has no section {:?}",
            checkpoint.file_name(),
            names::METADATA
        );
        let hint = "what other programs learned, they carry over themselves (docs/TRANSFER.md)";
        return Err(Failure::new("unsupported", UNSUPPORTED, message).hint(hint).into());
    }
    let stamped: StampedBundle = checkpoint.read_bundle(BundleMode::Strict)?.value;
    Ok(Held { bundle: stamped.bundle().clone(), stamped, checkpoint })
}

/// What becomes of the offer, without saving it.
fn offer(
    held: Option<&Held>,
    from: &Held,
    prior: &Prior<MarketPrior>,
    config: &InjectionConfig,
    now: Timestamp,
) -> anyhow::Result<Outcome> {
    let mut own = held.map_or_else(|| fresh(&from.bundle), |held| held.bundle.clone());
    let taken_ms = taken_ms(held, &from.bundle);
    if taken_ms != own.metadata.timestamp_ms {
        // The figures of its day, and what stopped it, do not age with the rest.
        own.date_figures();
    }
    let mut recipient = Recipient::new(own, &asking(config)?);
    let report = recipient.inject_prior(prior, config, now).map_err(|rejection| rejected(&rejection))?;
    let mut bundle = recipient.into_bundle();
    bundle.metadata.timestamp_ms = taken_ms;
    Ok(Outcome { report, bundle })
}

/// The preset, as the configuration has it: a prior may be as old as that says, and the gate asks for no other age.
fn asking(config: &InjectionConfig) -> anyhow::Result<Preset> {
    let mut preset = preset();
    let age_seconds_max = Some(config.age_seconds_max.get());
    preset.gate = Thresholds::new(ThresholdsConfig { age_seconds_max, ..preset.gate.config().clone() })?;
    Ok(preset)
}

/// One that has learned nothing yet and trades what the other trades, live.
fn fresh(from: &MarketBundle) -> MarketBundle {
    let mut bundle = MarketBundle::default();
    bundle.metadata.asset.clone_from(&from.metadata.asset);
    bundle.metadata.source_mode = SourceMode::Live;
    bundle
}

/// When what the new bundle holds was taken, at the earliest: copying makes no state younger.
fn taken_ms(held: Option<&Held>, from: &MarketBundle) -> u64 {
    let theirs = from.metadata.timestamp_ms;
    let has_seen =
        |bundle: &MarketBundle| readiness::evidence(bundle).counts.values().any(|count| *count > 0);
    match held {
        Some(own) if has_seen(&own.bundle) => own.bundle.metadata.timestamp_ms.min(theirs),
        _ => theirs,
    }
}

fn store(
    run: &Run,
    held: Option<&Held>,
    from: &Held,
    outcome: &Outcome,
    output: &Output,
) -> anyhow::Result<ckpt::Saved> {
    let gate = held.and_then(|held| readiness::thresholds_at_save(held.stamped.readiness()));
    let stamped = outcome.bundle.clone().stamp(&gate.unwrap_or_else(|| preset().gate));
    let sections = stamped.to_sections().map_err(|error| anyhow::anyhow!(with_causes(&error)))?;
    let reason = format!("took a prior from checkpoint {}", from.checkpoint.metadata().sequence);
    let mut metadata = match held {
        Some(held) => rewrite::restamped(&held.checkpoint, rewrite::successor(&held.checkpoint, reason))?,
        None => {
            let market = from.checkpoint.metadata().market.clone();
            rewrite::by_hand(Metadata { market, ..Metadata::default() }).because(Event::Manual, reason)
        }
    };
    // They were measured with what it was before.
    metadata.metrics.values.clear();
    // Without one nothing was taken, and then nothing is saved.
    if let Some(lineage) = &outcome.report.lineage {
        lineage.record(&mut metadata)?;
    }
    let saved = match held {
        Some(held) => rewrite::save(run, &held.checkpoint, sections, metadata, output),
        None => run.save(metadata, sections.into_iter().map(Section::encoded).collect()),
    }?;
    run.note(ckpt::injection_note(&outcome.report));
    rewrite::tell_notices(run, output);
    Ok(saved)
}

fn rejected(rejection: &Rejection) -> Failure {
    let message = format!("the transfer was rejected, nothing was changed: {rejection}");
    let failure = Failure::new(rejection.code(), FAILED, message);
    match rejection {
        // Their messages name a field.
        Rejection::Age { .. } | Rejection::Identity { .. } | Rejection::Schema { .. } => failure
            .hint("what may enter stands in the JSON file that --config takes (docs/TRANSFER.md, section 1)"),
        _ => failure,
    }
}

fn said<'a>(path: &Path, from: &'a Found<Held>) -> From<'a> {
    let Entry { sequence, file_name, .. } = &from.entry;
    let skipped = json::skipped(&from.skipped);
    From { path: path.display().to_string(), sequence: *sequence, name: file_name, skipped }
}

fn words(answer: &Answer<'_>) -> String {
    let (head, dim) = (human::HEAD, human::DIM);
    let shown = |text: &str| human::shown(text);
    let (from, to) = (shown(&answer.from.path), shown(&answer.to.run));
    let base = match answer.to.sequence {
        Some(sequence) => format!("checkpoint {sequence}"),
        None => "(nothing learned yet)".to_owned(),
    };
    let sequence = answer.from.sequence;
    let mut text = format!(
        "{head}{from}{head:#} {dim}checkpoint {sequence}{dim:#} -> {head}{to}{head:#} {dim}{base}{dim:#}\n"
    );
    for line in answer.report.to_string().lines() {
        text.push_str(&format!("  {}\n", shown(line)));
    }
    let changes = human::count(answer.report.changes());
    text.push_str(&match &answer.saved {
        Some(saved) => {
            format!("changed {changes}: saved {} (sequence {})\n", shown(&saved.name), saved.sequence)
        }
        None if answer.report.changes() == 0 => "nothing was taken, nothing was saved\n".to_owned(),
        None if answer.is_there => "all of it is there already, nothing was saved\n".to_owned(),
        None => format!("would change {changes}; this is a dry run, nothing was saved\n"),
    });
    text
}
