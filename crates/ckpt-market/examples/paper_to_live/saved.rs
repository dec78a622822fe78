//! What a session saves: the stamped bundle, a section per component, and the desk beside it.

use ckpt::{BundleMode, BundleReport, Checkpoint, Restore, Save, Section};
use ckpt_market::{Preset, StampedBundle};

use super::desk::Desk;
use super::maker::Maker;
use super::market::Market;

const DESK: &str = "desk";

/// The whole state of a market maker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saved {
    pub(crate) bundle: StampedBundle,
    pub(crate) desk: Desk,
}

impl Saved {
    /// Of a maker as it is, stamped with what the gate thinks of it.
    pub(crate) fn of(maker: &Maker, market: &Market, preset: &Preset) -> Self {
        let now = market.time(maker.desk.step);
        Self { bundle: maker.bundle(now).stamp(&preset.gate), desk: maker.desk.clone() }
    }

    /// Its sections by name, without how long this session ran: that is the one thing that a restart may change.
    ///
    /// # Errors
    /// If a component can't be encoded.
    pub(crate) fn without_session(&self, preset: &Preset) -> super::Result<Vec<(String, Vec<u8>)>> {
        let mut bundle = self.bundle.bundle().clone();
        bundle.metadata.session_duration_s = 0.0;
        let bundle = bundle.stamp(&preset.gate);
        let sections = ckpt::Bundle::to_sections(&bundle)?;
        let mut named: Vec<_> = sections.into_iter().map(|section| (section.name, section.bytes)).collect();
        named.push((DESK.to_owned(), serde_json::to_vec(&self.desk)?));
        Ok(named)
    }
}

impl Save for Saved {
    fn sections(&self) -> ckpt::Result<Vec<Section<'_>>> {
        let mut sections = self.bundle.sections()?;
        sections.push(Section::json(DESK, &self.desk)?);
        Ok(sections)
    }
}

impl Restore for Saved {
    fn restore(checkpoint: &Checkpoint, mode: BundleMode) -> ckpt::Result<(Self, BundleReport)> {
        let (bundle, mut report) = StampedBundle::restore(checkpoint, mode)?;
        let (desk, _) = checkpoint.read_json(DESK)?;
        report.unknown_sections.retain(|name| name != DESK);
        Ok((Self { bundle, desk }, report))
    }
}
