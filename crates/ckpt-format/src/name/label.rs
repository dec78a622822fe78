//! The label of a name: market, step, event, two metrics and the seed, each of them if it is there.

use std::fmt;

use super::{Fault, decimal, escape, rounded, split_order};
use crate::event::Event;

/// What people see of a checkpoint in its name. An empty text counts as absent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Label {
    /// The market of a trading system, free text.
    pub market: Option<String>,
    /// The step, in the run's own unit.
    pub step: Option<u64>,
    /// Why it was saved; of several events the strongest.
    pub event: Option<EventTag>,
    /// The validation reward; three decimals are kept.
    pub val_reward: Option<f64>,
    /// The Sharpe ratio; two decimals are kept.
    pub sharpe_ratio: Option<f64>,
    /// The seed of the run.
    pub seed: Option<i64>,
}

impl Label {
    /// True if no field is there.
    pub fn is_empty(&self) -> bool {
        self.render_after_order().is_empty()
    }

    /// The label as it stands after (epoch, sequence): fields that are absent are left out.
    pub(super) fn render_after_order(&self) -> String {
        let market = self.market.as_deref().filter(|text| !text.is_empty()).map(escaped_market);
        self.joined(market)
    }

    fn joined(&self, market: Option<String>) -> String {
        let event = self.event.as_ref().filter(|tag| !tag.is_empty());
        let fields = [
            market,
            self.step.map(|step| format!("ts-{step:07}")),
            event.map(|tag| format!("evt-{}", tag.escaped())),
            self.val_reward.map(|value| format!("val-{}", rounded::write(value, 3))),
            self.sharpe_ratio.map(|value| format!("sharpe-{}", rounded::write(value, 2))),
            self.seed.map(|seed| format!("seed-{seed}")),
        ];
        fields.into_iter().flatten().collect::<Vec<_>>().join("_")
    }

    /// True if a field with a key (`ts-` and its kind) stands in the text, which makes it a label.
    pub(super) fn has_field(text: &str) -> bool {
        text.split('_').any(|token| Field::of(token).is_some())
    }

    /// Reads a label. If it was cut, its last field is left out, for nobody knows how it went on.
    pub(super) fn parse(text: &str, cut: bool) -> Result<Self, Fault> {
        let mut parts = split(text);
        if cut {
            parts.pop();
        }
        let mut label = Self::default();
        let mut last: Option<Field> = None;
        for part in parts {
            let (field, value) = match Field::of(part) {
                Some(field) => (field, part.get(field.key().len()..).unwrap_or_default()),
                None => (Field::Market, part),
            };
            let fault = |problem| Fault { field: field.name(), value: value.to_owned(), problem };
            if last.is_some_and(|last| last >= field) {
                return Err(fault("the order is market, ts, evt, val, sharpe, seed, each at most once"));
            }
            last = Some(field);
            if value != "na" {
                label.read(field, value).map_err(fault)?;
            }
        }
        Ok(label)
    }

    fn read(&mut self, field: Field, value: &str) -> Result<(), &'static str> {
        match field {
            Field::Market => self.market = Some(free_text(value)?),
            Field::Step => {
                self.step = Some(decimal(value).ok_or("a step is a whole number of 64 bits without sign")?)
            }
            Field::Event => self.event = Some(EventTag::read(value)?),
            Field::ValReward => self.val_reward = Some(metric(value)?),
            Field::SharpeRatio => self.sharpe_ratio = Some(metric(value)?),
            Field::Seed => {
                self.seed = Some(seed(value).ok_or("a seed is a whole number of 64 bits with sign")?)
            }
        }
        Ok(())
    }
}

/// The label by itself, as the naming convention of other systems has it: without (epoch, sequence), without
/// extension.
///
/// It is read back by [`ParsedName::parse`](crate::ParsedName::parse) if it has a field besides the market
/// and an extension behind it; without extension, a text at its end such as `x.zip` would lose what looks
/// like one.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let market = self.market.as_deref().filter(|text| !text.is_empty()).map(|text| {
            // With nothing in front, a market of eight digits would be read as a sequence.
            if split_order(text).is_some() { escape::escape_whole(text) } else { escaped_market(text) }
        });
        f.pad(&self.joined(market))
    }
}

/// The event in a name: one of ours, or whatever another system wrote there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTag {
    /// One of our events.
    Event(Event),
    /// Free text that is none of our events.
    Text(String),
}

impl EventTag {
    /// Our event of this spelling, or else the text as it is.
    pub fn from_text(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Event)
    }

    /// The event, if it is one of ours.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Event(event) => Some(event),
            Self::Text(_) => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn escaped(&self) -> String {
        match self {
            Self::Event(event) => event.to_string(),
            Self::Text(text) if text == "na" || text.parse::<Event>().is_ok() => escape::escape_whole(text),
            Self::Text(text) => escape::escape(text).into_owned(),
        }
    }

    fn read(value: &str) -> Result<Self, &'static str> {
        // Our own spelling has `_` in it, unescaped; so it is looked for before anything is unescaped.
        match value.parse() {
            Ok(event) => Ok(Self::Event(event)),
            Err(_) => free_text(value).map(Self::Text),
        }
    }
}

impl From<Event> for EventTag {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl fmt::Display for EventTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => event.fmt(f),
            Self::Text(text) => f.pad(text),
        }
    }
}

/// The fields in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Market,
    Step,
    Event,
    ValReward,
    SharpeRatio,
    Seed,
}

impl Field {
    const KEYED: [Field; 5] = [Self::Step, Self::Event, Self::ValReward, Self::SharpeRatio, Self::Seed];

    fn key(self) -> &'static str {
        match self {
            Self::Market => "",
            Self::Step => "ts-",
            Self::Event => "evt-",
            Self::ValReward => "val-",
            Self::SharpeRatio => "sharpe-",
            Self::Seed => "seed-",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            keyed => keyed.key().trim_end_matches('-'),
        }
    }

    fn of(token: &str) -> Option<Self> {
        Self::KEYED.into_iter().find(|field| token.starts_with(field.key()))
    }
}

/// Cuts a label before each `_` that a key follows: what has no key belongs to what is in front of it.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (0, 0);
    for token in text.split('_') {
        if at > begin && Field::of(token).is_some() {
            parts.extend(text.get(begin..at - 1));
            begin = at;
        }
        at += token.len() + 1;
    }
    parts.extend(text.get(begin..));
    parts
}

fn escaped_market(text: &str) -> String {
    if text == "na" || Field::of(text).is_some() {
        escape::escape_whole(text)
    } else {
        escape::escape(text).into_owned()
    }
}

fn free_text(value: &str) -> Result<String, &'static str> {
    if value.is_empty() {
        return Err("it is empty; leave the field out, or write na");
    }
    escape::unescape(value).ok_or("% must be followed by two hex digits, and all of it be UTF-8")
}

fn metric(value: &str) -> Result<f64, &'static str> {
    rounded::read(value).ok_or("a metric is a decimal such as +0.112, or nan, +inf, -inf, na")
}

fn seed(value: &str) -> Option<i64> {
    let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())?
}
