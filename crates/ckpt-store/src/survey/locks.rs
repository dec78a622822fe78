//! Who holds a lock, found out without asking for it.
//!
//! A lock that is tried for is held for a moment, and whoever tries then is turned away: so what the system tells about all locks is
//! read instead. Processes in other containers or on other machines are not among them.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ckpt_format::Timestamp;

use crate::host;
use crate::lock::read_note;
use crate::storage::Storage;

/// More than one call is ever given of the table.
const PIECE_BYTES: usize = 64 << 10;
/// How often the table is read before a lock that is not in it counts as free.
const LOOKS: usize = 3;

/// What can be seen of a lock from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockSight {
    /// The name of its file in the run's directory.
    pub name: &'static str,
    /// Whether somebody holds it; nothing if that cannot be seen from here.
    pub is_held: Option<bool>,
    /// The process that holds it, as the system says.
    pub pid: Option<u32>,
    /// Who held it last, as stands in its file: who holds it now, if somebody does.
    pub holder: Option<LockHolder>,
    /// Whether the process that holds it was stopped, and so keeps it without doing anything.
    pub is_stopped: bool,
}

/// Who noted in a lock's file that it has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockHolder {
    /// The machine.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
    /// Its epoch.
    pub epoch: u64,
    /// Whether that machine is this one.
    pub is_here: bool,
}

impl LockSight {
    /// What can be seen of the lock at this name in the directory.
    pub(super) fn of(storage: &dyn Storage, path: &Path, name: &'static str) -> Self {
        let here = host::this_process().host;
        let holder = read_note(storage, name).map(|note| LockHolder {
            is_here: note.host == here,
            host: note.host,
            pid: note.pid,
            since: note.since,
            epoch: note.epoch,
        });
        let Ok(found) = fs::symlink_metadata(path.join(name)) else {
            return Self { name, is_held: Some(false), pid: None, holder: None, is_stopped: false };
        };
        let noted = holder.as_ref().map(|holder| holder.pid);
        let look = |_| table().map(|table| owner(&table, found.dev(), found.ino(), noted));
        // Nobody holds it only if each look misses it.
        let pid = (0..LOOKS).map(look).find(|seen| !matches!(seen, Ok(None))).unwrap_or(Ok(None));
        let is_elsewhere = holder.as_ref().is_some_and(|holder| !holder.is_here);
        let is_held = match pid {
            Ok(Some(_)) => Some(true),
            Ok(None) if !is_elsewhere => Some(false),
            _ => None,
        };
        let pid = pid.ok().flatten();
        let is_stopped = pid.is_some_and(is_stopped);
        Self { name, is_held, pid, holder, is_stopped }
    }
}

/// The system's table of locks. What one call asks for is of one moment, up to a page of it; between two calls a lock that ends moves
/// those behind it forward, and one of them is passed over.
fn table() -> io::Result<String> {
    let mut file = File::open("/proc/locks")?;
    let mut table = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(String::from_utf8_lossy(&table).into_owned()),
            length => table.extend_from_slice(piece.get(..length).unwrap_or_default()),
        }
    }
}

/// The process that has this file locked, in the system's table of locks. Some file systems give the table another device than they
/// tell who asks for the file; then the number of the file and the process that noted itself have to do.
fn owner(table: &str, device: u64, file: u64, noted: Option<u32>) -> Option<u32> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let place = format!("{major:02x}:{minor:02x}:{file}");
    let number = format!(":{file}");
    table.lines().find_map(|line| {
        // One that waits for the lock is marked by an arrow.
        let words: Vec<&str> = line.split_whitespace().filter(|word| *word != "->").collect();
        if words.len() < line.split_whitespace().count() {
            return None;
        }
        let pid = words.get(4)?.parse().ok()?;
        let locked = *words.get(5)?;
        (locked == place || (locked.ends_with(&number) && Some(pid) == noted)).then_some(pid)
    })
}

/// Whether the process stands still, by a signal or a debugger.
fn is_stopped(pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The program's name stands in brackets and may hold anything, brackets too.
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 't'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
1: FLOCK  ADVISORY  WRITE 31528 fe:00:10421554 0 EOF
1: -> FLOCK  ADVISORY  WRITE 31529 fe:00:10421554 0 EOF
2: POSIX  ADVISORY  READ  77 00:2d:4242 100 200
";

    #[test]
    fn the_owner_is_who_has_the_file_and_not_who_waits() {
        let device = rustix::fs::makedev(0xfe, 0);
        assert_eq!(owner(TABLE, device, 10_421_554, None), Some(31_528));
        assert_eq!(owner(TABLE, device, 421_554, None), None, "the end of another number");
        assert_eq!(owner(TABLE, device, 4_242, None), None, "another device");
        assert_eq!(owner(TABLE, device, 4_242, Some(77)), Some(77), "who noted itself");
        assert_eq!(owner(TABLE, device, 4_242, Some(78)), None);
        assert_eq!(owner("", device, 10_421_554, None), None);
    }

    #[test]
    fn this_process_is_not_stopped() {
        assert!(!is_stopped(std::process::id()));
    }
}
