//! Operations on a run against a model of it: a map of what must be there. Whatever the bytes say, the two agree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use ckpt_format::{Container, Entry, Metadata, Selector, State, Timestamp, Writer};
use ckpt_store::storage::{Access, Memory, Storage};
use ckpt_store::{Deletion, Epoch, Error, LogLine, Run, RunOptions, Section, Sections};

/// Sections that were saved: names and bytes.
type Content = Vec<(String, Vec<u8>)>;

/// What the model knows of one checkpoint.
#[derive(Debug)]
struct Row {
    file_name: String,
    content: Content,
    /// Bits that differ from what was written: twice flipped is as if nothing had been.
    flipped: BTreeSet<u64>,
    cut: bool,
    /// Bytes that no section has: a load does not look at them, verifying does.
    gaps: Vec<Range<u64>>,
    /// Saved by the handle that is open now, which does not read it back before it relies on it.
    trusted: bool,
}

impl Row {
    /// Whether every byte of the file is as it was written.
    fn is_good(&self) -> bool {
        self.flipped.is_empty() && !self.cut
    }

    /// Whether everything is that a load reads.
    fn loads(&self) -> bool {
        let in_gap = |bit: &u64| self.gaps.iter().any(|gap| gap.contains(&(bit / 8)));
        self.flipped.iter().all(in_gap) && !self.cut
    }
}

/// A run, and what it should be.
struct Model {
    storage: Arc<dyn Storage>,
    run: Option<Run>,
    /// Handles that a later epoch has overtaken.
    overtaken: Vec<Run>,
    epoch: u64,
    highest: u64,
    rows: BTreeMap<(u64, u64), Row>,
    pins: BTreeSet<u64>,
}

/// Does what `script` says, to the run and to the model, and compares them after each step.
pub(crate) fn replay(script: &[u8]) {
    let mut script = Script(script);
    let mut model = Model::new();
    while let Some(code) = script.next() {
        match code % 16 {
            0..=2 => model.save(&mut script),
            3 => model.load_latest(true),
            4 => model.load_latest(false),
            5 => model.load_one(script.number()),
            6 => model.delete(&mut script),
            7 => model.pin(script.number()),
            8 => model.unpin(script.number()),
            9 => model.reopen(),
            10 => model.begin(script.number()),
            11 | 12 => model.flip(&mut script),
            13 => model.cut(&mut script),
            14 => model.use_overtaken(),
            _ => model.compare(),
        }
    }
    model.compare();
    model.reopen();
    model.compare();
}

/// The bytes that decide, taken from the front.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A small number; 0 at the end.
    fn number(&mut self) -> u64 {
        self.next().unwrap_or(0).into()
    }

    /// One of so many, spread over all of them.
    fn below(&mut self, count: u64) -> u64 {
        let drawn = (self.number() << 16) | (self.number() << 8) | self.number();
        drawn % count.max(1)
    }
}

impl Model {
    fn new() -> Self {
        let storage: Arc<dyn Storage> = Arc::new(Memory::new());
        let (kind, name) = ("tests".parse().unwrap(), "model".parse().unwrap());
        let run = Run::create_on(Arc::clone(&storage), "run", &kind, &name, options(Epoch::None)).unwrap();
        let (rows, pins) = (BTreeMap::new(), BTreeSet::new());
        Self { storage, run: Some(run), overtaken: Vec::new(), epoch: 0, highest: 0, rows, pins }
    }

    fn run(&self) -> &Run {
        self.run.as_ref().expect("a handle is open between the operations")
    }

    fn save(&mut self, script: &mut Script<'_>) {
        let content: Content = (0..script.number() % 4)
            .map(|number| {
                let (byte, length) = (script.number() as u8, script.number());
                // Now and then several blocks, compressed.
                let length = if length > 250 { (length - 200) * 8_000 } else { length * 20 };
                (format!("s{number}"), vec![byte; length as usize])
            })
            .collect();
        let sections = content.iter().map(|(name, bytes)| Section::raw(name, bytes)).collect();
        let saved = self.run().save(Metadata::default(), sections).unwrap();
        self.highest += 1;
        assert_eq!((saved.epoch, saved.sequence), (self.epoch, self.highest));
        let (flipped, cut, gaps, trusted) = (BTreeSet::new(), false, self.gaps(&saved.file_name), true);
        let row = Row { file_name: saved.file_name, content, flipped, cut, gaps, trusted };
        self.rows.insert((saved.epoch, saved.sequence), row);
    }

    fn gaps(&self, file_name: &str) -> Vec<Range<u64>> {
        let file = self.storage.open(file_name, Access::Read).unwrap();
        let mut bytes = vec![0; file.length().unwrap() as usize];
        assert_eq!(file.read_at(0, &mut bytes).unwrap(), bytes.len());
        let container = Container::decode(&bytes).unwrap();
        let metadata_end = 64 + u64::from(container.header.metadata_length);
        container.index.gaps(metadata_end, &container.record)
    }

