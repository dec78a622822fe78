//! Buffers whose memory is aligned for direct I/O, and a pool of them: fresh memory costs more than what is done in it.

use std::sync::{Mutex, PoisonError};

/// What direct I/O asks of offset, length and address.
pub(crate) const ALIGNMENT: usize = 4_096;

/// A buffer of fixed room that begins at a multiple of 4096.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// An empty buffer with room for `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        let bytes = vec![0; capacity + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        Self { start: start.min(ALIGNMENT), bytes, length: 0 }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len() - ALIGNMENT
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn clear(&mut self) {
        self.length = 0;
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.length]
    }

    /// The room that is left; say with [`Buffer::advance`] how much of it was used.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        let end = self.start + self.capacity();
        &mut self.bytes[self.start + self.length..end]
    }

    /// Counts the next `count` bytes of the spare room as filled.
    pub(crate) fn advance(&mut self, count: usize) {
        self.length = (self.length + count).min(self.capacity());
    }

    /// Copies as much of `bytes` as there is room for; returns how much.
    pub(crate) fn fill(&mut self, bytes: &[u8]) -> usize {
        let spare = self.spare();
        let count = bytes.len().min(spare.len());
        spare[..count].copy_from_slice(&bytes[..count]);
        self.advance(count);
        count
    }

    /// Drops the first `count` filled bytes.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.length);
        self.bytes.copy_within(self.start + count..self.start + self.length, self.start);
        self.length -= count;
    }
}

/// Buffers that are used again, by one save after another.
#[derive(Debug)]
pub(crate) struct Pool {
    capacity: usize,
    kept_max: usize,
    free: Mutex<Vec<Buffer>>,
}

impl Pool {
    /// A pool of buffers with room for `capacity` bytes each, of which it keeps at most `kept_max`.
    pub(crate) fn new(capacity: usize, kept_max: usize) -> Self {
        Self { capacity, kept_max, free: Mutex::new(Vec::new()) }
    }

    pub(crate) fn take(&self) -> Buffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.unwrap_or_else(|| Buffer::new(self.capacity))
    }

    pub(crate) fn give(&self, mut buffer: Buffer) {
        buffer.clear();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.kept_max {
            free.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_holds_what_it_says() {
        for capacity in [4_096, 8_192, 1 << 20] {
            let mut buffer = Buffer::new(capacity);
            assert_eq!(buffer.spare().len(), capacity);
            assert_eq!(buffer.spare().as_ptr().align_offset(ALIGNMENT), 0);
            assert_eq!(buffer.fill(&vec![7; capacity + 1]), capacity);
            assert!(buffer.spare().is_empty());
            buffer.consume(4_000);
            assert_eq!(buffer.filled(), &vec![7; capacity - 4_000]);
        }
    }
}
