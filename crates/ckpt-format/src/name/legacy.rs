//! Names that other systems gave their checkpoints, and the files beside those.

use std::fmt;

use super::{EventTag, Label, decimal};
use crate::event::Event;

/// Which form a name has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameForm {
    /// Ours: (epoch, sequence) and then the label.
    Checkpoint,
    /// A label alone: `NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42.zip`.
    Label,
    /// `phase{N}_{steps}_steps.zip`: saved at a fixed interval of steps.
    PhaseSteps {
        /// The phase of the curriculum.
        phase: u32,
    },
    /// `phase{N}_{title}_final.zip`: saved when a phase had ended.
    PhaseFinal {
        /// The phase of the curriculum.
        phase: u32,
        /// What that system calls the phase, for example `foundational`.
        title: String,
    },
    /// `best_model.zip`: the best so far, replaced each time.
    BestModel,
    /// `checkpoint_step_{n}_{time}.pkl` or `.pkl.gz`: saved at step `n`.
    StepAt {
        /// The writer's local time, `YYYYMMDD_HHMMSS`, without time zone.
        time: String,
    },
    /// `best_trial_{n}.pkl` or `.pkl.gz`: trial `n` of an optimisation was the best so far. `n` is the step.
    BestTrial,
    /// `best_episode_{n}.pkl` or `.pkl.gz`: episode `n` was the best so far. `n` is the step.
    BestEpisode,
}

impl NameForm {
    /// The phase of the curriculum, if the form states it.
    pub fn phase(&self) -> Option<u32> {
        match self {
            Self::PhaseSteps { phase } | Self::PhaseFinal { phase, .. } => Some(*phase),
            _ => None,
        }
    }

    /// One word for the form: `checkpoint`, `label`, `phase_steps`, `phase_final`, `best_model`, `step_at`,
    /// `best_trial`, `best_episode`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Label => "label",
            Self::PhaseSteps { .. } => "phase_steps",
            Self::PhaseFinal { .. } => "phase_final",
            Self::BestModel => "best_model",
            Self::StepAt { .. } => "step_at",
            Self::BestTrial => "best_trial",
            Self::BestEpisode => "best_episode",
        }
    }
}

/// A file that other systems keep beside a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Companion {
    /// `{base}_vecnormalize.pkl` or `{base}_vecnorm.pkl`: running statistics of the observations.
    VecNormalize,
    /// `{base}_metadata.json` or `{base}.meta.json`: what is known about the checkpoint.
    Metadata,
}

impl Companion {
    /// What the file `name` is beside the checkpoint `base`, which has no extension; `None` if it is no
    /// companion.
    pub fn of(name: &str) -> Option<(Self, &str)> {
        const ENDINGS: [(&str, Companion); 4] = [
            ("_vecnormalize.pkl", Companion::VecNormalize),
            ("_vecnorm.pkl", Companion::VecNormalize),
            ("_metadata.json", Companion::Metadata),
            (".meta.json", Companion::Metadata),
        ];
        ENDINGS.iter().find_map(|(ending, companion)| {
            name.strip_suffix(ending).filter(|base| !base.is_empty()).map(|base| (*companion, base))
        })
    }
}

impl fmt::Display for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::VecNormalize => "normalisation statistics",
            Self::Metadata => "metadata",
        })
    }
}

/// Reads a legacy form; `None` if the name has none of them.
pub(super) fn parse(name: &str) -> Option<(NameForm, Label)> {
    zipped(name).or_else(|| pickled(name))
}

fn zipped(name: &str) -> Option<(NameForm, Label)> {
    let stem = name.strip_suffix(".zip").unwrap_or(name);
    if stem == "best_model" {
        return Some((NameForm::BestModel, label(None, Some(Event::Best))));
    }
    let (phase, rest) = stem.strip_prefix("phase")?.split_once('_')?;
    let phase = u32::try_from(decimal(phase)?).ok()?;
    if let Some(steps) = rest.strip_suffix("_steps") {
        return Some((NameForm::PhaseSteps { phase }, label(Some(decimal(steps)?), Some(Event::Periodic))));
    }
    let title = rest.strip_suffix("_final").filter(|title| !title.is_empty() && !Label::has_field(title))?;
    Some((NameForm::PhaseFinal { phase, title: title.to_owned() }, label(None, Some(Event::PhaseEnd))))
}

