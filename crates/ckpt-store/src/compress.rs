//! Whether a section is worth compressing, by sample; and zstd, with a bound on what it may yield.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ckpt_format::{BLOCK_RAW_LENGTH, Choice, SAMPLE_NONE};

/// Level 1: on learned state, level 3 is slower and not smaller (`docs/PERFORMANCE.md` measures it).
const LEVEL: i32 = 1;
/// How a zstd frame begins.
const FRAME_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Sections up to this size would not save a page.
const TOO_SMALL: usize = 2_048;
/// Bytes looked at: an eighth of what is there, between these two, in pieces spread over it.
const SAMPLE_MIN: usize = 8 << 10;
const SAMPLE_MAX: usize = 64 << 10;
const SAMPLE_PIECES: usize = 4;
/// Compressing is worth its time below this many thousandths: dense float data shrinks to about 920 and costs several
/// times what the disk takes to write it.
const WORTH_PERMILLE: u16 = 850;
/// When the disk is filling up, bytes count more than time.
const WORTH_PERMILLE_FILLING: u16 = 980;

/// Whether sections are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compress {
    /// Each section by a sample of its bytes, and by how full the disk is.
    #[default]
    BySample,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What was decided for a section, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) compress: bool,
    pub(crate) choice: Choice,
    pub(crate) sample_permille: u16,
}

/// What is known of a section before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    /// That the whole checkpoint is small.
    Small,
    /// All its bytes.
    All(&'a [u8]),
    /// The first of them.
    First(&'a [u8]),
}

/// Decides for a section.
pub(crate) fn decide(
    mode: Compress,
    known: Known<'_>,
    filling: bool,
    compressors: &Compressors,
) -> io::Result<Decision> {
    let decided = |compress, choice, sample_permille| Ok(Decision { compress, choice, sample_permille });
    match mode {
        Compress::Never => return decided(false, Choice::Off, SAMPLE_NONE),
        Compress::Always => return decided(true, Choice::AskedFor, SAMPLE_NONE),
        Compress::BySample => {}
    }
    let known = match known {
        Known::Small => return decided(false, Choice::TooSmall, SAMPLE_NONE),
        Known::All(bytes) if bytes.len() <= TOO_SMALL => {
            return decided(false, Choice::TooSmall, SAMPLE_NONE);
        }
        Known::All(bytes) | Known::First(bytes) => bytes,
    };
    let permille = sample(known, compressors)?;
    match permille {
        _ if permille <= WORTH_PERMILLE => decided(true, Choice::SampleShrank, permille),
        _ if filling && permille <= WORTH_PERMILLE_FILLING => decided(true, Choice::DiskFilling, permille),
        _ => decided(false, Choice::SampleDidNotShrink, permille),
    }
}

/// Thousandths to which pieces of `bytes` shrink, taken together: each call of the compressor has its price.
fn sample(bytes: &[u8], compressors: &Compressors) -> io::Result<u16> {
    let piece_length = (bytes.len() / 8).clamp(SAMPLE_MIN, SAMPLE_MAX) / SAMPLE_PIECES;
    let stride = (bytes.len() / SAMPLE_PIECES).max(1);
    let pieces = bytes.chunks(stride).take(SAMPLE_PIECES);
    let pieces: Vec<&[u8]> = pieces.map(|piece| &piece[..piece.len().min(piece_length)]).collect();
    let sample = pieces.concat();
    let mut room = vec![0; sample.len()];
    let mut compressor = compressors.take()?;
    let after = compressor.compress(&sample, &mut room)?.unwrap_or(sample.len());
    compressors.give(compressor);
    Ok(u16::try_from(after * 1_000 / sample.len().max(1)).unwrap_or(u16::MAX - 1).min(1_000))
}

/// Compressors that are used again: making one costs more than it takes to compress a small section.
#[derive(Debug, Default)]
pub(crate) struct Compressors {
    free: Mutex<Vec<Compressor>>,
    spent_nanos: AtomicU64,
}

impl Compressors {
    pub(crate) fn take(&self) -> io::Result<Compressor> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(Compressor::new, Ok)
    }

    pub(crate) fn give(&self, mut compressor: Compressor) {
        let spent = u64::try_from(std::mem::take(&mut compressor.spent).as_nanos()).unwrap_or(u64::MAX);
        self.spent_nanos.fetch_add(spent, Ordering::Relaxed);
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(compressor);
    }

    /// How long those that were given back have compressed, all together, since this was asked last.
    pub(crate) fn take_spent(&self) -> Duration {
        Duration::from_nanos(self.spent_nanos.swap(0, Ordering::Relaxed))
    }
}

