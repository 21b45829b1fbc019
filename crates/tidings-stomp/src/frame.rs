//! Commands and frames.

use std::fmt;

use bytes::Bytes;

use crate::header::Headers;

/// The first line of a frame. Case-sensitive on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Client: opens the session.
    Connect,
    /// Client: the same as CONNECT (1.1 and later).
    Stomp,
    /// Server: the session is open.
    Connected,
    /// Client: a message for a destination.
    Send,
    /// Client: asks for the messages of a destination.
    Subscribe,
    /// Client: ends a subscription.
    Unsubscribe,
    /// Client: a message was consumed.
    Ack,
    /// Client: a message was not consumed (1.1 and later).
    Nack,
    /// Client: opens a transaction.
    Begin,
    /// Client: carries a transaction out.
    Commit,
    /// Client: drops a transaction.
    Abort,
    /// Client: ends the session.
    Disconnect,
    /// Server: a message of a subscription.
    Message,
    /// Server: a frame that asked for a receipt was processed.
    Receipt,
    /// Server: something went wrong; the connection closes after it.
    Error,
}

impl Command {
    /// The command as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Stomp => "STOMP",
            Self::Connected => "CONNECTED",
            Self::Send => "SEND",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Ack => "ACK",
            Self::Nack => "NACK",
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
            Self::Disconnect => "DISCONNECT",
            Self::Message => "MESSAGE",
            Self::Receipt => "RECEIPT",
            Self::Error => "ERROR",
        }
    }

    /// The command that these bytes name, in exactly this case.
    pub fn from_bytes(line: &[u8]) -> Option<Self> {
        Some(match line {
            b"CONNECT" => Self::Connect,
            b"STOMP" => Self::Stomp,
            b"CONNECTED" => Self::Connected,
            b"SEND" => Self::Send,
            b"SUBSCRIBE" => Self::Subscribe,
            b"UNSUBSCRIBE" => Self::Unsubscribe,
            b"ACK" => Self::Ack,
            b"NACK" => Self::Nack,
            b"BEGIN" => Self::Begin,
            b"COMMIT" => Self::Commit,
            b"ABORT" => Self::Abort,
            b"DISCONNECT" => Self::Disconnect,
            b"MESSAGE" => Self::Message,
            b"RECEIPT" => Self::Receipt,
            b"ERROR" => Self::Error,
            _ => return None,
        })
    }

    /// Whether a server sends it; the others are for clients.
    pub const fn is_from_server(self) -> bool {
        matches!(
            self,
            Self::Connected | Self::Message | Self::Receipt | Self::Error
        )
    }

    /// Whether a frame of this command may have a body: SEND, MESSAGE and ERROR (STOMP 1.2, "Body").
    pub const fn has_body(self) -> bool {
        matches!(self, Self::Send | Self::Message | Self::Error)
    }

    /// Whether its headers are escaped in versions that escape: all but those that settle the version.
    pub const fn is_escaped(self) -> bool {
        !matches!(self, Self::Connect | Self::Stomp | Self::Connected)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One STOMP frame. A decoded one is made of slices of the input it came in, and keeps that whole input alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the frame does.
    pub command: Command,
    /// Its headers, unescaped, in the order of the wire.
    pub headers: Headers,
    /// Its body; empty on commands that have none.
    pub body: Bytes,
}

impl Frame {
    /// A frame without headers and body.
    pub fn new(command: Command) -> Self {
        Self {
            command,
            headers: Headers::new(),
            body: Bytes::new(),
        }
    }

    /// The same frame with one more header at its end.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same frame with this body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The `receipt` header: the peer wants to hear when this frame is processed. CONNECT asks for none (STOMP 1.2,
    /// "receipt").
    pub fn receipt(&self) -> Option<&str> {
        match self.command {
            Command::Connect | Command::Stomp => None,
            _ => self.headers.get("receipt"),
        }
    }

    /// The same frame in memory of its own: for one that is held long, so that the input it came in is free.
    #[must_use]
    pub fn detached(self) -> Self {
        Self {
            command: self.command,
            headers: self.headers.detached(),
            body: Bytes::copy_from_slice(&self.body),
        }
    }

    /// Bytes of headers and body.
    pub fn byte_len(&self) -> usize {
        self.headers.byte_len() + self.body.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read_as_it_is_written() {
        use Command::*;
        for command in [
            Connect,
            Stomp,
            Connected,
            Send,
            Subscribe,
            Unsubscribe,
            Ack,
            Nack,
            Begin,
            Commit,
            Abort,
            Disconnect,
            Message,
            Receipt,
            Error,
        ] {
            assert_eq!(
                Command::from_bytes(command.as_str().as_bytes()),
                Some(command)
            );
        }
        for line in ["", "send", "SEND ", " SEND", "SENDS", "CONNECTE", "MESSAGe"] {
            assert_eq!(Command::from_bytes(line.as_bytes()), None, "{line:?}");
        }
    }
}
