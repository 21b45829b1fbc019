//! One connection of the generator, from the TCP connection to the receipt of its subscription.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use crate::endpoint::Endpoint;
use crate::error::Ending;
use crate::greeting::{Beats, Greeting};
use crate::session::Session;
use crate::transport::Transport;
use crate::wire::{Event, Frame, Mask, Role, Scanner, Writer, upgrade_request};

/// What a connection subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) destination: String,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Connecting,
    Upgrading,
    Opening,
    Greeting,
    Subscribing,
    Ready,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connecting => "at the TCP connection",
            Self::Upgrading => "at the WebSocket handshake",
            Self::Opening => "at the opening of its SockJS session",
            Self::Greeting => "at CONNECT",
            Self::Subscribing => "at SUBSCRIBE",
            Self::Ready => "after its subscription",
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    socket: TcpStream,
    scanner: Scanner,
    state: State,
    /// False: what arrives stays in the kernel, as with a client that hangs.
    pub(crate) reading: bool,
}

/// All of a link but its socket and scanner, so that events can change it while the scanner reads.
#[derive(Debug)]
struct State {
    stage: Stage,
    writer: Writer,
    /// Written by us and not yet taken by the socket.
    out: Vec<u8>,
    /// Where SockJS is spoken.
    session: Option<Session>,
    subscription: Option<Subscription>,
    beats: Beats,
    last_heard: Instant,
    /// The longest silence of the server since it is ready.
    longest_silence: Duration,
    /// Why it ended; the first reason counts.
    ending: Option<Ending>,
}

impl Link {
    pub(crate) fn new(
        socket: TcpStream,
        endpoint: &Endpoint,
        number: u32,
        transport: Transport,
        subscription: Option<Subscription>,
    ) -> Self {
        let (role, writer) = roles(endpoint, transport, number);
        Self {
            socket,
            scanner: Scanner::new(role),
            state: State {
                stage: Stage::Connecting,
                writer,
                out: Vec::new(),
                session: Session::new(endpoint, transport, number),
                subscription,
                beats: Beats::default(),
                last_heard: Instant::now(),
                longest_silence: Duration::ZERO,
                ending: None,
            },
            reading: true,
        }
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub(crate) fn stage(&self) -> Stage {
        self.state.stage
    }

    pub(crate) fn ending(&self) -> Option<&Ending> {
        self.state.ending.as_ref()
    }

    pub(crate) fn beats(&self) -> Beats {
        self.state.beats
    }

    pub(crate) fn longest_silence(&self, now: Instant) -> Duration {
        let silence = now.saturating_duration_since(self.state.last_heard);
        self.state.longest_silence.max(silence)
    }

    /// The socket can be written: finish connecting, or go on with what waits.
    pub(crate) fn on_writable(&mut self, endpoint: &Endpoint, greeting: &Greeting) {
        if self.state.stage == Stage::Connecting {
            match self
                .socket
                .take_error()
                .and_then(|error| error.map_or(Ok(()), Err))
            {
                Ok(()) if self.socket.peer_addr().is_err() => return,
                Ok(()) => self.open(endpoint, greeting),
                Err(error) => self.state.end(Ending::Socket(error.kind())),
            }
        }
        self.flush();
    }

    fn open(&mut self, endpoint: &Endpoint, greeting: &Greeting) {
        let state = &mut self.state;
        let host = endpoint.address.to_string();
        match (&endpoint.path, &state.session) {
            (None, _) => state.greet(greeting),
            (Some(_), Some(session)) if !session.ask().is_empty() => {
                state.out.extend_from_slice(session.ask());
                state.stage = Stage::Opening;
            }
            (Some(path), session) => {
                let sockjs = session.as_ref().map(Session::websocket_path);
                let path = sockjs.as_ref().unwrap_or(path);
                let request = upgrade_request(&host, path, sockjs.is_none());
                state.out.extend_from_slice(request.as_bytes());
                state.stage = Stage::Upgrading;
            }
        }
    }

    /// Appends one STOMP frame in parts; [`Link::flush`] sends it, or [`Link::take_post`] has it.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) {
        self.state.write(parts);
    }

    /// The request that sends what waits, where that needs one.
    pub(crate) fn take_post(&mut self) -> Option<Vec<u8>> {
        self.state.session.as_mut()?.take_post()
    }

    /// It can't go on.
    pub(crate) fn fail(&mut self, ending: Ending) {
        self.state.end(ending);
    }

    /// Bytes that the socket did not take yet.
    pub(crate) fn waiting(&self) -> usize {
        self.state.out.len()
    }

    /// Writes what waits as far as the socket takes it.
    pub(crate) fn flush(&mut self) {
        let mut written = 0;
        while written < self.state.out.len() && self.state.ending.is_none() {
            match self.socket.write(&self.state.out[written..]) {
                Ok(0) => self.state.end(Ending::EndOfStream),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => self.state.end(Ending::Socket(error.kind())),
            }
        }
        self.state.out.drain(..written);
        if self.state.out.is_empty() && self.state.stage != Stage::Ready {
            self.state.out = Vec::new();
        }
    }

