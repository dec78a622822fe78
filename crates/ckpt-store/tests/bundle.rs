//! A bundle in a run: strict steps back over a damaged component, lenient loads all the others.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::fs;

use ckpt_format::{
    Bundle, BundleMode, BundleReader, BundleWriter, Codec, EncodeError, FirstVersion, Metadata, MigrateError,
    Outcome, Selector, Stored, Timestamp, Why,
};
use ckpt_store::{Error, Run, RunOptions, Section};
use serde::{Deserialize, Serialize};

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct VolFilter {
    sigma: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Kappa {
    kappa: f64,
    fills: u64,
}

/// A later version of a program, whose migration refuses.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct KappaV2 {
    kappa: f64,
}

impl Default for VolFilter {
    fn default() -> Self {
        Self { sigma: 0.3 }
    }
}

impl Stored for VolFilter {
    const KIND: &'static str = "vol_filter";
    const VERSION: u32 = 1;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

impl Stored for Kappa {
    const KIND: &'static str = "kappa";
    const VERSION: u32 = 1;
    const CODEC: Codec = Codec::Bincode;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

impl Stored for KappaV2 {
    const KIND: &'static str = "kappa";
    const VERSION: u32 = 2;
    type Previous = Kappa;
    fn migrate(previous: Kappa) -> Result<Self, MigrateError> {
        match previous.fills {
            0 => Err(MigrateError::new("a kappa without fills means nothing")),
            _ => Ok(Self { kappa: previous.kappa }),
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Learned {
    vol: VolFilter,
    kappa: Kappa,
}

impl Bundle for Learned {
    fn write(&self, writer: &mut BundleWriter) -> Result<(), EncodeError> {
        writer.put("vol_filter", &self.vol)?;
        writer.put("kappa", &self.kappa)
    }

    fn read(reader: &mut BundleReader<'_>) -> Self {
        Self { vol: reader.take("vol_filter"), kappa: reader.take("kappa") }
    }
}

fn run_with(states: &[Learned]) -> (tempfile::TempDir, Run) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("market/maker");
    let run =
        Run::create(path, &"market".parse().unwrap(), &"maker".parse().unwrap(), RunOptions::new(clock))
            .unwrap();
    for state in states {
        let sections = state.to_sections().unwrap().into_iter().map(Section::encoded);
        run.save(Metadata::default(), sections.collect()).unwrap();
    }
    (root, run)
}

/// Flips a bit in the last payload byte of the newest checkpoint: in `kappa`, which is written last.
fn damage_kappa(run: &Run) {
    let newest = run.reader().list().unwrap().pop().unwrap();
    let path = run.path().join(newest.file_name);
    let mut bytes = fs::read(&path).unwrap();
    let payload_end = 4_096 + bytes[4_096..].iter().position(|byte| *byte == b'}').unwrap() + 16;
    bytes[payload_end] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn learned(sigma: f64, fills: u64) -> Learned {
    Learned { vol: VolFilter { sigma }, kappa: Kappa { kappa: f64::NEG_INFINITY, fills } }
}

#[test]
fn a_bundle_comes_back_component_by_component() {
    let (_root, run) = run_with(&[learned(0.2, 7)]);
    let loaded = run.load_bundle::<Learned>(&Selector::Latest, BundleMode::Strict).unwrap();
    assert_eq!(loaded.value.value, learned(0.2, 7));
    assert!(loaded.value.report.components.iter().all(|component| component.outcome == Outcome::Restored));
}

#[test]
fn strict_steps_back_over_a_damaged_component() {
    let (_root, run) = run_with(&[learned(0.1, 1), learned(0.2, 2)]);
    damage_kappa(&run);
    let loaded = run.load_bundle::<Learned>(&Selector::Latest, BundleMode::Strict).unwrap();
    assert_eq!(loaded.value.value, learned(0.1, 1));
    assert_eq!(loaded.skipped.len(), 1);
    assert!(loaded.skipped[0].reason.contains("section \"kappa\", block 0"), "{:?}", loaded.skipped);
}

#[test]
fn lenient_loads_all_the_others_from_the_newest() {
    let (_root, run) = run_with(&[learned(0.1, 1), learned(0.2, 2)]);
    damage_kappa(&run);
    let loaded = run.load_bundle::<Learned>(&Selector::Latest, BundleMode::Lenient).unwrap();
    assert_eq!((loaded.entry.sequence, loaded.skipped.len()), (2, 0));
    assert_eq!(loaded.value.value, Learned { vol: VolFilter { sigma: 0.2 }, kappa: Kappa::default() });
    let outcomes: Vec<bool> = loaded
        .value
        .report
        .components
        .iter()
        .map(|component| matches!(component.outcome, Outcome::Defaulted { why: Why::Damaged(_) }))
        .collect();
    assert_eq!(outcomes, [false, true]);
}

/// A bad release must not empty a run: what it cannot migrate is not damage.
#[test]
fn what_cannot_be_migrated_stops_the_load_and_nothing_is_moved() {
    let (_root, run) = run_with(&[learned(0.1, 5), learned(0.2, 0)]);
    let error = run.load_stored::<KappaV2>(&Selector::Latest, "kappa").unwrap_err();
    assert!(
        matches!(&error, Error::Incompatible { reason, .. } if reason.contains("without fills")),
        "{error}"
    );
    assert_eq!(run.reader().list().unwrap().len(), 2);
    let loaded = run.load_stored::<KappaV2>(&"seq:1".parse().unwrap(), "kappa").unwrap();
    assert_eq!(loaded.value.report.path, [1, 2]);
    assert_eq!(loaded.value.value, KappaV2 { kappa: f64::NEG_INFINITY });
}
