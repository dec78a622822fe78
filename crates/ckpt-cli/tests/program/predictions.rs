//! `ckpt predictions`: a log read as a stream.

use serde_json::{Value, json};

use crate::scene::Scene;

/// A record as a line: one of two levels is filled, five seconds later.
pub(crate) fn record(cycle: u64, resolved: bool) -> String {
    let level = |side: &str| {
        json!({
            "side": side, "price": 99.97, "size": 0.5, "depth_from_mid_bps": 3.0, "p_fill_100ms": 0.01, "p_fill_1s": 0.25,
            "p_fill_10s": 0.5, "p_adverse_given_fill": 0.3, "expected_pnl_given_fill": 0.001,
            "estimated_queue_position": 4.0, "estimated_queue_total": 19.0
        })
    };
    let at = 1_700_000_000_000_000_000_u64 + cycle * 1_000_000_000;
    let fill = json!({
        "level_index": 1, "fill_timestamp_ns": at + 5_000_000_000_u64, "fill_price": 100.03, "fill_size": 0.5,
        "mark_price_at_fill": 100.0, "mark_price_100ms_later": 100.0, "mark_price_1s_later": 100.0,
        "mark_price_10s_later": 100.0, "realized_as_bps": 0.75
    });
    let outcomes = json!({
        "fills": [fill], "price_1s_later": 101.0, "price_10s_later": 102.0, "price_60s_later": 103.0,
        "adverse_selection_realized_bps": 0.75, "realized_pnl": 0.5
    });
    let numbers = [
        "best_bid",
        "best_ask",
        "microprice",
        "market_mid",
        "book_imbalance",
        "market_spread_bps",
        "kappa_book",
        "kappa_robust",
        "kappa_adaptive",
        "kappa_final",
        "kappa_uncertainty",
        "kappa_ci_width",
        "sigma_clean",
        "sigma_total",
        "sigma_effective",
        "jump_ratio",
        "gamma_base",
        "gamma_adaptive",
        "gamma_calibration_mult",
        "gamma_effective",
        "funding_rate",
        "time_to_funding_settlement_s",
        "open_interest",
        "oi_change_1m",
        "inventory",
        "pending_bid_exposure",
        "pending_ask_exposure",
        "dynamic_max_position",
        "toxicity_score",
        "momentum_bps",
        "flow_imbalance",
        "falling_knife_score",
        "rising_knife_score",
        "adaptive_spread_floor",
        "adaptive_spread_ceiling",
        "adaptive_warmup_progress",
        "calibration_progress",
    ];
    let mut market =
        json!({"bid_levels": [], "ask_levels": [], "regime": "Active", "is_toxic_regime": false});
    for name in numbers {
        market[name] = json!(1.5);
    }
    let record = json!({
        "timestamp_ns": at, "quote_cycle_id": cycle, "market_state": market,
        "predictions": {
            "levels": [level("Buy"), level("Sell")], "expected_fill_rate_1s": 0.2, "expected_fill_rate_10s": 0.8,
            "expected_adverse_selection_bps": 1.0, "regime_probabilities": {"Active": 1.0},
            "glft_half_spread_bps": 3.1, "final_half_spread_bps": 3.0, "inventory_skew_bps": 0.0,
            "quotes_pulled": false, "pull_reason": null
        },
        "outcomes": if resolved { outcomes } else { Value::Null }
    });
    format!("{record}\n")
}

fn scene() -> Scene {
    let scene = Scene::new();
    let lines = [
        record(1, true),
        "\n".to_owned(),
        record(2, false),
        "{\"quote_cycle_id\": 3}\n".to_owned(),
        record(4, true),
    ];
    scene.write("p.jsonl", lines.concat());
    scene
}

#[test]
fn records_are_printed_and_lines_that_are_none_are_named() {
    let scene = scene();
    let ran = scene
        .run("predictions p.jsonl")
        .ok()
        .says("1  2023-11-14T22:13:21.000Z  cycle 1  Active")
        .says("no outcome yet");
    assert_eq!(ran.stdout.lines().count(), 3);
    ran.says("1 quote filled, adverse 0.75 of 1 bps, pnl 0.5")
        .warns("line 4 is no record: missing field `timestamp_ns`");
    let answer = scene.run("predictions p.jsonl --resolved --json").ok().json();
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.iter().map(|record| &record["line"]).collect::<Vec<_>>(), [&json!(1), &json!(5)]);
    assert_eq!(records[1]["outcomes"]["realized_pnl"], json!(0.5));
    assert_eq!((&answer["read"]["lines"], &answer["read"]["unresolved"]), (&json!(5), &json!(1)));
    assert_eq!(answer["read"]["faults"][0]["line"], json!(4));
}

#[test]
fn what_they_say_together_compares_predictions_with_outcomes() {
    let scene = scene();
    let log = scene.read("p.jsonl");
    for answer in [
        scene.run("predictions p.jsonl --stats --json"),
        scene.run_with("predictions - --stats --json", &log),
    ] {
        let stats = &answer.ok().json()["stats"];
        assert_eq!(
            (&stats["records"], &stats["resolved"], &stats["fills"]),
            (&json!(3), &json!(2), &json!(2))
        );
        assert_eq!((&stats["realized_pnl"], &stats["regimes"]), (&json!(1.0), &json!({"Active": 3})));
        // Of two levels of two resolved records one each was filled, after five seconds.
        let within = |seconds: &str| stats[seconds].clone();
        assert_eq!(
            within("filled_within_1s"),
            json!({"count": 4, "predicted_mean": 0.25, "observed_mean": 0.0})
        );
        assert_eq!(
            within("filled_within_10s"),
            json!({"count": 4, "predicted_mean": 0.5, "observed_mean": 0.5})
        );
        assert_eq!(
            within("adverse_selection_bps"),
            json!({"count": 2, "predicted_mean": 1.0, "observed_mean": 0.75})
        );
    }
    scene
        .run("predictions p.jsonl --stats")
        .ok()
        .says("5: 1 blank, 1 that are no record")
        .says("predicted 0.5, observed 0.5");
}

#[test]
fn a_file_of_something_else_fails_and_only_some_of_its_lines_are_named() {
    let scene = Scene::new();
    scene.write("other", "x\n".repeat(1_000));
    let ran = scene
        .run("predictions other")
        .ends(1)
        .warns("holds no prediction record")
        .warns("and 980 more lines");
    assert_eq!(ran.stderr.matches("is no record").count(), 20, "{ran:#?}");
    let error = scene.run("predictions other --stats --json").ends(1);
    assert!(error.stdout.is_empty() && error.stderr.contains(r#""code":"invalid""#), "{error:#?}");
    scene.write("empty", "");
    scene.run("predictions empty --stats").ok().says("0, 0 of them");
    scene.run("predictions none.jsonl --json").error(4, "not_found");
}

/// An answer that nobody reads to its end is no failure.
#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let scene = Scene::new();
    scene.write("p.jsonl", (0..2_000).map(|cycle| record(cycle, true)).collect::<String>());
    let mut child = scene.start("predictions p.jsonl");
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}