/// Compresses block after block.
pub(crate) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
    spent: Duration,
}

impl Compressor {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(LEVEL)?, spent: Duration::ZERO })
    }

    /// Compresses `raw` into the front of `room`; nothing if it does not become smaller than it was.
    pub(crate) fn compress(&mut self, raw: &[u8], room: &mut [u8]) -> io::Result<Option<usize>> {
        let room_length = room.len().min(raw.len().saturating_sub(1));
        // zstd says "no room" for what does not shrink; it has no other way to fail with room and memory given.
        let begun = Instant::now();
        let compressed = self.zstd.compress_to_buffer(raw, &mut room[..room_length]).ok();
        self.spent += begun.elapsed();
        Ok(compressed)
    }
}

/// Decompresses block after block.
pub(crate) struct Decompressor {
    zstd: zstd::bulk::Decompressor<'static>,
}

impl Decompressor {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Decompressor::new()? })
    }

    /// Decompresses one frame into exactly `room`, whatever the frame declares.
    pub(crate) fn decompress(&mut self, stored: &[u8], room: &mut [u8]) -> Result<(), String> {
        debug_assert!(room.len() <= BLOCK_RAW_LENGTH, "a block has at most 262,144 bytes");
        // zstd itself would take several frames, and skippable ones, for one.
        let one_frame = stored.starts_with(&FRAME_MAGIC)
            && zstd::zstd_safe::find_frame_compressed_size(stored).is_ok_and(|length| length == stored.len());
        if !one_frame {
            return Err("it is not one zstd frame".to_owned());
        }
        match self.zstd.decompress_to_buffer(stored, room) {
            Ok(length) if length == room.len() => Ok(()),
            Ok(length) => Err(format!("it decompresses to {length} bytes instead of {}", room.len())),
            Err(error) => Err(format!("it does not decompress: {error}")),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compressor")
    }
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decompressor")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .take(length)
        .collect()
    }

    #[test]
    fn the_choice_follows_the_sample_and_says_so() {
        let text = b"the same words again and again, ".repeat(4_000);
        let noise = noise(100_000);
        let half: Vec<u8> = noise.chunks(100).flat_map(|c| c.iter().copied().chain([0; 8])).collect();
        let kept = Compressors::default();
        let decide = |mode, bytes: &[u8], filling| decide(mode, Known::All(bytes), filling, &kept).unwrap();
        let by_sample = |bytes: &[u8], filling| decide(Compress::BySample, bytes, filling);
        assert_eq!(by_sample(&text, false).choice, Choice::SampleShrank);
        assert!(by_sample(&text, false).compress && by_sample(&text, false).sample_permille < 100);
        assert_eq!(by_sample(&noise, false).choice, Choice::SampleDidNotShrink);
        assert_eq!(by_sample(&noise, true).choice, Choice::SampleDidNotShrink);
        assert_eq!(by_sample(&half, false).choice, Choice::SampleDidNotShrink);
        assert_eq!(by_sample(&half, true).choice, Choice::DiskFilling);
        assert_eq!(by_sample(&text[..100], false).choice, Choice::TooSmall);
        assert_eq!(decide(Compress::Always, &noise, false).choice, Choice::AskedFor);
        assert_eq!(decide(Compress::Never, &text, true).choice, Choice::Off);
    }

    #[test]
    fn a_frame_yields_exactly_what_was_declared_or_nothing() {
        let raw = vec![5; 200_000];
        let mut stored = vec![0; raw.len()];
        let length = Compressor::new().unwrap().compress(&raw, &mut stored).unwrap().unwrap();
        stored.truncate(length);
        let mut decompressor = Decompressor::new().unwrap();
        let mut room = vec![0; raw.len()];
        assert_eq!(decompressor.decompress(&stored, &mut room), Ok(()));
        assert_eq!(room, raw);
        assert!(decompressor.decompress(&stored, &mut room[..199_999]).is_err());
        assert!(decompressor.decompress(&stored, &mut vec![0; 200_001]).is_err());
        assert!(decompressor.decompress(&[stored.clone(), stored.clone()].concat(), &mut room).is_err());
        assert!(decompressor.decompress(b"not zstd", &mut room).is_err());
        let skippable = [0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 7];
        for odd in [[&stored[..], &skippable[..]].concat(), [&skippable[..], &stored[..]].concat()] {
            assert_eq!(decompressor.decompress(&odd, &mut room), Err("it is not one zstd frame".to_owned()));
        }
    }
}
