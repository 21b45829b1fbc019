//! What carries frames between a peer and the server, in memory.

use std::io;

use bytes::{Bytes, BytesMut};
use tidings_websocket::{
    ClientRequest, Decoder, Event, Limits, MessageKind, ResponseHead, Role, message_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::door::Stream;
use crate::http::{TurnedAway, header};
use crate::sockjs::SockJs;

/// Any key will do: it is there for proxies.
const MASK: [u8; 4] = [7, 11, 13, 17];

/// Any 16 bytes will do: they are there for caches.
const NONCE: [u8; 16] = [3; 16];

/// What carries the frames of a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Link {
    /// STOMP and nothing else, as over TCP.
    #[default]
    Tcp,
    /// WebSocket, with its handshake.
    WebSocket,
    /// WebSocket beneath SockJS.
    SockJsWebSocket,
    /// SockJS by one answer for each message.
    XhrPolling,
    /// SockJS by an answer that goes on.
    XhrStreaming,
    /// SockJS by server-sent events.
    EventSource,
}

impl Link {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Tcp,
        Self::WebSocket,
        Self::SockJsWebSocket,
        Self::XhrPolling,
        Self::XhrStreaming,
        Self::EventSource,
    ];
}

/// An open link.
pub(crate) enum Wire {
    Tcp(Box<dyn Stream>),
    WebSocket(WebSocket),
    SockJs(Box<SockJs>),
}

/// A client of WebSocket.
pub(crate) struct WebSocket {
    connection: Box<dyn Stream>,
    decoder: Decoder,
    input: BytesMut,
    /// Of a message that has not come whole.
    begun: BytesMut,
}

/// What came.
pub(crate) enum Heard {
    Bytes(Bytes),
    /// The server has closed the link.
    End {
        close_code: Option<u16>,
    },
    /// The server broke the rules of WebSocket.
    Nonsense(String),
}

impl Wire {
    /// What comes next. When it is dropped before that, nothing is lost.
    pub(crate) async fn hear(&mut self) -> Heard {
        match self {
            Self::Tcp(connection) => {
                let mut bytes = BytesMut::new();
                match connection.read_buf(&mut bytes).await {
                    Ok(count) if count > 0 => Heard::Bytes(bytes.freeze()),
                    _ => Heard::End { close_code: None },
                }
            }
            Self::WebSocket(socket) => socket.hear().await,
            Self::SockJs(session) => session.hear().await,
        }
    }

    /// Sends these bytes, in one message where there are messages: text where that is possible.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(connection) => connection.write_all(bytes).await,
            Self::WebSocket(socket) => socket.say(bytes).await,
            Self::SockJs(session) => session.say(bytes).await,
        }
    }

    /// Sends these bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Tcp(connection) => connection.write_all(bytes).await,
            Self::WebSocket(socket) => socket.write(bytes).await,
            Self::SockJs(session) => session.write(bytes).await,
        }
    }
}

impl WebSocket {
    /// Shakes hands; the error tells what the server answered instead.
    pub(crate) async fn open(
        mut connection: Box<dyn Stream>,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, TurnedAway> {
        let request = ClientRequest {
            host: "localhost",
            path,
            nonce: NONCE,
            protocols: &["v12.stomp", "v11.stomp", "v10.stomp"],
            compression: false,
            headers,
        };
        let written = connection.write_all(&request.encode()).await;
        written.map_err(TurnedAway::by)?;
        let (head, input) = read_head(&mut *connection).await?;
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let response = ResponseHead {
            status: status.unwrap_or_default(),
            upgrade: header(&head, "upgrade"),
            connection: header(&head, "connection"),
            accept: header(&head, "sec-websocket-accept"),
            protocol: header(&head, "sec-websocket-protocol"),
            extensions: header(&head, "sec-websocket-extensions"),
        };
        let agreed = request.verify(&response);
        agreed.map_err(|error| TurnedAway::with(&head).because(error))?;
        let limits = Limits {
            max_frame_bytes: u32::MAX,
            max_message_bytes: u32::MAX,
            max_fragments: u32::MAX,
        };
        Ok(Self {
            connection,
            decoder: Decoder::new(Role::Client, limits, None),
            input,
            begun: BytesMut::new(),
        })
    }

    /// One message: text where that is possible.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let kind = match std::str::from_utf8(bytes) {
            Ok(_) => MessageKind::Text,
            Err(_) => MessageKind::Binary,
        };
        self.write(&message_frame(kind, bytes, Some(MASK))).await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.connection.write_all(bytes).await
    }

    /// The next piece of a message.
    pub(crate) async fn hear(&mut self) -> Heard {
        match self.piece().await {
            Ok((payload, _)) => Heard::Bytes(payload),
            Err(other) => other,
        }
    }

    /// The next whole message.
    pub(crate) async fn hear_whole(&mut self) -> Heard {
        loop {
            match self.piece().await {
                Ok((payload, is_last)) => {
                    self.begun.extend_from_slice(&payload);
                    if is_last {
                        return Heard::Bytes(self.begun.split().freeze());
                    }
                }
                Err(other) => return other,
            }
        }
    }

    async fn piece(&mut self) -> Result<(Bytes, bool), Heard> {
        loop {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(Event::Data { payload, end, .. })) => return Ok((payload, end)),
                Ok(Some(Event::Close { code, .. })) => {
                    let close_code = code.map(|code| code.0);
                    return Err(Heard::End { close_code });
                }
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => {}
                Ok(None) => match self.connection.read_buf(&mut self.input).await {
                    Ok(count) if count > 0 => {}
                    _ => return Err(Heard::End { close_code: None }),
                },
                Err(error) => return Err(Heard::Nonsense(error.to_string())),
            }
        }
    }
}

/// The head of a response, and what came behind it.
async fn read_head(connection: &mut dyn Stream) -> Result<(String, BytesMut), TurnedAway> {
    const END: &[u8] = b"\r\n\r\n";
    let mut input = BytesMut::new();
    loop {
        if let Some(at) = input.windows(END.len()).position(|bytes| bytes == END) {
            let head = input.split_to(at + END.len());
            return Ok((String::from_utf8_lossy(&head).into_owned(), input));
        }
        match connection.read_buf(&mut input).await {
            Ok(count) if count > 0 => {}
            _ => {
                let text = format!("the server closed the connection after {input:?}");
                return Err(TurnedAway::by(text));
            }
        }
    }
}
