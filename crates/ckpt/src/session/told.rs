//! One event of `tracing`, and one line in the run's log, for each time that state was loaded and for each prior that was injected,
//! with what people look for when a restart began with the wrong numbers: how many components came how.

use ckpt_format::{ComponentCounts, Entry};
use ckpt_store::Note;
#[cfg(feature = "transfer")]
use ckpt_transfer::{InjectionCounts, InjectionReport, Lineage, LineageError};

use super::resume::Resumed;
use super::{Access, Session};

impl Session {
    /// Tells of a load.
    pub(super) fn tell_loaded(&self, resumed: &Resumed) {
        let ComponentCounts { restored, migrated, defaulted, clamped } = resumed.report.counts();
        let skipped = resumed.skipped.len();
        tracing::info!(target: "ckpt", restored, migrated, defaulted, clamped, skipped, "{resumed}");
        if let (Access::Write { run, .. }, Some(Entry { epoch, sequence, .. })) =
            (&self.access, resumed.from.as_deref())
        {
            let (epoch, sequence) = (*epoch, *sequence);
            let skipped = resumed.skipped.iter().map(|skipped| skipped.sequence).collect();
            run.note(Note::Resumed { epoch, sequence, skipped, restored, migrated, defaulted, clamped });
        }
    }
}

#[cfg(feature = "transfer")]
impl Session {
    /// Notes that the process took a prior: the lineage stands in every checkpoint from now on, as with
    /// [`set_extra`](Self::set_extra), an event of `tracing` tells what became of the components, in counts and in words, and the
    /// run's log has the counts. A prior of which nothing was taken changes no lineage, and is told, too.
    ///
    /// # Errors
    /// [`LineageError`] if JSON can't carry the lineage, which no value of it is known to do.
    pub fn note_injection(&mut self, report: &InjectionReport) -> std::result::Result<(), LineageError> {
        if let Some(lineage) = &report.lineage {
            self.set_extra(Lineage::FIELD, lineage.to_extra()?);
        }
        let InjectionCounts { injected, seeded, kept_live, skipped, kept_own, clamped } = report.counts();
        let identity = report.identity.as_str();
        let words = report.to_string().trim_end().replace('\n', "; ");
        tracing::info!(
            target: "ckpt", identity, injected, seeded, kept_live, skipped, kept_own, clamped, "prior injected: {words}"
        );
        if let Access::Write { run, .. } = &self.access {
            run.note(injection_note(report));
        }
        Ok(())
    }
}

/// What the log of a run says of a prior that it took, for [`Run::note`](crate::Run::note). A session does it by itself
/// ([`Session::note_injection`]).
#[cfg(feature = "transfer")]
pub fn injection_note(report: &InjectionReport) -> Note {
    let InjectionCounts { injected, seeded, kept_live, skipped, kept_own, clamped } = report.counts();
    let parent = report.lineage.as_ref().and_then(|lineage| lineage.parent.as_ref());
    Note::Injected {
        identity: report.identity.clone(),
        prior: parent.and_then(|parent| parent.checkpoint.clone()),
        injected,
        seeded,
        kept_live,
        skipped,
        kept_own,
        clamped,
    }
}
