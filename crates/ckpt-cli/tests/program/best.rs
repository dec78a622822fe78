//! `ckpt best`: who ranks, which way, and how markets compare.

use ckpt::Direction;
use serde_json::{Value, json};

use crate::scene::Scene;

fn places(answer: &Value) -> Vec<(&str, u64)> {
    let rows = answer["checkpoints"].as_array().unwrap().iter();
    rows.map(|row| (row["run"].as_str().unwrap(), row["sequence"].as_u64().unwrap())).collect()
}

#[test]
fn runs_and_markets_are_ranked_together() {
    let scene = Scene::new();
    scene.save_periodic("models/NQ/ppo", "NQ", &["1.1", "2.5", "1.3"]);
    scene.save_periodic("models/ES/ppo", "ES", &["0.5", "1.9"]);
    let answer = scene.run("best models --by sharpe_ratio:max -n 3 --json").ok().json();
    assert_eq!(places(&answer), [("models/NQ/ppo", 2), ("models/ES/ppo", 2), ("models/NQ/ppo", 3)]);
    let first = &answer["checkpoints"][0];
    assert_eq!((&first["rank"], &first["value"], &first["market"]), (&json!(1), &json!(2.5), &json!("NQ")));
    assert_eq!(
        (&answer["ranked"], &answer["unranked"], &answer["direction"]),
        (&json!(5), &json!(0), &json!("max"))
    );
    assert_eq!(
        answer["markets"],
        json!([
            {"market": "NQ", "value": 2.5, "rank": 1, "run": "models/NQ/ppo", "sequence": 2, "ranked": 3},
            {"market": "ES", "value": 1.9, "rank": 2, "run": "models/ES/ppo", "sequence": 2, "ranked": 2},
        ])
    );
    let lowest = scene.run("best models --by sharpe_ratio:min -n 1 --json").ok().json();
    assert_eq!(places(&lowest), [("models/ES/ppo", 1)]);
    scene
        .run("best models --by sharpe_ratio:max")
        .ok()
        .says("higher is better")
        .says("the best of each market");
    scene.run("best models/NQ/ppo --by sharpe_ratio:max").ok().says("3 checkpoints ranked");
}

#[test]
fn what_is_no_finite_number_never_ranks_and_ties_go_to_the_newer() {
    let scene = Scene::new();
    scene.save_periodic("runs/ppo", "NQ", &["1.5", "nan", "inf", "-inf", "1.5", "-2"]);
    scene.run("save runs/ppo --event periodic w=w.bin").ok();
    for direction in ["max", "min"] {
        let answer = scene.run(&format!("best runs --by sharpe_ratio:{direction} --json")).ok().json();
        assert_eq!((&answer["ranked"], &answer["unranked"]), (&json!(3), &json!(4)));
        let order = if direction == "max" { [5, 1, 6] } else { [6, 5, 1] };
        assert_eq!(places(&answer).iter().map(|(_, sequence)| *sequence).collect::<Vec<_>>(), order);
    }
    scene.run("best runs --by sharpe_ratio:max").ok().says("4 without a finite value");
    for by in ["loss:min", "loss"] {
        let error = scene.run(&format!("best runs --by {by} --json")).error(4, "not_found");
        assert!(error["message"].as_str().unwrap().contains("metrics there: sharpe_ratio"), "{error}");
    }
    scene.run("best nowhere --by loss:min --json").error(4, "run_not_found");
}

#[test]
fn damaged_ones_do_not_rank() {
    let scene = Scene::with_checkpoints(3);
    crate::scene::flip(&scene.checkpoint(3), 100);
    let answer = scene.run("best train --by loss:min --json").ok().json();
    assert_eq!(places(&answer), [("train/ppo", 2), ("train/ppo", 1)]);
}

#[test]
fn the_direction_is_that_of_the_runs_or_must_be_given() {
    let scene = Scene::new();
    scene.write("w", b"1");
    scene.run("save runs/silent --metric loss=0.125 w=w").ok();
    let error = scene.run("best runs --by loss --json").error(2, "usage");
    assert!(error["message"].as_str().unwrap().contains("--by loss:min"), "{error}");
    scene.save_losses("runs/lower", &[0.25], Direction::Min);
    let answer = scene.run("best runs --by loss --json").ok().json();
    assert_eq!(places(&answer), [("runs/silent", 1), ("runs/lower", 1)]);
    scene.save_losses("runs/upper", &[0.25], Direction::Max);
    let error = scene.run("best runs --by loss --json").error(2, "usage");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("runs/lower says min") && message.contains("runs/upper says max"), "{message}");
    scene.run("best runs --by loss:max -n 1").ok().says("0.25");
    for line in ["best runs", "best runs --by :max", "best runs --by loss:min -n 0"] {
        scene.run(&format!("{line} --json")).error(2, "usage");
    }
}
