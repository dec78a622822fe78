//! Cases on names: listing, directories, paths, renaming, unlinking, descending.

use std::io::ErrorKind;
use std::sync::Arc;

use super::{Broken, Case, content, equal, fails, hold, names_in, read_all, refused, sorted, write_all};
use crate::storage::{Access, DirEntry, EntryKind, Storage};

/// The cases, named by what they demand.
pub(super) const CASES: &[Case] = &[
    ("listing names what is there and its kind", listing),
    ("listing what is missing is `NotFound`, a file `NotADirectory`", listing_nothing),
    ("making a directory never takes a taken name", create_dir),
    ("a path is one or two good names", paths),
    ("a name may hold anything but a slash and a zero byte", odd_names),
    ("renaming moves a file", rename),
    ("renaming never replaces", rename_never_replaces),
    ("renaming needs a file to rename", rename_nothing),
    ("unlinking removes the name, and who has the file open keeps it", unlink),
    ("unlinking needs a file", unlink_nothing),
    ("descending shares the files", descend),
    ("descending needs a directory", descend_nothing),
    ("no more room is available than there is", space),
];

fn listing(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    equal("an empty directory", sorted(storage.list("")?), vec![])?;
    storage.create_dir("dir")?;
    storage.create("file")?;
    storage.create(".hidden")?;
    storage.create("dir/inner")?;
    let entry = |name: &str, kind| DirEntry { name: name.to_owned(), kind };
    let all = vec![
        entry(".hidden", EntryKind::File),
        entry("dir", EntryKind::Directory),
        entry("file", EntryKind::File),
    ];
    equal("the directory", sorted(storage.list("")?), all.clone())?;
    equal("the directory, listed again", sorted(storage.list("")?), all)?;
    equal("the inner one", sorted(storage.list("dir")?), vec![entry("inner", EntryKind::File)])?;
    storage.create_dir("dir/deep")?;
    equal("two names down", sorted(storage.list("dir/deep")?), vec![])
}

fn listing_nothing(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create("file")?;
    fails("a missing directory", storage.list("none"), ErrorKind::NotFound)?;
    fails("a missing inner one", storage.list("none/none"), ErrorKind::NotFound)?;
    fails("a file", storage.list("file"), ErrorKind::NotADirectory)?;
    fails("beneath a file", storage.list("file/none"), ErrorKind::NotADirectory)
}

fn create_dir(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    storage.create("file")?;
    fails("over a directory", storage.create_dir("dir"), ErrorKind::AlreadyExists)?;
    fails("over a file", storage.create_dir("file"), ErrorKind::AlreadyExists)?;
    fails("in a missing one", storage.create_dir("none/dir"), ErrorKind::NotFound)?;
    fails("in a file", storage.create_dir("file/dir"), ErrorKind::NotADirectory)
}

fn paths(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("a")?;
    storage.create_dir("a/b")?;
    storage.create("file")?;
    let bad =
        [".", "..", "a/b/c", "/a", "a//b", "a/", "/", "a/.", "a/..", "../a", "./a", "a\0", "a\0/b", "a/b\0"];
    for path in bad {
        let outcomes = [
            ("list", storage.list(path).err()),
            ("descend", storage.descend(path).err()),
            ("sync_dir", storage.sync_dir(path).err()),
        ];
        refused(path, outcomes)?;
    }
    for path in bad.into_iter().chain([""]) {
        let outcomes = [
            ("create_dir", storage.create_dir(path).err()),
            ("create", storage.create(path).err()),
            ("open", storage.open(path, Access::Read).err()),
            ("rename from it", storage.rename(path, "other").err()),
            ("rename to it", storage.rename("file", path).err()),
            ("unlink", storage.unlink(path).err()),
            ("try_lock", storage.try_lock(path).err()),
        ];
        refused(path, outcomes)?;
    }
    equal("nothing was made", storage.list("")?.len(), 2)
}

fn odd_names(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let longest = "n".repeat(255);
    for name in ["...", "-rf", " ", "a b", "a\\b", "line\nbreak", "größe", "💾", "%2e%2e", "~", &longest]
    {
        storage.create(name)?;
        hold(storage.list("")?.iter().any(|entry| entry.name == name), || format!("{name:?} is not listed"))?;
        storage.open(name, Access::Read)?;
        storage.unlink(name)?;
    }
    let outcome = storage.create(&"n".repeat(256)).err().map(|error| error.kind());
    hold(outcome.is_some_and(|kind| kind != ErrorKind::NotFound), || "a name of 256 bytes was taken".into())
}

