//! What a client writes.

use super::KEY;
use super::websocket::{Opcode, apply_mask, write_header};

/// The request that opens a WebSocket (RFC 6455, section 4.1) and offers STOMP 1.2.
pub(crate) fn upgrade_request(host: &str, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n"
    )
}

/// Puts STOMP frames on the wire of one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    /// Absent: plain TCP. One mask per connection: RFC 6455 wants it unpredictable for the sake of proxies, of which
    /// there are none between a generator and its server; the server's work is the same.
    mask: Option<[u8; 4]>,
}

impl Writer {
    /// For connection number `number`.
    pub(crate) fn new(websocket: bool, number: u32) -> Self {
        let mask = number.wrapping_mul(0x9E37_79B1) | 0x0101_0101;
        Self {
            mask: websocket.then(|| mask.to_be_bytes()),
        }
    }

    /// Appends one STOMP frame, or a heart-beat, given in parts.
    pub(crate) fn frame(&self, out: &mut Vec<u8>, parts: &[&[u8]]) {
        self.write(out, Opcode::Text, parts);
    }

    /// Appends the answer to a ping.
    pub(crate) fn pong(&self, out: &mut Vec<u8>, payload: &[u8]) {
        self.write(out, Opcode::Pong, &[payload]);
    }

    fn write(&self, out: &mut Vec<u8>, opcode: Opcode, parts: &[&[u8]]) {
        if self.mask.is_some() {
            let length = parts.iter().map(|part| part.len()).sum();
            write_header(out, opcode, length, self.mask);
        }
        let start = out.len();
        for part in parts {
            out.extend_from_slice(part);
        }
        if let Some(mask) = self.mask {
            apply_mask(&mut out[start..], mask);
        }
    }
}
