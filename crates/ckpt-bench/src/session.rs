//! A session: what a step costs that does not save, and what planning and pruning cost.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use ckpt::{
    Direction, Json, Monitor, RetentionPolicy, Run, RunOptions, Session, SessionOptions, Step, Trigger, plan,
};
use ckpt_measure::{Against, Error, Rounds, timed};
use rustix::fs::AtFlags;

use crate::fill::{FIRST, fill, filled};
use crate::place::Place;
use crate::table;

const STEPS: u64 = 1_000_000;
const STEP_ROUNDS: u32 = 21;
const PRUNE_ROUNDS: u32 = 21;
const MANY: u64 = 10_000;

pub(crate) fn run(place: &Place) -> Result<(), Error> {
    steps(place)?;
    for count in [100, MANY] {
        pruning(place, count)?;
    }
    Ok(())
}

/// Each case is a million calls, so that reading the clock around them does not count.
fn steps(place: &Place) -> Result<(), Error> {
    let never = || SessionOptions::default().save_every(u64::MAX);
    let hour = || Trigger::EveryDuration(Duration::from_secs(3_600));
    let both = || Trigger::Any(vec![Trigger::EveryUnits(u64::MAX), hour()]);
    let adaptive = || Trigger::adaptive(1 << 60, 5.0, None);
    let watched = || never().monitor(Monitor::new("reward", Direction::Max));
    let limit = "1,000,000 readings of the monotonic clock";
    let against = || Against { limit: limit.to_owned(), at_most: Some(3.0) };
    let mut rounds = Rounds::new();
    rounds.limit(limit, |_| {
        timed(|| {
            for _ in 0..STEPS {
                black_box(Instant::now());
            }
            Ok(())
        })
    });
    let none: &[(&str, f64)] = &[];
    let evaluated: &[(&str, f64)] = &[("reward", 0.5)];
    for (name, options, metrics) in [
        ("every N units", never(), none),
        ("every T", never().save_when(hour()), none),
        ("every N units or every T", never().save_when(both()), none),
        ("adaptive, total known", never().save_when(adaptive()?).total(1 << 62), none),
        ("a metric watched and given, no better", watched(), evaluated),
    ] {
        let mut session = opened(place, &format!("empty-{}", name.len()), options)?;
        let mut at = 0;
        rounds.case(format!("1,000,000 steps: {name}"), against(), move |_| {
            many_steps(&mut session, &mut at, metrics)
        });
    }
    drop(filled(place, "many", MANY)?);
    let options = SessionOptions { path: Some(place.path().join("many")), ..never().save_when(both()) };
    let mut session = Session::open(place.path(), "bench", "many", options)?;
    let mut at = 0;
    rounds.case("1,000,000 steps: units or T, beside 10,000 checkpoints", against(), move |_| {
        many_steps(&mut session, &mut at, none)
    });
    table::print("A step that does not save", &rounds.run(STEP_ROUNDS, |_| Ok(()))?);
    Ok(())
}

fn opened(place: &Place, name: &str, options: SessionOptions) -> Result<Session, Error> {
    let mut session = Session::open(place.path(), "bench", name, options)?;
    // The first step proves that the path can be written to.
    session.step(0, &[("reward", 1.0)], || Json(0))?;
    Ok(session)
}

fn many_steps(session: &mut Session, at: &mut u64, metrics: &[(&str, f64)]) -> Result<Duration, Error> {
    let from = *at + 1;
    *at += STEPS;
    timed(|| {
        for step in from..from + STEPS {
            if session.step(step, metrics, || Json(step))? != Step::NotDue {
                return Err(format!("saved at {step}").into());
            }
        }
        Ok(())
    })
}

/// A run of so many, of which the last 14 in 100 are kept.
fn pruning(place: &Place, count: u64) -> Result<(), Error> {
    let policy = RetentionPolicy { keep_last: count * 14 / 100, ..RetentionPolicy::default() };
    let victims = usize::try_from(count - policy.keep_last)?;
    let run = filled(place, &format!("pruned-{count}"), count)?;
    let path = run.path().to_owned();
    let identity = run.reader().identity().clone();
    let entries = run.reader().list()?;
    drop(run);
    let plain = place.dir(&format!("plain-{count}"))?;
    let limit = format!("unlinking {victims}, one sync");
    let against = |at_most| Against { limit: limit.clone(), at_most };
    let mut rounds = Rounds::new();
    rounds.limit(&limit, |_| {
        let names = fill(&plain, &identity, FIRST, victims as u64)?;
        place.settle()?;
        timed(|| unlink(&plain, &names))
    });
    rounds.case(format!("planning {count}"), against(None), |_| {
        timed(|| Ok(black_box(plan(&policy, &entries, ckpt::now()))))
    });
    rounds.case(
        format!("listing and planning {count}, deleting {victims}, verified and logged"),
        against(None),
        |_| {
            fill(&path, &identity, FIRST, count - 1)?;
            let run = Run::open(&path, RunOptions::new(ckpt::now))?;
            place.settle()?;
            timed(|| {
                let plan = plan(&policy, &run.reader().list()?, ckpt::now());
                let deletions: Vec<ckpt::Deletion> = plan
                    .deletions()
                    .map(|(name, reason)| ckpt::Deletion { file_name: name.to_owned(), reason })
                    .collect();
                let deleted = run.delete(&deletions)?.file_names.len();
                if deleted == victims {
                    Ok(())
                } else {
                    Err(format!("{deleted} of {victims} were deleted").into())
                }
            })
        },
    );
    let title = format!("Pruning {count}");
    table::print(&title, &rounds.run(PRUNE_ROUNDS, |_| place.settle())?);
    Ok(())
}

fn unlink(dir: &Path, names: &[String]) -> Result<(), Error> {
    let dir = std::fs::File::open(dir)?;
    for name in names {
        rustix::fs::unlinkat(&dir, name.as_str(), AtFlags::empty())?;
    }
    Ok(dir.sync_all()?)
}
