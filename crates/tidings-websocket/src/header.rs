//! The head of a frame: written in one place, read in one place (RFC 6455, section 5.2).

use std::ops::Deref;

use crate::{
    error::Error,
    opcode::{Opcode, Role},
};

/// The most bytes that a frame's head takes: 2, an eight-byte length and a mask key.
pub const MAX_HEADER_LEN: usize = 14;

/// The most bytes that a control frame carries.
pub const MAX_CONTROL_LEN: usize = 125;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
const MASKED: u8 = 0x80;

/// The head of a frame as bytes; no heap. Dereferences to them.
#[derive(Clone, Copy, Debug)]
pub struct EncodedHeader {
    bytes: [u8; MAX_HEADER_LEN],
    len: u8,
}

impl Deref for EncodedHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// Encodes the head of a frame with `payload_len` bytes of payload.
///
/// `fin` marks the last fragment, `compressed` (RSV1) the first frame of a compressed message. A client gives a fresh
/// random `mask` key for every frame and masks the payload with it; a server gives `None`.
pub fn encode_header(
    opcode: Opcode,
    fin: bool,
    compressed: bool,
    payload_len: usize,
    mask: Option<[u8; 4]>,
) -> EncodedHeader {
    let mut bytes = [0; MAX_HEADER_LEN];
    bytes[0] = opcode as u8 | if fin { FIN } else { 0 } | if compressed { RSV1 } else { 0 };
    let mut len = 2;
    if payload_len < 126 {
        bytes[1] = payload_len as u8;
    } else if let Ok(short) = u16::try_from(payload_len) {
        bytes[1] = 126;
        bytes[2..4].copy_from_slice(&short.to_be_bytes());
        len = 4;
    } else {
        bytes[1] = 127;
        bytes[2..10].copy_from_slice(&(payload_len as u64).to_be_bytes());
        len = 10;
    }
    if let Some(key) = mask {
        bytes[1] |= MASKED;
        bytes[len..len + 4].copy_from_slice(&key);
        len += 4;
    }
    EncodedHeader {
        bytes,
        len: len as u8,
    }
}

/// How many bytes [`encode_header`] needs for a payload of this size.
pub fn header_len(payload_len: usize, masked: bool) -> usize {
    let length = match payload_len {
        0..=125 => 2,
        126..=0xFFFF => 4,
        _ => 10,
    };
    length + if masked { 4 } else { 0 }
}

/// The head of a frame as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) opcode: Opcode,
    pub(crate) fin: bool,
    pub(crate) compressed: bool,
    /// All zero if the frame is not masked: then unmasking changes nothing.
    pub(crate) mask: [u8; 4],
    pub(crate) payload_len: u64,
}

impl Header {
    /// Reads a head from the beginning of `bytes`, and how many bytes it took. `None` if more bytes are needed; what is
    /// wrong with the first two bytes is told without waiting for them.
    pub(crate) fn parse(bytes: &[u8], role: Role) -> Result<Option<(Self, usize)>, Error> {
        let [first, second, rest @ ..] = bytes else {
            return Ok(None);
        };
        let opcode = check_first_two(*first, *second, role)?;
        let (payload_len, length_len) = match second & !MASKED {
            126 => match rest.first_chunk() {
                Some(length) => (u64::from(u16::from_be_bytes(*length)), 2),
                None => return Ok(None),
            },
            127 => match rest.first_chunk() {
                Some(length) => (u64::from_be_bytes(*length), 8),
                None => return Ok(None),
            },
            short => (u64::from(short), 0),
        };
        let least = [0, 0, 126, 0, 0, 0, 0, 0, 0x1_0000][length_len];
        if payload_len < least || payload_len > i64::MAX as u64 {
            return Err(Error::InvalidLength);
        }
        let mut header_len = 2 + length_len;
        let mut mask = [0; 4];
        if second & MASKED != 0 {
            match rest[length_len..].first_chunk() {
                Some(key) => mask = *key,
                None => return Ok(None),
            }
            header_len += 4;
        }
        let header = Self {
            opcode,
            fin: first & FIN != 0,
            compressed: first & RSV1 != 0,
            mask,
            payload_len,
        };
        Ok(Some((header, header_len)))
    }
}

/// What the first two bytes alone can get wrong.
fn check_first_two(first: u8, second: u8, role: Role) -> Result<Opcode, Error> {
    if first & RSV2_AND_3 != 0 {
        return Err(Error::ReservedBits);
    }
    let opcode = Opcode::from_bits(first & 0x0F).ok_or(Error::ReservedOpcode)?;
    match (role, second & MASKED != 0) {
        (Role::Server, false) => return Err(Error::NotMasked),
        (Role::Client, true) => return Err(Error::Masked),
        _ => {}
    }
    if opcode.is_control() {
        if first & RSV1 != 0 {
            return Err(Error::ReservedBits);
        }
        if first & FIN == 0 {
            return Err(Error::ControlFragmented);
        }
        if usize::from(second & !MASKED) > MAX_CONTROL_LEN {
            return Err(Error::ControlTooLong);
        }
    }
    Ok(opcode)
}
