//! Damage of every kind to committed files: found, located where it was done, and stepped over; never a panic.
//!
//! `cargo xtask rot` tries all mutations there are; the usual size is a sample that is spread evenly.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use ckpt_format::{Container, Entry, Part, Selector, State};
use ckpt_store::storage::{Memory, Storage};
use ckpt_store::{Error, LogLine, RunReader, Sections};

use self::dice::Dice;
use self::golden::{Filter, Golden, Table};
use self::mutation::{Mutation, Subject};
use self::put::put;
use self::size::size;

#[path = "rig/dice.rs"]
mod dice;
#[path = "rig/golden.rs"]
mod golden;
#[path = "rig/mutation.rs"]
mod mutation;
#[path = "rig/put.rs"]
mod put;
#[path = "rig/size.rs"]
mod size;

/// How many mutations are tried unless another number is asked for.
const USUAL: u64 = 50_000;
/// How many there must be at least, all different.
const LEAST: usize = 1_000_000;
/// What all of it may take besides what is there before.
const MEMORY_KIB: u64 = 64 << 10;
/// Bytes of the record at the end of each file.
const RECORD: usize = 256;

/// Every value that a release of container 1.0 wrote is read, for ever.
#[test]
fn every_value_of_the_committed_files_comes_back() {
    let reader = RunReader::open(golden::directory()).unwrap();
    assert_eq!((reader.identity().kind.as_ref(), reader.identity().name.as_ref()), ("golden", "v1"));
    let entries = reader.list().unwrap();
    let files = golden::all();
    assert_eq!(entries.len(), files.len());
    for ((entry, golden), verified) in entries.iter().zip(&files).zip(reader.verify(None).unwrap()) {
        assert_eq!((entry.file_name.as_str(), entry.state), (golden.file_name, State::Committed));
        assert_eq!(verified.state, State::Committed, "{verified:?}");
        assert!(entry.stored_bytes <= 64 << 10, "{} is small", golden.file_name);
        assert_metadata(entry, golden);
        let details = entry.details.as_ref().unwrap();
        let digests = [details.content_digest.to_string(), details.index_digest.to_string()];
        assert_eq!(digests, golden.digests, "{}", golden.file_name);
        let loaded = reader.load(&Selector::File(entry.file_name.clone())).unwrap();
        assert!(holds(&loaded.value, golden), "{} holds something else", golden.file_name);
    }
    let section = |name: &str| reader.load_section(&Selector::Sequence(2), name).unwrap().value;
    // Compared as text: one of the numbers is a NaN, whose bits must come back.
    let filter = section("filter").load::<Filter>().unwrap().value;
    assert_eq!(format!("{filter:?}"), format!("{:?}", golden::filter()));
    assert_eq!(filter.kappa.to_bits(), golden::filter().kappa.to_bits());
    assert_eq!(section("table").load::<Table>().unwrap().value, golden::table(9));
    let log = reader.log().unwrap();
    assert!(log.len() > 6 && log.iter().all(|line| matches!(line, LogLine::Good(_))), "{log:?}");
}

fn assert_metadata(entry: &Entry, golden: &Golden) {
    let found = entry.metadata().unwrap();
    let mut expected = golden.metadata.clone();
    // What the store sets stands in the file and in its name.
    (expected.run_id, expected.kind, expected.name) =
        (found.run_id.clone(), "golden".to_owned(), "v1".to_owned());
    (expected.epoch, expected.sequence) = (entry.epoch, entry.sequence);
    expected.writer = Some(ckpt_format::Writer { host: "host".into(), pid: 1, boot_id: "boot".into() });
    expected.created_at = "2026-01-02T03:04:05.678Z".parse().unwrap();
    assert_eq!(*found, expected, "{}", golden.file_name);
    let label = golden::label_of(golden.file_name);
    assert_eq!((label.step, label.seed), (found.position.step, found.seed), "{}", golden.file_name);
}

