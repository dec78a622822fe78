//! A subscriber of `tracing` that remembers events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The events of `tracing` while something is done, by the names of their fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

impl Events {
    pub(crate) fn of(work: impl FnOnce()) -> Vec<BTreeMap<String, String>> {
        let events = Self::default();
        tracing::subscriber::with_default(events.clone(), work);
        events.0.lock().unwrap().clone()
    }
}

struct Fields(BTreeMap<String, String>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}

impl tracing::Subscriber for Events {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
