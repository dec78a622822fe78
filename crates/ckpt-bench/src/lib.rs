//! What the benchmarks save: [`Learner`], the state of a small learning process.
//!
//! `cargo bench -p ckpt-bench` times the parts of a small save; `cargo run --release -p ckpt-bench -- small|large|files|memory [DIR]`
//! holds whole operations against the machine's limits. `docs/PERFORMANCE.md` has what came out.

mod learner;

pub use learner::Learner;
