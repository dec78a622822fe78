//! A download of many files that goes on in the middle of the one it was killed in.
//!
//! ```text
//! cargo run --release -p ckpt --example download [DIRECTORY [FILES]]
//! ```
//!
//! The files come over HTTP from a server that the example starts itself, on a slow line. Stop it with Ctrl-C, or kill it with
//! `kill -9`, and run the same line again: it asks for the rest of the file by a range request. In the end the digest of each file
//! is that of the server's list.
//!
//! What it shows: a checkpoint says how much of a file has arrived and what that much has for a digest, never the bytes
//! themselves. After a crash the file may hold more than that, which is cut off, or less, since nobody waited for the disk: then
//! the digest differs, and this one file begins anew. So a save costs the same however large the files are.
#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use ckpt::{Json, Position, Session, SessionOptions, SignalOptions, Status, Stop};
use serde::{Deserialize, Serialize};

use self::rig::Result;

#[path = "../shared/rig.rs"]
mod rig;
mod server;

/// Bytes from one save to the next.
const SAVE_EVERY: u64 = 1 << 20;
/// Bytes that are taken from the line at once.
const PIECE: usize = 64 << 10;

fn main() -> Result<()> {
    let (root, files) = rig::arguments(24)?;
    run(&root, files)
}

pub(crate) fn run(root: &Path, files: u64) -> Result<()> {
    let address = server::start(files)?;
    let list = list(&address)?;
    let options = SessionOptions::default()
        .save_every(SAVE_EVERY)
        .keep_last(3)
        .unit("bytes")
        .total(list.iter().map(|remote| remote.bytes).sum())
        .stop(Stop::on_signals(&SignalOptions::default())?);
    let mut session = Session::open(root, "downloads", "mirror", options)?;
    let (Json(mut progress), resumed) = session.resume_or_else(|| Json(Progress::default()))?;
    rig::begun(&resumed);
    let folder = root.join("files");
    fs::create_dir_all(&folder)?;
    while let Some(remote) = list.get(progress.done.len()).filter(|_| !session.should_stop()) {
        fetch(&address, remote, &folder, &mut progress, &mut session)?;
    }
    let finished = session.finish(&Json(&progress))?;
    rig::ended(&finished);
    if finished.status == Status::Completed {
        let arrived = list.iter().map(|remote| Ok(digest(&folder.join(&remote.name))? == remote.digest));
        let equal = arrived.collect::<Result<Vec<bool>>>()?.iter().filter(|equal| **equal).count();
        println!("result: the digests of {equal} of {} files are those of the server", list.len());
    }
    Ok(())
}

/// A file of the server.
struct Remote {
    name: String,
    bytes: u64,
    digest: String,
}

/// What has arrived.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    /// Files that are complete, in the order of the server's list.
    done: Vec<String>,
    /// Bytes of all of them.
    done_bytes: u64,
    /// Bytes of the next one, and the digest of these.
    part_bytes: u64,
    part_digest: String,
}

/// The rest of a file, until it is complete or somebody asks to stop.
fn fetch(
    address: &str,
    remote: &Remote,
    folder: &Path,
    progress: &mut Progress,
    session: &mut Session,
) -> Result<()> {
    let (mut file, mut hasher) = open_part(&folder.join(&remote.name), progress)?;
    let range = format!("bytes={}-", progress.part_bytes);
    let response = ureq::get(format!("{address}/{}", remote.name)).header("Range", range).call()?;
    if response.status() != 206 {
        return Err(format!("{}: {} is no answer to a range request", remote.name, response.status()).into());
    }
    println!("{} from byte {}", remote.name, progress.part_bytes);
    let mut body = response.into_body().into_reader();
    let mut piece = vec![0; PIECE];
    let before = progress.done.len();
    while progress.done.len() == before && !session.should_stop() {
        let count = body.read(&mut piece)?;
        if count == 0 {
            return Err(format!("{}: the line broke after {} bytes", remote.name, progress.part_bytes).into());
        }
        file.write_all(&piece[..count])?;
        hasher.update(&piece[..count]);
        progress.part_bytes += count as u64;
        if progress.part_bytes == remote.bytes {
            progress.complete(remote, &file, &hasher)?;
        }
        let position = Position {
            cursor: Some(remote.name.clone()),
            ..Position::at(progress.done_bytes + progress.part_bytes)
        };
        let step = session.step(position, &[], || {
            progress.part_digest = hasher.finalize().to_string();
            Json(&*progress)
        })?;
        rig::told(&step);
    }
    // Whoever asked to stop gets a last checkpoint of this much.
    progress.part_digest = hasher.finalize().to_string();
    Ok(())
}

impl Progress {
    fn complete(&mut self, remote: &Remote, file: &File, hasher: &blake3::Hasher) -> Result<()> {
        if hasher.finalize().to_string() != remote.digest {
            return Err(format!("{} is not what the server's list says", remote.name).into());
        }
        // From now on nobody looks at it again, so it has to be there after a power loss.
        file.sync_all()?;
        self.done.push(remote.name.clone());
        self.done_bytes += remote.bytes;
        self.part_bytes = 0;
        Ok(())
    }
}

/// The file as far as it can be gone on with, and the hash of that much.
fn open_part(path: &Path, progress: &mut Progress) -> Result<(File, blake3::Hasher)> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader((&mut file).take(progress.part_bytes))?;
    if progress.part_bytes > 0 && hasher.finalize().to_string() != progress.part_digest {
        println!("{}: what was there is not what had arrived; it begins anew", path.display());
        progress.part_bytes = 0;
        hasher.reset();
    }
    file.set_len(progress.part_bytes)?;
    file.seek(SeekFrom::Start(progress.part_bytes))?;
    Ok((file, hasher))
}

/// The server's list: a name, a number of bytes and a digest on each line.
fn list(address: &str) -> Result<Vec<Remote>> {
    let text = ureq::get(format!("{address}/list")).call()?.body_mut().read_to_string()?;
    let parse = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Remote { name: words.next()?, bytes: words.next()?.parse().ok()?, digest: words.next()? })
    };
    let list: Option<Vec<Remote>> = text.lines().map(parse).collect();
    Ok(list.ok_or("the server's list has a line that is not `NAME BYTES DIGEST`")?)
}

fn digest(path: &Path) -> Result<String> {
    Ok(blake3::Hasher::new().update_reader(File::open(path)?)?.finalize().to_string())
}
