//! Room on the medium. What follows from it is policy; here is only the arithmetic of `need` and `reserve`.

use crate::storage::Space;

const RESERVE_BYTES_MAX: u64 = 5 << 30;
const RESERVE_SHARE: u64 = 20;

/// What the next save may need, by the size of the last: a tenth more.
pub(crate) fn need(last_stored_bytes: u64) -> u64 {
    last_stored_bytes.saturating_add(last_stored_bytes / 10)
}

/// Whether bytes count more than time: less is free than the reserve (5 GiB, or a twentieth of a smaller file system) and
/// two saves.
pub(crate) fn is_filling(space: Space, last_stored_bytes: u64) -> bool {
    let reserve = RESERVE_BYTES_MAX.min(space.total / RESERVE_SHARE);
    space.available < reserve.saturating_add(need(last_stored_bytes).saturating_mul(2))
}
