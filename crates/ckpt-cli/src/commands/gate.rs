//! `ckpt gate`: whether a checkpoint's state may be trusted now.

mod text;

use std::path::Path;

use ckpt::gate::{Assessment, Evidence, Fills, Stamp, Thresholds, ThresholdsConfig, WarmupPlan};
use ckpt::{BundleMode, Checkpoint, Stored as _, Timestamp};
use ckpt_market::component::metadata::MarketMetadata;
use ckpt_market::component::readiness::Readiness;
use ckpt_market::{StampedBundle, import, names, preset, readiness};
use serde::Serialize;
use serde_json::Value;

use crate::args::GateArgs;
use crate::failure::{FAILED, Failure};
use crate::json;
use crate::output::Output;
use crate::source::Source;

/// The verdict, in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    path: String,
    sequence: u64,
    name: &'a str,
    judged_at: Timestamp,
    /// When the state was taken, if that is known.
    taken_at: Option<Timestamp>,
    /// What the stamp says of itself.
    verdict_at_save: String,
    /// Where the thresholds come from: `stamp` or `preset`, and the file over them.
    thresholds_from: ThresholdsFrom,
    config: Option<String>,
    assessment: &'a Assessment,
    warmup: &'a WarmupPlan,
    skipped: Vec<json::SkippedRow<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum ThresholdsFrom {
    Stamp,
    Preset,
}

/// What a checkpoint says of its readiness.
struct Stamped {
    evidence: Evidence,
    verdict: String,
    thresholds: Option<Thresholds>,
    taken_at: Option<Timestamp>,
}

pub(crate) fn run(args: &GateArgs, output: &Output) -> anyhow::Result<u8> {
    let source = Source::open(&args.run)?;
    let found = source.load_with(args.selector.as_ref(), output, stamped)?;
    let (sequence, name) = (found.entry.sequence, found.entry.file_name.as_str());
    let Some(stamped) = &found.value else {
        let message = format!("checkpoint {sequence} was never judged: it has no readiness stamp");
        let hint = "let the program that saves stamp each checkpoint (docs/GATE.md, section 4); until then its state can't be \
                    trusted";
        return Err(Failure::new("not_judged", FAILED, message).at(&args.run).hint(hint).into());
    };
    let (thresholds, thresholds_from) = thresholds(stamped, args)?;
    let now = ckpt::now();
    let age = stamped.taken_at.map_or(f64::NAN, |taken| now.seconds_since(taken));
    let assessment = thresholds.assess(&stamped.evidence.clone().age_seconds(age));
    let fills = thresholds.config().fills.as_ref().and_then(|fills| stamped.evidence.counts.get(&fills.name));
    let fills = Fills { restored: fills.copied().unwrap_or_default(), live: 0 };
    let warmup = preset().warmup.plan(&assessment, fills);
    let answer = Answer {
        path: args.run.display().to_string(),
        sequence,
        name,
        judged_at: now,
        taken_at: stamped.taken_at,
        verdict_at_save: stamped.verdict.clone(),
        thresholds_from,
        config: args.config.as_ref().map(|file| file.display().to_string()),
        assessment: &assessment,
        warmup: &warmup,
        skipped: json::skipped(&found.skipped),
    };
    output.answer(&answer, || text::words(&answer))?;
    Ok(if assessment.passes() { 0 } else { FAILED })
}

