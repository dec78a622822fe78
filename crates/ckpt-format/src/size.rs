//! Sizes as people write them, at a shell and in a configuration alike: `5GiB`, `1.5 MB`, `4096`.

use std::str::FromStr;

/// A number of bytes, read from text: `5GiB`, `1.5 MB`, `4096`.
///
/// The units are B; kB, MB, GB and TB, powers of 1000; KiB, MiB, GiB and TiB, powers of 1024. Spaces may stand before the unit.
/// Without a unit the number counts bytes. Every unit but B takes a decimal fraction, of at most 18 digits; what it makes of a
/// byte is rounded to the nearest, but never to nothing: 0 turns limits off, so it must be written.
///
/// ```
/// use ckpt_format::ByteSize;
///
/// let bytes = |text: &str| text.parse::<ByteSize>().map(ByteSize::bytes);
/// assert_eq!((bytes("3kB")?, bytes("3KiB")?), (3_000, 3_072));
/// assert_eq!((bytes("1.5 GiB")?, bytes("4096")?), (3 << 29, 4_096));
/// assert_eq!(
///     bytes("5gb").unwrap_err().to_string(),
///     "\"5gb\" is no size: write a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 5GiB, or a number of bytes"
/// );
/// # Ok::<(), ckpt_format::ByteSizeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

/// Why a text is not a size: it has another form, or is more than 64 bits hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no size: write {}", ByteSize::FORM)]
pub struct ByteSizeError {
    /// The text.
    pub text: String,
}

impl ByteSize {
    /// What a size looks like, for messages.
    pub const FORM: &'static str =
        "a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, as in 5GiB, or a number of bytes";

    /// The same as a regular expression, for schemas.
    pub const PATTERN: &'static str = r"^([0-9]+( *B)?|[0-9]+(\.[0-9]{1,18})? *([kMGT]B|[KMGT]iB))$";

    /// How many bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        parse(text).map(Self).ok_or_else(|| ByteSizeError { text: text.to_owned() })
    }
}

/// More digits than this of a fraction would not fit, and mean nothing.
const FRACTION_DIGITS_MAX: usize = 18;

fn parse(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_text = text.get(number.len()..)?;
    let unit = factor(unit_text)?;
    // Between the two, and nowhere else.
    let number = if unit_text.is_empty() { number } else { number.trim_end_matches(' ') };
    let (whole, fraction) = match number.split_once('.') {
        Some(_) if unit == 1 => return None,
        Some((whole, fraction)) => (whole, digits(fraction).filter(|f| f.len() <= FRACTION_DIGITS_MAX)?),
        None => (number, "0"),
    };
    let whole: u64 = digits(whole)?.parse().ok()?;
    let part: u64 = fraction.parse().ok()?;
    // Whole numbers throughout: a float would be off by some bytes from 2^53 on.
    let one = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let rounded = u128::from(part).checked_mul(unit)?.checked_add(one / 2)? / one;
    let bytes = u128::from(whole).checked_mul(unit)?.checked_add(rounded)?;
    let vanished = bytes == 0 && part > 0;
    u64::try_from(bytes).ok().filter(|_| !vanished)
}

fn factor(unit: &str) -> Option<u128> {
    Some(match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    })
}

/// The text, if it is digits and nothing else: `parse` takes signs, too.
fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(text: &str) -> Option<u64> {
        text.parse().ok().map(ByteSize::bytes)
    }

    #[test]
    fn units_of_both_families_are_exact() {
        for (text, value) in [
            ("0", 0),
            ("12", 12),
            ("12B", 12),
            ("3kB", 3_000),
            ("3KiB", 3_072),
            ("5GiB", 5 << 30),
            ("5 GiB", 5 << 30),
            ("5GB", 5_000_000_000),
            ("2TB", 2_000_000_000_000),
            ("1TiB", 1 << 40),
            ("0.5KiB", 512),
            ("1.5MB", 1_500_000),
            ("0.1GiB", 107_374_182),
            ("1.0005kB", 1_001),
            ("0.0kB", 0),
            ("18446744073709551615", u64::MAX),
            // A float has neither.
            ("9007199254740993B", (1 << 53) + 1),
            ("9007199.254740993GB", 9_007_199_254_740_993),
        ] {
            assert_eq!(bytes(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_has_another_form_or_no_room_is_refused_with_one_text() {
        for text in [
            "",
            " ",
            "GiB",
            "-1",
            "+1",
            "1gib",
            "1KB",
            "1kiB",
            "1 ",
            " 1",
            "1Gi",
            "1G",
            "1\u{a0}GiB",
            "1é",
            "1e3kB",
            "inf",
            "1.5",
            "1.5B",
            ".5GiB",
            "1.GiB",
            "1.2.3GiB",
            "1_000",
            "0x10",
            "1.0000000000000000001kB",
            "0.0001kB",
            "99999999999TiB",
            "18446744073709551616",
        ] {
            let error = text.parse::<ByteSize>().unwrap_err();
            assert_eq!(error.to_string(), format!("{text:?} is no size: write {}", ByteSize::FORM));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = bytes(&text);
        }

        #[test]
        fn whole_numbers_are_products(number in any::<u64>(), unit in prop::sample::select(
            vec![("", 1), ("kB", 1_000), ("MiB", 1_u64 << 20), ("TB", 1_000_000_000_000)]
        )) {
            let (unit, factor) = unit;
            prop_assert_eq!(bytes(&format!("{number}{unit}")), number.checked_mul(factor));
        }
    }
}
