//! A client that does and hears what the test says.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use serde::Serialize;
use tidings_stomp::encoder::encode_frame;
use tidings_stomp::{Command, Decoder, Frame, Headers, Item, Limits, Version};
use tokio::time::timeout;

use crate::link::{Heard, Wire};
use crate::message::{Goodbye, Message, shown_frame};
use crate::time::PATIENCE;

/// A client of a [`TestServer`](crate::TestServer) that does what the test says and nothing else: it reads when the test
/// waits for something, sends no heart-beat unasked, and answers no goodbye. So it can also be slow, silent or rude;
/// dropped, its connection ends without a word.
///
/// What its methods await must come within [`PATIENCE`], otherwise they panic, and say what came instead.
pub struct Peer {
    /// What the test calls it.
    name: String,
    wire: Wire,
    decoder: Decoder,
    version: Version,
    /// The headers of CONNECTED.
    connected: Headers,
    /// Read and not yet decoded.
    input: Bytes,
    /// Frames that came while something else was awaited.
    waiting: VecDeque<Frame>,
    /// The server has closed the link, with this code.
    ended: Option<Option<u16>>,
    /// Counts subscriptions and receipts.
    serial: u32,
}

/// What came next.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Incoming {
    Frame(Frame),
    HeartBeat,
    End(Option<u16>),
}

/// Where in the test something is awaited.
type Place = &'static Location<'static>;

impl Peer {
    pub(crate) fn new(name: String, wire: Wire) -> Self {
        // What the server may send is its own business.
        let limits = Limits {
            max_body_bytes: usize::MAX,
            ..Limits::default()
        };
        Self {
            name,
            wire,
            decoder: Decoder::new(limits),
            version: Version::V1_0,
            connected: Headers::new(),
            input: Bytes::new(),
            waiting: VecDeque::new(),
            ended: None,
            serial: 0,
        }
    }

    /// What CONNECTED called the session; empty before it.
    pub fn session(&self) -> &str {
        self.connected.get("session").unwrap_or_default()
    }

    /// What CONNECTED said; nothing before it.
    pub fn connected(&self) -> &Headers {
        &self.connected
    }

    /// Sends a SEND. That it was done is seen by what comes of it.
    #[track_caller]
    pub fn send(&mut self, destination: &str, body: impl Into<Bytes>) -> impl Future<Output = ()> {
        let frame = Frame::new(Command::Send)
            .with_header("destination", destination)
            .with_body(body);
        self.send_frame(frame)
    }

    /// Sends a SEND with `body` as JSON.
    ///
    /// # Panics
    /// The body can't be written as JSON.
    #[track_caller]
    pub fn send_json(
        &mut self,
        destination: &str,
        body: &impl Serialize,
    ) -> impl Future<Output = ()> {
        let body = serde_json::to_vec(body).expect("the body can be written as JSON");
        let frame = Frame::new(Command::Send)
            .with_header("destination", destination)
            .with_header("content-type", "application/json")
            .with_body(body);
        self.send_frame(frame)
    }

    /// Subscribes, and waits until that is live; returns the id of the subscription. What comes before the RECEIPT can be
    /// awaited afterwards.
    #[track_caller]
    pub fn subscribe(&mut self, destination: &str) -> impl Future<Output = String> {
        let id = format!("sub-{}", self.next_serial());
        let frame = Frame::new(Command::Subscribe)
            .with_header("id", &id)
            .with_header("destination", destination);
        let confirmed = self.confirm(frame);
        async move {
            confirmed.await;
            id
        }
    }

    /// Ends a subscription, and waits until that is done.
    #[track_caller]
    pub fn unsubscribe(&mut self, id: &str) -> impl Future<Output = ()> {
        self.confirm(Frame::new(Command::Unsubscribe).with_header("id", id))
    }

    /// Acknowledges a message of a subscription with `ack:client` or `ack:client-individual`, and waits until that is
    /// done.
    #[track_caller]
    pub fn ack(&mut self, message: &Message) -> impl Future<Output = ()> {
        self.settle(Command::Ack, message)
    }

    /// Hands such a message back, and waits until that is done.
    #[track_caller]
    pub fn nack(&mut self, message: &Message) -> impl Future<Output = ()> {
        self.settle(Command::Nack, message)
    }

    #[track_caller]
    fn settle(&mut self, command: Command, message: &Message) -> impl Future<Output = ()> {
        // STOMP 1.2 has a header for it; before, two others named the message.
        let frame = match message.header("ack") {
            Some(ack) => Frame::new(command).with_header("id", ack),
            None => Frame::new(command)
                .with_header("subscription", message.subscription())
                .with_header(
                    "message-id",
                    message.header("message-id").unwrap_or_default(),
                ),
        };
        self.confirm(frame)
    }

    /// Sends a frame with a `receipt` header more, and waits for its RECEIPT. What comes before can be awaited afterwards.
    #[track_caller]
    pub fn confirm(&mut self, frame: Frame) -> impl Future<Output = ()> {
        let place = Location::caller();
        self.confirmed(place, frame)
    }

