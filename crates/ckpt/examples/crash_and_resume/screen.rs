//! Standard output for people: lines, and a progress bar when there is a terminal to draw it on.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Result;

/// Where the parent writes.
pub(crate) struct Screen {
    bar: ProgressBar,
}

impl Screen {
    /// A screen without a bar yet.
    pub(crate) fn new() -> Screen {
        Screen { bar: ProgressBar::hidden() }
    }

    /// Prints a line; a bar that is being drawn makes way for it.
    ///
    /// # Errors
    /// Standard output that can't be written, a closed pipe among them.
    pub(crate) fn line(&self, text: impl AsRef<str>) -> Result<()> {
        Ok(self.bar.suspend(|| writeln!(io::stdout(), "{}", text.as_ref()))?)
    }

    /// Starts a bar of `days`; it is drawn on standard error if that is a terminal, else not at all.
    ///
    /// # Errors
    /// None in practice: a template that does not parse.
    pub(crate) fn begin(&mut self, name: &'static str, days: u64) -> Result<()> {
        let style = ProgressStyle::with_template("  {msg:13} [{bar:40}] day {pos}/{len}  {elapsed}")?;
        self.bar = ProgressBar::with_draw_target(Some(days), ProgressDrawTarget::stderr())
            .with_style(style.progress_chars("=> "))
            .with_message(name);
        Ok(())
    }

    /// Moves the bar.
    pub(crate) fn day(&self, day: u64) {
        self.bar.set_position(day);
    }

    /// Takes the bar away.
    pub(crate) fn end(&mut self) {
        self.bar.finish_and_clear();
        self.bar = ProgressBar::hidden();
    }
}
