//! Files and directories outside runs that appear whole or not at all, and never in place of something else.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// A directory that is filled under another name beside its place, and removed unless it gets there.
#[derive(Debug)]
pub(crate) struct StagedDir {
    path: PathBuf,
    to: PathBuf,
}

/// A file that is written under another name beside its place, and removed unless it gets there.
#[derive(Debug)]
pub(crate) struct StagedFile {
    path: PathBuf,
    to: PathBuf,
    file: File,
}

/// Refuses a directory that holds something, or that is none.
pub(crate) fn check_dir_free(dir: &Path) -> anyhow::Result<()> {
    let in_the_way = |what: &str| {
        let message = format!("{} {what}: nothing was restored", dir.display());
        Failure::exists(dir, message).hint("give a directory that is empty, or one that does not exist yet")
    };
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(false) => Err(in_the_way("is not empty").into()),
        // Whoever stands in it would be left in a directory that is gone.
        Ok(_) if is_current(dir) => {
            Err(in_the_way("is the current directory, which can't be replaced").into())
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => check_parent(dir),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            Err(in_the_way("is not a directory").into())
        }
        Err(error) => Err(Failure::io("looking into", dir, &error).into()),
    }
}

/// Refuses a file that exists.
pub(crate) fn check_file_free(file: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(file) {
        Ok(_) => Err(file_is_there(file).into()),
        Err(error) if error.kind() == ErrorKind::NotFound => check_parent(file),
        Err(error) => Err(Failure::io("looking at", file, &error).into()),
    }
}

impl StagedDir {
    /// An empty directory that will become `to`.
    pub(crate) fn create(to: &Path) -> Result<Self, Failure> {
        // A link to an empty directory stays a link: what it leads to is replaced.
        let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_owned());
        let path = beside(&to)?;
        fs::create_dir(&path).map_err(|error| Failure::io("creating", &path, &error))?;
        Ok(Self { path, to })
    }

    /// A new file in it.
    pub(crate) fn create_file(&self, name: &str) -> Result<File, Failure> {
        let path = self.path.join(name);
        File::create_new(&path).map_err(|error| Failure::io("creating", &path, &error))
    }

    /// Where it will be.
    pub(crate) fn destination(&self) -> &Path {
        &self.to
    }

    /// Gives it its name, durably. Its files are synced already.
    pub(crate) fn publish(mut self) -> Result<(), Failure> {
        let fail = |action, error| Failure::io(action, &self.to, &error);
        if let Ok(empty) = fs::metadata(&self.to) {
            fs::set_permissions(&self.path, empty.permissions())
                .map_err(|e| fail("setting the mode of", e))?;
        }
        sync_dir(&self.path).map_err(|error| fail("syncing", error))?;
        move_dir(&self.path, &self.to).map_err(|error| match error.kind() {
            ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                Failure::exists(&self.to, format!("something came into being at {}", self.to.display()))
            }
            ErrorKind::ResourceBusy => Failure::io("replacing", &self.to, &error)
                .hint("it is in use, maybe as a mount point: give a directory in it that does not exist yet"),
            _ => fail("creating", error),
        })?;
        self.path.clear();
        sync_dir(parent(&self.to)).map_err(|error| fail("syncing the directory of", error))
    }
}

impl Drop for StagedDir {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl StagedFile {
    /// An empty file that will become `to`.
    pub(crate) fn create(to: &Path) -> Result<Self, Failure> {
        let path = beside(to)?;
        let file = File::create_new(&path).map_err(|error| Failure::io("creating", &path, &error))?;
        Ok(Self { path, to: to.to_owned(), file })
    }

    /// The file to write to.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives it its name, durably, unless that is taken.
    pub(crate) fn publish(self) -> Result<(), Failure> {
        let fail = |action, error| Failure::io(action, &self.to, &error);
        self.file.sync_all().map_err(|error| fail("syncing", error))?;
        match fs::hard_link(&self.path, &self.to) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(file_is_there(&self.to)),
            // The file system has no links.
            Err(_) => self.copy()?,
        }
        sync_dir(parent(&self.to)).map_err(|error| fail("syncing the directory of", error))
    }

    fn copy(&self) -> Result<(), Failure> {
        let fail = |error: io::Error| match error.kind() {
            ErrorKind::AlreadyExists => file_is_there(&self.to),
            _ => Failure::io("writing", &self.to, &error),
        };
        let mut to = File::create_new(&self.to).map_err(fail)?;
        let copied = File::open(&self.path)
            .and_then(|mut from| io::copy(&mut from, &mut to))
            .and_then(|_| to.sync_all());
        copied.map_err(|error| {
            let _ = fs::remove_file(&self.to);
            fail(error)
        })
    }
}

impl Drop for StagedFile {
    /// The other name goes in any case: published or not, nobody needs it.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A name beside `path` that nobody else has.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let Some(name) = path.file_name() else {
        return Err(Failure::usage(format!("{} has no name of its own: give one that has", path.display())));
    };
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".partial-{}", std::process::id()));
    Ok(parent(path).join(hidden))
}

fn is_current(dir: &Path) -> bool {
    let resolved = |path: &Path| fs::canonicalize(path).ok();
    resolved(dir).is_some_and(|dir| resolved(Path::new(".")) == Some(dir))
}

fn check_parent(path: &Path) -> anyhow::Result<()> {
    let parent = parent(path);
    if parent.is_dir() {
        return Ok(());
    }
    let message = format!("there is no directory {}", parent.display());
    Err(Failure::new("not_found", crate::failure::NOT_FOUND, message).at(parent).hint("make it first").into())
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn file_is_there(file: &Path) -> Failure {
    Failure::exists(file, format!("{} exists: nothing was written", file.display()))
        .hint("give a name that is free")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a directory replaces nothing but an empty one, and this is not in a run"
)]
fn move_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_directory_appears_whole_and_takes_the_place_of_an_empty_one_only() {
        let scene = tempfile::tempdir().unwrap();
        let to = scene.path().join("out");
        for _ in 0..2 {
            let staged = StagedDir::create(&to).unwrap();
            staged.create_file("w").unwrap().write_all(b"1").unwrap();
            staged.publish().unwrap();
            assert_eq!(fs::read(to.join("w")).unwrap(), b"1");
            fs::remove_file(to.join("w")).unwrap();
        }
        fs::write(to.join("other"), b"").unwrap();
        assert!(check_dir_free(&to).is_err());
        let failure = StagedDir::create(&to).unwrap().publish().unwrap_err();
        assert_eq!(failure.code, "exists");
        assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1, "nothing half-done stays");
    }

    #[test]
    fn a_file_never_takes_the_place_of_another() {
        let scene = tempfile::tempdir().unwrap();
        let to = scene.path().join("out.ckpt");
        let staged = StagedFile::create(&to).unwrap();
        fs::write(&to, b"mine").unwrap();
        assert_eq!(staged.publish().unwrap_err().code, "exists");
        assert_eq!(fs::read(&to).unwrap(), b"mine");
        assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1);
    }
}
