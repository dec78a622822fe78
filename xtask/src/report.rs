//! What the chores say to the person who started them.

use std::io::Write;
use std::time::Duration;

/// One message on standard error, where cargo's own go, so that the order is kept.
pub(crate) fn say(message: &str) {
    // Nobody is left to tell when standard error itself is gone.
    let _ = writeln!(std::io::stderr().lock(), "{message}");
}

/// `7.4 s`, `3 min 05 s`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    format!("{} min {:02} s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_a_tenth_and_minutes_without() {
        assert_eq!(human(Duration::from_millis(7_400)), "7.4 s");
        assert_eq!(human(Duration::from_secs(185)), "3 min 05 s");
    }
}
