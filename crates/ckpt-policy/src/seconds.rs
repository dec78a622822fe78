//! Durations as seconds: as numbers in JSON, and as what a formula finds.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

/// What does not fit into a duration is for ever.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match f64::deserialize(deserializer)? {
        seconds if seconds >= 0.0 => Ok(duration(seconds)),
        seconds => Err(D::Error::custom(format!("{seconds} s is no duration: it must be 0 or more"))),
    }
}
