//! The kinds of a crate: collected once, then checked, documented, released.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::earlier::complete;
use super::folder::Folder;
use super::held::{Held, values};
use super::lock::{LOCK_FILE, Lock, Locked, ReleaseError, WORDS, golden_file, kind_of_golden, make_golden};
use super::pages;
use super::refusal::{Refusal, Refusals, Rule};
use super::removal::Removal;
use super::shape::Shape;
use super::table::{VersionTable, tables};
use super::version::{Defaults, Description, Version, document};
use super::{Chain, Described};
use crate::codec::EncodeError;
use crate::section::EncodedSection;

/// The stored kinds of a crate or an application.
#[derive(Default)]
pub struct Kinds {
    kinds: BTreeMap<&'static str, Kind>,
    parts: BTreeMap<String, Value>,
    /// Which type a part is, by the name of its schema.
    part_types: BTreeMap<String, String>,
    /// What was wrong with what was added.
    broken: Vec<Refusal>,
}

struct Kind {
    versions: Vec<Version>,
    /// The `Default` of the newest version.
    default: Option<Value>,
    /// The same as it is saved.
    cold_start: Option<fn() -> Result<EncodedSection, EncodeError>>,
}

/// How much was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Kinds in the code.
    pub kinds: usize,
    /// Versions in the code.
    pub versions: usize,
    /// Versions in the lock.
    pub released: usize,
    /// Golden files that were read, each as every version from its own on.
    pub golden_files: usize,
    /// Fields of JSON kinds that were removed from a stored document, one at a time.
    pub fields_removed: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kinds, versions, released, golden_files, fields_removed } = self;
        write!(
            f,
            "{kinds} kinds in {versions} versions, {released} of them released; {golden_files} golden files read, \
             {fields_removed} fields removed one at a time"
        )
    }
}

impl Kinds {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a kind, by its newest type, and all its previous versions.
    #[must_use]
    pub fn add<T: Described + Chain + Default>(self) -> Self {
        let encode = || EncodedSection::encode("cold-start", &T::default());
        self.with::<T>(Some(document(&T::default())), Some(encode))
    }

    /// With a kind that has no cold start, such as an enum: what its fields default to is held against nothing.
    #[must_use]
    pub fn add_without_default<T: Described + Chain>(self) -> Self {
        self.with::<T>(None, None)
    }

    /// With the `Default` of a struct that stands inside a kind: in a list, a map, another struct.
    #[must_use]
    pub fn part<P: JsonSchema + Serialize + Default>(mut self) -> Self {
        let name = P::schema_name().into_owned();
        let (id, of_this_name) = (P::schema_id().into_owned(), self.part_types.get(&name));
        if let Some(other) = of_this_name.filter(|other| **other != id) {
            let reason = format!(
                "{other} and {id} are both named so, and the defaults of one would be held against those of the other: give \
                 one another name, #[schemars(rename = \"..\")]"
            );
            self.broken.push(not_described(&name, 0, reason));
        }
        self.part_types.insert(name.clone(), id);
        match document(&P::default()) {
            Ok(default) => {
                self.parts.insert(name, default);
            }
            Err(error) => self.broken.push(not_described(&name, 0, format!("its Default: {error}"))),
        }
        self
    }

    fn with<T: Described + Chain>(
        mut self,
        default: Option<Result<Value, crate::json::RefusedValue>>,
        cold_start: Option<fn() -> Result<EncodedSection, EncodeError>>,
    ) -> Self {
        let default = default.transpose().unwrap_or_else(|error| {
            self.broken.push(not_described(T::KIND, T::VERSION, format!("its Default: {error}")));
            None
        });
        let kind = Kind { versions: T::versions(), default, cold_start };
        if self.kinds.insert(T::KIND, kind).is_some() {
            self.broken.push(not_described(T::KIND, 0, "it was added twice".to_owned()));
        }
        self
    }

