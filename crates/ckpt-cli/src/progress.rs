//! A progress bar for work of more than a second, on a terminal.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::interrupt;

/// Work that takes less is over before anybody wonders.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// How far a piece of work is, in bytes. The bar goes when this does.
#[derive(Debug)]
pub(crate) struct Progress {
    meter: Meter,
}

/// What counts the bytes.
#[derive(Debug, Clone)]
struct Meter {
    bar: ProgressBar,
    started: Instant,
}

/// A reader or writer whose bytes count.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    inner: T,
    meter: Meter,
}

impl Progress {
    /// For work on that many bytes; 0 if nobody knows.
    pub(crate) fn new(verb: &'static str, total_bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::hidden());
        bar.set_message(verb);
        let progress = Self { meter: Meter { bar, started: Instant::now() } };
        progress.restart(total_bytes);
        progress
    }

    /// Says that many bytes more are done.
    pub(crate) fn advance(&self, bytes: u64) {
        self.meter.advance(bytes);
    }

    /// Says that it begins anew, on that many bytes.
    pub(crate) fn restart(&self, total_bytes: u64) {
        let bar = &self.meter.bar;
        let template = if total_bytes > 0 {
            "{msg} {wide_bar} {bytes} / {total_bytes} ({bytes_per_sec}, {eta} left)"
        } else {
            "{msg} {spinner} {bytes} ({bytes_per_sec})"
        };
        // A template that is wrong leaves the default one: no reason to stop work.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_length(total_bytes);
        bar.set_position(0);
    }

    /// A reader whose bytes count.
    pub(crate) fn reading<R: Read>(&self, inner: R) -> Counted<R> {
        Counted { inner, meter: self.meter.clone() }
    }

    /// A writer whose bytes count, and that stops when the program is told to.
    pub(crate) fn writing<W: Write>(&self, inner: W) -> Counted<W> {
        Counted { inner, meter: self.meter.clone() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.meter.bar.finish_and_clear();
    }
}

impl Meter {
    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.bar.is_hidden() && self.started.elapsed() >= SHOW_AFTER {
            // Draws nothing where standard error is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl<T> Counted<T> {
    /// What it wraps.
    pub(crate) fn into_inner(self) -> T {
        self.inner
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.advance(read as u64);
        Ok(read)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        interrupt::check()?;
        let written = self.inner.write(bytes)?;
        self.meter.advance(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
