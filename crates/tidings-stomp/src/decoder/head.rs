//! The head of a frame: command and headers, line by line.

use bytes::Bytes;
use bytestring::ByteString;
use memchr::{memchr, memchr2};

use super::error::{DecodeError, DecodeErrorKind as Kind};
use super::escape::unescape;
use crate::frame::Command;
use crate::header::{Field, Fields, Headers, MAX_HEAD_BYTES, Span};
use crate::limits::Limits;
use crate::version::Version;

/// What a head is read by.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// `None` until CONNECT and CONNECTED have settled it.
    pub(super) version: Option<Version>,
    pub(super) limits: &'a Limits,
}

impl Rules<'_> {
    /// In 1.1 a CR belongs to the value. 1.0 says nothing of it; there it is cut like other padding.
    fn line_may_end_in_cr(self) -> bool {
        self.version != Some(Version::V1_1)
    }

    fn escapes_of(self) -> Version {
        self.version.unwrap_or(Version::V1_2)
    }

    fn trims(self) -> bool {
        self.version == Some(Version::V1_0)
    }
}

/// The lines of a head that were read so far, as spans of bytes that the caller keeps.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// `None` before the first line, and when that named no command.
    command: Option<Command>,
    command_len: usize,
    fields: Fields,
    /// Where the line begins that is not complete yet.
    line_start: usize,
    content_length: Option<Result<usize, ()>>,
}

/// A head that is complete.
pub(super) struct Finished {
    pub(super) command: Command,
    pub(super) headers: Headers,
    pub(super) content_length: Option<usize>,
}

impl Head {
    /// Where the line begins that is not complete yet.
    pub(super) fn line_start(&self) -> usize {
        self.line_start
    }

    /// Looks for the end of the current line in `new`, of which `held` bytes came before. `None` when it isn't there.
    pub(super) fn find_line_end(
        &self,
        new: &[u8],
        held: usize,
        rules: Rules<'_>,
    ) -> Result<Option<usize>, Kind> {
        let (limit, too_long) = self.line_limit(rules.limits);
        // One byte more than the line may have: there must stand its LF.
        let room = limit.saturating_add(1).saturating_sub(held);
        let window = &new[..new.len().min(room)];
        match memchr2(b'\n', b'\0', window) {
            Some(end) if window[end] == b'\n' => Ok(Some(end)),
            Some(_) => Err(Kind::UnexpectedNul {
                line: self.line_number(),
            }),
            None if window.len() == room => Err(too_long),
            None => Ok(None),
        }
    }

    /// Takes the line that ends before `bytes[end]`, an LF; `bytes` start with the frame. True when it was the empty
    /// line that ends the head.
    pub(super) fn take_line(
        &mut self,
        bytes: &[u8],
        end: usize,
        rules: Rules<'_>,
    ) -> Result<bool, Kind> {
        let start = self.line_start;
        self.line_start = end + 1;
        let mut line = &bytes[start..end];
        if rules.line_may_end_in_cr() {
            line = line.strip_suffix(b"\r").unwrap_or(line);
        }
        if start == 0 {
            self.take_command(line, rules).map(|()| false)
        } else if line.is_empty() {
            Ok(true)
        } else {
            self.take_header(line, start, rules).map(|()| false)
        }
    }

    /// Turns the lines into headers; `raw` is the head as it was read, to the end of its empty line.
    pub(super) fn finish(self, raw: Bytes, rules: Rules<'_>) -> Result<Finished, DecodeError> {
        let Some(command) = self.command else {
            return Err(self.fail(self.unknown_command(&raw), &raw, rules));
        };
        let has_escapes = command.is_escaped()
            && rules.version != Some(Version::V1_0)
            && memchr(b'\\', &raw).is_some();
        let text = match ByteString::try_from(raw.clone()) {
            Ok(text) => text,
            Err(error) => {
                return Err(self.fail(
                    Kind::InvalidUtf8 {
                        offset: error.valid_up_to(),
                    },
                    &raw,
                    rules,
                ));
            }
        };
        let content_length = match self.content_length.transpose() {
            Ok(length) => length,
            Err(()) => return Err(self.fail(Kind::InvalidContentLength, &raw, rules)),
        };
        let receipt = if has_escapes {
            self.receipt(&raw, rules)
        } else {
            None
        };
        let mut headers = Headers::from_head(text, self.fields);
        if has_escapes {
            let version = rules.escapes_of();
            let unescaped = headers.rewrite(|index, text| {
                unescape(text, version).map_err(|found| Kind::InvalidEscape {
                    line: index + 2,
                    found,
                })
            });
            unescaped.map_err(|kind| DecodeError::new(kind, receipt))?;
        }
        if is_from_1_0(command, &headers) {
            headers.trim_values();
        }
        Ok(Finished {
            command,
            headers,
            content_length,
        })
    }