    /// The names of the kinds.
    pub fn names(&self) -> Vec<&'static str> {
        self.kinds.keys().copied().collect()
    }

    /// The shape of a kind's version, as the code has it.
    pub fn shape(&self, kind: &str, version: u32) -> Option<Shape> {
        let of_version =
            self.describe(kind).into_iter().find(|description| description.version.number == version);
        of_version.map(|description| description.shape)
    }

    /// Every field of every version in JSON, removed from a stored document: what arrived in its place.
    ///
    /// # Errors
    /// [`Refusals`] for each field that no sample holds, that no report names or whose absence changes another.
    pub fn removals(&self) -> Result<Vec<Removal>, Refusals> {
        let mut removals = Vec::new();
        let mut refused = self.broken.clone();
        for description in self.kinds.keys().flat_map(|name| self.describe(name)) {
            removals.extend(description.removals);
            refused.extend(description.refusals);
        }
        if refused.is_empty() { Ok(removals) } else { Err(Refusals(refused)) }
    }

    /// Holds the code against the lock and the golden files in the folder.
    ///
    /// # Errors
    /// [`Refusals`]: every change that would break a file on somebody's disk, with its way out.
    pub fn check(&self, folder: &Folder) -> Result<Summary, Refusals> {
        let mut refused = self.broken.clone();
        // Without it nothing was ever released, as it seems, and all that was said of that would be wrong.
        let lock = read_lock(folder)?;
        let mut summary = Summary::default();
        for name in self.kinds.keys() {
            let descriptions = self.describe(name);
            let locked = locked(&lock, name, &descriptions);
            summary.kinds += 1;
            summary.versions += descriptions.len();
            summary.released += locked.len();
            summary.golden_files += locked.values().map(|locked| locked.golden.len()).sum::<usize>();
            summary.fields_removed +=
                descriptions.iter().map(|description| description.removals.len()).sum::<usize>();
            refused.extend(never_released(&descriptions, &locked));
            refused.extend(Held { kind: name, descriptions: &descriptions, locked: &locked }.check(folder));
        }
        for name in lock.kinds.keys().filter(|name| !self.kinds.contains_key(name.as_str())) {
            let (kind, path) = (name.clone(), "$".to_owned());
            refused.push(Refusal { kind, version: 0, path, rule: Rule::KindGone });
        }
        refused.extend(not_in_the_lock(&lock, folder));
        if refused.is_empty() { Ok(summary) } else { Err(Refusals(refused)) }
    }

    /// What releasing a kind adds to the folder, or changes in it: the lock, and new golden files.
    ///
    /// # Errors
    /// [`ReleaseError`]: nothing is new, the check refuses something, a golden file is there already.
    pub fn release(&self, kind: &str, folder: &Folder) -> Result<Folder, ReleaseError> {
        if !self.kinds.contains_key(kind) {
            let known = self.names().join(", ");
            return Err(ReleaseError::UnknownKind { kind: kind.to_owned(), known });
        }
        let mut lock = read_lock(folder)?;
        let descriptions = self.describe(kind);
        let mut locked = locked(&lock, kind, &descriptions);
        let mut refused = self.broken.clone();
        refused.extend(Held { kind, descriptions: &descriptions, locked: &locked }.check(folder));
        if !refused.is_empty() {
            return Err(Refusals(refused).into());
        }
        let mut files = Folder::default();
        for (index, description) in descriptions.iter().enumerate() {
            let number = description.version.number;
            let earlier = locked.get(&number).cloned();
            let Some(next) = released(description, earlier, folder, &mut files)? else { continue };
            let reads = reads(&descriptions[index..=index], &locked, number, &files, folder);
            let reads = reads.map_err(Refusals)?;
            locked.insert(number, Locked { reads, ..next });
        }
        if files.iter().next().is_none() {
            let version = descriptions.last().map_or(0, |description| description.version.number);
            return Err(ReleaseError::NothingNew { kind: kind.to_owned(), version });
        }
        lock.kinds.insert(kind.to_owned(), locked);
        files.insert(LOCK_FILE, lock.to_text());
        Ok(files)
    }

    /// The documentation: an index, a page a kind, a JSON Schema a version.
    ///
    /// # Errors
    /// [`Refusals`] if the lock can't be read.
    pub fn pages(&self, folder: &Folder) -> Result<Folder, Refusals> {
        let lock = read_lock(folder)?;
        let tables = |name: &&'static str| (*name, self.tables_of(name, &lock));
        Ok(pages::pages(&self.kinds.keys().map(tables).collect::<Vec<_>>()))
    }

    /// The versions of a kind as its page shows them, oldest first; none of an unknown one.
    ///
    /// # Errors
    /// [`Refusals`] if the lock can't be read.
    pub fn tables(&self, kind: &str, folder: &Folder) -> Result<Vec<VersionTable>, Refusals> {
        Ok(self.tables_of(kind, &read_lock(folder)?))
    }

    fn tables_of(&self, kind: &str, lock: &Lock) -> Vec<VersionTable> {
        let descriptions = self.describe(kind);
        tables(&descriptions, &locked(lock, kind, &descriptions))
    }

    /// The versions of a kind, oldest first; none of an unknown one.
    fn describe(&self, name: &str) -> Vec<Description> {
        let Some(kind) = self.kinds.get(name) else { return Vec::new() };
        let newest = kind.versions.len().saturating_sub(1);
        let describe = |(index, version): (usize, &Version)| {
            let judged = index == newest;
            let own = kind.default.as_ref().filter(|_| judged);
            let mut description = version.describe(&Defaults { own, parts: &self.parts, judged });
            if let (Some(own), Some(saved)) = (own, kind.cold_start) {
                description.check_cold_start(own, saved());
            }
            description
        };
        kind.versions.iter().enumerate().map(describe).collect()
    }
}

