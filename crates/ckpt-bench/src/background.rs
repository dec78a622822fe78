//! Saving in the background: what the caller waits for, beside one copy of the same bytes.

use std::sync::Arc;
use std::time::Duration;

use ckpt::{Arena, BackgroundWriter, Job, Metadata, Section, WriterOptions};
use ckpt_measure::{Against, Error, Noise, Rounds, timed};

use crate::place::Place;
use crate::single::{GIB, clear};
use crate::table;

const ROUNDS: u32 = 9;
const LIMIT: &str = "one copy into fresh memory";

/// 1 GiB of numbers, which the caller may change again as soon as it has the thread back.
pub(crate) fn run(place: &Place) -> Result<(), Error> {
    let noise = Noise::new(GIB, 1);
    let run = Arc::new(place.run("background")?);
    let writer = BackgroundWriter::start(Arc::clone(&run), WriterOptions::default(), |_, _| ())?;
    let kept = Arena::new();
    let blocked = |arena: &Arena| -> Result<Duration, Error> {
        timed(|| {
            writer.submit_with(true, || {
                let snapshot = arena.snapshot(vec![Section::raw("weights", noise.unaligned())])?;
                Ok(Job::new(0, Metadata::default(), snapshot))
            })?;
            Ok(())
        })
    };
    let settle = || -> Result<(), Error> {
        writer.flush()?;
        clear(&run)
    };
    let against = Against { limit: LIMIT.to_owned(), at_most: Some(1.3) };
    let mut rounds = Rounds::new();
    rounds.limit(LIMIT, |_| timed(|| Ok(noise.unaligned().to_vec())));
    rounds.case("the caller waits, memory used before", against.clone(), |_| {
        let time = blocked(&kept)?;
        settle()?;
        Ok(time)
    });
    rounds.case("the caller waits, first snapshot", against.clone(), |_| {
        let time = blocked(&Arena::new())?;
        settle()?;
        Ok(time)
    });
    rounds.case("the caller waits, a save in flight, memory used before", against, |_| {
        blocked(&kept)?;
        let time = blocked(&kept)?;
        settle()?;
        Ok(time)
    });
    let report = rounds.run(ROUNDS, |_| place.settle())?;
    table::print("Saving 1 GiB in the background", &report);
    Ok(())
}
