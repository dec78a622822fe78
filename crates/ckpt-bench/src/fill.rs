//! Runs with many checkpoints, made without the syncs that would make it last for minutes.

use std::path::Path;

use ckpt::{
    Codec, EncodedSection, Event, FileName, Label, Metadata, Position, Run, RunIdentity, RunOptions, Section,
    Timestamp, Writer,
};
use ckpt_measure::Error;

use crate::place::Place;

/// Where the numbers begin of what stays: below it there is room for what is deleted.
pub(crate) const FIRST: u64 = 1_000_001;

/// A run with so many checkpoints, the newest saved by this handle.
pub(crate) fn filled(place: &Place, name: &str, count: u64) -> Result<Run, Error> {
    let run = place.run(name)?;
    let (path, identity) = (run.path().to_owned(), run.reader().identity().clone());
    drop(run);
    fill(&path, &identity, FIRST, count - 1)?;
    let run = Run::open(&path, RunOptions::new(ckpt::now))?;
    run.save(metadata(0), vec![Section::raw("state", &state())])?;
    place.settle()?;
    Ok(run)
}

/// Writes checkpoints as a run has them, without the syncs that would make it last for minutes.
pub(crate) fn fill(dir: &Path, identity: &RunIdentity, first: u64, count: u64) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    for sequence in first..first + count {
        let metadata = Metadata {
            run_id: identity.run_id.clone(),
            kind: identity.kind.to_string(),
            name: identity.name.to_string(),
            sequence,
            created_at: Timestamp::from_millis(1_763_210_096_789),
            writer: Some(Writer { host: "bench".to_owned(), pid: 1, boot_id: identity.run_id.clone() }),
            ..metadata(sequence)
        };
        let label = Label {
            market: metadata.market.clone(),
            step: metadata.position.step,
            event: Some(Event::Periodic.into()),
            val_reward: metadata.metrics.get("val_reward"),
            sharpe_ratio: metadata.metrics.get("sharpe_ratio"),
            seed: metadata.seed,
        };
        let section = EncodedSection {
            name: "state".to_owned(),
            kind: String::new(),
            version: 0,
            codec: Codec::Raw,
            bytes: state(),
        };
        let name = FileName { epoch: 0, sequence, label }.render();
        std::fs::write(dir.join(&name), ckpt::encode(&metadata, &[section])?)?;
        names.push(name);
    }
    Ok(names)
}

pub(crate) fn metadata(step: u64) -> Metadata {
    let mut metadata = Metadata { market: Some("NQ".to_owned()), seed: Some(42), ..Metadata::default() }
        .because(Event::Periodic, "every 25,000 steps")
        .at(Position::at(step).of(2_000_000));
    metadata.metrics.set("val_reward", 0.112);
    metadata.metrics.set("sharpe_ratio", 1.45);
    metadata
}

pub(crate) fn state() -> Vec<u8> {
    (0..1_500_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}
