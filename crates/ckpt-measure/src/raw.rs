//! What the machine can do, on the system's calls alone.
//!
//! "Durable" is the least that a file needs to appear whole and stay: it is written under another name, synced,
//! renamed, and its directory is synced.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

/// What direct I/O asks of offset, length and address.
pub const ALIGNMENT: usize = 4_096;

/// Bytes a direct write takes at a time: more does not make it faster.
const DIRECT_PIECE: usize = 8 << 20;

/// Writes a durable file through the page cache.
///
/// # Errors
/// The system's own; the name must be free.
pub fn write_durably(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = dir.join(format!("{name}.part"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&part)?;
    file.write_all(bytes)?;
    publish(dir, file, &part, name)
}

/// Writes a durable file around the page cache, straight from `bytes`.
///
/// # Errors
/// The system's own: [`io::ErrorKind::InvalidInput`] where the file system takes no direct writes, or if address or
/// length are not aligned to [`ALIGNMENT`].
pub fn write_directly(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let part = dir.join(format!("{name}.part"));
    let flags = OFlags::DIRECT.bits().cast_signed();
    let mut file = OpenOptions::new().write(true).create_new(true).custom_flags(flags).open(&part)?;
    for piece in bytes.chunks(DIRECT_PIECE) {
        file.write_all(piece)?;
    }
    publish(dir, file, &part, name)
}

/// Writes a file through the page cache and leaves it there: what a program does that does not care.
///
/// # Errors
/// The system's own; the name must be free.
pub fn write_and_hope(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(dir.join(name))?.write_all(bytes)
}

/// Reads a file into fresh memory.
///
/// # Errors
/// The system's own.
pub fn read(dir: &Path, name: &str) -> io::Result<Vec<u8>> {
    std::fs::read(dir.join(name))
}

/// Waits until everything on the file system of `dir` is written, so that what is timed next finds the disk idle.
///
/// # Errors
/// The system's own.
pub fn settle(dir: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(dir)?)?)
}

#[expect(clippy::disallowed_methods, reason = "measures what publishing costs at least, in files of its own")]
fn publish(dir: &Path, file: File, part: &Path, name: &str) -> io::Result<()> {
    file.sync_all()?;
    drop(file);
    std::fs::rename(part, dir.join(name))?;
    File::open(dir)?.sync_all()
}
