//! What a frame is for: opcodes, and the two kinds of message.

/// The opcode of a frame (RFC 6455, section 5.2). Reserved opcodes have no value here: the decoder refuses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the message that is under way.
    Continuation = 0x0,
    /// The first fragment of a text message.
    Text = 0x1,
    /// The first fragment of a binary message.
    Binary = 0x2,
    /// The end of the conversation.
    Close = 0x8,
    /// A question that the other side answers with a pong.
    Ping = 0x9,
    /// The answer to a ping, or a sign of life that nobody asked for.
    Pong = 0xA,
}

impl Opcode {
    /// The opcode for the low four bits of a frame's first byte; `None` if they are reserved.
    pub fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    /// Whether this is a control frame: short, never fragmented, allowed between the fragments of a message.
    pub fn is_control(self) -> bool {
        self as u8 >= 0x8
    }
}

/// Whether a message is text, which is UTF-8 by promise, or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Bytes without a promise.
    Binary,
}

impl From<MessageKind> for Opcode {
    fn from(kind: MessageKind) -> Self {
        match kind {
            MessageKind::Text => Self::Text,
            MessageKind::Binary => Self::Binary,
        }
    }
}

/// Which end of the connection we are. Clients mask what they send, servers do not (RFC 6455, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}
