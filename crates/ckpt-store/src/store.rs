//! A run that is written: save, load with step back, import, pin.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ckpt_format::{
    Digest, EncodedSection, FileName, Label, Metadata, Metrics, Origin, Selector, Timestamp, Writer,
};

use crate::checkpoint::Checkpoint;
use crate::deletable::durable_here;
use crate::encode::{Mode, Workshop};
use crate::error::{Error, Result};
use crate::host;
use crate::layout;
use crate::load::{Loaded, Sections};
use crate::lock::{Locker, Ownership, Purpose};
use crate::log::{Costs, Log, LogEntry, LogEvent, LogLine, Note};
use crate::names::Named;
use crate::open::{RunOptions, unlink_if_there};
use crate::pin::Pins;
use crate::publish::{self, Staged};
use crate::reader::RunReader;
use crate::section::Section;
use crate::snapshot::Snapshot;
use crate::space;
use crate::storage::Space;

/// How often a writer looks whether its log is full: some hundred kilobytes.
const SAVES_PER_LOG_CHECK: u64 = 1_024;

/// A run that is written. One at a time: it holds the writer's lock until it is dropped.
///
/// All calls may come from several threads; saves and deletions happen one after another.
#[derive(Debug)]
pub struct Run {
    pub(crate) reader: RunReader,
    pub(crate) locker: Locker,
    pub(crate) log: Log,
    pub(crate) ownership: Ownership,
    pub(crate) options: RunOptions,
    pub(crate) workshop: Workshop,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) asides: Asides,
}

/// What may be asked while a save or a deletion is under way, which have [`Progress`] until they end.
#[derive(Debug, Default)]
pub(crate) struct Asides {
    notices: Mutex<Vec<String>>,
    last_stored_bytes: AtomicU64,
}

/// What this handle knows of what it did. Locked by saves and deletions, from their beginning to their end.
#[derive(Debug)]
pub(crate) struct Progress {
    highest_sequence: u64,
    /// Known to be durable, though maybe not read back: acknowledged to this handle, or to an earlier one on this start of
    /// the machine, as the log says.
    pub(crate) durable: BTreeSet<(u64, u64)>,
    /// Acknowledged to this handle, or read back whole by it.
    pub(crate) verified: BTreeSet<(u64, u64)>,
    poisoned: Option<String>,
    reserved_bytes: u64,
    /// Which way metrics get better, and the best so far: said in every checkpoint.
    carried: Metrics,
}

/// A checkpoint that is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The attempt that wrote it.
    pub epoch: u64,
    /// Its number.
    pub sequence: u64,
    /// Its file.
    pub file_name: String,
    /// Bytes of the file.
    pub stored_bytes: u64,
    /// Bytes of all sections.
    pub raw_bytes: u64,
    /// Identity of the state.
    pub content_digest: Digest,
    /// Identity of the file.
    pub index_digest: Digest,
    /// What it cost.
    pub costs: Costs,
}

impl Asides {
    pub(crate) fn notice(&self, text: impl fmt::Display) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_string());
    }

    fn last_stored_bytes(&self) -> u64 {
        self.last_stored_bytes.load(Ordering::Relaxed)
    }
}

impl Progress {
    pub(crate) fn new(
        highest_sequence: u64,
        tail: &[LogLine],
        writer: &Writer,
        tolerated: Vec<Error>,
    ) -> (Self, Asides) {
        let mut last_stored_bytes = 0;
        for line in tail {
            if let LogLine::Good(entry) = line
                && let LogEvent::Saved { stored_bytes, .. } = &entry.event
            {
                last_stored_bytes = *stored_bytes;
            }
        }
        let mut progress = Self {
            highest_sequence,
            durable: durable_here(tail, writer),
            verified: BTreeSet::new(),
            poisoned: None,
            reserved_bytes: 0,
            carried: Metrics::default(),
        };
        let asides = Asides { last_stored_bytes: last_stored_bytes.into(), ..Asides::default() };
        for error in tolerated {
            asides.notice(progress.poison(error));
        }
        (progress, asides)
    }

