//! What is decided outside of the store stands in the log, word for word, and a handle that was overtaken says nothing more.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;

use ckpt_format::{Digest, Metadata, Parent, Status, Timestamp};
use ckpt_store::{
    Compress, Costs, Epoch, FinalState, LogEvent, LogLine, Note, Run, RunOptions, RunReader, Section,
    Snapshot,
};

const LENGTH: usize = 3 << 20;

fn options() -> RunOptions {
    RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789))
}

fn create(path: &Path) -> Run {
    Run::create(path, &"tests".parse().unwrap(), &"run".parse().unwrap(), options()).unwrap()
}

fn notes() -> Vec<Note> {
    let digest = Digest::of(b"policy");
    let policy = serde_json::json!({"keep_last": 8, "top": [{"metric": "sharpe_ratio", "keep": 3, "max": true}], "share": 0.5});
    vec![
        Note::PolicyInForce { digest, policy, entries: 100 },
        Note::ScheduleInForce {
            schedule: serde_json::json!({"trigger": {"overhead_budget": 0.01}, "unit": "steps"}),
            text: "overhead budget: saving takes at most 1 % of the run time".to_owned(),
        },
        Note::PlanWithheld { digest, delete: 86, keep: 14 },
        Note::PlanConfirmed { digest },
        Note::DiskLevel {
            from: "normal".to_owned(),
            to: "prune".to_owned(),
            available_bytes: 1 << 30,
            reason: "1 GiB free, 2 GiB wanted".to_owned(),
        },
        Note::Resumed {
            epoch: 0,
            sequence: 7,
            skipped: vec![9, 8],
            restored: 17,
            migrated: 2,
            defaulted: 1,
            clamped: 3,
        },
        Note::Injected {
            identity: "dex:HYPE".to_owned(),
            prior: Some(Parent { run_id: "ab".to_owned(), epoch: 0, sequence: 9 }),
            injected: 10,
            seeded: 67,
            kept_live: 8,
            skipped: 5,
            kept_own: 1,
            clamped: 2,
        },
        Note::Finished {
            status: Status::Completed,
            final_state: Some(FinalState::NotSaved),
            reason: Some("phase_end is turned off".to_owned()),
        },
    ]
}

fn events(path: &Path) -> Vec<LogEvent> {
    let lines = RunReader::open(path).unwrap().log().unwrap();
    let good = |line| match line {
        LogLine::Good(entry) => entry.event,
        LogLine::Bad(text) => panic!("a bad line: {text}"),
    };
    lines.into_iter().map(good).collect()
}

#[test]
fn each_note_is_one_line_of_its_own_name_and_comes_back_as_it_was() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let run = create(&path);
    notes().into_iter().for_each(|note| run.note(note));
    assert_eq!(run.take_notices(), [""; 0]);
    let noted: Vec<LogEvent> = notes().into_iter().map(LogEvent::Noted).collect();
    assert_eq!(events(&path)[1..], noted);
    let text = std::fs::read_to_string(path.join("log.jsonl")).unwrap();
    let names = [
        "policy_in_force",
        "schedule_in_force",
        "plan_withheld",
        "plan_confirmed",
        "disk_level",
        "resumed",
        "injected",
        "finished",
    ];
    for (line, name) in text.lines().skip(1).zip(names) {
        assert!(line.contains(&format!("\"event\":\"{name}\"")), "{line}");
        assert!(line.len() < 512, "{} bytes: {line}", line.len());
    }
    assert_eq!(text.lines().count(), 1 + names.len());
}

/// What released programs wrote is read, with nothing where they noted nothing.
#[test]
fn a_log_from_before_notes_had_counts_and_final_states_is_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    drop(create(&path));
    let line = |event: &str| {
        let by = r#""by":{"host":"here","pid":7,"boot_id":"one"}"#;
        let entry = format!(r#"{{"at":"2026-01-02T03:04:05Z",{by},{event}}}"#);
        let sum = &Digest::of(entry.as_bytes()).to_string()[..16];
        format!("{{\"sum\":\"{sum}\",\"entry\":{entry}}}\n")
    };
    let resumed = r#""event":"resumed","epoch":0,"sequence":7,"skipped":[9,8]"#;
    let finished = r#""event":"finished","status":"completed""#;
    std::fs::write(path.join("log.jsonl"), line(resumed) + &line(finished)).unwrap();
    let resumed = Note::Resumed {
        epoch: 0,
        sequence: 7,
        skipped: vec![9, 8],
        restored: 0,
        migrated: 0,
        defaulted: 0,
        clamped: 0,
    };
    let finished = Note::Finished { status: Status::Completed, final_state: None, reason: None };
    assert_eq!(events(&path), [resumed, finished].map(LogEvent::Noted));
}

#[test]
fn who_was_overtaken_notes_nothing_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let run = create(&path);
    drop(Run::open(&path, options().epoch(Epoch::Begin(1))).unwrap());
    let before = events(&path);
    run.note(Note::Finished { status: Status::Failed, final_state: None, reason: None });
    assert_eq!(events(&path), before);
    let notices = run.take_notices();
    assert!(matches!(&notices[..], [notice] if notice.contains("fenced")), "{notices:?}");
}

/// The costs of a save are in its answer and in its line of the log: what the caller says of the snapshot, and what was spent
/// compressing, which is nothing where nothing was.
#[test]
fn a_save_says_what_each_phase_took() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let run = create(&path);
    let text: Vec<u8> = b"what repeats itself shrinks ".iter().copied().cycle().take(LENGTH).collect();
    let costs = |compress: Compress, took: u64| {
        let sections = vec![Section::owned("state", text.clone()).compress(compress)];
        let mut snapshot = Snapshot::new(sections);
        snapshot.took = std::time::Duration::from_micros(took);
        run.save_snapshot(Metadata::default(), snapshot).unwrap().costs
    };
    let [plain, compressed] = [costs(Compress::Never, 0), costs(Compress::Always, 1_234)];
    assert_eq!((plain.snapshot_us, plain.compress_us), (0, 0));
    assert_eq!(compressed.snapshot_us, 1_234);
    assert!(compressed.compress_us > 0 && compressed.write_us > 0, "{compressed:?}");
    let logged: Vec<Costs> = events(&path)
        .into_iter()
        .filter_map(|event| match event {
            LogEvent::Saved { costs, .. } => Some(costs),
            _ => None,
        })
        .collect();
    assert_eq!(logged, [plain, compressed]);
}
