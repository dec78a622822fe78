//! The directory of a run, with placeholders.

use std::path::PathBuf;

use ckpt_format::RunName;

use super::error::{ConfigError, ValueSource};

/// The directory of a phase's run as the configuration states it, checked, with `{market}` still in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    phase: String,
    source: ValueSource,
}

impl PathTemplate {
    pub(super) fn new(text: &str, phase: &str, source: ValueSource) -> Self {
        Self { text: text.to_owned(), phase: phase.to_owned(), source }
    }

    /// The text as it was stated.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether [`expand`](Self::expand) needs a market.
    pub fn needs_market(&self) -> bool {
        self.text.contains("{market}")
    }

    /// The directory for this market. A market that the path does not name is checked all the same.
    ///
    /// # Errors
    /// [`ConfigError::MarketMissing`] if the path needs one; [`ConfigError::Market`] if it does not match
    /// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`: so it is one component of the path, and never `..`.
    pub fn expand(&self, market: Option<&str>) -> Result<PathBuf, ConfigError> {
        let market = market.map(str::parse::<RunName>).transpose().map_err(ConfigError::Market)?;
        let text = self.text.replace("{phase}", &self.phase);
        match market {
            Some(market) => Ok(text.replace("{market}", market.as_str()).into()),
            None if self.needs_market() => Err(ConfigError::MarketMissing {
                template: self.text.clone(),
                source_of: self.source.clone(),
            }),
            None => Ok(text.into()),
        }
    }
}

/// Why a text is no path of a run, if it is none.
pub(super) fn refusal(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some("the path is empty: leave the line out, or name a directory".to_owned());
    }
    if text.contains('\0') {
        return Some("the path has a zero byte".to_owned());
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let tail = &rest[at..];
        let placeholder = tail.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = placeholder.filter(|(name, _)| !name.contains('{')) else {
            return Some(format!(
                "the path {text:?} has a lone brace; placeholders are {{market}} and {{phase}}"
            ));
        };
        if !matches!(name, "market" | "phase") {
            return Some(format!(
                "unknown placeholder {{{name}}} in the path {text:?}; there are {{market}} and {{phase}}"
            ));
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> PathTemplate {
        assert_eq!(refusal(text), None);
        PathTemplate::new(text, "phase1", ValueSource::Default)
    }

    #[test]
    fn placeholders_are_filled_in() {
        let path = template("./models/{phase}/{market}/checkpoints/").expand(Some("NQ")).unwrap();
        assert_eq!(path, PathBuf::from("./models/phase1/NQ/checkpoints/"));
        assert_eq!(template("runs").expand(None).unwrap(), PathBuf::from("runs"));
    }

    #[test]
    fn a_market_is_never_more_than_one_component() {
        for market in ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0", "{phase}", "a b"] {
            let error = template("m/{market}").expand(Some(market)).unwrap_err();
            assert!(matches!(error, ConfigError::Market(_)), "{market:?}: {error}");
            assert!(template("m").expand(Some(market)).is_err(), "{market:?} where it is not needed");
        }
    }

    #[test]
    fn a_missing_market_says_how_to_give_it() {
        let error = template("m/{market}").expand(None).unwrap_err().to_string();
        assert_eq!(
            error,
            "the path \"m/{market}\" (default) has {market} in it: give the market (at the shell `--market NAME`)"
        );
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for (text, part) in [
            ("", "is empty"),
            ("a\0b", "zero byte"),
            ("a/{seed}", "unknown placeholder {seed}"),
            ("a/{market", "lone brace"),
            ("a/market}", "lone brace"),
            ("a/{{market}}", "lone brace"),
            ("a/{}", "unknown placeholder {}"),
        ] {
            assert!(refusal(text).unwrap().contains(part), "{text:?}: {:?}", refusal(text));
        }
    }
}
