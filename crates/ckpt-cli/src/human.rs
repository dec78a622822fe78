//! Sizes, ages, counts and the text of others, as people read them.

use anstyle::{AnsiColor, Style};
use ckpt::Timestamp;

/// What is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What deserves a look.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What is as it should be.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What names things.
pub(crate) const HEAD: Style = Style::new().bold();
/// What is there to be complete.
pub(crate) const DIM: Style = Style::new().dimmed();

/// `1.2 MB`: decimal units, one digit behind the point where it tells something.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1e3;
    let mut unit = 0;
    // 999.95 would be shown as 1000.0.
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1e3;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `25,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 checkpoint`, `2 checkpoints`.
pub(crate) fn plural(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", count(number as u64), if number == 1 { "" } else { "s" })
}

/// `3 min ago`; a moment that has not come yet is `in 3 min`.
pub(crate) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.seconds_since(then);
    let span = span(seconds.abs());
    if seconds < -1.0 { format!("in {span}") } else { format!("{span} ago") }
}

/// `3 min`: the largest unit that fits.
pub(crate) fn span(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 60.0 => (s, "s"),
        s if s < 3_600.0 => (s / 60.0, "min"),
        s if s < 86_400.0 => (s / 3_600.0, "h"),
        s => (s / 86_400.0, "d"),
    };
    format!("{} {unit}", count(value as u64))
}

/// `1.23 ms`: three digits.
pub(crate) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 1e-3 => (s * 1e6, "us"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    let digits = match value {
        v if v < 10.0 => 2,
        v if v < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// A metric: as many digits as tell something. JSON has them all.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return non_finite(value).to_owned();
    }
    let shortest = format!("{value}");
    let magnitude = value.abs();
    if shortest.len() <= 9 {
        shortest
    } else if (1e-3..1e7).contains(&magnitude) {
        format!("{value:.5}")
    } else {
        format!("{value:.4e}")
    }
}

/// `NaN`, `Infinity`, `-Infinity`: the words that JSON output has for them too.
pub(crate) fn non_finite(value: f64) -> &'static str {
    match value {
        v if v.is_nan() => "NaN",
        v if v > 0.0 => "Infinity",
        _ => "-Infinity",
    }
}

/// Text that somebody else wrote, without what could drive the terminal.
pub(crate) fn shown(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (1_234_567, "1.2 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (2_000_000, "2,000,000")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn ages_take_the_largest_unit_and_may_lie_ahead() {
        let now = Timestamp::from_millis(1_000_000_000_000);
        let before = |seconds: i64| Timestamp::from_millis(now.millis() - seconds * 1_000);
        for (seconds, text) in
            [(0, "0 s ago"), (59, "59 s ago"), (180, "3 min ago"), (7_200, "2 h ago"), (-600, "in 10 min")]
        {
            assert_eq!(age(now, before(seconds)), text);
        }
        assert_eq!(age(now, before(86_400 * 400)), "400 d ago");
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (seconds, text) in
            [(0.000_012_34, "12.3 us"), (0.001_234, "1.23 ms"), (0.5, "500 ms"), (12.345, "12.3 s")]
        {
            assert_eq!(time(seconds), text);
        }
    }

    #[test]
    fn numbers_keep_what_tells_something() {
        for (value, text) in [
            (0.25, "0.25"),
            (1.0 / 3.0, "0.33333"),
            (1e-12 / 3.0, "3.3333e-13"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(shown("NQ\u{1b}[31m\u{202e}é"), "NQ\\u{1b}[31m\\u{202e}é");
    }
}
