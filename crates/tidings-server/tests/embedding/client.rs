//! A client of HTTP/1.1 and WebSocket, byte by byte.

use tidings_websocket::{Opcode, write_frame};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::app::soon;

pub(crate) struct Client<S> {
    stream: BufReader<S>,
}

/// The head of a handshake at `path`, with `more` headers.
pub(crate) fn handshake(path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// A text frame of a client.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    let mask = Some([1, 2, 3, 4]);
    write_frame(
        &mut frame,
        Opcode::Text,
        true,
        false,
        payload.as_bytes(),
        mask,
    );
    frame
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn new(stream: S) -> Self {
        let stream = BufReader::new(stream);
        Self { stream }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let stream = self.stream.get_mut();
        stream.write_all(bytes.as_ref()).await.expect("it reads");
        stream.flush().await.expect("it reads");
    }

    /// A POST with `more` headers.
    pub(crate) async fn post(&mut self, path: &str, more: &str, body: &str) {
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n{more}\r\n{body}",
            body.len()
        ))
        .await;
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(soon(self.stream.read_u8()).await.expect("a line comes"));
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).expect("text")
    }

    pub(crate) async fn head(&mut self) -> String {
        let mut head = String::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return head;
            }
            head.push_str(&line.to_lowercase().replacen("http/1.1", "HTTP/1.1", 1));
            head.push('\n');
        }
    }

    async fn exactly(&mut self, count: usize) -> String {
        let mut bytes = vec![0; count];
        soon(self.stream.read_exact(&mut bytes))
            .await
            .expect("it comes whole");
        String::from_utf8(bytes).expect("text")
    }

    /// One chunk of a body; an empty one is its end.
    pub(crate) async fn chunk(&mut self) -> String {
        let length = self.line().await;
        let length = usize::from_str_radix(&length, 16).expect("a length");
        let chunk = self.exactly(length).await;
        assert_eq!(self.line().await, "");
        chunk
    }

    /// A whole response: its head and its body.
    pub(crate) async fn response(&mut self) -> (String, String) {
        let head = self.head().await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        if let Some(length) = length {
            let body = self.exactly(length.parse().expect("a number")).await;
            return (head, body);
        }
        let mut body = String::new();
        while head.contains("transfer-encoding: chunked") {
            let chunk = self.chunk().await;
            if chunk.is_empty() {
                break;
            }
            body.push_str(&chunk);
        }
        (head, body)
    }

    /// A frame of WebSocket: its first byte and its payload.
    pub(crate) async fn frame(&mut self) -> (u8, Vec<u8>) {
        let read = async {
            let first = self.stream.read_u8().await?;
            let length = match self.stream.read_u8().await? {
                126 => usize::from(self.stream.read_u16().await?),
                short => usize::from(short),
            };
            let mut payload = vec![0; length];
            self.stream.read_exact(&mut payload).await?;
            std::io::Result::Ok((first, payload))
        };
        soon(read).await.expect("a frame comes")
    }

    /// Sends a frame of STOMP.
    pub(crate) async fn stomp(&mut self, frame: &str) {
        self.send(text(&format!("{frame}\0"))).await;
    }

    /// The next frame of STOMP, which has all `parts`.
    pub(crate) async fn is_told(&mut self, parts: &[&str]) {
        let (first, payload) = self.frame().await;
        let payload = String::from_utf8(payload).expect("text");
        assert_eq!(first, 0x81, "{payload:?}");
        for part in parts {
            assert!(payload.contains(part), "no {part:?} in {payload:?}");
        }
    }

    /// The close frame, and then the end.
    pub(crate) async fn is_closed(&mut self, code: u16) {
        let (first, payload) = self.frame().await;
        assert_eq!((first, &payload[..2]), (0x88, &code.to_be_bytes()[..]));
        self.is_gone().await;
    }

    pub(crate) async fn is_gone(&mut self) {
        let rest = self.rest().await;
        assert!(rest.is_empty(), "{rest:?}");
    }

    /// What comes until the end.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        soon(self.stream.read_to_end(&mut rest))
            .await
            .expect("it ends");
        rest
    }
}
