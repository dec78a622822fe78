//! Which crate may depend on which.
//!
//! A crate depends only on lower layers, never sideways, its tests included: so a user can take the lower crates
//! alone, and a change never reaches further down than it looks.

use crate::workspace::Member;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No I/O and no clock; has a `clippy.toml` of its own that says so.
    Pure,
    Io,
    /// Joins pure crates to those that do I/O.
    Wiring,
}

/// The place of one crate.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) layer: u8,
    pub(crate) kind: Kind,
}

/// The crates that are there and those that are planned, so that a new one finds its place here.
pub(crate) const LAYERS: [Place; 11] = [
    Place { name: "ckpt-format", layer: 0, kind: Kind::Pure },
    Place { name: "ckpt-gate", layer: 0, kind: Kind::Pure },
    Place { name: "ckpt-measure", layer: 0, kind: Kind::Io },
    Place { name: "ckpt-policy", layer: 1, kind: Kind::Pure },
    Place { name: "ckpt-transfer", layer: 1, kind: Kind::Pure },
    Place { name: "ckpt-store", layer: 1, kind: Kind::Io },
    Place { name: "ckpt", layer: 2, kind: Kind::Wiring },
    Place { name: "ckpt-market", layer: 2, kind: Kind::Pure },
    Place { name: "ckpt-ops", layer: 3, kind: Kind::Io },
    Place { name: "ckpt-server", layer: 4, kind: Kind::Io },
    Place { name: "ckpt-cli", layer: 5, kind: Kind::Io },
];

/// Unpublished crates beside the layers: they may use any crate, and no crate may use them.
const OUTSIDE: [&str; 2] = ["xtask", "ckpt-bench"];

/// Their examples show the whole system, so these dev-dependencies may be of any layer: (crate, what it shows; none: all of it).
const SHOWN: [(&str, Option<&str>); 2] = [("ckpt", None), ("ckpt-market", Some("ckpt"))];

/// Every dependency inside the workspace that goes up, sideways or outside, and every crate without a place.
pub(crate) fn check(members: &[Member]) -> Vec<String> {
    let mut errors = Vec::new();
    for member in members {
        if place(&member.name).is_none() && !is_outside(&member.name) {
            errors.push(format!(
                "{} has no layer: add it to LAYERS in xtask/src/tidy/layers.rs, or to OUTSIDE if no crate uses it",
                member.name
            ));
        }
        for dependency in &member.dependencies {
            let inside = members.iter().any(|other| other.name == dependency.name);
            // A crate names itself to turn its own features on in its tests.
            let itself = dependency.dev && dependency.name == member.name;
            if inside && !itself {
                errors.extend(refusal(&member.name, &dependency.name, dependency.dev));
            }
        }
    }
    errors
}

/// The crate's place in the table, if it has one.
pub(crate) fn place(name: &str) -> Option<&'static Place> {
    LAYERS.iter().find(|place| place.name == name)
}

fn is_outside(name: &str) -> bool {
    OUTSIDE.contains(&name)
}

