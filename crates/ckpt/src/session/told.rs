//! One event of `tracing` for each time that state was loaded and one for each prior that was injected, with what people look for
//! when a restart began with the wrong numbers: how many components came how.

#[cfg(feature = "transfer")]
use ckpt_transfer::{InjectionOutcome, InjectionReport, Lineage, LineageError};

use ckpt_format::ComponentCounts;

#[cfg(feature = "transfer")]
use super::Session;
use super::resume::Resumed;

/// Tells of a load.
pub(super) fn loaded(resumed: &Resumed) {
    let ComponentCounts { restored, migrated, defaulted, clamped } = resumed.report.counts();
    let skipped = resumed.skipped.len();
    tracing::info!(target: "ckpt", restored, migrated, defaulted, clamped, skipped, "{resumed}");
}

#[cfg(feature = "transfer")]
impl Session {
    /// Notes that the process took a prior: the lineage stands in every checkpoint from now on, as with
    /// [`set_extra`](Self::set_extra), and an event of `tracing` tells what became of the components, in counts and in words. A
    /// prior of which nothing was taken changes no lineage, and is told, too.
    ///
    /// # Errors
    /// [`LineageError`] if JSON can't carry the lineage, which no value of it is known to do.
    pub fn note_injection(&mut self, report: &InjectionReport) -> std::result::Result<(), LineageError> {
        if let Some(lineage) = &report.lineage {
            self.set_extra(Lineage::FIELD, lineage.to_extra()?);
        }
        let count = |is: fn(&InjectionOutcome) -> bool| {
            report.components.iter().filter(|component| is(&component.outcome)).count()
        };
        let injected = count(|outcome| matches!(outcome, InjectionOutcome::Injected));
        let kept_own = count(|outcome| matches!(outcome, InjectionOutcome::KeptOwn));
        let skipped = count(|outcome| matches!(outcome, InjectionOutcome::Skipped(_)));
        let (mut seeded, mut kept_live) = (0, 0);
        for component in &report.components {
            if let InjectionOutcome::Seeded(counts) = &component.outcome {
                seeded += counts.seeded;
                kept_live += counts.kept_live;
            }
        }
        let clamped: usize = report.components.iter().map(|component| component.clamped.len()).sum();
        let identity = report.identity.as_str();
        let words = report.to_string().trim_end().replace('\n', "; ");
        tracing::info!(
            target: "ckpt", identity, injected, seeded, kept_live, skipped, kept_own, clamped, "prior injected: {words}"
        );
        Ok(())
    }
}
