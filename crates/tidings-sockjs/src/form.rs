//! Forms in their urlencoded shape: queries, and bodies of `jsonp_send`. By hand rather than by a crate, since the crates
//! replace bytes that are no UTF-8, and such a message must be refused.

/// The value of the first field of that name, decoded.
pub(crate) fn field(form: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    form.split(|&byte| byte == b'&').find_map(|pair| {
        let end = pair.iter().position(|&byte| byte == b'=');
        let (key, value) = pair.split_at(end.unwrap_or(pair.len()));
        (decode(key) == name).then(|| decode(value.get(1..).unwrap_or_default()))
    })
}

/// `+` is a space, `%41` is `A`; a `%` without two digits stands for itself.
fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&byte, behind)) = rest.split_first() {
        let (byte, behind) = match (byte, behind) {
            (b'+', _) => (b' ', behind),
            (b'%', &[high, low, ref behind @ ..]) => match (hex_value(high), hex_value(low)) {
                (Some(high), Some(low)) => (high << 4 | low, behind),
                _ => (byte, &rest[1..]),
            },
            _ => (byte, behind),
        };
        decoded.push(byte);
        rest = behind;
    }
    decoded
}

fn hex_value(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_and_decoded() {
        let form = b"a=1&%64=%5B%22x+y%22%5D&d=second&e";
        assert_eq!(field(form, b"d").as_deref(), Some(&b"[\"x y\"]"[..]));
        assert_eq!(field(form, b"e").as_deref(), Some(&b""[..]));
        assert_eq!(field(form, b"f"), None);
        assert_eq!(field(b"", b"d"), None);
    }

    #[test]
    fn what_is_no_escape_stands_for_itself() {
        for (encoded, decoded) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%4g1", "%4g1"),
            ("%%41", "%A"),
            ("%c3%A4", "ä"),
        ] {
            assert_eq!(decode(encoded.as_bytes()), decoded.as_bytes(), "{encoded}");
        }
    }
}