#[test]
fn damage_of_every_kind_is_found_located_and_stepped_over() {
    let scenes: Vec<Scene> = (1..golden::all().len()).map(Scene::of).collect();
    let total: usize = scenes.iter().map(Scene::count).sum();
    assert!(total >= LEAST, "there are {total} mutations, {LEAST} are promised");
    let sample = sample(total, size(USUAL));
    let (memory, started) = (peak_kib(), Instant::now());
    let (mut states, mut tally) = (Vec::new(), Tally::default());
    thread::scope(|scope| {
        let (scenes, sample) = (&scenes, &sample);
        let halves = [0, 1].map(|half| scope.spawn(move || try_every_second(scenes, sample, half)));
        for half in halves {
            let (some, counted) = half.join().expect("the mutations of a half were tried");
            states.extend(some);
            tally.add(counted);
        }
    });
    let seconds = started.elapsed().as_secs_f64();
    states.sort_unstable();
    states.dedup();
    let grown = peak_kib().saturating_sub(memory);
    let _ = writeln!(
        std::io::stderr(),
        "rot: {} of {total} mutations, {} different files, {} without effect, {} foreign, {} loaded all the same, \
         {seconds:.1} s, {grown} KiB more memory",
        sample.len(),
        states.len(),
        tally.without_effect,
        tally.foreign,
        tally.loaded,
    );
    assert!(grown <= MEMORY_KIB, "{grown} KiB more memory were used, {MEMORY_KIB} may be");
    assert!(sample.len() < total || states.len() >= LEAST, "only {} are different", states.len());
}

/// Which of the mutations are tried: all, or so many that are spread evenly, each drawn from its share.
fn sample(total: usize, wanted: u64) -> Vec<usize> {
    let mut dice = Dice::printed("rot");
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(total);
    (0..wanted)
        .map(|share| {
            let (from, to) = (share * total / wanted, (share + 1) * total / wanted);
            from + dice.up_to((to - from - 1) as u64) as usize
        })
        .collect()
}

/// What became of mutations that were not plain damage.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    without_effect: usize,
    foreign: usize,
    loaded: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.without_effect += other.without_effect;
        self.foreign += other.foreign;
        self.loaded += other.loaded;
    }
}

/// Tries every second mutation of the sample; returns which files they made, as hashes, and what became of them.
fn try_every_second(scenes: &[Scene], sample: &[usize], half: usize) -> (Vec<u64>, Tally) {
    let mut states = Vec::with_capacity(sample.len() / 2 + 1);
    let mut tally = Tally::default();
    for index in sample.iter().skip(half).step_by(2) {
        let mut index = *index;
        let scene = scenes.iter().find(|scene| match index.checked_sub(scene.count()) {
            Some(rest) => {
                index = rest;
                false
            }
            None => true,
        });
        let scene = scene.expect("the sample lies within the total");
        let mutation = scene.subject.mutation(scene.others.len(), index);
        let file =
            mutation.apply(&scene.subject, &scene.others.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let hash = blake3::hash(&[scene.golden.file_name.as_bytes(), &file].concat());
        states.push(u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap()));
        let tried = catch_unwind(AssertUnwindSafe(|| scene.check(half, mutation, &file)));
        match tried {
            Ok(counted) => tally.add(counted),
            Err(_) => panic!("{} after {mutation:?}: see the panic above", scene.golden.file_name),
        }
    }
    (states, tally)
}

/// A run in memory whose newest checkpoint is one of the committed files, with an older good one beside it.
struct Scene {
    golden: Golden,
    older: Golden,
    subject: Subject,
    container: Container,
    others: Vec<Vec<u8>>,
    /// One for each thread.
    runs: [(Arc<dyn Storage>, RunReader); 2],
}

impl Scene {
    fn of(place: usize) -> Self {
        let mut files = golden::all();
        let bytes_of = |golden: &Golden| std::fs::read(golden::directory().join(golden.file_name)).unwrap();
        let others = files.iter().enumerate().filter(|(other, _)| *other != place);
        let others = others.map(|(_, golden)| bytes_of(golden)).collect();
        let golden = files.remove(place);
        let older = files.remove(0);
        let bytes = bytes_of(&golden);
        let container = Container::decode(&bytes).unwrap();
        let run = || {
            let storage: Arc<dyn Storage> = Arc::new(Memory::new());
            put(&storage, "run.json", &std::fs::read(golden::directory().join("run.json")).unwrap());
            put(&storage, older.file_name, &bytes_of(&older));
            put(&storage, golden.file_name, &bytes);
            let reader = RunReader::on(Arc::clone(&storage), "run").unwrap();
            (storage, reader)
        };
        let runs = [run(), run()];
        let subject = Subject { pieces: pieces(&container), bytes };
        Self { golden, older, subject, container, others, runs }
    }

    fn count(&self) -> usize {
        self.subject.count(self.others.len())
    }

