//! A child under `strace`: what it calls, and what happens when one of the calls fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::scenario::{BEGINS, ENDED, SCENARIO, Scenario};

/// Where the child finds its run.
pub(crate) const DIRECTORY: &str = "CKPT_TEST_CHILD";
/// Longer than any scenario takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// `CKPT_TEST_CHILD` ended with an error of the store: this and its place among the codes.
const CODE_FROM: i32 = 20;
/// [`ckpt_store::Error::code`], each.
const CODES: [&str; 19] = [
    "run_not_found",
    "exists",
    "not_found",
    "invalid",
    "damaged",
    "unsupported",
    "incompatible",
    "locked",
    "fenced",
    "conflict",
    "no_space",
    "permission",
    "durability_unknown",
    "io",
    "source",
    "refused",
    "limit",
    "pinned",
    "last_verified",
];

/// Which call fails, how, and whether it goes on failing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shot {
    pub(crate) scenario: Scenario,
    pub(crate) syscall: &'static str,
    pub(crate) errno: &'static str,
    /// Which of a thread's calls, from 1.
    pub(crate) when: u64,
    pub(crate) from_there_on: bool,
}

/// What a traced child did.
#[derive(Debug)]
pub(crate) struct Traced {
    /// Nothing if it succeeded, or the error's code.
    pub(crate) error: Option<&'static str>,
    /// How often a call was made to fail between the beginning and the end of the scenario.
    pub(crate) fired: usize,
}

/// The calls of a scenario that nothing disturbs: by name, which of a thread's calls belong to it.
pub(crate) type Calls = BTreeMap<String, BTreeSet<u64>>;

/// For the child: the exit status that says how it ended.
pub(crate) fn status_of(outcome: &ckpt_store::Result<()>) -> i32 {
    let Err(error) = outcome else { return 0 };
    let place = CODES.iter().position(|code| *code == error.code()).expect("every code is in the list");
    CODE_FROM + i32::try_from(place).expect("the list is short")
}

/// Plays a scenario undisturbed and counts what it calls.
pub(crate) fn count(scenario: Scenario, path: &Path, scratch: &Path) -> Calls {
    let traced = run(scenario, path, scratch, &["-e", "trace=all"]);
    assert_eq!(traced.0, None, "{scenario:?} undisturbed");
    let lines = &traced.1;
    let at =
        |mark: &str| lines.iter().position(|line| line.contains(mark)).expect("the child says where it is");
    let (begins, ended) = (at(BEGINS), at(ENDED));
    let mut calls = Calls::new();
    let mut made = BTreeMap::new();
    for (index, line) in lines.iter().enumerate().take(ended) {
        let Some((thread, syscall)) = call_of(line) else { continue };
        let count = made.entry((thread, syscall)).or_insert(0_u64);
        *count += 1;
        if index > begins {
            calls.entry(syscall.to_owned()).or_default().insert(*count);
        }
    }
    // strace counts for each thread by itself. What would hit the program while it is loaded is left out: only the first
    // thread has calls before the scenario begins.
    let first = lines.first().and_then(|line| call_of(line)).expect("a program calls something").0;
    for (syscall, places) in &mut calls {
        let before = lines.iter().take(begins).filter(|line| call_of(line) == Some((first, syscall))).count();
        places.retain(|place| *place > before as u64);
    }
    calls
}

/// Plays a scenario while a call fails.
pub(crate) fn fire(shot: &Shot, path: &Path, scratch: &Path) -> Traced {
    let Shot { scenario, syscall, errno, when, from_there_on } = *shot;
    // What is not traced does not fail either.
    let also = scenario.always().and_then(|always| always.split(':').next()).unwrap_or(syscall);
    let trace = format!("trace=?readlink,?readlinkat,{syscall},{also}");
    let on = if from_there_on { "+" } else { "" };
    let inject = format!("inject={syscall}:error={errno}:when={when}{on}");
    let (error, lines) = run(scenario, path, scratch, &["-e", &trace, "-e", &inject]);
    let at = |mark: &str| lines.iter().position(|line| line.contains(mark));
    let begins = at(BEGINS).expect("the scenario begins before anything fails");
    let ended = at(ENDED).unwrap_or(lines.len());
    let (whole, end) = (format!(" {syscall}("), format!(" <... {syscall} resumed>"));
    let failed =
        |line: &&String| line.ends_with("(INJECTED)") && (line.contains(&whole) || line.contains(&end));
    assert_eq!(lines[..begins].iter().find(failed), None, "a call failed too early");
    Traced { error, fired: lines[begins..ended].iter().filter(failed).count() }
}

/// The code of the child's error, if it ended with one, and the lines of the trace.
fn run(
    scenario: Scenario,
    path: &Path,
    scratch: &Path,
    what: &[&str],
) -> (Option<&'static str>, Vec<String>) {
    let (trace, said) = (scratch.join("trace"), scratch.join("said"));
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-qq", "-e", "signal=none", "-o"]).arg(&trace).args(what);
    if let Some(always) = scenario.always() {
        command.args(["-e", &format!("inject={always}")]);
    }
    command
        .arg(std::env::current_exe().expect("a running program has a path"))
        .env(DIRECTORY, path)
        .env(SCENARIO, format!("{scenario:?}"))
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said).unwrap())
        .process_group(0);
    let mut process = command.spawn().unwrap_or_else(|error| panic!("{}", way_out(&error.to_string())));
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = process.try_wait().expect("a child can be waited for") {
            break status;
        }
        if Instant::now() > deadline {
            let group = Pid::from_child(&process);
            rustix::process::kill_process_group(group, Signal::KILL).expect("its group is ours");
            let _ = process.wait();
            panic!("it hangs: {}", fs::read_to_string(&trace).unwrap_or_default());
        }
        thread::sleep(Duration::from_micros(500));
    };
    let said = fs::read_to_string(&said).unwrap_or_default();
    let trace = fs::read_to_string(&trace).unwrap_or_default();
    assert!(trace.contains(BEGINS), "{}", way_out(&said));
    let error = match status.code() {
        Some(0) => None,
        Some(code) => {
            let place = usize::try_from(code - CODE_FROM).ok();
            let code = place.and_then(|place| CODES.get(place)).copied();
            Some(code.unwrap_or_else(|| panic!("it ended with {status}: {said}")))
        }
        None => panic!("it ended with {status}: {said}"),
    };
    (error, trace.lines().map(str::to_owned).collect())
}

/// Thread and name of a call that a line of a trace is the beginning of.
fn call_of(line: &str) -> Option<(&str, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (syscall, _) = rest.trim_start().split_once('(')?;
    syscall.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_').then_some((thread, syscall))
}

fn way_out(said: &str) -> String {
    format!(
        "strace could not trace a child of this process ({}): install strace 5.3 or later; where tracing is forbidden, \
         allow it (a container: --cap-add=SYS_PTRACE; a machine: sysctl kernel.yama.ptrace_scope=1)",
        said.trim()
    )
}
