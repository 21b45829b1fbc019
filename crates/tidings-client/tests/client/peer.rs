//! A server that does as it is told, on a bare socket.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use tidings_stomp::encoder::encode_frame;
use tidings_stomp::{Command, Decoder, Frame, Item, Limits, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where clients connect.
pub(crate) struct Script {
    listener: TcpListener,
}

/// One connection of a client.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    decoder: Decoder,
    input: Bytes,
}

impl Script {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        Self {
            listener: listener.expect("a free port"),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("it listens")
    }

    pub(crate) fn url(&self) -> String {
        format!("tcp://{}", self.address())
    }

    /// The next connection, as it comes.
    pub(crate) async fn accept(&self) -> Peer {
        let (stream, _) = self.listener.accept().await.expect("a connection");
        let mut decoder = Decoder::new(Limits::default());
        decoder.set_version(Version::V1_2);
        Peer {
            stream,
            decoder,
            input: Bytes::new(),
        }
    }

    /// The next connection, with CONNECT answered by CONNECTED and this `heart-beat`.
    pub(crate) async fn connected(&self, version: Version, heart_beat: &str) -> Peer {
        let mut peer = self.accept().await;
        peer.expect(Command::Connect).await;
        peer.answer_connect(version, heart_beat).await;
        peer
    }
}

impl Peer {
    pub(crate) async fn answer_connect(&mut self, version: Version, heart_beat: &str) {
        let connected = Frame::new(Command::Connected)
            .with_header("version", version.as_str())
            .with_header("heart-beat", heart_beat);
        self.send(&connected).await;
    }

    /// The next frame of the client.
    pub(crate) async fn next(&mut self) -> Frame {
        loop {
            match self.decoder.decode(&mut self.input).expect("good STOMP") {
                Some(Item::Frame(frame)) => return frame,
                Some(Item::HeartBeat) => {}
                None => {
                    let mut read = BytesMut::with_capacity(4096);
                    let len = self.stream.read_buf(&mut read).await.expect("read");
                    assert!(len > 0, "the client has gone");
                    self.input = read.freeze();
                }
            }
        }
    }

    pub(crate) async fn expect(&mut self, command: Command) -> Frame {
        let frame = self.next().await;
        assert_eq!(frame.command, command, "{frame:?}");
        frame
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        let mut out = Vec::new();
        encode_frame(frame, Version::V1_2, &mut out);
        self.write(&out).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
    }

    /// Answers the receipt that a frame asks for.
    pub(crate) async fn confirm(&mut self, frame: &Frame) {
        let id = frame.receipt().expect("a receipt is asked for");
        let receipt = Frame::new(Command::Receipt).with_header("receipt-id", id);
        self.send(&receipt).await;
    }

    /// Takes SUBSCRIBE and confirms it; returns its id.
    pub(crate) async fn subscribed(&mut self) -> String {
        let subscribe = self.expect(Command::Subscribe).await;
        self.confirm(&subscribe).await;
        subscribe.header("id").expect("an id").to_owned()
    }

    /// Reads until the client closes its side.
    pub(crate) async fn gone(mut self) {
        let mut rest = [0; 1024];
        while self.stream.read(&mut rest).await.is_ok_and(|len| len > 0) {}
    }
}

/// A MESSAGE for a subscription.
pub(crate) fn message(subscription: &str, body: &str) -> Frame {
    Frame::new(Command::Message)
        .with_header("subscription", subscription)
        .with_header("message-id", "m")
        .with_header("destination", "/topic/a")
        .with_header("ack", &format!("ack-{body}"))
        .with_body(body.to_owned())
}
