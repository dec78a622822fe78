//! The container as a reader in another language would see it: every truncation, every flipped bit, every unknown code.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use ckpt_format::{
    Codec, CommitRecord, Container, ContainerVersion, Digest, EncodedSection, Event, Fault, FormatError,
    Index, Metadata, Part, Position, encode,
};
use proptest::prelude::*;

fn section(name: &str, codec: Codec, bytes: &[u8]) -> EncodedSection {
    EncodedSection { name: name.into(), kind: String::new(), version: 0, codec, bytes: bytes.to_vec() }
}

/// The checkpoint of the worked example in `docs/FORMAT.md`.
fn example() -> (Metadata, Vec<EncodedSection>) {
    let metadata = Metadata {
        run_id: "00112233445566778899aabbccddeeff".into(),
        kind: "training".into(),
        name: "demo".into(),
        sequence: 1,
        created_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
        ..Metadata::default()
    }
    .because(Event::Manual, "an example")
    .at(Position::at(7));
    let state = EncodedSection {
        name: "state".into(),
        kind: "counter".into(),
        version: 1,
        codec: Codec::Json,
        bytes: br#"{"n":7}"#.to_vec(),
    };
    (metadata, vec![state, section("weights", Codec::Raw, &[1, 2, 3, 4])])
}

fn file() -> Vec<u8> {
    let (metadata, sections) = example();
    encode(&metadata, &sections).unwrap()
}

fn read(file: &[u8]) -> Result<Container, FormatError> {
    let container = Container::decode(file)?;
    container.verify(file)?;
    Ok(container)
}

#[test]
fn what_was_written_comes_back() {
    let (metadata, sections) = example();
    let file = file();
    assert_eq!(file.len() % 4096, 0);
    let container = read(&file).unwrap();
    assert_eq!(container.metadata, metadata);
    assert_eq!(container.index.sections.len(), 2);
    for section in &sections {
        assert_eq!(container.section(&file, &section.name).unwrap().as_ref(), Some(&section.bytes));
        let entry = container.index.section(&section.name).unwrap();
        assert_eq!(
            (&entry.kind, entry.version, entry.codec),
            (&section.kind, section.version, section.codec)
        );
    }
    assert_eq!(container.section(&file, "other").unwrap(), None);
    let weights = container.index.section("weights").unwrap();
    assert_eq!(container.index.blocks_of(weights)[0].offset % 4096, 0, "raw sections are aligned");
}

/// The page shows these very bytes; a change here is a change of the format.
#[test]
fn the_worked_example_of_the_page_is_this_file() {
    let page = include_str!("../../../docs/FORMAT.md");
    let (_, rest) = page.split_once("<!-- example:begin -->\n").expect("the page has the example");
    let (shown, _) = rest.split_once("<!-- example:end -->").expect("the example ends");
    let expected = format!("```\n{}```\n", hex_dump(&file()));
    assert!(shown == expected, "docs/FORMAT.md, section 14, should hold:\n{expected}");
}

/// Lines of 16 bytes; runs of zero lines are left out, as `hexdump` does.
fn hex_dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut skipping = false;
    for (index, line) in bytes.chunks(16).enumerate() {
        if line.iter().all(|byte| *byte == 0) {
            if !skipping {
                text.push_str("*\n");
            }
            skipping = true;
            continue;
        }
        skipping = false;
        let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let ascii: String =
            line.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { *b as char } else { '.' }).collect();
        text.push_str(format!("{:06x}  {:<47}  {ascii}", index * 16, hex.join(" ")).trim_end());
        text.push('\n');
    }
    text.push_str(&format!("{:06x}\n", bytes.len()));
    text
}

#[test]
fn every_truncation_is_found() {
    let file = file();
    for length in 0..file.len() {
        let error = read(&file[..length]).unwrap_err();
        assert_eq!(error.fault(), Fault::Damaged, "{length} bytes: {error}");
    }
    for extra in [1, 256, 4096] {
        let longer = [file.clone(), vec![0; extra]].concat();
        assert_eq!(read(&longer).unwrap_err().fault(), Fault::Damaged, "{extra} bytes more");
    }
}

