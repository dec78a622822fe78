//! Finds runs beneath a directory.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::layout;

/// How deep runs are searched for: `ROOT/kind/name` and two levels to group them.
const DEPTH_MAX: usize = 4;
/// How many directories an error looks into for runs to name.
const NEARBY_DIRECTORIES_MAX: usize = 1_000;
/// How many runs an error names.
const NAMED_MAX: usize = 20;

/// Whether the directory holds a run.
pub fn is_run(path: impl AsRef<Path>) -> bool {
    fs::symlink_metadata(path.as_ref().join(layout::RUN)).is_ok_and(|found| found.is_file())
}

/// The runs beneath `root`, sorted, or `root` itself if it is one. To a depth of four; links are not followed, hidden
/// directories not entered.
///
/// # Errors
/// [`Error::RunNotFound`] if there is no such directory; [`Error::Io`] if `root` cannot be listed. A directory further
/// down that cannot be listed is passed over.
pub fn find_runs(root: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
    let root = root.as_ref();
    if is_run(root) {
        return Ok(vec![root.to_owned()]);
    }
    search_all(root, usize::MAX).map_err(|source| crate::reader::not_a_run(root, source))
}

fn search_all(root: &Path, mut directories: usize) -> std::io::Result<Vec<PathBuf>> {
    let mut runs = Vec::new();
    search(root, DEPTH_MAX, &mut directories, &mut runs)?;
    runs.sort();
    Ok(runs)
}

/// Looks into at most `directories`.
fn search(dir: &Path, depth: usize, directories: &mut usize, runs: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let Some(left) = directories.checked_sub(1) else { return Ok(()) };
    *directories = left;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let hidden = entry.file_name().as_encoded_bytes().first() == Some(&b'.');
        if hidden || !entry.file_type()?.is_dir() {
            continue;
        }
        let path = entry.path();
        if is_run(&path) {
            runs.push(path);
        } else if depth > 1 {
            let _ = search(&path, depth - 1, directories, runs);
        }
    }
    Ok(())
}

/// Adds the runs near `path` to an error that says there is none.
pub(crate) fn name_nearby(error: Error, path: &Path) -> Error {
    let Error::RunNotFound { path: missing, .. } = error else { return error };
    let near = path.ancestors().take(3).find_map(|dir| {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let runs =
            if is_run(dir) { vec![dir.to_owned()] } else { search_all(dir, NEARBY_DIRECTORIES_MAX).ok()? };
        Some(runs).filter(|runs| !runs.is_empty())
    });
    let present =
        near.unwrap_or_default().iter().take(NAMED_MAX).map(|run| run.display().to_string()).collect();
    Error::RunNotFound { path: missing, present }
}
