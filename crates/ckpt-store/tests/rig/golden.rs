//! What the committed checkpoints of container 1.0 hold. The files are never made again: this must go on describing them.

use std::path::{Path, PathBuf};

use ckpt_format::{
    Codec, EncodedSection, Event, FirstVersion, Label, Metadata, MigrateError, Origin, Parent, Position,
    Program, Status, Stored,
};
use serde::{Deserialize, Serialize};

/// One committed file.
#[derive(Debug)]
pub(crate) struct Golden {
    pub(crate) file_name: &'static str,
    /// The metadata, but for the fields that the store sets.
    pub(crate) metadata: Metadata,
    pub(crate) sections: Vec<EncodedSection>,
    /// Identity of the state, and of the file.
    pub(crate) digests: [&'static str; 2],
}

/// A value that is kept as JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Filter {
    pub(crate) sigma: f64,
    pub(crate) kappa: f64,
    pub(crate) note: String,
    pub(crate) fills: Vec<u64>,
}

impl Stored for Filter {
    const KIND: &'static str = "filter";
    const VERSION: u32 = 1;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

/// A value that is kept as bincode.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Table {
    pub(crate) rows: Vec<(i32, f64)>,
    pub(crate) last: Option<char>,
}

impl Stored for Table {
    const KIND: &'static str = "table";
    const VERSION: u32 = 7;
    const CODEC: Codec = Codec::Bincode;
    type Previous = FirstVersion;
    fn migrate(previous: FirstVersion) -> Result<Self, MigrateError> {
        match previous {}
    }
}

/// Where the files are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1/run")
}

/// All files, oldest first. The first is small and only there to be stepped back to.
pub(crate) fn all() -> Vec<Golden> {
    vec![
        Golden {
            file_name: "00000001.ckpt",
            metadata: Metadata::default(),
            sections: vec![raw("state", b"the one before")],
            digests: [
                "eba06f33534eb4479726c539d0447bcd6837737958899d3f40a4ab15126229e2",
                "9caefb1d879cd6f48603f9970ab43b7d792997a493429a810a0798778fea6edb",
            ],
        },
        Golden {
            file_name: "00000002_NQ_ts-0025000_evt-best_val-+0.112_sharpe-+1.45_seed-42.ckpt",
            metadata: told(),
            sections: codecs(),
            digests: [
                "2d04894d68b178cf4409ec11e23f5b3eb0cf3c71f492db16c7f25f94ddca3906",
                "f9090de9650324a31778cf02fd0c63911556ce0cbd9df46abd89a123155317f5",
            ],
        },
        Golden {
            file_name: "00000003_ts-0000003_evt-periodic.ckpt",
            metadata: Metadata::default().because(Event::Periodic, "every step").at(Position::at(3)),
            sections: vec![
                raw("ramp", &ramp(262_144 + 5_000)),
                raw("words", &b"the same words again, and again, ".repeat(600)),
            ],
            digests: [
                "16069cfc817f2ec2c256d140e4a58e7e2045bb3dcc7eee62e274462a9ab950a8",
                "1c161e218d262d21249d7037ccf6332b647d6884bbe9c64c7b6e9af2bf10621f",
            ],
        },
        Golden {
            file_name: "00000004.ckpt",
            metadata: Metadata::default(),
            sections: (0..48).map(small).collect(),
            digests: [
                "53e84d6d57bc2fc363f3874bebc8df78aa0252967732c577e73f109b343b6595",
                "51ad9e9c61e2dbf1c74dbc04d713634621444a174edf0138341cd3e7c5801d29",
            ],
        },
        Golden {
            file_name: "e000001-00000005.ckpt",
            metadata: long(),
            sections: Vec::new(),
            digests: [
                "ec2bd03bf86b935fa34d71ad7ebb049f1f10f87d343e521511d8f9e6625620cd",
                "4169bacc5e5e199045523e46aa2f97754d8e2c8d1416820e9b8e0dcc2c24c1fc",
            ],
        },
        Golden {
            file_name: "e000001-00000006_evt-phase_boundary_warm_up.ckpt",
            metadata: Metadata { status: Status::Completed, ..Metadata::default() }
                .because(Event::phase_boundary("warm_up").unwrap(), "the warm-up ended"),
            sections: vec![
                raw("noise", &noise(38_000)),
                encoded("table", &table(1_500)),
                raw("none", b""),
                raw("zeros", &[0; 300_000]),
            ],
            digests: [
                "dff566284ae85768794fcc6ed7d66e6be29104355d6b31adef457352ca9e2cf6",
                "e7732e4a0ded340f43ba4be5949accc0ddda2c2407924ac97a16340cbb50ea27",
            ],
        },
    ]
}

