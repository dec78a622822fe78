//! A child process that is killed in the middle of its work and started again.

use std::io::{BufRead as _, BufReader, Write};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};

use super::Result;

const SIGKILL: i32 = 9;

/// What a child says when a checkpoint of it is durable.
const SAVED: &str = "saved as sequence ";

/// Starts a child, kills it after so many saves, and starts it again to come to its end.
///
/// # Errors
/// If the child came to its end before it was killed, or fails.
pub(crate) fn strike(child: impl Fn() -> Command, saves: u64, log: &mut dyn Write) -> Result<()> {
    let status = live(child(), Some(saves), log)?;
    if status.signal() != Some(SIGKILL) {
        return Err(format!("the child was to be killed, but ended with {status}").into());
    }
    writeln!(log, "live: killed with SIGKILL; started again")?;
    let status = live(child(), None, log)?;
    if !status.success() {
        return Err(format!("the child failed: {status}").into());
    }
    Ok(())
}

/// One life of a child.
fn live(mut child: Command, kill_after: Option<u64>, log: &mut dyn Write) -> Result<ExitStatus> {
    let mut process = child.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let output = process.stdout.take().ok_or("the child has no standard output")?;
    let mut saves = 0;
    let mut told = Ok(());
    for line in BufReader::new(output).lines() {
        let Ok(line) = line else { break };
        told = told.and(writeln!(log, "live: {line}"));
        saves += u64::from(line.contains(SAVED));
        if kill_after == Some(saves) || told.is_err() {
            process.kill()?;
            break;
        }
    }
    let status = process.wait()?;
    told?;
    Ok(status)
}
