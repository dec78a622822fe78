//! All that the example needs of `ckpt`: a session, the learner as sections and back, and what the parent reads beside
//! the child.

use std::path::Path;

use ckpt::{
    BundleMode, BundleReport, Checkpoint, Program, Restore, Run, Save, Section, Selector, Session,
    SessionOptions,
};

use crate::learner::Learner;
use crate::state::{FILTER_SECTION, HalfWay, LearnerState, PARTICLES_SECTION, put_together, take_apart};
use crate::{Result, child};

/// Older checkpoints than this many are deleted: two would do, to step back once.
const KEPT: u64 = 3;

/// A learner as it is saved.
pub(crate) struct Moment {
    state: LearnerState,
    particles: Vec<u8>,
    hold: bool,
}

/// The session of the run in `directory`: a checkpoint every so many days, until all `days` are learned.
pub(crate) fn open(directory: &Path, seed: u64, every: u64, days: u64) -> Result<Session> {
    let mut options = SessionOptions::default().save_every(every).keep_last(KEPT).unit("days").total(days);
    options.path = Some(directory.to_owned());
    options.seed = i64::try_from(seed).ok();
    options.program =
        Some(Program { name: "crash_and_resume".into(), version: env!("CARGO_PKG_VERSION").into() });
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Session::open(directory, "volatility", name, options)?)
}

/// The learner of the newest good checkpoint, read beside whoever writes.
pub(crate) fn read_latest(directory: &Path) -> Result<Learner> {
    let run = Run::open_read_only(directory)?;
    let loaded = run.load_with(&Selector::Latest, |found| Learner::restore(found, BundleMode::Strict))?;
    Ok(loaded.value.0)
}

/// Names of files that a save left unfinished.
pub(crate) fn staging_leftovers(directory: &Path) -> Result<Vec<String>> {
    let Ok(entries) = std::fs::read_dir(directory.join(".staging")) else { return Ok(Vec::new()) };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

impl Moment {
    /// The learner as it is now; with `hold` the save stops in its middle and waits to be killed.
    pub(crate) fn of(learner: &Learner, hold: bool) -> Moment {
        let (state, particles) = take_apart(learner);
        Moment { state, particles, hold }
    }
}

impl Save for Moment {
    /// The particles are read while the file is written, so the parent can be told when half of them are in it.
    fn sections(&self) -> ckpt::Result<Vec<Section<'_>>> {
        let particles = HalfWay::new(&self.particles, || child::half_way(self.state.day, self.hold));
        Ok(vec![Section::json(FILTER_SECTION, &self.state)?, Section::reader(PARTICLES_SECTION, particles)])
    }
}

impl Restore for Learner {
    fn restore(checkpoint: &Checkpoint, _mode: BundleMode) -> ckpt::Result<(Learner, BundleReport)> {
        let (state, _) = checkpoint.read_json(FILTER_SECTION)?;
        let particles = checkpoint.read(PARTICLES_SECTION)?;
        let learner = put_together(&state, &particles).map_err(|error| ckpt::Error::Incompatible {
            file: checkpoint.file_name().to_owned(),
            reason: error.to_string(),
        })?;
        Ok((learner, BundleReport::default()))
    }
}