    /// After a sync that failed a later one proves nothing, so the handle changes nothing any more. Other errors pass.
    pub(crate) fn poison(&mut self, error: Error) -> Error {
        if matches!(error, Error::DurabilityUnknown { .. }) {
            self.poisoned.get_or_insert_with(|| error.to_string());
        }
        error
    }

    pub(crate) fn check(&self) -> Result<()> {
        match &self.poisoned {
            Some(reason) => Err(Error::Poisoned { reason: reason.clone() }),
            None => Ok(()),
        }
    }
}

impl Run {
    /// The run to read it: list, find, verify.
    pub fn reader(&self) -> &RunReader {
        &self.reader
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.reader.path()
    }

    /// The attempt this handle writes as.
    pub fn epoch(&self) -> u64 {
        self.ownership.epoch()
    }

    /// Saves a checkpoint. When this returns, it survives a power loss.
    ///
    /// `metadata` is taken as it is, but for the fields that are the store's. The order of `sections` is kept. At most
    /// 64 MiB are used besides the sections. A section's reader must not call back into the same run: it would wait for
    /// itself.
    ///
    /// # Errors
    /// Whatever the error, the checkpoints that were there are intact and nothing half-done stays behind; with all but
    /// [`Error::DurabilityUnknown`] the new one is not there. [`Error::NoSpace`], [`Error::Permission`], [`Error::Fenced`],
    /// [`Error::Refused`] and [`Error::Source`] about a section, [`Error::Format`] for what the format cannot hold.
    pub fn save(&self, metadata: Metadata, sections: Vec<Section<'_>>) -> Result<Saved> {
        self.save_taken(metadata, sections, Duration::ZERO)
    }

    /// As [`Run::save`], of a state that was taken before: what that cost is part of the costs of this save.
    ///
    /// # Errors
    /// As [`Run::save`].
    pub fn save_snapshot(&self, metadata: Metadata, snapshot: Snapshot) -> Result<Saved> {
        let Snapshot { sections, took } = snapshot;
        self.save_taken(metadata, sections, took)
    }

    fn save_taken(&self, metadata: Metadata, sections: Vec<Section<'_>>, took: Duration) -> Result<Saved> {
        let mut progress = self.progress();
        progress.check()?;
        let storage = self.reader.storage();
        self.ownership.check(storage.as_ref())?;
        let sequence = progress.highest_sequence.checked_add(1).ok_or_else(|| Error::Invalid {
            reason: "the highest sequence there is was used: find and remove the file, pin or staging file named by it".to_owned(),
        })?;
        let metadata = self.complete(metadata, sequence, &progress.carried);
        let json = metadata.encode().map_err(Error::Format)?;
        let file_name = file_name(&metadata);
        let filling = self.make_room(&metadata, &sections, &mut progress);
        let random = host::random_hex(4).map_err(|source| Error::io("naming", &file_name, source))?;
        // The number is used up even if this fails: it may have been seen.
        progress.highest_sequence = sequence;

        let started = Instant::now();
        let mut staged = Staged::create(storage, layout::staging(self.epoch(), sequence, &random))?;
        let path = staged.path().to_owned();
        let mode = Mode { compress: self.options.compress, filling };
        let (record, compressing) = self.workshop.write(staged.file(), &path, &json, sections, mode)?;
        let written = Instant::now();
        let sealed = staged.seal()?;
        let synced = Instant::now();
        let held = self.locker.mutate(self.epoch(), Purpose::Publish)?;
        self.ownership.check(storage.as_ref())?;
        let published = sealed.publish(&file_name, &held).map_err(|source| match source.kind() {
            // Who took over sweeps what lower epochs have staged.
            std::io::ErrorKind::NotFound => self.ownership.fenced(storage.as_ref()),
            _ => Error::io("publishing", &file_name, source),
        })?;
        drop(held);
        if let Err(error) = published.acknowledge() {
            progress.poisoned = Some(error.to_string());
            return Err(error);
        }
        let costs = Costs {
            snapshot_us: micros(took),
            compress_us: micros(compressing),
            write_us: micros(written - started),
            sync_us: micros(synced - written),
            publish_us: micros(synced.elapsed()),
        };
        let saved = Saved {
            epoch: self.epoch(),
            sequence,
            file_name,
            stored_bytes: record.file_length,
            raw_bytes: record.raw_bytes,
            content_digest: record.content_digest,
            index_digest: record.index_digest,
            costs,
        };
        progress.durable.insert((saved.epoch, sequence));
        progress.verified.insert((saved.epoch, sequence));
        let Metrics { directions, best, .. } = metadata.metrics.clone();
        progress.carried = Metrics { directions, best, ..Metrics::default() };
        self.asides.last_stored_bytes.store(saved.stored_bytes, Ordering::Relaxed);
        self.tell_saved(&saved, &metadata);
        self.keep_reserve(&mut progress);
        Ok(saved)
    }