pub(crate) fn filter() -> Filter {
    Filter {
        sigma: 0.1 + 0.2,
        kappa: f64::from_bits(0x7ff8_0000_0000_0abc),
        note: "~tilde, \u{1F980} and \"quotes\"".to_owned(),
        fills: vec![0, 1, u64::MAX],
    }
}

pub(crate) fn table(rows: i32) -> Table {
    Table { rows: (0..rows).map(|row| (-row, f64::from(row) / 3.0)).collect(), last: Some('\u{3BA}') }
}

fn codecs() -> Vec<EncodedSection> {
    let text = b"{ \"~user\": [1, 2.50, null] }\n".to_vec();
    vec![
        encoded("filter", &filter()),
        encoded("table", &table(9)),
        raw("weights", &noise(1_000)),
        raw("empty", b""),
        EncodedSection { codec: Codec::JsonText, ..raw("config.json", &text) },
        EncodedSection { kind: "opaque".to_owned(), version: 3, ..raw("last", &[0xA5; 5]) },
    ]
}

/// Metadata in which every field says something.
fn told() -> Metadata {
    let mut metadata = Metadata {
        status: Status::Interrupted,
        market: Some("NQ".into()),
        phase: Some("1".into()),
        seed: Some(42),
        elapsed_seconds: Some(1_234.56),
        cumulative_seconds: Some(1e300),
        parent: Some(Parent { run_id: "00112233445566778899aabbccddeeff".into(), epoch: 2, sequence: 9 }),
        origin: Some(Origin {
            run_id: "ffeeddccbbaa99887766554433221100".into(),
            kind: "training".into(),
            name: "before".into(),
            epoch: 0,
            sequence: 4,
            index_digest: ckpt_format::Digest::of(b"a file"),
        }),
        program: Some(Program { name: "learner".into(), version: "0.1.0".into() }),
        labels: [("venue".to_owned(), "a b".to_owned()), ("~k".to_owned(), "~v".to_owned())].into(),
        ..Metadata::default()
    }
    .because(Event::Best, "sharpe_ratio rose")
    .because(Event::Periodic, "every 25,000 steps")
    .at(Position { cursor: Some("day 7".into()), ..Position::at(25_000).of(2_000_000).unit("steps") });
    for (name, value) in [("val_reward", 0.112), ("sharpe_ratio", 1.45), ("worst", f64::NEG_INFINITY)] {
        metadata.metrics.set(name, value);
    }
    metadata.metrics.declare("sharpe_ratio", ckpt_format::Direction::Max);
    metadata.metrics.note_best(0, 2);
    metadata.extra.insert("n_envs".into(), serde_json::json!([80, -0.0, u64::MAX, null, "~x"]));
    metadata
}

/// Metadata that does not end on the first page, nor on the second.
fn long() -> Metadata {
    let mut metadata = Metadata::default();
    for number in 0..150 {
        metadata.labels.insert(format!("label_{number:03}"), format!("value {number} ").repeat(6));
    }
    metadata
}

fn small(number: usize) -> EncodedSection {
    let name = format!("component_{number:02}.{}", "x".repeat(number));
    let mut section = raw(&name, &vec![number as u8; number % 5 * 11]);
    section.codec = if number.is_multiple_of(3) { Codec::Bincode } else { Codec::JsonText };
    section
}

fn raw(name: &str, bytes: &[u8]) -> EncodedSection {
    EncodedSection {
        name: name.into(),
        kind: String::new(),
        version: 0,
        codec: Codec::Raw,
        bytes: bytes.to_vec(),
    }
}

fn encoded<T: Stored>(name: &str, value: &T) -> EncodedSection {
    EncodedSection::encode(name, value).unwrap()
}

/// Bytes that shrink, no two places alike.
fn ramp(length: u32) -> Vec<u8> {
    (0..length).map(|at| (at / 97 + at % 7) as u8).collect()
}

/// Bytes that do not shrink (SplitMix64).
fn noise(length: u64) -> Vec<u8> {
    (0..length)
        .map(|at| {
            let mixed = (at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB).to_be_bytes()[0]
        })
        .collect()
}

/// The label that the store gives a name, so that nobody has to guess why the files are called as they are.
pub(crate) fn label_of(file_name: &str) -> Label {
    ckpt_format::ParsedName::parse(file_name).unwrap().label
}
