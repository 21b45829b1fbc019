//! Whole frames out. A server's frame is the same for every connection: encode it once and share the [`Bytes`].

use bytes::Bytes;

use crate::{
    close::CloseCode,
    header::{MAX_CONTROL_LEN, encode_header, header_len},
    mask,
    opcode::{MessageKind, Opcode},
};

/// Appends a frame to `out`: its head and its payload, masked if there is a key.
///
/// See [`encode_header`] for `fin`, `compressed` and `mask_key`; use that alone to send a payload that is not copied.
pub fn write_frame(
    out: &mut Vec<u8>,
    opcode: Opcode,
    fin: bool,
    compressed: bool,
    payload: &[u8],
    mask_key: Option<[u8; 4]>,
) {
    out.reserve(header_len(payload.len(), mask_key.is_some()) + payload.len());
    out.extend_from_slice(&encode_header(
        opcode,
        fin,
        compressed,
        payload.len(),
        mask_key,
    ));
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = mask_key {
        mask::apply(key, &mut out[start..]);
    }
}

/// A message in one frame, not compressed.
pub fn message_frame(kind: MessageKind, payload: &[u8], mask_key: Option<[u8; 4]>) -> Bytes {
    frame(kind.into(), payload, mask_key)
}

/// A ping. Of `payload` at most 125 bytes are sent.
pub fn ping_frame(payload: &[u8], mask_key: Option<[u8; 4]>) -> Bytes {
    frame(Opcode::Ping, control_payload(payload), mask_key)
}

/// A pong; to answer a ping, give its payload. Of `payload` at most 125 bytes are sent.
pub fn pong_frame(payload: &[u8], mask_key: Option<[u8; 4]>) -> Bytes {
    frame(Opcode::Pong, control_payload(payload), mask_key)
}

/// A close frame, with [`close_payload`] inside.
pub fn close_frame(code: Option<CloseCode>, reason: &str, mask_key: Option<[u8; 4]>) -> Bytes {
    frame(Opcode::Close, &close_payload(code, reason), mask_key)
}

/// The payload of a close frame (RFC 6455, section 5.5.1).
///
/// It is empty without a code, and with one that is [not allowed on the wire](CloseCode::is_allowed_on_wire). A reason
/// over 123 bytes is cut between two characters.
pub fn close_payload(code: Option<CloseCode>, reason: &str) -> Vec<u8> {
    let Some(code) = code.filter(|code| code.is_allowed_on_wire()) else {
        return Vec::new();
    };
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL_LEN - 2)];
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.0.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    payload
}

fn frame(opcode: Opcode, payload: &[u8], mask_key: Option<[u8; 4]>) -> Bytes {
    let mut out = Vec::new();
    write_frame(&mut out, opcode, true, false, payload, mask_key);
    out.into()
}

fn control_payload(payload: &[u8]) -> &[u8] {
    &payload[..payload.len().min(MAX_CONTROL_LEN)]
}