    /// Loads all sections into memory, verified. For `latest`, damaged checkpoints are set aside, stepped over, reported
    /// and logged.
    ///
    /// # Errors
    /// As [`RunReader::load_with`].
    pub fn load(&self, selector: &Selector) -> Result<Loaded<Sections>> {
        self.load_with(selector, Sections::read)
    }

    /// Loads one section, reading only its bytes.
    ///
    /// # Errors
    /// As [`RunReader::load_with`]; [`Error::NotFound`] if the checkpoint has no such section.
    pub fn load_section(&self, selector: &Selector, name: &str) -> Result<Loaded<EncodedSection>> {
        self.load_with(selector, |checkpoint| checkpoint.read_encoded(name))
    }

    /// Loads one section into the front of the caller's buffer; the value is how many bytes.
    ///
    /// # Errors
    /// As [`RunReader::load_with`]; [`Error::Invalid`] if the buffer is too short.
    pub fn load_section_into(
        &self,
        selector: &Selector,
        name: &str,
        out: &mut [u8],
    ) -> Result<Loaded<usize>> {
        self.load_with(selector, |checkpoint| checkpoint.read_into(name, out))
    }

    /// Loads what `read` takes from the checkpoint that is meant; see [`RunReader::load_with`]. Damaged ones are set aside.
    ///
    /// # Errors
    /// As [`RunReader::load_with`].
    pub fn load_with<T>(
        &self,
        selector: &Selector,
        read: impl FnMut(&Checkpoint) -> Result<T>,
    ) -> Result<Loaded<T>> {
        self.reader.load_and_report(selector, read, |named, reason| self.set_aside(named, reason))
    }

    /// Protects a checkpoint; see [`Pins::pin`].
    ///
    /// # Errors
    /// As [`Pins::pin`].
    pub fn pin(&self, sequence: u64, reason: Option<&str>) -> Result<bool> {
        self.ownership.check(self.reader.storage().as_ref())?;
        Pins::of(self.reader.clone(), &self.options)
            .pin(sequence, reason)
            .map_err(|error| self.progress().poison(error))
    }

    /// Takes a protection away; see [`Pins::unpin`].
    ///
    /// # Errors
    /// As [`Pins::unpin`].
    pub fn unpin(&self, sequence: u64) -> Result<bool> {
        self.ownership.check(self.reader.storage().as_ref())?;
        Pins::of(self.reader.clone(), &self.options)
            .unpin(sequence)
            .map_err(|error| self.progress().poison(error))
    }

    /// Takes in a checkpoint of another run, verified: it gets this run's identity and the next sequence, and keeps in its
    /// metadata what it was. So it becomes latest, which in a run that has checkpoints must be meant: `as_latest`.
    ///
    /// # Errors
    /// [`Error::Exists`] if the run has checkpoints and `as_latest` is not set; others as [`Run::save`].
    pub fn import(&self, checkpoint: &Checkpoint, as_latest: bool) -> Result<Saved> {
        if !as_latest && !self.reader.names()?.0.is_empty() {
            let reason = "it has checkpoints, and an import becomes the latest; say so to mean it".to_owned();
            return Err(Error::Exists { path: self.path().to_owned(), reason });
        }
        self.import_as(checkpoint, checkpoint.metadata().clone())
    }

