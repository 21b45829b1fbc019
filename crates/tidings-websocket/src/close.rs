//! Ending a conversation: close codes and the closing handshake (RFC 6455, section 7).

use std::fmt;

/// A close code (RFC 6455, section 7.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// This end goes away: the server stops or the page is left.
    pub const GOING_AWAY: Self = Self(1001);
    /// The other end broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// The other end sent a kind of data that this end does not take.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// What an application sees when a close frame had no code; never on the wire.
    pub const NO_STATUS: Self = Self(1005);
    /// What an application sees when the connection ended without a close frame; never on the wire.
    pub const ABNORMAL: Self = Self(1006);
    /// A message's content does not match its kind, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// The other end broke a rule for which there is no better code.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// A message was too big.
    pub const TOO_BIG: Self = Self(1009);
    /// The client misses an extension that the server did not negotiate.
    pub const MISSING_EXTENSION: Self = Self(1010);
    /// The server met a condition that it cannot handle.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// The service restarts: reconnect after a random delay (registered with IANA).
    pub const SERVICE_RESTART: Self = Self(1012);
    /// The server is overloaded: reconnect later (registered with IANA).
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// Whether a close frame may carry this code: those that RFC 6455 or IANA define for the wire, and 3000 to 4999 for
    /// libraries and applications.
    pub fn is_allowed_on_wire(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the closing handshake stands (RFC 6455, section 7.1). Both roles use it; it decides who sends a close frame,
/// so that each end sends exactly one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    sent: bool,
    received: bool,
}

impl Closing {
    /// No close frame has passed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Call before a close frame is sent. `true` the first time: send it. `false`: one was sent, stay silent.
    pub fn send(&mut self) -> bool {
        !std::mem::replace(&mut self.sent, true)
    }

    /// Call when a close frame arrives. Returns `true` if it must be answered with one that carries the same code.
    pub fn receive(&mut self) -> bool {
        self.received = true;
        self.send()
    }

    /// Whether data, pings and pongs may still be sent: not after our close frame.
    pub fn may_send(self) -> bool {
        !self.sent
    }

    /// Whether both close frames have passed. The server then closes the TCP connection; the client waits for that.
    pub fn is_complete(self) -> bool {
        self.sent && self.received
    }
}
