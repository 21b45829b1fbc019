//! What can be wrong with bytes that should be frames.

use thiserror::Error;

use crate::frame::Command;

/// Bytes that are no STOMP, or too much of it. The decoder gives up with the first one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct DecodeError {
    kind: DecodeErrorKind,
    receipt: Option<Box<str>>,
}

impl DecodeError {
    pub(super) fn new(kind: DecodeErrorKind, receipt: Option<Box<str>>) -> Self {
        Self { kind, receipt }
    }

    /// What is wrong.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.kind
    }

    /// A short name that never changes, in kebab-case, for programs: [`DecodeErrorKind::code`].
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The `receipt` header of the offending frame, where it was read before the error was seen.
    pub fn receipt(&self) -> Option<&str> {
        self.receipt.as_deref()
    }
}

/// The cause of a [`DecodeError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The first line of a frame names no command.
    #[error("unknown command \"{found}\"; commands are those of STOMP, in capitals")]
    UnknownCommand {
        /// The start of the line, control characters escaped.
        found: String,
    },
    /// The first line of a frame is too long to be a command.
    #[error("command line is longer than {limit} bytes; is this STOMP?")]
    CommandTooLong {
        /// [`Limits::max_command_bytes`](crate::Limits::max_command_bytes).
        limit: usize,
    },
    /// A header line is too long.
    #[error("line {line} of the frame is longer than {limit} bytes; send long values in the body")]
    HeaderTooLong {
        /// Which line, the command being line 1.
        line: usize,
        /// [`Limits::max_header_line_bytes`](crate::Limits::max_header_line_bytes).
        limit: usize,
    },
    /// A frame has too many headers.
    #[error("frame has more than {limit} headers; send fewer")]
    TooManyHeaders {
        /// [`Limits::max_headers`](crate::Limits::max_headers).
        limit: usize,
    },
    /// A header line has no colon, or no name before it.
    #[error(
        "line {line} of the frame is no header; write name:value, and an empty line after the last header"
    )]
    InvalidHeader {
        /// Which line, the command being line 1.
        line: usize,
    },
    /// A NUL stands before the empty line that ends the headers.
    #[error("line {line} of the frame holds a NUL; an empty line must stand before body and NUL")]
    UnexpectedNul {
        /// Which line, the command being line 1.
        line: usize,
    },
    /// The head of the frame is not UTF-8.
    #[error("head of the frame is not UTF-8; the first bad byte is at offset {offset}")]
    InvalidUtf8 {
        /// Bytes before the first bad one, counted from the command.
        offset: usize,
    },
    /// A backslash is followed by something that this version does not define.
    #[error(
        "line {line} of the frame holds the undefined escape \"{found}\"; write a backslash as \\\\"
    )]
    InvalidEscape {
        /// Which line, the command being line 1.
        line: usize,
        /// The backslash and what follows it.
        found: String,
    },
    /// The `content-length` is no number of bytes.
    #[error("content-length is not a number of bytes; write digits only")]
    InvalidContentLength,
    /// The body is larger than allowed.
    #[error("body of {}{found} bytes is larger than the limit of {limit} bytes; send less", if *.more { "at least " } else { "" })]
    BodyTooLarge {
        /// [`Limits::max_body_bytes`](crate::Limits::max_body_bytes).
        limit: usize,
        /// The `content-length`, or how many bytes were seen.
        found: usize,
        /// Whether the body may be larger than `found`, for want of a `content-length`.
        more: bool,
    },
    /// A frame has a body that must have none.
    #[error("{command} has a body; only SEND, MESSAGE and ERROR may have one")]
    UnexpectedBody {
        /// The command of the frame.
        command: Command,
    },
    /// No NUL stands where `content-length` says that the body ends.
    #[error(
        "no NUL after a body of {content_length} bytes; content-length counts bytes, not characters"
    )]
    MissingNul {
        /// What the header said.
        content_length: usize,
    },
    /// The decoder had failed before; it can't find the next frame.
    #[error("decoder failed before; close the connection")]
    Poisoned,
}

impl DecodeErrorKind {
    /// A short name that never changes, in kebab-case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCommand { .. } => "unknown-command",
            Self::CommandTooLong { .. } => "command-too-long",
            Self::HeaderTooLong { .. } => "header-too-long",
            Self::TooManyHeaders { .. } => "too-many-headers",
            Self::InvalidHeader { .. } => "invalid-header",
            Self::UnexpectedNul { .. } => "unexpected-nul",
            Self::InvalidUtf8 { .. } => "invalid-utf8",
            Self::InvalidEscape { .. } => "invalid-escape",
            Self::InvalidContentLength => "invalid-content-length",
            Self::BodyTooLarge { .. } => "body-too-large",
            Self::UnexpectedBody { .. } => "unexpected-body",
            Self::MissingNul { .. } => "missing-nul",
            Self::Poisoned => "already-failed",
        }
    }
}
