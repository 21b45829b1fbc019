//! Where the body of a frame ends.

use bytes::Bytes;
use memchr::memchr;

use super::error::{DecodeError, DecodeErrorKind as Kind};
use super::head::Rules;
use crate::frame::Command;
use crate::header::Headers;
use crate::version::Version;

/// How the end of one frame's body is found.
#[derive(Debug)]
pub(super) struct BodyRule {
    command: Command,
    end: End,
    /// 1.0 lets SUBSCRIBE have a body and ignores it.
    ignored: bool,
}

#[derive(Debug)]
enum End {
    /// After so many bytes, as `content-length` says.
    Counted(usize),
    /// Before the first NUL.
    Nul,
    /// At once: this command has no body. Its `content-length` is not believed, since clients are known to copy the one
    /// of a MESSAGE into its ACK.
    Empty,
}

impl BodyRule {
    pub(super) fn new(
        command: Command,
        content_length: Option<usize>,
        rules: Rules<'_>,
        headers: &Headers,
    ) -> Result<Self, DecodeError> {
        let ignored = command == Command::Subscribe && rules.version == Some(Version::V1_0);
        let limit = rules.limits.max_body_bytes;
        let end = match content_length {
            _ if !command.has_body() && !ignored => End::Empty,
            Some(found) if found > limit => {
                return Err(fail(
                    Kind::BodyTooLarge {
                        limit,
                        found,
                        more: false,
                    },
                    headers,
                ));
            }
            Some(length) => End::Counted(length),
            None => End::Nul,
        };
        Ok(Self {
            command,
            end,
            ignored,
        })
    }

    /// How many bytes of `new` belong to the body, of which `held` bytes came before; `None` when all do and the NUL
    /// has not come.
    pub(super) fn find_end(
        &self,
        new: &[u8],
        held: usize,
        rules: Rules<'_>,
        headers: &Headers,
    ) -> Result<Option<usize>, DecodeError> {
        match self.end {
            End::Counted(content_length) => match new.get(content_length - held) {
                Some(b'\0') => Ok(Some(content_length - held)),
                Some(_) => Err(fail(Kind::MissingNul { content_length }, headers)),
                None => Ok(None),
            },
            End::Nul => {
                let limit = rules.limits.max_body_bytes;
                let room = limit.saturating_add(1) - held;
                let window = &new[..new.len().min(room)];
                match memchr(b'\0', window) {
                    None if window.len() == room => Err(fail(
                        Kind::BodyTooLarge {
                            limit,
                            found: limit.saturating_add(1),
                            more: true,
                        },
                        headers,
                    )),
                    end => Ok(end),
                }
            }
            End::Empty => match new.first() {
                None => Ok(None),
                Some(b'\0') => Ok(Some(0)),
                Some(_) => Err(fail(
                    Kind::UnexpectedBody {
                        command: self.command,
                    },
                    headers,
                )),
            },
        }
    }

    /// The most bytes that the rest of the body can need, for a body of which `held` bytes came.
    pub(super) fn most_left(&self, held: usize, rules: Rules<'_>) -> usize {
        match self.end {
            End::Counted(content_length) => content_length - held,
            End::Nul => rules.limits.max_body_bytes - held,
            End::Empty => 0,
        }
    }

    /// The body as the frame carries it.
    pub(super) fn keep(&self, body: Bytes) -> Bytes {
        if self.ignored { Bytes::new() } else { body }
    }
}

fn fail(kind: Kind, headers: &Headers) -> DecodeError {
    DecodeError::new(kind, headers.get("receipt").map(Box::from))
}
