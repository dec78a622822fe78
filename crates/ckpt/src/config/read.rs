//! From a value of a file to what its key wants: one function a shape, each with the range it allows.

use std::ops::RangeInclusive;
use std::time::Duration;

use ckpt_format::{ByteSize, Direction, EventClass, SectionName};
use ckpt_policy::Reserve;
use ckpt_store::Compress;

use super::tree::{Fault, Node, Value, excerpt};

/// The largest whole number that every float and every reader of JSON has exactly.
pub(super) const COUNT_MAX: u64 = 1 << 53;

/// What a key wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Flag,
    /// Whole and not negative, at most [`COUNT_MAX`].
    Count,
    Integer(i64, i64),
    Number {
        least: f64,
        most: f64,
        most_allowed: bool,
    },
    Choice(&'static [&'static str]),
    /// The name of a unit.
    Unit,
    /// A list of names of metadata fields.
    Names,
    /// A list of metrics, with directions or without.
    Metrics,
    /// How many of which metric, as a mapping or a list.
    Budgets,
    /// A list of classes of events.
    Classes,
    /// A count of bytes, or a text with its unit.
    Bytes,
    Compression,
}

/// A metric as it was named, and its direction if it was said.
pub(super) type Named = (String, Option<Direction>);

/// A metric and how many of it are kept.
pub(super) type Budget = (String, Option<Direction>, u64);

type Read<T> = Result<T, Fault>;

pub(super) fn flag(node: &Node, _: &Shape) -> Read<bool> {
    match node.value {
        Value::Flag(flag) => Ok(flag),
        _ => Err(wanted(node, "true or false")),
    }
}

pub(super) fn count(node: &Node, _: &Shape) -> Read<u64> {
    whole(node, 0..=i128::from(COUNT_MAX))
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| wanted(node, "a whole number from 0 to 2^53"))
}

pub(super) fn integer(node: &Node, shape: &Shape) -> Read<i64> {
    let (least, most) = match shape {
        Shape::Integer(least, most) => (*least, *most),
        _ => (i64::MIN, i64::MAX),
    };
    whole(node, least.into()..=most.into())
        .and_then(|number| i64::try_from(number).ok())
        .ok_or_else(|| wanted(node, &format!("a whole number from {least} to {most}")))
}

pub(super) fn number(node: &Node, shape: &Shape) -> Read<f64> {
    let Shape::Number { least, most, most_allowed } = *shape else {
        return Err(wanted(node, "a number"));
    };
    let found = match node.value {
        Value::Integer(integer) => Some(integer as f64),
        Value::Float(float) => Some(float),
        _ => None,
    };
    let fits = |number: &f64| *number >= least && (*number < most || most_allowed && *number == most);
    found.filter(fits).ok_or_else(|| wanted(node, &format!("a number from {}", range(shape))))
}

pub(super) fn seconds(node: &Node, shape: &Shape) -> Read<Duration> {
    // The range of the key is far below what a duration can hold.
    number(node, shape).map(Duration::from_secs_f64)
}

pub(super) fn days(node: &Node, shape: &Shape) -> Read<Duration> {
    number(node, shape).map(|days| Duration::from_secs_f64(days * 86_400.0))
}

/// A reserve that is stated in GiB.
pub(super) fn reserve(node: &Node, shape: &Shape) -> Read<Reserve> {
    Reserve::gib(number(node, shape)?).map_err(|error| Fault::new(node.line, error.to_string()))
}

/// Whether all triggers must be due.
pub(super) fn combine(node: &Node, shape: &Shape) -> Read<bool> {
    choice(node, shape).map(|text| text == "all")
}

pub(super) fn unit(node: &Node, _: &Shape) -> Read<String> {
    let fits = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            && text.len() <= 32
    };
    match &node.value {
        Value::Text(text) if fits(text) => Ok(text.clone()),
        _ => Err(wanted(node, "the name of a unit, [A-Za-z][A-Za-z0-9_-]{0,31}")),
    }
}

pub(super) fn names(node: &Node, _: &Shape) -> Read<Vec<String>> {
    let name = |node: &Node| match &node.value {
        Value::Text(text) => match text.parse::<SectionName>() {
            Ok(_) => Ok(text.clone()),
            Err(_) => Err(wanted(node, "a field name, [A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")),
        },
        _ => Err(wanted(node, "a field name")),
    };
    let names: Vec<String> = list(node, "field names")?.iter().map(name).collect::<Read<_>>()?;
    once(node, names.iter().map(String::as_str))?;
    Ok(names)
}

pub(super) fn metrics(node: &Node, _: &Shape) -> Read<Vec<Named>> {
    let metrics: Vec<Named> = list(node, "metrics")?.iter().map(metric).collect::<Read<_>>()?;
    once(node, metrics.iter().map(|(name, _)| name.as_str()))?;
    Ok(metrics)
}

pub(super) fn budgets(node: &Node, _: &Shape) -> Read<Vec<Budget>> {
    let budgets: Vec<Budget> = match &node.value {
        Value::Map(entries) => {
            let budget = |(key, value): &(super::tree::Key, Node)| {
                let (name, direction) = metric_text(&key.text, key.line)?;
                Ok((name, direction, count(value, &Shape::Count)?))
            };
            entries.iter().map(budget).collect::<Read<_>>()?
        }
        Value::List(nodes) => nodes.iter().map(budget).collect::<Read<_>>()?,
        _ => return Err(wanted(node, "a mapping of metrics to counts, or a list of METRIC:COUNT[:min|max]")),
    };
    once(node, budgets.iter().map(|(name, ..)| name.as_str()))?;
    Ok(budgets)
}

