//! The table: what was released, what the code has, what is refused.

use ckpt_format::describe::Kinds;

use crate::kind::{Program, refused, released};
use crate::{bincode, chains, hidden, json};

struct Case {
    name: &'static str,
    released: Program,
    code: Program,
    refused: &'static [(&'static str, &'static str)],
}

const fn case(
    name: &'static str,
    released: Program,
    code: Program,
    refused: &'static [(&'static str, &'static str)],
) -> Case {
    Case { name, released, code, refused }
}

fn nothing() -> Kinds {
    Kinds::new()
}

fn twice() -> Kinds {
    Kinds::new().add::<json::base::Spread>().add::<json::base::Spread>()
}

const CASES: [Case; 74] = [
    case("nothing changed", json::base::kinds, json::base::kinds, &[]),
    case("other words, another order", json::base::kinds, json::reordered::kinds, &[]),
    case("a new field with a default", json::base::kinds, json::with_default::kinds, &[]),
    case("a new kind", nothing, json::base::kinds, &[]),
    case("a part whose default is known", nothing, json::parts::named, &[]),
    case("structs inside with the defaults of their places", nothing, json::parts::priors_of_their_own, &[]),
    case("a new version with its step", chains::v1::kinds, chains::v2::kinds, &[]),
    case("two versions, as released", chains::v2::kinds, chains::v2::kinds, &[]),
    case("a bincode kind, as released", bincode::base::kinds, bincode::base::kinds, &[]),
    case("an enum, as released", json::plain::kinds, json::plain::kinds, &[]),
    case(
        "a new field without a default",
        json::base::kinds,
        json::required_and_new::kinds,
        &[("floor", "NewFieldWithoutDefault")],
    ),
    case(
        "a default on the field",
        json::base::kinds,
        json::field_level_default::kinds,
        &[("weights", "ZeroDefault")],
    ),
    case(
        "a default on the field, before any release",
        nothing,
        json::field_level_default::kinds,
        &[("weights", "ZeroDefault")],
    ),
    case(
        "a default of the field's own",
        json::base::kinds,
        json::other_default::kinds,
        &[("fills", "OtherDefault")],
    ),
    case(
        "a default on a field of a list's struct",
        nothing,
        json::parts::slipped,
        &[("cells[].kappa", "ZeroDefault")],
    ),
    case(
        "zeros of structs that nobody named",
        nothing,
        json::parts::unnamed,
        &[("by{}.mu", "UnknownPart"), ("cells[].mu", "UnknownPart"), ("pair[1].mu", "UnknownPart")],
    ),
    case(
        "a variant in a struct that nobody named",
        nothing,
        json::parts::sided,
        &[("quotes[].side", "UnknownPart")],
    ),
    case(
        "a zero where the place has a default of its own",
        nothing,
        json::parts::priors_lost,
        &[("low.strength", "UnknownPart")],
    ),
    case(
        "a default that changed",
        json::base::kinds,
        json::changed_default::kinds,
        &[("half", "DefaultChanged")],
    ),
    case("a default that is gone", json::base::kinds, json::required::kinds, &[("half", "DefaultRemoved")]),
    case("a removed field", json::base::kinds, json::removed::kinds, &[("fills", "Removed")]),
    case("a renamed field", json::base::kinds, json::renamed::kinds, &[("half", "Renamed")]),
    case(
        "a field renamed for serde, with an alias",
        json::base::kinds,
        json::renamed_in_text::kinds,
        &[("fills", "AlwaysReported")],
    ),
    case(
        "a field that is never written",
        json::base::kinds,
        json::unwritten::kinds,
        &[("fills", "NeverWritten")],
    ),
    case(
        "fields that are left out of some documents",
        json::base::kinds,
        json::sometimes_unwritten::kinds,
        &[("sparse[].mu", "SometimesWritten"), ("by", "SometimesWritten")],
    ),
    case(
        "other types",
        json::base::kinds,
        json::other_types::kinds,
        &[
            ("by", "TypeChanged"),
            ("fills", "TypeChanged"),
            ("half", "TypeChanged"),
            ("weights", "TypeChanged"),
        ],
    ),
    case(
        "another unit, another range",
        json::base::kinds,
        json::other_meaning::kinds,
        &[
            ("by", "RangeChanged"),
            ("fills", "UnitChanged"),
            ("half", "UnitChanged"),
            ("half", "RangeChanged"),
        ],
    ),
    case("a new variant", json::plain::kinds, json::one_more::kinds, &[("Halted", "NewVariant")]),
    case("a variant that is gone", json::plain::kinds, json::one_less::kinds, &[("Level", "VariantRemoved")]),
    case("other data in a variant", json::plain::kinds, json::other_data::kinds, &[("Level", "TypeChanged")]),
    case("another codec", chains::v1::kinds, chains::recoded::kinds, &[("$", "CodecChanged")]),
    case(
        "bincode: two fields swapped",
        bincode::base::kinds,
        bincode::swapped_fields::kinds,
        &[("$", "TraceChanged")],
    ),
    case(
        "bincode: other widths",
        bincode::base::kinds,
        bincode::wider::kinds,
        &[("n", "TraceChanged"), ("rows", "TraceChanged"), ("rows[*]", "TraceChanged")],
    ),
    case(
        "bincode: a new field with a default",
        bincode::base::kinds,
        bincode::with_default::kinds,
        &[("$", "TraceChanged"), ("more", "TraceChanged")],
    ),
    case(
        "bincode: two variants swapped",
        bincode::base::kinds,
        bincode::swapped_variants::kinds,
        &[
            ("sides[]", "TraceChanged"),
            ("sides[].Both.inner?", "TraceChanged"),
            ("sides[].Both.inner?.Ask", "TraceChanged"),
            ("sides[].Both.inner?.Bid", "TraceChanged"),
        ],
    ),
    case("bincode: another unit", bincode::base::kinds, bincode::other_unit::kinds, &[("a", "UnitChanged")]),
    case(
        "a frozen version: another unit",
        chains::v2::kinds,
        chains::edited_unit::kinds,
        &[("vol_pct", "FrozenChanged")],
    ),
    case(
        "a frozen version: a new field with a default",
        chains::v2::kinds,
        chains::edited_more::kinds,
        &[("regime", "FrozenChanged")],
    ),
    case(
        "a frozen version, bincode: two fields swapped",
        chains::dense::kinds,
        chains::dense::edited,
        &[("$", "FrozenChanged")],
    ),
    case(
        "a version that nothing reads any more",
        chains::v1::kinds,
        chains::cut::kinds,
        &[("$", "MissingMigration")],
    ),
    case("a kind that is gone", json::base::kinds, nothing, &[("$", "KindGone")]),
    case("a version with a successor, never released", nothing, chains::v2::kinds, &[("$", "NeverReleased")]),
    case(
        "a step that fails on the golden file",
        chains::v1::kinds,
        chains::failing::kinds,
        &[("$", "GoldenUnreadable")],
    ),
    case(
        "a step that does something else",
        chains::v2::kinds,
        chains::forgetful::kinds,
        &[("[0].count", "GoldenReadsOther")],
    ),
    case(
        "a list that no sample fills",
        nothing,
        json::silent_sample::kinds,
        &[("cells[].kappa", "NotInSamples"), ("cells[].mu", "NotInSamples")],
    ),
    case(
        "a flattened struct",
        nothing,
        json::flattened::kinds,
        &[
            ("by", "NotReported"),
            ("fills", "NotReported"),
            ("half", "NotReported"),
            ("kappa", "NotReported"),
            ("mu", "NotReported"),
            ("weights", "NotReported"),
        ],
    ),
    case("a tagged enum", nothing, json::tagged::kinds, &[("<Wild>.sigma", "NotReported")]),
    case(
        "a variant that no sample is",
        nothing,
        json::untold::kinds,
        &[("Wild", "NotInSamples"), ("Wild.sigma", "NotInSamples")],
    ),
    case("fields that hang on each other", nothing, json::linked::kinds, &[("fills", "NotItself")]),
    case("no samples", nothing, json::sampleless::kinds, &[("$", "NotDescribed")]),
    case(
        "another unit of a type of its own",
        hidden::in_bps::kinds,
        hidden::in_usd::kinds,
        &[("floor", "UnitChanged"), ("half", "UnitChanged"), ("steps[]", "UnitChanged")],
    ),
    case(
        "a range for what a list holds",
        hidden::bare_list::kinds,
        hidden::bounded_list::kinds,
        &[("weights[]", "RangeChanged")],
    ),
    case(
        "narrower keys",
        hidden::by_wide_numbers::kinds,
        hidden::by_narrow_numbers::kinds,
        &[("by{key}", "TypeChanged")],
    ),
    case("a key less", hidden::by_three::kinds, hidden::by_two::kinds, &[("by{key}", "TypeChanged")]),
    case("keys in another order", hidden::by_three::kinds, hidden::by_three_again::kinds, &[]),
    case("bincode: keys that refuse a zero", nothing, hidden::by_no_zero::kinds, &[]),
    case("maps by plain names", nothing, hidden::by_plain_names::kinds, &[]),
    case(
        "maps by plain names, as released",
        hidden::by_plain_names::kinds,
        hidden::by_plain_names::kinds,
        &[],
    ),
    case(
        "a field less beside a flattened enum",
        hidden::with_an_enum::kinds,
        hidden::with_an_enum_and_less::kinds,
        &[("y", "Removed")],
    ),
    case(
        "a narrower map that is flattened",
        hidden::with_a_map::kinds,
        hidden::with_a_narrower_map::kinds,
        &[("$", "TypeChanged")],
    ),
    case(
        "a new field whose name is no identifier",
        hidden::kebab::kinds,
        hidden::kebab_and_more::kinds,
        &[("[\"spread-floor\"]", "NewFieldWithoutDefault")],
    ),
    case("the first field of a struct", hidden::empty::kinds, hidden::no_more_empty::kinds, &[]),
    case("a zero that is left out and required", nothing, hidden::left_out::kinds, &[("$", "ColdStart")]),
    case(
        "bincode: a none that is left out",
        nothing,
        hidden::left_out_of_bytes::kinds,
        &[("$", "ColdStart")],
    ),
    case("bincode: types inside themselves", hidden::itself::kinds, hidden::itself::kinds, &[]),
    case("bincode: variants that refuse a zero", nothing, hidden::picky_variants::kinds, &[]),
    case("a stored type inside itself", hidden::rooted::kinds, hidden::rooted::kinds, &[]),
    case(
        "a new field of types inside themselves",
        hidden::rooted::kinds,
        hidden::rooted_and_more::kinds,
        &[],
    ),
    case("a document that is deep", hidden::deep::kinds, hidden::deep::kinds, &[]),
    case("two parts of one name", nothing, hidden::namesakes::kinds, &[("$", "NotDescribed")]),
    case("a step into a map, as released", hidden::kept::kinds, hidden::kept::kinds, &[]),
    case(
        "a step that makes entries",
        hidden::kept::kinds,
        hidden::entered::kinds,
        &[("[0].by.ETH", "GoldenReadsOther")],
    ),
    case(
        "a step that makes no entries any more",
        hidden::entered::kinds,
        hidden::kept::kinds,
        &[("[0].by.ETH", "GoldenReadsOther")],
    ),
    case("a kind that was added twice", nothing, twice, &[("$", "NotDescribed")]),
];

#[test]
fn every_change_is_accepted_or_refused_where_it_is() {
    for case in &CASES {
        let (found, texts) = refused(case.code, &released(case.released));
        let found: Vec<(&str, &str)> =
            found.iter().map(|(path, rule)| (path.as_str(), rule.as_str())).collect();
        assert_eq!(found, case.refused, "{}: {texts:#?}", case.name);
    }
}

/// The words, all of them, as people read them: a refusal that names no way out would stand out here.
#[test]
fn the_texts_are_those_of_the_page_beside() {
    let mut texts = String::new();
    for case in &CASES {
        let (_, refusals) = refused(case.code, &released(case.released));
        if !refusals.is_empty() {
            let gap = if texts.is_empty() { "" } else { "\n" };
            texts += &format!("{gap}# {}\n{}\n", case.name, refusals.join("\n"));
        }
    }
    assert_eq!(texts, include_str!("refusals.txt"), "the text that should be in refusals.txt:\n{texts}");
}
