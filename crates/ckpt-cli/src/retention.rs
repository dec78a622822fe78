//! What is to be kept: as a configuration, flags and a run say it together.

use std::path::Path;

use ckpt::{ChooseError, Direction, Entry, PhaseConfig, RetentionPolicy, Top, stated_direction};

use crate::args::{PolicyArgs, PruneArgs, TopArg};
use crate::config;
use crate::failure::Failure;

/// The rules of a command line: a policy but for the directions that only a run can say.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    policy: RetentionPolicy,
    /// Budgets whose direction neither a flag nor the configuration says.
    undirected: Vec<&'a TopArg>,
}

/// What a configuration says for the phase that is meant; nothing if none was given.
pub(crate) fn configured(args: &PolicyArgs) -> Result<Option<PhaseConfig>, Failure> {
    let Some(file) = &args.config else { return Ok(None) };
    let refused = |error| config::refusal(&error, file);
    let config = config::load(file, &[]).map_err(refused)?;
    let phase = match &args.phase {
        Some(phase) => config.phase(phase).map_err(refused)?,
        None => config.general(),
    };
    Ok(Some(phase.clone()))
}

/// The rules that are on, in one line.
pub(crate) fn rules_in_words(policy: &RetentionPolicy) -> String {
    let lines = policy.describe();
    let on = lines.iter().filter(|line| !line.ends_with(": off") && !line.starts_with("prune_every"));
    on.map(String::as_str).collect::<Vec<_>>().join("; ")
}

/// A policy that a session goes by: it may keep everything.
pub(crate) fn in_force_in_words(policy: &RetentionPolicy) -> String {
    if policy.is_empty() { "everything is kept".to_owned() } else { rules_in_words(policy) }
}

/// A policy as a log keeps it; one whose rules this program does not know as it stands there.
pub(crate) fn logged_in_words(policy: &serde_json::Value) -> String {
    match serde_json::from_value::<RetentionPolicy>(policy.clone()) {
        Ok(policy) => in_force_in_words(&policy),
        Err(_) => policy.to_string(),
    }
}

impl<'a> Rules<'a> {
    /// What the flags make of the configuration. Rules that keep everything are refused: they would do nothing.
    pub(crate) fn of(args: &'a PruneArgs) -> Result<Self, Failure> {
        let configured = configured(&args.policy)?;
        let monitors = configured.as_ref().map(|phase| phase.monitors.clone()).unwrap_or_default();
        let mut policy = configured.map(|phase| phase.retention).unwrap_or_default();
        policy.keep_last = args.keep_last.unwrap_or(policy.keep_last);
        policy.max_age = args.max_age.or(policy.max_age);
        policy.max_bytes = args.max_bytes.unwrap_or(policy.max_bytes);
        let mut undirected = Vec::new();
        for (place, top) in args.tops.iter().enumerate() {
            if args.tops.iter().take(place).any(|before| before.metric == top.metric) {
                return Err(Failure::usage(format!("--top {} was given twice: give it once", top.metric)));
            }
            let configured = policy.top.iter().position(|budget| budget.metric == top.metric);
            let configured = configured.map(|place| policy.top.remove(place));
            let monitored = monitors.iter().find(|monitor| monitor.metric() == top.metric);
            let direction = top
                .direction
                .or(configured.map(|budget| budget.direction))
                .or(monitored.map(|monitor| monitor.direction()));
            match direction {
                Some(direction) => policy.top.push(budget(top, direction)),
                None => undirected.push(top),
            }
        }
        if policy.is_empty() && undirected.iter().all(|top| top.count == 0) {
            let message = match &args.policy.config {
                Some(file) => format!("no rule is on in {}, so everything is kept", file.display()),
                None => "no rule is given, so everything is kept".to_owned(),
            };
            return Err(Failure::usage(message)
                .hint("give --config, --keep-last, --top, --max-age or --max-bytes; 0 turns a rule off"));
        }
        policy.check().map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Self { policy, undirected })
    }

    /// The policy for a run that has these checkpoints.
    pub(crate) fn for_run(&self, path: &Path, entries: &[Entry]) -> Result<RetentionPolicy, Failure> {
        let mut policy = self.policy.clone();
        // In a run that holds nothing nothing has a rank, whichever way is better.
        for top in self.undirected.iter().filter(|_| !entries.is_empty()) {
            let direction = direction(&top.metric, entries, path, |direction| {
                format!("--top {}:{}:{direction}", top.metric, top.count)
            })?;
            policy.top.push(budget(top, direction));
        }
        Ok(policy)
    }
}

/// Which way the metric gets better, as the run at `path` says it. `flag` is what to write where that is not clear.
pub(crate) fn direction(
    metric: &str,
    entries: &[Entry],
    path: &Path,
    flag: impl Fn(Direction) -> String,
) -> Result<Direction, Failure> {
    stated_direction(entries, metric).map_err(|error| {
        let path = path.display();
        let says = match error {
            ChooseError::DirectionConflict { min_sequence, max_sequence, .. } => {
                format!("says min in checkpoint {min_sequence} and max in checkpoint {max_sequence}")
            }
            _ => "does not say it".to_owned(),
        };
        let (min, max) = (flag(Direction::Min), flag(Direction::Max));
        Failure::usage(format!(
            "which way does {metric} get better? the run at {path} {says}: write {min} or {max}"
        ))
    })
}

fn budget(top: &TopArg, direction: Direction) -> Top {
    Top { metric: top.metric.clone(), direction, count: top.count }
}
