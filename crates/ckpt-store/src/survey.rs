//! What lies in a run's directory beside its checkpoints, and what stands in the way of reading and writing it.
//!
//! Looks only: files are opened to be read, no lock is taken, nothing is made or changed.

mod locks;

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use ckpt_format::Timestamp;
use rustix::fs::{AtFlags, CWD};

use crate::error::{Error, Result};
use crate::layout;
use crate::lock::highest_marker;
use crate::storage::{EntryKind, Local, Space, Storage};

pub use locks::{LockHolder, LockSight};

/// What lies in a run's directory beside its checkpoints, at one moment; a writer may change it at the next.
///
/// ```
/// use ckpt_format::Timestamp;
/// use ckpt_store::{Run, RunOptions, Survey};
///
/// # let root = tempfile::tempdir()?;
/// # let path = root.path().join("training/demo");
/// let options = RunOptions::new(|| Timestamp::from_millis(1_763_210_096_789));
/// let run = Run::create(&path, &"training".parse()?, &"demo".parse()?, options)?;
/// let survey = Survey::of(&path)?;
/// assert_eq!(survey.writer.is_held, Some(true));
/// assert_eq!(survey.writer.pid, Some(std::process::id()));
/// assert!(survey.obstacles.is_empty() && survey.staged.is_empty());
/// drop(run);
/// assert_eq!(Survey::of(&path)?.writer.is_held, Some(false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// The writer's lock.
    pub writer: LockSight,
    /// The lock of every change.
    pub mutation: LockSight,
    /// Files that are being written, or were when their writer died.
    pub staged: Vec<StagedFile>,
    /// Files that were set aside, oldest first.
    pub set_aside: Vec<SetAside>,
    /// The highest epoch that was begun, 0 if none was.
    pub epoch: u64,
    /// What would stop this process from reading or writing the run.
    pub obstacles: Vec<Obstacle>,
    /// Room on the medium; what the system said if it does not tell.
    pub space: std::result::Result<Space, String>,
}

/// A file in the run's staging directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Its name beneath `.staging`.
    pub name: String,
    /// (epoch, sequence) of the checkpoint it was to become; nothing for a small file, or one that is not ours.
    pub order: Option<(u64, u64)>,
    /// Its bytes so far.
    pub bytes: u64,
    /// Whether the next writer removes it.
    pub is_swept: bool,
}

/// A file that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Its name beneath `.quarantine`.
    pub name: String,
    /// The name it had, and when it was set aside; nothing if somebody else put it there.
    pub original: Option<(String, Timestamp)>,
    /// Its bytes.
    pub bytes: u64,
}

/// Something at a name of the run that this process cannot use as it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The name in the run's directory; `.` for the directory itself.
    pub name: String,
    /// What it stops: reading, or only writing.
    pub stops: Stops,
    /// Why, with the mode and the owner where they decide.
    pub reason: String,
}

/// What an obstacle stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stops {
    /// Reading, and so everything.
    Reading,
    /// Writing; reading goes on.
    Writing,
}

impl Survey {
    /// Looks at the directory of a run, or at one that should be.
    ///
    /// # Errors
    /// [`Error::RunNotFound`] if there is no directory; [`Error::Permission`], [`Error::Io`] if it cannot be opened. What is wrong
    /// inside is an [`Obstacle`].
    pub fn of(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let storage = Local::open(path).map_err(|source| crate::reader::not_a_run(path, source))?;
        let mut obstacles = obstacles(path);
        let mut listed = |dir: &str| match storage.list(dir) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                let name = if dir.is_empty() { "." } else { dir };
                if !obstacles.iter().any(|known| known.name == name) {
                    let reason = format!("its names can't be listed: {error}");
                    obstacles.push(Obstacle { name: name.to_owned(), stops: Stops::Reading, reason });
                }
                Vec::new()
            }
        };
        let bytes = |dir: &str, name: &str| {
            fs::symlink_metadata(path.join(dir).join(name)).map_or(0, |found| found.len())
        };
        let staged = listed(layout::STAGING).into_iter().map(|entry| {
            let order = layout::staging_order(&entry.name);
            let ours = order.is_some() || layout::is_staging_small(&entry.name);
            StagedFile {
                bytes: bytes(layout::STAGING, &entry.name),
                is_swept: ours && entry.kind == EntryKind::File,
                order,
                name: entry.name,
            }
        });
        let mut staged: Vec<StagedFile> = staged.collect();
        staged.sort_by(|one, other| one.name.cmp(&other.name));
        let set_aside = listed(layout::QUARANTINE).into_iter().map(|entry| {
            let original = layout::quarantined(&entry.name);
            SetAside {
                original: original.map(|(at, name)| (name.to_owned(), Timestamp::from_millis(at))),
                bytes: bytes(layout::QUARANTINE, &entry.name),
                name: entry.name,
            }
        });
        let mut set_aside: Vec<SetAside> = set_aside.collect();
        set_aside.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            writer: LockSight::of(&storage, path, layout::WRITER_LOCK),
            mutation: LockSight::of(&storage, path, layout::MUTATION_LOCK),
            staged,
            set_aside,
            epoch: highest_marker(&storage).unwrap_or(0),
            obstacles,
            space: storage.space().map_err(|error| error.to_string()),
        })
    }
}

