//! The state of a connection, for either role: bytes and `now` in, events and bytes out.

mod client;
mod error;
mod server;

pub use self::client::{ClientConfig, ClientConnection, ClientEvent, ConnectedInfo};
pub use self::error::{ConnectionError, ErrorReply, encode_error};
pub use self::server::{
    ConnectRequest, Connected, Connection, Event, MAX_HELD_INPUT_BYTES, ServerConfig, State,
};

/// What a timer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// The connection was not opened in time. It has failed.
    ConnectTimedOut,
    /// The peer was silent for twice the agreed interval. The connection has failed.
    HeartBeatMissed,
    /// Write [`HEART_BEAT`](crate::encoder::HEART_BEAT), unless other bytes are about to be written. The timer has
    /// started anew.
    SendHeartBeat,
}

impl Timeout {
    /// The reason to give for a timeout that ends the connection.
    pub fn error(self) -> Option<ConnectionError> {
        match self {
            Self::ConnectTimedOut => Some(ConnectionError::ConnectTimedOut),
            Self::HeartBeatMissed => Some(ConnectionError::HeartBeatMissed),
            Self::SendHeartBeat => None,
        }
    }
}
