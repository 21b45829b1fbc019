//! One connection of the generator, from the TCP connection to the receipt of its subscription.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;

use crate::endpoint::Endpoint;
use crate::error::Ending;
use crate::wire::{Event, Frame, Role, Scanner, Writer, upgrade_request};

/// What every connection of a run says in its CONNECT.
#[derive(Debug, Clone)]
pub(crate) struct Greeting {
    pub(crate) virtual_host: String,
    pub(crate) login: Option<(String, String)>,
    /// Offered both ways; zero: none.
    pub(crate) heart_beat: Duration,
}

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
    Greeting,
    Subscribing,
    Ready,
}

impl Stage {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connecting => "at the TCP connection",
            Self::Upgrading => "at the WebSocket handshake",
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
    subscription: Option<Subscription>,
    /// How often each side must say something, as agreed in CONNECTED; zero: never.
    beats: Beats,
    last_heard: Instant,
    /// The longest silence of the server since it is ready.
    longest_silence: Duration,
    /// Why it ended; the first reason counts.
    ending: Option<Ending>,
}

/// Heart-beat intervals after the negotiation (STOMP 1.2, "Heart-beating").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Beats {
    pub(crate) ours: Duration,
    pub(crate) theirs: Duration,
}

impl Link {
    pub(crate) fn new(
        socket: TcpStream,
        endpoint: &Endpoint,
        number: u32,
        subscription: Option<Subscription>,
    ) -> Self {
        let websocket = endpoint.is_websocket();
        let role = if websocket {
            Role::WebSocketClient
        } else {
            Role::TcpClient
        };
        Self {
            socket,
            scanner: Scanner::new(role),
            state: State {
                stage: Stage::Connecting,
                writer: Writer::new(websocket, number),
                out: Vec::new(),
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
        match &endpoint.path {
            Some(path) => {
                let request = upgrade_request(&endpoint.address.to_string(), path);
                self.state.out.extend_from_slice(request.as_bytes());
                self.state.stage = Stage::Upgrading;
            }
            None => self.state.greet(greeting),
        }
    }

    /// Appends one STOMP frame in parts; [`Link::flush`] sends it.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) {
        self.state.writer.frame(&mut self.state.out, parts);
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
            Event::Head(_) => self.greet(greeting),
            Event::EndOfLine => {}
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

    fn greet(&mut self, greeting: &Greeting) {
        let beat = greeting.heart_beat.as_millis();
        let login = greeting
            .login
            .as_ref()
            .map_or_else(String::new, |(login, passcode)| {
                format!("login:{login}\npasscode:{passcode}\n")
            });
        let connect = format!(
            "CONNECT\naccept-version:1.2\nhost:{}\nheart-beat:{beat},{beat}\n{login}\n\0",
            greeting.virtual_host
        );
        self.writer.frame(&mut self.out, &[connect.as_bytes()]);
        self.stage = Stage::Greeting;
    }

    fn connected(&mut self, frame: &Frame<'_>, greeting: &Greeting) {
        if frame.header(b"version") != Some(b"1.2") {
            return self.end(Ending::Error("CONNECTED without version 1.2".to_owned()));
        }
        self.beats = Beats::agreed(greeting.heart_beat, frame.header(b"heart-beat"));
        let Some(subscription) = &self.subscription else {
            self.stage = Stage::Ready;
            return;
        };
        let subscribe = format!(
            "SUBSCRIBE\nid:{}\ndestination:{}\nreceipt:subscribed\n\n\0",
            subscription.id, subscription.destination
        );
        self.writer.frame(&mut self.out, &[subscribe.as_bytes()]);
        self.stage = Stage::Subscribing;
    }
}

impl Beats {
    fn agreed(offered: Duration, answer: Option<&[u8]>) -> Self {
        let answer = text(answer);
        let (sends, wants) = answer.split_once(',').unwrap_or(("0", "0"));
        let agree = |theirs: &str| match theirs.trim().parse::<u64>() {
            Ok(milliseconds) if milliseconds > 0 && !offered.is_zero() => {
                offered.max(Duration::from_millis(milliseconds))
            }
            _ => Duration::ZERO,
        };
        Self {
            ours: agree(wants),
            theirs: agree(sends),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beats_are_the_longer_interval_of_the_two_and_none_when_one_side_declines() {
        let seconds = Duration::from_secs;
        let agreed = |ours, answer: &str| Beats::agreed(seconds(ours), Some(answer.as_bytes()));
        let beats = |ours, theirs| Beats {
            ours: seconds(ours),
            theirs: seconds(theirs),
        };
        assert_eq!(agreed(10, "5000,20000"), beats(20, 10));
        assert_eq!(agreed(10, "0,10000"), beats(10, 0));
        assert_eq!(agreed(0, "5000,5000"), beats(0, 0));
        assert_eq!(Beats::agreed(seconds(10), None), beats(0, 0));
    }
}
