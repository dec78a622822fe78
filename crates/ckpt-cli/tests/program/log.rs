//! `ckpt log`: what applications note, in words and in JSON, and as `docs/json.md` has it.

use std::collections::BTreeSet;

use ckpt::{Digest, FinalState, Note, Parent, RetentionPolicy, Run, RunOptions, Status};
use serde_json::Value;

use crate::scene::Scene;

fn notes() -> Vec<(Note, &'static str)> {
    let digest = Digest::of(b"policy");
    let policy = serde_json::to_value(RetentionPolicy::keep_last(8)).unwrap();
    let disk = Note::DiskLevel {
        from: "normal".to_owned(),
        to: "prune".to_owned(),
        available_bytes: 3_000_000_000,
        reason: "less than reserve + 2 need".to_owned(),
    };
    let short = &digest.to_string()[..12];
    let words = |text: &str| -> &'static str { Box::leak(text.replace("DIGEST", short).into_boxed_str()) };
    vec![
        (
            Note::PolicyInForce { digest, policy, entries: 100 },
            words(
                "policy DIGEST came into force over 100 checkpoints: keep_last: 8; preserve: manual, phase_boundary, phase_end, \
                 cancellation (until a later one is completed), shutdown (until a later one is completed), interrupt \
                 (until a later one is completed), failure",
            ),
        ),
        (
            // One of a later program, whose rules are not known here.
            Note::PolicyInForce { digest, policy: serde_json::json!({"keep_odd": true}), entries: 1 },
            words("policy DIGEST came into force over 1 checkpoint: {\"keep_odd\":true}"),
        ),
        (
            Note::ScheduleInForce {
                schedule: serde_json::json!({"trigger": {"every_units": 10}}),
                text: "every 10 steps".to_owned(),
            },
            "periodic saves go by this schedule: every 10 steps",
        ),
        (
            Note::PlanWithheld { digest, delete: 86, keep: 14 },
            words(
                "withheld a plan of policy DIGEST that would delete 86 checkpoints and keep 14: confirm it first",
            ),
        ),
        (Note::PlanConfirmed { digest }, words("confirmed the plans of policy DIGEST")),
        (disk, "disk level normal -> prune (3.0 GB free): less than reserve + 2 need"),
        (resumed(vec![9, 8], 0), "resumed from 7, skipped 9, 8"),
        (resumed(Vec::new(), 17), "resumed from 7: 17 restored, 2 migrated, 3 values clamped"),
        (
            Note::Injected {
                identity: "dex:HYPE".to_owned(),
                prior: Some(Parent { run_id: "ab".to_owned(), epoch: 0, sequence: 9 }),
                injected: 10,
                seeded: 67,
                kept_live: 8,
                skipped: 5,
                kept_own: 1,
                clamped: 0,
            },
            "prior injected of dex:HYPE in checkpoint 9 of run ab: 10 injected, 67 cells seeded, 8 cells kept live, 5 skipped, \
             1 kept its own",
        ),
        (
            Note::Finished {
                status: Status::Completed,
                final_state: Some(FinalState::NotSaved),
                reason: Some("phase_end is turned off".to_owned()),
            },
            "finished: completed, and its final state was not saved: phase_end is turned off",
        ),
    ]
}

fn resumed(skipped: Vec<u64>, restored: u64) -> Note {
    let (migrated, clamped) = if restored > 0 { (2, 3) } else { (0, 0) };
    Note::Resumed { epoch: 0, sequence: 7, skipped, restored, migrated, defaulted: 0, clamped }
}

#[test]
fn notes_are_sentences_and_have_the_fields_that_are_documented() {
    let scene = Scene::new();
    let (kind, name) = ("training".parse().unwrap(), "noted".parse().unwrap());
    let run = Run::create(scene.path("noted"), &kind, &name, RunOptions::new(ckpt::now)).unwrap();
    notes().into_iter().for_each(|(note, _)| run.note(note));
    let text = scene.run("log noted").ok().stdout;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines.len(), notes().len(), "{text}");
    for (line, (_, words)) in lines.iter().zip(notes()) {
        assert!(line.ends_with(words), "{line}\n{words}");
    }
    let answer: Value = serde_json::from_str(&scene.run("log noted --json").ok().stdout).unwrap();
    let document =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
    for entry in &answer.as_array().unwrap()[1..] {
        let entry = entry.as_object().unwrap();
        let event = entry["event"].as_str().unwrap();
        let row = document.lines().find_map(|line| line.strip_prefix(&format!("| `{event}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/json.md says nothing of {event}"));
        let documented: BTreeSet<&str> = row.split('`').skip(1).step_by(2).collect();
        let common = ["at", "by", "event"];
        let printed = entry.keys().map(String::as_str).filter(|name| !common.contains(name)).collect();
        assert_eq!(documented, printed, "{event}");
    }
}
