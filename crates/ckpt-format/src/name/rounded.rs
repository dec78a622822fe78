//! Metrics in names: rounded, signed, and the same text again once they were read.

/// A finite value beyond this is written as this: the next one that two decimals can name is no f64 any more.
const FINITE_MAX: f64 = 1.79e308;

/// From here on the exponent form is used, in absolute terms.
const EXPONENT_FROM: f64 = 1e9;

/// Writes a value with its sign and so many decimals: `+0.112`; from 1e9 on in exponent form: `+1.500e9`; and
/// `nan`, `+inf`, `-inf`.
pub(super) fn write(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+inf" } else { "-inf" }.to_owned();
    }
    let value = value.clamp(-FINITE_MAX, FINITE_MAX);
    let plain = format!("{value:+.decimals$}");
    // Rounding may carry a value over the limit, so the rounded one decides; else it would be written anew
    // each time.
    match plain.parse::<f64>() {
        Ok(rounded) if rounded.abs() < EXPONENT_FROM => plain,
        _ => format!("{value:+.decimals$e}"),
    }
}

/// Reads a value: what [`write`] wrote, and other decimals with or without sign, fraction and exponent.
/// `None` if it is none, or too large for an f64.
pub(super) fn read(text: &str) -> Option<f64> {
    match text {
        "nan" | "+nan" | "-nan" => return Some(f64::NAN),
        "inf" | "+inf" => return Some(f64::INFINITY),
        "-inf" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    let digits_only =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e'));
    if !digits_only {
        return None;
    }
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_written_signed_and_rounded() {
        for (value, decimals, text) in [
            (0.112, 3, "+0.112"),
            (1.45, 2, "+1.45"),
            (2.1, 2, "+2.10"),
            (-0.0305, 3, "-0.030"),
            (0.0, 3, "+0.000"),
            (-0.0, 3, "-0.000"),
            (-0.0001, 3, "-0.000"),
            (999_999_999.999, 3, "+999999999.999"),
            (999_999_999.999_6, 3, "+1.000e9"),
            (1e9, 3, "+1.000e9"),
            (-1.2345e30, 2, "-1.23e30"),
            (5e-324, 3, "+0.000"),
            (f64::MAX, 3, "+1.790e308"),
            (f64::MIN, 2, "-1.79e308"),
            (f64::NAN, 3, "nan"),
            (f64::INFINITY, 3, "+inf"),
            (f64::NEG_INFINITY, 2, "-inf"),
        ] {
            assert_eq!(write(value, decimals), text, "{value:e} with {decimals} decimals");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in
            ["", "+", "-", ".", "e", "1e", "+-1", "1_0", "0x1", "NaN", "infinity", "1e999", " 1", "1,5", "na"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        for (text, value) in
            [("1", 1.0), ("-2.5", -2.5), ("+1.5e+09", 1.5e9), (".5", 0.5), ("inf", f64::INFINITY)]
        {
            assert_eq!(read(text), Some(value), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_text_is_the_same_again_once_it_was_read(
            bits in any::<u64>(),
            near in -2e9..2e9f64,
            decimals in 2..=3usize,
        ) {
            for value in [f64::from_bits(bits), near] {
                let text = write(value, decimals);
                let read = read(&text).expect("what was written can be read");
                prop_assert_eq!(write(read, decimals), text);
                if value.is_nan() {
                    prop_assert!(read.is_nan());
                } else if value.abs() < EXPONENT_FROM {
                    prop_assert!((read - value).abs() <= 0.006, "{} read as {}", value, read);
                } else if value.abs() < FINITE_MAX {
                    prop_assert!((read / value - 1.0).abs() <= 0.006, "{} read as {}", value, read);
                }
            }
        }
    }
}
