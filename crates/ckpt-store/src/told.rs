//! One event of `tracing` for each bundle that was loaded: in the log of the process, since a reader writes none in the run.

use std::fmt::Write as _;

use ckpt_format::{ComponentCounts, LoadedBundle};

use crate::load::Loaded;

pub(crate) fn loaded<B>(loaded: &Loaded<LoadedBundle<B>>) {
    let Loaded { value: LoadedBundle { report, .. }, entry, why, skipped } = loaded;
    let ComponentCounts { restored, migrated, defaulted, clamped } = report.counts();
    let mut words = String::new();
    let mut say = |word: std::fmt::Arguments<'_>| {
        // Writing to a text can't fail.
        let _ = words.write_fmt(word);
    };
    skipped.iter().for_each(|one| say(format_args!("; skipped {}: {}", one.file_name, one.reason)));
    report.remarks().for_each(|remark| say(format_args!("; {remark}")));
    let (file_name, skipped) = (entry.file_name.as_str(), skipped.len());
    tracing::info!(
        target: "ckpt", restored, migrated, defaulted, clamped, skipped, "loaded {file_name}: {why}{words}"
    );
}
