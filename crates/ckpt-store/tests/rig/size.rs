//! How large a test is: CI has one size, `cargo xtask crash`, `soak`, `faults` and `rot` another.

/// The size that `CKPT_TEST_SIZE` asks for, or else the usual one.
pub(crate) fn size(usual: u64) -> u64 {
    let given = std::env::var_os("CKPT_TEST_SIZE").filter(|given| !given.is_empty());
    let number = |given: std::ffi::OsString| given.to_str().and_then(|given| given.parse().ok());
    given.map_or(usual, |given| number(given).expect("CKPT_TEST_SIZE is a number"))
}
