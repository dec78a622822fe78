//! Cases on files: making, opening, writing, reading, their lengths, closing.

use std::io::ErrorKind;
use std::sync::Arc;

use super::{Broken, Case, content, equal, fails, hold, read_all, write_all};
use crate::storage::{Access, Storage};

/// The cases, named by what they demand.
pub(super) const CASES: &[Case] = &[
    ("making a file never takes a taken name", create),
    ("a new file is empty and can be read and written", new_file),
    ("what was written is read back, wherever it was", write_and_read),
    ("only a regular file that is there is opened", open),
    ("a file that is opened with its length is that file, that long", open_sized),
    ("a file opened for reading is not written", read_only),
    ("appending goes to the end, whatever the offset", append),
    ("setting the length cuts or adds zeros", set_length),
    ("allocating makes a file longer, never shorter", allocate),
    ("direct writes of aligned bytes arrive, and unaligned ones are refused", direct),
    ("the maker of a file reveals it", reveal),
    ("syncing and closing succeed", sync_and_close),
];

fn create(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    write_all(&mut *storage.create("file")?, 0, b"first")?;
    fails("over a file", storage.create("file"), ErrorKind::AlreadyExists)?;
    fails("over a directory", storage.create("dir"), ErrorKind::AlreadyExists)?;
    fails("in a missing one", storage.create("none/file"), ErrorKind::NotFound)?;
    fails("in a file", storage.create("file/file"), ErrorKind::NotADirectory)?;
    equal("the file", content(&*storage, "file")?, b"first".to_vec())
}

fn new_file(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    equal("length", file.length()?, 0)?;
    equal("bytes read", file.read_at(0, &mut [0; 8])?, 0)?;
    write_all(&mut *file, 0, b"content")?;
    equal("content", read_all(&*file)?, b"content".to_vec())
}

fn open_sized(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    let mut file = storage.create("dir/file")?;
    for content in [&b""[..], b"content", b"more content"] {
        write_all(&mut *file, 0, content)?;
        let (opened, length) = storage.open_sized("dir/file")?;
        equal("length", length, content.len() as u64)?;
        equal("content", read_all(&*opened)?, content.to_vec())?;
    }
    fails("of a missing one", storage.open_sized("none"), ErrorKind::NotFound)?;
    hold(storage.open_sized("dir").is_err(), || "a directory was opened as a file".to_owned())
}

fn write_and_read(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    write_all(&mut *file, 0, b"0123456789")?;
    write_all(&mut *file, 4, b"xy")?;
    write_all(&mut *file, 12, b"z")?;
    equal("bytes written of none", file.write_at(0, b"")?, 0)?;
    let expected = b"0123xy6789\0\0z".to_vec();
    equal("through the handle", read_all(&*file)?, expected.clone())?;
    equal("through another", content(&*storage, "file")?, expected)?;
    equal("length", file.length()?, 13)?;
    let mut bytes = [0xff; 4];
    equal("at the end", file.read_at(13, &mut bytes)?, 0)?;
    equal("far past the end", file.read_at(1 << 40, &mut bytes)?, 0)?;
    equal("into no room", file.read_at(0, &mut [])?, 0)?;
    equal("a buffer that nothing was read into", bytes, [0xff; 4])?;
    let mut other = storage.open("file", Access::Write)?;
    write_all(&mut *other, 0, b"!")?;
    equal("what another handle wrote", read_all(&*file)?.first().copied(), Some(b'!'))
}

fn open(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    storage.create("file")?;
    for access in [Access::Read, Access::Append, Access::Write] {
        fails("a missing file", storage.open("none", access), ErrorKind::NotFound)?;
        fails("in a missing directory", storage.open("none/none", access), ErrorKind::NotFound)?;
        fails("beneath a file", storage.open("file/none", access), ErrorKind::NotADirectory)?;
        let kind = storage.open("dir", access).err().map(|error| error.kind());
        let refused = kind.is_some_and(|kind| kind != ErrorKind::NotFound);
        hold(refused, || format!("a directory opened for {access:?} gave {kind:?}"))?;
    }
    equal("nothing was made", storage.list("")?.len(), 2)
}

fn read_only(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    write_all(&mut *storage.create("file")?, 0, b"content")?;
    let mut file = storage.open("file", Access::Read)?;
    hold(file.write_at(0, b"x").is_err(), || "it was written".into())?;
    hold(file.set_length(0).is_err(), || "it was cut".into())?;
    hold(file.allocate(100).is_err(), || "it was extended".into())?;
    equal("the file", content(&*storage, "file")?, b"content".to_vec())
}