/// The market maker's stamp, or the one that any other program leaves in the metadata.
fn stamped(checkpoint: &Checkpoint) -> ckpt::Result<Option<Stamped>> {
    // All of it: what is damaged is not restored, whatever its stamp says.
    checkpoint.verify()?;
    let incompatible = |what: &str, reason: String| ckpt::Error::Incompatible {
        file: checkpoint.file_name().to_owned(),
        reason: format!("{what}: {reason}"),
    };
    let is = |name: &str, kind: &str| {
        checkpoint.sections().map(|all| all.iter().any(|entry| entry.name == name && entry.kind == kind))
    };
    if is(names::READINESS, Readiness::KIND)? {
        let load = |error| incompatible("section", crate::market::with_causes(&error));
        let stamp = checkpoint.read_encoded(names::READINESS)?.load::<Readiness>().map_err(load)?.value;
        let metadata = match is(names::METADATA, MarketMetadata::KIND)? {
            true => checkpoint.read_encoded(names::METADATA)?.load::<MarketMetadata>().map_err(load)?.value,
            false => MarketMetadata::default(),
        };
        return Ok(Some(Stamped {
            evidence: readiness::evidence_at_save(&stamp),
            verdict: readiness::verdict_at_save(&stamp).to_string(),
            thresholds: readiness::thresholds_at_save(&stamp),
            taken_at: metadata.taken_at(),
        }));
    }
    // What its origin stamped says nothing after an orderly shutdown: the state itself is judged.
    if import::is_text(checkpoint.sections()?.iter().map(|entry| entry.name.as_str())) {
        let loaded: StampedBundle = checkpoint.read_bundle(BundleMode::Strict)?.value;
        return Ok(Some(Stamped {
            evidence: readiness::evidence(loaded.bundle()),
            verdict: readiness::verdict_at_save(loaded.readiness()).to_string(),
            thresholds: None,
            taken_at: loaded.bundle().metadata.taken_at(),
        }));
    }
    let metadata = checkpoint.metadata();
    let Some(stamp) = metadata.extra.get(Stamp::FIELD) else { return Ok(None) };
    let stamp: Stamp = serde_json::from_value(stamp.clone())
        .map_err(|error| incompatible("the metadata's `extra.gate` is no stamp", error.to_string()))?;
    Ok(Some(Stamped {
        evidence: stamp.evidence().clone(),
        verdict: stamp.verdict_at_save().to_string(),
        thresholds: Some(stamp.thresholds_at_save().clone()),
        taken_at: (metadata.created_at != Timestamp::default()).then_some(metadata.created_at),
    }))
}

/// The thresholds of today, as far as they are known here.
fn thresholds(stamped: &Stamped, args: &GateArgs) -> anyhow::Result<(Thresholds, ThresholdsFrom)> {
    let (base, from) = match &stamped.thresholds {
        Some(thresholds) => (thresholds.clone(), ThresholdsFrom::Stamp),
        None => (preset().gate, ThresholdsFrom::Preset),
    };
    let mut config = base.config().clone();
    if let Some(file) = &args.config {
        config = laid_over(config, file)?;
    }
    if let Some(allow_marginal) = args.allow_marginal {
        config.allow_marginal = allow_marginal;
    }
    let thresholds = Thresholds::new(config).map_err(|error| refused(args.config.as_deref(), &error))?;
    Ok((thresholds, from))
}

/// The fields of a file over those of `base`.
fn laid_over(base: ThresholdsConfig, file: &Path) -> anyhow::Result<ThresholdsConfig> {
    let text = std::fs::read(file).map_err(|error| Failure::io("reading", file, &error))?;
    let over: serde_json::Map<String, Value> =
        serde_json::from_slice(&text).map_err(|error| refused(Some(file), &error))?;
    let Value::Object(mut fields) = serde_json::to_value(base)? else {
        anyhow::bail!("thresholds are no JSON object");
    };
    for (name, value) in over {
        // A word that is mistyped would be a threshold that is not applied.
        if !fields.contains_key(&name) {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            let reason = format!("there is no threshold {name:?}: use {}", known.join(", "));
            return Err(refused(Some(file), &reason).into());
        }
        fields.insert(name, value);
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| refused(Some(file), &error).into())
}

fn refused(file: Option<&Path>, reason: &dyn std::fmt::Display) -> Failure {
    match file {
        Some(file) => Failure::new("config", FAILED, format!("{}: {reason}", file.display())).at(file),
        None => Failure::new("config", FAILED, reason.to_string()),
    }
}
