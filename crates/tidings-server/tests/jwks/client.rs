//! STOMP over TCP, a frame at a time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::server::PATIENCE;

/// A client that is connected.
pub(crate) struct Client {
    stream: BufStream<TcpStream>,
}

impl Client {
    /// Connects with a token; refused, it answers with the code.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let mut client = Self {
            stream: BufStream::new(stream),
        };
        let connect = format!(
            "CONNECT\naccept-version:1.2\nhost:x\nheart-beat:0,0\nAuthorization:Bearer {token}\n\n"
        );
        client.send(&connect).await;
        let answer = client.frame().await;
        if answer.starts_with("CONNECTED\n") {
            Ok(client)
        } else {
            Err(header(&answer, "code").to_owned())
        }
    }

    /// Sends a frame, without its NUL.
    pub(crate) async fn send(&mut self, frame: &str) {
        let written = async {
            self.stream.write_all(frame.as_bytes()).await?;
            self.stream.write_all(b"\0").await?;
            self.stream.flush().await
        };
        written.await.expect("the session stands");
    }

    /// Subscribes, and waits for the receipt.
    pub(crate) async fn subscribe(&mut self, destination: &str) {
        let frame = format!("SUBSCRIBE\nid:1\ndestination:{destination}\nreceipt:1\n\n");
        self.send(&frame).await;
        let answer = self.frame().await;
        assert!(answer.starts_with("RECEIPT\n"), "{answer}");
    }

    pub(crate) async fn publish(&mut self, destination: &str, body: &str) {
        let frame = format!("SEND\ndestination:{destination}\n\n{body}");
        self.send(&frame).await;
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_until(0, &mut bytes)).await;
        read.expect("a frame comes in time")
            .expect("the session stands");
        assert_eq!(bytes.pop(), Some(0), "the session stands");
        let text = String::from_utf8(bytes).expect("text");
        text.trim_start_matches('\n').to_owned()
    }

    /// The body of the next message.
    pub(crate) async fn message(&mut self) -> String {
        let frame = self.frame().await;
        assert!(frame.starts_with("MESSAGE\n"), "{frame}");
        let (_, body) = frame.split_once("\n\n").expect("a head");
        body.to_owned()
    }

    /// Sends a message to itself.
    pub(crate) async fn hears_itself(&mut self) {
        // Of its own: others do the same at the same time.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let destination = format!("/topic/self/{number}");
        self.subscribe(&destination).await;
        self.publish(&destination, "still here").await;
        assert_eq!(self.message().await, "still here");
        self.send("UNSUBSCRIBE\nid:1\n\n").await;
    }
}

fn header<'a>(frame: &'a str, name: &str) -> &'a str {
    let mut lines = frame.lines();
    let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.unwrap_or_default()
}
