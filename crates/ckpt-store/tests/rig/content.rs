//! State that follows from its step alone, so that whoever loads it can say bit for bit what it must be.

use std::io::Cursor;

use ckpt_format::{Event, Metadata, Position};
use ckpt_store::{Run, Saved, Section, Sections};

/// The sections of a step: noise of every size, now and then above what is written around the page cache; text that
/// shrinks; and a stream of unknown length, now and then longer than one batch.
#[derive(Debug)]
pub(crate) struct Content {
    step: u64,
    noise: Vec<u8>,
    text: Vec<u8>,
    stream: Vec<u8>,
}

impl Content {
    pub(crate) fn of(step: u64) -> Self {
        let jitter = step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 44;
        let noise = match step % 12 {
            0 => (4 << 20) + jitter,
            1 | 2 => jitter % 4_097,
            _ => jitter % (64 << 10),
        };
        let stream = if step % 12 == 5 { (2 << 20) + jitter } else { jitter % 10_000 };
        Self::sized(step, noise, stream)
    }

    /// Content whose file has about `noise_length + stream_length` bytes, since noise does not shrink. Without a stream its
    /// length is known before it is saved.
    pub(crate) fn sized(step: u64, noise_length: u64, stream_length: u64) -> Self {
        let text = format!("step {step} of a state that repeats itself; ").repeat(200).into_bytes();
        Self { step, noise: noise_of(step, 0, noise_length), text, stream: noise_of(step, 1, stream_length) }
    }

    /// Saves it because of `event`, at its step; what is a stream is streamed.
    pub(crate) fn save(&self, run: &Run, event: Event) -> ckpt_store::Result<Saved> {
        let mut sections = self.sections();
        if let Some(stream) = sections.last_mut().filter(|_| !self.stream.is_empty()) {
            *stream = Section::reader("stream", Cursor::new(self.stream.as_slice()));
        }
        run.save(self.metadata(event), sections)
    }

    /// What a checkpoint of it says, saved because of `event`.
    pub(crate) fn metadata(&self, event: Event) -> Metadata {
        Metadata::default().because(event, "the test says so").at(Position::at(self.step))
    }

    /// All of it, from where it lies.
    pub(crate) fn sections(&self) -> Vec<Section<'_>> {
        vec![
            Section::raw("noise", &self.noise),
            Section::raw("text", &self.text),
            Section::raw("stream", &self.stream),
        ]
    }

    /// Checks that `loaded` is this content. The bytes are compared, not shown: they may be millions.
    pub(crate) fn check(&self, loaded: &Sections) {
        let expected = [("noise", &self.noise), ("text", &self.text), ("stream", &self.stream)];
        assert_eq!(loaded.iter().count(), expected.len(), "sections of step {}", self.step);
        for (name, bytes) in expected {
            assert!(
                loaded.bytes(name) == Some(bytes.as_slice()),
                "section {name} of step {} differs",
                self.step
            );
        }
    }
}

/// Bytes that do not shrink, others for each step and stream.
fn noise_of(step: u64, stream: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).expect("a test's sizes fit in memory")];
    let seed = [step.to_le_bytes(), stream.to_le_bytes()].concat();
    blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut bytes);
    bytes
}