fn rename(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    let mut file = storage.create("dir/old")?;
    write_all(&mut *file, 0, b"con")?;
    storage.rename("dir/old", "new")?;
    equal("the old place", names_in(&*storage, "dir")?, vec![])?;
    equal("the new place", names_in(&*storage, "")?, vec!["dir".to_owned(), "new".to_owned()])?;
    write_all(&mut *file, 3, b"tent")?;
    equal("the file", content(&*storage, "new")?, b"content".to_vec())?;
    storage.rename("new", "dir/again")?;
    storage.rename("dir/again", "dir/and again")?;
    equal("the file, moved on", content(&*storage, "dir/and again")?, b"content".to_vec())
}

fn rename_never_replaces(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    write_all(&mut *storage.create("a")?, 0, b"a")?;
    write_all(&mut *storage.create("b")?, 0, b"b")?;
    write_all(&mut *storage.create("dir/c")?, 0, b"c")?;
    fails("onto a file", storage.rename("a", "b"), ErrorKind::AlreadyExists)?;
    fails("onto a file elsewhere", storage.rename("a", "dir/c"), ErrorKind::AlreadyExists)?;
    fails("onto a directory", storage.rename("a", "dir"), ErrorKind::AlreadyExists)?;
    fails("onto itself", storage.rename("a", "a"), ErrorKind::AlreadyExists)?;
    for (path, expected) in [("a", b"a"), ("b", b"b"), ("dir/c", b"c")] {
        equal(path, content(&*storage, path)?, expected.to_vec())?;
    }
    Ok(())
}

fn rename_nothing(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    storage.create("file")?;
    fails("a missing file", storage.rename("none", "new"), ErrorKind::NotFound)?;
    fails("from a missing directory", storage.rename("none/none", "new"), ErrorKind::NotFound)?;
    fails("to a missing directory", storage.rename("file", "none/new"), ErrorKind::NotFound)?;
    fails("beneath a file", storage.rename("file", "file/new"), ErrorKind::NotADirectory)?;
    equal("what is there", names_in(&*storage, "")?, vec!["dir".to_owned(), "file".to_owned()])
}

fn unlink(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    write_all(&mut *file, 0, b"content")?;
    let reader = storage.open("file", Access::Read)?;
    storage.unlink("file")?;
    equal("the directory", names_in(&*storage, "")?, vec![])?;
    fails("opening it again", storage.open("file", Access::Read), ErrorKind::NotFound)?;
    equal("through the reader", read_all(&*reader)?, b"content".to_vec())?;
    write_all(&mut *storage.create("file")?, 0, b"another")?;
    equal("through the reader, with another of that name", read_all(&*reader)?, b"content".to_vec())?;
    equal("the other", content(&*storage, "file")?, b"another".to_vec())
}

fn unlink_nothing(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    fails("a missing file", storage.unlink("none"), ErrorKind::NotFound)?;
    fails("in a missing directory", storage.unlink("none/none"), ErrorKind::NotFound)?;
    hold(storage.unlink("dir").is_err(), || "a directory was removed".into())?;
    equal("what is there", names_in(&*storage, "")?, vec!["dir".to_owned()])
}

fn descend(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    storage.create_dir("dir/deep")?;
    let dir = storage.descend("dir")?;
    let deep = storage.descend("dir/deep")?;
    write_all(&mut *dir.create("file")?, 0, b"content")?;
    write_all(&mut *deep.create("file")?, 0, b"deep")?;
    equal("from above", content(&*storage, "dir/file")?, b"content".to_vec())?;
    equal("from the middle", content(&*dir, "deep/file")?, b"deep".to_vec())?;
    storage.unlink("dir/file")?;
    equal("below, after removal above", names_in(&*dir, "")?, vec!["deep".to_owned()])?;
    equal("two steps down", names_in(&*dir.descend("deep")?, "")?, vec!["file".to_owned()])?;
    storage.descend("")?.create("top")?;
    equal("itself", names_in(&*storage, "")?, vec!["dir".to_owned(), "top".to_owned()])
}

fn descend_nothing(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create("file")?;
    fails("a missing one", storage.descend("none"), ErrorKind::NotFound)?;
    fails("a missing inner one", storage.descend("none/none"), ErrorKind::NotFound)?;
    fails("a file", storage.descend("file"), ErrorKind::NotADirectory)
}

fn space(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let space = storage.space()?;
    hold(space.total > 0 && space.available <= space.total, || format!("{space:?}"))
}
