//! The directory that a benchmark works in.

use std::path::Path;

use ckpt::{Run, RunOptions};
use ckpt_measure::{Error, raw};
use tempfile::TempDir;

/// A directory of its own, removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    dir: TempDir,
}

impl Place {
    /// Makes one inside `dir`.
    pub(crate) fn inside(dir: &Path) -> Result<Self, Error> {
        let dir = tempfile::Builder::new().prefix("ckpt-bench-").tempdir_in(dir)?;
        Ok(Self { dir })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Makes a directory in it.
    pub(crate) fn dir(&self, name: &str) -> Result<std::path::PathBuf, Error> {
        let dir = self.path().join(name);
        std::fs::create_dir(&dir)?;
        Ok(dir)
    }

    /// Makes a run in it.
    pub(crate) fn run(&self, name: &str) -> Result<Run, Error> {
        let (kind, run) = ("bench".parse()?, name.parse()?);
        Ok(Run::create(self.path().join(name), &kind, &run, RunOptions::new(ckpt::now))?)
    }

    /// Waits until the system has written everything: what is timed next finds an idle disk.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        Ok(raw::settle(self.path())?)
    }
}