    fn load_latest(&mut self, by_writer: bool) {
        let newer: Vec<(u64, u64)> =
            self.rows.iter().rev().take_while(|(_, row)| !row.loads()).map(|(order, _)| *order).collect();
        let good = self.rows.iter().rev().find(|(_, row)| row.loads());
        let loaded = match by_writer {
            true => self.run().load(&Selector::Latest),
            false => self.run().reader().load(&Selector::Latest),
        };
        let skipped = match (loaded, good) {
            (Ok(loaded), Some((order, row))) => {
                assert_eq!(loaded.entry.order(), *order);
                assert_content(&loaded.value, &row.content);
                loaded.skipped
            }
            (Err(Error::NothingGood { skipped }), None) if !newer.is_empty() => skipped,
            (Err(Error::NotFound { .. }), None) if newer.is_empty() => Vec::new(),
            (loaded, good) => panic!("latest is {loaded:?}, it should be {good:?}"),
        };
        let found: Vec<(u64, u64)> =
            skipped.iter().map(|skipped| (skipped.epoch, skipped.sequence)).collect();
        assert_eq!(found, newer, "what is passed over is said");
        for skipped in &skipped {
            assert_eq!(skipped.set_aside.is_some(), by_writer, "{skipped:?}");
        }
        if by_writer {
            self.rows.retain(|order, _| !newer.contains(order));
        }
    }

    fn load_one(&self, sequence: u64) {
        let row = self.rows.iter().find(|((_, known), _)| *known == sequence);
        let loaded = self.run().load(&Selector::Sequence(sequence));
        match (loaded, row) {
            (Ok(loaded), Some((_, row))) if row.loads() => assert_content(&loaded.value, &row.content),
            (Err(Error::Damaged { file, .. }), Some((_, row))) if !row.loads() => {
                assert_eq!(file, row.file_name)
            }
            (Err(Error::NotFound { .. }), None) => {}
            (loaded, row) => panic!("sequence {sequence} is {loaded:?}, it should be {row:?}"),
        }
    }

