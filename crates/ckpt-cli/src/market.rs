//! The stored kinds of a market maker that this program knows: how each comes to its current version, and its cold start.

use ckpt::{Checkpoint, Codec, EncodeError, EncodedSection, Stored};
use ckpt_market::component::baseline::Baseline;
use ckpt_market::component::enhanced::Enhanced;
use ckpt_market::component::ensemble::EnsembleWeights;
use ckpt_market::component::fill_rate::FillRate;
use ckpt_market::component::informed_flow::InformedFlow;
use ckpt_market::component::kappa::Kappa;
use ckpt_market::component::kelly::KellyTracker;
use ckpt_market::component::kill_switch::KillSwitch;
use ckpt_market::component::learned::LearnedParams;
use ckpt_market::component::metadata::MarketMetadata;
use ckpt_market::component::momentum::Momentum;
use ckpt_market::component::pre_fill::PreFill;
use ckpt_market::component::quote_outcomes::QuoteOutcomes;
use ckpt_market::component::readiness::Readiness;
use ckpt_market::component::regime::RegimeHmm;
use ckpt_market::component::rl::RlTable;
use ckpt_market::component::vol_filter::VolFilter;

/// A stored kind.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The version that is written now.
    pub(crate) version: u32,
    upgrade: fn(&EncodedSection) -> Result<Upgraded, String>,
    cold: fn(&str, Codec) -> Result<EncodedSection, EncodeError>,
}

/// A section at the current version of its kind, and how it came there.
#[derive(Debug)]
pub(crate) struct Upgraded {
    pub(crate) section: EncodedSection,
    /// Versions it went through.
    pub(crate) path: Vec<u32>,
    /// The same in words, with what was defaulted or dropped on the way.
    pub(crate) words: String,
}

/// The kinds, in the order of the bundle.
static KINDS: [Kind; 17] = [
    kind::<MarketMetadata>(),
    kind::<LearnedParams>(),
    kind::<PreFill>(),
    kind::<Enhanced>(),
    kind::<VolFilter>(),
    kind::<RegimeHmm>(),
    kind::<InformedFlow>(),
    kind::<FillRate>(),
    kind::<Kappa>(),
    kind::<Momentum>(),
    kind::<KellyTracker>(),
    kind::<EnsembleWeights>(),
    kind::<RlTable>(),
    kind::<KillSwitch>(),
    kind::<Readiness>(),
    kind::<QuoteOutcomes>(),
    kind::<Baseline>(),
];

impl Kind {
    /// The kind of this name, if it is known.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Names of all that are known.
    pub(crate) fn names() -> Vec<&'static str> {
        KINDS.iter().map(|kind| kind.name).collect()
    }

    /// Takes a section of a checkpoint to the current version.
    pub(crate) fn upgrade(&self, checkpoint: &Checkpoint, name: &str) -> ckpt::Result<Upgraded> {
        (self.upgrade)(&checkpoint.read_encoded(name)?)
            .map_err(|reason| ckpt::Error::Incompatible { file: checkpoint.file_name().to_owned(), reason })
    }

    /// The section of a component that has learned nothing.
    pub(crate) fn cold(&self, name: &str, codec: Codec) -> Result<EncodedSection, EncodeError> {
        (self.cold)(name, codec)
    }
}

const fn kind<T: Stored + Default>() -> Kind {
    Kind { name: T::KIND, version: T::VERSION, upgrade: upgrade::<T>, cold: cold::<T> }
}

fn upgrade<T: Stored>(section: &EncodedSection) -> Result<Upgraded, String> {
    let loaded = section.load::<T>().map_err(|error| with_causes(&error))?;
    let section = EncodedSection::encode_as(&section.name, section.codec, &loaded.value)
        .map_err(|error| with_causes(&error))?;
    Ok(Upgraded { section, words: loaded.report.to_string(), path: loaded.report.path })
}

fn cold<T: Stored + Default>(name: &str, codec: Codec) -> Result<EncodedSection, EncodeError> {
    EncodedSection::encode_as(name, codec, &T::default())
}

/// An error with what it is caused by.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use ckpt::Bundle as _;
    use ckpt_market::StampedBundle;

    use super::*;

    #[test]
    fn every_section_of_the_bundle_is_of_a_known_kind_at_its_current_version_and_its_cold_start() {
        for section in StampedBundle::default().to_sections().unwrap() {
            let kind = Kind::named(&section.kind).unwrap_or_else(|| panic!("{} is unknown", section.kind));
            let cold = kind.cold(&section.name, section.codec).unwrap();
            assert_eq!((kind.version, cold), (section.version, section));
        }
    }
}
