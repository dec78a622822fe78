//! Free text in names: every byte outside `[A-Za-z0-9.-]` is `%XX`.

use std::borrow::Cow;

/// Writes a text so that it can stand between two `_`, and be read back.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_plain(byte) {
            escaped.push(char::from(byte));
        } else {
            push_escaped(&mut escaped, byte);
        }
    }
    Cow::Owned(escaped)
}

/// Writes a text with every byte escaped: for one that would otherwise be read as something else.
pub(super) fn escape_whole(text: &str) -> String {
    let mut escaped = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        push_escaped(&mut escaped, byte);
    }
    escaped
}

/// Reads what [`escape`] or [`escape_whole`] wrote. Other characters stand for themselves, since other
/// systems escape nothing. `None` if a `%` has no two hex digits after it, or the bytes are not UTF-8.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            bytes.push(16 * hex_value(rest.next()?)? + hex_value(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')
}

fn push_escaped(escaped: &mut String, byte: u8) {
    escaped.push('%');
    for half in [byte >> 4, byte & 15] {
        escaped.push(char::from(if half < 10 { b'0' + half } else { b'A' + half - 10 }));
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_stays_and_the_rest_is_escaped() {
        assert_eq!(escape("BRK.B-2"), "BRK.B-2");
        assert_eq!(escape("BTC/USD"), "BTC%2FUSD");
        assert_eq!(escape("a_b~c%d+e f"), "a%5Fb%7Ec%25d%2Be%20f");
        assert_eq!(escape("é\0"), "%C3%A9%00");
        assert_eq!(escape_whole("na"), "%6E%61");
    }

    #[test]
    fn a_broken_escape_is_refused() {
        for text in ["%", "%4", "%4G", "a%", "%%41", "%FF", "%é"] {
            assert_eq!(unescape(text), None, "{text}");
        }
        assert_eq!(unescape("%2f%2F").as_deref(), Some("//"));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            for escaped in [escape(&text).into_owned(), escape_whole(&text)] {
                prop_assert!(escaped.bytes().all(|byte| is_plain(byte) || byte == b'%'));
                prop_assert_eq!(unescape(&escaped), Some(text.clone()));
            }
        }
    }
}
