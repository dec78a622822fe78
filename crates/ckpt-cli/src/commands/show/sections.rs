//! Sections as a table and in JSON: what they are, how large, and why they are compressed or not.

use ckpt::{Choice, Digest, SAMPLE_NONE, SectionEntry};
use serde::Serialize;

use crate::human;
use crate::table::{Cell, Table};

/// A section, in JSON.
#[derive(Serialize)]
pub(crate) struct SectionRow<'a> {
    name: &'a str,
    kind: Option<&'a str>,
    version: Option<u32>,
    codec: &'static str,
    raw_bytes: u64,
    stored_bytes: u64,
    blocks: u32,
    compression: String,
    digest: Digest,
}

impl<'a> SectionRow<'a> {
    pub(crate) fn of(section: &'a SectionEntry) -> Self {
        Self {
            name: &section.name,
            kind: Some(section.kind.as_str()).filter(|kind| !kind.is_empty()),
            version: Some(section.version).filter(|version| *version > 0),
            codec: section.codec.name(),
            raw_bytes: section.raw_length,
            stored_bytes: section.stored_length,
            blocks: section.block_count,
            compression: choice(section),
            digest: section.digest,
        }
    }
}

/// The sections, a line each.
pub(crate) fn table(sections: &[SectionRow<'_>]) -> Table {
    let mut table = Table::default()
        .left("section")
        .left("kind")
        .left("codec")
        .right("state")
        .right("stored")
        .left("compression");
    for section in sections {
        let kind = section.kind.unwrap_or_default();
        let version = section.version.map(|version| format!(" v{version}")).unwrap_or_default();
        table.row([
            Cell::styled(section.name, human::HEAD),
            Cell::new(format!("{kind}{version}")),
            Cell::new(section.codec),
            Cell::new(human::size(section.raw_bytes)),
            Cell::new(human::size(section.stored_bytes)),
            Cell::new(&section.compression),
        ]);
    }
    table
}

/// Why it is compressed or not, in words.
fn choice(section: &SectionEntry) -> String {
    let sample = match section.sample_permille {
        SAMPLE_NONE => String::new(),
        permille => format!(" to {:.1} %", f64::from(permille) / 10.0),
    };
    match section.choice {
        Choice::Off => "no: switched off".to_owned(),
        Choice::TooSmall => "no: too small to gain".to_owned(),
        Choice::SampleShrank => format!("yes: a sample shrank{sample}"),
        Choice::SampleDidNotShrink => format!("no: a sample shrank only{sample}"),
        Choice::DiskFilling => format!("yes: the disk is filling up, a sample shrank{sample}"),
        Choice::AskedFor => "yes: asked for".to_owned(),
        Choice::Other(code) => format!("for a reason of a later version ({code})"),
        _ => "for a reason this program does not know".to_owned(),
    }
}
