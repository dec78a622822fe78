//! State as it is at one moment, so that it can be saved while the application goes on.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::section::{Bytes, Held, Section, Source};

/// Below so many bytes threads cost more than they gain.
const PARALLEL_FROM: usize = 8 << 20;
/// Bytes a thread copies at a time.
const PIECE: usize = 2 << 20;
/// More threads than this only wait for the memory.
const THREADS_MAX: usize = 4;
/// Slabs that are kept: one is being saved while the next is filled.
const KEPT_MAX: usize = 2;

/// Sections that borrow nothing, and what it cost to take them.
#[derive(Debug)]
pub struct Snapshot {
    /// What is saved.
    pub sections: Vec<Section<'static>>,
    /// What the application has waited for it. Add what serializing took, if it is to be counted.
    pub took: Duration,
}

/// Memory that one snapshot after another is copied into: fresh memory costs more than copying does.
///
/// A snapshot's memory comes back by itself when the last of its sections is dropped, which is when they are written (or when
/// the save is skipped, replaced or fails). At most two are kept, each as large as the largest snapshot of late.
///
/// ```
/// use ckpt_store::{Arena, Section};
///
/// let arena = Arena::new();
/// let mut weights = vec![1_u8; 1 << 20];
/// let snapshot = arena.snapshot(vec![Section::raw("weights", &weights)])?;
/// weights[0] = 2; // the snapshot still has what was there
/// assert_eq!(snapshot.raw_bytes(), 1 << 20);
/// # Ok::<(), ckpt_store::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Arena {
    shelf: Arc<Shelf>,
}

/// Slabs that nobody uses.
#[derive(Default)]
struct Shelf {
    free: Mutex<Vec<Vec<u8>>>,
}

/// The memory of one snapshot; goes back to its shelf.
struct Slab {
    bytes: Vec<u8>,
    shelf: Arc<Shelf>,
}

/// A section's part of a slab.
struct Part {
    slab: Arc<Slab>,
    range: Range<usize>,
}

impl Snapshot {
    /// Sections that borrow nothing as they are, taken in no time.
    pub fn new(sections: Vec<Section<'static>>) -> Self {
        Self { sections, took: Duration::ZERO }
    }

    /// Bytes of its sections. Those that come from a reader are not known and not counted.
    pub fn raw_bytes(&self) -> u64 {
        self.sections.iter().filter_map(Section::known_bytes).sum()
    }
}

impl Arena {
    /// An arena without any memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies what the sections borrow, on several threads where it is much; what they own or share stays where it is.
    ///
    /// # Errors
    /// [`Error::Refused`] for a section that comes from a reader: however long it is, reading it now would hold up the caller, and
    /// reading it later would save what is there by then. Give its bytes, or save it with [`Run::save`](crate::Run::save). (A
    /// reader of its own, that borrows nothing, may stand in a [`Snapshot`] that is made by hand.)
    pub fn snapshot(&self, sections: Vec<Section<'_>>) -> Result<Snapshot> {
        let begun = Instant::now();
        let mut total = 0;
        for section in &sections {
            match &section.source {
                Source::Bytes(Bytes::Borrowed(bytes)) => total += bytes.len(),
                Source::Bytes(_) => {}
                Source::Reader(_) => {
                    return Err(Error::Refused {
                        section: section.head.name.clone(),
                        reason: "it comes from a reader, of which no snapshot can be taken: give its bytes, or save it \
                                 in the foreground"
                            .to_owned(),
                    });
                }
            }
        }
        let mut bytes = self.shelf.take(total);
        copy(&sections, &mut bytes);
        let slab = Arc::new(Slab { bytes, shelf: Arc::clone(&self.shelf) });
        let mut end = 0;
        let mut own = |bytes: Bytes<'_>| match bytes {
            Bytes::Borrowed(bytes) => {
                let start = end;
                end += bytes.len();
                Bytes::Held(Box::new(Part { slab: Arc::clone(&slab), range: start..end }))
            }
            Bytes::Owned(bytes) => Bytes::Owned(bytes),
            Bytes::Held(held) => Bytes::Held(held),
        };
        let sections = sections
            .into_iter()
            .filter_map(|Section { head, source }| match source {
                Source::Bytes(bytes) => Some(Section { head, source: Source::Bytes(own(bytes)) }),
                Source::Reader(_) => None,
            })
            .collect();
        Ok(Snapshot { sections, took: begun.elapsed() })
    }

    /// Gives the memory back that no snapshot uses now.
    pub fn clear(&self) {
        self.shelf.free().clear();
    }
}

impl Shelf {
    /// Memory of at least so many bytes. What is too small is freed before more is asked for.
    fn take(&self, length: usize) -> Vec<u8> {
        if length == 0 {
            return Vec::new();
        }
        let mut free = self.free();
        free.retain(|slab| slab.len() >= length);
        let found = free.pop();
        drop(free);
        // Zeros are not written but mapped: the threads that copy touch the pages first. An eighth more is never touched
        // unless the state grows.
        found.unwrap_or_else(|| vec![0; length + length / 8])
    }

