//! Checkpoints of other systems: what lies in a file or directory is read into a plan, and the plan is taken into a run.
//!
//! ```
//! use ckpt_store::legacy::{Layout, Plan, Verdict};
//! # use ckpt_format::Timestamp;
//! # use ckpt_store::{Run, RunOptions};
//!
//! # let root = tempfile::tempdir()?;
//! # let old = root.path().join("old");
//! # std::fs::create_dir(&old)?;
//! # std::fs::write(old.join("checkpoint_step_20_20250127_130000.pkl"), b"any bytes")?;
//! # std::fs::write(old.join("checkpoint_step_10_20250127_120000.pkl"), b"any bytes")?;
//! # let path = root.path().join("training/demo");
//! # fn clock() -> Timestamp { Timestamp::from_millis(1_763_210_096_789) }
//! # let run = Run::create(&path, &"training".parse()?, &"demo".parse()?, RunOptions::new(clock))?;
//! let plan = Plan::read(&old, None)?; // nothing is written, pickles are never loaded
//! assert_eq!(plan.layout, Layout::Pickles);
//! for left in &plan.left {
//!     println!("{} stays where it is: {}", left.path.display(), left.reason);
//! }
//! assert_eq!(plan.verdicts(Some(run.reader()), false)?, [Verdict::Import, Verdict::Import]);
//! run.import_plan(&plan, false, |found, taken| println!("{} is {taken:?}", found.name))?;
//! # assert_eq!(run.reader().list()?.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What each layout holds and what goes where: `docs/IMPORT.md`.

mod artifacts;
mod detect;
mod exported;
mod fields;
mod folder;
mod market_maker;
mod pickles;
mod rl_trainer;
mod said;
mod take;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ckpt_format::{Digest, Metadata, RunName};

use crate::error::{Error, Result};
use detect::Source;
pub use folder::Piece;
use said::Said;
pub use take::{Taken, Verdict};

/// How a system lays its checkpoints out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// A file of this library, as `ckpt export` writes it.
    Ckpt,
    /// `latest/checkpoint.json`, and `<milliseconds>/checkpoint.json` beside it.
    MarketMaker,
    /// `NQ_ts-0025000_evt-best_….zip`, `phase1_25000_steps.zip`, `phase1_foundational_final.zip`, `best_model.zip`, each with
    /// `{base}_vecnormalize.pkl` and `{base}_metadata.json` if they are there.
    RlTrainer,
    /// One directory of files such as `model.pt`, with `state.json` if it is there.
    Artifacts,
    /// `checkpoint_step_{n}_{time}.pkl[.gz]`, `best_trial_{n}.pkl[.gz]`, `best_episode_{n}.pkl[.gz]`.
    Pickles,
}

/// Who said what is known of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Told {
    /// The name of the file or directory.
    Name,
    /// A file beside it.
    Companion,
    /// The file itself.
    Inside,
    /// Whoever asked for the import.
    Flag,
}

/// What is to be imported from a file or a directory, and what is not.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The layout it was read as.
    pub layout: Layout,
    /// What was read, as it was given.
    pub path: PathBuf,
    /// The checkpoints in the order in which they are imported: oldest first, by the origin's own order.
    pub found: Vec<Found>,
    /// Everything else that is there, and why it is not imported.
    pub left: Vec<Left>,
}

/// A checkpoint of another system.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name there: of its file or directory.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it will say about itself. `created_at` is zero if nothing tells it: then it is when it was imported.
    pub metadata: Metadata,
    /// Who said what: `market`, `phase`, `step`, `events`, `seed`, `created_at`, `status`, `metrics.NAME`, `labels.KEY`.
    pub told: BTreeMap<String, Told>,
    /// Its files.
    pub sections: Vec<Piece>,
    /// Identity of it as it was there: layout, name and the bytes of each file. Stays in its metadata, so that it is not
    /// imported twice.
    pub digest: Digest,
    /// What deserves a look: a damaged companion, a contradiction.
    pub notes: Vec<String>,
    /// Where it belongs among the others.
    order: Order,
}

/// Something that is there and is not imported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// Why it stays there, and the way out if there is one.
    pub reason: String,
}

/// The origin's own order: phase, whether the step is known, step, time, and at last the name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    phase: u64,
    rank: u8,
    step: u64,
    time: i64,
    name: String,
}

/// What a reader of a layout comes back with.
#[derive(Debug, Default)]
struct Reading {
    found: Vec<Found>,
    left: Vec<Left>,
}

impl Plan {
    /// Reads what lies at `path`, which may be a link; links within it are not followed. Without a layout it is told from
    /// the names.
    ///
    /// Every file that is to be imported is read once, for its digest. Nothing is written, nothing is executed.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the candidates if several layouts fit, what is known if none does, or why nothing at all
    /// can be imported; [`Error::NotFound`] if nothing is there; [`Error::Io`] and [`Error::Permission`] naming the file.
    pub fn read(path: &Path, layout: Option<Layout>) -> Result<Self> {
        let source = Source::open(path)?;
        let layout = match layout {
            Some(layout) => layout,
            None => detect::layout(&source)?,
        };
        let Reading { mut found, left } = match layout {
            Layout::Ckpt => exported::read(&source),
            Layout::MarketMaker => market_maker::read(&source),
            Layout::RlTrainer => rl_trainer::read(&source),
            Layout::Artifacts => artifacts::read(&source),
            Layout::Pickles => pickles::read(&source),
        }?;
        if found.is_empty() {
            return Err(detect::nothing(path, layout, &left));
        }
        found.sort_by(|a, b| a.order.cmp(&b.order));
        Ok(Self { layout, path: path.to_owned(), found, left })
    }

