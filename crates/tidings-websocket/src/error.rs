//! Why the decoder gives up a connection.

use crate::close::CloseCode;

/// A breach of the protocol or of a limit. The connection is to be closed with [`close_code`](Self::close_code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// RFC 6455, section 5.2; RFC 7692, section 6.
    #[error(
        "a reserved bit is set; only the first frame of a compressed message may set RSV1, and only once agreed"
    )]
    ReservedBits,
    /// RFC 6455, section 5.2.
    #[error("the opcode is reserved; use text, binary, continuation, close, ping or pong")]
    ReservedOpcode,
    /// RFC 6455, section 5.1.
    #[error("the frame is not masked; a client masks every frame")]
    NotMasked,
    /// RFC 6455, section 5.1.
    #[error("the frame is masked; a server masks no frame")]
    Masked,
    /// RFC 6455, section 5.2.
    #[error("the length of the frame is malformed; use the shortest form and 63 bits at most")]
    InvalidLength,
    /// RFC 6455, section 5.5.
    #[error("the control frame is over 125 bytes; send more in a message")]
    ControlTooLong,
    /// RFC 6455, section 5.5.
    #[error("the control frame is fragmented; send it whole")]
    ControlFragmented,
    /// RFC 6455, section 5.4.
    #[error("a continuation came without a message to continue; begin with text or binary")]
    UnexpectedContinuation,
    /// RFC 6455, section 5.4.
    #[error("a new message began within another; end the first one before")]
    ExpectedContinuation,
    /// RFC 6455, sections 5.5.1 and 7.4.
    #[error("the close code is malformed or not allowed on the wire; use 1000 or 3000 to 4999")]
    InvalidCloseCode,
    /// RFC 6455, section 8.1.
    #[error("the text is not UTF-8; send it as binary or encode it")]
    InvalidUtf8,
    /// RFC 7692, section 7.2.2.
    #[error(
        "the compressed message cannot be inflated; send raw DEFLATE without context from earlier messages"
    )]
    InvalidDeflate,
    /// [`Limits::max_frame_bytes`](crate::Limits::max_frame_bytes).
    #[error("the frame is over the limit; send the message in smaller fragments")]
    FrameTooLarge,
    /// [`Limits::max_message_bytes`](crate::Limits::max_message_bytes).
    #[error("the message is over the limit; send less in one message")]
    MessageTooLarge,
    /// [`Limits::max_fragments`](crate::Limits::max_fragments).
    #[error("the message has too many fragments; send it in fewer and larger ones")]
    TooManyFragments,
}

impl Error {
    /// The code for the close frame: 1002 for the protocol, 1007 for content, 1009 for limits.
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidDeflate => CloseCode::INVALID_PAYLOAD,
            Self::FrameTooLarge | Self::MessageTooLarge | Self::TooManyFragments => {
                CloseCode::TOO_BIG
            }
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// A stable name, for metrics and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved-bits",
            Self::ReservedOpcode => "reserved-opcode",
            Self::NotMasked => "not-masked",
            Self::Masked => "masked",
            Self::InvalidLength => "invalid-length",
            Self::ControlTooLong => "control-too-long",
            Self::ControlFragmented => "control-fragmented",
            Self::UnexpectedContinuation => "unexpected-continuation",
            Self::ExpectedContinuation => "expected-continuation",
            Self::InvalidCloseCode => "invalid-close-code",
            Self::InvalidUtf8 => "invalid-utf8",
            Self::InvalidDeflate => "invalid-deflate",
            Self::FrameTooLarge => "frame-too-large",
            Self::MessageTooLarge => "message-too-large",
            Self::TooManyFragments => "too-many-fragments",
        }
    }
}
