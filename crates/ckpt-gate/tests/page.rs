//! The JSON on the page is the JSON that is written.

use ckpt_gate::{Evidence, Fills, Required, Thresholds, ThresholdsConfig, WarmupRules};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/GATE.md");

#[test]
fn the_page_shows_what_is_written() {
    let config = ThresholdsConfig {
        core: vec![Required::new("volatility", 200), Required::new("kappa", 50)],
        marginal_core_min: 1,
        fills: Some(Required::new("kelly_fills", 20)),
        ..ThresholdsConfig::default()
    };
    let evidence = Evidence::default()
        .count("volatility", 4_000)
        .count("kappa", 31)
        .session_seconds(600.0)
        .cumulative_seconds(2_400.0)
        .age_seconds(60.0);
    let assessment = Thresholds::new(config).unwrap().assess(&evidence);
    let plan = WarmupRules::default().plan(&assessment, Fills { restored: 100, live: 20 });

    let shown: Vec<Value> = PAGE
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    assert_eq!(shown, [serde_json::to_value(&assessment).unwrap(), serde_json::to_value(&plan).unwrap()]);
}
