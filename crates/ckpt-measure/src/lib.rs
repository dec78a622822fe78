//! Times what is done against what the machine can do.
//!
//! A time says little without the limit beside it, and on a shared machine both move while one looks. So a case names
//! the limit it is held against, both run in turn, round after round, and what counts is the ratio within each round.
//!
//! ```
//! use std::hint::black_box;
//!
//! use ckpt_measure::{Against, Rounds, timed};
//!
//! let bytes = vec![7_u8; 10_000];
//! let mut rounds = Rounds::new();
//! rounds.limit("copy", |_| timed(|| Ok(drop(black_box(bytes.clone())))));
//! rounds.case("copy and sum", Against { limit: "copy".into(), at_most: Some(100.0) }, |_| {
//!     timed(|| Ok(drop(black_box(bytes.clone().iter().map(|byte| u64::from(*byte)).sum::<u64>()))))
//! });
//! let report = rounds.run(9, |_| Ok(()))?;
//! println!("{} times as long", report.rows[1].ratio.unwrap().median);
//! # Ok::<(), ckpt_measure::Error>(())
//! ```
//!
//! [`raw`] is what the machine can do, written on the system's calls alone; [`Noise`] is what cannot be compressed.

mod noise;
pub mod raw;
mod rounds;

pub use noise::Noise;
pub use rounds::{Against, Error, Failed, Report, Rounds, Row, Spread, timed};
