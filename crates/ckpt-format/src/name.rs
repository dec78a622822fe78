//! File names of checkpoints: the order comes first, the rest is a label for people.
//!
//! Truth is inside the file. A name is read to list quickly and to take over checkpoints of other systems;
//! nothing is ranked or decided by the metrics in it, for they are rounded.
//!
//! ```
//! use ckpt_format::{FileName, ParsedName};
//!
//! let parsed = ParsedName::parse("NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42.zip")?;
//! assert_eq!(parsed.label.step, Some(25_000));
//!
//! let name = FileName { epoch: 0, sequence: 1, label: parsed.label };
//! assert_eq!(name.render(), "00000001_NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42.ckpt");
//! assert_eq!(FileName::order_key(&name.render()), Some((0, 1)));
//! # Ok::<(), ckpt_format::NameError>(())
//! ```

mod escape;
mod label;
mod legacy;
mod rounded;

use std::fmt;

use crate::ident::Excerpt;
pub use label::{EventTag, Label};
pub use legacy::{Companion, NameForm};

/// The extension of every checkpoint, dot included.
pub const EXTENSION: &str = ".ckpt";

/// The longest name without its extension, in bytes. With the extension and a few bytes for a temporary
/// suffix it stays below the 255 that file systems take.
pub const STEM_BYTES_MAX: usize = 200;

/// What marks a shortened name: `~` and eight hex digits stand for the rest.
const MARK_BYTES: usize = 9;

/// The name of a checkpoint in its run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileName {
    /// The attempt that wrote it; 0 without operations.
    pub epoch: u64,
    /// Its number in the run.
    pub sequence: u64,
    /// What people see of it.
    pub label: Label,
}

impl FileName {
    /// The file name: `{sequence:08}_{label}.ckpt`, with `e{epoch:06}-` in front if the epoch is not 0,
    /// without `_` if the label is empty.
    ///
    /// It matches `[A-Za-z0-9.%~+_-]+`, begins with a digit or with `e`, and is at most [`STEM_BYTES_MAX`]
    /// bytes and the extension: a longer one is cut and ends in `~` and eight hex digits of the BLAKE3 digest
    /// of what it was. Names sort as text in the order of (epoch, sequence), as long as the epoch has at most
    /// six digits and the sequence at most eight; both grow beyond that, and then only
    /// [`FileName::order_key`] tells the order.
    pub fn render(&self) -> String {
        let mut stem = String::new();
        if self.epoch > 0 {
            stem.push_str(&format!("e{:06}-", self.epoch));
        }
        stem.push_str(&format!("{:08}", self.sequence));
        let label = self.label.render_after_order();
        if !label.is_empty() {
            stem.push('_');
            stem.push_str(&label);
        }
        let mut name = shortened(stem);
        name.push_str(EXTENSION);
        name
    }

    /// The (epoch, sequence) of a checkpoint's file name, without reading its label: quick enough to list a
    /// hundred thousand. `None` if the name is not of the form `[e{epoch:06}-]{sequence:08}[_...].ckpt`;
    /// extra zeros in front, an epoch 0 and a path are not. The label may be anything, so that a file that
    /// was relabelled by hand still counts.
    pub fn order_key(name: &str) -> Option<(u64, u64)> {
        let (order, label) = split_order(name.strip_suffix(EXTENSION)?)?;
        // Without a branch a byte: names are long, and there may be a hundred thousand.
        let is_path = name.bytes().fold(false, |found, byte| found | (byte == b'/') | (byte == 0));
        (!label.is_some_and(str::is_empty) && !is_path).then_some(order)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.render())
    }
}

/// What could be read from a name, ours or that of another system.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedName {
    /// Which form the name has.
    pub form: NameForm,
    /// The attempt that wrote it; 0 if the name states none.
    pub epoch: u64,
    /// The number in the run; `None` if the name states none.
    pub sequence: Option<u64>,
    /// The fields of the label.
    pub label: Label,
    /// True if the name was cut when it was written: fields from the cut on, and the one that was cut, are
    /// missing.
    pub shortened: bool,
}

