//! From paper to live: a market maker learns on paper until the gate trusts it, hands what it learned to a live one, and that
//! one is killed and goes on.
//!
//! ```text
//! cargo run --release -p ckpt-market --example paper_to_live [PLOT [DIRECTORY [SIZE]]]
//! ```
//!
//! It trades a replay of the S&P 500 with fills that are simulated from a seed: every run says the same. The paper session
//! saves every five minutes of the replay, stamped with the gate's verdict. The live one asks for that prior (a dry run first),
//! begins at the warm-up the verdict allows, and is a process of its own that is killed with SIGKILL after some saves. Then it is
//! started by the same call, and ends as one that was never disturbed, bit for bit. In the end the same hours of the market are begun
//! cold, from the live session's checkpoint and from the injected prior; the plot is written to PLOT, `paper_to_live.svg` in
//! the working directory unless told otherwise. The runs lie in DIRECTORY and stay there; without one they are removed.
//! SIZE is `full` or `small`.
//!
//! What it shows: live components and their bundle ([`maker`]), a session by the preset ([`paper`]), admission and injection
//! ([`prior`]), restoring and judging again ([`live`]), and state of the application beside the bundle ([`saved`]).
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the library is pure; this program has a plot to write, a child to start and a market to wait for"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::story::Size;

mod agent;
#[path = "../../../ckpt/examples/shared/closes.rs"]
mod closes;
mod desk;
mod fill_rate;
mod kappa;
mod live;
mod maker;
mod market;
mod outcomes;
mod paper;
mod parameters;
mod prior;
mod quoting;
#[path = "../../../ckpt/examples/shared/random.rs"]
mod random;
mod regime;
mod saved;
mod schedule;
pub(crate) mod starts;
pub(crate) mod story;
mod struck;
mod svg;
mod toxicity;

pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The word by which the program calls itself.
const CHILD: &str = "--child";
/// Where the plot goes unless told otherwise.
const PLOT: &str = "paper_to_live.svg";
/// The size unless told otherwise.
const FULL: &str = "full";

/// What `--help` says.
const HELP: &str = "\
A market maker goes from paper to live, is killed, and goes on.

Usage: paper_to_live [PLOT [DIRECTORY [SIZE]]]

  PLOT       where the plot is written, as SVG [default: paper_to_live.svg]
  DIRECTORY  where the runs lie, and stay: trading/paper, trading/live, trading/undisturbed [default: one that is removed]
  SIZE       full or small [default: full]

The runs are of the time of the replay, 2018: `ckpt gate DIRECTORY/trading/live` finds them stale.";

/// What a command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked<'a> {
    /// How it is called.
    Help,
    /// To be the process that is killed, of runs in a directory.
    Child(&'a Path, &'a str),
    /// The whole story: where the plot and the runs go, and its size.
    Story(&'a Path, Option<&'a Path>, &'a str),
}

impl<'a> Asked<'a> {
    /// By the arguments.
    ///
    /// # Errors
    /// If there are too many, or one looks like an option: it would be taken for the plot.
    pub(crate) fn of(arguments: &[&'a str]) -> Result<Self> {
        if let [CHILD, root, size] = *arguments {
            return Ok(Self::Child(Path::new(root), size));
        }
        if arguments.iter().any(|argument| ["--help", "-h"].contains(argument)) {
            return Ok(Self::Help);
        }
        if let Some(odd) = arguments.iter().find(|argument| argument.starts_with('-')) {
            return Err(format!("{odd:?} is no argument: see --help").into());
        }
        match *arguments {
            [] => Ok(Self::Story(Path::new(PLOT), None, FULL)),
            [plot] => Ok(Self::Story(Path::new(plot), None, FULL)),
            [plot, root] => Ok(Self::Story(Path::new(plot), Some(Path::new(root)), FULL)),
            [plot, root, size] => Ok(Self::Story(Path::new(plot), Some(Path::new(root)), size)),
            _ => Err("too many arguments: see --help".into()),
        }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (plot, root, size) = match Asked::of(&arguments)? {
        Asked::Help => {
            println!("{HELP}");
            return Ok(());
        }
        Asked::Child(root, size) => return story::child(root, Size::named(size)?, &mut std::io::stdout()),
        Asked::Story(plot, root, size) => (plot, root, size),
    };
    let scratch = tempfile::tempdir()?;
    let stays = root.is_some();
    let root = root.map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    let whether = if stays { "" } else { ", removed in the end: name a directory to keep them (--help)" };
    println!("runs in {}{whether}", root.display());
    let program = env::current_exe()?;
    let child = || {
        let mut command = Command::new(&program);
        command.arg(CHILD).arg(&root).arg(size);
        command
    };
    let outcome = story::tell(&root, plot, Size::named(size)?, child, &mut std::io::stdout())?;
    let faults = outcome.faults();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}
