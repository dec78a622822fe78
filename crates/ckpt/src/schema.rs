//! The folder with the documentation and the lock of an application's stored kinds: checked in a test, written by a chore.
//!
//! In a test, one line; in an xtask, four (`docs/CONTRIBUTING.md`):
//!
//! ```no_run
//! # fn kinds() -> ckpt::describe::Kinds { ckpt::describe::Kinds::new() }
//! fn main() -> Result<(), ckpt::schema::SchemaError> {
//!     let arguments: Vec<String> = std::env::args().skip(1).collect();
//!     println!("{}", ckpt::schema::command(&kinds(), "docs/schema", &arguments)?);
//!     Ok(())
//! }
//! ```
//!
//! What is decided, and by which rules: [`ckpt_format::describe`].

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use ckpt_format::describe::{Folder, Kinds, Refusals, ReleaseError, Summary};

/// How [`command`] is called.
const USAGE: &str = "schema | schema --check | schema release KIND";

/// Why the folder is not in order, or could not be put in order.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A change that would break a file on somebody's disk.
    #[error(transparent)]
    Refused(#[from] Refusals),
    /// Nothing was released.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A page is not what the types say.
    #[error("{}: run `cargo xtask schema` and commit what it writes", .0.join("; "))]
    Stale(Vec<String>),
    /// A file can't be read or written.
    #[error("can't {what} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `list`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not how it is called.
    #[error("{given:?} is not one of: {USAGE}")]
    Usage {
        /// What was given.
        given: String,
    },
}

/// As it is displayed: an xtask that returns it from `main` then says what people can read.
impl fmt::Debug for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Holds the kinds against the lock and the golden files in a folder, and the pages against the types. Nothing is written.
///
/// The one-line test of an application: `ckpt::schema::check(&my_app::kinds(), "docs/schema")?;`
///
/// # Errors
/// [`SchemaError::Refused`] with every change that would break a stored file; [`SchemaError::Stale`] with the pages that
/// are not what the types say; [`SchemaError::Io`].
pub fn check(kinds: &Kinds, folder: impl AsRef<Path>) -> Result<Summary, SchemaError> {
    let folder = folder.as_ref();
    let files = read(folder)?;
    let summary = kinds.check(&files)?;
    let pages = kinds.pages(&files)?;
    let mut stale: Vec<String> = pages
        .iter()
        .filter_map(|(path, page)| Some((path, staleness(files.get(path), page)?)))
        .map(|(path, why)| format!("{} is {why}", folder.join(path).display()))
        .collect();
    stale.extend(left_over(&files, &pages).map(|path| left_over_in_words(folder, path)));
    if stale.is_empty() { Ok(summary) } else { Err(SchemaError::Stale(stale)) }
}

/// What an xtask does: `schema` writes the pages, `schema --check` is [`check`], `schema release KIND` adds a release to
/// the lock. Says in one text what was done.
///
/// A golden file is created, never written over. A page is written only where it differs.
///
/// # Errors
/// As [`check`]; [`SchemaError::Release`] if there is nothing to release or it is refused; [`SchemaError::Usage`].
pub fn command(kinds: &Kinds, folder: impl AsRef<Path>, arguments: &[String]) -> Result<String, SchemaError> {
    let folder = folder.as_ref();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["schema"] => write_all(kinds, folder),
        ["schema", "--check"] => Ok(check(kinds, folder)?.to_string()),
        ["schema", "release", kind] => release(kinds, folder, kind),
        _ => Err(SchemaError::Usage { given: words.join(" ") }),
    }
}

/// The files of a folder and of `golden` in it, as [`Kinds::check`] takes them; none if it is not there yet.
///
/// # Errors
/// [`SchemaError::Io`].
pub fn read(folder: &Path) -> Result<Folder, SchemaError> {
    let mut files = Folder::default();
    for below in ["", "golden"] {
        let directory = if below.is_empty() { folder.to_owned() } else { folder.join(below) };
        let failed = |what, path: &Path, source| SchemaError::Io { what, path: path.to_owned(), source };
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("list", &directory, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| failed("list", &directory, error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file())
            else {
                continue;
            };
            let name = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            files.insert(name, fs::read(&path).map_err(|error| failed("read", &path, error))?);
        }
    }
    Ok(files)
}

/// Written even if the lock refuses: the pages say what the types are, the lock whether they may be so.
fn write_all(kinds: &Kinds, folder: &Path) -> Result<String, SchemaError> {
    let mut lines = write_pages(kinds, folder)?;
    lines.push(kinds.check(&read(folder)?)?.to_string());
    Ok(lines.join("\n"))
}

fn write_pages(kinds: &Kinds, folder: &Path) -> Result<Vec<String>, SchemaError> {
    let files = read(folder)?;
    let mut lines = Vec::new();
    let pages = kinds.pages(&files)?;
    for (path, page) in pages.iter().filter(|(path, page)| files.get(path) != Some(page)) {
        lines.push(write(&folder.join(path), page, Mode::Replace)?);
    }
    lines.extend(left_over(&files, &pages).map(|path| left_over_in_words(folder, path)));
    Ok(lines)
}

fn release(kinds: &Kinds, folder: &Path, kind: &str) -> Result<String, SchemaError> {
    let released = kinds.release(kind, &read(folder)?)?;
    let mut lines = Vec::new();
    // The lock last: it must not name a file that is not there.
    let (locks, golden): (Vec<_>, Vec<_>) = released.iter().partition(|(path, _)| path.ends_with(".json"));
    for (path, bytes) in &golden {
        lines.push(write(&folder.join(path), bytes, Mode::CreateNew)?);
    }
    for (path, bytes) in locks {
        lines.push(write(&folder.join(path), bytes, Mode::Replace)?);
    }
    lines.extend(write_pages(kinds, folder)?);
    Ok(lines.join("\n"))
}

fn left_over_in_words(folder: &Path, path: &str) -> String {
    format!("{} is of no version any more, remove it", folder.join(path).display())
}

/// JSON Schemas of versions that are not among the pages.
fn left_over<'a>(files: &'a Folder, pages: &'a Folder) -> impl Iterator<Item = &'a str> {
    let is_of_a_version = |path: &str| {
        let stem = path.strip_suffix(".schema.json").and_then(|stem| stem.rsplit_once(".v"));
        stem.is_some_and(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    files.iter().map(|(path, _)| path).filter(move |path| is_of_a_version(path) && pages.get(path).is_none())
}

/// Why a file is not the page that it should be, by the first line that differs.
fn staleness(found: Option<&[u8]>, page: &[u8]) -> Option<String> {
    let Some(found) = found else { return Some("missing".to_owned()) };
    let lines = |bytes| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    let (found, page) = (lines(found), lines(page));
    let line = found.iter().zip(&page).take_while(|(one, other)| one == other).count();
    (found != page).then(|| format!("stale from line {}", line + 1))
}

enum Mode {
    Replace,
    CreateNew,
}

/// Writes a file, and says so.
fn write(path: &Path, bytes: &[u8], mode: Mode) -> Result<String, SchemaError> {
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match mode {
            Mode::Replace => fs::write(path, bytes),
            Mode::CreateNew => fs::File::create_new(path)?.write_all(bytes),
        }
    };
    write().map_err(|source| SchemaError::Io { what: "write", path: path.to_owned(), source })?;
    Ok(format!("wrote {}", path.display()))
}