impl ParsedName {
    /// Reads a file name: ours, the label alone, or a legacy form, each with or without extension.
    ///
    /// `.ckpt` and `.zip` are extensions, and `.pkl`, `.pkl.gz` where the legacy form has them; other dots
    /// belong to the name. A label without (epoch, sequence) in front needs at least one field besides the
    /// market. `na` stands for an absent field. [`ParsedName::file_name`] gives back what
    /// [`FileName::render`] had, its metrics rounded.
    ///
    /// # Errors
    /// [`NameError`] if the text is a path, a companion of a checkpoint, or no name of a known form.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        check_component(name)?;
        if let Some((companion, base)) = Companion::of(name) {
            return Err(NameError::Companion { name: name.to_owned(), companion, base: base.to_owned() });
        }
        if let Some((form, label)) = legacy::parse(name) {
            return Ok(Self { form, epoch: 0, sequence: None, label, shortened: false });
        }
        let stem = name.strip_suffix(EXTENSION).or_else(|| name.strip_suffix(".zip")).unwrap_or(name);
        let (stem, shortened) = split_mark(stem);
        match split_order(stem) {
            Some(((epoch, sequence), label)) => {
                let label = label.map_or(Ok(Label::default()), |text| Label::parse(text, shortened));
                let label = label.map_err(|fault| fault.of(name))?;
                Ok(Self { form: NameForm::Checkpoint, epoch, sequence: Some(sequence), label, shortened })
            }
            None if Label::has_field(stem) => {
                let label = Label::parse(stem, shortened).map_err(|fault| fault.of(name))?;
                Ok(Self { form: NameForm::Label, epoch: 0, sequence: None, label, shortened })
            }
            None => Err(NameError::Unknown { name: name.to_owned() }),
        }
    }

    /// The name as we write it; `None` if it states no sequence, or was shortened and so can't be written
    /// again.
    pub fn file_name(&self) -> Option<FileName> {
        let sequence = self.sequence.filter(|_| !self.shortened)?;
        Some(FileName { epoch: self.epoch, sequence, label: self.label.clone() })
    }
}

/// Why a text is not the name of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// A path, `.`, `..`, a hidden file, or nothing.
    #[error(
        "{} is not a plain file name: {problem}; give the name of one file, without its directory",
        Excerpt(name)
    )]
    NotAFileName {
        /// The whole text.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that belongs to a checkpoint and is none itself.
    #[error("{} is the {companion} of a checkpoint; the checkpoint is {}", Excerpt(name), Excerpt(base))]
    Companion {
        /// The whole name.
        name: String,
        /// What it holds.
        companion: Companion,
        /// The name of its checkpoint, without extension.
        base: String,
    },
    /// A field of the label can't be read.
    #[error("{} has the {field} {}: {problem}", Excerpt(name), Excerpt(value))]
    Field {
        /// The whole name.
        name: String,
        /// Which field: `market`, `ts`, `evt`, `val`, `sharpe`, `seed`.
        field: &'static str,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// None of the known forms.
    #[error(
        "{} is not the name of a checkpoint; known are SEQUENCE[_LABEL].ckpt, eEPOCH-SEQUENCE[_LABEL].ckpt, \
         a label such as NQ_ts-0025000_evt-best_val-+0.112_sharpe-+1.45_seed-42.zip, phaseN_STEPS_steps.zip, \
         phaseN_TITLE_final.zip, best_model.zip, checkpoint_step_N_DATE_TIME.pkl[.gz], \
         best_trial_N.pkl[.gz], best_episode_N.pkl[.gz]",
        Excerpt(name)
    )]
    Unknown {
        /// The whole text.
        name: String,
    },
}

/// A fault in a field, before the name it stands in is known.
struct Fault {
    field: &'static str,
    value: String,
    problem: &'static str,
}