    /// Says DISCONNECT, and waits for its RECEIPT and for the end of the connection.
    #[track_caller]
    pub fn disconnect(mut self) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            self.confirmed(place, Frame::new(Command::Disconnect)).await;
            self.end(place).await;
        }
    }

    /// Sends any frame as it is.
    #[track_caller]
    pub fn send_frame(&mut self, frame: Frame) -> impl Future<Output = ()> {
        let place = Location::caller();
        self.say(place, frame)
    }

    /// Sends a heart-beat.
    #[track_caller]
    pub fn send_heart_beat(&mut self) -> impl Future<Output = ()> {
        self.send_bytes(b"\n")
    }

    /// Sends any bytes where STOMP is expected: over WebSocket one message, as text where they are UTF-8.
    #[track_caller]
    pub fn send_bytes(&mut self, bytes: &[u8]) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            let said = timeout(PATIENCE, self.wire.say(bytes)).await;
            self.check_said(place, said);
        }
    }

    /// Sends any bytes past everything: over WebSocket, what should be one of its frames.
    #[track_caller]
    pub fn send_raw(&mut self, bytes: &[u8]) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            let said = timeout(PATIENCE, self.wire.write(bytes)).await;
            self.check_said(place, said);
        }
    }

    /// The next frame, whatever it is; heart-beats are none.
    #[track_caller]
    pub fn frame(&mut self) -> impl Future<Output = Frame> {
        let place = Location::caller();
        async move { self.next_frame(place, "a frame").await }
    }

    /// All frames that come within this time, or up to the end of the connection.
    pub async fn frames(&mut self, time: Duration) -> Vec<Frame> {
        let mut frames = Vec::new();
        // Late is who does not come: what came is kept.
        let _ = timeout(time, async {
            while let Ok(incoming) = self.take_waiting().await {
                match incoming {
                    Incoming::Frame(frame) => frames.push(frame),
                    Incoming::HeartBeat => {}
                    Incoming::End(_) => break,
                }
            }
        })
        .await;
        frames
    }

    /// The next frame, which must be a MESSAGE.
    #[track_caller]
    pub fn message(&mut self) -> impl Future<Output = Message> {
        let place = Location::caller();
        async move {
            let frame = self.expect(place, Command::Message).await;
            Message {
                headers: frame.headers,
                body: frame.body,
            }
        }
    }

    /// The next frame, which must be an ERROR, and the end of the connection.
    #[track_caller]
    pub fn error(&mut self) -> impl Future<Output = Goodbye> {
        let place = Location::caller();
        async move {
            let error = self.expect(place, Command::Error).await;
            let close_code = self.end(place).await;
            Goodbye { error, close_code }
        }
    }

    /// The end of the connection, before any other frame; gives the code of the close frame of WebSocket.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = Option<u16>> {
        let place = Location::caller();
        async move { self.end(place).await }
    }

    /// A heart-beat, before any frame.
    #[track_caller]
    pub fn heart_beat(&mut self) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            const AWAITED: &str = "a heart-beat";
            match self.next_waiting(place, AWAITED).await {
                Incoming::HeartBeat => {}
                Incoming::Frame(frame) => self.fail(place, AWAITED, &shown_frame(&frame)),
                Incoming::End(code) => self.fail(place, AWAITED, &shown_end(code)),
            }
        }
    }

    /// Nothing but heart-beats comes for so long, and the connection stays.
    #[track_caller]
    pub fn silence(&mut self, time: Duration) -> impl Future<Output = ()> {
        let place = Location::caller();
        async move {
            let awaited = format!("silence for {time:?}");
            let first = timeout(time, async {
                loop {
                    match self.take_waiting().await {
                        Ok(Incoming::HeartBeat) => {}
                        other => return other,
                    }
                }
            });
            match first.await {
                Err(_) => {}
                Ok(Ok(Incoming::Frame(frame))) => self.fail(place, &awaited, &shown_frame(&frame)),
                Ok(Ok(Incoming::End(code))) => self.fail(place, &awaited, &shown_end(code)),
                Ok(Ok(Incoming::HeartBeat)) => unreachable!("the loop goes on after it"),
                Ok(Err(nonsense)) => self.fail(place, &awaited, &nonsense),
            }
        }
    }

    /// Sends CONNECT and takes CONNECTED, or whatever comes instead.
    pub(crate) async fn shake_hands(&mut self, place: Place, connect: Frame) -> Result<(), Frame> {
        self.say(place, connect).await;
        let answer = self.next_frame(place, "CONNECTED").await;
        if answer.command != Command::Connected {
            return Err(answer);
        }
        let version = Version::negotiate(answer.header("version"));
        self.version = version.unwrap_or(Version::V1_0);
        self.decoder.set_version(self.version);
        self.connected = answer.headers;
        Ok(())
    }

    async fn confirmed(&mut self, place: Place, frame: Frame) {
        let id = format!("receipt-{}", self.next_serial());
        let awaited = format!("the RECEIPT of {}", shown_frame(&frame));
        let frame = frame.with_header("receipt", &id);
        self.say(place, frame).await;
        loop {
            match self.next(place, &awaited).await {
                Incoming::Frame(frame) if frame.header("receipt-id") == Some(&id) => {
                    if frame.command != Command::Receipt {
                        self.fail(place, &awaited, &shown_frame(&frame));
                    }
                    return;
                }
                Incoming::Frame(frame) if frame.command == Command::Error => {
                    self.fail(place, &awaited, &shown_frame(&frame));
                }
                Incoming::Frame(frame) => self.waiting.push_back(frame),
                Incoming::HeartBeat => {}
                Incoming::End(code) => self.fail(place, &awaited, &shown_end(code)),
            }
        }
    }

    async fn say(&mut self, place: Place, frame: Frame) {
        let mut out = Vec::new();
        encode_frame(&frame, self.version, &mut out);
        let said = timeout(PATIENCE, self.wire.say(&out)).await;
        self.check_said(place, said);
    }

    fn check_said(
        &self,
        place: Place,
        said: Result<std::io::Result<()>, tokio::time::error::Elapsed>,
    ) {
        const AWAITED: &str = "that the server reads";
        match said {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(place, AWAITED, &error.to_string()),
            Err(_) => self.fail(place, AWAITED, &shown_patience()),
        }
    }

    async fn expect(&mut self, place: Place, command: Command) -> Frame {
        let awaited = format!("a frame {command}");
        let frame = self.next_frame(place, &awaited).await;
        if frame.command != command {
            self.fail(place, &awaited, &shown_frame(&frame));
        }
        frame
    }

    pub(crate) async fn end(&mut self, place: Place) -> Option<u16> {
        const AWAITED: &str = "the end of the connection";
        loop {
            match self.next_waiting(place, AWAITED).await {
                Incoming::End(code) => return code,
                Incoming::HeartBeat => {}
                Incoming::Frame(frame) => self.fail(place, AWAITED, &shown_frame(&frame)),
            }
        }
    }

    async fn next_frame(&mut self, place: Place, awaited: &str) -> Frame {
        loop {
            match self.next_waiting(place, awaited).await {
                Incoming::Frame(frame) => return frame,
                Incoming::HeartBeat => {}
                Incoming::End(code) => self.fail(place, awaited, &shown_end(code)),
            }
        }
    }

    /// What waits, then what comes.
    async fn next_waiting(&mut self, place: Place, awaited: &str) -> Incoming {
        match self.waiting.pop_front() {
            Some(frame) => Incoming::Frame(frame),
            None => self.next(place, awaited).await,
        }
    }

    async fn take_waiting(&mut self) -> Result<Incoming, String> {
        match self.waiting.pop_front() {
            Some(frame) => Ok(Incoming::Frame(frame)),
            None => self.hear().await,
        }
    }

    /// What comes next, in time.
    async fn next(&mut self, place: Place, awaited: &str) -> Incoming {
        match timeout(PATIENCE, self.hear()).await {
            Ok(Ok(incoming)) => incoming,
            Ok(Err(nonsense)) => self.fail(place, awaited, &nonsense),
            Err(_) => self.fail(place, awaited, &shown_patience()),
        }
    }

    /// What comes next; dropped before that, nothing is lost.
    async fn hear(&mut self) -> Result<Incoming, String> {
        loop {
            match self.decoder.decode(&mut self.input) {
                Ok(Some(Item::Frame(frame))) => return Ok(Incoming::Frame(frame)),
                Ok(Some(Item::HeartBeat)) => return Ok(Incoming::HeartBeat),
                Ok(None) => {}
                Err(error) => return Err(format!("what is no frame: {error}")),
            }
            if let Some(code) = self.ended {
                return Ok(Incoming::End(code));
            }
            match self.wire.hear().await {
                Heard::Bytes(bytes) if self.input.is_empty() => self.input = bytes,
                Heard::Bytes(bytes) => {
                    let mut joined = BytesMut::from(std::mem::take(&mut self.input));
                    joined.extend_from_slice(&bytes);
                    self.input = joined.freeze();
                }
                Heard::End { close_code } => self.ended = Some(close_code),
                Heard::Nonsense(error) => return Err(format!("what is no WebSocket: {error}")),
            }
        }
    }

    fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn fail(&self, place: Place, awaited: &str, came: &str) -> ! {
        panic!(
            "{place}: {} awaited {awaited}; there came {came}",
            self.name
        )
    }
}

fn shown_end(code: Option<u16>) -> String {
    let code = code.map(|code| format!(", with code {code}"));
    format!("the end of the connection{}", code.unwrap_or_default())
}

fn shown_patience() -> String {
    format!("nothing for {PATIENCE:?}")
}
