//! A stored struct in a few words, and what a release of it leaves.

use ckpt_format::describe::{Folder, Kinds};

/// `field: type = default, sample;` for each field; the attributes of the struct come first.
macro_rules! kind {
    (
        $(#[$meta:meta])* struct $name:ident: $kind:literal $version:literal $codec:ident, from $previous:ty
        $(, |$before:ident| $migrate:expr)?;
        $($(#[$field_meta:meta])* $field:ident: $type:ty = $default:expr, $sample:expr;)*
    ) => {
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[$meta])*
        pub(crate) struct $name {
            $($(#[$field_meta])* pub(crate) $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl ckpt_format::Stored for $name {
            const KIND: &'static str = $kind;
            const VERSION: u32 = $version;
            const CODEC: ckpt_format::Codec = ckpt_format::Codec::$codec;
            type Previous = $previous;

            fn migrate(previous: $previous) -> Result<Self, ckpt_format::MigrateError> {
                kind!(@migrate previous $($before, $migrate)?)
            }
        }

        impl ckpt_format::describe::Described for $name {
            fn samples() -> Vec<Self> {
                vec![Self { $($field: $sample,)* }]
            }
        }
    };
    (@migrate $previous:ident) => { match $previous {} };
    (@migrate $previous:ident $before:ident, $migrate:expr) => {{ let $before = $previous; $migrate }};
}

/// Kinds as some program has them.
pub(crate) type Program = fn() -> Kinds;

/// The folder after a program has released all its kinds.
pub(crate) fn released(program: Program) -> Folder {
    let kinds = program();
    let mut folder = Folder::default();
    for kind in kinds.names() {
        let files = kinds.release(kind, &folder).unwrap_or_else(|error| panic!("{kind}: {error}"));
        folder.extend(files);
    }
    folder
}

/// What a program is refused in a folder: path and rule of each, and the texts.
pub(crate) fn refused(program: Program, folder: &Folder) -> (Vec<(String, String)>, Vec<String>) {
    let Err(refusals) = program().check(folder) else { return (Vec::new(), Vec::new()) };
    let name = |rule: &dyn std::fmt::Debug| {
        let text = format!("{rule:?}");
        text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
    };
    let rules = refusals.0.iter().map(|refusal| (refusal.path.clone(), name(&refusal.rule))).collect();
    (rules, refusals.0.iter().map(ToString::to_string).collect())
}
