//! What a power loss may leave of a medium in memory: every set of unsynced changes, whole, torn or absent.

use std::sync::{Arc, Mutex};

use super::journal::{Effect, Fate, Image, Journal, Pending, Standing};
use super::medium::{Medium, Node};
use super::{CAPACITY, Memory, Shared};

/// Up to so many pending effects every subset of them is a state.
const EXHAUSTIVE_MAX: usize = 12;
/// Up to so many of them a torn write is combined with every subset of the others.
const TORN_EXHAUSTIVE_MAX: usize = 6;
/// How many subsets are drawn where there are too many.
const DRAWN: u64 = 64;
/// Pairs are left out among so many of the newest effects.
const PAIRED_MAX: usize = 24;
/// At so many places a long write is cut.
const CUTS_MAX: usize = 16;
/// A write reaches the medium in whole sectors.
const SECTOR: u64 = 512;

/// A moment at which the power may fail.
#[derive(Debug, Clone)]
pub struct CrashPoint {
    journal: Journal,
}

/// What a power loss left.
#[derive(Debug)]
pub struct Survivor {
    image: Image,
}

impl CrashPoint {
    pub(super) fn new(journal: Journal) -> Self {
        Self { journal }
    }

    /// How many changes are not durable, and matter.
    pub fn pending(&self) -> usize {
        self.changes().iter().filter(|pending| pending.is_open()).count()
    }

    /// Calls `visit` with every state that the model allows; the same one may come more than once.
    ///
    /// Of up to 12 pending effects every subset is taken; of more every prefix, all but one, one alone, all but two of the newest,
    /// and subsets drawn with `seed`. Writes are also cut at sectors, or leave zeros; a move between directories
    /// may leave both names. What a failed sync has lost is pending for ever.
    pub fn survivors(&self, seed: u64, visit: &mut dyn FnMut(Survivor)) {
        let changes = self.changes();
        let open: Vec<usize> = (0..changes.len()).filter(|index| changes[*index].is_open()).collect();
        for chosen in subsets(open.len(), seed) {
            let mut fates: Vec<Fate> = changes.iter().map(|pending| pending.fate()).collect();
            for (index, _) in open.iter().zip(&chosen).filter(|(_, chosen)| !**chosen) {
                fates[*index] = Fate::Absent;
            }
            visit(self.survivor(&changes, &fates));
            let rest = chosen.iter().filter(|chosen| **chosen).count();
            let torn = open.len() <= TORN_EXHAUSTIVE_MAX || rest <= 1 || rest + 1 >= open.len();
            if !torn && !is_prefix(&chosen) {
                continue;
            }
            for (index, _) in open.iter().zip(&chosen).filter(|(_, chosen)| **chosen) {
                for fate in partial_fates(&changes[*index].effect) {
                    let mut fates = fates.clone();
                    fates[*index] = fate;
                    visit(self.survivor(&changes, &fates));
                }
            }
        }
    }

    /// The state in which nothing is lost, as after the end of a process.
    pub fn survivor_of_a_kill(&self) -> Survivor {
        let changes: Vec<&Pending> = self.journal.pending.iter().collect();
        let fates: Vec<Fate> = changes.iter().map(|pending| pending.fate()).collect();
        self.survivor(&changes, &fates)
    }

    fn survivor(&self, changes: &[&Pending], fates: &[Fate]) -> Survivor {
        let mut image = self.journal.durable.clone();
        for (pending, fate) in changes.iter().zip(fates) {
            image.apply(&pending.effect, *fate);
        }
        Survivor { image }
    }

    /// What is not in the durable image, without writes to files that no name can lead to any more.
    fn changes(&self) -> Vec<&Pending> {
        let Journal { durable, pending } = &self.journal;
        let mut named: Vec<Node> =
            durable.directories.iter().flat_map(|names| names.values().copied()).collect();
        named.extend(pending.iter().filter_map(|pending| match &pending.effect {
            Effect::Enter { node, .. } | Effect::Move { node, .. } => Some(*node),
            _ => None,
        }));
        let matters = |pending: &&Pending| match &pending.effect {
            Effect::Write { inode, .. } | Effect::Length { inode, .. } => named.contains(&Node::File(*inode)),
            _ => true,
        };
        pending.iter().filter(matters).collect()
    }
}

impl Pending {
    /// Whether it may be there after a power loss, or not.
    fn is_open(&self) -> bool {
        !matches!(self.standing, Standing::Durable(_))
    }

    /// What becomes of it where the power does not take it.
    fn fate(&self) -> Fate {
        match self.standing {
            Standing::Durable(fate) => fate,
            Standing::Unsynced | Standing::Lost => Fate::Done,
        }
    }
}

