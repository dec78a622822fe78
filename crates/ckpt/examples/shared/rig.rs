//! What the small examples share: where a run lies, and what is told of it.

use std::error::Error;
use std::path::PathBuf;

use ckpt::{Finished, Resumed, Step};

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// `[DIRECTORY [SIZE]]` of the command line, with these defaults: a directory for temporary files, and this size.
pub(crate) fn arguments(size: u64) -> Result<(PathBuf, u64)> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().map_or_else(|| std::env::temp_dir().join("ckpt-examples"), PathBuf::from);
    let size = arguments.next().map_or(Ok(size), |text| text.parse())?;
    println!("in {}; to begin anew, remove it", root.display());
    Ok((root, size))
}

/// Where the run goes on.
pub(crate) fn begun(resumed: &Resumed) {
    println!("{resumed}");
}

/// What became of a step, if anything was due.
pub(crate) fn told(step: &Step) {
    if *step != Step::NotDue {
        println!("{step}");
    }
}

/// How it ended, and what saving took.
pub(crate) fn ended(finished: &Finished) {
    for notice in &finished.notices {
        println!("note: {notice}");
    }
    println!("{}: {}", finished.status, finished.summary);
    if finished.summary.saves == 0 {
        return;
    }
    let milliseconds = 1e3 * finished.summary.blocked_seconds / finished.summary.saves as f64;
    // A thousand times as much is as many seconds.
    println!(
        "{milliseconds:.1} ms a save: under 0.1 % of the run time where {milliseconds:.1} s lie between two"
    );
}