    fn give(&self, slab: Vec<u8>) {
        let mut free = self.free();
        if !slab.is_empty() && free.len() < KEPT_MAX {
            free.push(slab);
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free: Vec<usize> = self.free().iter().map(Vec::len).collect();
        f.debug_struct("Shelf").field("free", &free).finish()
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        self.shelf.give(std::mem::take(&mut self.bytes));
    }
}

impl Held for Part {
    fn bytes(&self) -> &[u8] {
        &self.slab.bytes[self.range.clone()]
    }
}

/// Copies what the sections borrow, one after another.
fn copy(sections: &[Section<'_>], mut to: &mut [u8]) {
    let mut pieces = Vec::new();
    let mut total = 0;
    for section in sections {
        let Source::Bytes(Bytes::Borrowed(bytes)) = &section.source else { continue };
        let (own, rest) = to.split_at_mut(bytes.len());
        total += bytes.len();
        pieces.extend(own.chunks_mut(PIECE).zip(bytes.chunks(PIECE)));
        to = rest;
    }
    let threads = match total < PARALLEL_FROM {
        true => 1,
        false => thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX),
    };
    let pieces = Mutex::new(pieces.into_iter());
    let work = || {
        loop {
            let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((to, from)) = next else { break };
            to.copy_from_slice(from);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // With fewer than hoped for, this thread copies more.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

#[cfg(test)]
mod tests {
    use ckpt_format::Codec;
    use proptest::prelude::*;

    use super::*;
    use crate::compress::Compress;

    fn bytes(snapshot: &Snapshot, index: usize) -> &[u8] {
        match &snapshot.sections[index].source {
            Source::Bytes(bytes) => bytes,
            Source::Reader(_) => panic!("a snapshot has no readers"),
        }
    }

    /// Bytes that say where they stand.
    fn pattern(length: usize, seed: usize) -> Vec<u8> {
        (0..length).map(|at| (at.wrapping_mul(31).wrapping_add(at >> 8).wrapping_add(seed)) as u8).collect()
    }

    #[test]
    fn only_what_is_borrowed_is_copied_and_what_is_said_about_it_stays() {
        let (borrowed, owned, shared) = (pattern(1_000, 1), pattern(2_000, 2), Arc::new(pattern(3_000, 3)));
        let slice: Arc<[u8]> = Arc::from(&b"slice"[..]);
        let owned_at = owned.as_ptr();
        let sections = vec![
            Section::raw("borrowed", &borrowed).of_kind("table", 3).compress(Compress::Always),
            Section::owned("owned", owned),
            Section::shared("shared", Arc::clone(&shared)).in_codec(Codec::Bincode),
            Section::shared("slice", Arc::clone(&slice)),
            Section::raw("empty", &[]),
        ];
        let snapshot = Arena::new().snapshot(sections).unwrap();
        assert_eq!((bytes(&snapshot, 0), bytes(&snapshot, 4)), (&borrowed[..], &[][..]));
        assert_ne!(bytes(&snapshot, 0).as_ptr(), borrowed.as_ptr());
        assert_eq!(bytes(&snapshot, 1).as_ptr(), owned_at);
        assert_eq!(bytes(&snapshot, 2).as_ptr(), shared.as_ptr());
        assert_eq!(bytes(&snapshot, 3).as_ptr(), slice.as_ptr());
        let head = &snapshot.sections[0].head;
        assert_eq!((head.kind.as_str(), head.version, head.compress), ("table", 3, Some(Compress::Always)));
        assert_eq!(snapshot.sections[2].head.codec, Codec::Bincode);
        assert_eq!(snapshot.raw_bytes(), 6_005);
    }

    #[test]
    fn memory_comes_back_when_the_last_section_is_dropped_and_is_used_again() {
        let arena = Arena::new();
        let take = |length: usize| {
            let state = pattern(length, 7);
            let (one, two) = state.split_at(length / 3);
            arena.snapshot(vec![Section::raw("one", one), Section::raw("two", two)]).unwrap()
        };
        let mut first = take(90_000);
        let at = bytes(&first, 0).as_ptr();
        let second = take(90_000);
        assert_ne!(bytes(&second, 0).as_ptr(), at, "the memory is in use");
        let kept = first.sections.pop();
        drop(first);
        assert_eq!(arena.shelf.free().len(), 0, "a section is still in use");
        drop(kept);
        let third = take(100_000);
        assert_eq!(bytes(&third, 0).as_ptr(), at, "a little more state fits, too");
        drop((second, third));
        assert_eq!(arena.shelf.free().len(), KEPT_MAX);
        // What has become too small is of no use to anybody.
        let larger = take(500_000);
        assert_eq!(arena.shelf.free().len(), 0);
        let more: Vec<Snapshot> = (0..3).map(|_| take(10)).collect();
        drop((larger, more));
        assert_eq!(arena.shelf.free().len(), KEPT_MAX);
        arena.clear();
        assert_eq!(arena.shelf.free().len(), 0);
    }

    #[test]
    fn a_section_that_comes_from_a_reader_is_refused_by_name() {
        let arena = Arena::new();
        let sections = vec![Section::raw("weights", &[1]), Section::reader("replay", std::io::empty())];
        let error = arena.snapshot(sections).unwrap_err();
        assert!(matches!(&error, Error::Refused { section, .. } if section == "replay"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Whatever the lengths, also where several threads copy and a slab is used again that holds other bytes.
        #[test]
        fn every_byte_is_copied_to_its_place(
            lengths in prop::collection::vec(prop_oneof![0..100_usize, 0..300_000_usize, (2_usize << 20)..(6 << 20)], 0..5),
        ) {
            let arena = Arena::new();
            for seed in 0..2 {
                let state: Vec<Vec<u8>> =
                    lengths.iter().enumerate().map(|(index, length)| pattern(*length, index + 10 * seed)).collect();
                let sections = state.iter().map(|bytes| Section::raw("part", bytes)).collect();
                let snapshot = arena.snapshot(sections).unwrap();
                for (index, expected) in state.iter().enumerate() {
                    prop_assert!(bytes(&snapshot, index) == expected, "section {index} of {lengths:?} differs");
                }
            }
        }
    }
}
