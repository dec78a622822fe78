//! What the process does with a signal before anything is installed here.
//!
//! Asking the system itself needs a call that is not safe, so this reads what Linux says in `/proc`. Where there is no
//! `/proc` every signal counts as having its default action.

/// What happens at a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disposition {
    Default,
    Ignored,
    /// The host has a handler of its own.
    Handled,
}

/// What this process does at `signal` now.
pub(super) fn of(signal: i32) -> Disposition {
    std::fs::read_to_string("/proc/self/status").map_or(Disposition::Default, |status| parse(&status, signal))
}

fn parse(status: &str, signal: i32) -> Disposition {
    let among = |set: &str| {
        let bits = status
            .lines()
            .find_map(|line| line.strip_prefix(set))
            .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok())
            .unwrap_or(0);
        // Bit 0 is signal 1.
        u32::try_from(signal - 1).ok().and_then(|bit| bits.checked_shr(bit)).is_some_and(|bits| bits & 1 == 1)
    };
    if among("SigIgn:") {
        Disposition::Ignored
    } else if among("SigCgt:") {
        Disposition::Handled
    } else {
        Disposition::Default
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux prints it: SIGINT (2) and SIGPIPE (13) ignored, SIGTERM (15) and SIGCHLD (17) handled.
    const STATUS: &str = "Name:\tbash\nSigQ:\t0/63\nSigBlk:\t0000000000010000\nSigIgn:\t0000000000001002\n\
        SigCgt:\t0000000000014000\nCapInh:\t0000000000000000\n";

    #[test]
    fn each_set_is_told_from_the_others() {
        assert_eq!(parse(STATUS, 2), Disposition::Ignored);
        assert_eq!(parse(STATUS, 13), Disposition::Ignored);
        assert_eq!(parse(STATUS, 15), Disposition::Handled);
        assert_eq!(parse(STATUS, 17), Disposition::Handled);
        for signal in [1, 3, 12, 14, 16, 64, 65, 0, -1] {
            assert_eq!(parse(STATUS, signal), Disposition::Default, "signal {signal}");
        }
    }

    #[test]
    fn without_an_answer_it_is_the_default_action() {
        assert_eq!(parse("", 15), Disposition::Default);
        assert_eq!(parse("SigCgt:\tnonsense\n", 15), Disposition::Default);
    }

    #[test]
    fn this_process_ignores_broken_pipes_as_every_rust_program() {
        assert_eq!(of(signal_hook::consts::SIGPIPE), Disposition::Ignored);
    }
}
