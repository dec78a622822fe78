//! The command line.

use std::path::PathBuf;

use crate::Result;
use crate::kills::KILLS;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Learns a stochastic-volatility model from twenty years of S&P 500 closes, is killed five times on the way with
SIGKILL, resumes from its checkpoints, and must end bit for bit where an uninterrupted run ends.

Usage: crash_and_resume [OPTIONS]

  --seed N         seed of the model and of the kills (default: random, printed)
  --particles N    particles of the filter (default: 12000)
  --days N         days to learn (default: all, 5030)
  --every N        days from one checkpoint to the next (default: 50)
  --directory DIR  keep both runs here (default: a temporary directory, removed at the end)
  --quick          short for --particles 500 --days 1500
  --help           print this

Exit status: 0 both runs ended equal, 1 they did not, a checkpoint was lost, or an error.
";

/// How the example is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// The first argument was `child`: be the process that is killed. Not for people.
    pub(crate) child: bool,
    /// Print [`HELP`] and do nothing.
    pub(crate) help: bool,
    /// Seed of the model and of the kills; `None`: choose one.
    pub(crate) seed: Option<u64>,
    /// Particles of the filter, at least one.
    pub(crate) particles: usize,
    /// Days to learn; `None`: all.
    pub(crate) days: Option<usize>,
    /// Days from one checkpoint to the next, at least one.
    pub(crate) every: u64,
    /// Where the runs are kept (of a child: its run).
    pub(crate) directory: Option<PathBuf>,
    /// Of a child: stop half-way in the first save at this day or later, and wait to be killed.
    pub(crate) hold_save_at: Option<u64>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            child: false,
            help: false,
            seed: None,
            particles: 12_000,
            days: None,
            every: 50,
            directory: None,
            hold_save_at: None,
        }
    }
}

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// An option that is unknown, lacks its value, or has one that is not a number or is zero.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Options> {
        let mut options = Options::default();
        let mut arguments = arguments.into_iter().peekable();
        options.child = arguments.next_if(|first| first == "child").is_some();
        while let Some(name) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| format!("{name} needs a value; --help lists the options"));
            match name.as_str() {
                "--seed" => options.seed = Some(number(&name, &value()?)?),
                "--particles" => options.particles = usize::try_from(positive(&name, &value()?)?)?,
                "--days" => options.days = Some(usize::try_from(positive(&name, &value()?)?)?),
                "--every" => options.every = positive(&name, &value()?)?,
                "--directory" => options.directory = Some(PathBuf::from(value()?)),
                "--hold-save-at" if options.child => options.hold_save_at = Some(number(&name, &value()?)?),
                "--quick" => (options.particles, options.days) = (500, Some(1500)),
                "--help" | "-h" => options.help = true,
                _ => return Err(format!("unknown option {name}; --help lists the options").into()),
            }
        }
        Ok(options)
    }

    /// How many of `available` days are to be learned.
    ///
    /// # Errors
    /// More than there are, or too few for every kill to have a checkpoint before it and one after it.
    pub(crate) fn days_of(&self, available: usize) -> Result<usize> {
        let days = self.days.unwrap_or(available);
        let least = self.every * (KILLS as u64 + 3);
        if days > available || (days as u64) < least {
            return Err(format!(
                "--days {days} with --every {}: takes {least} to {available} days, else choose a smaller --every",
                self.every
            )
            .into());
        }
        Ok(days)
    }
}

fn number(name: &str, value: &str) -> Result<u64> {
    value.parse().map_err(|_| format!("{name} takes a whole number, not `{value}`").into())
}

fn positive(name: &str, value: &str) -> Result<u64> {
    match number(name, value)? {
        0 => Err(format!("{name} takes a number above 0").into()),
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read() {
        let options = parse("child --seed 7 --directory x --hold-save-at 150 --every 25").unwrap();
        let expected = Options {
            child: true,
            seed: Some(7),
            directory: Some("x".into()),
            hold_save_at: Some(150),
            every: 25,
            ..Options::default()
        };
        assert_eq!(options, expected);
        assert_eq!(parse("").unwrap(), Options::default());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["--seed", "--seed x", "--every 0", "--hold-save-at 5", "--sed 5", "5"] {
            assert!(parse(line).is_err(), "{line}");
        }
        let options = parse("--every 100").unwrap();
        assert!(options.days_of(799).is_err());
        assert_eq!(options.days_of(800).unwrap(), 800);
        assert!(parse("--days 900").unwrap().days_of(800).is_err());
    }
}
