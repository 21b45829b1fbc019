//! What carries frames between a peer and the server, in memory.

use bytes::{Bytes, BytesMut};
use tidings_server::LocalConnection;
use tidings_websocket::{
    ClientRequest, Decoder, Event, Limits, MessageKind, ResponseHead, Role, message_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
}

/// An open link.
pub(crate) enum Wire {
    Tcp(LocalConnection),
    WebSocket(WebSocket),
}

/// A client of WebSocket.
pub(crate) struct WebSocket {
    connection: LocalConnection,
    decoder: Decoder,
    input: BytesMut,
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
        }
    }

    /// Sends these bytes, in one message where there are messages: text where that is possible.
    pub(crate) async fn say(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(connection) => connection.write_all(bytes).await,
            Self::WebSocket(socket) => {
                let kind = match std::str::from_utf8(bytes) {
                    Ok(_) => MessageKind::Text,
                    Err(_) => MessageKind::Binary,
                };
                let frame = message_frame(kind, bytes, Some(MASK));
                socket.connection.write_all(&frame).await
            }
        }
    }

    /// Sends these bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let (Self::Tcp(connection) | Self::WebSocket(WebSocket { connection, .. })) = self;
        connection.write_all(bytes).await
    }
}

impl WebSocket {
    /// Shakes hands; the error tells what the server answered instead.
    pub(crate) async fn open(
        mut connection: LocalConnection,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, String> {
        let request = ClientRequest {
            host: "localhost",
            path,
            nonce: NONCE,
            protocols: &["v12.stomp", "v11.stomp", "v10.stomp"],
            compression: false,
            headers,
        };
        let written = connection.write_all(&request.encode()).await;
        written.map_err(|error| error.to_string())?;
        let (head, input) = read_head(&mut connection).await?;
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
        agreed.map_err(|error| format!("{error}; the answer was {head:?}"))?;
        let limits = Limits {
            max_frame_bytes: u32::MAX,
            max_message_bytes: u32::MAX,
            max_fragments: u32::MAX,
        };
        Ok(Self {
            connection,
            decoder: Decoder::new(Role::Client, limits, None),
            input,
        })
    }

    async fn hear(&mut self) -> Heard {
        loop {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(Event::Data { payload, .. })) => return Heard::Bytes(payload),
                Ok(Some(Event::Close { code, .. })) => {
                    let close_code = code.map(|code| code.0);
                    return Heard::End { close_code };
                }
                Ok(Some(Event::Ping(_) | Event::Pong(_))) => {}
                Ok(None) => match self.connection.read_buf(&mut self.input).await {
                    Ok(count) if count > 0 => {}
                    _ => return Heard::End { close_code: None },
                },
                Err(error) => return Heard::Nonsense(error.to_string()),
            }
        }
    }
}

/// The head of a response, and what came behind it.
async fn read_head(connection: &mut LocalConnection) -> Result<(String, BytesMut), String> {
    const END: &[u8] = b"\r\n\r\n";
    let mut input = BytesMut::new();
    loop {
        if let Some(at) = input.windows(END.len()).position(|bytes| bytes == END) {
            let head = input.split_to(at + END.len());
            return Ok((String::from_utf8_lossy(&head).into_owned(), input));
        }
        match connection.read_buf(&mut input).await {
            Ok(count) if count > 0 => {}
            _ => return Err(format!("the server closed the connection after {input:?}")),
        }
    }
}

/// The value of the first header of that name.
fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(its, _)| its.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}
