//! What a checkpoint carries of its verdict: `docs/GATE.md`, section 4.

use serde::{Deserialize, Serialize};

use crate::assess::{Assessment, Verdict};
use crate::evidence::Evidence;
use crate::thresholds::Thresholds;

/// A verdict as it is stored, with what it was judged from and by.
///
/// It has no default: what was never judged has no stamp. Any serde format carries it; in JSON it is
/// `{verdict, evidence, thresholds}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    verdict: Verdict,
    evidence: Evidence,
    thresholds: Thresholds,
}

impl Stamp {
    /// Its name in the `extra` of a checkpoint's metadata, where a program that keeps it in no section of its own puts it.
    pub const FIELD: &str = "gate";

    /// The verdict at the save. It is history: [`judge_again`](Self::judge_again) says what it is worth now.
    pub fn verdict_at_save(&self) -> Verdict {
        self.verdict
    }

    /// What had been seen at the save. It has no age.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// What it was held against at the save.
    pub fn thresholds_at_save(&self) -> &Thresholds {
        &self.thresholds
    }

    /// The evidence, that long after the save, held against thresholds of today. What the stamp says of itself has no weight.
    pub fn judge_again(&self, age_seconds: f64, thresholds: &Thresholds) -> Assessment {
        thresholds.assess(&self.evidence.clone().age_seconds(age_seconds))
    }

    pub(crate) fn of(verdict: Verdict, evidence: &Evidence, thresholds: &Thresholds) -> Self {
        // An age that is stored is wrong a moment later.
        let evidence = Evidence { age_seconds: None, ..evidence.cleaned() };
        Self { verdict, evidence, thresholds: thresholds.clone() }
    }
}
