//! What carries STOMP: a socket, and WebSocket on it or nothing.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tidings_websocket::{
    CloseCode, Decoder, Event, Limits, MessageKind, Role, close_frame, message_frame, pong_frame,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::error::{ConnectError, Ended};

/// Both halves of an open socket.
pub(crate) struct Socket {
    pub(crate) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) writer: Writer,
}

pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

impl Socket {
    #[cfg(any(test, feature = "tls"))]
    pub(crate) fn new(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader: Box::new(reader),
            writer: Box::new(writer),
        }
    }
}

type Dialing = Pin<Box<dyn Future<Output = Result<Socket, ConnectError>> + Send>>;

/// Opens sockets: of TCP, with or without TLS, or in memory for tests that need a clock of their own.
#[derive(Clone)]
pub(crate) struct Dialer(Arc<dyn Fn() -> Dialing + Send + Sync>);

impl Dialer {
    pub(crate) fn new(dial: impl Fn() -> Dialing + Send + Sync + 'static) -> Self {
        Self(Arc::new(dial))
    }

    pub(crate) fn tcp(host: &str, port: u16) -> Self {
        let host: Arc<str> = host.into();
        Self::new(move || {
            let host = Arc::clone(&host);
            Box::pin(async move {
                // Without the lock that halves of any other stream share.
                let (reader, writer) = dial_tcp(&host, port).await?.into_split();
                Ok(Socket {
                    reader: Box::new(reader),
                    writer: Box::new(writer),
                })
            })
        })
    }

    #[cfg(feature = "tls")]
    pub(crate) fn tls(host: &str, port: u16, secured: crate::tls::Secured) -> Self {
        let host: Arc<str> = host.into();
        Self::new(move || {
            let (host, secured) = (Arc::clone(&host), secured.clone());
            Box::pin(async move {
                let stream = dial_tcp(&host, port).await?;
                Ok(Socket::new(secured.open(stream).await?))
            })
        })
    }

    pub(crate) async fn dial(&self) -> Result<Socket, ConnectError> {
        (self.0)().await
    }
}

async fn dial_tcp(host: &str, port: u16) -> Result<TcpStream, ConnectError> {
    let dial = async {
        let stream = TcpStream::connect((host, port)).await?;
        // Frames go out in one write each burst, so waiting for more would only delay them.
        stream.set_nodelay(true)?;
        io::Result::Ok(stream)
    };
    dial.await.map_err(ConnectError::unreachable)
}

/// What stands between the socket and STOMP.
#[derive(Debug)]
pub(crate) enum Wire {
    Tcp,
    WebSocket(Box<Decoder>),
}

impl Wire {
    /// The STOMP decoder takes messages in pieces, within limits of its own; so those of WebSocket need no others.
    pub(crate) fn websocket() -> Self {
        let limits = Limits {
            max_frame_bytes: u32::MAX,
            max_message_bytes: u32::MAX,
            max_fragments: u32::MAX,
        };
        Self::WebSocket(Box::new(Decoder::new(Role::Client, limits, None)))
    }

    /// The next piece of STOMP; `None` when more must be read. Pings are answered into `out`.
    pub(crate) fn decode(
        &mut self,
        input: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Option<Bytes>, Ended> {
        let Self::WebSocket(decoder) = self else {
            return Ok((!input.is_empty()).then(|| input.split().freeze()));
        };
        while let Some(event) = decoder.decode(input)? {
            match event {
                Event::Data { payload, .. } => return Ok(Some(payload)),
                Event::Ping(payload) if out.len() < MAX_BYTES_BEFORE_PONG => {
                    out.extend_from_slice(&pong_frame(&payload, Some(mask_key())));
                }
                Event::Ping(_) | Event::Pong(_) => {}
                Event::Close { code, reason } => {
                    return Err(Ended::WebSocketClosed {
                        code: code.map(|code| code.0),
                        text: reason,
                    });
                }
            }
        }
        Ok(None)
    }

    /// Writes a frame of STOMP, or a heart-beat.
    pub(crate) fn write(&self, frame: &[u8], out: &mut BytesMut) {
        match self {
            Self::Tcp => out.extend_from_slice(frame),
            Self::WebSocket(_) => {
                let kind = match std::str::from_utf8(frame) {
                    Ok(_) => MessageKind::Text,
                    Err(_) => MessageKind::Binary,
                };
                out.extend_from_slice(&message_frame(kind, frame, Some(mask_key())));
            }
        }
    }

    /// Writes the last frame.
    pub(crate) fn write_close(&self, out: &mut BytesMut) {
        if let Self::WebSocket(_) = self {
            let close = close_frame(Some(CloseCode::NORMAL), "", Some(mask_key()));
            out.extend_from_slice(&close);
        }
    }
}

/// A server that takes nothing but asks for pongs gets none beyond this.
const MAX_BYTES_BEFORE_PONG: usize = 256 * 1024;

fn mask_key() -> [u8; 4] {
    random().to_ne_bytes()
}

/// A system that has no random numbers has worse troubles than pauses and masks that can be guessed.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_websocket::ping_frame;

    /// What a server reads of what a client wrote.
    fn served(out: &mut BytesMut) -> Vec<Event> {
        let mut decoder = Decoder::new(Role::Server, Limits::default(), None);
        std::iter::from_fn(|| decoder.decode(out).expect("good frames")).collect()
    }

    #[test]
    fn pings_are_answered_while_the_server_reads() {
        let mut wire = Wire::websocket();
        let mut out = BytesMut::new();
        let mut pinged = |out: &mut BytesMut| {
            let mut input = BytesMut::from(&ping_frame(b"there?", None)[..]);
            assert!(wire.decode(&mut input, out).expect("valid").is_none());
        };
        pinged(&mut out);
        assert_eq!(served(&mut out), [Event::Pong("there?".into())]);
        let mut clogged = BytesMut::zeroed(MAX_BYTES_BEFORE_PONG);
        pinged(&mut clogged);
        assert_eq!(clogged.len(), MAX_BYTES_BEFORE_PONG);
    }

    #[test]
    fn frames_are_text_where_they_can_be() {
        let wire = Wire::websocket();
        let mut out = BytesMut::new();
        wire.write(b"SEND\n\n\xff\0", &mut out);
        wire.write("SEND\n\né\0".as_bytes(), &mut out);
        wire.write_close(&mut out);
        let data = |kind, payload: &'static [u8]| Event::Data {
            kind,
            payload: Bytes::from_static(payload),
            end: true,
        };
        let close = Event::Close {
            code: Some(CloseCode::NORMAL),
            reason: String::new(),
        };
        let expected = [
            data(MessageKind::Binary, b"SEND\n\n\xff\0"),
            data(MessageKind::Text, "SEND\n\né\0".as_bytes()),
            close,
        ];
        assert_eq!(served(&mut out), expected);
    }

    #[test]
    fn a_close_frame_is_the_end() {
        let mut wire = Wire::websocket();
        let close = close_frame(Some(CloseCode(4002)), "slow-consumer", None);
        let mut input = BytesMut::from(&close[..]);
        let ended = wire.decode(&mut input, &mut BytesMut::new());
        assert!(matches!(
            ended,
            Err(Ended::WebSocketClosed { code: Some(4002), text }) if text == "slow-consumer"
        ));
    }
}