/// Whether this process may make files in a directory, as far as owner, mode, flags and mount say. Nothing is made to find out.
///
/// # Errors
/// [`Error::Permission`] with what the system said; [`Error::Io`] if it is not there.
pub fn may_write_in(directory: impl AsRef<Path>) -> Result<()> {
    let directory = directory.as_ref();
    access(directory, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|source| Error::io("making a file in", directory.display().to_string(), source))
}

/// Asked for the rights that hold when a file is opened. Root may what modes forbid, but neither write to a file system that is
/// mounted to be read, nor into what is marked as immutable: the system's answer knows both.
fn access(path: &Path, access: rustix::fs::Access) -> io::Result<()> {
    Ok(rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)?)
}

/// What a name of the run has to be, if it is there.
struct Wanted {
    name: &'static str,
    is_directory: bool,
    is_written: bool,
    /// A second name would be written to, too, so the store refuses to.
    is_single: bool,
}

const WANTED: [Wanted; 7] = [
    Wanted { name: layout::RUN, is_directory: false, is_written: false, is_single: false },
    Wanted { name: layout::LOG, is_directory: false, is_written: true, is_single: true },
    Wanted { name: layout::WRITER_LOCK, is_directory: false, is_written: true, is_single: true },
    Wanted { name: layout::MUTATION_LOCK, is_directory: false, is_written: true, is_single: true },
    Wanted { name: layout::RESERVE, is_directory: false, is_written: true, is_single: false },
    Wanted { name: layout::STAGING, is_directory: true, is_written: true, is_single: false },
    Wanted { name: layout::QUARANTINE, is_directory: true, is_written: true, is_single: false },
];

fn obstacles(path: &Path) -> Vec<Obstacle> {
    use rustix::fs::Access;

    let mut found = Vec::new();
    let about = fs::metadata(path);
    if let Err(error) = access(path, Access::READ_OK | Access::EXEC_OK) {
        let reason = format!("it can't be read: {error}{}", whose(about.as_ref().ok()));
        found.push(Obstacle { name: ".".to_owned(), stops: Stops::Reading, reason });
    } else if let Err(error) = access(path, Access::WRITE_OK) {
        let reason = format!("no file can be made in it: {error}{}", whose(about.as_ref().ok()));
        found.push(Obstacle { name: ".".to_owned(), stops: Stops::Writing, reason });
    }
    found.extend(WANTED.iter().filter_map(|wanted| {
        let (stops, reason) = wanted.refusal(&path.join(wanted.name))?;
        Some(Obstacle { name: wanted.name.to_owned(), stops, reason })
    }));
    found
}

impl Wanted {
    /// Why what stands there is not what is wanted.
    fn refusal(&self, path: &Path) -> Option<(Stops, String)> {
        use rustix::fs::Access;

        let only_read = if self.is_written { Stops::Writing } else { Stops::Reading };
        let found = match fs::symlink_metadata(path) {
            // What is not there is made when it is needed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => return Some((only_read, format!("it can't be looked at: {error}"))),
            Ok(found) => found,
        };
        if self.is_directory && !found.is_dir() {
            return Some((only_read, format!("a directory belongs there, but it is {}", kind(&found))));
        }
        if !self.is_directory && !found.is_file() {
            return Some((only_read, format!("a regular file belongs there, but it is {}", kind(&found))));
        }
        let search = if self.is_directory { Access::EXEC_OK } else { Access::READ_OK };
        if let Err(error) = access(path, Access::READ_OK | search) {
            return Some((only_read, format!("it can't be read: {error}{}", whose(Some(&found)))));
        }
        if self.is_written
            && let Err(error) = access(path, Access::WRITE_OK)
        {
            return Some((Stops::Writing, format!("it can't be written: {error}{}", whose(Some(&found)))));
        }
        if self.is_single && found.nlink() > 1 {
            let reason =
                format!("it has {} names, so writing to it would change another file", found.nlink());
            return Some((Stops::Writing, reason));
        }
        None
    }
}

fn kind(found: &Metadata) -> &'static str {
    match found.file_type() {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_symlink() => "a link, which is not followed",
        kind if kind.is_file() => "a file",
        _ => "a device, a pipe or a socket",
    }
}

/// Mode and owner, for people.
fn whose(found: Option<&Metadata>) -> String {
    let text = |found: &Metadata| {
        format!(" (mode {:04o}, user {}, group {})", found.mode() & 0o7777, found.uid(), found.gid())
    };
    found.map(text).unwrap_or_default()
}
