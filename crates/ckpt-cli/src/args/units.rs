//! Numbers with units on the command line: bytes and spans of time.

use std::time::Duration;

use ckpt::{ByteSize, ByteSizeError};

/// Bytes, in the form that the configuration takes too.
pub(super) fn bytes(text: &str) -> Result<u64, ByteSizeError> {
    text.parse().map(ByteSize::bytes)
}

/// A span of time: a whole number with s, min, h, d or w.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split(text);
    let seconds: u64 = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "" => return Err("a span of time has a unit; write s, min, h, d or w, as in 7d".to_owned()),
        unit => return Err(format!("unknown unit {unit:?}; write s, min, h, d or w, as in 7d")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("{digits:?} is not a whole number"))?;
    let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= SPAN_MAX);
    seconds.map(Duration::from_secs).ok_or_else(|| "more than a hundred years is no limit".to_owned())
}

/// As in the configuration: a hundred years.
const SPAN_MAX: u64 = 36_500 * 86_400;

fn split(text: &str) -> (&str, &str) {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    (digits, text.get(digits.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_have_a_unit_and_an_end() {
        for (text, seconds) in [("90s", 90), ("5min", 300), ("2h", 7_200), ("7d", 604_800), ("1w", 604_800)] {
            assert_eq!(span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "7", "d", "7m", "1.5d", "-1d", "36501d", "18446744073709551615w"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = span(&text);
        }
    }
}
