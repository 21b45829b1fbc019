//! Messages in WebSocket: one stream of STOMP however it is cut, whole messages, or frames of SockJS.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tidings_core::disconnect::Reason;
use tidings_sockjs::{PayloadError, payload};
use tidings_websocket::{Decoder, DeflateParams, Error, Event, Limits, MessageKind, Role};

use super::Wire;
use crate::config::Config;

/// Messages may be cut into this many fragments; empty ones count too.
const MAX_FRAGMENTS: u32 = 1024;

/// What WebSocket messages mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Their payloads are one stream of STOMP.
    Stream,
    /// Each is a message.
    Messages,
    /// Each is a JSON array of messages.
    SockJs {
        /// A client that got nothing for this long gets a heartbeat.
        heartbeat_time: Duration,
    },
}

/// The reading side of a WebSocket.
pub(crate) struct WebSocketLink {
    decoder: Decoder,
    compressed: bool,
    /// How messages are taken whole; none where they are one stream, as on most connections.
    whole: Option<Box<Whole>>,
    /// Frames since they were asked for last.
    pieces: u32,
}

struct Whole {
    framing: Framing,
    /// Pieces of a message; empty between messages.
    partial: BytesMut,
}

/// What a WebSocket gives.
pub(crate) enum Received {
    /// Bytes of STOMP.
    Stream(Bytes),
    /// A whole message.
    Message(MessageKind, Bytes),
    /// Messages of SockJS.
    Texts(Vec<String>),
    /// A ping, to be answered with this payload.
    Ping(Bytes),
    /// The peer says goodbye.
    Close,
}

/// Why a WebSocket can't be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenWebSocket {
    #[error(transparent)]
    WebSocket(#[from] Error),
    #[error("not a frame of SockJS: {0}")]
    SockJs(#[from] PayloadError),
    #[error("SockJS takes text, not bytes")]
    BinaryOverSockJs,
}

impl WebSocketLink {
    pub(crate) fn new(deflate: Option<DeflateParams>, framing: Framing, config: &Config) -> Self {
        let (frame, message) = match framing {
            // Escapes make it longer than what it carries.
            Framing::SockJs { .. } => (
                config.sockjs.max_payload_bytes,
                config.sockjs.max_payload_bytes,
            ),
            _ => (
                config.websocket.max_frame_bytes,
                config.websocket.max_message_bytes,
            ),
        };
        let limits = Limits {
            max_frame_bytes: saturate(frame),
            max_message_bytes: saturate(message),
            max_fragments: MAX_FRAGMENTS,
        };
        Self {
            compressed: deflate.is_some(),
            decoder: Decoder::new(Role::Server, limits, deflate),
            whole: (framing != Framing::Stream).then(|| {
                let partial = BytesMut::new();
                Box::new(Whole { framing, partial })
            }),
            pieces: 0,
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        if self.heartbeat_time().is_some() {
            Wire::SockJsWebSocket
        } else if self.compressed {
            Wire::CompressedWebSocket
        } else {
            Wire::WebSocket
        }
    }

    /// How long a client of SockJS may hear nothing.
    pub(crate) fn heartbeat_time(&self) -> Option<Duration> {
        match self.whole.as_ref()?.framing {
            Framing::SockJs { heartbeat_time } => Some(heartbeat_time),
            Framing::Stream | Framing::Messages => None,
        }
    }

    /// How many frames, or parts of a large one, came since this was asked last.
    pub(crate) fn take_pieces(&mut self) -> u32 {
        std::mem::take(&mut self.pieces)
    }

    /// Takes the next thing out of `input`; `None` = more bytes are needed.
    pub(crate) fn receive(
        &mut self,
        input: &mut BytesMut,
    ) -> Result<Option<Received>, BrokenWebSocket> {
        while let Some(event) = self.decoder.decode(input)? {
            self.pieces += 1;
            match event {
                Event::Data { kind, payload, end } => {
                    let received = match &mut self.whole {
                        None => (!payload.is_empty()).then_some(Received::Stream(payload)),
                        Some(whole) => whole.take(kind, payload, end)?,
                    };
                    if received.is_some() {
                        return Ok(received);
                    }
                }
                Event::Ping(payload) => return Ok(Some(Received::Ping(payload))),
                Event::Pong(_) => {}
                Event::Close { .. } => return Ok(Some(Received::Close)),
            }
        }
        Ok(None)
    }
}

impl Whole {
    fn take(
        &mut self,
        kind: MessageKind,
        payload: Bytes,
        end: bool,
    ) -> Result<Option<Received>, BrokenWebSocket> {
        if !end {
            self.partial.extend_from_slice(&payload);
            return Ok(None);
        }
        let whole = if self.partial.is_empty() {
            payload
        } else {
            self.partial.extend_from_slice(&payload);
            std::mem::take(&mut self.partial).freeze()
        };
        match (self.framing, kind) {
            (Framing::SockJs { .. }, MessageKind::Binary) => Err(BrokenWebSocket::BinaryOverSockJs),
            (Framing::SockJs { .. }, MessageKind::Text) => {
                Ok(Some(Received::Texts(payload::decode_websocket(&whole)?)))
            }
            _ => Ok(Some(Received::Message(kind, whole))),
        }
    }
}

/// The reason for which a broken WebSocket stream ends.
pub(crate) fn reason(error: &BrokenWebSocket) -> Reason {
    match error {
        BrokenWebSocket::SockJs(_) => Reason::SockJsProtocol,
        BrokenWebSocket::BinaryOverSockJs => Reason::BinaryOverSockJs,
        BrokenWebSocket::WebSocket(error) => match error.close_code().0 {
            1007 => Reason::InvalidUtf8,
            1009 => Reason::WebSocketTooLarge,
            _ => Reason::WebSocketProtocol,
        },
    }
}

/// The checked configuration keeps sizes far below 4 GiB.
fn saturate(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