impl Fault {
    fn of(self, name: &str) -> NameError {
        let Self { field, value, problem } = self;
        NameError::Field { name: name.to_owned(), field, value, problem }
    }
}

fn check_component(name: &str) -> Result<(), NameError> {
    let problem = if name.is_empty() {
        "it is empty"
    } else if name.contains('/') {
        "it has a slash"
    } else if name.starts_with('.') {
        "it begins with a dot"
    } else if name.contains(char::is_control) {
        "it has a control character"
    } else {
        return Ok(());
    };
    Err(NameError::NotAFileName { name: name.to_owned(), problem })
}

/// Splits `[e{epoch:06}-]{sequence:08}` off the front; what is left is the text after `_`, or nothing at all.
fn split_order(stem: &str) -> Option<((u64, u64), Option<&str>)> {
    let (order, label) = match stem.split_once('_') {
        Some((order, label)) => (order, Some(label)),
        None => (stem, None),
    };
    let (epoch, sequence) = match order.strip_prefix('e') {
        Some(order) => {
            let (epoch, sequence) = order.split_once('-')?;
            (padded(epoch, 6).filter(|epoch| *epoch > 0)?, sequence)
        }
        None => (0, order),
    };
    Some(((epoch, padded(sequence, 8)?), label))
}

/// A decimal as it is written with leading zeros up to `width`: one text a number, so one name an order.
fn padded(text: &str, width: usize) -> Option<u64> {
    let wide_enough = text.len() == width || (text.len() > width && !text.starts_with('0'));
    if wide_enough { decimal(text) } else { None }
}

/// A number of decimal digits only: no sign, no space.
fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn shortened(stem: String) -> String {
    if stem.len() <= STEM_BYTES_MAX {
        return stem;
    }
    // Everything rendered is ASCII, so any byte is a place to cut. An escape may lose its end: what was cut is
    // never read.
    let kept = stem.get(..STEM_BYTES_MAX - MARK_BYTES).unwrap_or_default();
    let digest = blake3::hash(stem.as_bytes()).to_hex();
    format!("{kept}~{}", digest.get(..MARK_BYTES - 1).unwrap_or_default())
}

/// Splits the mark of a shortened name off its end. A `~` of free text is escaped, so no other name ends like
/// that.
fn split_mark(stem: &str) -> (&str, bool) {
    match stem.rsplit_once('~') {
        Some((kept, hex)) if is_mark(hex) => (kept, true),
        _ => (stem, false),
    }
}

