//! Layout `ckpt`: one file that `ckpt export` wrote.

use super::detect::Source;
use super::{Found, Layout, Order, Reading, Told};
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};

/// Reads the file and every byte of it: one that is damaged is no plan.
pub(super) fn read(source: &Source) -> Result<Reading> {
    let Some(name) = &source.file else {
        let path = source.path.display();
        let reason = format!("{path} is a directory, and the layout {} one file: give that", Layout::Ckpt);
        return Err(Error::Invalid { reason });
    };
    let checkpoint = Checkpoint::open_file(&source.path)?;
    checkpoint.verify()?;
    let sections = checkpoint.sections()?.iter().map(|section| source.folder.section_within(name, section));
    let metadata = checkpoint.metadata().clone();
    let told = [
        ("market", metadata.market.is_some()),
        ("phase", metadata.phase.is_some()),
        ("step", metadata.position.step.is_some()),
        ("events", !metadata.events.is_empty()),
        ("seed", metadata.seed.is_some()),
        ("created_at", true),
        ("status", true),
    ];
    let told = told.into_iter().filter(|(_, is_there)| *is_there).map(|(field, _)| field.to_owned());
    let metrics = metadata.metrics.values.keys().map(|name| format!("metrics.{name}"));
    let labels = metadata.labels.keys().map(|key| format!("labels.{key}"));
    let found = Found {
        name: name.clone(),
        path: source.path.clone(),
        told: told.chain(metrics).chain(labels).map(|field| (field, Told::Inside)).collect(),
        sections: sections.collect(),
        metadata,
        digest: checkpoint.index_digest(),
        notes: Vec::new(),
        order: Order::default(),
    };
    Ok(Reading { found: vec![found], left: Vec::new() })
}
