//! Which checkpoint is meant: the grammar of selectors, and the choice among rows of a listing.
//!
//! ```
//! use ckpt_format::{Direction, Selector};
//!
//! let selector: Selector = "best:loss:min".parse()?;
//! assert_eq!(selector, Selector::Best { metric: "loss".to_owned(), direction: Some(Direction::Min) });
//! assert_eq!(selector.to_string(), "best:loss:min");
//! assert_eq!(Selector::default(), "latest".parse()?);
//! # Ok::<(), ckpt_format::SelectorError>(())
//! ```

mod choose;

use std::fmt;
use std::str::FromStr;

pub use choose::{ChooseError, Present, Selectable, stated_direction};

use crate::event::{EventError, EventPattern};
use crate::ident::Excerpt;
use crate::metrics::Direction;

/// Which checkpoint of a run is meant. Of several that match it is the newest: the highest (epoch, sequence).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Selector {
    /// `latest`: the newest of all. The default.
    #[default]
    Latest,
    /// `best:METRIC[:min|max]`: the best value; NaN, infinite and missing ones never count, ties go to the newer.
    ///
    /// METRIC may have colons in it, for only an ending `:min` or `:max` is a direction. A metric whose own
    /// name ends so needs the direction spelled out.
    Best {
        /// The name of the metric.
        metric: String,
        /// Which way is better; `None` takes what the run states.
        direction: Option<Direction>,
    },
    /// `step:N`: the newest with this step.
    Step(u64),
    /// `step<=N`: the highest step up to this one, and the newest with it.
    StepAtMost(u64),
    /// `seq:N`: the one with this sequence.
    Sequence(u64),
    /// `event:E`: the newest that was saved for this event, if only among others; `event:phase_boundary`
    /// means any boundary.
    Event(EventPattern),
    /// `label:K=V`: the newest with this label. K ends at the first `=`; V may be empty.
    Label {
        /// The name of the label.
        key: String,
        /// Its value.
        value: String,
    },
    /// `file:NAME`: the one in this file, `.ckpt` may be left out.
    File(String),
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => write!(f, "latest"),
            Self::Best { metric, direction: None } => write!(f, "best:{metric}"),
            Self::Best { metric, direction: Some(direction) } => write!(f, "best:{metric}:{direction}"),
            Self::Step(step) => write!(f, "step:{step}"),
            Self::StepAtMost(step) => write!(f, "step<={step}"),
            Self::Sequence(sequence) => write!(f, "seq:{sequence}"),
            Self::Event(pattern) => write!(f, "event:{pattern}"),
            Self::Label { key, value } => write!(f, "label:{key}={value}"),
            Self::File(name) => write!(f, "file:{name}"),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let malformed = |problem| SelectorError::Malformed { text: text.to_owned(), problem };
        if text == "latest" {
            return Ok(Self::Latest);
        }
        if let Some(step) = text.strip_prefix("step<=") {
            return whole(step).map(Self::StepAtMost).map_err(malformed);
        }
        let Some((form, what)) = text.split_once(':') else {
            return Err(SelectorError::Unknown { text: text.to_owned() });
        };
        match form {
            "best" => best(what).map_err(malformed),
            "step" => whole(what).map(Self::Step).map_err(malformed),
            "seq" => whole(what).map(Self::Sequence).map_err(malformed),
            "event" => match what.parse() {
                Ok(pattern) => Ok(Self::Event(pattern)),
                Err(source) => Err(SelectorError::Event { text: text.to_owned(), source }),
            },
            "label" => label(what).map_err(malformed),
            "file" => file(what).map_err(malformed),
            _ => Err(SelectorError::Unknown { text: text.to_owned() }),
        }
    }
}

