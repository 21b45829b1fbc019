//! One STOMP 1.2 frame in a slice of bytes.

use memchr::memchr;

use super::{MAX_FRAME_BYTES, MAX_HEAD_BYTES, ScanError};

/// A complete frame that borrows the read buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) command: &'a [u8],
    /// The header lines, each with its end of line.
    headers: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The value of the first header of that name; later ones count for nothing (STOMP 1.2, "Repeated Header
    /// Entries").
    pub(crate) fn header(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.headers;
        while let Some((line, after)) = split_line(rest) {
            rest = after;
            if line.len() > name.len() && line[name.len()] == b':' && line.starts_with(name) {
                return Some(&line[name.len() + 1..]);
            }
        }
        None
    }
}

/// What a slice begins with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan<'a> {
    /// An end of line between frames: a heart-beat, or what may follow a NUL.
    EndOfLine,
    /// A frame, and how many bytes it takes with its NUL.
    Frame(Frame<'a>, usize),
    /// More bytes are needed.
    Incomplete,
}

/// Reads what `bytes` begins with.
pub(crate) fn scan(bytes: &[u8]) -> Result<Scan<'_>, ScanError> {
    match bytes.first() {
        None => return Ok(Scan::Incomplete),
        Some(b'\n' | b'\r') => return Ok(Scan::EndOfLine),
        Some(_) => {}
    }
    let Some(head) = scan_head(bytes)? else {
        return if bytes.len() > MAX_HEAD_BYTES {
            Err(ScanError::HeadTooLong)
        } else {
            Ok(Scan::Incomplete)
        };
    };
    let rest = &bytes[head.length..];
    let end = match head.content_length {
        Some(length) if rest.len() <= length => return Ok(Scan::Incomplete),
        Some(length) if rest[length] != 0 => {
            return Err(ScanError::Body("no NUL after content-length"));
        }
        Some(length) => length,
        None => match memchr(0, rest) {
            Some(end) => end,
            None if rest.len() > MAX_FRAME_BYTES => {
                return Err(ScanError::FrameTooLong(rest.len() as u64));
            }
            None => return Ok(Scan::Incomplete),
        },
    };
    let frame = Frame {
        command: head.command,
        headers: head.headers,
        body: &rest[..end],
    };
    Ok(Scan::Frame(frame, head.length + end + 1))
}

struct Head<'a> {
    command: &'a [u8],
    headers: &'a [u8],
    content_length: Option<usize>,
    /// Bytes up to the body.
    length: usize,
}

fn scan_head(bytes: &[u8]) -> Result<Option<Head<'_>>, ScanError> {
    let Some((command, after_command)) = split_line(bytes) else {
        return Ok(None);
    };
    if command.is_empty() || !command.iter().all(u8::is_ascii_uppercase) {
        return Err(ScanError::Command);
    }
    let mut content_length = None;
    let mut rest = after_command;
    loop {
        let Some((line, after)) = split_line(rest) else {
            return Ok(None);
        };
        if line.is_empty() {
            let headers = &after_command[..after_command.len() - rest.len()];
            let length = bytes.len() - after.len();
            return Ok(Some(Head {
                command,
                headers,
                content_length,
                length,
            }));
        }
        let colon = memchr(b':', line).ok_or(ScanError::Header)?;
        if &line[..colon] == b"content-length" && content_length.is_none() {
            content_length = Some(parse_length(&line[colon + 1..])?);
        }
        rest = after;
    }
}

fn parse_length(digits: &[u8]) -> Result<usize, ScanError> {
    let length = parse_number(digits).ok_or(ScanError::Body("content-length is no number"))?;
    match usize::try_from(length) {
        Ok(length) if length <= MAX_FRAME_BYTES => Ok(length),
        _ => Err(ScanError::FrameTooLong(length)),
    }
}

/// A decimal number of 1 to 18 digits.
fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

/// The first line without its LF or CR LF, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b'\n', bytes)?;
    let line = &bytes[..end];
    Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_frame_by_content_length_and_by_nul() {
        let bytes =
            b"MESSAGE\nsubscription:0\ncontent-length:3\n\na\0b\0RECEIPT\r\nreceipt-id:7\r\n\r\n\0";
        let Ok(Scan::Frame(frame, used)) = scan(bytes) else {
            panic!("no frame");
        };
        assert_eq!(frame.command, b"MESSAGE");
        assert_eq!(frame.header(b"subscription"), Some(&b"0"[..]));
        assert_eq!(frame.header(b"sub"), None);
        assert_eq!(frame.body, b"a\0b");
        let Ok(Scan::Frame(frame, rest)) = scan(&bytes[used..]) else {
            panic!("no frame");
        };
        assert_eq!(frame.header(b"receipt-id"), Some(&b"7"[..]));
        assert_eq!(frame.body, b"");
        assert_eq!(used + rest, bytes.len());
    }

    #[test]
    fn every_prefix_is_incomplete() {
        let bytes = b"MESSAGE\r\na:b:c\ncontent-length:5\n\nhello\0";
        for length in 0..bytes.len() {
            assert_eq!(scan(&bytes[..length]), Ok(Scan::Incomplete), "{length}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_count() {
        assert_eq!(scan(b"message\n\n\0"), Err(ScanError::Command));
        assert_eq!(scan(b"MESSAGE\nno colon\n\n\0"), Err(ScanError::Header));
        assert_eq!(
            scan(b"MESSAGE\ncontent-length:1\n\nab\0"),
            Err(ScanError::Body("no NUL after content-length"))
        );
        assert_eq!(
            scan(b"MESSAGE\ncontent-length:-1\n\n\0"),
            Err(ScanError::Body("content-length is no number"))
        );
        assert_eq!(
            scan(b"MESSAGE\ncontent-length:99999999999\n\n\0"),
            Err(ScanError::FrameTooLong(99_999_999_999))
        );
        assert_eq!(
            scan(&vec![b'A'; MAX_HEAD_BYTES + 1]),
            Err(ScanError::HeadTooLong)
        );
    }

    #[test]
    fn the_first_of_two_equal_headers_counts() {
        let Ok(Scan::Frame(frame, _)) = scan(b"RECEIPT\na:1\na:2\n\n\0") else {
            panic!("no frame");
        };
        assert_eq!(frame.header(b"a"), Some(&b"1"[..]));
    }
}
