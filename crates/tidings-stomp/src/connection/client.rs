//! The client's side of a connection.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::Timeout;
use super::error::ConnectionError;
use crate::decoder::{Decoder, Item};
use crate::encoder::encode_frame;
use crate::frame::{Command, Frame};
use crate::heart_beat::{Beat, HeartBeat, Pulse};
use crate::limits::Limits;
use crate::version::Version;

/// What a client wants of its connection.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientConfig {
    /// Limits of one frame.
    pub limits: Limits,
    /// What the client offers.
    pub heart_beat: HeartBeat,
    /// From the start to a complete CONNECTED.
    pub connect_timeout: Duration,
    /// The virtual host; 1.1 and later require it.
    pub host: String,
    /// Who connects.
    pub login: Option<String>,
    /// The password.
    pub passcode: Option<String>,
    /// Further headers of CONNECT, by name and value.
    pub headers: Vec<(String, String)>,
}

/// Shows all but the password and the further headers, which may hold a token.
impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limits,
            heart_beat,
            connect_timeout,
            host,
            login,
            passcode: _,
            headers: _,
        } = self;
        f.debug_struct("ClientConfig")
            .field("limits", limits)
            .field("heart_beat", heart_beat)
            .field("connect_timeout", connect_timeout)
            .field("host", host)
            .field("login", login)
            .finish_non_exhaustive()
    }
}

/// A connection as the client sees it; the verbs are those of [`Connection`](super::Connection).
#[derive(Debug)]
pub struct ClientConnection {
    decoder: Decoder,
    input: Bytes,
    heart_beat: HeartBeat,
    phase: Phase,
}

/// What happened on a [`ClientConnection`].
#[derive(Debug)]
pub enum ClientEvent {
    /// The server has accepted.
    Connected(ConnectedInfo),
    /// A MESSAGE, RECEIPT or ERROR. After an ERROR nothing more is decoded, but for one with `error-mode:continue`, which
    /// servers of Tidings send to clients that have asked for it in CONNECT.
    Frame(Frame),
    /// The server did what ends the connection.
    Failed(ConnectionError),
}

/// A CONNECTED frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectedInfo {
    /// The version to speak from now on.
    pub version: Version,
    /// What was agreed on, seen from the client.
    pub heart_beat: HeartBeat,
    /// The frame, with all its headers.
    pub frame: Frame,
}

impl ClientConnection {
    /// Opens a connection: appends CONNECT, which offers every version.
    pub fn open(config: &ClientConfig, now: Instant, out: &mut Vec<u8>) -> Self {
        let mut connect = Frame::new(Command::Connect)
            .with_header("accept-version", Version::ALL_AS_LIST)
            .with_header("host", &config.host)
            .with_header("heart-beat", &config.heart_beat.to_string());
        for (name, value) in [("login", &config.login), ("passcode", &config.passcode)] {
            value
                .iter()
                .for_each(|value| connect.headers.push(name, value));
        }
        for (name, value) in &config.headers {
            connect.headers.push(name, value);
        }
        encode_frame(&connect, Version::V1_0, out);
        Self {
            decoder: Decoder::new(config.limits),
            input: Bytes::new(),
            heart_beat: config.heart_beat,
            phase: Phase::Opening {
                deadline: now + config.connect_timeout,
            },
        }
    }

    /// Takes what was read; poll events until there are none before the next read.
    pub fn handle_input(&mut self, now: Instant, bytes: Bytes) {
        match &mut self.phase {
            Phase::Done => return,
            Phase::Open { pulse, .. } => pulse.heard(now),
            Phase::Opening { .. } => {}
        }
        if self.input.is_empty() {
            self.input = bytes;
        } else {
            let mut joined = BytesMut::from(std::mem::take(&mut self.input));
            joined.extend_from_slice(&bytes);
            self.input = joined.freeze();
        }
    }

    /// What happened next; `None` when more input is needed.
    pub fn poll_event(&mut self, now: Instant) -> Option<ClientEvent> {
        while !matches!(self.phase, Phase::Done) {
            match self.decoder.decode(&mut self.input) {
                Ok(None) => return None,
                Ok(Some(Item::HeartBeat)) => {}
                Ok(Some(Item::Frame(frame))) => {
                    return Some(
                        self.frame(now, frame)
                            .unwrap_or_else(|error| self.failed(error)),
                    );
                }
                Err(error) => return Some(self.failed(error.into())),
            }
        }
        None
    }

    /// Something was written: the next heart-beat can wait.
    pub fn handle_output(&mut self, now: Instant) {
        if let Phase::Open { pulse, .. } = &mut self.phase {
            pulse.sent(now);
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Opening { deadline } => Some(*deadline),
            Phase::Open { pulse, .. } => pulse.next(),
            Phase::Done => None,
        }
    }

    /// What is due by now; call it again until it returns nothing.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Timeout> {
        let timeout = match &mut self.phase {
            Phase::Opening { deadline } if *deadline <= now => Timeout::ConnectTimedOut,
            Phase::Open { pulse, .. } => match pulse.check(now)? {
                Beat::Due => return Some(Timeout::SendHeartBeat),
                Beat::Missed => Timeout::HeartBeatMissed,
            },
            _ => return None,
        };
        self.finish();
        Some(timeout)
    }

    /// The version to write frames in; `None` unless connected.
    pub fn version(&self) -> Option<Version> {
        match self.phase {
            Phase::Open { version, .. } => Some(version),
            _ => None,
        }
    }

    fn frame(&mut self, now: Instant, frame: Frame) -> Result<ClientEvent, ConnectionError> {
        let command = frame.command;
        match (command, &self.phase) {
            (Command::Connected, Phase::Opening { .. }) => {
                self.connected(now, frame).map(ClientEvent::Connected)
            }
            (Command::Connected, _) => Err(ConnectionError::AlreadyConnected { command }),
            (Command::Error, Phase::Open { .. }) if goes_on(&frame) => {
                Ok(ClientEvent::Frame(frame))
            }
            (Command::Error, _) => {
                self.finish();
                Ok(ClientEvent::Frame(frame))
            }
            (_, Phase::Opening { .. }) => Err(ConnectionError::NotConnected {
                command,
                receipt: None,
            }),
            _ if command.is_from_server() => Ok(ClientEvent::Frame(frame)),
            _ => Err(ConnectionError::UnexpectedCommand {
                command,
                receipt: None,
            }),
        }
    }

    fn connected(&mut self, now: Instant, frame: Frame) -> Result<ConnectedInfo, ConnectionError> {
        let version = Version::negotiate(frame.header("version"))?;
        let peer = frame
            .header("heart-beat")
            .map_or(Ok(HeartBeat::NONE), str::parse)?;
        let heart_beat = self.heart_beat.agreed_with(peer);
        self.decoder.set_version(version);
        self.phase = Phase::Open {
            version,
            pulse: Pulse::new(heart_beat, now),
        };
        Ok(ConnectedInfo {
            version,
            heart_beat,
            frame,
        })
    }

    fn failed(&mut self, error: ConnectionError) -> ClientEvent {
        self.finish();
        ClientEvent::Failed(error)
    }

    fn finish(&mut self) {
        self.phase = Phase::Done;
        self.input = Bytes::new();
    }
}

/// Whether the server keeps the connection up behind this ERROR.
fn goes_on(error: &Frame) -> bool {
    error.header("error-mode") == Some("continue")
}

#[derive(Debug)]
enum Phase {
    Opening { deadline: Instant },
    Open { version: Version, pulse: Pulse },
    Done,
}