    /// What to say of a frame that is wrong, `bytes` being its head as far as it was read. Where the command is unknown,
    /// nothing else is worth naming.
    pub(super) fn fail(&self, kind: Kind, bytes: &[u8], rules: Rules<'_>) -> DecodeError {
        let unknown = self.line_start > 0 && self.command.is_none();
        DecodeError::new(
            if unknown {
                self.unknown_command(bytes)
            } else {
                kind
            },
            self.receipt(bytes, rules),
        )
    }

    /// The value of `receipt` as far as lines were read.
    fn receipt(&self, bytes: &[u8], rules: Rules<'_>) -> Option<Box<str>> {
        let field = self
            .fields
            .iter()
            .find(|field| field.name.bytes(bytes) == b"receipt")?;
        let value = std::str::from_utf8(field.value.bytes(bytes)).ok()?;
        Some(
            unescape(value, rules.escapes_of())
                .ok()?
                .map_or_else(|| value.into(), String::into_boxed_str),
        )
    }

    fn take_command(&mut self, line: &[u8], rules: Rules<'_>) -> Result<(), Kind> {
        let line = if rules.trims() {
            line.trim_ascii()
        } else {
            line
        };
        self.command = Command::from_bytes(line);
        self.command_len = line.len();
        // Later on the rest of the head is read before the command is refused, for the sake of its receipt.
        if self.command.is_none() && rules.version.is_none() {
            return Err(Kind::UnknownCommand {
                found: excerpt(line),
            });
        }
        Ok(())
    }

    fn take_header(&mut self, line: &[u8], start: usize, rules: Rules<'_>) -> Result<(), Kind> {
        if self.fields.len() == rules.limits.max_headers {
            return Err(Kind::TooManyHeaders {
                limit: rules.limits.max_headers,
            });
        }
        if start + line.len() > MAX_HEAD_BYTES {
            return Err(Kind::TooManyHeaders {
                limit: self.fields.len(),
            });
        }
        let invalid = Kind::InvalidHeader {
            line: self.line_number(),
        };
        let Some(colon) = memchr(b':', line) else {
            return Err(invalid);
        };
        let (mut name, mut value) = (0..colon, colon + 1..line.len());
        if rules.trims() {
            name = trim(line, name);
            value = trim(line, value);
        }
        if name.is_empty() {
            return Err(invalid);
        }
        if self.content_length.is_none() && &line[name.clone()] == b"content-length" {
            self.content_length = Some(parse_length(&line[value.clone()]));
        }
        self.fields.push(Field {
            name: Span::of_head(start + name.start, start + name.end),
            value: Span::of_head(start + value.start, start + value.end),
        });
        Ok(())
    }

    fn unknown_command(&self, bytes: &[u8]) -> Kind {
        Kind::UnknownCommand {
            found: excerpt(&bytes[..self.command_len]),
        }
    }

    fn line_limit(&self, limits: &Limits) -> (usize, Kind) {
        if self.line_start == 0 {
            let limit = limits.max_command_bytes;
            (limit, Kind::CommandTooLong { limit })
        } else {
            let limit = limits.max_header_line_bytes;
            (
                limit,
                Kind::HeaderTooLong {
                    line: self.line_number(),
                    limit,
                },
            )
        }
    }

    /// The line that is being read, the command being line 1.
    fn line_number(&self) -> usize {
        if self.line_start == 0 {
            1
        } else {
            self.fields.len() + 2
        }
    }
}

/// A CONNECT or CONNECTED that names no version speaks 1.0, whose values may be padded.
fn is_from_1_0(command: Command, headers: &Headers) -> bool {
    match command {
        Command::Connect | Command::Stomp => headers.get("accept-version").is_none(),
        Command::Connected => headers.get("version").is_none(),
        _ => false,
    }
}

fn trim(line: &[u8], range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let text = &line[range.clone()];
    let start = range.start + text.len() - text.trim_ascii_start().len();
    start..start + text.trim_ascii().len()
}

fn parse_length(digits: &[u8]) -> Result<usize, ()> {
    if digits.is_empty() {
        return Err(());
    }
    digits.iter().try_fold(0usize, |length, byte| {
        let digit = byte
            .is_ascii_digit()
            .then(|| usize::from(byte - b'0'))
            .ok_or(())?;
        length
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit))
            .ok_or(())
    })
}

/// The start of what was found, fit for a message.
fn excerpt(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(32)].escape_ascii().to_string()
}
