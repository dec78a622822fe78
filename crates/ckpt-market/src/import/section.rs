//! A checkpoint that holds the text of a `checkpoint.json` as it was, in one section, and is read as the bundle that it is.

use ckpt_format::{BundleError, BundleMode, BundleReport, LoadedBundle, SectionSource, SectionState};

use super::{ImportError, Imported, import};
use crate::bundle::{StampedBundle, names};

/// The section that such a text stands in, byte for byte.
pub const SECTION: &str = "checkpoint.json";

/// Whether sections of these names are such a text and no bundle: what was saved as a bundle since is believed.
pub fn is_text<'a>(sections: impl IntoIterator<Item = &'a str>) -> bool {
    let mut has_text = false;
    for name in sections {
        if names::ALL.contains(&name) {
            return false;
        }
        has_text |= name == SECTION;
    }
    has_text
}

/// Imports the section. Its 19 parts are no sections here, so reading them one by one would be a cold start without a word.
///
/// # Errors
/// [`BundleError`], in lenient mode, too, if the text as a whole can't be had: nothing would be left of it.
pub(crate) fn load(
    source: &dyn SectionSource,
    mode: BundleMode,
) -> Result<LoadedBundle<StampedBundle>, BundleError> {
    let (component, report) = (SECTION.to_owned(), Box::<BundleReport>::default());
    let section = match source.section(SECTION) {
        SectionState::Present(section) => section,
        SectionState::Damaged(reason) => return Err(BundleError::Damaged { component, reason, report }),
        SectionState::Unreadable(reason) => {
            return Err(BundleError::Unreadable { component, reason, report });
        }
        SectionState::Unsupported(reason) => {
            return Err(BundleError::Incompatible { component, reason, report });
        }
        _ => {
            let reason = "it is listed and not there".to_owned();
            return Err(BundleError::Incompatible { component, reason, report });
        }
    };
    match import(&section.bytes, mode) {
        Ok(imported) => Ok(loaded(imported, source)),
        Err(ImportError::Component(error)) => Err(error),
        Err(error) => Err(BundleError::Incompatible { component, reason: error.to_string(), report }),
    }
}

/// What the import tells beside the bundle's report goes into it: of each component, and as what belongs to none.
fn loaded(imported: Imported, source: &dyn SectionSource) -> LoadedBundle<StampedBundle> {
    let Imported { bundle, readiness, report } = imported;
    let (nulls, left, mut report) = (report.nulls, report.left, report.bundle);
    for path in nulls {
        let (component, field) = path.split_once('.').unwrap_or((&path, "all of it"));
        if let Some(component) = report.components.iter_mut().find(|known| known.name == component) {
            component.clamped.push(format!("{field} from null to its default"));
        }
    }
    report.unknown_sections.extend(left.iter().map(|part| format!("{SECTION}: {part}")));
    report.unknown_sections.extend(source.names().into_iter().filter(|name| name != SECTION));
    LoadedBundle { value: StampedBundle::new(bundle, readiness), report }
}
