//! What has come to a version since one of its releases: documents of before and after are compared without it.

use serde_json::{Map, Value};

use super::compare::{Different, difference};
use super::path::below;
use super::shape::Shape;

/// The fields that came after a release, by which a document of today differs from one of that release and may.
pub(super) struct Came<'a> {
    pub(super) locked: &'a Shape,
    pub(super) code: &'a Shape,
    /// The release: what came with a later one, or is in no release yet, is new.
    pub(super) release: u32,
}

impl Came<'_> {
    /// The first place at which a document of today is not what was recorded, but for what has come since. `place` is that of
    /// the document in the shape: empty for the value itself, `cells[]` for an element.
    pub(super) fn other(&self, recorded: &Value, found: &Value, place: &str) -> Option<Different> {
        let found = self.without(found, vec![place.to_owned()]);
        difference(recorded, &found, "", true)
    }

    /// The same for values with each other: `[0].cells`.
    pub(super) fn other_of_all(&self, recorded: &[Value], found: &[Value]) -> Option<Different> {
        let found = found.iter().map(|found| self.without(found, vec![String::new()]));
        difference(&recorded.into(), &found.collect(), "", true)
    }

    /// A document without what has come, wherever it stands. `places` are those in the shape that it may be: an object is a
    /// struct or a map, and a variant may be told by what is among its fields.
    fn without(&self, document: &Value, mut places: Vec<String>) -> Value {
        for index in 0..places.len() {
            let among = self.among(&places[index]);
            places.extend(among);
        }
        match document {
            Value::Object(fields) => {
                let inside = |name: &str| places.iter().map(|place| below(place, name)).collect::<Vec<_>>();
                let kept =
                    fields.iter().filter(|(name, _)| !inside(name).iter().any(|path| self.is_new(path)));
                let without = |(name, value): (&String, &Value)| {
                    let mut inside = inside(name);
                    inside.extend(places.iter().map(|place| format!("{place}{{}}")));
                    (name.clone(), self.without(value, inside))
                };
                Value::Object(kept.map(without).collect::<Map<_, _>>())
            }
            Value::Array(elements) => {
                let inside = |index: usize| {
                    places.iter().flat_map(move |place| [format!("{place}[]"), format!("{place}[{index}]")])
                };
                elements
                    .iter()
                    .enumerate()
                    .map(|(index, element)| self.without(element, inside(index).collect()))
                    .collect()
            }
            _ => document.clone(),
        }
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
