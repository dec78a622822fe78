//! Saving in the background: what the caller waits for, beside one copy of the same bytes.

use std::sync::Arc;
use std::time::Duration;

use ckpt::{
    Arena, BackgroundWriter, Job, Metadata, Save, Section, Session, SessionOptions, Step, WhenBusy,
    WriterOptions,
};
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
        clear(run.path())
    };
    let against = Against { limit: LIMIT.to_owned(), at_most: Some(1.3) };
    let options = SessionOptions::default().save_every(1).keep_last(0).background(WhenBusy::Wait);
    let mut session = Session::open(place.path(), "bench", "session", options)?;
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
    rounds.case("the caller waits, a save in flight, memory used before", against.clone(), |_| {
        blocked(&kept)?;
        let time = blocked(&kept)?;
        settle()?;
        Ok(time)
    });
    rounds.case("a step of a Session, memory used before", against, |round| {
        let time =
            timed(|| match session.step_with(u64::from(round) + 1, &[], &Weights(noise.unaligned()))? {
                Step::Queued { .. } => Ok(()),
                other => Err(format!("{other:?}").into()),
            })?;
        session.flush()?;
        clear(&place.path().join("bench/session"))?;
        Ok(time)
    });
    let report = rounds.run(ROUNDS, |_| place.settle())?;
    table::print("Saving 1 GiB in the background", &report);
    Ok(())
}

/// State that lends its one buffer.
struct Weights<'a>(&'a [u8]);

impl Save for Weights<'_> {
    fn sections(&self) -> ckpt::Result<Vec<Section<'_>>> {
        Ok(vec![Section::raw("weights", self.0)])
    }
}
