//! The order in which the text of a value names its fields, which is as they are declared; a schema has them by the alphabet.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::path::{Place, Step};

/// Names in the order of their first appearance; elements of a list share theirs.
#[derive(Debug, Default)]
pub(super) struct Order {
    names: Vec<(String, Order)>,
    elements: Option<Box<Order>>,
}

impl Order {
    /// Takes in the names of a JSON text.
    pub(super) fn read(&mut self, text: &[u8]) {
        // It was written by this library: what can't be read has no order to tell.
        let _: Result<(), serde_json::Error> =
            self.deserialize(&mut serde_json::Deserializer::from_slice(text));
    }

    /// Where a place stands: of two, the one with the lower rank comes first, and one that holds another before it.
    pub(super) fn rank(&self, place: &Place) -> Vec<usize> {
        let mut here = Some(self);
        let rank = |step: &Step| {
            let Some(order) = here else { return usize::MAX };
            let (rank, below) = match step {
                Step::Field(name) | Step::Variant(name) => {
                    match order.names.iter().position(|(known, _)| known == name) {
                        Some(index) => (index, order.names.get(index).map(|(_, below)| below)),
                        None => (usize::MAX, None),
                    }
                }
                Step::Values => (0, order.names.first().map(|(_, below)| below)),
                Step::Elements => (0, order.elements.as_deref()),
                Step::Index(index) => (*index, order.elements.as_deref()),
                Step::Among(_) => (0, Some(order)),
            };
            here = below;
            rank
        };
        place.0.iter().map(rank).collect()
    }

    fn name(&mut self, name: &str) -> &mut Self {
        let index = self.names.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.names.push((name.to_owned(), Self::default()));
            self.names.len() - 1
        });
        &mut self.names[index].1
    }
}

impl<'de> DeserializeSeed<'de> for &mut Order {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Order {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(&mut **self.elements.get_or_insert_default())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(name) = entries.next_key::<String>()? {
            entries.next_value_seed(self.name(&name))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_rank_as_the_text_has_them() {
        let mut order = Order::default();
        order.read(br#"{"z": 1, "a": [{"y": 1}, {"x": 2, "y": 3}], "m": null}"#);
        let rank = |steps: &[Step]| order.rank(&Place(steps.to_vec()));
        let field = |name: &str| Step::Field(name.to_owned());
        assert_eq!(rank(&[field("z")]), [0]);
        assert_eq!(rank(&[field("a"), Step::Elements, field("x")]), [1, 0, 1]);
        assert_eq!(rank(&[field("none")]), [usize::MAX]);
        assert!(rank(&[field("a")]) < rank(&[field("a"), Step::Elements, field("y")]));
    }
}