fn append(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    write_all(&mut *storage.create("log")?, 0, b"one ")?;
    let mut first = storage.open("log", Access::Append)?;
    let mut second = storage.open("log", Access::Append)?;
    // Short writes are not expected of a few bytes with room for them, and would only show as a difference below.
    first.write_at(0, b"two ")?;
    second.write_at(1 << 30, b"three ")?;
    first.write_at(2, b"four")?;
    equal("the log", content(&*storage, "log")?, b"one two three four".to_vec())?;
    equal("the log, by the handle", read_all(&*first)?, b"one two three four".to_vec())?;
    first.set_length(3)?;
    second.write_at(0, b"!")?;
    equal("the log after a cut", content(&*storage, "log")?, b"one!".to_vec())?;
    hold(!first.set_direct(true), || "appending went direct, where an end is hardly ever aligned".into())
}

fn set_length(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    write_all(&mut *file, 0, b"content")?;
    file.set_length(3)?;
    equal("cut", content(&*storage, "file")?, b"con".to_vec())?;
    file.set_length(5)?;
    equal("extended", content(&*storage, "file")?, b"con\0\0".to_vec())?;
    file.set_length(0)?;
    equal("emptied", file.length()?, 0)
}

fn allocate(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    write_all(&mut *file, 0, b"content")?;
    file.allocate(10)?;
    equal("longer", content(&*storage, "file")?, b"content\0\0\0".to_vec())?;
    file.allocate(4)?;
    file.allocate(0)?;
    equal("not shorter", content(&*storage, "file")?, b"content\0\0\0".to_vec())
}

fn direct(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    const PAGE: usize = 4096;
    let mut backing = vec![0; 4 * PAGE];
    let start = backing.as_ptr().align_offset(PAGE);
    let pages = &mut backing[start..start + 3 * PAGE];
    for (index, byte) in pages.iter_mut().enumerate() {
        *byte = (index % 251) as u8;
    }
    let mut file = storage.create("file")?;
    if file.set_direct(true) {
        hold(file.set_direct(true), || "asked again, it is no longer direct".into())?;
        let refused = [
            ("length", file.write_at(0, &pages[..100])),
            ("offset", file.write_at(100, &pages[..PAGE])),
            ("address", file.write_at(0, &pages[100..100 + PAGE])),
        ];
        for (what, outcome) in refused {
            fails(&format!("an unaligned {what}"), outcome, ErrorKind::InvalidInput)?;
        }
        equal("length after refusals", file.length()?, 0)?;
        let written = file.write_at(0, &pages[..PAGE])?;
        equal("a page", written, PAGE)?;
        let written = file.write_at(PAGE as u64, &pages[PAGE..])?;
        equal("two pages", written, 2 * PAGE)?;
    } else {
        write_all(&mut *file, 0, pages)?;
    }
    hold(!file.set_direct(false), || "it stays direct when asked not to be".into())?;
    write_all(&mut *file, 3 * PAGE as u64, b"tail")?;
    let expected = [&*pages, b"tail"].concat();
    hold(content(&*storage, "file")? == expected, || "the content differs".into())
}

fn reveal(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    let mut file = storage.create("file")?;
    write_all(&mut *file, 0, b"content")?;
    file.reveal()?;
    file.reveal()?;
    equal("the file", content(&*storage, "file")?, b"content".to_vec())?;
    let mut opened = storage.open("file", Access::Write)?;
    fails("by who did not make it", opened.reveal(), ErrorKind::Unsupported)
}

fn sync_and_close(storage: Arc<dyn Storage>) -> Result<(), Broken> {
    storage.create_dir("dir")?;
    let mut file = storage.create("dir/file")?;
    write_all(&mut *file, 0, b"content")?;
    file.sync()?;
    file.sync()?;
    file.close()?;
    storage.open("dir/file", Access::Read)?.close()?;
    storage.sync_dir("dir")?;
    storage.sync_dir("")?;
    fails("syncing a missing directory", storage.sync_dir("none"), ErrorKind::NotFound)?;
    fails("syncing a file as a directory", storage.sync_dir("dir/file"), ErrorKind::NotADirectory)?;
    equal("the file", content(&*storage, "dir/file")?, b"content".to_vec())
}
