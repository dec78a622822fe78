//! `ckpt bench`: where, how much, how often.

use std::path::PathBuf;

use clap::Args;

use super::units;

/// Less would time the program more than the disk.
const SIZE_MIN: u64 = 1 << 20;
/// More tells nothing new, and it must fit in memory.
const SIZE_MAX: u64 = 16 << 30;
/// What the disk takes at a time.
const PAGE: u64 = 4_096;

#[derive(Debug, Args)]
#[command(after_help = "\
Writes files of SIZE bytes in a directory of its own inside DIR, one after another, and removes it. Three times SIZE must be \
free on the disk, and twice SIZE in memory. Each line that is held against another one ran in turn with it; the ratio is the \
median of those within a round.

Examples:
  ckpt bench
  ckpt bench /mnt/data --size 1GiB --rounds 9")]
pub(crate) struct BenchArgs {
    /// Directory on the disk to time
    #[arg(default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Bytes of a large file: a number with B; kB, MB, GB (of 1000); KiB, MiB or GiB (of 1024)
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub(crate) size: u64,
    /// Rounds that count; one more is run first
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
}

/// Whole pages of bytes.
fn size(text: &str) -> Result<u64, String> {
    match units::bytes(text).map_err(|error| error.to_string())? {
        bytes if (SIZE_MIN..=SIZE_MAX).contains(&bytes) => Ok(bytes - bytes % PAGE),
        _ => Err("give 1MiB to 16GiB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_bounds_and_are_cut_to_pages() {
        for (text, bytes) in [
            ("256MiB", 256 << 20),
            ("50MB", 49_999_872),
            ("1048576", 1 << 20),
            ("1.5 GiB", 3 << 29),
            ("16GiB", 16 << 30),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MiB", "1", "17GiB", "-1MiB", "1mib", "99999999999999999999GiB", "1é"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
