//! Which process on which start of which machine this is.

use std::fs;

use ckpt_format::Writer;

/// Identity of this process and of this start of the machine.
///
/// The boot identity tells whether the machine has restarted since a checkpoint was written: what is read back after a
/// restart is on the medium, what is read back before may only be in memory.
pub(crate) fn this_process() -> Writer {
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Writer {
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        pid: std::process::id(),
        boot_id: boot_id.trim().to_owned(),
    }
}

/// `count` random bytes as lower-case hex digits.
pub(crate) fn random_hex(count: usize) -> std::io::Result<String> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
