//! STOMP in WebSocket messages: their payloads are one stream, however it is cut into messages and fragments.

use bytes::{Bytes, BytesMut};
use tidings_core::disconnect::Reason;
use tidings_websocket::{Decoder, DeflateParams, Error, Event, Limits, Role};

use super::Wire;
use crate::config;

/// Messages may be cut into this many fragments; empty ones count too.
const MAX_FRAGMENTS: u32 = 1024;

/// The reading side of a WebSocket.
pub(crate) struct WebSocketLink {
    decoder: Decoder,
    compressed: bool,
}

/// What a WebSocket gives.
pub(crate) enum Received {
    /// Bytes of STOMP.
    Stomp(Bytes),
    /// A ping, to be answered with this payload.
    Ping(Bytes),
    /// The peer says goodbye.
    Close,
}

impl WebSocketLink {
    pub(crate) fn new(deflate: Option<DeflateParams>, limits: &config::WebSocket) -> Self {
        let limits = Limits {
            max_frame_bytes: saturate(limits.max_frame_bytes),
            max_message_bytes: saturate(limits.max_message_bytes),
            max_fragments: MAX_FRAGMENTS,
        };
        Self {
            compressed: deflate.is_some(),
            decoder: Decoder::new(Role::Server, limits, deflate),
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        if self.compressed {
            Wire::CompressedWebSocket
        } else {
            Wire::WebSocket
        }
    }

    /// Takes the next thing out of `input`; `None` = more bytes are needed.
    pub(crate) fn receive(&mut self, input: &mut BytesMut) -> Result<Option<Received>, Error> {
        while let Some(event) = self.decoder.decode(input)? {
            match event {
                Event::Data { payload, .. } if payload.is_empty() => {}
                Event::Data { payload, .. } => return Ok(Some(Received::Stomp(payload))),
                Event::Ping(payload) => return Ok(Some(Received::Ping(payload))),
                Event::Pong(_) => {}
                Event::Close { .. } => return Ok(Some(Received::Close)),
            }
        }
        Ok(None)
    }
}

/// The reason for which a broken WebSocket stream ends.
pub(crate) fn reason(error: &Error) -> Reason {
    match error.close_code().0 {
        1007 => Reason::InvalidUtf8,
        1009 => Reason::WebSocketTooLarge,
        _ => Reason::WebSocketProtocol,
    }
}

/// The checked configuration keeps sizes far below 4 GiB.
fn saturate(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
