//! The server's side of a connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::Timeout;
use super::error::{ConnectionError, ErrorReply, encode_error};
use crate::decoder::{Decoder, Item};
use crate::encoder::{write_command, write_end, write_header};
use crate::frame::{Command, Frame};
use crate::heart_beat::{Beat, HeartBeat, Pulse};
use crate::limits::Limits;
use crate::version::Version;

/// Bytes of input that may wait undecoded before [`Connection::wants_input`] says no.
pub const MAX_HELD_INPUT_BYTES: usize = 16 * 1024;

/// What all connections of a server share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Limits of one frame, from the first byte on.
    pub limits: Limits,
    /// What the server offers; by custom 10 s both ways.
    pub heart_beat: HeartBeat,
    /// From the start of the connection to a complete CONNECT.
    pub connect_timeout: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let interval = Duration::from_secs(10);
        Self {
            limits: Limits::default(),
            heart_beat: HeartBeat {
                send: interval,
                receive: interval,
            },
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// A connection as the server sees it.
///
/// Feed it with [`handle_input`](Self::handle_input), then call [`poll_event`](Self::poll_event) until it returns
/// nothing. Answer [`Event::Connect`] with [`accept`](Self::accept) or [`error`](Self::error), [`Event::Failed`] with
/// [`fail`](Self::fail). Set a timer for [`poll_timeout`](Self::poll_timeout), anew after each call of anything else,
/// and call [`handle_timeout`](Self::handle_timeout) when it fires.
#[derive(Debug)]
pub struct Connection {
    config: Arc<ServerConfig>,
    decoder: Decoder,
    /// What was not decoded yet.
    input: Bytes,
    timer: Timer,
    /// What the client asked for in CONNECT, till it is accepted.
    client_heart_beat: HeartBeat,
    version: Option<Version>,
    state: State,
}

/// Where a [`Connection`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for CONNECT.
    Opening,
    /// CONNECT was read; waits for `accept` or `error`.
    Deciding,
    /// Frames flow.
    Connected,
    /// DISCONNECT was read; nothing more is. What is due may be written before the close.
    Disconnecting,
    /// The peer failed; nothing more is read. An ERROR may be written.
    Failed,
    /// An ERROR was written; close once it is out.
    Closing,
}

/// What happened on a [`Connection`].
#[derive(Debug)]
pub enum Event {
    /// The client wants to connect. Nothing more is decoded before the answer.
    Connect(ConnectRequest),
    /// A client frame; [`Frame::request`] says what it asks for. The last one is DISCONNECT.
    Request(Frame),
    /// The peer did what ends the connection.
    Failed(ConnectionError),
}

/// A CONNECT or STOMP frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRequest {
    /// The version agreed on.
    pub version: Version,
    /// What the client offers; none in 1.0.
    pub heart_beat: HeartBeat,
    /// The frame, with all its headers.
    pub frame: Frame,
}

impl ConnectRequest {
    /// The user's name, as claimed.
    pub fn login(&self) -> Option<&str> {
        self.frame.header("login")
    }

    /// The password. Never log it.
    pub fn passcode(&self) -> Option<&str> {
        self.frame.header("passcode")
    }

    /// The virtual host. 1.1 and later require it, but much used clients leave it out.
    pub fn host(&self) -> Option<&str> {
        self.frame.header("host")
    }
}

/// What a CONNECTED frame says, besides version and heart-beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Connected<'a> {
    /// Identifies the session; 1.0 requires it.
    pub session: &'a str,
    /// The server as `name/version`.
    pub server: Option<&'a str>,
    /// Who the client turned out to be: header `user-name`.
    pub user_name: Option<&'a str>,
    /// More headers, after those.
    pub headers: &'a [(&'a str, &'a str)],
}

impl Connection {
    /// A connection that has just been opened.
    pub fn server(config: &Arc<ServerConfig>, now: Instant) -> Self {
        Self {
            config: Arc::clone(config),
            decoder: Decoder::new(config.limits),
            input: Bytes::new(),
            timer: Timer::Connect(now + config.connect_timeout),
            client_heart_beat: HeartBeat::NONE,
            version: None,
            state: State::Opening,
        }
    }

