//! Both tables as raw bytes with the right digests, against a record of the fuzzer's numbers.
#![no_main]

use arbitrary::Arbitrary;
use ckpt_format::{CommitRecord, Digest, Fault, Index, SectionEntry};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Tables {
    numbers: [u64; 5],
    counts: Option<[u32; 2]>,
    totals: [u64; 2],
    blocks: Vec<u8>,
    sections: Vec<u8>,
}

fuzz_target!(|tables: Tables| {
    let record = |content_digest| CommitRecord {
        file_length: tables.numbers[0],
        payload_offset: tables.numbers[1],
        block_table_offset: tables.numbers[2],
        section_table_offset: tables.numbers[3],
        section_table_length: tables.numbers[4],
        block_count: tables.counts.map_or(tables.blocks.len() as u32 / 64, |counts| counts[0]),
        section_count: tables.counts.map_or(tables.sections.len() as u32 / 104, |counts| counts[1]),
        raw_bytes: tables.totals[0],
        stored_bytes: tables.totals[1],
        metadata_digest: Digest::of(b""),
        block_table_digest: Digest::of(&tables.blocks),
        section_table_digest: Digest::of(&tables.sections),
        content_digest,
        index_digest: Digest::of(b""),
    };
    // The content digest can only be known once the sections are: it is tried empty, then taken from what was read.
    let any = record(ckpt_format::content_digest(&[]));
    let decoded = Index::decode(&any, &tables.blocks, &tables.sections);
    if let Err(error) = &decoded {
        assert!(error.fault() != Fault::Refused, "{error}");
    }
    if let Some(sections) = lenient(&tables.sections) {
        let record = record(ckpt_format::content_digest(&sections));
        if let Ok(index) = Index::decode(&record, &tables.blocks, &tables.sections) {
            let _ = index.gaps(tables.numbers[0], &record);
            for section in &index.sections {
                assert_eq!(index.blocks_of(section).len(), section.block_count as usize);
                assert_eq!(index.section(&section.name), Some(section));
            }
        }
    }
});

/// What the content digest needs of a table whose every entry has a name of at most 64 and a kind of at most 128 bytes.
fn lenient(mut table: &[u8]) -> Option<Vec<SectionEntry>> {
    let mut sections = Vec::new();
    while !table.is_empty() {
        let length =
            |at: usize| Some(usize::from(u16::from_le_bytes([*table.get(at)?, *table.get(at + 1)?])));
        let (name_end, kind_end) = (96 + length(38)?, 96 + length(38)? + length(40)?);
        let text = |from, to| std::str::from_utf8(table.get(from..to)?).ok().map(str::to_owned);
        let digest: [u8; 32] = table.get(64..96)?.try_into().ok()?;
        sections.push(SectionEntry {
            name: text(96, name_end)?,
            kind: text(name_end, kind_end)?,
            version: u32::from_le_bytes(table.get(28..32)?.try_into().ok()?),
            codec: ckpt_format::Codec::Raw,
            raw_length: 0,
            stored_length: 0,
            first_block: 0,
            block_count: 0,
            choice: ckpt_format::Choice::Off,
            sample_permille: 0,
            digest: Digest::from_bytes(digest),
        });
        table = table.get(kind_end.next_multiple_of(8)..)?;
    }
    Some(sections)
}
