//! Learned state that is offered to another system, and the two sides of the offer.

use std::collections::BTreeMap;

use ckpt_format::{Metadata, Parent, Timestamp};
use ckpt_gate::Evidence;

use crate::admit::{Receiver, Rejection, admit};
use crate::config::InjectionConfig;
use crate::lineage::{Lineage, LineageError};
use crate::plan::Planner;
use crate::report::InjectionReport;

/// Learned state with where it comes from.
///
/// `S` holds what may be inherited and nothing else: what stops a system has no field in it, so that no configuration and no
/// mistake can carry it over.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior<S> {
    /// Where it comes from: what admission looks at.
    pub provenance: Provenance,
    /// The state: looked at only when it was admitted.
    pub state: S,
}

/// Where a prior comes from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Provenance {
    /// Of what it is: an asset, perhaps with its venue (`dex:ASSET`).
    pub identity: String,
    /// How its system ran: `paper`, `live`.
    pub mode: String,
    /// When its state was taken; none is not known, and such a prior is rejected.
    pub saved_at: Option<Timestamp>,
    /// What its system had seen by then; none if it never counted.
    pub evidence: Option<Evidence>,
    /// Its components by name.
    pub components: BTreeMap<String, ComponentKind>,
    /// Systems that stand before its own; 0 is a cold start.
    pub chain_depth: u32,
    /// The checkpoint that holds it, if one does.
    pub checkpoint: Option<Parent>,
}

/// The schema of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentKind {
    /// Name of the stored type.
    pub kind: String,
    /// Its version.
    pub version: u32,
}

/// A system that offers what it learned.
pub trait PriorExtract {
    /// What may be inherited of it.
    type State;

    /// What it has learned by now; what says itself when it was taken keeps that time. It changes nothing.
    fn extract_prior(&self, now: Timestamp) -> Prior<Self::State>;
}

/// A system that takes what another learned.
///
/// An application writes the three required methods; callers use [`inject_prior`](Self::inject_prior) and
/// [`dry_run`](Self::dry_run). The example is at the top of the crate.
pub trait PriorInject {
    /// What may be inherited.
    type State;
    /// What is put in place of what it has: made by a plan, used once.
    type Change;

    /// What this system is, reads and asks for.
    fn receiver(&self) -> Receiver;

    /// Says of each component what becomes of it. It sees a component only if nothing excludes it.
    fn plan_components(&self, planner: &mut Planner<'_, Self::State>) -> Self::Change;

    /// Makes the change. It follows the plan at once, so nothing was learned in between; it can't fail.
    fn apply_change(&mut self, change: Self::Change);

    /// Takes what is admitted of a prior.
    ///
    /// # Errors
    /// [`Rejection`], which says what to do; nothing was changed then.
    fn inject_prior(
        &mut self,
        prior: &Prior<Self::State>,
        config: &InjectionConfig,
        now: Timestamp,
    ) -> Result<InjectionReport, Rejection> {
        let (change, report) = planned(self, prior, config, now)?;
        self.apply_change(change);
        Ok(report)
    }

    /// The report or the rejection that [`inject_prior`](Self::inject_prior) would return now. It changes nothing.
    ///
    /// # Errors
    /// As there.
    fn dry_run(
        &self,
        prior: &Prior<Self::State>,
        config: &InjectionConfig,
        now: Timestamp,
    ) -> Result<InjectionReport, Rejection> {
        planned(self, prior, config, now).map(|(_, report)| report)
    }
}

impl Provenance {
    /// What the metadata of a checkpoint says of the state in it: the identity is its market, the time its creation. Components and
    /// evidence are the application's to add. A lineage that is not recorded is that of a cold start.
    ///
    /// # Errors
    /// [`LineageError`] if the recorded lineage is none.
    pub fn of(metadata: &Metadata) -> Result<Self, LineageError> {
        let lineage = Lineage::of(metadata)?.unwrap_or_default();
        let is_said = metadata.created_at != Timestamp::default();
        let parent =
            Parent { run_id: metadata.run_id.clone(), epoch: metadata.epoch, sequence: metadata.sequence };
        Ok(Self {
            identity: metadata.market.clone().unwrap_or_default(),
            mode: lineage.mode,
            saved_at: is_said.then_some(metadata.created_at),
            evidence: None,
            components: BTreeMap::new(),
            chain_depth: lineage.chain_depth,
            checkpoint: (!metadata.run_id.is_empty()).then_some(parent),
        })
    }

    /// With a component of this kind and version.
    #[must_use]
    pub fn component(mut self, name: impl Into<String>, kind: impl Into<String>, version: u32) -> Self {
        self.components.insert(name.into(), ComponentKind { kind: kind.into(), version });
        self
    }
}

fn planned<R: PriorInject + ?Sized>(
    receiver: &R,
    prior: &Prior<R::State>,
    config: &InjectionConfig,
    now: Timestamp,
) -> Result<(R::Change, InjectionReport), Rejection> {
    let admitted = admit(prior, &receiver.receiver(), config, now)?;
    let mut planner = Planner::new(admitted, config);
    let change = receiver.plan_components(&mut planner);
    Ok((change, planner.finish()?))
}