    fn delete(&mut self, script: &mut Script<'_>) {
        let mut doomed = BTreeSet::new();
        for _ in 0..=script.number() % 3 {
            let place = script.below(self.rows.len() as u64) as usize;
            doomed.extend(self.rows.keys().nth(place).copied());
        }
        let named = |order: &(u64, u64)| self.rows[order].file_name.clone();
        let deletions: Vec<Deletion> = doomed
            .iter()
            .map(|order| Deletion { file_name: named(order), reason: "a test".into() })
            .collect();
        let newest_good = self.rows.iter().rev().find(|(_, row)| row.is_good()).map(|(order, _)| *order);
        let pinned = doomed.iter().any(|(_, sequence)| self.pins.contains(sequence));
        let foreseen = self.run().check_deletions(&deletions).map_err(|error| error.code());
        let deleted = self.run().delete(&deletions);
        assert_eq!(foreseen, deleted.as_ref().map(drop).map_err(|error| error.code()));
        match deleted {
            Ok(deleted) => {
                assert!(!pinned, "a pinned one was deleted");
                assert_eq!(deleted.file_names.len(), doomed.len());
                self.rows.retain(|order, _| !doomed.contains(order));
                // What this handle has acknowledged it relies on without reading it back.
                if let Some(gone) = newest_good.filter(|order| doomed.contains(order)) {
                    let relied = self.rows.iter().any(|(order, row)| *order > gone && row.trusted);
                    assert!(relied, "the newest good one was deleted: {gone:?}");
                }
            }
            Err(Error::Pinned { sequence }) => assert!(self.pins.contains(&sequence)),
            // The newest good one, or one that cannot be proved to be whole.
            Err(Error::LastVerified { .. } | Error::Invalid { .. } | Error::NotFound { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn pin(&mut self, sequence: u64) {
        let there = self.rows.keys().any(|(_, known)| *known == sequence);
        match self.run().pin(sequence, Some("a test")) {
            Ok(new) => assert_eq!((there, new), (true, self.pins.insert(sequence))),
            Err(Error::NotFound { .. }) => assert!(!there, "{sequence} is there"),
            Err(error) => panic!("{error}"),
        }
    }

    fn unpin(&mut self, sequence: u64) {
        assert_eq!(self.run().unpin(sequence).unwrap(), self.pins.remove(&sequence));
    }

    fn reopen(&mut self) {
        self.run = None;
        let epoch = if self.epoch == 0 { Epoch::None } else { Epoch::Join(self.epoch) };
        self.open(epoch).unwrap();
        for row in self.rows.values_mut() {
            row.trusted = false;
        }
    }

    /// Begins an epoch: a later one overtakes the handle that is open, any other is refused and changes nothing.
    fn begin(&mut self, drawn: u64) {
        let epoch = drawn % 8;
        match self.open_beside(Epoch::Begin(epoch)) {
            Ok(run) => {
                assert!(epoch > self.epoch, "epoch {epoch} began after {}", self.epoch);
                self.overtaken.extend(self.run.replace(run));
                self.epoch = epoch;
                for row in self.rows.values_mut() {
                    row.trusted = false;
                }
            }
            Err(Error::Conflict { .. }) => assert!(epoch == self.epoch && epoch > 0, "{epoch}"),
            Err(Error::Fenced { .. }) => assert!(epoch < self.epoch, "{epoch}"),
            // No epoch at all: one writer at a time.
            Err(Error::Locked { .. }) => assert_eq!((epoch, self.epoch), (0, 0)),
            Err(error) => panic!("beginning {epoch} in {}: {error}", self.epoch),
        }
    }

    fn flip(&mut self, script: &mut Script<'_>) {
        let place = script.below(self.rows.len() as u64) as usize;
        let Some(row) = self.rows.values_mut().nth(place).filter(|row| !row.cut) else { return };
        let mut file = self.storage.open(&row.file_name, Access::Write).unwrap();
        let bit = script.below(file.length().unwrap() * 8);
        let mut byte = [0];
        assert_eq!(file.read_at(bit / 8, &mut byte).unwrap(), 1);
        byte[0] ^= 1 << (bit % 8);
        file.write_at(bit / 8, &byte).unwrap();
        if !row.flipped.insert(bit) {
            row.flipped.remove(&bit);
        }
    }

    fn cut(&mut self, script: &mut Script<'_>) {
        let place = script.below(self.rows.len() as u64) as usize;
        let Some(row) = self.rows.values_mut().nth(place) else { return };
        let mut file = self.storage.open(&row.file_name, Access::Write).unwrap();
        let length = file.length().unwrap();
        file.set_length(script.below(length.max(1))).unwrap();
        row.cut |= length > 0;
    }

    /// Who was overtaken changes nothing: neither by saving nor by pinning, deleting or setting aside.
    fn use_overtaken(&mut self) {
        for run in &self.overtaken {
            let saved = run.save(Metadata::default(), vec![Section::raw("late", b"late")]);
            assert!(matches!(saved, Err(Error::Fenced { .. })), "{saved:?}");
            for sequence in self.rows.keys().map(|(_, sequence)| *sequence) {
                let pinned = run.pin(sequence, None);
                assert!(matches!(pinned, Err(Error::Fenced { .. })), "{pinned:?}");
            }
            let all = self.rows.values().map(|row| row.file_name.clone());
            let deletions: Vec<Deletion> =
                all.map(|file_name| Deletion { file_name, reason: "late".into() }).collect();
            let deleted = run.delete(&deletions);
            assert!(matches!(deleted, Err(Error::Fenced { .. })), "{deleted:?}");
            if let Ok(loaded) = run.load(&Selector::Latest) {
                assert!(loaded.skipped.iter().all(|skipped| skipped.set_aside.is_none()));
            }
        }
        self.compare();
    }

    /// The listing is the model, and what verifying says of each file is true.
    fn compare(&self) {
        let entries = self.run().reader().list().unwrap();
        let found: Vec<(u64, u64)> = entries.iter().map(Entry::order).collect();
        assert_eq!(found, self.rows.keys().copied().collect::<Vec<_>>());
        for verified in self.run().reader().verify(None).unwrap() {
            let row = &self.rows[&verified.entry.order()];
            assert_eq!(verified.entry.file_name, row.file_name);
            assert_eq!(verified.entry.pinned, self.pins.contains(&verified.entry.sequence));
            let expected = if row.is_good() { State::Committed } else { State::Damaged };
            assert_eq!(verified.state, expected, "{verified:?}");
        }
        for line in self.run().reader().log().unwrap() {
            assert!(matches!(line, LogLine::Good(_)), "{line:?}");
        }
    }

    fn open(&mut self, epoch: Epoch) -> Result<(), Error> {
        self.run = Some(self.open_beside(epoch)?);
        Ok(())
    }

    fn open_beside(&self, epoch: Epoch) -> Result<Run, Error> {
        Run::open_on(Arc::clone(&self.storage), "run", options(epoch))
    }
}

fn assert_content(loaded: &Sections, expected: &Content) {
    let names: Vec<&str> = loaded.iter().map(|section| section.name.as_str()).collect();
    assert_eq!(names, expected.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    for (name, bytes) in expected {
        assert!(loaded.bytes(name) == Some(bytes.as_slice()), "section {name} differs");
    }
}

fn options(epoch: Epoch) -> RunOptions {
    let writer = Writer { host: "host".into(), pid: 1, boot_id: "boot".into() };
    RunOptions { writer: Some(writer), reserve: false, ..RunOptions::new(clock).epoch(epoch) }
}

fn clock() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}
