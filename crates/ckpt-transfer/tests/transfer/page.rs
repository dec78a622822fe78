//! The JSON on the page is the JSON that is written.

use ckpt_transfer::{InjectionConfig, PriorExtract as _, PriorInject as _};
use serde_json::Value;

use crate::rig::{live, now, paper, seconds_before_now};

const PAGE: &str = include_str!("../../../../docs/TRANSFER.md");

#[test]
fn the_page_shows_what_is_written() {
    let prior = paper().extract_prior(seconds_before_now(60.0));
    let config = InjectionConfig { skip: ["regime".to_owned()].into(), ..InjectionConfig::default() };
    let report = live().dry_run(&prior, &config, now()).unwrap();
    let shown = PAGE.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    let written = serde_json::to_value(&report).unwrap();
    assert_eq!(shown, written);
}
