//! Why a command failed: one word, an exit status, a message, the way out.

use std::path::Path;

use serde::Serialize;

use crate::human;

/// Exit status: the command failed.
pub(crate) const FAILED: u8 = 1;
/// Exit status: the command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// Exit status: bytes are damaged.
pub(crate) const DAMAGED: u8 = 3;
/// Exit status: no such run, checkpoint or section.
pub(crate) const NOT_FOUND: u8 = 4;
/// Exit status: somebody or something else is in the way.
pub(crate) const CONFLICT: u8 = 5;
/// Exit status: intact, but not for this program.
pub(crate) const UNSUPPORTED: u8 = 6;

/// Why a command failed, as it is told to people and programs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// One word, as in the JSON object.
    pub(crate) code: &'static str,
    /// Exit status.
    pub(crate) status: u8,
    pub(crate) message: String,
    /// The file or directory it is about.
    pub(crate) path: Option<String>,
    /// The way out, if the message does not say it.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, status: u8, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), path: None, hint: None }
    }

    /// The command line is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", USAGE, message)
    }

    /// Something is there that must not be overwritten.
    pub(crate) fn exists(path: &Path, message: impl Into<String>) -> Self {
        Self::new("exists", CONFLICT, message).at(path)
    }

    /// The system failed at a file that is not the store's.
    pub(crate) fn io(action: &str, path: &Path, source: &std::io::Error) -> Self {
        let (code, status) = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ("no_space", FAILED),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                ("permission", FAILED)
            }
            std::io::ErrorKind::NotFound => ("not_found", NOT_FOUND),
            _ => ("io", FAILED),
        };
        Self::new(code, status, format!("{action} {}: {source}", path.display())).at(path)
    }

    pub(crate) fn at(mut self, path: &Path) -> Self {
        self.path = Some(path.display().to_string());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure that an error of a command is. Words around the error stay in front of its message.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let mut around = Vec::new();
        let mut found = None;
        for cause in error.chain() {
            // Messages of these two say what their sources say.
            if let Some(failure) = cause.downcast_ref::<Self>() {
                found = Some(failure.clone());
            } else if let Some(error) = cause.downcast_ref::<ckpt::Error>() {
                found = Some(of_store(error));
            }
            if found.is_some() {
                break;
            }
            around.push(cause.to_string());
        }
        let mut failure = found.unwrap_or_else(|| Self::new("io", FAILED, around.split_off(0).join(": ")));
        if !around.is_empty() {
            around.push(failure.message);
            failure.message = around.join(": ");
        }
        failure
    }

    /// Says it on standard error, as text or as the one JSON object.
    pub(crate) fn tell(&self, as_json: bool) {
        use std::io::Write as _;

        let text = if as_json { self.to_json() } else { self.to_text() };
        // There is nobody left to tell if this fails.
        let _ = writeln!(anstream::stderr(), "{text}");
    }

    fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Object<'a> {
            error: Fields<'a>,
        }
        let Self { code, message, path, hint, .. } = self;
        let error = Fields { code, message, path: path.as_deref(), hint: hint.as_deref() };
        serde_json::to_string(&Object { error }).unwrap_or_else(|error| error.to_string())
    }

    fn to_text(&self) -> String {
        let red = human::BAD;
        let mut text = format!("{red}ckpt:{red:#} {}", human::shown(&self.message));
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n      {}", human::shown(hint)));
        }
        text
    }
}

/// What stands in the object on standard error.
#[derive(Debug, Serialize)]
pub(crate) struct Fields<'a> {
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<&'a str>,
}

/// Exit status of an error of the store, by its one word.
fn status(code: &str) -> u8 {
    match code {
        "damaged" => DAMAGED,
        "run_not_found" | "not_found" => NOT_FOUND,
        "locked" | "fenced" | "conflict" | "pinned" | "last_verified" | "exists" => CONFLICT,
        "unsupported" | "incompatible" => UNSUPPORTED,
        _ => FAILED,
    }
}

fn of_store(error: &ckpt::Error) -> Failure {
    if let ckpt::Error::Source { section, source } = error
        && let Some(inner) = source.get_ref().and_then(|inner| inner.downcast_ref::<ckpt::Error>())
    {
        // A section that is copied from a checkpoint: what is wrong is the checkpoint.
        let inner = of_store(inner);
        let message =
            format!("section {section:?} could not be copied, nothing was saved: {}", inner.message);
        return Failure { message, ..inner };
    }
    let code = error.code();
    let path = match error {
        ckpt::Error::RunNotFound { path, .. } | ckpt::Error::Exists { path, .. } => {
            Some(path.display().to_string())
        }
        ckpt::Error::Damaged { file, .. }
        | ckpt::Error::Unsupported { file, .. }
        | ckpt::Error::Incompatible { file, .. } => Some(file.clone()),
        ckpt::Error::NoSpace { path, .. }
        | ckpt::Error::Permission { path, .. }
        | ckpt::Error::DurabilityUnknown { path, .. }
        | ckpt::Error::Io { path, .. } => Some(path.clone()),
        _ => None,
    };
    Failure {
        code,
        status: status(code),
        message: error.to_string(),
        path,
        hint: hint(code).map(str::to_owned),
    }
}

/// The way out where the message does not say it.
fn hint(code: &str) -> Option<&'static str> {
    Some(match code {
        "run_not_found" => "`ckpt list ROOT` shows the runs beneath a directory; `ckpt save` makes a new one",
        "not_found" => "`ckpt list RUN` shows what there is",
        "damaged" => "`ckpt verify RUN` says which are good; `latest` steps back to the newest of them",
        "fenced" => "a later attempt owns the run: let it go on, or save with its epoch (--epoch)",
        "pinned" => "`ckpt unpin RUN SELECTOR` takes the pin away",
        "no_space" => "free some space, or `ckpt delete` checkpoints that are no longer needed",
        "permission" => "check owner and mode of the run's directory",
        "unsupported" | "incompatible" => {
            "the file is intact and was not touched: read it with the program that wrote it"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_of_the_store_keeps_its_word_whatever_stands_around_it() {
        let error = ckpt::Error::Pinned { sequence: 3 };
        let error = Err::<(), _>(error).context("deleting").unwrap_err();
        let failure = Failure::of(&error);
        assert_eq!((failure.code, failure.status), ("pinned", CONFLICT));
        assert_eq!(failure.message, "deleting: checkpoint 3 is pinned: unpin it first");
    }

    #[test]
    fn the_object_has_only_what_is_known() {
        assert_eq!(Failure::usage("no").to_json(), r#"{"error":{"code":"usage","message":"no"}}"#);
        let failure = Failure::exists(Path::new("a"), "b").hint("c");
        let json = r#"{"error":{"code":"exists","message":"b","path":"a","hint":"c"}}"#;
        assert_eq!(failure.to_json(), json);
    }

    #[test]
    fn text_of_others_cannot_drive_the_terminal() {
        let text = Failure::usage("a\u{1b}[2Jb").to_text();
        assert!(text.contains("a\\u{1b}[2Jb"), "{text}");
    }
}