    /// Takes what was read. Any byte is a sign of life. Once nothing more is decoded, input is thrown away.
    ///
    /// Input waits while an answer to CONNECT is due: stop reading when [`wants_input`](Self::wants_input) says so.
    pub fn handle_input(&mut self, now: Instant, bytes: Bytes) {
        if let Timer::Pulse(pulse) = &mut self.timer {
            pulse.heard(now);
        }
        if self.is_done() || bytes.is_empty() {
            // A mere sign of life must not cost a copy of what waits.
            return;
        }
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            let mut joined = BytesMut::from(std::mem::take(&mut self.input));
            joined.extend_from_slice(&bytes);
            self.input = joined.freeze();
        }
    }

    /// Whether to read on. False while [`MAX_HELD_INPUT_BYTES`] or more wait to be decoded; what is read all the same
    /// is kept, so at most one read more is held. True when input is thrown away: a closing connection must be drained.
    pub fn wants_input(&self) -> bool {
        self.input.len() < MAX_HELD_INPUT_BYTES
    }

    /// What happened next; `None` when more input, or the answer to CONNECT, is needed.
    pub fn poll_event(&mut self) -> Option<Event> {
        while matches!(self.state, State::Opening | State::Connected) {
            match self.decoder.decode(&mut self.input) {
                Ok(None) => return None,
                Ok(Some(Item::HeartBeat)) => {}
                Ok(Some(Item::Frame(frame))) => {
                    let event = self.frame(frame);
                    return Some(event.unwrap_or_else(|error| self.failed(error)));
                }
                Err(error) => return Some(self.failed(error.into())),
            }
        }
        None
    }

    /// Appends CONNECTED and lets frames flow in the agreed version. Does nothing unless an answer is due.
    pub fn accept(&mut self, now: Instant, connected: &Connected<'_>, out: &mut Vec<u8>) {
        let (State::Deciding, Some(version)) = (self.state, self.version) else {
            return;
        };
        self.state = State::Connected;
        self.decoder.set_version(version);
        let agreed = self.config.heart_beat.agreed_with(self.client_heart_beat);
        self.timer = Timer::Pulse(Pulse::new(agreed, now));
        self.write_connected(version, connected, out);
    }

    /// Appends an ERROR, in the form that the peer reads; then input is thrown away and the connection should be closed.
    /// Also refuses a CONNECT. Does nothing after an ERROR was written.
    pub fn error(&mut self, reply: &ErrorReply<'_>, out: &mut Vec<u8>) {
        if self.state == State::Closing {
            return;
        }
        self.finish(State::Closing);
        // A peer that named no version reads 1.0 at least, and bare colons do no harm in any.
        encode_error(reply, self.version.unwrap_or(Version::V1_0), out);
    }

    /// Appends the ERROR that tells the peer what it did.
    pub fn fail(&mut self, error: &ConnectionError, out: &mut Vec<u8>) {
        let details = error.to_string();
        let versions = [("version", Version::ALL_AS_LIST)];
        let reply = ErrorReply {
            code: error.code(),
            message: details
                .rsplit_once("; ")
                .map_or(&*details, |(cause, _)| cause),
            receipt_id: error.receipt(),
            details: &details,
            headers: if matches!(error, ConnectionError::Version(_)) {
                &versions
            } else {
                &[]
            },
        };
        self.error(&reply, out);
    }

    /// Something was written: the next heart-beat can wait.
    pub fn handle_output(&mut self, now: Instant) {
        if let Timer::Pulse(pulse) = &mut self.timer {
            pulse.sent(now);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.timer {
            Timer::Off => None,
            Timer::Connect(deadline) => Some(*deadline),
            Timer::Pulse(pulse) => pulse.next(),
        }
    }

    /// What is due by now; call it again until it returns nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Timeout> {
        let timeout = match &mut self.timer {
            Timer::Connect(deadline) if *deadline <= now => Timeout::ConnectTimedOut,
            Timer::Pulse(pulse) => match pulse.check(now)? {
                Beat::Due => return Some(Timeout::SendHeartBeat),
                Beat::Missed => Timeout::HeartBeatMissed,
            },
            _ => return None,
        };
        self.finish(State::Failed);
        Some(timeout)
    }

    /// The version agreed on, known from CONNECT on.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether heart-beats to the client were agreed: then it hears from this side without anything else's help.
    pub fn sends_heart_beats(&self) -> bool {
        matches!(&self.timer, Timer::Pulse(pulse) if pulse.is_sending())
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    fn frame(&mut self, frame: Frame) -> Result<Event, ConnectionError> {
        let command = frame.command;
        let receipt = || frame.receipt().map(Box::from);
        match command {
            Command::Connect | Command::Stomp if self.state == State::Opening => {
                self.connect(frame).map(Event::Connect)
            }
            Command::Connect | Command::Stomp => Err(ConnectionError::AlreadyConnected { command }),
            _ if self.state == State::Opening => Err(ConnectionError::NotConnected {
                command,
                receipt: receipt(),
            }),
            _ if command.is_from_server() => Err(ConnectionError::UnexpectedCommand {
                command,
                receipt: receipt(),
            }),
            Command::Disconnect => {
                self.finish(State::Disconnecting);
                Ok(Event::Request(frame))
            }
            _ => Ok(Event::Request(frame)),
        }
    }

    fn connect(&mut self, frame: Frame) -> Result<ConnectRequest, ConnectionError> {
        let version = Version::negotiate(frame.header("accept-version"))?;
        self.version = Some(version);
        let heart_beat = match frame.header("heart-beat") {
            Some(value) if version >= Version::V1_1 => value.parse()?,
            _ => HeartBeat::NONE,
        };
        self.client_heart_beat = heart_beat;
        self.timer = Timer::Off;
        self.state = State::Deciding;
        Ok(ConnectRequest {
            version,
            heart_beat,
            frame,
        })
    }

    fn write_connected(&self, version: Version, connected: &Connected<'_>, out: &mut Vec<u8>) {
        write_command(out, Command::Connected);
        let mut header = |name: &str, value: &str| write_header(out, name, value, Version::V1_0);
        header("version", version.as_str());
        header("session", connected.session);
        if version >= Version::V1_1 {
            header("heart-beat", &self.config.heart_beat.to_string());
        }
        connected
            .server
            .into_iter()
            .for_each(|server| header("server", server));
        connected
            .user_name
            .into_iter()
            .for_each(|name| header("user-name", name));
        connected
            .headers
            .iter()
            .for_each(|(name, value)| header(name, value));
        write_end(out);
    }

    fn failed(&mut self, error: ConnectionError) -> Event {
        self.finish(State::Failed);
        Event::Failed(error)
    }

    fn finish(&mut self, state: State) {
        self.state = state;
        self.timer = Timer::Off;
        self.input = Bytes::new();
    }

    fn is_done(&self) -> bool {
        matches!(
            self.state,
            State::Disconnecting | State::Failed | State::Closing
        )
    }
}

/// The one timer that a connection needs at a time.
#[derive(Debug)]
enum Timer {
    Off,
    Connect(Instant),
    Pulse(Pulse),
}