    /// Sets a metric, whatever the checkpoint says.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there are several checkpoints: one value cannot judge them all.
    pub fn set_metric(&mut self, name: &str, value: f64) -> Result<()> {
        let count = self.found.len();
        let [found] = self.found.as_mut_slice() else {
            return Err(Error::Invalid {
                reason: format!(
                    "{} holds {count} checkpoints, and the metric {name} is that of one: import its file by itself",
                    self.path.display()
                ),
            });
        };
        found.metadata.metrics.set(name, value);
        found.told.insert(format!("metrics.{name}"), Told::Flag);
        Ok(())
    }

    /// Sets a label of every checkpoint.
    pub fn set_label(&mut self, key: &str, value: &str) {
        for found in &mut self.found {
            found.metadata.labels.insert(key.to_owned(), value.to_owned());
            found.told.insert(format!("labels.{key}"), Told::Flag);
        }
    }

    /// The markets of the checkpoints.
    pub fn markets(&self) -> BTreeSet<&str> {
        self.found.iter().filter_map(|found| found.metadata.market.as_deref()).collect()
    }

    /// A plan for each market. What states none stays in [`Plan::left`] of the last one.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a market cannot name a run, or none is stated at all.
    pub fn by_market(self) -> Result<Vec<(RunName, Self)>> {
        let Self { layout, path, found, mut left } = self;
        let mut parts: BTreeMap<RunName, Vec<Found>> = BTreeMap::new();
        for found in found {
            let Some(market) = &found.metadata.market else {
                let reason = "it states no market: import it by itself into the run it belongs to".to_owned();
                left.push(Left { path: found.path, reason });
                continue;
            };
            let name = market.parse().map_err(|error| Error::Invalid {
                reason: format!(
                    "{}: the market cannot name a run: {error}; import it by itself into a run of another name",
                    found.path.display()
                ),
            })?;
            parts.entry(name).or_default().push(found);
        }
        let of_part = |(name, found)| (name, Self { layout, path: path.clone(), found, left: Vec::new() });
        let mut plans: Vec<_> = parts.into_iter().map(of_part).collect();
        let Some((_, last)) = plans.last_mut() else {
            let path = path.display();
            return Err(Error::Invalid {
                reason: format!("nothing in {path} states a market: leave --by out"),
            });
        };
        last.left = left;
        Ok(plans)
    }
}

impl Found {
    /// A checkpoint of these files, in its place.
    fn new(
        layout: Layout,
        name: &str,
        path: PathBuf,
        said: Said,
        sections: Vec<Piece>,
        order: Order,
    ) -> Self {
        let Said { metadata, told, notes } = said;
        let digest = identity(layout, name, &sections);
        Self { name: name.to_owned(), path, metadata, told, sections, digest, notes, order }
    }
}

/// A digest over layout, name and files. Each text is closed by a byte that no text has.
fn identity(layout: Layout, name: &str, sections: &[Piece]) -> Digest {
    let mut text = format!("{layout}\0{name}\0");
    for piece in sections {
        text.push_str(&format!("{}\0{}\0", piece.section, piece.digest));
    }
    Digest::of(text.as_bytes())
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Ckpt, Self::MarketMaker, Self::RlTrainer, Self::Artifacts, Self::Pickles];

    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ckpt => "ckpt",
            Self::MarketMaker => "market-maker",
            Self::RlTrainer => "rl-trainer",
            Self::Artifacts => "artifacts",
            Self::Pickles => "pickles",
        }
    }

    /// What it looks like, for people.
    pub const fn looks_like(self) -> &'static str {
        match self {
            Self::Ckpt => "a file that `ckpt export` wrote",
            Self::MarketMaker => "latest/checkpoint.json or MILLISECONDS/checkpoint.json",
            Self::RlTrainer => {
                "MARKET_ts-STEP_evt-EVENT_….zip, phaseN_STEPS_steps.zip, phaseN_TITLE_final.zip or best_model.zip"
            }
            Self::Artifacts => "a directory of files such as model.pt, with or without state.json",
            Self::Pickles => {
                "checkpoint_step_N_DATE_TIME.pkl[.gz], best_trial_N.pkl[.gz] or best_episode_N.pkl[.gz]"
            }
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|layout| layout.as_str() == text);
        found.ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|layout| layout.as_str()).collect();
            Error::Invalid { reason: format!("unknown layout {text:?}; known are {}", known.join(", ")) }
        })
    }
}

impl Told {
    /// Its one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Companion => "companion",
            Self::Inside => "inside",
            Self::Flag => "flag",
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
