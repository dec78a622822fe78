//! Names: any text is an answer; what was parsed is rendered and parsed as the same; what is rendered is a file name.
#![no_main]

use arbitrary::Arbitrary;
use ckpt_format::{EventTag, FileName, Label, ParsedName, STEM_BYTES_MAX};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Input {
    Text(String),
    Fields {
        epoch: u64,
        sequence: u64,
        market: Option<String>,
        step: Option<u64>,
        event: Option<String>,
        val_reward: Option<f64>,
        sharpe_ratio: Option<f64>,
        seed: Option<i64>,
    },
}

fuzz_target!(|input: Input| {
    match input {
        Input::Text(text) => {
            let key = FileName::order_key(&text);
            if let Ok(parsed) = ParsedName::parse(&text)
                && let Some(name) = parsed.file_name()
            {
                comes_back(&name);
            }
            if let Some((epoch, sequence)) = key {
                assert!(text.ends_with(".ckpt") && !text.contains('/'), "{text:?} is {epoch}, {sequence}");
            }
        }
        Input::Fields { epoch, sequence, market, step, event, val_reward, sharpe_ratio, seed } => {
            let event = event.map(|text| EventTag::from_text(&text));
            let label = Label { market, step, event, val_reward, sharpe_ratio, seed };
            comes_back(&FileName { epoch, sequence, label });
        }
    }
});

fn comes_back(name: &FileName) {
    let rendered = name.render();
    assert!(rendered.len() <= STEM_BYTES_MAX + ".ckpt".len(), "{rendered}");
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".%~+_-".contains(c);
    assert!(rendered.chars().all(allowed) && !rendered.starts_with('.'), "{rendered:?}");
    assert_eq!(FileName::order_key(&rendered), Some((name.epoch, name.sequence)), "{rendered}");
    let parsed = ParsedName::parse(&rendered).unwrap_or_else(|error| panic!("{rendered}: {error}"));
    assert_eq!((parsed.epoch, parsed.sequence), (name.epoch, Some(name.sequence)), "{rendered}");
    if let Some(again) = parsed.file_name() {
        // Metrics are rounded once and then stay.
        assert_eq!(again.render(), rendered);
        let text = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        assert_eq!(text(&again.label.market), text(&name.label.market), "{rendered}");
        assert_eq!((again.label.step, again.label.seed), (name.label.step, name.label.seed), "{rendered}");
    }
}