/// Each flipped bit is damage, and the part that is named is the one it lies in.
#[test]
fn every_flipped_bit_is_found_and_located() {
    let good = file();
    let container = read(&good).unwrap();
    let record = &container.record;
    let mut file = good.clone();
    for byte in 0..file.len() {
        for bit in 0..8 {
            file[byte] ^= 1 << bit;
            let error = read(&file).expect_err("a flipped bit is found");
            assert_eq!(error.fault(), Fault::Damaged, "byte {byte} bit {bit}: {error}");
            let part = error.part().unwrap_or_else(|| panic!("byte {byte}: {error} has no place"));
            let metadata_end = 64 + container.header.metadata_length as usize;
            let at = byte as u64;
            let right = match part {
                Part::Header => byte < 64,
                Part::Metadata => (64..metadata_end).contains(&byte),
                Part::BlockTable => (record.block_table_offset..record.section_table_offset).contains(&at),
                Part::SectionTable => {
                    let end = record.section_table_offset + record.section_table_length;
                    (record.section_table_offset..end).contains(&at)
                }
                Part::CommitRecord => byte >= good.len() - 256,
                Part::Block { section, block } => {
                    let entry = container.index.section(section).unwrap();
                    let block = container.index.blocks_of(entry)[*block as usize];
                    (block.offset..block.offset + u64::from(block.stored_length)).contains(&at)
                }
                Part::Padding { offset } => good[byte] == 0 && *offset == at,
                other => panic!("byte {byte}: {other:?}"),
            };
            assert!(right, "byte {byte} bit {bit} is reported at {part}");
            file[byte] = good[byte];
        }
    }
}

/// Changes the header and makes its check right again, as a later version would.
fn with_header(change: impl Fn(&mut [u8])) -> FormatError {
    let mut file = file();
    change(&mut file[..48]);
    let check = Digest::of(&file[..48]);
    file[48..64].copy_from_slice(&check.as_bytes()[..16]);
    read(&file).unwrap_err()
}

#[test]
fn what_is_newer_is_named_and_is_not_damage() {
    let newer = ContainerVersion { major: 2, minor: 0 };
    assert_eq!(
        with_header(|header| header[8] = 2),
        FormatError::UnsupportedVersion { found: newer, readable: ContainerVersion::CURRENT }
    );
    for bit in [0_u32, 5, 63] {
        let error = with_header(|header| header[16 + bit as usize / 8] |= 1 << (bit % 8));
        assert_eq!(error, FormatError::UnsupportedFeature { bit });
        assert_eq!(error.fault(), Fault::Unsupported);
    }
}

/// Changes the tables and makes every digest right again, as a later version would.
fn with_tables(change: impl Fn(&mut [u8], &mut [u8])) -> FormatError {
    let mut file = file();
    let record = Container::decode(&file).unwrap().record;
    let end = file.len();
    let (b, s) = (record.block_table_offset as usize, record.section_table_offset as usize);
    let tables_end = s + record.section_table_length as usize;
    let (blocks, sections) = file[b..tables_end].split_at_mut(s - b);
    change(blocks, sections);
    let digests = [Digest::of(&file[b..s]), Digest::of(&file[s..tables_end])];
    file[end - 128..end - 96].copy_from_slice(digests[0].as_bytes());
    file[end - 96..end - 64].copy_from_slice(digests[1].as_bytes());
    let covered = [&file[..64], &file[end - 256..end - 32]].concat();
    let index = Digest::of(&covered);
    file[end - 32..].copy_from_slice(index.as_bytes());
    read(&file).unwrap_err()
}

#[test]
fn an_unknown_code_is_named_once_all_rules_hold() {
    let unsupported =
        |section: &str, what, code| FormatError::UnsupportedCode { section: section.into(), what, code };
    assert_eq!(with_tables(|_, sections| sections[32] = 9), unsupported("state", "codec", 9));
    assert_eq!(with_tables(|_, sections| sections[33] = 4), unsupported("state", "filter", 4));
    assert_eq!(with_tables(|blocks, _| blocks[24] = 7), unsupported("state", "compression", 7));
    assert_eq!(with_tables(|blocks, _| blocks[64] = 3), unsupported("weights", "location", 3));
    // The same, with a rule that is broken elsewhere: that is what is said.
    type Change = fn(&mut [u8], &mut [u8]);
    let breaks: [Change; 5] = [
        |_, sections| (sections[32], sections[35]) = (9, 1),
        |_, sections| (sections[32], sections[96]) = (9, b'/'),
        |_, sections| (sections[32], sections[64]) = (9, 1),
        |blocks, _| (blocks[24], blocks[8]) = (7, 8),
        |blocks, _| (blocks[24], blocks[31]) = (7, 1),
    ];
    for (number, change) in breaks.into_iter().enumerate() {
        let error = with_tables(change);
        assert_eq!(error.fault(), Fault::Damaged, "{number}: {error}");
    }
}