/// Why a text is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectorError {
    /// It has none of the forms.
    #[error(
        "unknown selector {}; use latest, best:METRIC[:min|max], step:N, step<=N, seq:N, event:E, label:K=V \
         or file:NAME",
        Excerpt(text)
    )]
    Unknown {
        /// The whole text.
        text: String,
    },
    /// It has a form, and something is wrong with what follows.
    #[error("selector {}: {problem}", Excerpt(text))]
    Malformed {
        /// The whole text.
        text: String,
        /// What is wrong, and what to write.
        problem: &'static str,
    },
    /// The event it names is none.
    #[error("selector {}: {source}", Excerpt(text))]
    Event {
        /// The whole text.
        text: String,
        /// What is wrong with the event.
        source: EventError,
    },
}

fn best(what: &str) -> Result<Selector, &'static str> {
    let (metric, direction) = match what.rsplit_once(':') {
        Some((metric, "min")) => (metric, Some(Direction::Min)),
        Some((metric, "max")) => (metric, Some(Direction::Max)),
        _ => (what, None),
    };
    if metric.is_empty() {
        return Err("it names no metric; write best:METRIC, best:METRIC:min or best:METRIC:max");
    }
    Ok(Selector::Best { metric: metric.to_owned(), direction })
}

fn label(what: &str) -> Result<Selector, &'static str> {
    match what.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            Ok(Selector::Label { key: key.to_owned(), value: value.to_owned() })
        }
        _ => Err("a label is K=V; write label:K=V"),
    }
}

fn file(what: &str) -> Result<Selector, &'static str> {
    if what.is_empty() || what.contains('/') {
        return Err("it must name one file of the run, without its directory; write file:NAME");
    }
    Ok(Selector::File(what.to_owned()))
}

fn whole(what: &str) -> Result<u64, &'static str> {
    let digits_only = !what.is_empty() && what.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits_only { what.parse().ok() } else { None };
    number.ok_or("N must be a whole number of 64 bits without sign")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_has_one_spelling() {
        for text in [
            "latest",
            "best:sharpe_ratio",
            "best:loss:min",
            "best:eval:loss:max",
            "best:min",
            "best:x:min:max",
            "step:0",
            "step<=18446744073709551615",
            "seq:12",
            "event:failure",
            "event:phase_boundary",
            "event:phase_boundary_night",
            "label:host=a",
            "label:k=",
            "label:k=a=b:c",
            "file:00000001_NQ.ckpt",
        ] {
            let selector: Selector = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(selector.to_string(), text);
        }
        assert_eq!("seq:00000012".parse(), Ok(Selector::Sequence(12)), "as it stands in a file name");
    }

    #[test]
    fn a_wrong_selector_is_named_with_the_way_out() {
        for (text, part) in [
            ("", "unknown selector \"\"; use latest, best:METRIC[:min|max], step:N"),
            ("newest", "unknown selector \"newest\""),
            ("Latest", "unknown selector \"Latest\""),
            ("12", "unknown selector \"12\""),
            ("step=5", "unknown selector \"step=5\""),
            ("steps:5", "unknown selector \"steps:5\""),
            ("step:", "N must be a whole number"),
            ("step:-1", "N must be a whole number"),
            ("step:+1", "N must be a whole number"),
            ("step<=1.5", "N must be a whole number"),
            ("seq:18446744073709551616", "of 64 bits"),
            ("best:", "it names no metric"),
            ("best::max", "it names no metric"),
            (
                "event:sometimes",
                "selector \"event:sometimes\": unknown event \"sometimes\"; use one of periodic",
            ),
            ("event:phase_boundary_", "phase boundary is empty"),
            ("label:k", "write label:K=V"),
            ("label:=v", "write label:K=V"),
            ("file:", "it must name one file"),
            ("file:../x.ckpt", "without its directory"),
        ] {
            let error = text.parse::<Selector>().expect_err(text).to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_so_that_it_parses_to_the_same(
            form in "(best|step|seq|event|label|file|step<=)[:=]?",
            what in ".{0,12}|[0-9]{0,21}|[a-z:]{0,9}(:min|:max)?",
        ) {
            let text = form + &what;
            if let Ok(selector) = text.parse::<Selector>() {
                prop_assert_eq!(selector.to_string().parse(), Ok(selector));
            }
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = text.parse::<Selector>();
        }
    }
}
