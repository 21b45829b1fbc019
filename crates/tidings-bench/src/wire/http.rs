//! HTTP/1.1 responses (RFC 9112), as far as a SockJS client meets them: a length or chunks, no trailers, keep-alive.

use memchr::memmem;

use super::{MAX_FRAME_BYTES, MAX_HEAD_BYTES, ScanError};

/// Longest line with the size of a chunk: more digits than any size allowed.
const MAX_CHUNK_LINE_BYTES: usize = 18;

/// How long the body of a response is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyLength {
    Chunked,
    Bytes(usize),
}

/// The head of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResponseHead<'a> {
    pub(crate) status: &'a [u8],
    pub(crate) body: BodyLength,
    /// Bytes of the head with its empty line.
    pub(crate) length: usize,
}

impl ResponseHead<'_> {
    /// The status line is one of `code`, or an error that shows it.
    pub(crate) fn check_status(&self, code: &str) -> Result<(), ScanError> {
        if self.status.starts_with(b"HTTP/1.1 ") && self.status[9..].starts_with(code.as_bytes()) {
            return Ok(());
        }
        Err(ScanError::Refused(
            String::from_utf8_lossy(self.status).into_owned(),
        ))
    }
}

/// Reads the head of a response; `None`: it is not all there.
pub(crate) fn parse_response(bytes: &[u8]) -> Result<Option<ResponseHead<'_>>, ScanError> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD_BYTES {
            Err(ScanError::HeadTooLong)
        } else {
            Ok(None)
        };
    };
    let mut lines = header_lines(&bytes[..end]);
    let status = lines.next().unwrap_or_default();
    // A 204 has no body and no length (RFC 9110, section 15.3.5).
    let mut body = status
        .get(9..12)
        .filter(|code| *code == b"204")
        .map(|_| BodyLength::Bytes(0));
    for line in lines {
        if let Some(value) = value_of(line, b"content-length") {
            body = Some(BodyLength::Bytes(parse_length(value)?));
        } else if value_of(line, b"transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"chunked"))
        {
            body = Some(BodyLength::Chunked);
        }
    }
    Ok(Some(ResponseHead {
        status,
        body: body.ok_or(ScanError::Response("neither a length nor chunks"))?,
        length: end + 4,
    }))
}

/// The pairs `name=value` of all `Set-Cookie` headers, as a `Cookie` header wants them.
pub(crate) fn cookies(head: &[u8]) -> String {
    let pairs = header_lines(head)
        .filter_map(|line| value_of(line, b"set-cookie"))
        .filter_map(|value| value.split(|&byte| byte == b';').next())
        .map(String::from_utf8_lossy);
    pairs.collect::<Vec<_>>().join("; ")
}

/// A complete chunk: where its data begins, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Reads a chunk (RFC 9112, section 7.1); `None`: it is not all there. The last one has length 0.
pub(super) fn parse_chunk(bytes: &[u8]) -> Result<Option<Chunk>, ScanError> {
    let line = &bytes[..bytes.len().min(MAX_CHUNK_LINE_BYTES)];
    let Some(end) = memmem::find(line, b"\r\n") else {
        return if line.len() == MAX_CHUNK_LINE_BYTES {
            Err(ScanError::Response("invalid size of a chunk"))
        } else {
            Ok(None)
        };
    };
    let length = parse_hex(&line[..end]).ok_or(ScanError::Response("invalid size of a chunk"))?;
    if length > MAX_FRAME_BYTES {
        return Err(ScanError::FrameTooLong(length as u64));
    }
    let start = end + 2;
    match bytes.get(start + length..start + length + 2) {
        None => Ok(None),
        Some(b"\r\n") => Ok(Some(Chunk { start, length })),
        Some(_) => Err(ScanError::Response("no end of line after a chunk")),
    }
}

fn header_lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = head.split(|&byte| byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// The value of a header line when it has this name.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (found, value) = line.split_at_checked(name.len())?;
    let value = value.strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn parse_length(digits: &[u8]) -> Result<usize, ScanError> {
    let number = std::str::from_utf8(digits).ok();
    match number.and_then(|digits| digits.parse().ok()) {
        Some(length) if length <= MAX_FRAME_BYTES => Ok(length),
        Some(length) => Err(ScanError::FrameTooLong(length as u64)),
        None => Err(ScanError::Response("content-length is no number")),
    }
}

fn parse_hex(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0, |number, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(number << 4 | value as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_the_body_is() {
        for (headers, body) in [
            ("200 OK\r\nTransfer-Encoding: chunked", BodyLength::Chunked),
            ("200 OK\r\nA: b\r\ncontent-length:12", BodyLength::Bytes(12)),
            ("204 No Content", BodyLength::Bytes(0)),
        ] {
            let head = format!("HTTP/1.1 {headers}\r\n\r\n");
            for cut in 0..head.len() {
                assert_eq!(parse_response(&head.as_bytes()[..cut]), Ok(None), "{cut}");
            }
            let read = parse_response(head.as_bytes()).map(|head| head.map(|h| (h.body, h.length)));
            assert_eq!(read, Ok(Some((body, head.len()))), "{headers}");
        }
        let refused = |text: &str| parse_response(text.as_bytes()).map(|_| ());
        assert_eq!(
            refused("HTTP/1.1 200 OK\r\n\r\n"),
            Err(ScanError::Response("neither a length nor chunks"))
        );
        assert_eq!(
            refused("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            Err(ScanError::Response("content-length is no number"))
        );
        assert_eq!(
            refused(&"x".repeat(MAX_HEAD_BYTES + 1)),
            Err(ScanError::HeadTooLong)
        );
    }

    #[test]
    fn a_chunk_is_read_when_it_is_all_there() {
        let bytes = b"1a\r\nabcdefghijklmnopqrstuvwxyz\r\n";
        for cut in 0..bytes.len() {
            assert_eq!(parse_chunk(&bytes[..cut]), Ok(None), "{cut}");
        }
        let (start, length) = (4, 26);
        assert_eq!(parse_chunk(bytes), Ok(Some(Chunk { start, length })));
        let (start, length) = (3, 0);
        assert_eq!(parse_chunk(b"0\r\n\r\n"), Ok(Some(Chunk { start, length })));
        for (bytes, error) in [
            (
                &b"x\r\n"[..],
                ScanError::Response("invalid size of a chunk"),
            ),
            (b"\r\n\r\n", ScanError::Response("invalid size of a chunk")),
            (
                b"00000000000000000000",
                ScanError::Response("invalid size of a chunk"),
            ),
            (
                b"1\r\nabc",
                ScanError::Response("no end of line after a chunk"),
            ),
            (b"1000001\r\n", ScanError::FrameTooLong(0x1_000_001)),
        ] {
            assert_eq!(parse_chunk(bytes), Err(error));
        }
    }

    #[test]
    fn cookies_are_shown_as_they_were_set() {
        let head = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/; HttpOnly\r\nX: y\r\nset-cookie:b=2\r\n\r\n";
        assert_eq!(cookies(head), "a=1; b=2");
        assert_eq!(cookies(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"), "");
    }
}
