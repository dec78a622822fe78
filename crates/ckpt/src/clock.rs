//! The one reading of wall time, for people and for what ages; nothing is ordered by it.

use std::time::{SystemTime, UNIX_EPOCH};

use ckpt_format::Timestamp;

/// This moment, in UTC with milliseconds.
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis());
    Timestamp::from_millis(i64::try_from(since_1970).unwrap_or(i64::MAX))
}
