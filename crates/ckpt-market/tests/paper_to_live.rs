//! The example that goes from paper to live, at a small size: what it shows holds.
//!
//! Its child process is this test again, called by name; without the directory in its environment that test returns at once.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the library is pure; its example runs as processes and writes a plot"
)]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use ckpt::gate::Verdict;
use ckpt::transfer::{InjectionOutcome, Rejection};

use self::paper_to_live::Asked;
use self::paper_to_live::starts::{Trace, mean};
use self::paper_to_live::story::{self, Outcome, Size};

// Its `main` reads the command line, which is the test harness's here.
#[expect(dead_code, reason = "only what its main calls is called")]
#[path = "../examples/paper_to_live/main.rs"]
mod paper_to_live;

/// Where the child finds the runs.
const ROOT: &str = "CKPT_TEST_PAPER_TO_LIVE";

#[test]
fn what_was_learned_on_paper_goes_live_and_survives_a_kill() {
    let root = tempfile::tempdir().unwrap();
    let plot = root.path().join("plot.svg");
    let child = || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["child", "--exact", "--nocapture", "--test-threads=1"]).env(ROOT, root.path());
        command
    };
    let mut log = Vec::new();
    let outcome = story::tell(root.path(), &plot, Size::SMALL, child, &mut log).unwrap();
    let log = String::from_utf8(log).unwrap();

    assert_eq!(outcome.verdicts, [Verdict::Insufficient, Verdict::Marginal, Verdict::Ready], "{log}");
    the_live_system_keeps_its_own(&outcome);
    assert!(matches!(outcome.next_day, Rejection::Age { .. }), "{}", outcome.next_day);

    // The child was killed in the middle, went on from its own checkpoint, and ended as the one that was never disturbed.
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("{text:?} is not in the log: {log}"));
    assert!(at("live: killed with SIGKILL") < at("resumed from 0000000"));
    assert!(at("resumed from ") < at("live: stamped Ready, judged again: ready"));
    assert!(at("judged again") < at("live: completed: "));
    assert_eq!(outcome.differing, [""; 0], "{log}");

    a_prior_is_worth_having(&outcome, &log);
    the_plot_is_whole(&plot);
    assert_eq!(outcome.faults(), [""; 0], "the example itself would fail");
}

/// `--help` was where the plot was written.
#[test]
fn what_looks_like_an_option_is_no_plot() {
    for help in [&["--help"][..], &["plot.svg", "-h"]] {
        assert_eq!(Asked::of(help).unwrap(), Asked::Help);
    }
    for odd in [&["--size", "small"][..], &["a", "b", "small", "c"]] {
        assert!(Asked::of(odd).unwrap_err().to_string().contains("see --help"));
    }
    let root = Some(Path::new("runs"));
    assert_eq!(Asked::of(&["a.svg", "runs"]).unwrap(), Asked::Story(Path::new("a.svg"), root, "full"));
    assert_eq!(Asked::of(&["--child", "runs", "small"]).unwrap(), Asked::Child(Path::new("runs"), "small"));
}

#[test]
fn child() {
    if let Some(root) = env::var_os(ROOT) {
        story::child(Path::new(&root), Size::SMALL, &mut std::io::stdout()).unwrap();
    }
}

fn the_live_system_keeps_its_own(outcome: &Outcome) {
    let begun = &outcome.begun;
    assert!(outcome.paper_switch.is_triggered() && outcome.paper_switch.daily_pnl != 0.0);
    assert_eq!(begun.after, begun.before);
    assert_eq!((begun.after.daily_pnl, begun.after.is_triggered()), (-12.5, false));
    let switch = begun.report.component("kill_switch").unwrap();
    assert_eq!(switch.outcome, InjectionOutcome::KeptOwn);
    assert_eq!(begun.report.lineage.as_ref().unwrap().chain_depth, 1);
}

fn a_prior_is_worth_having(outcome: &Outcome, log: &str) {
    let [cold, restored, injected] = &outcome.traces[..] else { panic!("{}", outcome.traces.len()) };
    assert_eq!([cold.name, restored.name, injected.name], ["cold", "restored", "injected"]);
    let error = |trace: &Trace| mean(&trace.error);
    assert!(error(injected) < 0.8 * error(cold), "{log}");
    assert!(error(restored) < 0.8 * error(cold), "{log}");
    // A cold one quotes at priors that are not of this market.
    assert!(cold.spread_bps[0] > 2.0 * injected.spread_bps[0], "{log}");
    assert_eq!((cold.error.len(), injected.error.len()), (500, 500));
}

/// Tags close in order, attributes are quoted, and there is a line for each start in each chart.
fn the_plot_is_whole(plot: &Path) {
    let text = fs::read_to_string(plot).unwrap();
    let mut open = Vec::new();
    let mut roots = 0;
    for part in text.split('<').skip(1) {
        let (tag, content) = part.split_once('>').unwrap_or_else(|| panic!("a tag does not end: {part}"));
        assert!(
            !content.contains('>') && content.split('&').skip(1).all(|entity| entity.contains(';')),
            "{part}"
        );
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        roots += usize::from(open.is_empty());
        let pieces: Vec<&str> = attributes.split('"').collect();
        assert!(pieces.len() % 2 == 1 && pieces.last() == Some(&""), "{tag}");
        assert!(pieces.iter().step_by(2).all(|name| name.is_empty() || name.ends_with('=')), "{tag}");
        if !is_empty {
            open.push(name);
        }
    }
    assert_eq!((open.len(), roots), (0, 1));
    assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" ") && !text.contains("NaN"));
    for name in ["cold", "restored", "injected"] {
        assert_eq!(text.matches(&format!(">{name}</text>")).count(), 2, "{name}");
    }
    assert_eq!(text.matches("stroke-width=\"1.5\"").count(), 6);
}