impl Survivor {
    /// What tells this state from others: a digest of every path and every file's content.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        self.digest_directory(0, &mut hasher);
        hasher.finalize().into()
    }

    fn digest_directory(&self, dir: usize, hasher: &mut blake3::Hasher) {
        let Some(names) = self.image.directories.get(dir) else { return };
        for (name, node) in names.iter() {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
            match node {
                Node::File(inode) => {
                    let digest = self.image.inodes.get(inode.0).map_or(&[0; 32], |content| content.digest());
                    hasher.update(b"f").update(digest);
                }
                Node::Directory(dir) => {
                    hasher.update(b"d");
                    self.digest_directory(dir.0, hasher);
                    hasher.update(b"u");
                }
            }
        }
    }

    /// The medium as the next process finds it: all of it durable, nothing locked, nothing open, with a tebibyte of room.
    pub fn restart(&self) -> Memory {
        let medium = Medium::of_image(self.image.clone(), CAPACITY);
        Memory { medium: Shared(Arc::new(Mutex::new(medium))), dir: Medium::ROOT }
    }
}

/// What else than all or nothing may become of an effect.
fn partial_fates(effect: &Effect) -> Vec<Fate> {
    match effect {
        Effect::Write { offset, bytes, .. } => {
            let first = (SECTOR - offset % SECTOR) as usize;
            let cuts: Vec<usize> = (first..bytes.len()).step_by(SECTOR as usize).collect();
            let stride = cuts.len().div_ceil(CUTS_MAX).max(1);
            cuts.into_iter().step_by(stride).map(Fate::Cut).chain([Fate::Zeros]).collect()
        }
        Effect::Move { from, to, .. } if from.0 != to.0 => vec![Fate::Both],
        _ => Vec::new(),
    }
}

fn is_prefix(chosen: &[bool]) -> bool {
    chosen.windows(2).all(|pair| pair[0] || !pair[1])
}

