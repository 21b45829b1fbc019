//! WebSocket frame headers and masks (RFC 6455, section 5).

use super::{MAX_FRAME_BYTES, ScanError};

/// What a frame carries (RFC 6455, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame header; the payload is `bytes[start..start + length]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    pub(super) mask: Option<[u8; 4]>,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// Reads the header that `bytes` begins with; `None`: more bytes are needed.
pub(super) fn parse_header(bytes: &[u8]) -> Result<Option<Header>, ScanError> {
    let &[first, second, ..] = bytes else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(ScanError::WebSocketHeader("reserved bits"));
    }
    let opcode =
        Opcode::from_bits(first & 0x0F).ok_or(ScanError::WebSocketHeader("unknown opcode"))?;
    let fin = first & 0x80 != 0;
    let short = second & 0x7F;
    if opcode.is_control() && (!fin || short > 125) {
        return Err(ScanError::WebSocketHeader(
            "long or fragmented control frame",
        ));
    }
    let Some((length, mask_at)) = parse_length(short, bytes)? else {
        return Ok(None);
    };
    let masked = second & 0x80 != 0;
    let start = mask_at + if masked { 4 } else { 0 };
    if bytes.len() < start {
        return Ok(None);
    }
    let mask = masked.then(|| [0, 1, 2, 3].map(|at| bytes[mask_at + at]));
    Ok(Some(Header {
        fin,
        opcode,
        mask,
        start,
        length,
    }))
}

/// The payload length and where it ends.
fn parse_length(short: u8, bytes: &[u8]) -> Result<Option<(usize, usize)>, ScanError> {
    let (length, end, least) = match (short, bytes) {
        (0..=125, _) => (u64::from(short), 2, 0),
        (126, &[_, _, a, b, ..]) => (u64::from(u16::from_be_bytes([a, b])), 4, 126),
        (127, &[_, _, a, b, c, d, e, f, g, h, ..]) => {
            (u64::from_be_bytes([a, b, c, d, e, f, g, h]), 10, 65_536)
        }
        _ => return Ok(None),
    };
    if length < least {
        return Err(ScanError::WebSocketHeader("length not minimal"));
    }
    match usize::try_from(length) {
        Ok(length) if length <= MAX_FRAME_BYTES => Ok(Some((length, end))),
        _ => Err(ScanError::FrameTooLong(length)),
    }
}

/// Appends the header of an unfragmented frame.
pub(crate) fn write_header(
    out: &mut Vec<u8>,
    opcode: Opcode,
    length: usize,
    mask: Option<[u8; 4]>,
) {
    out.push(0x80 | opcode.bits());
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match length {
        0..=125 => out.push(masked | length as u8),
        126..=65_535 => {
            out.push(masked | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if let Some(mask) = mask {
        out.extend_from_slice(&mask);
    }
}

/// Masks or unmasks (RFC 6455, section 5.3).
pub(super) fn apply_mask(bytes: &mut [u8], mask: [u8; 4]) {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_header_reads_back_at_every_length_form() {
        for length in [0, 125, 126, 65_535, 65_536, MAX_FRAME_BYTES] {
            for mask in [None, Some([1, 2, 3, 4])] {
                let mut bytes = Vec::new();
                write_header(&mut bytes, Opcode::Text, length, mask);
                let header = Header {
                    fin: true,
                    opcode: Opcode::Text,
                    mask,
                    start: bytes.len(),
                    length,
                };
                assert_eq!(parse_header(&bytes), Ok(Some(header)));
                for cut in 0..bytes.len() {
                    assert_eq!(
                        parse_header(&bytes[..cut]),
                        Ok(None),
                        "{length} cut at {cut}"
                    );
                }
            }
        }
    }

    #[test]
    fn refuses_invalid_headers() {
        let invalid: [&[u8]; 6] = [
            &[0xC1, 0x00],
            &[0x83, 0x00],
            &[0x09, 0x00],
            &[0x89, 126, 0, 200],
            &[0x81, 126, 0, 125],
            &[0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
        ];
        for bytes in invalid {
            assert!(
                matches!(parse_header(bytes), Err(ScanError::WebSocketHeader(_))),
                "{bytes:?}"
            );
        }
        let long = [0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(parse_header(&long), Err(ScanError::FrameTooLong(1 << 32)));
    }
}
