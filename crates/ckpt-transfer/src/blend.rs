//! Seeding the cold cells of a table: `docs/TRANSFER.md`, section 3.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::config::Weight;

/// A Bayesian value of a table.
pub trait Cell: Clone {
    /// Observations of its own; a cell with none is cold, whether it was seeded or not.
    fn observations(&self) -> u64;

    /// What it is worth to another system: the same mean, less sure by the weight, without observations.
    #[must_use]
    fn discounted(&self, weight: Weight) -> Self;

    /// Whether its numbers can be one.
    fn is_usable(&self) -> bool;
}

/// What becomes of a table: the cells that are seeded, and how many are what.
///
/// ```
/// use std::collections::BTreeMap;
/// use ckpt_transfer::{Cell, NormalGamma, Seeding, Weight};
///
/// let mut learned = NormalGamma::default();
/// (0..10).for_each(|_| learned.observe(2.0));
/// let paper = BTreeMap::from([((0, 0), learned.clone()), ((0, 1), learned)]);
/// let mut lived = NormalGamma::default();
/// lived.observe(-1.0);
/// let mut live = BTreeMap::from([((0, 1), lived.clone())]);
///
/// let seeding = Seeding::plan(&live, &paper, Weight::default(), |_| true);
/// assert_eq!((seeding.counts().seeded, seeding.counts().kept_live), (1, 1));
/// seeding.apply_to(&mut live);
/// assert_eq!(live[&(0, 1)], lived, "what was lived stays");
/// assert_eq!(live[&(0, 0)].observations(), 0, "what was seeded is still to be lived");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Seeding<K, C> {
    cells: BTreeMap<K, C>,
    counts: SeedCounts,
}

/// How many cells of a prior became what.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SeedCounts {
    /// What a cell of the prior is worth.
    pub weight: f64,
    /// Cold cells that took the prior's.
    pub seeded: u64,
    /// Cells that the prior had observed: the sum of `seeded`, `kept_live` and `refused`.
    pub offered: u64,
    /// Cells that the live system has observed and keeps.
    pub kept_live: u64,
    /// Cells that the prior had not observed itself; they are not offered.
    pub unobserved: u64,
    /// Cells whose numbers are no posterior, or that the live system does not have.
    pub refused: u64,
}

impl<K: Ord + Clone, C: Cell> Seeding<K, C> {
    /// What of the prior goes into which cold cells of the live table. A cell that a table does not hold is cold; `fits` says
    /// whether the live system can have a cell of this key at all.
    pub fn plan(
        live: &BTreeMap<K, C>,
        prior: &BTreeMap<K, C>,
        weight: Weight,
        fits: impl Fn(&K) -> bool,
    ) -> Self {
        let mut counts = SeedCounts::none(weight);
        let mut cells = BTreeMap::new();
        for (key, cell) in prior {
            if cell.observations() == 0 {
                counts.unobserved += 1;
                continue;
            }
            counts.offered += 1;
            if live.get(key).is_some_and(is_observed) {
                counts.kept_live += 1;
                continue;
            }
            // A weight that is very small may leave nothing of what was usable.
            let seed = cell.is_usable().then(|| cell.discounted(weight)).filter(Cell::is_usable);
            match seed.filter(|_| fits(key)) {
                Some(seed) => {
                    counts.seeded += 1;
                    cells.insert(key.clone(), seed);
                }
                None => counts.refused += 1,
            }
        }
        Self { cells, counts }
    }

    /// How many are what.
    pub fn counts(&self) -> SeedCounts {
        self.counts
    }

    /// The cells that are seeded.
    pub fn cells(&self) -> &BTreeMap<K, C> {
        &self.cells
    }

    /// Seeds a table. A cell that was observed since the plan was made stays as it is.
    pub fn apply_to(self, live: &mut BTreeMap<K, C>) {
        for (key, seed) in self.cells {
            if !live.get(&key).is_some_and(is_observed) {
                live.insert(key, seed);
            }
        }
    }
}

impl SeedCounts {
    fn none(weight: Weight) -> Self {
        Self { weight: weight.get(), seeded: 0, offered: 0, kept_live: 0, unobserved: 0, refused: 0 }
    }
}

fn is_observed<C: Cell>(cell: &C) -> bool {
    cell.observations() > 0
}