    /// As [`Run::import`], where it is known that the run may have it, with other metadata than its own.
    pub(crate) fn import_as(&self, checkpoint: &Checkpoint, metadata: Metadata) -> Result<Saved> {
        checkpoint.verify()?;
        let from = checkpoint.metadata();
        let origin = Origin {
            run_id: from.run_id.clone(),
            kind: from.kind.clone(),
            name: from.name.clone(),
            epoch: from.epoch,
            sequence: from.sequence,
            index_digest: checkpoint.index_digest(),
        };
        let mut metadata = Metadata { origin: Some(origin), ..metadata };
        // Its best counts checkpoints of the run that it came from.
        metadata.metrics.best.clear();
        let mut sections = Vec::new();
        for section in checkpoint.sections()? {
            let stream = checkpoint.stream(&section.name)?;
            sections.push(
                Section::reader(&section.name, stream)
                    .of_kind(&section.kind, section.version)
                    .in_codec(section.codec),
            );
        }
        self.save(metadata, sections)
    }

    /// Says which way metrics get better and what the best of each was so far. Every later checkpoint says the same, and notes
    /// itself where it is better.
    pub fn carry(&self, metrics: Metrics) {
        let Metrics { directions, best, .. } = metrics;
        self.progress().carried = Metrics { directions, best, ..Metrics::default() };
    }

    /// Logs what was decided about this run outside of the store. It explains and decides nothing, so if it cannot be logged
    /// that is a notice; so it is if this attempt was overtaken. Does not wait for a save that is under way.
    pub fn note(&self, note: Note) {
        match self.ownership.check(self.reader.storage().as_ref()) {
            Ok(()) => self.tell(LogEvent::Noted(note)),
            Err(error) => self.asides.notice(error),
        }
    }

    /// Bytes of the last checkpoint's file, by this handle or as the log says; 0 if there was none. Does not wait for a save
    /// that is under way.
    pub fn last_stored_bytes(&self) -> u64 {
        self.asides.last_stored_bytes()
    }

    /// Room on the medium, asked now.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Permission`].
    pub fn space(&self) -> Result<Space> {
        self.reader.storage().space().map_err(|source| Error::io("asking for the free space of", ".", source))
    }

    /// What went wrong on the side without making a call fail: a line that could not be logged, a file that could not be
    /// set aside. Each is returned once.
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.asides.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the fields that are the store's.
    fn complete(&self, mut metadata: Metadata, sequence: u64, carried: &Metrics) -> Metadata {
        let identity = self.reader.identity();
        metadata.metrics.inherit(carried);
        metadata.metrics.note_best(self.epoch(), sequence);
        Metadata {
            run_id: identity.run_id.clone(),
            kind: identity.kind.to_string(),
            name: identity.name.to_string(),
            epoch: self.epoch(),
            sequence,
            writer: Some(self.locker.writer.clone()),
            created_at: match metadata.created_at {
                unset if unset == Timestamp::default() => (self.locker.clock)(),
                set => set,
            },
            ..metadata
        }
    }