pub(super) fn classes(node: &Node, _: &Shape) -> Read<Vec<EventClass>> {
    let class = |node: &Node| match &node.value {
        Value::Text(text) => text.parse::<EventClass>().map_err(|_| unknown_class(node, text)),
        _ => Err(wanted(node, "the name of an event")),
    };
    let classes: Vec<EventClass> = list(node, "events")?.iter().map(class).collect::<Read<_>>()?;
    once(node, classes.iter().map(|class| class.as_str()))?;
    Ok(classes)
}

pub(super) fn bytes(node: &Node, shape: &Shape) -> Read<u64> {
    let found = match &node.value {
        Value::Text(text) => text.parse().ok().map(ByteSize::bytes).filter(|bytes| *bytes <= COUNT_MAX),
        _ => count(node, shape).ok(),
    };
    found.ok_or_else(|| wanted(node, &format!("a size from 0 to 2^53 bytes: {}", ByteSize::FORM)))
}

pub(super) fn compression(node: &Node, _: &Shape) -> Read<Compress> {
    match &node.value {
        Value::Flag(true) => Ok(Compress::BySample),
        Value::Flag(false) => Ok(Compress::Never),
        Value::Text(text) => match text.as_str() {
            "by_sample" => Ok(Compress::BySample),
            "always" => Ok(Compress::Always),
            "never" => Ok(Compress::Never),
            _ => Err(wanted(node, "true, false, by_sample, always or never")),
        },
        _ => Err(wanted(node, "true, false, by_sample, always or never")),
    }
}

/// Saves are always atomic.
pub(super) fn atomic(node: &Node, shape: &Shape) -> Read<()> {
    match flag(node, shape)? {
        true => Ok(()),
        false => Err(Fault::new(
            node.line,
            "saves are always atomic, a file is whole or absent: take the line out, or say true",
        )),
    }
}

/// `0 to 1`, `0 to below 1`.
pub(super) fn range(shape: &Shape) -> String {
    match *shape {
        Shape::Number { least, most, most_allowed } => {
            let below = if most_allowed { "" } else { "below " };
            format!("{least} to {below}{}", if most >= 1e15 { format!("{most:e}") } else { most.to_string() })
        }
        Shape::Count | Shape::Bytes | Shape::Budgets => "0 to 2^53".to_owned(),
        Shape::Integer(least, most) => format!("{least} to {most}"),
        _ => String::new(),
    }
}

fn wanted(node: &Node, what: &str) -> Fault {
    let hint = match &node.value {
        Value::Null => " (an empty line states nothing: take the key out to get the default)",
        _ => "",
    };
    Fault::new(node.line, format!("must be {what}, not {}{hint}", node.kind()))
}

fn whole(node: &Node, allowed: RangeInclusive<i128>) -> Option<i128> {
    let found = match node.value {
        Value::Integer(integer) => Some(integer),
        Value::Float(float) if float.trunc() == float && float.abs() <= COUNT_MAX as f64 => {
            Some(float as i128)
        }
        _ => None,
    };
    found.filter(|number| allowed.contains(number))
}

fn choice<'a>(node: &'a Node, shape: &Shape) -> Read<&'a str> {
    let Shape::Choice(choices) = *shape else { return Err(wanted(node, "one of a choice")) };
    match &node.value {
        Value::Text(text) if choices.contains(&text.as_str()) => Ok(text),
        _ => Err(wanted(node, &choices.join(" or "))),
    }
}

fn list<'a>(node: &'a Node, of: &str) -> Read<&'a [Node]> {
    match &node.value {
        Value::List(nodes) => Ok(nodes),
        _ => Err(wanted(node, &format!("a list of {of}"))),
    }
}

fn once<'a>(node: &Node, names: impl Iterator<Item = &'a str>) -> Read<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Fault::new(node.line, format!("{} is in it twice", excerpt(name))));
        }
    }
    Ok(())
}

fn metric(node: &Node) -> Read<Named> {
    match &node.value {
        Value::Text(text) => metric_text(text, node.line),
        _ => Err(wanted(node, "the name of a metric")),
    }
}

fn metric_text(text: &str, line: u64) -> Read<Named> {
    let (name, direction) = match text.rsplit_once(':') {
        None => (text, None),
        Some((name, direction)) => match direction.trim().parse() {
            Ok(direction) => (name, Some(direction)),
            Err(_) => {
                let message = format!("{} has no such direction: write NAME:min or NAME:max", excerpt(text));
                return Err(Fault::new(line, message));
            }
        },
    };
    if name.is_empty()
        || name.contains([':', ','])
        || name.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(Fault::new(line, format!("{} is no name of a metric", excerpt(text))));
    }
    Ok((name.to_owned(), direction))
}

/// `METRIC:COUNT` or `METRIC:COUNT:min`, as at the shell.
fn budget(node: &Node) -> Read<Budget> {
    let wrong = || wanted(node, "METRIC:COUNT or METRIC:COUNT:min|max");
    let Value::Text(text) = &node.value else { return Err(wrong()) };
    let parts: Vec<&str> = text.split(':').collect();
    let (name, number, direction) = match parts.as_slice() {
        [name, number] => (*name, *number, None),
        [name, number, direction] => (*name, *number, Some(direction.parse().map_err(|_| wrong())?)),
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let (name, _) = metric_text(name, node.line)?;
    if number > COUNT_MAX {
        return Err(wrong());
    }
    Ok((name, direction, number))
}

fn unknown_class(node: &Node, text: &str) -> Fault {
    let known = EventClass::ALL.map(EventClass::as_str);
    let message = match super::nearest::nearest(text, known) {
        Some(nearest) => format!("unknown event {}: did you mean `{nearest}`? ", excerpt(text)),
        None => format!("unknown event {}: ", excerpt(text)),
    };
    Fault::new(node.line, format!("{message}there are {}", known.join(", ")))
}
