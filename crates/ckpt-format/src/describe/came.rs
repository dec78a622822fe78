//! What has come to a version since one of its releases: documents of before and after are compared without it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::compare::{Different, difference};
use super::path::below;
use super::shape::Shape;
use super::walk::ITSELF;

/// The fields that came after a release, by which a document of today differs from one of that release and may.
pub(super) struct Came<'a> {
    pub(super) locked: &'a Shape,
    pub(super) code: &'a Shape,
    /// The release: what came with a later one, or is in no release yet, is new.
    pub(super) release: u32,
}

/// Where a part of a document stands.
struct At {
    /// The places in the shape that it may be: an object is a struct or a map, and a variant may be told by what is among its
    /// fields.
    places: BTreeSet<String>,
    /// Those of the objects around it.
    around: BTreeSet<String>,
    /// Whether a type stands inside itself here: the shape says no more of it than that.
    is_again: bool,
}

impl Came<'_> {
    /// The first place at which a document of today is not what was recorded, but for what has come since. `place` is that of
    /// the document in the shape: empty for the value itself, `cells[]` for an element.
    pub(super) fn other(&self, recorded: &Value, found: &Value, place: &str) -> Option<Different> {
        let found = self.without(found, At::place(place));
        difference(recorded, &found, "", true)
    }

    /// The same for values with each other: `[0].cells`.
    pub(super) fn other_of_all(&self, recorded: &[Value], found: &[Value]) -> Option<Different> {
        let found = found.iter().map(|found| self.without(found, At::place("")));
        difference(&recorded.into(), &found.collect(), "", true)
    }

    /// A document without what has come, wherever it stands.
    fn without(&self, document: &Value, at: At) -> Value {
        let at = self.known(at);
        match document {
            Value::Object(fields) => {
                let at = at.inside_itself();
                let is_kept = |name: &str| !at.places.iter().any(|place| self.is_new(&below(place, name)));
                let kept = fields.iter().filter(|(name, _)| is_kept(name));
                let without = |(name, value): (&String, &Value)| {
                    let steps = |place: &String| [below(place, name), format!("{place}{{}}")];
                    (name.clone(), self.without(value, at.then(steps)))
                };
                Value::Object(kept.map(without).collect::<Map<_, _>>())
            }
            Value::Array(elements) => {
                let steps =
                    |index: usize| move |place: &String| [format!("{place}[]"), format!("{place}[{index}]")];
                let elements = elements.iter().enumerate();
                elements.map(|(index, element)| self.without(element, at.then(steps(index)))).collect()
            }
            _ => document.clone(),
        }
    }

    /// Only the places that the shape has, so that they stay few however deep a document is.
    fn known(&self, mut at: At) -> At {
        let fields = &self.code.fields;
        let is_known = |place: &String| {
            let mut from = fields.range(place.clone()..);
            from.next().is_some_and(|(path, _)| path.starts_with(place.as_str()))
        };
        let among: Vec<String> = at.places.iter().flat_map(|place| self.among(place)).collect();
        at.places.extend(among);
        at.places.retain(is_known);
        let is_again =
            |place: &String| fields.get(place).is_some_and(|field| field.type_name.contains(ITSELF));
        at.is_again |= at.places.iter().any(is_again);
        at
    }

    /// A variant is no field: that there is a new one is told elsewhere.
    fn is_new(&self, path: &str) -> bool {
        let Some(field) = self.code.fields.get(path) else { return false };
        let since = self.locked.fields.get(path).map(|field| field.release);
        since.is_none_or(|since| since > self.release) && !field.type_name.starts_with("variant")
    }

    /// The variants that add no step to the text: `state<Wild>`.
    fn among(&self, place: &str) -> Vec<String> {
        let is_among = |path: &&String| {
            let rest = path.strip_prefix(place).and_then(|rest| rest.strip_prefix('<'));
            rest.is_some_and(|rest| rest.find('>').is_some_and(|end| end + 1 == rest.len()))
        };
        self.code.fields.keys().filter(is_among).cloned().collect()
    }
}

impl At {
    fn place(place: &str) -> Self {
        Self { places: [place.to_owned()].into(), around: BTreeSet::new(), is_again: false }
    }

    /// An object, which is any of those around it if a type stands inside itself there.
    fn inside_itself(mut self) -> Self {
        if self.is_again {
            self.places.extend(self.around.iter().cloned());
        }
        self.around.extend(self.places.iter().cloned());
        self.is_again = false;
        self
    }

    /// A part of it, by the steps that may lead there.
    fn then(&self, steps: impl Fn(&String) -> [String; 2]) -> Self {
        let places = self.places.iter().flat_map(steps).collect();
        Self { places, around: self.around.clone(), is_again: self.is_again }
    }
}
