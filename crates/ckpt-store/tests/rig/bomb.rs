//! Files that declare more than they hold. Every digest is right, so that only the rules themselves can refuse them.

use std::fmt::Write as _;

use ckpt_format::{METADATA_LENGTH_MAX, State};

use crate::forge::{BLOCK, Forge, Stored};

/// A file, and what it is found to be.
pub(crate) struct Bomb {
    pub(crate) name: String,
    pub(crate) file: Vec<u8>,
    pub(crate) state: State,
}

/// One that has lies told about it after it was settled.
type Lie = (&'static str, State, fn(&mut Forge));

const HUGE: u64 = u64::MAX;

const LIES: [Lie; 39] = [
    ("the metadata is 4 GiB", State::Damaged, |forge| forge.header.metadata_length = u32::MAX),
    ("the metadata is as long as it may be", State::Damaged, |forge| {
        forge.header.metadata_length = METADATA_LENGTH_MAX as u32;
    }),
    ("the metadata is a byte longer than it may be", State::Damaged, |forge| {
        forge.header.metadata_length = METADATA_LENGTH_MAX as u32 + 1;
    }),
    ("the metadata is a byte", State::Damaged, |forge| forge.header.metadata_length = 1),
    ("every feature is required", State::Unsupported, |forge| forge.header.required = HUGE),
    ("the major version is the highest", State::Unsupported, |forge| forge.header.major = u16::MAX),
    ("every compatible feature is there", State::Committed, |forge| {
        (forge.header.minor, forge.header.compatible) = (u16::MAX, HUGE);
    }),
    ("the file has 2^64 bytes", State::Damaged, |forge| forge.record.file_length = HUGE),
    ("the file has none", State::Damaged, |forge| forge.record.file_length = 0),
    ("the payload is at the end of 64 bits", State::Damaged, |forge| forge.record.payload_offset = HUGE),
    ("the block table is at the end of 64 bits", State::Damaged, |forge| {
        forge.record.block_table_offset = HUGE - 63;
    }),
    ("the section table is at the end of 64 bits", State::Damaged, |forge| {
        forge.record.section_table_offset = HUGE;
    }),
    ("the section table has 2^64 bytes", State::Damaged, |forge| forge.record.section_table_length = HUGE),
    ("there are 2^32 blocks", State::Damaged, |forge| forge.record.block_count = u32::MAX),
    ("there are as many blocks as there may be", State::Damaged, |forge| forge.record.block_count = 1 << 26),
    ("there are 2^32 sections", State::Damaged, |forge| forge.record.section_count = u32::MAX),
    ("there are as many sections as there may be", State::Damaged, |forge| {
        forge.record.section_count = 4_096;
    }),
    ("all sections have 2^64 bytes", State::Damaged, |forge| forge.record.raw_bytes = HUGE),
    ("2^64 bytes are stored", State::Damaged, |forge| forge.record.stored_bytes = HUGE),
    ("a block is at the end of 64 bits", State::Damaged, |forge| forge.blocks[0].offset = HUGE),
    ("a block is beyond the file", State::Damaged, |forge| forge.blocks[0].offset = 1 << 40),
    ("a block is the header", State::Damaged, |forge| forge.blocks[0].offset = 0),
    ("two blocks are one", State::Damaged, |forge| forge.blocks[1].offset = forge.blocks[0].offset),
    ("a block is stored in 4 GiB", State::Damaged, |forge| forge.blocks[0].stored_length = u32::MAX),
    ("a block is stored in nothing", State::Damaged, |forge| forge.blocks[0].stored_length = 0),
    ("a block has 4 GiB", State::Damaged, |forge| forge.blocks[0].raw_length = u32::MAX),
    ("a block has no bytes", State::Damaged, |forge| forge.blocks[0].raw_length = 0),
    ("a block lies elsewhere", State::Unsupported, |forge| forge.blocks[0].location = HUGE),
    ("a block is compressed in a way to come", State::Unsupported, |forge| forge.blocks[0].compression = 255),
    ("4,000 blocks are one", State::Damaged, |forge| {
        forge.blocks = vec![forge.blocks[0].clone(); 4_000];
        (forge.sections[0].raw_length, forge.sections[0].block_count) = (4_000 * BLOCK as u64, 4_000);
        forge.sections.truncate(1);
        forge.settle();
    }),
    ("a section has 2^64 bytes", State::Damaged, |forge| forge.sections[0].raw_length = HUGE),
    ("a section is stored in 2^64 bytes", State::Damaged, |forge| forge.sections[0].stored_length = HUGE),
    ("a section begins with block 2^64", State::Damaged, |forge| forge.sections[0].first_block = HUGE),
    ("a section has 2^32 blocks", State::Damaged, |forge| {
        (forge.sections[0].block_count, forge.sections[0].raw_length) =
            (u32::MAX, BLOCK as u64 * 0xFFFF_FFFF);
    }),
    ("a name has 65,535 bytes", State::Damaged, |forge| forge.sections[0].name_length = u16::MAX),
    ("a kind has 65,535 bytes", State::Damaged, |forge| forge.sections[0].kind_length = u16::MAX),
    ("a section is in a codec to come", State::Unsupported, |forge| forge.sections[1].codes[0] = 255),
    ("a section went through a filter to come", State::Unsupported, |forge| forge.sections[1].codes[1] = 255),
    ("a name is no text", State::Damaged, |forge| forge.sections[0].name = vec![0xFF; 5]),
];

/// All of them, for a run of this identity in which they are number 2.
pub(crate) fn all(run_id: &str) -> Vec<Bomb> {
    let mut bombs: Vec<Bomb> = LIES
        .iter()
        .map(|(name, state, lie)| {
            let mut forge = Forge::new(&metadata(run_id, ""));
            forge.plain("state", 0, b"12345");
            forge.plain("other", 1, b"[]");
            forge.settle();
            lie(&mut forge);
            Bomb { name: (*name).to_owned(), file: forge.seal(), state: *state }
        })
        .collect();
    bombs.extend(of_metadata(run_id));
    bombs.extend(of_many(run_id));
    bombs.extend(of_frames(run_id));
    bombs
}

/// Metadata that is good, with some more fields; each begins with a comma.
fn metadata(run_id: &str, more: &str) -> Vec<u8> {
    format!(r#"{{"run_id":"{run_id}","kind":"tests","name":"run","sequence":2{more}}}"#).into_bytes()
}

fn of_metadata(run_id: &str) -> Vec<Bomb> {
    const DEEP: usize = 100_000;
    let room = METADATA_LENGTH_MAX - 1_000;
    let with = |more: String| metadata(run_id, &more);
    let labels: String = (0..200_000).fold(String::new(), |mut text, number| {
        write!(text, "\"{number}\":\"\",").expect("a string takes everything");
        text
    });
    let (ok, no) = (State::Committed, State::Unsupported);
    [
        ("arrays 100,000 deep", no, with(format!(",\"extra\":{}{}", "[".repeat(DEEP), "]".repeat(DEEP)))),
        (
            "objects 100,000 deep",
            no,
            with(format!(",\"extra\":{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP))),
        ),
        ("nothing but 4 MiB of brackets", no, "[".repeat(METADATA_LENGTH_MAX).into_bytes()),
        (
            "an unknown field 100,000 deep",
            ok,
            with(format!(",\"x\":{}{}", "[".repeat(DEEP), "]".repeat(DEEP))),
        ),
        ("a number of a million digits", no, with(format!(",\"seed\":{}", "9".repeat(1_000_000)))),
        (
            "a number of a million places",
            ok,
            with(format!(",\"elapsed_seconds\":0.{}1", "0".repeat(1_000_000))),
        ),
        ("a number beyond f64", no, with(",\"elapsed_seconds\":1e999999999".to_owned())),
        ("a text of 4 MB", ok, with(format!(",\"market\":\"{}\"", "x".repeat(room)))),
        ("a text of escapes", ok, with(format!(",\"market\":\"{}\"", "\\u0001".repeat(room / 6)))),
        ("a key of 4 MB", ok, with(format!(",\"{}\":1", "k".repeat(room)))),
        ("two million numbers", ok, with(format!(",\"extra\":{{\"a\":[{}0]}}", "0,".repeat(room / 2 - 20)))),
        (
            "a million empty arrays",
            ok,
            with(format!(",\"extra\":{{\"a\":[{}0]}}", "[],".repeat(room / 3 - 20))),
        ),
        ("200,000 labels", ok, with(format!(",\"labels\":{{{}\"x\":\"\"}}", labels))),
        (
            "100,000 events",
            ok,
            with(format!(",\"events\":[{}{{\"event\":\"best\"}}]", "{\"event\":\"best\"},".repeat(100_000))),
        ),
        ("a field that is there 100,000 times", no, with(",\"seed\":1".repeat(100_000))),
        ("half a surrogate", no, with(",\"market\":\"\\ud800\"".to_owned())),
        ("no text at all", no, vec![0xFF; METADATA_LENGTH_MAX]),
    ]
    .into_iter()
    .map(|(name, state, metadata)| {
        let mut forge = Forge::new(&metadata);
        forge.settle();
        Bomb { name: format!("metadata: {name}"), file: forge.seal(), state }
    })
    .collect()
}

fn of_many(run_id: &str) -> Vec<Bomb> {
    let sections = |count: usize, name: fn(usize) -> String| {
        let mut forge = Forge::new(&metadata(run_id, ""));
        for number in 0..count {
            forge.plain(&name(number), 1, b"");
        }
        forge.settle();
        forge.seal()
    };
    let long = |name: &str, kind: &str| {
        let mut forge = Forge::new(&metadata(run_id, ""));
        forge.plain(name, 1, b"[]");
        (forge.sections[0].kind, forge.sections[0].kind_length) = (kind.into(), kind.len() as u16);
        forge.settle();
        forge.seal()
    };
    let nothing = |gap, bytes| {
        let mut forge = Forge::new(&metadata(run_id, ""));
        forge.payload.resize(forge.payload.len() + gap, 0);
        forge.settle();
        forge.record.raw_bytes = bytes;
        forge.seal()
    };
    [
        ("4,096 sections", State::Committed, sections(4_096, |number| format!("s{number}"))),
        ("4,097 sections", State::Damaged, sections(4_097, |number| format!("s{number}"))),
        ("4,096 sections of one name", State::Damaged, sections(4_096, |_| "s".to_owned())),
        ("names as long as they may be", State::Committed, long(&"n".repeat(64), &"k".repeat(128))),
        ("a name that is a byte longer", State::Damaged, long(&"n".repeat(65), "")),
        ("a kind that is a byte longer", State::Damaged, long("n", &"k".repeat(129))),
        // A load read no section, so it compared the tables with nothing, and took these two for good.
        ("no sections, and what they add up to", State::Damaged, nothing(0, 1)),
        ("no sections, and a page between nothing and the tables", State::Damaged, nothing(4_096, 0)),
        ("no sections", State::Committed, nothing(0, 0)),
        ("a name that is a path", State::Damaged, long("../../etc/passwd", "")),
    ]
    .map(|(name, state, file)| Bomb { name: name.to_owned(), file, state })
    .into()
}

/// Blocks whose stored bytes are not what their entry says.
fn of_frames(run_id: &str) -> Vec<Bomb> {
    let zeros = vec![0; BLOCK];
    let frame = zstd::bulk::compress(&zeros, 1).expect("zstd compresses");
    let small = zstd::bulk::compress(&zeros[..100], 1).expect("zstd compresses");
    let skippable = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4];
    // Frame headers by hand: magic, descriptor, window or dictionary or content size, then blocks of one repeated byte.
    let made = |header: &[u8], blocks: usize| {
        let mut frame = [&[0x28, 0xB5, 0x2F, 0xFD], header].concat();
        for block in 1..=blocks {
            // Repeated byte, 128 KiB of it; the last block says so.
            let head = (0x2_0000_u32 << 3) | 2 | u32::from(block == blocks);
            frame.extend_from_slice(&head.to_le_bytes()[..3]);
            frame.push(0);
        }
        frame
    };
    let inner = zstd::bulk::compress(&frame, 1).expect("zstd compresses");
    let of = |blocks: &[Stored<'_>]| {
        let mut forge = Forge::new(&metadata(run_id, ""));
        forge.section("state", 2, blocks);
        forge.settle();
        forge.seal()
    };
    let one = |bytes: &[u8], raw: &[u8]| of(&[Stored { bytes, compression: 1, raw }]);
    let huge = |size: u64| [&[0xE0][..], &size.to_le_bytes()].concat();
    let (ok, no) = (State::Committed, State::Damaged);
    let mut bombs: Vec<(&str, State, Vec<u8>)> = vec![
        ("an honest frame", ok, one(&frame, &zeros)),
        ("a frame in a frame", ok, one(&inner, &frame)),
        ("a frame that says it holds 2^60 bytes", no, one(&made(&huge(1 << 60), 2), &zeros)),
        // The highest number is zstd's own word for "not said", and so it is the same as no size.
        ("a frame that says it holds 2^63 bytes", no, one(&made(&huge(1 << 63), 2), &zeros)),
        ("a frame that says it holds 2^64 - 1 bytes", ok, one(&made(&huge(HUGE), 2), &zeros)),
        ("a frame with the widest window", no, one(&made(&[0x00, 0xFF], 2), &zeros)),
        // The room it is decompressed into is its window, so none is made.
        ("a frame with a window of 2 GiB", ok, one(&made(&[0x00, 21 << 3], 2), &zeros)),
        ("a frame that yields 64 MiB", no, one(&made(&[0x00, 8 << 3], 512), &zeros)),
        ("a frame that says it yields 64 MiB and does", no, one(&made(&huge(64 << 20), 512), &zeros)),
        ("a frame that needs a dictionary", no, one(&made(&[0x23, 9, 9, 9, 9, 0], 1), &zeros)),
        ("a frame that yields less", no, one(&small, &zeros)),
        ("a frame that yields more", no, one(&frame, &zeros[..100])),
        ("two frames", no, one(&[&small[..], &small].concat(), &zeros[..200])),
        ("1,000 empty frames", no, one(&made(&[0x20, 0], 0).repeat(1_000), &zeros)),
        ("a skippable frame in front", no, one(&[&skippable[..], &frame].concat(), &zeros)),
        ("a skippable frame behind", no, one(&[&frame[..], &skippable].concat(), &zeros)),
        (
            "a skippable frame alone that is 4 GiB",
            no,
            one(&[0x50, 0x2A, 0x4D, 0x18, 255, 255, 255, 255], &zeros),
        ),
        ("half a frame", no, one(&frame[..frame.len() / 2], &zeros)),
        ("no frame", no, one(b"\x28\xB5\x2F\xFD", &zeros)),
        ("other bytes under a right digest", no, one(&frame, &vec![1; BLOCK])),
    ];
    // Honest, and more than the memory that the reader is given: 1 GiB in a file of some 300 KB.
    let gibibyte = vec![Stored { bytes: &frame, compression: 1, raw: &zeros }; 4_096];
    bombs.push(("a gibibyte of zeros", ok, of(&gibibyte)));
    bombs
        .into_iter()
        .map(|(name, state, file)| Bomb { name: format!("block: {name}"), file, state })
        .collect()
}
