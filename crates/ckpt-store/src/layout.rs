//! Names in a run's directory: `docs/STORE-LAYOUT.md`.

use ckpt_format::FileName;

/// Identity of the run, written once.
pub(crate) const RUN: &str = "run.json";
/// What happened, and why.
pub(crate) const LOG: &str = "log.jsonl";
/// Lock of the writer, whatever its epoch.
pub(crate) const WRITER_LOCK: &str = ".lock";
/// Lock of every change.
pub(crate) const MUTATION_LOCK: &str = ".mutate";
/// Room kept for an urgent save.
pub(crate) const RESERVE: &str = ".reserve";
/// Files being written.
pub(crate) const STAGING: &str = ".staging";
/// Damaged files that were set aside.
pub(crate) const QUARANTINE: &str = ".quarantine";

const MARKER: &str = ".epoch-";
const PIN: &str = ".pin";

/// Says that an epoch was begun.
pub(crate) fn marker(epoch: u64) -> String {
    format!("{MARKER}{epoch:06}")
}

/// The epoch of a marker.
pub(crate) fn marker_epoch(name: &str) -> Option<u64> {
    let epoch = name.strip_prefix(MARKER)?.parse().ok()?;
    (epoch > 0 && marker(epoch) == name).then_some(epoch)
}

/// The pin of a sequence.
pub(crate) fn pin(sequence: u64) -> String {
    format!("{sequence:08}{PIN}")
}

/// The sequence of a pin.
pub(crate) fn pin_sequence(name: &str) -> Option<u64> {
    let sequence = name.strip_suffix(PIN)?.parse().ok()?;
    (pin(sequence) == name).then_some(sequence)
}

/// (epoch, sequence) of a checkpoint's file name.
pub(crate) fn checkpoint_order(name: &str) -> Option<(u64, u64)> {
    FileName::order_key(name)
}

/// A staging file: whose it is stands in its name, so that it can be swept by epoch.
pub(crate) fn staging(epoch: u64, sequence: u64, random: &str) -> String {
    format!("{STAGING}/{epoch:06}-{sequence:08}-{random}.part")
}

/// (epoch, sequence) of the name of a staging file.
pub(crate) fn staging_order(name: &str) -> Option<(u64, u64)> {
    let mut parts = name.strip_suffix(".part")?.split('-');
    let order = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (parts.next().is_some() && parts.next().is_none()).then_some(order)
}

/// A staging file of something small that belongs to no epoch: a pin, the run's identity.
pub(crate) fn staging_small(random: &str) -> String {
    format!("{STAGING}/small-{random}.part")
}

/// Whether the name is that of a small staging file.
pub(crate) fn is_staging_small(name: &str) -> bool {
    name.starts_with("small-") && name.ends_with(".part")
}

/// Where a damaged file is set aside; the moment stands in the name.
pub(crate) fn quarantine(millis: i64, name: &str) -> String {
    format!("{QUARANTINE}/{millis:015}_{name}")
}

/// Moment and original name of a file that was set aside.
pub(crate) fn quarantined(name: &str) -> Option<(i64, &str)> {
    let (millis, original) = name.split_once('_')?;
    Some((millis.parse().ok()?, original))
}

/// Whether a name at the top of a run's directory is one of ours, a checkpoint or not.
pub(crate) fn is_known(name: &str) -> bool {
    [RUN, LOG, WRITER_LOCK, MUTATION_LOCK, RESERVE, STAGING, QUARANTINE, ".blocks"].contains(&name)
        || marker_epoch(name).is_some()
        || pin_sequence(name).is_some()
        || checkpoint_order(name).is_some()
        || (name.starts_with("log.") && name.ends_with(".jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_others_are_not_taken_for_ours() {
        assert_eq!(marker_epoch(&marker(7)), Some(7));
        assert_eq!(marker_epoch(&marker(12_345_678)), Some(12_345_678));
        for foreign in [".epoch-", ".epoch-7", ".epoch-000000", ".epoch-+00007", "epoch-000007"] {
            assert_eq!(marker_epoch(foreign), None, "{foreign}");
        }
        assert_eq!(pin_sequence(&pin(2)), Some(2));
        assert_eq!(pin_sequence("2.pin"), None);
        let path = staging(3, 12, "0a1b");
        assert_eq!(staging_order(path.strip_prefix(".staging/").unwrap()), Some((3, 12)));
        assert_eq!(staging_order("000003-00000012.part"), None);
        let path = quarantine(1_700_000_000_000, "00000001.ckpt");
        assert_eq!(
            quarantined(path.strip_prefix(".quarantine/").unwrap()),
            Some((1_700_000_000_000, "00000001.ckpt"))
        );
    }
}
