//! Another process: this very test program, asked to run one of its tests and to report on its standard output.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// Where the child finds its run. Without it a child's test returns at once.
const DIRECTORY: &str = "CKPT_TEST_CHILD";
/// What a report begins with; the test harness writes lines of its own.
const REPORT: &str = "child: ";
/// Longer than anything a child does takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child process; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    reports: Receiver<String>,
}

impl Child {
    /// Starts the test of that name in a process of its own, on the run at `directory`.
    pub(crate) fn spawn(test: &str, directory: &Path, environment: &[(&str, String)]) -> Self {
        Self::spawn_under(&[], test, directory, environment)
    }

    /// The same, started by another program: `timeout`, `env` and such, with its arguments.
    pub(crate) fn spawn_under(
        wrapper: &[&str],
        test: &str,
        directory: &Path,
        environment: &[(&str, String)],
    ) -> Self {
        let itself = std::env::current_exe().expect("a running program has a path");
        let mut words = wrapper.iter().map(OsStr::new).chain([itself.as_os_str()]);
        let mut process = Command::new(words.next().expect("there is at least this program"))
            .args(words)
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test program can be started again");
        let output = BufReader::new(process.stdout.take().expect("standard output is a pipe"));
        let (sender, reports) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, report)) = line.split_once(REPORT) {
                    // Whoever waited may be gone.
                    let _ = sender.send(report.to_owned());
                }
            }
        });
        Self { process, reports }
    }

    /// The next report; nothing once the child has ended and everything it wrote was returned.
    pub(crate) fn report(&self) -> Option<String> {
        match self.reports.recv_timeout(PATIENCE) {
            Ok(report) => Some(report),
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("the child says nothing any more"),
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid(), signal)
            .expect("a child that was not waited for can be signalled");
    }

    /// Waits until it has ended; returns how, and what it reported that was not returned yet.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<String>) {
        let rest = std::iter::from_fn(|| self.report()).collect();
        (self.process.wait().expect("a child can be waited for"), rest)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In the child: the run's directory; nothing if this is not a child.
pub(crate) fn directory() -> Option<std::path::PathBuf> {
    std::env::var_os(DIRECTORY).map(Into::into)
}

/// In the child: reports a line, in one write. Once nobody listens any more there is nothing left to do.
pub(crate) fn report(line: &str) {
    if std::io::stdout().lock().write_all(format!("{REPORT}{line}\n").as_bytes()).is_err() {
        std::process::exit(1);
    }
}
