//! Planning what becomes of each component; nothing is changed by it.

use std::collections::BTreeSet;

use crate::admit::{Admitted, Rejection};
use crate::blend::SeedCounts;
use crate::config::{InjectionConfig, Weight};
use crate::lineage::Lineage;
use crate::report::{ComponentInjection, InjectionOutcome, InjectionReport, SkipReason};

/// Hands out the components of an admitted prior and notes what becomes of each.
pub struct Planner<'a, S> {
    admitted: Admitted<'a, S>,
    config: &'a InjectionConfig,
    components: Vec<ComponentInjection>,
}

/// What is to become of one component.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal<T> {
    value: Option<T>,
    outcome: InjectionOutcome,
    clamped: Vec<String>,
}

impl<T> Proposal<T> {
    /// The live component takes this value.
    pub fn inject(value: T) -> Self {
        Self { value: Some(value), outcome: InjectionOutcome::Injected, clamped: Vec::new() }
    }

    /// The live table is blended; the value is what does it, a [`Seeding`](crate::Seeding) or what was made of it.
    pub fn seed(value: T, counts: SeedCounts) -> Self {
        Self { value: Some(value), outcome: InjectionOutcome::Seeded(counts), clamped: Vec::new() }
    }

    /// The live component stays as it is, because the two mean different things.
    pub fn incompatible(why: impl Into<String>) -> Self {
        Self::skip(SkipReason::Incompatible(why.into()))
    }

    /// The live component stays as it is, because the prior has none.
    pub fn absent() -> Self {
        Self::skip(SkipReason::Absent)
    }

    /// The live component stays as it is, because it has observed something itself: so many times.
    pub fn lived(observations: u64) -> Self {
        Self::skip(SkipReason::Lived { observations })
    }

    /// Notes that a value was brought into its bounds: `"sigma from 1 to 0.0025"`.
    #[must_use]
    pub fn clamped(mut self, what: impl Into<String>) -> Self {
        self.clamped.push(what.into());
        self
    }

    fn skip(reason: SkipReason) -> Self {
        Self { value: None, outcome: InjectionOutcome::Skipped(reason), clamped: Vec::new() }
    }
}

impl<'a, S> Planner<'a, S> {
    pub(crate) fn new(admitted: Admitted<'a, S>, config: &'a InjectionConfig) -> Self {
        Self { admitted, config, components: Vec::new() }
    }

    /// Decides about the component `name`: `pick` says where it stands in the prior, `decide` what becomes of it. A component that the
    /// configuration excludes is never looked at. Returns what is to be changed, if anything is.
    pub fn component<T: ?Sized + 'a, C>(
        &mut self,
        name: &str,
        pick: impl FnOnce(&'a S) -> &'a T,
        decide: impl FnOnce(&'a T) -> Proposal<C>,
    ) -> Option<C> {
        let proposal = if self.config.skip.contains(name) {
            Proposal::skip(SkipReason::Excluded)
        } else {
            decide(pick(&self.admitted.prior.state))
        };
        let Proposal { value, outcome, clamped } = proposal;
        self.components.push(ComponentInjection { name: name.to_owned(), outcome, clamped });
        value
    }

    /// Notes that the live system keeps its own `name`, which is never inherited.
    pub fn keeps_own(&mut self, name: &str) {
        let (outcome, clamped) = (InjectionOutcome::KeptOwn, Vec::new());
        self.components.push(ComponentInjection { name: name.to_owned(), outcome, clamped });
    }

    /// Where the live system's state comes from once the plan is applied, if anything is changed by it.
    pub fn lineage(&self) -> &Lineage {
        &self.admitted.lineage
    }

    /// What a cell of a table is worth.
    pub fn blend_weight(&self) -> Weight {
        self.config.blend_weight
    }

    /// Seconds since the prior was saved, at least 0: for components that decay with time.
    pub fn age_seconds(&self) -> f64 {
        self.admitted.age_seconds
    }

    pub(crate) fn finish(self) -> Result<InjectionReport, Rejection> {
        let known: BTreeSet<&str> = self.components.iter().map(|component| component.name.as_str()).collect();
        if let Some(name) = self.config.skip.iter().find(|name| !known.contains(name.as_str())) {
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(Rejection::UnknownComponent { name: name.clone(), known });
        }
        let Admitted { prior, age_seconds, assessment, notes, lineage } = self.admitted;
        let identity = prior.provenance.identity.clone();
        let components = self.components;
        let mut report =
            InjectionReport { identity, age_seconds, components, notes, assessment, lineage: None };
        report.lineage = (report.changes() > 0).then_some(lineage);
        Ok(report)
    }
}
