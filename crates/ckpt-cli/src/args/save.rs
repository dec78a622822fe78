//! `ckpt save`: what is saved, and what is said about it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use ckpt::{Event, RunName, SectionName, Status};
use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};

#[derive(Debug, Args)]
#[command(after_help = "\
NAME=PATH saves the bytes of a file as they are, NAME:json=PATH a JSON text that is checked and stored byte for byte. PATH \
`-` is standard input, once. When the program ends with 0, the checkpoint survives a power loss.

Environment: CKPT_EPOCH is the default of --epoch, unless CKPT_RUN names another run.

Examples:
  ckpt save runs/training/ppo --step 25000 --total 2000000 --metric loss=0.25 weights=w.bin
  tar c state | ckpt save runs/training/ppo --event shutdown --status interrupted files=-")]
pub(crate) struct SaveArgs {
    /// Directory of the run
    pub(crate) run: PathBuf,
    /// First name of a new run [default: the last but one component of RUN]
    #[arg(long, value_name = "K")]
    pub(crate) kind: Option<RunName>,
    /// Second name of a new run [default: the last component of RUN]
    #[arg(long, value_name = "N")]
    pub(crate) name: Option<RunName>,
    /// How far the work is
    #[arg(long, value_name = "N")]
    pub(crate) step: Option<u64>,
    /// How far it will go
    #[arg(long, value_name = "N")]
    pub(crate) total: Option<u64>,
    /// What a step is: days, bytes ... [default: steps]
    #[arg(long, value_name = "U")]
    pub(crate) unit: Option<String>,
    /// Where in its data the work is, in its own words
    #[arg(long, value_name = "TEXT")]
    pub(crate) cursor: Option<String>,
    /// Why it is saved; may be given several times: periodic, best, phase_end, phase_boundary_NAME, interrupt,
    /// cancellation, failure, shutdown, manual [default: manual]
    #[arg(long = "event", value_name = "E")]
    pub(crate) events: Vec<Event>,
    /// A number that judges the state, nan and inf included; may be given several times
    #[arg(long = "metric", value_name = "NAME=VALUE", value_parser = metric)]
    pub(crate) metrics: Vec<(String, f64)>,
    /// Market of a trading system
    #[arg(long, value_name = "M")]
    pub(crate) market: Option<String>,
    /// Seed of the run
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) seed: Option<i64>,
    /// Phase of a curriculum
    #[arg(long, value_name = "P")]
    pub(crate) phase: Option<String>,
    /// How the work is: in_progress, completed, interrupted, failed
    #[arg(long, value_name = "S", default_value_t)]
    pub(crate) status: Status,
    /// A mark of your own; may be given several times
    #[arg(long = "label", value_name = "K=V", value_parser = label)]
    pub(crate) labels: Vec<(String, String)>,
    /// A file with a JSON object, kept as it is in the metadata
    #[arg(long, value_name = "FILE.json")]
    pub(crate) extra: Option<PathBuf>,
    /// The attempt that saves; a higher one shuts lower ones out
    #[arg(long, value_name = "E")]
    pub(crate) epoch: Option<u64>,
    /// What to save
    #[arg(value_name = "NAME[:json]=PATH", required = true)]
    #[arg(value_parser = OsStringValueParser::new().try_map(|text| section(&text)))]
    pub(crate) sections: Vec<SectionArg>,
}

/// A section to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SectionArg {
    pub(crate) name: SectionName,
    pub(crate) codec: Codec,
    pub(crate) input: Input,
}

/// How the bytes of a section are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Raw,
    Json,
}

/// Where the bytes of a section come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

fn section(text: &OsStr) -> Result<SectionArg, String> {
    let bytes = text.as_bytes();
    let form = "write NAME=PATH for bytes or NAME:json=PATH for JSON";
    let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
        return Err(format!("it says not where the bytes are; {form}"));
    };
    let (name, path) = bytes.split_at(equals);
    let name = String::from_utf8_lossy(name);
    let (name, codec) = match name.split_once(':') {
        None => (&*name, Codec::Raw),
        Some((name, "json")) => (name, Codec::Json),
        Some((_, codec)) => return Err(format!("unknown codec {codec:?}; {form}")),
    };
    let name = name.parse::<SectionName>().map_err(|error| error.to_string())?;
    let input = match path.get(1..).unwrap_or_default() {
        b"" => return Err(format!("the path is empty; {form}")),
        b"-" => Input::Stdin,
        path => Input::File(OsStr::from_bytes(path).into()),
    };
    Ok(SectionArg { name, codec, input })
}

pub(super) fn metric(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text, "NAME=VALUE")?;
    let value = value.parse().map_err(|_| format!("{value:?} is not a number, nan or inf"))?;
    Ok((name, value))
}

pub(super) fn label(text: &str) -> Result<(String, String), String> {
    pair(text, "K=V").map(|(key, value)| (key, value.to_owned()))
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(String, &'a str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value)),
        _ => Err(format!("write {form}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<SectionArg, String> {
        section(OsStr::new(text))
    }

    #[test]
    fn a_section_names_its_codec_and_its_source() {
        let raw = parse("w=a=b:json.bin").unwrap();
        assert_eq!((raw.codec, raw.input), (Codec::Raw, Input::File("a=b:json.bin".into())));
        let json = parse("state:json=-").unwrap();
        assert_eq!((json.name.as_str(), json.codec, json.input), ("state", Codec::Json, Input::Stdin));
        for (text, part) in [
            ("w", "NAME=PATH"),
            ("w=", "path is empty"),
            ("=x", "section name is empty"),
            ("../w=x", "must match"),
            ("w:yaml=x", "unknown codec \"yaml\""),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn metrics_may_be_any_number() {
        assert_eq!(metric("loss=-1e-3"), Ok(("loss".to_owned(), -1e-3)));
        assert!(metric("loss=nan").is_ok_and(|(_, value)| value.is_nan()));
        assert_eq!(metric("a=inf").map(|(_, value)| value), Ok(f64::INFINITY));
        assert!(metric("loss=low").is_err());
        assert!(metric("=1").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in any::<String>()) {
            let _ = (parse(&text), metric(&text), label(&text));
        }
    }
}
