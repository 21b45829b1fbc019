//! What arrives.

use bytes::Bytes;

use crate::{close::CloseCode, opcode::MessageKind};

/// Something that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A piece of a message, in order, as it arrives: a piece may be less or more than a frame.
    Data {
        /// The kind of the message, the same for all its pieces.
        kind: MessageKind,
        /// What this piece adds. Text was checked to be UTF-8, though a piece may end within a character.
        payload: Bytes,
        /// Whether this is the message's last piece; only that one may be empty.
        end: bool,
    },
    /// A ping, to be answered with a pong of the same payload.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// The other end closes; whatever follows is ignored.
    Close {
        /// The code, if there was one.
        code: Option<CloseCode>,
        /// The reason; often empty.
        reason: String,
    },
}