/// The tables can be read by a caller with a record of its own making. A payload said to begin at the end of 64 bits was rounded
/// up to a page: a panic where overflows are checked, and the offset 0 where they are not.
#[test]
fn tables_of_a_record_that_nobody_checked_are_damage() {
    let file = file();
    let honest = Container::decode(&file).unwrap().record;
    let (b, s) = (honest.block_table_offset as usize, honest.section_table_offset as usize);
    let tables = [&file[b..s], &file[s..s + honest.section_table_length as usize]];
    assert!(Index::decode(&honest, tables[0], tables[1]).is_ok());
    for payload_offset in [u64::MAX, u64::MAX - 4_095, u64::MAX - 7] {
        let record = CommitRecord { payload_offset, ..honest.clone() };
        let error = Index::decode(&record, tables[0], tables[1]).unwrap_err();
        assert_eq!(error.fault(), Fault::Damaged, "{payload_offset}: {error}");
    }
    // Without a block nothing is out of place but the end.
    let none = Digest::of(b"");
    let record = CommitRecord {
        payload_offset: u64::MAX,
        block_count: 0,
        section_count: 0,
        block_table_digest: none,
        section_table_digest: none,
        content_digest: ckpt_format::content_digest(&[]),
        ..honest
    };
    let error = Index::decode(&record, b"", b"").unwrap_err();
    assert_eq!(error.part(), Some(&Part::CommitRecord), "{error}");
}

#[test]
fn an_unknown_bit_that_is_compatible_is_ignored_by_the_header() {
    // The index digest covers the header, so the whole file is another one; its header alone is readable.
    let mut file = file();
    file[24] = 1;
    file[10] = 9;
    let check = Digest::of(&file[..48]);
    file[48..64].copy_from_slice(&check.as_bytes()[..16]);
    let header = ckpt_format::Header::decode(&file).unwrap();
    assert_eq!((header.compatible, header.version.minor), (1, 9));
}

#[test]
fn other_files_are_not_checkpoints() {
    for bytes in
        [&b"PK\x03\x04 a zip file that is longer than a header is, by some bytes more"[..], &[0; 4096]]
    {
        assert!(matches!(read(bytes), Err(FormatError::WrongMagic { .. })));
    }
    assert!(matches!(read(b""), Err(FormatError::Truncated { part: Part::Header, .. })));
}

#[test]
fn two_sections_of_one_name_are_refused() {
    let twice = [section("a", Codec::Raw, b"1"), section("a", Codec::Raw, b"2")];
    let error = encode(&Metadata::default(), &twice).unwrap_err();
    assert_eq!(error, FormatError::DuplicateSection { name: "a".into() });
}

#[test]
fn the_content_digest_is_of_the_state_and_nothing_else() {
    let a = section("a", Codec::Raw, b"1");
    let b = section("b", Codec::Json, b"2");
    let digest = |metadata: &Metadata, sections: &[EncodedSection]| {
        let file = encode(metadata, sections).unwrap();
        let record = Container::decode(&file).unwrap().record;
        (record.content_digest, record.index_digest)
    };
    let plain = Metadata::default();
    let (content, index) = digest(&plain, &[a.clone(), b.clone()]);
    let (other_order, _) = digest(&plain, &[b.clone(), a.clone()]);
    assert_eq!(content, other_order);
    let (other_metadata, other_index) =
        digest(&Metadata { sequence: 2, ..plain.clone() }, &[a.clone(), b.clone()]);
    assert_eq!(content, other_metadata);
    assert_ne!(index, other_index);
    let (other_bytes, _) = digest(&plain, &[a.clone(), section("b", Codec::Json, b"3")]);
    let (other_name, _) = digest(&plain, &[a.clone(), section("c", Codec::Json, b"2")]);
    let (other_kind, _) = digest(&plain, &[a, EncodedSection { version: 1, ..b }]);
    assert!(![other_bytes, other_name, other_kind].contains(&content));
}

