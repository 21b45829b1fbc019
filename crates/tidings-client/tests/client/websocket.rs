//! WebSocket, as the other end sees it.

use bytes::BytesMut;
use tidings_client::{Client, Ended, Event, Reason};
use tidings_websocket::{
    CloseCode, Decoder, Event as WireEvent, Limits, MessageKind, Role, accept_key, close_frame,
    message_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::Script;
use crate::server::{hasty, within};

const CONNECTED: &[u8] = b"CONNECTED\nversion:1.2\n\n\0";

/// A server's end of a WebSocket.
struct WebSocket {
    stream: TcpStream,
    decoder: Decoder,
    input: BytesMut,
}

impl WebSocket {
    /// Takes the next connection; these bytes come with the answer to the handshake.
    async fn accept(script: &Script, early: &[u8]) -> Self {
        let mut stream = script.accept().await.stream;
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") {
            request.push(char::from(stream.read_u8().await.expect("a request")));
        }
        let mut lines = request.lines();
        assert_eq!(lines.next(), Some("GET /ws?room=1 HTTP/1.1"));
        let key = lines.find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n",
            accept_key(key.expect("a key"))
        )
        .into_bytes();
        answer.extend_from_slice(early);
        stream.write_all(&answer).await.expect("written");
        Self {
            stream,
            decoder: Decoder::new(Role::Server, Limits::default(), None),
            input: BytesMut::new(),
        }
    }

    async fn next(&mut self) -> WireEvent {
        loop {
            if let Some(event) = self.decoder.decode(&mut self.input).expect("good frames") {
                return event;
            }
            let read = self.stream.read_buf(&mut self.input).await.expect("read");
            assert!(read > 0, "the client has gone");
        }
    }

    /// The next message, in whatever pieces it comes.
    async fn text(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            match self.next().await {
                WireEvent::Data { payload, end, .. } => {
                    text.extend_from_slice(&payload);
                    if end {
                        return String::from_utf8(text).expect("text");
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
    }
}

fn url(script: &Script) -> String {
    format!("ws://{}/ws?room=1", script.address())
}

#[tokio::test]
async fn a_client_says_goodbye_in_stomp_and_in_websocket() {
    within(async {
        let script = Script::start().await;
        // Before the client has asked: it takes that for an answer all the same.
        let early = message_frame(MessageKind::Text, CONNECTED, None);
        let url = url(&script);
        let (client, mut peer) =
            tokio::join!(Client::connect(&url), WebSocket::accept(&script, &early));
        let client = client.expect("connected");
        assert!(peer.text().await.starts_with("CONNECT\n"));
        let (end, ()) = tokio::join!(client.disconnect(), async {
            assert!(peer.text().await.starts_with("DISCONNECT\nreceipt:1\n"));
            // Two messages for one frame.
            for part in [&b"RECEIPT\nreceipt"[..], b"-id:1\n\n\0"] {
                let part = message_frame(MessageKind::Binary, part, None);
                peer.send(&part).await;
            }
        });
        end.expect("confirmed");
        let close = WireEvent::Close {
            code: Some(CloseCode::NORMAL),
            reason: String::new(),
        };
        assert_eq!(peer.next().await, close);
    })
    .await;
}

#[tokio::test]
async fn a_close_code_decides_whether_the_client_comes_back() {
    within(async {
        for (reason, comes_back) in [(Reason::Shutdown, true), (Reason::WebSocketProtocol, false)] {
            let script = Script::start().await;
            let early = message_frame(MessageKind::Text, CONNECTED, None);
            let builder = hasty(&url(&script));
            let (client, mut peer) =
                tokio::join!(builder.connect(), WebSocket::accept(&script, &early));
            let mut events = client.as_ref().expect("connected").events();
            let code = CloseCode(reason.close_code());
            peer.send(&close_frame(Some(code), reason.name(), None))
                .await;
            let lost = events.next().await;
            let Some(Event::Lost(Ended::WebSocketClosed { code, text })) = lost else {
                panic!("{lost:?}");
            };
            assert_eq!((code, &*text), (Some(reason.close_code()), reason.name()));
            match events.next().await {
                Some(Event::Reconnecting { .. }) if comes_back => {
                    WebSocket::accept(&script, &early).await;
                }
                Some(Event::GivenUp(_)) if !comes_back => {}
                other => panic!("{reason}: {other:?}"),
            }
        }
    })
    .await;
}