fn is_mark(hex: &str) -> bool {
    hex.len() == MARK_BYTES - 1 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::Event;

    fn parse(name: &str) -> ParsedName {
        ParsedName::parse(name).unwrap_or_else(|error| panic!("{error}"))
    }

    fn label(market: &str, step: u64, event: &str, val_reward: f64, sharpe_ratio: f64, seed: i64) -> Label {
        Label {
            market: Some(market.to_owned()),
            step: Some(step),
            event: Some(EventTag::from_text(event)),
            val_reward: Some(val_reward),
            sharpe_ratio: Some(sharpe_ratio),
            seed: Some(seed),
        }
    }

    fn market(text: &str) -> Label {
        Label { market: Some(text.to_owned()), ..Label::default() }
    }

    fn of_market(text: &str) -> String {
        FileName { epoch: 0, sequence: 1, label: market(text) }.render()
    }

    #[test]
    fn the_documented_examples_parse_to_what_they_show() {
        for (stem, expected) in [
            (
                "NQ_ts-0025000_evt-periodic_val-+0.112_sharpe-+1.45_seed-42",
                label("NQ", 25_000, "periodic", 0.112, 1.45, 42),
            ),
            (
                "ES_ts-0150000_evt-best_val-+0.238_sharpe-+1.92_seed-7",
                label("ES", 150_000, "best", 0.238, 1.92, 7),
            ),
            (
                "YM_ts-0400000_evt-phase_end_val-+0.301_sharpe-+2.10_seed-3",
                label("YM", 400_000, "phase_end", 0.301, 2.10, 3),
            ),
            (
                "RTY_ts-0123456_evt-interrupt_val-+0.089_sharpe-+0.78_seed-42",
                label("RTY", 123_456, "interrupt", 0.089, 0.78, 42),
            ),
        ] {
            assert_eq!(expected.to_string(), stem);
            for extension in ["", ".zip", ".ckpt"] {
                let alone = parse(&format!("{stem}{extension}"));
                assert_eq!((alone.form, alone.sequence, &alone.label), (NameForm::Label, None, &expected));
                for (prefix, epoch, sequence) in [("00000012_", 0, 12), ("e000003-00000012_", 3, 12)] {
                    let name = format!("{prefix}{stem}{extension}");
                    let parsed = parse(&name);
                    assert_eq!(parsed.form, NameForm::Checkpoint, "{name}");
                    assert_eq!((parsed.epoch, parsed.sequence), (epoch, Some(sequence)), "{name}");
                    assert_eq!((&parsed.label, parsed.shortened), (&expected, false), "{name}");
                    let rendered = parsed.file_name().expect("it states a sequence").render();
                    assert_eq!(rendered, format!("{prefix}{stem}.ckpt"));
                }
            }
        }
    }

    #[test]
    fn canonical_names_are_written_as_they_were_read() {
        for name in [
            "00000001.ckpt",
            "100000000.ckpt",
            "e000001-00000002.ckpt",
            "e1000000-00000002_NQ.ckpt",
            "18446744073709551615_ts-18446744073709551615_seed--9223372036854775808.ckpt",
            "00000001_ts-12345678.ckpt",
            "00000001_evt-phase_boundary_night_shift_val--0.500.ckpt",
            "00000001_evt-my%5Fevent.ckpt",
            "00000001_val-nan_sharpe-+inf.ckpt",
            "00000001_val--inf_sharpe-+1.50e9.ckpt",
            "00000001_val--0.000.ckpt",
            "00000001_%6E%61_evt-%6E%61.ckpt",
            "00000001_BTC%2FUSD_ts-0000001.ckpt",
            "00000001_00000002_ts-0000001.ckpt",
            "00000001_BRK.B.ckpt",
        ] {
            let parsed = parse(name);
            assert_eq!(parsed.file_name().map(|parsed| parsed.render()).as_deref(), Some(name));
            assert_eq!(FileName::order_key(name), parsed.sequence.map(|sequence| (parsed.epoch, sequence)));
        }
    }

    #[test]
    fn na_stands_for_an_absent_field_and_a_literal_na_does_not() {
        let absent = parse("na_ts-na_evt-na_val-na_sharpe-na_seed-na.zip");
        assert_eq!((absent.form, absent.label), (NameForm::Label, Label::default()));
        let seeded = parse("00000007_NQ_ts-0000001_evt-na_val-na_sharpe-na_seed-5.zip");
        assert_eq!(seeded.label, Label { step: Some(1), seed: Some(5), ..market("NQ") });
        assert_eq!(of_market("na"), "00000001_%6E%61.ckpt");
        assert_eq!(parse("00000001_%6E%61.ckpt").label, market("na"));
    }

    #[test]
    fn what_other_systems_write_unescaped_is_read() {
        let parsed = parse("BTC_USD_ts-1_evt-New_High_val-+nan_sharpe-inf_seed-+7.zip").label;
        assert_eq!(parsed.market.as_deref(), Some("BTC_USD"));
        assert_eq!(parsed.event, Some(EventTag::Text("New_High".to_owned())));
        assert!(parsed.val_reward.is_some_and(f64::is_nan));
        assert_eq!((parsed.sharpe_ratio, parsed.seed), (Some(f64::INFINITY), Some(7)));
        assert_eq!(parsed.to_string(), "BTC%5FUSD_ts-0000001_evt-New%5FHigh_val-nan_sharpe-+inf_seed-7");
    }

    #[test]
    fn text_that_would_be_read_as_something_else_is_escaped_whole() {
        assert_eq!(of_market("ts-5"), "00000001_%74%73%2D%35.ckpt");
        let text = |text: &str| Label { event: Some(EventTag::Text(text.to_owned())), ..Label::default() };
        for label in
            [market("ts-5"), market("seed-"), text("best"), text("na"), text("phase_end"), text("a_val-1")]
        {
            let name = FileName { epoch: 0, sequence: 1, label: label.clone() }.render();
            assert_eq!(parse(&name).label, label, "{name}");
        }
        // A market of eight digits is plain behind an order, and escaped where it would stand in for one.
        let numeric = Label { step: Some(1), ..market("03783310") };
        assert_eq!(
            FileName { epoch: 0, sequence: 1, label: numeric.clone() }.render(),
            "00000001_03783310_ts-0000001.ckpt"
        );
        assert_eq!(parse(&format!("{numeric}.zip")).label, numeric);
    }

    #[test]
    fn a_hostile_text_stays_one_plain_name() {
        let long = "../".repeat(1000);
        for text in [
            "../../etc/passwd",
            "/",
            "..",
            ".lock",
            "a\0b",
            "a\nb",
            "%",
            "%2F",
            "~",
            "_",
            "\u{202e}é",
            "ts-1",
            &long,
        ] {
            let name = of_market(text);
            assert!(is_plain_name(&name), "{text:?}: {name}");
            let parsed = parse(&name);
            assert_eq!(parsed.shortened, text.len() > 100, "{name}");
            if !parsed.shortened {
                assert_eq!(parsed.label, market(text), "{name}");
            }
        }
    }

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        let name =
            |text: &str| FileName { epoch: 0, sequence: 1, label: Label { step: Some(7), ..market(text) } };
        // 9 bytes of order and `_`, 11 of the step and its `_`: 180 are left for the market.
        assert_eq!(name(&"M".repeat(180)).render().len(), STEM_BYTES_MAX + EXTENSION.len());
        assert!(!parse(&name(&"M".repeat(180)).render()).shortened);
        for text in ["M".repeat(181), "M".repeat(10_000), "_".repeat(100), format!("M{}", "_".repeat(100))] {
            let rendered = name(&text).render();
            assert!(rendered.len() <= STEM_BYTES_MAX + EXTENSION.len(), "{rendered}");
            assert_eq!(FileName::order_key(&rendered), Some((0, 1)));
            let parsed = parse(&rendered);
            assert!(
                parsed.shortened && parsed.label.is_empty() && parsed.file_name().is_none(),
                "{parsed:?}"
            );
        }
        // What stands in front of the cut is told, and names that differ only behind it stay apart.
        let tag = |last: &str| EventTag::Text(format!("{}{last}", "x".repeat(300)));
        let long = |last| FileName {
            epoch: 2,
            sequence: 3,
            label: Label { event: Some(tag(last)), ..market("NQ") },
        };
        assert_eq!(parse(&long("a").render()).label, market("NQ"));
        assert_ne!(long("a").render(), long("b").render());
    }

    #[test]
    fn the_mark_of_a_shortened_name_is_the_digest_of_what_it_was() {
        let stem = format!("00000001_{}", "M".repeat(300));
        let digest = blake3::hash(stem.as_bytes()).to_hex();
        assert_eq!(of_market(&"M".repeat(300)), format!("{}~{}.ckpt", &stem[..191], &digest[..8]));
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_way_out() {
        for (name, part) in [
            ("", "it is empty"),
            ("a/00000001.ckpt", "it has a slash; give the name of one file"),
            ("..", "it begins with a dot"),
            (".00000001.ckpt", "it begins with a dot"),
            ("00000001\n.ckpt", "it has a control character"),
            ("run.json", "is not the name of a checkpoint; known are SEQUENCE[_LABEL].ckpt"),
            ("NQ.ckpt", "is not the name of a checkpoint"),
            ("00000001_.ckpt", "has the market \"\": it is empty"),
            ("_ts-0000001.zip", "has the market \"\": it is empty"),
            ("NQ_ts-1e5.zip", "has the ts \"1e5\": a step is a whole number"),
            ("NQ_ts--5.zip", "has the ts \"-5\""),
            ("NQ_ts-99999999999999999999.zip", "of 64 bits"),
            ("NQ_seed-4.2.zip", "has the seed \"4.2\": a seed is a whole number"),
            ("NQ_val-high.zip", "has the val \"high\": a metric is a decimal"),
            ("NQ_ts-1_evt-.zip", "has the evt \"\": it is empty"),
            ("NQ_ts-1_evt-%zz.zip", "% must be followed by two hex digits"),
            ("NQ_seed-1_ts-1.zip", "has the ts \"1\": the order is market, ts, evt, val, sharpe, seed"),
            ("NQ_ts-1_ts-1.zip", "each at most once"),
            ("NQ_ts-1_seed-42 (copy).zip", "has the seed \"42 (copy)\""),
            (
                "NQ_ts-1_seed-42_metadata.json",
                "is the metadata of a checkpoint; the checkpoint is \"NQ_ts-1_seed-42\"",
            ),
            ("best_model_vecnormalize.pkl", "is the normalisation statistics of a checkpoint"),
        ] {
            let error = ParsedName::parse(name).expect_err(name).to_string();
            assert!(error.contains(part), "{name:?}: {error}");
        }
        let flood = ParsedName::parse(&"x".repeat(1_000_000)).unwrap_err().to_string();
        assert!(flood.len() < 1000, "{} bytes", flood.len());
    }

    #[test]
    fn the_order_is_read_from_our_form_only() {
        for (name, order) in [
            ("00000012_NQ_ts-0000001.ckpt", Some((0, 12))),
            ("00000012.ckpt", Some((0, 12))),
            ("e000003-00000012_x.ckpt", Some((3, 12))),
            ("e000003-00000012.ckpt", Some((3, 12))),
            ("123456789.ckpt", Some((0, 123_456_789))),
            ("e1234567-00000012.ckpt", Some((1_234_567, 12))),
            ("00000012_relabelled by hand (copy).ckpt", Some((0, 12))),
            ("0000012.ckpt", None),
            ("000000012.ckpt", None),
            ("e000000-00000012.ckpt", None),
            ("e0000003-00000012.ckpt", None),
            ("e3-00000012.ckpt", None),
            ("E000003-00000012.ckpt", None),
            ("00000012-x.ckpt", None),
            ("00000012_.ckpt", None),
            ("00000012x.ckpt", None),
            ("+0000012.ckpt", None),
            ("00000012_x.zip", None),
            ("00000012_x", None),
            ("00000012_x.ckpt.tmp", None),
            ("00000012.pin", None),
            ("00000012_a/../x.ckpt", None),
            ("99999999999999999999.ckpt", None),
            (".ckpt", None),
            ("", None),
        ] {
            assert_eq!(FileName::order_key(name), order, "{name:?}");
        }
    }

    fn is_plain_name(name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".%~+_-".contains(&byte);
        name.bytes().all(plain) && !name.starts_with('.') && name.len() <= STEM_BYTES_MAX + EXTENSION.len()
    }

    fn texts() -> impl Strategy<Value = String> {
        let awkward =
            r"na|ts-1|seed-|val-x|~1a2b3c4d|00000001|best|phase_end|\.\./|%41|.{1,12}|[A-Z]{1,5}|\PC{1,80}";
        (awkward, any::<char>())
            .prop_map(|(text, other)| if text.is_empty() { other.to_string() } else { text })
    }

    fn values() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), -5.0..5.0f64, -3e9..3e9f64, any::<u64>().prop_map(f64::from_bits)]
    }

    fn events() -> impl Strategy<Value = EventTag> {
        let ours = "periodic|best|phase_end|interrupt|failure|manual|phase_boundary_[a-z0-9_]{1,48}";
        prop_oneof![ours.prop_map(|text| EventTag::from_text(&text)), texts().prop_map(EventTag::Text)]
    }

    prop_compose! {
        fn labels()(
            market in proptest::option::of(texts()),
            step in proptest::option::of(prop_oneof![any::<u64>(), 0..10_000_000u64]),
            event in proptest::option::of(events()),
            val_reward in proptest::option::of(values()),
            sharpe_ratio in proptest::option::of(values()),
            seed in proptest::option::of(any::<i64>()),
        ) -> Label {
            Label { market, step, event, val_reward, sharpe_ratio, seed }
        }
    }

    prop_compose! {
        fn names()(
            epoch in prop_oneof![Just(0), 0..2_000_000u64, any::<u64>()],
            sequence in prop_oneof![0..200_000_000u64, any::<u64>()],
            label in labels(),
        ) -> FileName {
            FileName { epoch, sequence, label }
        }
    }

    /// The label as a name can hold it, and so that two of them can be compared: NaN is not equal to itself.
    fn rounded(label: &Label) -> (Label, [Option<u64>; 2]) {
        let round = |value: Option<f64>, decimals| {
            value.and_then(|value| rounded::read(&rounded::write(value, decimals))).map(f64::to_bits)
        };
        let bits = [round(label.val_reward, 3), round(label.sharpe_ratio, 2)];
        (Label { val_reward: None, sharpe_ratio: None, ..label.clone() }, bits)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn what_is_written_can_be_read_with_its_metrics_rounded(name in names()) {
            let text = name.render();
            prop_assert!(is_plain_name(&text), "{}", text);
            prop_assert_eq!(FileName::order_key(&text), Some((name.epoch, name.sequence)));
            let parsed = ParsedName::parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&parsed.form, &NameForm::Checkpoint);
            prop_assert_eq!((parsed.epoch, parsed.sequence), (name.epoch, Some(name.sequence)));
            if !parsed.shortened {
                prop_assert_eq!(rounded(&parsed.label), rounded(&name.label), "{}", text);
                prop_assert_eq!(parsed.file_name().map(|again| again.render()), Some(text));
            }
        }

        #[test]
        fn text_order_is_order(
            one in (0..1_000_000u64, 0..100_000_000u64),
            two in (0..1_000_000u64, 0..100_000_000u64),
            label in labels(),
        ) {
            let named = |(epoch, sequence), label| FileName { epoch, sequence, label }.render();
            let near = (one.0, one.1.saturating_add(1).min(99_999_999));
            for two in [two, near] {
                if one != two {
                    let by_text = named(one, label.clone()).cmp(&named(two, Label::default()));
                    prop_assert_eq!(by_text, one.cmp(&two));
                }
            }
        }

        #[test]
        fn nothing_makes_the_parser_panic(text in any::<String>()) {
            let _ = (ParsedName::parse(&text), FileName::order_key(&text), Companion::of(&text));
        }

        #[test]
        fn a_good_name_that_was_damaged_is_refused_or_is_another_good_name(
            name in names(),
            at in any::<prop::sample::Index>(),
            edit in prop_oneof![Just(String::new()), "[_~%.a-z0-9-]{1,3}", ".{1,2}"],
        ) {
            let mut text: Vec<char> = name.render().chars().collect();
            let at = at.index(text.len());
            text.splice(at..=at, edit.chars());
            let text: String = text.into_iter().collect();
            if let Ok(parsed) = ParsedName::parse(&text)
                && let Some(again) = parsed.file_name()
            {
                let rendered = again.render();
                prop_assert!(is_plain_name(&rendered), "{}", rendered);
                prop_assert_eq!(FileName::order_key(&rendered), Some((again.epoch, again.sequence)));
            }
        }
    }

    #[test]
    fn an_event_of_ours_is_told_from_free_text() {
        assert_eq!(EventTag::from_text("best").event(), Some(&Event::Best));
        assert_eq!(
            parse("NQ_evt-phase_boundary_Night.zip").label.event.and_then(|tag| tag.event().cloned()),
            None
        );
    }
}
