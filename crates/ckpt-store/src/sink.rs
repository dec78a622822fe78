//! Writes a file front to back at explicit offsets: buffered while it is small, around the page cache when it is large.

use std::io;

use crate::buffer::{ALIGNMENT, Buffer};
use crate::storage::StorageFile;

/// From this many bytes on a file is written directly: below, setting it up costs more than it gains.
pub(crate) const DIRECT_FROM: u64 = 4 << 20;

/// Where the bytes of a file go, in order.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    file: &'a mut dyn StorageFile,
    /// What is not written yet; begins at `offset`.
    tail: Buffer,
    /// A multiple of 4096 while writing directly.
    offset: u64,
    direct: bool,
    direct_refused: bool,
}

impl<'a> Sink<'a> {
    /// Writes to an empty file. `tail` is scratch room; `expected` decides about direct writes before the first byte.
    pub(crate) fn new(file: &'a mut dyn StorageFile, tail: Buffer, expected: u64) -> Self {
        let mut sink = Self { file, tail, offset: 0, direct: false, direct_refused: false };
        if expected >= DIRECT_FROM {
            sink.go_direct();
        }
        sink
    }

    /// Appends `bytes`, which may or may not lie at an aligned address.
    pub(crate) fn append(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.is_large(bytes) && self.tail.len().is_multiple_of(ALIGNMENT) {
            // Whole pages that wait, such as the file's front, go first: else all that follows would be copied behind them.
            self.flush_pages()?;
        }
        if self.tail.len() == 0 && self.may_write_from(bytes) {
            let whole = bytes.len() - bytes.len() % ALIGNMENT;
            let (pages, rest) = bytes.split_at(whole);
            self.write(pages)?;
            bytes = rest;
        }
        while !bytes.is_empty() {
            let copied = self.tail.fill(bytes);
            bytes = &bytes[copied..];
            if self.tail.spare().is_empty() {
                self.flush_pages()?;
            }
        }
        Ok(())
    }

    /// Appends zeros.
    pub(crate) fn pad(&mut self, count: u64) -> io::Result<()> {
        const ZEROS: [u8; ALIGNMENT] = [0; ALIGNMENT];
        let mut count = count;
        while count > 0 {
            let now = count.min(ZEROS.len() as u64);
            self.append(&ZEROS[..now as usize])?;
            count -= now;
        }
        Ok(())
    }

    /// Writes what is left. The file's length must be a multiple of 4096 by now, as the format's is.
    pub(crate) fn finish(mut self) -> io::Result<Buffer> {
        self.flush_pages()?;
        debug_assert_eq!(self.tail.len(), 0, "a container ends at a page");
        Ok(self.tail)
    }

    fn is_large(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.tail.capacity() / 2
    }

    /// Large pieces are written from where they are, if that is allowed.
    fn may_write_from(&self, bytes: &[u8]) -> bool {
        self.is_large(bytes)
            && (!self.direct || bytes.as_ptr().align_offset(ALIGNMENT) == 0)
            && self.offset.is_multiple_of(ALIGNMENT as u64)
    }

    fn flush_pages(&mut self) -> io::Result<()> {
        if !self.direct && self.offset >= DIRECT_FROM {
            self.go_direct();
        }
        let whole = self.tail.len() - self.tail.len() % ALIGNMENT;
        let tail = std::mem::replace(&mut self.tail, Buffer::new(0));
        let written = self.write(&tail.filled()[..whole]);
        self.tail = tail;
        written?;
        self.tail.consume(whole);
        Ok(())
    }

    fn go_direct(&mut self) {
        if !self.direct_refused {
            self.direct = self.file.set_direct(true);
            self.direct_refused = !self.direct;
        }
    }

    /// Writes all of `bytes` at the offset: goes on after a short write from the last aligned place, and without direct
    /// writes where the medium refuses them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.write_at(self.offset + done as u64, &bytes[done..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) if done + count >= bytes.len() => done = bytes.len(),
                Ok(count) if self.direct && count < ALIGNMENT => self.leave_direct()?,
                Ok(count) if self.direct => done += count - count % ALIGNMENT,
                Ok(count) => done += count,
                Err(error) if self.direct && error.kind() == io::ErrorKind::InvalidInput => {
                    self.leave_direct()?
                }
                Err(error) => return Err(error),
            }
        }
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn leave_direct(&mut self) -> io::Result<()> {
        self.direct_refused = true;
        self.direct = self.file.set_direct(false);
        if self.direct {
            return Err(io::Error::other("the file cannot be switched back from direct writes"));
        }
        Ok(())
    }
}
