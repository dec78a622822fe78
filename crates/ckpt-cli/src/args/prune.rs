//! `ckpt prune`: which run, and what is to be kept of it.

use std::path::PathBuf;
use std::time::Duration;

use ckpt::Direction;
use clap::Args;

use super::best::metric;
use super::units;

#[derive(Debug, Args)]
#[command(after_help = "\
What is kept is said by a configuration, by flags, or by both: a flag takes the place of what the configuration says. 0 turns a \
rule off; without any rule everything would be kept, so that is refused. Whatever the rules: the newest good checkpoint stays, \
what is pinned, what is not good, and the classes of events that are preserved (phase_end, phase_boundary, failure and manual \
for ever; interrupt, cancellation and shutdown until a later checkpoint is completed; a configuration may say others). Limits \
on age and bytes take from what the other rules keep. docs/POLICY.md has the rules.

The newest checkpoint is read and checked first. A plan that would delete more than half of a run's checkpoints is withheld, with \
exit status 1, until the policy is confirmed for that run with --yes. --dry-run prints the same plan, takes no lock and \
changes nothing; where the real run would be refused because no checkpoint is known on this machine to survive a power loss, it \
ends with the same error. Of a ROOT each run is planned and pruned by itself; one that is locked, refused or withheld does not keep the others.

Environment: CKPT_CONFIG__SECTION__KEY overrides the configuration.

Examples:
  ckpt prune runs/training/ppo --keep-last 8 --top sharpe_ratio:3:max --dry-run
  ckpt prune runs --config checkpoint_config.yaml --phase phase1 --market NQ
  ckpt prune runs --max-age 7d --max-bytes 5GiB --yes")]
pub(crate) struct PruneArgs {
    /// Directory of a run, or one that holds runs
    #[arg(value_name = "RUN|ROOT")]
    pub(crate) path: PathBuf,
    /// Only runs whose newest checkpoint is of this market
    #[arg(long, value_name = "M")]
    pub(crate) market: Option<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Keep the newest N periodic ones
    #[arg(long, value_name = "N")]
    pub(crate) keep_last: Option<u64>,
    /// Keep the best K by this metric; may be given several times. Which way is better may be left out if the run says it
    #[arg(long = "top", value_name = "METRIC:K[:min|max]", value_parser = top)]
    pub(crate) tops: Vec<TopArg>,
    /// Keep none that is older: a number with s, min, h, d or w
    #[arg(long, value_name = "AGE", value_parser = units::span)]
    pub(crate) max_age: Option<Duration>,
    /// Keep no more bytes: a number with B; kB, MB, GB, TB (of 1000); KiB, MiB, GiB or TiB (of 1024)
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    pub(crate) max_bytes: Option<u64>,
    /// Only print the plan
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Carry it out even if it deletes more than half, and confirm this policy for the run
    #[arg(short, long)]
    pub(crate) yes: bool,
}

/// A policy from a file.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Take the policy from this configuration (docs/CONFIGURATION.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What the configuration says for this phase [default: what it says for all]
    #[arg(long, value_name = "P", requires = "config")]
    pub(crate) phase: Option<String>,
}

/// A budget for the best by a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopArg {
    pub(crate) metric: String,
    pub(crate) count: u64,
    pub(crate) direction: Option<Direction>,
}

fn top(text: &str) -> Result<TopArg, String> {
    let form = "write METRIC:K, METRIC:K:min or METRIC:K:max";
    let (rest, direction) = metric(text)?;
    let (metric, count) = rest.rsplit_once(':').ok_or_else(|| format!("it says not how many; {form}"))?;
    if metric.is_empty() {
        return Err(format!("it names no metric; {form}"));
    }
    let count = count.parse().map_err(|_| format!("{count:?} is not how many; {form}"))?;
    Ok(TopArg { metric: metric.to_owned(), count, direction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_a_metric_a_number_and_maybe_a_direction() {
        let parsed = |text: &str| top(text).map(|top| (top.metric, top.count, top.direction));
        assert_eq!(parsed("loss:3"), Ok(("loss".to_owned(), 3, None)));
        assert_eq!(parsed("loss:3:min"), Ok(("loss".to_owned(), 3, Some(Direction::Min))));
        assert_eq!(parsed("eval:loss:0:max"), Ok(("eval:loss".to_owned(), 0, Some(Direction::Max))));
        for text in ["", "loss", "loss:", ":3", "loss:min", "loss:3:up", "loss:-1", "loss:3:min:max"] {
            assert!(top(text).is_err(), "{text}");
        }
    }
}
