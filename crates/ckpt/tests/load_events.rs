//! A bundle that is loaded without a session is told, too: to the process that loads, whatever it may do in the run.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

#[path = "rig/events.rs"]
mod events;

use std::fs;
use std::path::Path;

use ckpt::{
    Bundle, BundleMode, BundleReader, BundleWriter, EncodeError, FirstVersion, Metadata, MigrateError, Run,
    RunOptions, RunReader, Section, Selector, Stored,
};
use events::Events;
use serde::{Deserialize, Serialize};

macro_rules! stored {
    ($type:ident, $kind:literal $version:literal, from $previous:ty, |$before:ident| $migrate:expr) => {
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        struct $type {
            value: f64,
        }

        impl Stored for $type {
            const KIND: &'static str = $kind;
            const VERSION: u32 = $version;
            type Previous = $previous;
            fn migrate($before: $previous) -> Result<Self, MigrateError> {
                $migrate
            }
        }
    };
}

stored!(Sigma, "sigma" 1, from FirstVersion, |previous| match previous {});
stored!(KappaV1, "kappa" 1, from FirstVersion, |previous| match previous {});
stored!(Kappa, "kappa" 2, from KappaV1, |previous| Ok(Self { value: previous.value }));

/// As it was saved.
struct Older(Sigma, KappaV1);

/// As it is now: with another version of one component, and one more.
#[derive(Debug)]
struct Learned(Sigma, Kappa, Sigma);

impl Bundle for Older {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put("sigma", &self.0)?;
        writer.put("kappa", &self.1)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self(reader.take("sigma"), reader.take("kappa"))
    }
}

impl Bundle for Learned {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put("sigma", &self.0)?;
        writer.put("kappa", &self.1)?;
        writer.put("skew", &self.2)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self(reader.take("sigma"), reader.take("kappa"), reader.take("skew"))
    }
}

/// Names and bytes of all files at the top of the run.
fn files(path: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(path).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file());
    let mut files: Vec<_> = files
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Only a session told of its loads: a reader that began with defaults said nothing.
#[test]
fn each_load_is_one_event_with_counts_beside_a_writer_and_without_a_trace_in_the_run() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("market/maker");
    let (kind, name) = ("market".parse().unwrap(), "maker".parse().unwrap());
    let run = Run::create(&path, &kind, &name, RunOptions::new(ckpt::now)).unwrap();
    for value in [0.1, 0.2] {
        let sections = Older(Sigma { value }, KappaV1 { value }).to_sections().unwrap();
        run.save(Metadata::default(), sections.into_iter().map(Section::encoded).collect()).unwrap();
    }
    let newest = path.join(&run.reader().list().unwrap()[1].file_name);
    let mut bytes = fs::read(&newest).unwrap();
    bytes[4_096 + 3] ^= 1;
    fs::write(&newest, bytes).unwrap();

    let before = files(&path);
    let (mut by_reader, mut by_run) = (None, None);
    let reader = RunReader::open(&path).unwrap();
    let told = Events::of(|| {
        by_reader = Some(reader.load_bundle::<Learned>(&Selector::Latest, BundleMode::Strict).unwrap());
        // What is not loaded is an error, not an event.
        reader.load_bundle::<Learned>(&Selector::Step(7), BundleMode::Strict).unwrap_err();
    });
    assert_eq!(files(&path), before, "the run's own log is its writer's");
    let also = Events::of(|| {
        by_run = Some(run.load_bundle::<Learned>(&"seq:1".parse().unwrap(), BundleMode::Strict).unwrap());
    });
    for (told, skipped) in [(told, "1"), (also, "0")] {
        let [event] = told.as_slice() else { panic!("one event, not {told:?}") };
        for (name, value) in
            [("restored", "1"), ("migrated", "1"), ("defaulted", "1"), ("clamped", "0"), ("skipped", skipped)]
        {
            assert_eq!(event.get(name).map(String::as_str), Some(value), "{name} of {event:?}");
        }
        let message = &event["message"];
        assert!(message.starts_with("loaded 00000001.ckpt: "), "{message}");
        assert!(message.ends_with("; kappa: migrated v1 -> v2; skew: defaulted, it is missing"), "{message}");
        assert_eq!(message.contains("; skipped 00000002.ckpt: "), skipped == "1", "{message}");
    }
    assert_eq!((by_reader.unwrap().value.value.0.value, by_run.unwrap().value.value.1.value), (0.1, 0.1));
}
