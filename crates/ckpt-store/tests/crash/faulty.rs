//! Every operation fails with every error that it can give, once and from there on: the outcome is a typed error, the old set is
//! intact, and nothing is left behind.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use ckpt_store::storage::Storage;
use ckpt_store::testing::{FAULTS, Fault, Injector, Observed, Observer, Operation, Verb};
use ckpt_store::{Error, Run};

use crate::ledger::{Broken, hold};
use crate::promises::examine;
use crate::scenes::live;
use crate::stage::{self, RUN, Stage, options, subject};
use crate::{guarded, say};

/// An injector that remembers what it made to fail.
struct Noting {
    injector: Injector,
    failed: Mutex<BTreeSet<Verb>>,
}

impl Observer for Noting {
    fn before(&self, operation: &Operation<'_>) -> std::io::Result<()> {
        self.injector.before(operation).inspect_err(|_| {
            self.failed.lock().unwrap().insert(operation.verb);
        })
    }

    fn said_to_be_written(&self, bytes: usize) -> usize {
        self.injector.said_to_be_written(bytes)
    }
}

/// What is done while an operation fails: which one did, nothing if none.
type Play = fn(Fault, u64, bool) -> Result<Option<BTreeSet<Verb>>, Broken>;

#[test]
fn whatever_operation_fails_the_error_says_so_and_the_old_set_is_intact() {
    let mut count = 0_u64;
    let mut kinds = BTreeSet::new();
    let plays: [(&str, Play); 2] = [("create", creating), ("live", living)];
    for (name, play) in plays {
        for fault in FAULTS {
            for and_on in [false, true] {
                for at in 0.. {
                    let played = guarded(|| play(fault, at, and_on));
                    match played {
                        Err(broken) => panic!("{name}: {fault:?} at {at}, and on: {and_on}: {broken:?}"),
                        Ok(None) => break,
                        Ok(Some(failed)) => {
                            count += 1;
                            kinds.extend(failed.into_iter().map(|verb| (fault, verb)));
                        }
                    }
                }
            }
        }
    }
    say(&format!("faulty: {count} injections, {} kinds of error and operation", kinds.len()));
    let possible = |fault: Fault, verb: Verb| fault.befalls(verb);
    let seen: BTreeSet<Verb> = kinds.iter().map(|(_, verb)| *verb).collect();
    let missing: Vec<(Fault, Verb)> = FAULTS
        .into_iter()
        .flat_map(|fault| seen.iter().map(move |verb| (fault, *verb)))
        .filter(|(fault, verb)| *fault != Fault::ShortWrite && possible(*fault, *verb))
        .filter(|kind| !kinds.contains(kind))
        .collect();
    assert!(missing.is_empty(), "never tried: {missing:?}");
    assert!(seen.len() >= 17, "only these operations ever failed: {seen:?}");
}

/// Makes a run. Nothing is returned if nothing failed.
fn creating(fault: Fault, at: u64, and_on: bool) -> Result<Option<BTreeSet<Verb>>, Broken> {
    let stage = Stage::new(None);
    let noting = noting(fault, at, and_on);
    let base: Arc<dyn Storage> = Arc::new(Observed::new(Arc::clone(&stage.base), noting.clone()));
    match stage::create(&base) {
        Ok(run) => {
            stage.ledger().created = true;
            drop(run);
        }
        Err(error) => typed(fault, &error)?,
    }
    conclude(&stage, &noting)
}

/// Opens a run, saves, pins, deletes, loads, sets aside, saves.
fn living(fault: Fault, at: u64, and_on: bool) -> Result<Option<BTreeSet<Verb>>, Broken> {
    let stage = Stage::new(None);
    let run = stage.run(5)?;
    stage.damage(&run, 5)?;
    drop(run);
    let noting = noting(fault, at, and_on);
    let directory: Arc<dyn Storage> = Arc::new(Observed::new(stage.directory(), noting.clone()));
    match Run::open_on(directory, RUN, options()) {
        Ok(run) => {
            for error in live(&stage, &run, 6, 3) {
                typed(fault, &error)?;
            }
            // What could not be removed now is swept by the next writer.
            if !and_on && !noting.failed.lock().unwrap().contains(&Verb::Unlink) {
                let staged = stage.directory().list(".staging").unwrap_or_default();
                hold(staged.is_empty(), "nothing half-done stays behind", || format!("{staged:?}"))?;
            }
        }
        Err(error) => typed(fault, &error)?,
    }
    conclude(&stage, &noting)
}

fn noting(fault: Fault, at: u64, and_on: bool) -> Arc<Noting> {
    Arc::new(Noting { injector: Injector::new(fault, at, and_on), failed: Mutex::default() })
}

/// The fault is over: everything that was promised is there.
fn conclude(stage: &Stage, noting: &Noting) -> Result<Option<BTreeSet<Verb>>, Broken> {
    if noting.injector.fired() == 0 {
        return Ok(None);
    }
    examine(&stage.base, &subject(0), &stage.recorder.ledger)?;
    Ok(Some(noting.failed.lock().unwrap().clone()))
}

/// The error is of the kind that the caller would act on.
fn typed(fault: Fault, error: &Error) -> Result<(), Broken> {
    // After a sync that failed a handle refuses, and what is not known to be durable keeps what is.
    const ANY: [&str; 4] = ["durability_unknown", "last_verified", "not_found", "fenced"];
    let own: &[&str] = match fault {
        Fault::NoSpace | Fault::Quota => &["no_space"],
        Fault::Permission | Fault::ReadOnly => &["permission"],
        Fault::Io | Fault::TooManyFiles | Fault::Interrupted => &["io"],
        Fault::ShortWrite => &[],
    };
    let code = error.code();
    hold(own.contains(&code) || ANY.contains(&code), "an error says what it is", || {
        format!("{fault:?} became {code}: {error}")
    })
}
