//! Being told to stop while files are half-written: finish the write at hand, tidy up, then go.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

static ASKED: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on the first signal to stop is only noted; a second one ends the program at once.
///
/// Only for work that asks [`check`] often and never waits for input.
pub(crate) fn watch() -> std::io::Result<()> {
    let asked = Arc::clone(ASKED.get_or_init(Arc::default));
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order counts: the second signal finds the flag that the first one set.
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&again))?;
        signal_hook::flag::register(signal, Arc::clone(&again))?;
        signal_hook::flag::register_usize(signal, Arc::clone(&asked), signal as usize)?;
    }
    Ok(())
}

/// An error if the program was told to stop.
pub(crate) fn check() -> std::io::Result<()> {
    match asked() {
        // Not `Interrupted`: writers try again at that.
        Some(_) => Err(std::io::Error::other("told to stop")),
        None => Ok(()),
    }
}

/// Ends the program as the signal would have, if there was one.
pub(crate) fn leave_if_asked() {
    if let Some(signal) = asked() {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

fn asked() -> Option<i32> {
    let signal = ASKED.get()?.load(Ordering::SeqCst);
    i32::try_from(signal).ok().filter(|signal| *signal != 0)
}
