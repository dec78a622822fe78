//! How large a test is: CI has one size, `cargo xtask crash`, `soak`, `faults` and `rot` another.

/// The size that `CKPT_TEST_SIZE` asks for, or else the usual one.
pub(crate) fn size(usual: u64) -> u64 {
    let given = std::env::var("CKPT_TEST_SIZE").ok().filter(|given| !given.is_empty());
    given.map_or(usual, |given| given.parse().expect("CKPT_TEST_SIZE is a number"))
}
