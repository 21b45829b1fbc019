//! SockJS frames: `o`, `h`, `a["...",...]` and `c[code,"reason"]`.
//!
//! No JSON parser: a message is unescaped where it stands, run by run, and its STOMP frame is read from there. Only
//! escapes of ASCII are known, for the generator's own text has no other letters.

use memchr::memchr2;

use super::stream::Stream;
use super::{Event, ScanError};

/// Bytes of `h` before the first frame of a streaming response, without the end of line.
pub(super) const PRELUDE_BYTES: usize = 2048;

/// Reads one frame, without its end of line.
pub(super) fn take_frame(
    frame: &mut [u8],
    stream: &mut Stream,
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<(), ScanError> {
    match frame {
        [b'o'] => on_event(Event::Opened),
        [b'h'] => on_event(Event::HeartBeat),
        [b'a', array @ ..] => {
            read_strings(array, &mut |message| stream.take(message, on_event))?;
        }
        [b'c', reason @ ..] => on_event(Event::Close(close_code(reason))),
        _ => return Err(ScanError::SockJs("none of o, h, a, c")),
    }
    Ok(())
}

/// Hands out each string of an array, unescaped.
fn read_strings(
    array: &mut [u8],
    on_string: &mut impl FnMut(&[u8]) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
    const NO_ARRAY: ScanError = ScanError::SockJs("no array of strings");
    if array == b"[]" {
        return Ok(());
    }
    if array.first() != Some(&b'[') {
        return Err(NO_ARRAY);
    }
    let mut at = 1;
    loop {
        if array.get(at) != Some(&b'"') {
            return Err(NO_ARRAY);
        }
        let string = &mut array[at + 1..];
        let (length, used) = unescape(string)?;
        on_string(&string[..length])?;
        at += 1 + used;
        match array.get(at) {
            Some(b',') => at += 1,
            Some(b']') if at + 1 == array.len() => return Ok(()),
            _ => return Err(NO_ARRAY),
        }
    }
}

/// Unescapes a string to the front of `bytes`: its length, and how many bytes it took with the quote that ends it.
fn unescape(bytes: &mut [u8]) -> Result<(usize, usize), ScanError> {
    let (mut read, mut written) = (0, 0);
    loop {
        let run = memchr2(b'"', b'\\', &bytes[read..])
            .ok_or(ScanError::SockJs("a string without an end"))?;
        if read != written {
            bytes.copy_within(read..read + run, written);
        }
        read += run;
        written += run;
        if bytes[read] == b'"' {
            return Ok((written, read + 1));
        }
        let (byte, used) =
            read_escape(&bytes[read + 1..]).ok_or(ScanError::SockJs("unknown escape"))?;
        bytes[written] = byte;
        written += 1;
        read += 1 + used;
    }
}

/// The byte that an escape stands for, and its length without the backslash.
fn read_escape(bytes: &[u8]) -> Option<(u8, usize)> {
    let byte = match bytes.first()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        &plain @ (b'"' | b'\\' | b'/') => plain,
        b'u' => {
            let &[b'0', b'0', high, low] = bytes.get(1..5)? else {
                return None;
            };
            let digit = |letter: u8| char::from(letter).to_digit(16);
            let code = digit(high)? << 4 | digit(low)?;
            return u8::try_from(code)
                .ok()
                .filter(u8::is_ascii)
                .map(|byte| (byte, 5));
        }
        _ => return None,
    };
    Some((byte, 1))
}

fn close_code(reason: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(reason.strip_prefix(b"[")?).ok()?;
    text.split_once(',')?.0.parse().ok()
}

/// Appends a string of JSON with quotes, given in parts.
pub(super) fn write_string(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.push(b'"');
    for &byte in parts.iter().copied().flatten() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(array: &[u8]) -> Result<Vec<Vec<u8>>, ScanError> {
        let mut found = Vec::new();
        read_strings(&mut array.to_vec(), &mut |string| {
            found.push(string.to_vec());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn what_is_written_reads_back() {
        let every_byte: Vec<u8> = (0..128).collect();
        let mut array = b"[".to_vec();
        write_string(&mut array, &[&every_byte, b"more"]);
        array.push(b',');
        write_string(&mut array, &[]);
        array.push(b']');
        let parsed: Vec<String> = serde_json::from_slice(&array).expect("it is JSON");
        let expected = vec![[&every_byte[..], b"more"].concat(), Vec::new()];
        assert_eq!(strings(&array), Ok(expected.clone()));
        let parsed: Vec<Vec<u8>> = parsed.into_iter().map(String::into_bytes).collect();
        assert_eq!(parsed, expected);
    }

    #[test]
    fn every_escape_of_ascii_is_known_and_no_other() {
        let array = br#"["\"\\\/\b\f\n\r\t\u0000\u007F\u002f"]"#;
        assert_eq!(
            strings(array),
            Ok(vec![b"\"\\/\x08\x0c\n\r\t\0\x7f/".to_vec()])
        );
        for escape in [r"\u0080", r"\u2028", r"\x", r"\u00", r"\u00g0"] {
            let array = format!("[\"{escape}\"]");
            assert_eq!(
                strings(array.as_bytes()),
                Err(ScanError::SockJs("unknown escape")),
                "{escape}"
            );
        }
    }

    #[test]
    fn every_cut_array_is_refused() {
        let array = br#"["a\n","b\u0000c"]"#;
        assert_eq!(strings(array).map(|found| found.len()), Ok(2));
        assert_eq!(strings(b"[]"), Ok(Vec::new()));
        for cut in 0..array.len() {
            assert!(strings(&array[..cut]).is_err(), "{cut}");
        }
        assert!(strings(b"[\"a\"] ").is_err());
        assert!(strings(b"[\"a\" ,\"b\"]").is_err());
    }

    #[test]
    fn a_close_frame_has_a_code() {
        assert_eq!(close_code(b"[3000,\"Go away!\"]"), Some(3000));
        assert_eq!(close_code(b"[x,\"\"]"), None);
    }
}
