//! The header of the PROXY protocol, versions 1 and 2: which client a proxy connects for
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).
//!
//! Knows bytes only. What stands behind the header is the client's, so nobody may read it while the header is read:
//! [`Parsed::Incomplete`] promises that all bytes so far belong to the header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest header of either version. One of version 1 has at most 107 bytes; one of version 2 has room for TLVs, in which
/// some load balancers send names and certificates.
pub(crate) const MAX_HEADER_BYTES: usize = 4_096;

/// Longest line of version 1, its end included (section 2.1).
const MAX_LINE_BYTES: usize = 107;

const LINE_START: &[u8] = b"PROXY ";

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Signature, version and command, family, length (section 2.2).
const BINARY_HEAD_BYTES: usize = 16;

/// How far a header is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// All bytes belong to the header, and more do.
    Incomplete,
    /// The first `length` bytes are the header.
    Complete {
        /// Bytes of the header.
        length: usize,
        /// The client, where the proxy names one: else the connection is the proxy's own (`LOCAL`), or of a kind that has
        /// no IP address (`UNKNOWN`, `UNSPEC`, `UNIX`).
        client: Option<SocketAddr>,
    },
}

/// Why bytes are no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum HeaderError {
    /// They begin otherwise.
    #[error(
        "the first bytes are no PROXY header; let the proxy send one, or turn proxy_protocol off"
    )]
    NoHeader,
    /// It announces too much, or never ends.
    #[error(
        "the PROXY header is longer than {MAX_HEADER_BYTES} bytes, or its line longer than {MAX_LINE_BYTES}"
    )]
    TooLong,
    /// A part of it makes no sense.
    #[error("the PROXY header is not well-formed: {0}")]
    Malformed(&'static str),
}

/// Looks for a header at the start of what a connection has brought.
///
/// # Errors
/// The bytes are no header, however they go on.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    if begins_alike(bytes, SIGNATURE) {
        parse_binary(bytes)
    } else if begins_alike(bytes, LINE_START) {
        parse_line(bytes)
    } else {
        Err(HeaderError::NoHeader)
    }
}

/// Whether `bytes` begin with `start`, as far as there are any.
fn begins_alike(bytes: &[u8], start: &[u8]) -> bool {
    let length = bytes.len().min(start.len());
    bytes[..length] == start[..length]
}

fn parse_line(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    let window = &bytes[..bytes.len().min(MAX_LINE_BYTES)];
    let Some(end) = window.iter().position(|byte| *byte == b'\n') else {
        return match window.len() {
            MAX_LINE_BYTES => Err(HeaderError::TooLong),
            _ => Ok(Parsed::Incomplete),
        };
    };
    let line = window[..end]
        .strip_suffix(b"\r")
        .ok_or(HeaderError::Malformed(
            "its line ends without a carriage return",
        ))?;
    let line = line
        .get(LINE_START.len()..)
        .and_then(|line| std::str::from_utf8(line).ok());
    let line = line.ok_or(HeaderError::Malformed("its line is no text"))?;
    Ok(Parsed::Complete {
        length: end + 1,
        client: client_of_line(line)?,
    })
}

fn client_of_line(line: &str) -> Result<Option<SocketAddr>, HeaderError> {
    let mut words = line.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(None);
    }
    let [source, destination] =
        [(); 2].map(|()| words.next().and_then(|word| word.parse::<IpAddr>().ok()));
    let [source_port, destination_port] = [(); 2].map(|()| words.next().and_then(port));
    let (Some(source), Some(destination), Some(port), Some(_), None) = (
        source,
        destination,
        source_port,
        destination_port,
        words.next(),
    ) else {
        return Err(HeaderError::Malformed(
            "its line is not two addresses and two ports",
        ));
    };
    match family {
        Some("TCP4") if source.is_ipv4() && destination.is_ipv4() => {}
        Some("TCP6") if source.is_ipv6() && destination.is_ipv6() => {}
        _ => {
            return Err(HeaderError::Malformed(
                "its addresses are not of the family that it names",
            ));
        }
    }
    Ok(Some(SocketAddr::new(source, port)))
}

/// Digits only, without zeros before them.
fn port(word: &str) -> Option<u16> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    let is_shortest = word == "0" || !word.starts_with('0');
    (is_plain && is_shortest).then(|| word.parse().ok())?
}

fn parse_binary(bytes: &[u8]) -> Result<Parsed, HeaderError> {
    // What is wrong is said as soon as it is seen, so that nothing is waited for in vain.
    let is_local = match bytes.get(12) {
        None => return Ok(Parsed::Incomplete),
        Some(0x20) => true,
        Some(0x21) => false,
        Some(_) => {
            return Err(HeaderError::Malformed(
                "its version or its command is unknown",
            ));
        }
    };
    let Some(&[family, high, low]) = bytes.get(13..BINARY_HEAD_BYTES) else {
        return Ok(Parsed::Incomplete);
    };
    let length = BINARY_HEAD_BYTES + usize::from(u16::from_be_bytes([high, low]));
    if length > MAX_HEADER_BYTES {
        return Err(HeaderError::TooLong);
    }
    let Some(block) = bytes.get(BINARY_HEAD_BYTES..length) else {
        return Ok(Parsed::Incomplete);
    };
    let client = if is_local {
        None
    } else {
        client_of_block(family, block)?
    };
    Ok(Parsed::Complete { length, client })
}

/// The addresses of version 2; TLVs may follow them.
fn client_of_block(family: u8, block: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    const SHORT: HeaderError = HeaderError::Malformed("it is shorter than its addresses");
    let client = match family {
        0x11 | 0x12 => {
            let block: &[u8; 12] = block.first_chunk().ok_or(SHORT)?;
            let &[a, b, c, d, .., high, low, _, _] = block;
            (IpAddr::from(Ipv4Addr::new(a, b, c, d)), [high, low])
        }
        0x21 | 0x22 => {
            let block: &[u8; 36] = block.first_chunk().ok_or(SHORT)?;
            let source: &[u8; 16] = block.first_chunk().ok_or(SHORT)?;
            (
                IpAddr::from(Ipv6Addr::from(*source)),
                [block[32], block[33]],
            )
        }
        0x31 | 0x32 if block.len() < 216 => return Err(SHORT),
        // Any transport goes with an unspecified family, and any family with an unspecified transport.
        0x00..=0x02 | 0x10 | 0x20 | 0x30..=0x32 => return Ok(None),
        _ => {
            return Err(HeaderError::Malformed(
                "its family or its transport is unknown",
            ));
        }
    };
    let (address, port) = client;
    Ok(Some(SocketAddr::new(address, u16::from_be_bytes(port))))
}