#[test]
fn every_field_of_the_seeds_metadata_has_a_place() {
    let extra = serde_json::json!({
        "eval_episodes_run": 100, "learning_rate": 0.0003, "n_envs": 80, "schema_version": "1.0",
        "reasoning_usage_rate": 0.15, "nested": {"~tilde": ["~f64:0000000000000000", null, -0.0, u64::MAX, i64::MIN]},
    });
    let serde_json::Value::Object(extra) = extra else { unreachable!() };
    let mut metadata = Metadata {
        phase: Some("1".into()),
        market: Some("NQ".into()),
        seed: Some(42),
        elapsed_seconds: Some(1234.56),
        created_at: "2025-11-15T12:34:56.789Z".parse().unwrap(),
        extra,
        ..Metadata::default()
    }
    .because(Event::Periodic, "every 25,000 steps")
    .at(Position::at(25_000).of(2_000_000));
    for (name, value) in
        [("val_reward", 0.112), ("sharpe_ratio", 1.45), ("max_drawdown", -0.03), ("bad", f64::NAN)]
    {
        metadata.metrics.set(name, value);
    }
    let back = Metadata::decode(&metadata.encode().unwrap()).unwrap();
    assert!(back.metrics.get("bad").unwrap().is_nan());
    metadata.metrics.set("bad", f64::INFINITY);
    let back = Metadata::decode(&metadata.encode().unwrap()).unwrap();
    assert_eq!(back, metadata);
}

#[test]
fn metadata_of_another_version_is_read() {
    let later = br#"{"run_id": "x", "sequence": 3, "later": {"a": 1}}"#;
    let metadata = Metadata::decode(later).unwrap();
    assert_eq!((metadata.sequence, metadata.events.len()), (3, 0));
    assert_eq!(Metadata::decode(b"[]").unwrap_err().fault(), Fault::Incompatible);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_sections_come_back(sections in prop::collection::vec(
        (prop::sample::select(vec![Codec::Raw, Codec::Json, Codec::Bincode]), prop::collection::vec(any::<u8>(), 0..9_000)), 0..6,
    ), large in 0_usize..700_000) {
        let mut sections: Vec<EncodedSection> = sections
            .into_iter()
            .enumerate()
            .map(|(number, (codec, bytes))| section(&format!("s{number}"), codec, &bytes))
            .collect();
        sections.push(section("large", Codec::Raw, &vec![3; large]));
        let file = encode(&Metadata::default(), &sections).unwrap();
        let container = read(&file).unwrap();
        for section in &sections {
            prop_assert_eq!(container.section(&file, &section.name).unwrap().unwrap(), section.bytes.clone());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(read(&bytes).is_err());
    }

    /// Hostile tables: the digests are made right, so the rules themselves must hold.
    #[test]
    fn no_fields_make_the_reader_panic(at in 0_usize..256, value in any::<[u8; 8]>(), table in any::<bool>(), offset in 0_usize..400) {
        let mut file = file();
        let record = Container::decode(&file).unwrap().record;
        let end = file.len();
        let (b, s) = (record.block_table_offset as usize, record.section_table_offset as usize);
        let tables_end = s + record.section_table_length as usize;
        if table {
            let place = b + offset % (tables_end - b - 8);
            file[place..place + 8].copy_from_slice(&value);
        } else {
            let place = end - 256 + at.min(216);
            file[place..place + 8].copy_from_slice(&value);
        }
        let digests = [Digest::of(&file[b..s]), Digest::of(&file[s..tables_end])];
        file[end - 128..end - 96].copy_from_slice(digests[0].as_bytes());
        file[end - 96..end - 64].copy_from_slice(digests[1].as_bytes());
        let covered = [&file[..64], &file[end - 256..end - 32]].concat();
        let index = Digest::of(&covered);
        file[end - 32..].copy_from_slice(index.as_bytes());
        if let Ok(container) = Container::decode(&file) {
            let _ = container.verify(&file);
        }
    }
}
