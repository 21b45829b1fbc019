//! Escapes in header names and values.

use memchr::memchr;

use crate::version::Version;

/// The text without its escapes; `None` when it has none. An undefined escape is returned as the error.
///
/// 1.1 defines `\n`, `\c` and `\\`, 1.2 also `\r`; all else is fatal (STOMP 1.2, "Value Encoding"). 1.0 has no escapes.
pub(super) fn unescape(text: &str, version: Version) -> Result<Option<String>, String> {
    if version == Version::V1_0 || memchr(b'\\', text.as_bytes()).is_none() {
        return Ok(None);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        plain.push(match after.next() {
            Some('n') => '\n',
            Some('c') => ':',
            Some('\\') => '\\',
            Some('r') if version >= Version::V1_2 => '\r',
            Some(other) => return Err(format!("\\{}", other.escape_debug())),
            None => return Err("\\".to_owned()),
        });
        rest = after.as_str();
    }
    plain.push_str(rest);
    Ok(Some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_undoes_its_own_escapes() {
        for (text, v1_1, v1_2) in [
            ("plain", Ok(None), Ok(None)),
            (r"a\nb\cc\\d", Ok(Some("a\nb:c\\d")), Ok(Some("a\nb:c\\d"))),
            (r"\\n", Ok(Some("\\n")), Ok(Some("\\n"))),
            (r"a\r", Err("\\r"), Ok(Some("a\r"))),
            (r"a\tb", Err("\\t"), Err("\\t")),
            (r"a\é", Err("\\é"), Err("\\é")),
            ("a\\", Err("\\"), Err("\\")),
        ] {
            for (version, expected) in [
                (Version::V1_0, Ok(None)),
                (Version::V1_1, v1_1),
                (Version::V1_2, v1_2),
            ] {
                let expected = expected
                    .map(|text| text.map(str::to_owned))
                    .map_err(str::to_owned);
                assert_eq!(unescape(text, version), expected, "{text:?} in {version}");
            }
        }
    }
}