    /// Reads all that the socket holds; every MESSAGE goes to `on_message` with the moment of its read.
    pub(crate) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        greeting: &Greeting,
        closed: bool,
        on_message: &mut impl FnMut(&Frame<'_>, &Subscription, Instant),
    ) {
        while self.state.ending.is_none() && self.reading {
            let waiting = self.scanner.restore(buffer);
            let space = buffer.len() - waiting;
            match read_some(&mut self.socket, &mut buffer[waiting..]) {
                Ok(0) => self.state.end(Ending::EndOfStream),
                Ok(count) => {
                    let now = Instant::now();
                    self.state.heard(now);
                    let state = &mut self.state;
                    let scanned =
                        self.scanner
                            .advance(&mut buffer[..waiting + count], &mut |event| {
                                state.on_event(event, greeting, now, on_message);
                            });
                    if let Err(error) = scanned {
                        self.state.end(Ending::Protocol(error));
                    }
                    // A short read has emptied the socket, and what comes later makes a new event; only the end of
                    // the stream may have come together with the data.
                    if count < space && !closed {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => self.state.end(Ending::Socket(error.kind())),
            }
        }
        if !self.state.out.is_empty() {
            self.flush();
        }
    }
}

impl State {
    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }

    fn heard(&mut self, now: Instant) {
        if self.stage == Stage::Ready {
            let silence = now.saturating_duration_since(self.last_heard);
            self.longest_silence = self.longest_silence.max(silence);
        }
        self.last_heard = now;
    }

    fn on_event(
        &mut self,
        event: Event<'_>,
        greeting: &Greeting,
        now: Instant,
        on_message: &mut impl FnMut(&Frame<'_>, &Subscription, Instant),
    ) {
        match event {
            Event::Head(head) => self.on_head(head, greeting),
            Event::Opened if self.stage == Stage::Opening => self.greet(greeting),
            Event::Opened => self.end(Ending::Error("opened twice".to_owned())),
            Event::ResponseEnd => self.ask_again(),
            Event::EndOfLine | Event::HeartBeat => {}
            Event::Ping(payload) => self.writer.pong(&mut self.out, payload),
            Event::Close(code) => self.end(Ending::Close(code)),
            Event::Frame(frame) => match (frame.command, &self.subscription) {
                (b"MESSAGE", Some(subscription)) => on_message(&frame, subscription, now),
                (b"CONNECTED", _) if self.stage == Stage::Greeting => {
                    self.connected(&frame, greeting)
                }
                (b"RECEIPT", _) if self.stage == Stage::Subscribing => self.stage = Stage::Ready,
                (b"ERROR", _) => self.end(Ending::Error(text(frame.header(b"message")))),
                (command, _) => {
                    self.end(Ending::Error(format!("unexpected {}", text(Some(command)))))
                }
            },
        }
    }

    /// The handshake is done, or a response begins.
    fn on_head(&mut self, head: &[u8], greeting: &Greeting) {
        match (&mut self.session, self.stage) {
            (None, _) => self.greet(greeting),
            (Some(_), Stage::Upgrading) => self.stage = Stage::Opening,
            (Some(session), Stage::Opening) => session.remember(head),
            (Some(_), _) => {}
        }
    }

    fn ask_again(&mut self) {
        if let Some(session) = &self.session {
            self.out.extend_from_slice(session.ask());
        }
    }

    fn write(&mut self, parts: &[&[u8]]) {
        let out = match (&mut self.session, &self.writer) {
            (Some(session), Writer::SockJsArray) => &mut session.unsent,
            _ => &mut self.out,
        };
        self.writer.frame(out, parts);
    }

    fn greet(&mut self, greeting: &Greeting) {
        self.write(&[greeting.connect().as_bytes()]);
        self.stage = Stage::Greeting;
    }

    fn connected(&mut self, frame: &Frame<'_>, greeting: &Greeting) {
        if frame.header(b"version") != Some(b"1.2") {
            return self.end(Ending::Error("CONNECTED without version 1.2".to_owned()));
        }
        self.beats = Beats::agreed(greeting.heart_beat, frame);
        let Some(subscription) = &self.subscription else {
            self.stage = Stage::Ready;
            return;
        };
        let subscribe = format!(
            "SUBSCRIBE\nid:{}\ndestination:{}\nreceipt:subscribed\n\n\0",
            subscription.id, subscription.destination
        );
        self.write(&[subscribe.as_bytes()]);
        self.stage = Stage::Subscribing;
    }
}

/// How a link reads and writes.
fn roles(endpoint: &Endpoint, transport: Transport, number: u32) -> (Role, Writer) {
    let mask = Mask::new(number);
    match transport {
        Transport::Websocket if endpoint.is_websocket() => {
            (Role::WebSocketClient, Writer::WebSocket(mask))
        }
        Transport::Websocket => (Role::TcpClient, Writer::Stream),
        Transport::SockjsWebsocket => {
            let writer = Writer::SockJsWebSocket(mask);
            (Role::SockJsWebSocketClient, writer)
        }
        Transport::XhrStreaming | Transport::XhrPolling => {
            let streaming = transport == Transport::XhrStreaming;
            (Role::SockJsHttpClient { streaming }, Writer::SockJsArray)
        }
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn read_some(socket: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match socket.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
