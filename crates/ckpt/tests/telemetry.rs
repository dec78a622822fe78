//! What a session tells those who watch it: counters, gauges and histograms of the `metrics` facade, spans and events of `tracing`.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ckpt::{Direction, Json, Monitor, Session, SessionOptions};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tracing::span;

// One test: what is interested in a span is known to all threads of a process.
#[test]
fn saves_are_counted_by_event_their_phases_timed_and_spans_opened() {
    let root = tempfile::tempdir().unwrap();
    let (watched, names) = (Watched::default(), Names::default());
    let work = || {
        let monitor = Monitor::new("loss", Direction::Min);
        let options = SessionOptions::default().save_every(10).monitor(monitor).keep_last(1);
        let mut session = Session::open(root.path(), "tests", "run", options).unwrap();
        session.resume_or_else(|| Json(0_u64)).unwrap();
        for step in 1..=40_u64 {
            let metrics: &[(&str, f64)] = if step == 15 { &[("loss", 0.5)] } else { &[] };
            session.step(step, metrics, || Json(step)).unwrap();
        }
        let finished = session.finish(&Json(40)).unwrap();
        assert_eq!(finished.summary.saves, 6, "every 10, the best at 15, the end");
    };
    tracing::subscriber::with_default(names.clone(), || metrics::with_local_recorder(&watched, work));

    let seen = watched.seen();
    assert_eq!(seen["ckpt_saves_total{event=periodic}"], 4.0, "{seen:?}");
    assert_eq!(seen["ckpt_saves_total{event=best}"], 1.0);
    assert_eq!(seen["ckpt_saves_total{event=phase_end}"], 1.0);
    assert_eq!(seen["ckpt_pruned_total{}"], 3.0, "of the periodic ones the last is kept");
    assert!(seen["ckpt_last_save_bytes{}"] > 0.0);
    for phase in ["snapshot", "compress", "write", "sync"] {
        assert_eq!(seen[&format!("ckpt_save_seconds{{phase={phase}}}")], 6.0, "one a save");
    }

    let names = names.0.lock().unwrap().clone();
    let count = |name| names.iter().filter(|known| *known == name).count();
    assert_eq!((names[0].as_str(), count("ckpt.save")), ("ckpt.resume", 6), "{names:?}");
    assert!(count("ckpt.prune") > 0, "{names:?}");
}

/// Sums of counters, last values of gauges, counts of histograms.
#[derive(Debug, Clone, Default)]
struct Watched(Arc<Mutex<BTreeMap<String, f64>>>);

impl Watched {
    fn seen(&self) -> BTreeMap<String, f64> {
        self.0.lock().unwrap().clone()
    }

    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::new(One { all: self.clone(), name })
    }
}

impl Recorder for Watched {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

struct One {
    all: Watched,
    name: String,
}

impl One {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.all.0.lock().unwrap().entry(self.name.clone()).or_default());
    }
}

impl CounterFn for One {
    fn increment(&self, by: u64) {
        self.change(|value| *value += by as f64);
    }

    fn absolute(&self, to: u64) {
        self.change(|value| *value = to as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, by: f64) {
        self.change(|value| *value += by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| *value -= by);
    }

    fn set(&self, to: f64) {
        self.change(|value| *value = to);
    }
}

impl HistogramFn for One {
    fn record(&self, _: f64) {
        self.change(|count| *count += 1.0);
    }
}

/// The names of spans, in the order in which they began.
#[derive(Debug, Clone, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Names {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut names = self.0.lock().unwrap();
        names.push(span.metadata().name().to_owned());
        span::Id::from_u64(names.len() as u64)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, _: &tracing::Event<'_>) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
