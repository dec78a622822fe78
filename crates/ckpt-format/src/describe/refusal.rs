//! What is refused, where, and the way out.

use std::fmt;

use serde_json::Value;

/// One change, or one lack, that would break a file on somebody's disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The kind.
    pub kind: String,
    /// The version of the kind; 0 if it is the kind as a whole.
    pub version: u32,
    /// The field, `cells[].mu`, or the file.
    pub path: String,
    /// What is wrong with it.
    pub rule: Rule,
}

/// What can be wrong; its text ends with the way out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// A new field that stored documents lack, and nothing takes its place.
    #[error(
        "is new and has no default, so what is stored already can't be read: put #[serde(default)] on the struct and give \
         it a `Default`, or make a new version whose `migrate` fills it"
    )]
    NewFieldWithoutDefault,
    /// `#[serde(default)]` on the field where it belongs on the struct.
    #[error(
        "arrives as its type's zero, {arrives}, where the struct's own default is {own}: move #[serde(default)] from the \
         field to the struct"
    )]
    ZeroDefault {
        /// What arrives when the field is absent.
        arrives: Value,
        /// What the struct's `Default` has.
        own: Value,
    },
    /// Two defaults for one field.
    #[error(
        "arrives as {arrives} where the struct's own default is {own}: drop #[serde(default = ..)] from the field, put \
         #[serde(default)] on the struct"
    )]
    OtherDefault {
        /// What arrives when the field is absent.
        arrives: Value,
        /// What the struct's `Default` has.
        own: Value,
    },
    /// A default in a nested struct that nothing can be held against.
    #[error(
        "arrives as {arrives}, and `{part}`'s own default is not known: put #[serde(default)] on that \
         struct and name it with `Kinds::part::<{part}>()`"
    )]
    UnknownPart {
        /// What arrives when the field is absent.
        arrives: Value,
        /// The struct, by the name of its schema.
        part: String,
    },
    /// Files without the field would mean something else.
    #[error(
        "had the default {locked}, now {code}: a file without it would mean something else; keep {locked} for this version, \
         a new version may have another"
    )]
    DefaultChanged {
        /// As it was released.
        locked: Value,
        /// As it is.
        code: Value,
    },
    /// It had a default, now stored documents without it can't be read.
    #[error(
        "had the default {locked} and is required now: what is stored without it can't be read; give it its default back"
    )]
    DefaultRemoved {
        /// As it was released.
        locked: Value,
    },
    /// What is stored under the name would be dropped.
    #[error(
        "was removed, and what is stored in it would be lost without a word: put it back, or make a new version whose \
         `migrate` says where its value goes"
    )]
    Removed,
    /// Gone, and one of the same type has come.
    #[error(
        "was renamed to `{to}`, as it seems, and what is stored under the old name would be lost: name it `{path}` again, or \
         make a new version whose `migrate` moves the value"
    )]
    Renamed {
        /// The name as it was released.
        path: String,
        /// What it seems to be now.
        to: String,
    },
    /// The stored text may not be of the new type, or mean something else.
    #[error(
        "was {locked}, is {code}: put the type back, or make a new version whose `migrate` converts the value"
    )]
    TypeChanged {
        /// As it was released.
        locked: String,
        /// As it is.
        code: String,
    },
    /// The same number means something else.
    #[error(
        "was in {locked}, is in {code}: the stored numbers would mean something else; put the unit back, or make a new \
         version whose `migrate` converts the value"
    )]
    UnitChanged {
        /// As it was released.
        locked: String,
        /// As it is.
        code: String,
    },
    /// What may stand there changed.
    #[error(
        "had the range {locked}, now {code}: stored values may lie outside, or meant something else; put the range back, or \
         make a new version whose `migrate` judges them"
    )]
    RangeChanged {
        /// As it was released.
        locked: String,
        /// As it is.
        code: String,
    },
    /// What knows this version could not read it.
    #[error(
        "is a new variant, which a program that knows this version can't read: make a new version, whose `migrate` may keep \
         all as it is"
    )]
    NewVariant,
    /// Stored under the name of a variant that is gone.
    #[error(
        "is a variant that is gone, and what is stored as it can't be read: put it back, or make a new version whose \
         `migrate` says what becomes of it"
    )]
    VariantRemoved,
    /// Written by another codec.
    #[error("the codec was {locked}, is {code}: put it back, or make a new version")]
    CodecChanged {
        /// As it was released.
        locked: String,
        /// As it is.
        code: String,
    },
    /// The bytes have no names: whatever differs is read wrongly.
    #[error(
        "was {locked}, is {code}: bincode has no names and no defaults, so the stored bytes would be read as something else; put \
         the shape back, or make a new version"
    )]
    TraceChanged {
        /// The call as it was released.
        locked: String,
        /// The call as it is.
        code: String,
    },
    /// A version that others came after.
    #[error("v{version} is frozen, v{current} came after it, and it {what}: put the old type back as it was")]
    FrozenChanged {
        /// The version that was edited.
        version: u32,
        /// The kind's version now.
        current: u32,
        /// The change, without a way out.
        what: String,
    },
    /// Nothing reads what this version wrote.
    #[error(
        "v{version} was released and no step leads from it: keep its type, name it as `Previous` of the version after it and \
         write `migrate`"
    )]
    MissingMigration {
        /// The version.
        version: u32,
    },
    /// Nothing reads the kind.
    #[error(
        "was released and is gone: put its types back and `add` the newest, or what is stored can't be read"
    )]
    KindGone,
    /// It has a successor, but no golden file.
    #[error(
        "v{version} has a successor and was never released: release it, which writes its golden file, or take it out of the \
         chain"
    )]
    NeverReleased {
        /// The version.
        version: u32,
    },
    /// In the lock, and not in the folder.
    #[error("the golden file is missing: restore it from the history; it is never made again")]
    GoldenMissing,
    /// In the folder, and not in the lock: what was released is checked by nothing.
    #[error(
        "the golden file {file} is of no release in the lock: restore {lock} from the history; if it was never released, remove \
         the file", lock = super::lock::LOCK_FILE
    )]
    GoldenUnlocked {
        /// The file.
        file: String,
    },
    /// Its digest is another.
    #[error("the golden file was changed (it is {found}, was {locked}): restore it from the history")]
    GoldenChanged {
        /// As it was released.
        locked: String,
        /// As it is.
        found: String,
    },
    /// It can't be read, as its own version or as a later one.
    #[error("reading the golden file {file} fails: {reason}; repair `Deserialize` or `migrate`")]
    GoldenUnreadable {
        /// The file.
        file: String,
        /// What the load said.
        reason: String,
    },
    /// It reads as something else than when it was released.
    #[error(
        "the golden file {file} has {} there and is read as {}: repair `Deserialize` or `migrate`, or make a new version",
        or_nothing(.locked), or_nothing(.code)
    )]
    GoldenReadsOther {
        /// The file.
        file: String,
        /// As it was released; `None` if nothing stood there.
        locked: Option<Value>,
        /// As it is read; `None` if nothing stands there.
        code: Option<Value>,
    },
    /// Nothing was removed, so nothing is known of its default.
    #[error("no sample holds it: add one to `samples()` that does (an element, a `Some`, the variant)")]
    NotInSamples,
    /// A load that lacks it does not say so.
    #[error(
        "is absent and no report names it (flatten, tag and untagged hide what is missing): write the type without them"
    )]
    NotReported,
    /// The report of every load names it: a name that nothing is written under.
    #[error(
        "is reported as missing from a document that lacks nothing (each `alias` counts as a field of its own): drop the \
         alias; a new name is a new version whose `migrate` moves the value"
    )]
    AlwaysReported,
    /// No save writes it.
    #[error(
        "is never written (`skip_serializing`), so its value is lost with every save and every load reports it as missing: drop \
         the attribute, or write `skip` if it is no part of what is stored"
    )]
    NeverWritten,
    /// Some saves write it.
    #[error(
        "is left out of some documents (`skip_serializing_if`), and a load of those reports it as missing though nothing is: \
         drop the attribute, so that it is always written"
    )]
    SometimesWritten,
    /// Removing the field changes another, or can't be read at all for another reason.
    #[error("without it the sample is not read as itself with that default: {reason}")]
    NotItself {
        /// What is wrong.
        reason: String,
    },
    /// A save of the `Default` is not what was saved, or can't be loaded.
    #[error(
        "its Default is saved and then not read as itself: {reason}; a field that `skip_serializing_if` leaves out needs \
         #[serde(default)] on the struct, and in bincode no field is left out"
    )]
    ColdStart {
        /// What the load said.
        reason: String,
    },
    /// The type can't be described at all.
    #[error("can't be described: {reason}")]
    NotDescribed {
        /// What is wrong and the way out.
        reason: String,
    },
}

fn or_nothing(value: &Option<Value>) -> String {
    value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, version, path, rule } = self;
        match version {
            0 => write!(f, "{kind}: {rule}"),
            _ => write!(f, "{kind} v{version}: `{path}` {rule}"),
        }
    }
}

/// Everything that is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("1 stored shape or file is refused:")?,
            count => write!(f, "{count} stored shapes or files are refused:")?,
        }
        self.0.iter().try_for_each(|refusal| write!(f, "\n  {refusal}"))
    }
}

impl std::error::Error for Refusals {}
