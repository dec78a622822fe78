//! The inputs of a save: opened and checked before anything is written.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use ckpt::Section;
use serde_json::{Map, Value};

use crate::args::{Codec, Input, SectionArg};
use crate::failure::{FAILED, Failure};
use crate::progress::Progress;

/// Everything that will be read, open.
pub(crate) struct Inputs {
    sections: Vec<(String, Source)>,
    /// Bytes of all inputs whose length is known.
    pub(crate) total_bytes: u64,
}

enum Source {
    Stream(Box<dyn Read + Send>),
    Json(Vec<u8>),
}

/// Opens all inputs; JSON is read.
pub(crate) fn open(sections: &[SectionArg]) -> anyhow::Result<Inputs> {
    check(sections)?;
    let mut inputs = Inputs { sections: Vec::new(), total_bytes: 0 };
    for section in sections {
        let (mut stream, bytes): (Box<dyn Read + Send>, u64) = match &section.input {
            Input::Stdin => (Box::new(std::io::stdin()), 0),
            Input::File(path) => {
                let (file, bytes) = open_file(path)?;
                (Box::new(file), bytes)
            }
        };
        inputs.total_bytes = inputs.total_bytes.saturating_add(bytes);
        let source = match section.codec {
            Codec::Raw => Source::Stream(stream),
            Codec::Json => {
                let mut text = Vec::new();
                stream
                    .read_to_end(&mut text)
                    .map_err(|error| Failure::io("reading", shown(&section.input), &error))?;
                Source::Json(text)
            }
        };
        inputs.sections.push((section.name.to_string(), source));
    }
    // JSON is checked when all files are known to be there: first things first.
    for (name, source) in &inputs.sections {
        if let Source::Json(text) = source {
            Section::json_text(name, text)?;
        }
    }
    Ok(inputs)
}

impl Inputs {
    /// The sections, to be read once.
    pub(crate) fn into_sections(self, progress: &Progress) -> anyhow::Result<Vec<Section<'static>>> {
        let sections = self.sections.into_iter().map(|(name, source)| match source {
            Source::Stream(stream) => Ok(Section::reader(name, progress.reading(stream))),
            Source::Json(text) => Ok(Section::json_text(name, text)?),
        });
        sections.collect()
    }
}

/// The JSON object in a file, for the metadata.
pub(crate) fn extra(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let (mut file, _) = open_file(path)?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).map_err(|error| Failure::io("reading", path, &error))?;
    let refused = |reason: String| {
        Failure::new("refused", FAILED, format!("--extra {}: {reason}; nothing was saved", path.display()))
            .at(path)
    };
    match serde_json::from_slice(&text).map_err(|error| refused(format!("it is not JSON: {error}")))? {
        Value::Object(fields) => match integer_beyond_64_bits(&text) {
            Some(number) => {
                Err(refused(format!("{number} has more than 64 bits: write it as a string")).into())
            }
            None => Ok(fields),
        },
        _ => Err(refused("it must hold a JSON object".to_owned()).into()),
    }
}

/// The first integer of a JSON text that would come back as another number.
fn integer_beyond_64_bits(json: &[u8]) -> Option<String> {
    let mut bytes = json.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
                    if byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            b'-' | b'0'..=b'9' => {
                let mut number = String::from(char::from(byte));
                let of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                while let Some(byte) = bytes.next_if(of_number) {
                    number.push(char::from(byte));
                }
                let whole = number.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
                if whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some(number);
                }
            }
            _ => {}
        }
    }
    None
}

fn check(sections: &[SectionArg]) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    if let Some(twice) = sections.iter().find(|section| !names.insert(&section.name)) {
        return Err(Failure::usage(format!("section {} is given twice: names are unique", twice.name)).into());
    }
    if sections.iter().filter(|section| section.input == Input::Stdin).count() > 1 {
        return Err(
            Failure::usage("standard input can be one section only: save the others from files").into()
        );
    }
    Ok(())
}

/// A file and its length, 0 if it has none.
fn open_file(path: &Path) -> anyhow::Result<(File, u64)> {
    let file = File::open(path).map_err(|error| Failure::io("opening", path, &error))?;
    let found = file.metadata().map_err(|error| Failure::io("looking at", path, &error))?;
    if found.is_dir() {
        let message = format!("{} is a directory: save its files, or an archive of it", path.display());
        return Err(Failure::new("invalid", FAILED, message).at(path).into());
    }
    Ok((file, found.len()))
}

fn shown(input: &Input) -> &Path {
    match input {
        Input::Stdin => Path::new("standard input"),
        Input::File(path) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_that_would_be_rounded_is_found() {
        for good in [
            r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1e30, "d": 0.1, "e": [0, -1]}"#,
            r#"{"a": "123456789012345678901234567890", "12345678901234567890123": "\\\"123456789012345678901234"}"#,
        ] {
            serde_json::from_str::<Value>(good).unwrap();
            assert_eq!(integer_beyond_64_bits(good.as_bytes()), None, "{good}");
        }
        for bad in ["18446744073709551616", "-9223372036854775809", "123456789012345678901234567890"] {
            let json = format!("{{\"a\": [1.5, {bad}]}}");
            assert_eq!(integer_beyond_64_bits(json.as_bytes()).as_deref(), Some(bad));
        }
    }
}