    /// Whether the disk is filling up. Then an urgent save is given the reserve, for it may be larger than the last one.
    fn make_room(&self, metadata: &Metadata, sections: &[Section<'_>], progress: &mut Progress) -> bool {
        let Ok(space) = self.reader.storage().space() else { return false };
        let known: u64 = sections.iter().filter_map(Section::known_bytes).sum();
        let filling = space::is_filling(space, self.last_stored_bytes().max(known));
        if filling && metadata.events.iter().any(|cause| cause.event.is_urgent()) {
            self.release_reserve(progress);
        }
        filling
    }

    /// Gives back the room that was kept. Returns whether there was any.
    pub(crate) fn release_reserve(&self, progress: &mut Progress) -> bool {
        progress.reserved_bytes = 0;
        self.reader.storage().unlink(layout::RESERVE).is_ok()
    }

    /// Keeps the little room that deleting needs for its line in the log, whatever the options: on a full disk nothing could
    /// be deleted without it.
    pub(crate) fn keep_least_reserve(&self) {
        const LEAST_BYTES: u64 = 64 << 10;
        let storage = self.reader.storage();
        // What is there already is at least as much; and a disk that has no room for it has none for anything.
        let Ok(mut file) = storage.create(layout::RESERVE) else { return };
        if file.allocate(LEAST_BYTES).and_then(|()| file.close()).is_err() {
            let _ = unlink_if_there(storage.as_ref(), layout::RESERVE);
        }
    }

    /// Keeps room for an urgent save, as much as the last one took. Not worth an error if there is none.
    fn keep_reserve(&self, progress: &mut Progress) {
        let wanted = self.last_stored_bytes();
        let storage = self.reader.storage();
        let enough = progress.reserved_bytes >= wanted - wanted / 10;
        if !self.options.reserve || enough {
            return;
        }
        if !storage.space().is_ok_and(|space| !space::is_filling(space, wanted)) {
            return;
        }
        let allocate = || {
            unlink_if_there(storage.as_ref(), layout::RESERVE).map_err(|error| error.to_string())?;
            let mut file = storage.create(layout::RESERVE).map_err(|error| error.to_string())?;
            file.allocate(wanted).and_then(|()| file.close()).map_err(|error| error.to_string())
        };
        match allocate() {
            Ok(()) => progress.reserved_bytes = wanted,
            Err(error) => {
                // What was allocated before it failed would only take room.
                let _ = unlink_if_there(storage.as_ref(), layout::RESERVE);
                self.asides.notice(format_args!("no room could be reserved for an urgent save: {error}"));
            }
        }
    }

    /// Moves a damaged file away and says so; nothing is returned if it could not be moved.
    fn set_aside(&self, named: &Named, reason: &str) -> Option<String> {
        let storage = self.reader.storage().as_ref();
        let millis = (self.locker.clock)().millis();
        let usable = self.progress().check();
        let moved =
            usable.and_then(|()| self.locker.mutate(self.epoch(), Purpose::SetAside)).and_then(|held| {
                self.ownership.check(storage)?;
                publish::set_aside(storage, &named.file_name, millis, &held)
            });
        let mut progress = self.progress();
        let set_aside = match moved {
            Ok((to, synced)) => {
                if let Err(error) = synced {
                    self.asides.notice(progress.poison(error));
                }
                Some(to)
            }
            // Who was overtaken changes nothing, the log neither.
            Err(Error::Fenced { .. }) => return None,
            Err(error) => {
                let error = progress.poison(error);
                self.asides.notice(format_args!("{} could not be set aside: {error}", named.file_name));
                None
            }
        };
        let (epoch, sequence) = named.order;
        let event = LogEvent::SteppedBack {
            epoch,
            sequence,
            file_name: named.file_name.clone(),
            reason: reason.to_owned(),
            set_aside: set_aside.clone(),
        };
        self.tell(event);
        set_aside
    }

    fn tell_saved(&self, saved: &Saved, metadata: &Metadata) {
        let event = LogEvent::Saved {
            epoch: saved.epoch,
            sequence: saved.sequence,
            file_name: saved.file_name.clone(),
            events: metadata.event_list(),
            stored_bytes: saved.stored_bytes,
            raw_bytes: saved.raw_bytes,
            costs: saved.costs,
        };
        self.tell(event);
        // A process that never ends must not grow one file for ever; looking each time would cost more than the line.
        if saved.sequence.is_multiple_of(SAVES_PER_LOG_CHECK)
            && let Err(error) = self.log.rotate_if_full()
        {
            self.asides.notice(error);
        }
    }

    /// Logs what explains but decides nothing: a failure becomes a notice.
    pub(crate) fn tell(&self, event: LogEvent) {
        if let Err(error) = self.log.append(&self.log_entry(event), false) {
            self.asides.notice(error);
        }
    }

    pub(crate) fn log_entry(&self, event: LogEvent) -> LogEntry {
        LogEntry { at: (self.locker.clock)(), by: self.locker.writer.clone(), event }
    }
}

pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// The name that says for people what is inside.
fn file_name(metadata: &Metadata) -> String {
    let events = metadata.event_list();
    let label = Label {
        market: metadata.market.clone(),
        step: metadata.position.step,
        event: ckpt_format::Event::strongest(&events).cloned().map(Into::into),
        val_reward: metadata.metrics.get("val_reward"),
        sharpe_ratio: metadata.metrics.get("sharpe_ratio"),
        seed: metadata.seed,
    };
    FileName { epoch: metadata.epoch, sequence: metadata.sequence, label }.render()
}
