//! Selectors: any text is an answer, every selector has one spelling, and the choice is one of the rows that match.
#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use ckpt_format::{Direction, Event, Metrics, Selectable, Selector};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input {
    text: String,
    rows: Vec<Drawn>,
}

#[derive(Debug, Arbitrary)]
struct Drawn {
    order: (u8, u8),
    file_name: String,
    events: Vec<u8>,
    step: Option<u8>,
    metrics: Option<Vec<(char, f64, Option<bool>)>>,
    labels: Option<BTreeMap<String, String>>,
}

struct Row {
    drawn: Drawn,
    events: Vec<Event>,
    metrics: Option<Metrics>,
}

impl Selectable for Row {
    fn epoch(&self) -> u64 {
        self.drawn.order.0.into()
    }
    fn sequence(&self) -> u64 {
        self.drawn.order.1.into()
    }
    fn file_name(&self) -> &str {
        &self.drawn.file_name
    }
    fn events(&self) -> &[Event] {
        &self.events
    }
    fn step(&self) -> Option<u64> {
        self.drawn.step.map(u64::from)
    }
    fn metrics(&self) -> Option<&Metrics> {
        self.metrics.as_ref()
    }
    fn labels(&self) -> Option<&BTreeMap<String, String>> {
        self.drawn.labels.as_ref()
    }
}

fuzz_target!(|input: Input| {
    let selector = match input.text.parse::<Selector>() {
        Ok(selector) => selector,
        Err(error) => {
            assert!(error.to_string().len() < 4_096, "an endless message");
            return;
        }
    };
    // One spelling but for zeros in front of a number: what is shown means the same.
    assert_eq!(selector.to_string().parse::<Selector>().as_ref(), Ok(&selector));
    let rows: Vec<Row> = input.rows.into_iter().map(row).collect();
    match selector.candidates(&rows) {
        Ok(found) => {
            let chosen = selector.choose(&rows).expect("a candidate is a choice");
            assert!(std::ptr::eq(found[0], chosen));
            let newest = rows.iter().map(|row| row.drawn.order).max();
            assert!(selector != Selector::Latest || Some(chosen.drawn.order) == newest);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

fn row(drawn: Drawn) -> Row {
    let spellings = ["periodic", "best", "phase_end", "phase_boundary_a", "interrupt", "manual", "failure"];
    let event = |code: &u8| spellings[usize::from(*code) % spellings.len()].parse().expect("an event");
    let events = drawn.events.iter().map(event).collect();
    let metrics = drawn.metrics.as_ref().map(|drawn| {
        let mut metrics = Metrics::default();
        for (name, value, direction) in drawn {
            metrics.set(name.to_string(), *value);
            if let Some(max) = direction {
                metrics.declare(name.to_string(), if *max { Direction::Max } else { Direction::Min });
            }
        }
        metrics
    });
    Row { drawn, events, metrics }
}
