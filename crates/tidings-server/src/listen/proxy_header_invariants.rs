//! What holds for the parser of PROXY headers, whatever the bytes.

use super::proxy_header::{HeaderError, MAX_HEADER_BYTES, Parsed, parse};

/// Checks all of it.
pub(crate) fn check(bytes: &[u8]) {
    let whole = parse(bytes);
    if let Ok(Parsed::Complete { length, .. }) = whole {
        assert!(length <= MAX_HEADER_BYTES && length <= bytes.len());
        assert_eq!(
            parse(&bytes[..length]),
            whole,
            "what follows is not looked at"
        );
    }
    if let Ok(Parsed::Incomplete) = whole {
        assert!(bytes.len() < MAX_HEADER_BYTES, "it ends or fails in time");
    }
    for cut in 0..bytes.len().min(MAX_HEADER_BYTES) {
        agrees(parse(&bytes[..cut]), cut, whole);
    }
}

/// What was said of the first `cut` bytes is not taken back when more come.
fn agrees(part: Result<Parsed, HeaderError>, cut: usize, whole: Result<Parsed, HeaderError>) {
    match (part, whole) {
        (Ok(Parsed::Incomplete), Ok(Parsed::Complete { length, .. })) => assert!(cut < length),
        (Ok(Parsed::Incomplete), _) => {}
        (decided, _) => assert_eq!(decided, whole, "at {cut}"),
    }
}
