//! `ckpt best`: where to look, by which metric, how many.

use std::path::PathBuf;

use ckpt::Direction;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Good checkpoints of all runs are ranked together; of equal values the newer of a run comes first. A value that is missing, NaN or \
infinite has no rank. If the checkpoints are of several markets, the best of each is compared, too.

Examples:
  ckpt best runs --by sharpe_ratio:max
  ckpt best runs/training/ppo --by loss:min -n 1 --json")]
pub(crate) struct BestArgs {
    /// Directory of a run, or one that holds runs
    #[arg(value_name = "RUN|ROOT")]
    pub(crate) path: PathBuf,
    /// The metric. Which way is better may be left out if the runs say it
    #[arg(long, value_name = "METRIC[:min|max]", value_parser = by)]
    pub(crate) by: ByArg,
    /// How many
    #[arg(short = 'n', long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) number: u64,
}

/// A metric, and which way it gets better if that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ByArg {
    pub(crate) metric: String,
    pub(crate) direction: Option<Direction>,
}

fn by(text: &str) -> Result<ByArg, String> {
    let (metric, direction) = metric(text)?;
    Ok(ByArg { metric: metric.to_owned(), direction })
}

/// What stands before an ending `:min` or `:max`, which only such an ending is, and the direction.
pub(super) fn metric(text: &str) -> Result<(&str, Option<Direction>), String> {
    let (metric, direction) = match text.rsplit_once(':') {
        Some((metric, "min")) => (metric, Some(Direction::Min)),
        Some((metric, "max")) => (metric, Some(Direction::Max)),
        _ => (text, None),
    };
    if metric.is_empty() {
        return Err("it names no metric".to_owned());
    }
    Ok((metric, direction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_ending_is_a_direction() {
        let parsed = |text: &str| by(text).map(|by| (by.metric, by.direction));
        assert_eq!(parsed("loss"), Ok(("loss".to_owned(), None)));
        assert_eq!(parsed("eval:loss:min"), Ok(("eval:loss".to_owned(), Some(Direction::Min))));
        assert_eq!(parsed("min"), Ok(("min".to_owned(), None)));
        assert!(parsed("").is_err() && parsed(":max").is_err());
    }
}