/// Why `user` may not depend on `used`.
fn refusal(user: &str, used: &str, dev: bool) -> Option<String> {
    let how = if dev { "for its tests " } else { "" };
    if is_outside(used) {
        return Some(format!(
            "{user} depends {how}on {used}, which stands outside: move what it needs into a layer"
        ));
    }
    // What has no place was reported as such; crates outside use what they like.
    let (user, used) = (place(user)?, place(used)?);
    let shows =
        |&(name, shown): &(&str, Option<&str>)| name == user.name && shown.is_none_or(|one| one == used.name);
    if dev && SHOWN.iter().any(shows) {
        return None;
    }
    if used.layer >= user.layer {
        let where_to = if dev { "move the test" } else { "move what it needs" };
        return Some(format!(
            "{} (layer {}) depends {how}on {} (layer {}), only lower layers are allowed: {where_to} to the crate that \
             may know both, or drop the line from crates/{}/Cargo.toml",
            user.name, user.layer, used.name, used.layer, user.name
        ));
    }
    if !dev && user.kind == Kind::Pure && used.kind != Kind::Pure {
        return Some(format!(
            "{} is pure but depends on {}, which does I/O: take the result as an argument instead",
            user.name, used.name
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn member(name: &str, normal: &[&str], dev: &[&str]) -> Member {
        let named = |names: &[&str], dev| {
            names.iter().map(|&name| Dependency { name: name.to_owned(), dev }).collect::<Vec<_>>()
        };
        let dependencies = [named(normal, false), named(dev, true)].concat();
        Member { name: name.to_owned(), directory: name.into(), dependencies }
    }

    /// The one error of `user` in a workspace that has everything.
    fn refused(user: Member) -> Option<String> {
        let mut members: Vec<Member> = LAYERS.iter().map(|place| member(place.name, &[], &[])).collect();
        members.push(member("xtask", &["anyhow"], &[]));
        members.retain(|other| other.name != user.name);
        members.push(user);
        let mut errors = check(&members);
        assert!(errors.len() < 2, "{errors:?}");
        errors.pop()
    }

    #[test]
    fn lower_layers_and_foreign_crates_are_free() {
        assert_eq!(refused(member("ckpt-store", &["ckpt-format", "zstd"], &["tempfile"])), None);
        assert_eq!(
            refused(member("ckpt-cli", &["ckpt", "ckpt-ops", "ckpt-server", "ckpt-market"], &[])),
            None
        );
    }

    #[test]
    fn upwards_and_sideways_are_refused_by_name_in_tests_too() {
        for (user, used) in
            [("ckpt-format", "ckpt-store"), ("ckpt-store", "ckpt-policy"), ("ckpt-market", "ckpt-cli")]
        {
            for user in [member(user, &[used], &[]), member(user, &[], &[used])] {
                let error = refused(user.clone()).expect("refused");
                assert!(error.contains(&user.name) && error.contains(used), "{error}");
            }
        }
    }

    #[test]
    fn the_facade_may_show_any_crate_in_its_examples_and_no_other_crate_may() {
        assert_eq!(refused(member("ckpt", &[], &["ckpt-market", "ckpt-ops"])), None);
        assert!(refused(member("ckpt", &["ckpt-market"], &[])).is_some());
        assert!(refused(member("ckpt-market", &[], &["ckpt-ops"])).is_some());
    }

    #[test]
    fn the_market_may_show_itself_with_the_facade_and_not_use_it() {
        assert_eq!(refused(member("ckpt-market", &[], &["ckpt"])), None);
        assert!(refused(member("ckpt-market", &["ckpt"], &[])).is_some());
        assert!(refused(member("ckpt-gate", &[], &["ckpt"])).is_some());
    }

    #[test]
    fn a_crate_may_name_itself_in_its_tests() {
        assert_eq!(refused(member("ckpt-store", &[], &["ckpt-store"])), None);
    }

    #[test]
    fn a_pure_crate_may_test_with_io_but_not_use_it() {
        assert!(refused(member("ckpt-market", &["ckpt-store"], &[])).is_some());
        assert_eq!(refused(member("ckpt-market", &[], &["ckpt-store"])), None);
    }

    #[test]
    fn nothing_depends_on_what_stands_outside() {
        assert!(refused(member("ckpt-cli", &["xtask"], &[])).expect("refused").contains("stands outside"));
        assert_eq!(refused(member("xtask", &["ckpt-cli"], &[])), None);
    }

    #[test]
    fn a_crate_without_a_place_is_told_where_to_get_one() {
        let error = refused(member("ckpt-new", &["ckpt"], &[])).expect("refused");
        assert!(error.contains("ckpt-new") && error.contains("xtask/src/tidy/layers.rs"), "{error}");
    }

    #[test]
    fn the_table_names_each_crate_once() {
        let mut names: Vec<&str> = LAYERS.iter().map(|place| place.name).chain(OUTSIDE).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
