//! How a decision is told: as data with its sentence beside it, and numbers that people can read.

use std::fmt;
use std::time::Duration;

use serde::Serializer;

/// Serializes a type as what `#[serde(remote = "Self")]` derives, with its `Display` beside it as `text`.
macro_rules! serialize_with_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(serde::Serialize)]
                struct WithText<'a> {
                    #[serde(flatten, serialize_with = "data")]
                    data: &'a $type,
                    text: String,
                }
                fn data<S: serde::Serializer>(data: &&$type, serializer: S) -> Result<S::Ok, S::Error> {
                    <$type>::serialize(*data, serializer)
                }
                WithText { data: self, text: self.to_string() }.serialize(serializer)
            }
        }
    };
}
pub(crate) use serialize_with_text;

/// A count with its thousands apart: `25,000`.
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Seconds, to the millisecond: `1.5 s`, `90 s`.
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.3}", self.0);
        write!(f, "{} s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

/// A float in JSON; one that JSON has not is a string: `"NaN"`, `"Infinity"`, `"-Infinity"`.
pub(crate) fn float<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() {
        return serializer.serialize_f64(*value);
    }
    serializer.serialize_str(match value {
        value if value.is_nan() => "NaN",
        value if *value > 0.0 => "Infinity",
        _ => "-Infinity",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_for_people() {
        let counts = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (25_000, "25,000"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ];
        for (count, text) in counts {
            assert_eq!(Count(count).to_string(), text);
        }
        for (seconds, text) in
            [(0.0, "0 s"), (1.5, "1.5 s"), (90.0, "90 s"), (0.0104, "0.01 s"), (3_600.0, "3600 s")]
        {
            assert_eq!(Seconds(seconds).to_string(), text);
        }
    }
}