/// What was released of a kind, in the words of today.
fn locked(lock: &Lock, kind: &str, descriptions: &[Description]) -> BTreeMap<u32, Locked> {
    let mut locked = lock.kinds.get(kind).cloned().unwrap_or_default();
    for description in descriptions {
        if let Some(locked) = locked.get_mut(&description.version.number) {
            complete(locked, description);
        }
    }
    locked
}

/// The next state of a version in the lock, and its golden file; nothing if it is as it was released.
fn released(
    description: &Description,
    earlier: Option<Locked>,
    folder: &Folder,
    files: &mut Folder,
) -> Result<Option<Locked>, ReleaseError> {
    let mut locked = earlier.clone().unwrap_or_else(|| Locked {
        shape: Shape { codec: description.shape.codec.clone(), ..Shape::default() },
        words: WORDS,
        golden: Vec::new(),
        reads: BTreeMap::new(),
    });
    let release = locked.golden.len() + 1;
    let known: BTreeSet<String> = locked.shape.fields.keys().cloned().collect();
    let is_new = |path: &&String| !known.contains(path.as_str());
    if earlier.is_some() && !description.shape.fields.keys().any(|path| is_new(&path)) {
        return Ok(None);
    }
    for (path, field) in &description.shape.fields {
        let mut field = field.clone();
        field.release = locked.shape.fields.get(path).map_or(release as u32, |known| known.release);
        locked.shape.fields.insert(path.clone(), field);
    }
    locked.shape.trace.clone_from(&description.shape.trace);
    locked.shape.keys.clone_from(&description.shape.keys);
    let file = golden_file(description.version.kind, description.version.number, release);
    if folder.get(&file).is_some() {
        return Err(ReleaseError::Exists { file });
    }
    let (golden, bytes) = make_golden(description, file)?;
    files.insert(golden.file.clone(), bytes);
    locked.golden.push(golden);
    Ok(Some(locked))
}

/// What the golden files of the versions before `number` read as in it.
fn reads(
    description: &[Description],
    locked: &BTreeMap<u32, Locked>,
    number: u32,
    files: &Folder,
    folder: &Folder,
) -> Result<BTreeMap<String, Vec<Value>>, Vec<Refusal>> {
    let mut reads = BTreeMap::new();
    let goldens = locked.range(..number).flat_map(|(_, locked)| &locked.golden);
    for (golden, description) in goldens.flat_map(|golden| description.iter().map(move |one| (golden, one))) {
        let bytes = files.get(&golden.file).or_else(|| folder.get(&golden.file)).unwrap_or_default();
        let values = values(bytes, &description.version).map_err(|reason| {
            let rule = Rule::GoldenUnreadable { file: golden.file.clone(), reason };
            vec![Refusal {
                kind: description.version.kind.to_owned(),
                version: number,
                path: "$".to_owned(),
                rule,
            }]
        })?;
        reads.insert(golden.file.clone(), values);
    }
    Ok(reads)
}

fn never_released(descriptions: &[Description], locked: &BTreeMap<u32, Locked>) -> Vec<Refusal> {
    let before_the_newest = descriptions.iter().rev().skip(1).rev().map(|description| &description.version);
    let never = before_the_newest.filter(|version| !locked.contains_key(&version.number));
    never
        .map(|version| Refusal {
            kind: version.kind.to_owned(),
            version: version.number,
            path: "$".to_owned(),
            rule: Rule::NeverReleased { version: version.number },
        })
        .collect()
}

/// Golden files of releases that the lock has lost, by which nothing would be held against them.
fn not_in_the_lock(lock: &Lock, folder: &Folder) -> Vec<Refusal> {
    let locked = lock.kinds.values().flat_map(BTreeMap::values).flat_map(|locked| &locked.golden);
    let locked: BTreeSet<&str> = locked.map(|golden| golden.file.as_str()).collect();
    let golden = folder.iter().map(|(path, _)| path).filter_map(|path| Some((path, kind_of_golden(path)?)));
    golden
        .filter(|(path, _)| !locked.contains(path))
        .map(|(path, kind)| {
            let rule = Rule::GoldenUnlocked { file: path.to_owned() };
            Refusal { kind: kind.to_owned(), version: 0, path: path.to_owned(), rule }
        })
        .collect()
}

fn read_lock(folder: &Folder) -> Result<Lock, Refusals> {
    Lock::read(folder).map_err(|reason| Refusals(vec![not_described(LOCK_FILE, 0, reason)]))
}

fn not_described(kind: &str, version: u32, reason: String) -> Refusal {
    Refusal { kind: kind.to_owned(), version, path: "$".to_owned(), rule: Rule::NotDescribed { reason } }
}
