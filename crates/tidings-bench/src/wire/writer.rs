//! What a client writes.

use super::KEY;
use super::sockjs::write_string;
use super::websocket::{Opcode, apply_mask, write_header};

/// What a browser tells about itself in each request; servers read it and hold it, so it belongs to the load.
const ABOUT_US: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                        Chrome/140.0.0.0 Safari/537.36\r\nAccept: */*\r\nAccept-Language: en-GB,en;q=0.9\r\n";

/// The request that opens a WebSocket (RFC 6455, section 4.1); with `stomp` it offers STOMP 1.2, which SockJS does not.
pub(crate) fn upgrade_request(host: &str, path: &str, stomp: bool) -> String {
    let offer = if stomp {
        "Sec-WebSocket-Protocol: v12.stomp\r\n"
    } else {
        ""
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n"
    )
}

/// The head of a POST with a body of `length` bytes.
pub(crate) fn post_request(host: &str, path: &str, cookies: &str, length: usize) -> String {
    let cookies = if cookies.is_empty() {
        String::new()
    } else {
        format!("Cookie: {cookies}\r\n")
    };
    let content = if length == 0 {
        ""
    } else {
        "Content-Type: text/plain;charset=UTF-8\r\n"
    };
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\
         {ABOUT_US}{content}{cookies}\r\n"
    )
}

/// Puts STOMP frames on the wire of one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Writer {
    /// Plain TCP.
    Stream,
    /// A WebSocket message for each frame.
    WebSocket(Mask),
    /// A WebSocket message with an array of one string.
    SockJsWebSocket(Mask),
    /// An array of strings that is not closed yet, for the body of `xhr_send`.
    SockJsArray,
}

/// One mask per connection: RFC 6455 wants it unpredictable for the sake of proxies, of which there are none between a
/// generator and its server; the server's work is the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask([u8; 4]);

impl Mask {
    /// For connection number `number`.
    pub(crate) fn new(number: u32) -> Self {
        Self((number.wrapping_mul(0x9E37_79B1) | 0x0101_0101).to_be_bytes())
    }
}

impl Writer {
    /// Appends one STOMP frame, or a heart-beat, given in parts.
    pub(crate) fn frame(&self, out: &mut Vec<u8>, parts: &[&[u8]]) {
        match *self {
            Self::Stream => parts.iter().for_each(|part| out.extend_from_slice(part)),
            Self::WebSocket(mask) => write(out, Opcode::Text, parts, mask),
            Self::SockJsWebSocket(mask) => {
                let mut array = vec![b'['];
                write_string(&mut array, parts);
                array.push(b']');
                write(out, Opcode::Text, &[&array], mask);
            }
            Self::SockJsArray => {
                out.push(if out.is_empty() { b'[' } else { b',' });
                write_string(out, parts);
            }
        }
    }

    /// Appends the answer to a ping, which only a WebSocket has.
    pub(crate) fn pong(&self, out: &mut Vec<u8>, payload: &[u8]) {
        if let Self::WebSocket(mask) | Self::SockJsWebSocket(mask) = *self {
            write(out, Opcode::Pong, &[payload], mask);
        }
    }
}

fn write(out: &mut Vec<u8>, opcode: Opcode, parts: &[&[u8]], Mask(mask): Mask) {
    let length = parts.iter().map(|part| part.len()).sum();
    write_header(out, opcode, length, Some(mask));
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    apply_mask(&mut out[start..], mask);
}