fn pickled(name: &str) -> Option<(NameForm, Label)> {
    let stem = name.strip_suffix(".gz").filter(|stem| stem.ends_with(".pkl")).unwrap_or(name);
    let stem = stem.strip_suffix(".pkl").unwrap_or(stem);
    if let Some(trial) = stem.strip_prefix("best_trial_") {
        return Some((NameForm::BestTrial, label(Some(decimal(trial)?), Some(Event::Best))));
    }
    if let Some(episode) = stem.strip_prefix("best_episode_") {
        return Some((NameForm::BestEpisode, label(Some(decimal(episode)?), Some(Event::Best))));
    }
    let (step, time) = stem.strip_prefix("checkpoint_step_")?.split_once('_')?;
    let form = NameForm::StepAt { time: is_local_time(time).then(|| time.to_owned())? };
    Some((form, label(Some(decimal(step)?), Some(Event::Periodic))))
}

fn label(step: Option<u64>, event: Option<Event>) -> Label {
    Label { step, event: event.map(EventTag::from), ..Label::default() }
}

/// True for `YYYYMMDD_HHMMSS`, whatever the digits.
fn is_local_time(text: &str) -> bool {
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('_').is_some_and(|(date, time)| digits(date, 8) && digits(time, 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legacy_forms_say_what_their_names_say() {
        let periodic = |step| label(Some(step), Some(Event::Periodic));
        let best = |step| label(step, Some(Event::Best));
        let step_at = |time: &str| NameForm::StepAt { time: time.to_owned() };
        let last = |phase, title: &str| NameForm::PhaseFinal { phase, title: title.to_owned() };
        let phase_end = label(None, Some(Event::PhaseEnd));
        for (name, form, label) in [
            ("phase1_25000_steps.zip", NameForm::PhaseSteps { phase: 1 }, periodic(25_000)),
            ("phase3_25000_steps", NameForm::PhaseSteps { phase: 3 }, periodic(25_000)),
            ("best_model.zip", NameForm::BestModel, best(None)),
            ("best_model", NameForm::BestModel, best(None)),
            ("phase1_foundational_final.zip", last(1, "foundational"), phase_end.clone()),
            ("phase2_position_mgmt_final.zip", last(2, "position_mgmt"), phase_end.clone()),
            ("phase3_hybrid_final.zip", last(3, "hybrid"), phase_end),
            ("checkpoint_step_42_20250127_120000.pkl.gz", step_at("20250127_120000"), periodic(42)),
            ("checkpoint_step_42_20250127_120000.pkl", step_at("20250127_120000"), periodic(42)),
            ("checkpoint_step_42_20250127_120000", step_at("20250127_120000"), periodic(42)),
            ("best_trial_42.pkl.gz", NameForm::BestTrial, best(Some(42))),
            ("best_trial_0.pkl", NameForm::BestTrial, best(Some(0))),
            ("best_episode_700", NameForm::BestEpisode, best(Some(700))),
        ] {
            assert_eq!(parse(name), Some((form, label)), "{name}");
        }
    }

    #[test]
    fn what_only_resembles_a_legacy_form_is_none() {
        for name in [
            "phase_25000_steps.zip",
            "phase1_x_steps.zip",
            "phase1__steps.zip",
            "phase1_-1_steps.zip",
            "phase99999999999_1_steps.zip",
            "phase1_final.zip",
            "phase1__final.zip",
            "best_model.pkl",
            "best_model_2.zip",
            "best_trial_.pkl",
            "best_trial_1.zip",
            "best_trial_1.gz",
            "best_episode_99999999999999999999.pkl",
            "checkpoint_step_1.pkl",
            "checkpoint_step_1_2025_12.pkl",
            "checkpoint_step_x_20250127_120000.pkl",
            "",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_companion_names_its_checkpoint() {
        assert_eq!(
            Companion::of("best_model_vecnormalize.pkl"),
            Some((Companion::VecNormalize, "best_model"))
        );
        assert_eq!(Companion::of("a_vecnorm.pkl"), Some((Companion::VecNormalize, "a")));
        assert_eq!(Companion::of("a_metadata.json"), Some((Companion::Metadata, "a")));
        assert_eq!(Companion::of("a.meta.json"), Some((Companion::Metadata, "a")));
        assert_eq!(Companion::of("_metadata.json"), None);
        assert_eq!(Companion::of("a.json"), None);
    }
}