/// Which of `count` effects happened, in each state.
fn subsets(count: usize, seed: u64) -> Vec<Vec<bool>> {
    if count <= EXHAUSTIVE_MAX {
        let all = 0..1_u32 << count;
        return all.map(|mask| (0..count).map(|index| mask >> index & 1 == 1).collect()).collect();
    }
    let prefixes = (0..=count).map(|length| (0..count).map(|index| index < length).collect());
    let all_but = (0..count).map(|left_out| (0..count).map(|index| index != left_out).collect());
    let alone = (0..count).map(|alone| (0..count).map(|index| index == alone).collect());
    let newest = count.saturating_sub(PAIRED_MAX)..count;
    let pairs = newest.clone().flat_map(|a| (a + 1..newest.end).map(move |b| (a, b)));
    let all_but_two = pairs.map(|(a, b)| (0..count).map(|index| index != a && index != b).collect());
    let mut draw = seed;
    let drawn = (0..DRAWN).map(|_| (0..count).map(|_| next(&mut draw) & 1 == 1).collect());
    prefixes.chain(all_but).chain(alone).chain(all_but_two).chain(drawn).collect()
}

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::storage::{Access, Storage};

    /// Every state after `work`, each as its names with their contents.
    fn states(work: impl Fn(&Memory)) -> BTreeSet<Vec<String>> {
        let memory = Memory::journaled();
        work(&memory);
        let mut states = BTreeSet::new();
        memory.crash_point().survivors(1, &mut |survivor| {
            let after = survivor.restart();
            let mut names = Vec::new();
            for dir in ["", "d"] {
                for entry in after.list(dir).unwrap_or_default() {
                    let path = if dir.is_empty() { entry.name } else { format!("{dir}/{}", entry.name) };
                    let mut bytes = [0; 2_048];
                    let read = after.open(&path, Access::Read).and_then(|file| file.read_at(0, &mut bytes));
                    names.push(match read {
                        Ok(0) => format!("{path}:"),
                        Ok(length) => format!("{path}:{}x{length}", bytes[0]),
                        Err(_) => path,
                    });
                }
            }
            states.insert(names);
        });
        states
    }

    fn write(memory: &Memory, path: &str, length: usize, sync: bool) {
        let mut file = memory.create(path).unwrap();
        file.write_at(0, &vec![7; length]).unwrap();
        if sync {
            file.sync().unwrap();
        }
        file.close().unwrap();
    }

    fn set(states: &[&[&str]]) -> BTreeSet<Vec<String>> {
        states.iter().map(|names| names.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    #[test]
    fn an_unsynced_write_is_whole_absent_cut_at_a_sector_or_zeros_and_its_name_there_or_not() {
        let found = states(|memory| write(memory, "a", 1_100, false));
        let expected: &[&[&str]] = &[&[], &["a:"], &["a:7x1100"], &["a:7x512"], &["a:7x1024"], &["a:0x1100"]];
        assert_eq!(found, set(expected));
    }

    #[test]
    fn what_was_synced_stays_and_a_files_sync_does_not_make_its_name_durable() {
        let found = states(|memory| write(memory, "a", 600, true));
        assert_eq!(found, set(&[&[], &["a:7x600"]]));
        let found = states(|memory| {
            write(memory, "a", 600, true);
            memory.sync_dir("").unwrap();
        });
        assert_eq!(found, set(&[&["a:7x600"]]));
    }

    #[test]
    fn a_renamed_file_has_the_old_name_or_the_new_or_both_and_is_never_lost() {
        let moved = |memory: &Memory| {
            memory.create_dir("d").unwrap();
            write(memory, "d/a", 600, true);
            memory.sync_dir("").unwrap();
            memory.sync_dir("d").unwrap();
            memory.rename("d/a", "b").unwrap();
        };
        assert_eq!(
            states(moved),
            set(&[&["d", "d/a:7x600"], &["b:7x600", "d"], &["b:7x600", "d", "d/a:7x600"]])
        );
        let synced =
            |dir: &'static str| states(move |memory| (moved(memory), memory.sync_dir(dir).unwrap()).1);
        assert_eq!(synced(""), set(&[&["b:7x600", "d"], &["b:7x600", "d", "d/a:7x600"]]));
        assert_eq!(synced("d"), set(&[&["b:7x600", "d"]]));
    }

    #[test]
    fn what_a_failed_sync_was_to_keep_may_be_lost_whatever_is_synced_later() {
        let found = states(|memory| {
            let mut file = memory.create("a").unwrap();
            memory.sync_dir("").unwrap();
            file.write_at(0, &[7; 600]).unwrap();
            memory.fail_sync(0);
            assert!(file.sync().is_err());
            file.sync().unwrap();
            memory.settle();
            assert_eq!(file.length().unwrap(), 600, "it can be read");
        });
        assert_eq!(found, set(&[&["a:"], &["a:7x512"], &["a:7x600"], &["a:0x600"]]));
    }

    #[test]
    fn what_is_synced_after_a_failed_sync_is_durable_on_top_of_what_may_be_lost() {
        let found = states(|memory| {
            let mut file = memory.create("a").unwrap();
            memory.sync_dir("").unwrap();
            file.write_at(0, &[7; 200]).unwrap();
            memory.fail_sync(0);
            assert!(file.sync().is_err());
            file.write_at(0, &[8; 100]).unwrap();
            file.sync().unwrap();
        });
        assert_eq!(found, set(&[&["a:8x100"], &["a:8x200"]]));
    }

    #[test]
    fn a_name_whose_sync_failed_may_be_lost_and_stays_away_once_its_removal_is_durable() {
        let write_and_fail = |memory: &Memory| {
            write(memory, "a", 600, true);
            memory.fail_sync(0);
            assert!(memory.sync_dir("").is_err());
            memory.sync_dir("").unwrap();
        };
        assert_eq!(states(write_and_fail), set(&[&[], &["a:7x600"]]));
        let found = states(|memory| {
            write_and_fail(memory);
            memory.unlink("a").unwrap();
            memory.sync_dir("").unwrap();
        });
        assert_eq!(found, set(&[&[]]));
    }

    #[test]
    fn a_move_over_a_lost_one_is_durable_with_all_that_comes_after_it() {
        // `c` may be lost; the file that is moved to it and away again is where it was moved to last.
        let found = states(|memory| {
            memory.create_dir("d").unwrap();
            write(memory, "d/a", 600, true);
            write(memory, "b", 100, true);
            memory.sync_dir("d").unwrap();
            memory.sync_dir("").unwrap();
            memory.unlink("b").unwrap();
            memory.fail_sync(0);
            assert!(memory.sync_dir("").is_err());
            memory.rename("d/a", "b").unwrap();
            memory.sync_dir("").unwrap();
            memory.sync_dir("d").unwrap();
            memory.unlink("b").unwrap();
            memory.sync_dir("").unwrap();
        });
        assert_eq!(found, set(&[&["d"]]));
    }

    #[test]
    fn many_effects_are_not_taken_in_every_subset_but_in_every_prefix() {
        let found = subsets(20, 3);
        let prefixes: std::collections::BTreeSet<_> =
            found.iter().filter(|chosen| is_prefix(chosen)).collect();
        assert_eq!(prefixes.len(), 21);
        assert!(found.len() < 500, "{}", found.len());
        assert_eq!(subsets(12, 3).len(), 4_096);
        assert_ne!(subsets(20, 3), subsets(20, 4));
    }
}
