//! Where answers and messages go: answers to standard output, messages to standard error.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use serde::Serialize;

use crate::human;

/// Where a command writes to.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

/// Bytes of an answer that are written at once.
const PIECE_BYTES: usize = 64 << 10;

/// Nobody reads standard output any more.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub(crate) struct Closed;

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the answer is wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The answer: `value` as JSON, or what `text` makes for people, with style codes that vanish where they are not
    /// wanted.
    pub(crate) fn answer<T: Serialize + ?Sized>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            // Piece by piece: an answer may be longer than anybody wants to hold in memory.
            let mut out = BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
            let written = serde_json::to_writer(&mut out, value).map_err(io::Error::from);
            return told(written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()));
        }
        write(anstream::stdout().lock(), text().as_bytes())
    }

    /// A message for people that is not the answer: standard error, always.
    pub(crate) fn note(&self, text: &str) {
        // There is nobody left to tell if this fails.
        let _ = writeln!(anstream::stderr(), "{}", human::shown(text));
    }

    /// A message about something that deserves a look.
    pub(crate) fn warn(&self, text: &str) {
        let style = human::WARN;
        let _ = writeln!(anstream::stderr(), "{style}ckpt:{style:#} {}", human::shown(text));
    }
}

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Bytes as they are to standard output.
pub(crate) fn write_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    write(io::stdout().lock(), bytes)
}

fn write(mut out: impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    told(out.write_all(bytes).and_then(|()| out.flush()))
}

/// What became of writing to standard output.
pub(crate) fn told(written: io::Result<()>) -> anyhow::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        other => other.map_err(|error| anyhow::anyhow!("writing to standard output: {error}")),
    }
}

/// Standard output for bytes that come piece by piece; notes whether somebody still reads.
#[derive(Debug)]
pub(crate) struct Raw<'a> {
    out: io::StdoutLock<'static>,
    closed: &'a mut bool,
}

impl<'a> Raw<'a> {
    pub(crate) fn new(closed: &'a mut bool) -> Self {
        Self { out: io::stdout().lock(), closed }
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Flushed at once: what is left in the buffer at the end could fail unseen.
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush()).map(|()| bytes.len());
        *self.closed |= matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
