//! Text in HTTP headers: what could be mistaken there is written as `%XX`.

use std::fmt::Write as _;

/// Writes `text` into `out`, each byte for which `plain` does not hold as `%XX`.
pub(super) fn encode(out: &mut String, text: &str, plain: impl Fn(u8) -> bool) {
    for byte in text.bytes() {
        if byte.is_ascii() && plain(byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// A header value: visible ASCII except `%` stays.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode(&mut out, text, |byte| {
        byte.is_ascii_graphic() && byte != b'%'
    });
    out
}

/// What [`encoded`] has made of a text; none where it is no such thing.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

/// One `name=value` of a list like that of an HTML form.
pub(super) fn push_pair(out: &mut String, name: &str, value: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !out.is_empty() {
        out.push('&');
    }
    encode(out, name, plain);
    out.push('=');
    encode(out, value, plain);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_and_is_a_header_value(text in any::<String>()) {
            let there = encoded(&text);
            prop_assert!(there.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(decoded(&there), Some(text));
        }
    }

    #[test]
    fn what_nobody_encodes_so_is_no_text() {
        for text in ["%", "%4", "%zz", "%FF"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn pairs_are_those_of_a_form() {
        let mut out = String::new();
        push_pair(&mut out, "a", "1 & 2");
        push_pair(&mut out, "b=c", "\r\n");
        assert_eq!(out, "a=1%20%26%202&b%3Dc=%0D%0A");
    }
}
