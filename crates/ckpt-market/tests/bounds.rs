//! Whatever number stands in a document: restoring ends, in bounds, and restoring again changes nothing.
//!
//! `PROPTEST_CASES=20000` looks further.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use ckpt_format::{Bundle as _, BundleMode, EncodedSection, Timestamp, json};
use ckpt_market::restore::decay::Decay;
use ckpt_market::restore::{RestoreRules, restore};
use ckpt_market::{MarketBundle, StampedBundle, names, preset};
use proptest::prelude::*;
use serde_json::Value;

/// Calls `change` with each number of a value.
fn numbers(value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    match value {
        Value::Number(_) => change(value),
        Value::Array(elements) => elements.iter_mut().for_each(|element| numbers(element, change)),
        Value::Object(fields) => fields.values_mut().for_each(|field| numbers(field, change)),
        _ => {}
    }
}

/// The bundle with one number of one section replaced; none if it can't be read any more.
fn with_number(section: usize, number: usize, to: f64) -> Option<MarketBundle> {
    let mut sections = MarketBundle::default().stamp(&preset().gate).to_sections().unwrap();
    let section: &mut EncodedSection = sections.get_mut(section)?;
    let mut value: Value = serde_json::from_slice(&section.bytes).unwrap();
    let (mut at, text) = (0, json::to_vec(&to).unwrap());
    numbers(&mut value, &mut |value| {
        if at == number {
            *value = serde_json::from_slice(&text).unwrap();
        }
        at += 1;
    });
    section.bytes = serde_json::to_vec(&value).unwrap();
    let loaded = StampedBundle::from_sections(&sections, BundleMode::Strict).ok()?;
    Some(loaded.value.into_bundle())
}

/// Floats of a bundle that no rule lets be other than finite, by their place.
fn not_finite(bundle: &MarketBundle) -> Vec<String> {
    let mut found = Vec::new();
    for section in bundle.clone().stamp(&preset().gate).to_sections().unwrap() {
        // These are judged, not quoted by: an unknown duration makes the verdict insufficient.
        if [names::METADATA, names::READINESS].contains(&section.name.as_str()) {
            continue;
        }
        let text = String::from_utf8(section.bytes).unwrap();
        let open_end = usize::from(section.name == names::QUOTE_OUTCOMES);
        if text.matches("~f64").count() > open_end {
            found.push(section.name);
        }
    }
    found
}

proptest! {
    #[test]
    fn any_number_in_any_place_ends_in_bounds(
        section in 0_usize..19,
        number in 0_usize..230,
        special in prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, -0.0, 1e300, f64::MAX, 5e-324, 2.0]),
        drawn in any::<f64>(),
        use_drawn in any::<bool>(),
        hours in 0_i64..200,
    ) {
        let to = if use_drawn { drawn } else { special };
        let Some(bundle) = with_number(section, number, to) else { return Ok(()) };
        let now = Timestamp::from_millis(1_700_000_000_000 + hours * 3_600_000);
        let once = restore(bundle.clone(), now, &RestoreRules::default());
        prop_assert_eq!(not_finite(&once.bundle), Vec::<String>::new());
        let again = restore(once.bundle.clone(), now, &RestoreRules::default());
        prop_assert_eq!(again.bundle.stamp(&preset().gate).to_sections().unwrap(),
            once.bundle.stamp(&preset().gate).to_sections().unwrap());

        let mut old = bundle;
        old.metadata.timestamp_ms = 1_700_000_000_000;
        let rules = RestoreRules { decay: Some(Decay::default()), ..RestoreRules::default() };
        let faded = restore(old, now, &rules);
        prop_assert_eq!(not_finite(&faded.bundle), Vec::<String>::new());
    }
}
