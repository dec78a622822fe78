//! A kind as the code has it, held against what was released of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::came::Came;
use super::compare::{Standing, compare};
use super::folder::Folder;
use super::lock::{Golden, Locked, golden_file, read_golden};
use super::refusal::{Refusal, Rule};
use super::version::{Description, Version};
use crate::digest::Digest;

/// A kind in the code and in the lock.
pub(super) struct Held<'a> {
    pub(super) kind: &'a str,
    pub(super) descriptions: &'a [Description],
    pub(super) locked: &'a BTreeMap<u32, Locked>,
}

impl Held<'_> {
    /// What the code changed about what was released, and what became of the golden files.
    pub(super) fn check(&self, folder: &Folder) -> Vec<Refusal> {
        let mut refused: Vec<Refusal> =
            self.descriptions.iter().flat_map(|description| description.refusals.clone()).collect();
        for (number, locked) in self.locked {
            let Some(description) = self.descriptions.iter().find(|one| one.version.number == *number) else {
                refused.push(self.refusal(*number, "$", Rule::MissingMigration { version: *number }));
                continue;
            };
            let known =
                |path: &str| refused.iter().any(|known| known.version == *number && known.path == path);
            let compared = compare(&locked.shape, &description.shape, self.standing(*number));
            let compared: Vec<_> = compared.into_iter().filter(|(path, _)| !known(path)).collect();
            refused.extend(compared.into_iter().map(|(path, rule)| self.refusal(*number, &path, rule)));
        }
        // A shape that changed reads its files otherwise: said once.
        let is_sound = refused.is_empty();
        for (number, locked) in self.locked {
            let file = golden_file(self.kind, *number, 1);
            // One that is there is of no release in the lock, which is said for the folder.
            if locked.golden.is_empty() && folder.get(&file).is_none() {
                refused.push(self.refusal(*number, &file, Rule::GoldenMissing));
            }
            for (golden, release) in locked.golden.iter().zip(1..) {
                match folder.get(&golden.file) {
                    None => refused.push(self.refusal(*number, &golden.file, Rule::GoldenMissing)),
                    Some(bytes) => refused.extend(self.golden((*number, release), golden, bytes, is_sound)),
                }
            }
        }
        refused
    }

    fn standing(&self, version: u32) -> Standing {
        match self.descriptions.last().map(|newest| newest.version.number) {
            Some(current) if current > version => Standing::Frozen { version, current },
            _ => Standing::Current,
        }
    }

    /// One golden file, read as every version from its own on.
    fn golden(&self, of: (u32, u32), golden: &Golden, bytes: &[u8], is_sound: bool) -> Vec<Refusal> {
        let (number, release) = of;
        let found = Digest::of(bytes).to_string();
        if found != golden.digest {
            let rule = Rule::GoldenChanged { locked: golden.digest.clone(), found };
            return vec![self.refusal(number, &golden.file, rule)];
        }
        let mut refused = Vec::new();
        let later =
            self.descriptions.iter().filter(|description| is_sound && description.version.number >= number);
        for description in later {
            let version = description.version.number;
            let read = match values(bytes, &description.version) {
                Ok(read) => read,
                Err(reason) => {
                    let rule = Rule::GoldenUnreadable { file: golden.file.clone(), reason };
                    refused.push(self.refusal(version, "$", rule));
                    continue;
                }
            };
            // Not released yet: that it can be read is all that is asked.
            let Some(locked) = self.locked.get(&version) else { continue };
            let (recorded, release) = match locked.reads.get(&golden.file) {
                // Recorded anew by each release of the version.
                Some(reads) if version > number => (reads, u32::MAX),
                _ => (&golden.values, release),
            };
            let came = Came { locked: &locked.shape, code: &description.shape, release };
            if let Some((path, locked, code)) = came.other_of_all(recorded, &read) {
                let rule = Rule::GoldenReadsOther { file: golden.file.clone(), locked, code };
                refused.push(self.refusal(version, &path, rule));
            }
        }
        refused
    }

    fn refusal(&self, version: u32, path: &str, rule: Rule) -> Refusal {
        Refusal { kind: self.kind.to_owned(), version, path: path.to_owned(), rule }
    }
}

/// The values of a golden file, read as a version.
pub(super) fn values(file: &[u8], version: &Version) -> Result<Vec<Value>, String> {
    let read = |section| version.read(section).map(|(value, _)| value).map_err(|error| error.to_string());
    read_golden(file)?.iter().map(read).collect()
}