    /// Puts `file` in the place of the newest checkpoint and checks that what a reader says of it is true.
    fn check(&self, half: usize, mutation: Mutation, file: &[u8]) -> Tally {
        let (storage, reader) = &self.runs[half];
        put(storage, self.golden.file_name, file);
        let sequence = reader.list().unwrap().last().unwrap().sequence;
        let verified = reader.verify(Some(&Selector::Sequence(sequence))).unwrap().remove(0);
        let located =
            reader.open_checkpoint(self.golden.file_name).and_then(|checkpoint| checkpoint.verify());
        let latest = reader.load(&Selector::Latest).unwrap();
        let of_this = latest.entry.file_name == self.golden.file_name;
        let mut tally = Tally::default();
        if file == self.subject.bytes {
            assert_eq!(verified.state, State::Committed, "{verified:?}");
            assert!(of_this && holds(&latest.value, &self.golden) && latest.skipped.is_empty());
            tally.without_effect = 1;
            return tally;
        }
        if self.others.iter().any(|other| other == file) {
            assert_eq!(verified.state, State::Foreign, "{verified:?}");
            tally.foreign = 1;
        } else {
            let error = located.expect_err("damage is found");
            assert!(matches!(error, Error::Damaged { .. }), "{error}");
            let part = error.part().expect("damage has a place");
            assert!(self.lies_in(part, file), "{mutation:?} is reported at {part}: {error}");
            assert_eq!(verified.state, State::Damaged, "{verified:?}");
            assert_eq!((verified.section.as_deref(), verified.block), (part.section(), part.block()));
            assert!(error.to_string().contains(&verified.reason.clone().unwrap()), "{verified:?}, {error}");
            // A load reads sections, and no section has what lies between them.
            if of_this {
                assert!(matches!(part, Part::Padding { .. }), "loaded, though {error}");
                assert!(holds(&latest.value, &self.golden), "other values were loaded");
                let details = latest.entry.details.as_ref().unwrap();
                assert_eq!(details.content_digest.to_string(), self.golden.digests[0]);
                tally.loaded = 1;
                return tally;
            }
        }
        assert!(holds(&latest.value, &self.older), "the one before is loaded");
        let skipped: Vec<&str> = latest.skipped.iter().map(|skipped| skipped.file_name.as_str()).collect();
        assert_eq!(skipped, [self.golden.file_name]);
        assert!(!latest.skipped[0].reason.is_empty() && latest.skipped[0].set_aside.is_none());
        tally
    }

    /// Whether the file differs there from what it was.
    fn lies_in(&self, part: &Part, file: &[u8]) -> bool {
        let (good, record) = (&self.subject.bytes, &self.container.record);
        let metadata_end = 64 + self.container.header.metadata_length as usize;
        let tables = [record.block_table_offset, record.section_table_offset].map(|offset| offset as usize);
        let differs = |range: Range<usize>| good.get(range.clone()) != file.get(range);
        match part {
            Part::Header => differs(0..64),
            Part::Metadata => differs(64..metadata_end),
            Part::BlockTable => differs(tables[0]..tables[1]),
            Part::SectionTable => differs(tables[1]..tables[1] + record.section_table_length as usize),
            // Of another length it is another record, or none.
            Part::CommitRecord => file.len() != good.len() || differs(good.len() - RECORD..good.len()),
            Part::Block { section, block } => {
                let section = self.container.index.section(section).unwrap();
                let block = self.container.index.blocks_of(section)[*block as usize];
                differs(block.offset as usize..block.offset as usize + block.stored_length as usize)
            }
            Part::Padding { offset } => {
                let at = *offset as usize;
                let gaps = self.container.index.gaps(metadata_end as u64, record);
                gaps.iter().any(|gap| gap.contains(offset)) && good[at] == 0 && file[at] != 0
            }
            // Its blocks are good, so nothing that befalls a file leads there.
            _ => false,
        }
    }
}

/// Stored blocks, whole sections, entries of the block table, entries of the section table.
fn pieces(container: &Container) -> [Vec<Range<usize>>; 4] {
    let (record, index) = (&container.record, &container.index);
    let blocks: Vec<Range<usize>> = index
        .blocks
        .iter()
        .map(|block| block.offset as usize..block.offset as usize + block.stored_length as usize)
        .collect();
    let sections = index.sections.iter().filter_map(|section| {
        let range = section.block_range();
        Some(blocks.get(range.start)?.start..blocks.get(range.end.checked_sub(1)?)?.end)
    });
    let table = record.block_table_offset as usize;
    let block_entries = (0..index.blocks.len()).map(|entry| table + entry * 64..table + (entry + 1) * 64);
    let mut end = record.section_table_offset as usize;
    let section_entries = index.sections.iter().map(|section| {
        let start = end;
        end = start + (96 + section.name.len() + section.kind.len()).next_multiple_of(8);
        start..end
    });
    let section_entries = section_entries.collect();
    let sections = sections.filter(|range| !range.is_empty()).collect();
    [blocks.clone(), sections, block_entries.collect(), section_entries]
}

fn holds(loaded: &Sections, golden: &Golden) -> bool {
    loaded.iter().eq(golden.sections.iter())
}

/// The most memory that this process has had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
