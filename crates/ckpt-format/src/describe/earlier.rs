//! Releases from before shapes were told in as many words: held against all that was told then, and not against what was not.
//!
//! At first the lock did not look through types of their own (`struct Bps(f64)`) for unit and range, called the stored type inside
//! itself `any`, an empty struct an `object`, and what was flattened into a struct nothing.

use super::compare::{is_part, parents};
use super::lock::{Locked, WORDS};
use super::said::Said;
use super::shape::Field;
use super::version::Description;
use super::walk::{Found, ITSELF, OBJECT};

/// Brings a version of the lock up to the words of today: what was not told is as the code has it.
pub(super) fn complete(locked: &mut Locked, description: &Description) {
    if locked.words >= WORDS {
        return;
    }
    locked.words = WORDS;
    let (then, now) = (&mut locked.shape.fields, &description.shape.fields);
    for found in &description.found {
        let path = found.place.to_string();
        let Some(field) = now.get(&path) else { continue };
        if let Some(known) = then.get_mut(&path) {
            tell(known, field, &found.own);
            continue;
        }
        let stood_there = parents(&path).all(|parent| !now.contains_key(parent) || then.contains_key(parent));
        if stood_there && was_not_noted(found, &path) {
            then.insert(path, field.clone());
        }
    }
    if !now.contains_key("$") && then.get("$").is_some_and(|whole| whole.type_name == OBJECT) {
        then.remove("$");
    }
}

/// Adds to a field what is said of it today and was not told.
fn tell(then: &mut Field, now: &Field, own: &Said) {
    let is_hidden = now.type_name.replace(ITSELF, "any") == then.type_name
        || now.type_name.split(" with ").next() == Some(&then.type_name);
    if is_hidden {
        then.type_name.clone_from(&now.type_name);
    }
    if own.unit.is_none() && then.unit.is_none() {
        then.unit.clone_from(&now.unit);
    }
    for (word, bound) in now.range.iter().filter(|(word, _)| !own.range.contains_key(*word)) {
        then.range.entry(word.clone()).or_insert_with(|| bound.clone());
    }
}

/// An element, a value, a member of a tuple that says something by its type alone.
fn was_not_noted(found: &Found, path: &str) -> bool {
    is_part(path) && found.own.is_nothing()
}
