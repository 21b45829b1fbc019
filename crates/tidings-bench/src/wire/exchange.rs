//! What a SockJS client receives over HTTP: response after response on one connection, each with frames.

use memchr::memchr;

use super::http::{BodyLength, parse_chunk, parse_response};
use super::sockjs::{PRELUDE_BYTES, take_frame};
use super::stream::Stream;
use super::{Event, ScanError};

/// Reads one connection's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exchange {
    stage: Stage,
    /// Each response begins with a prelude.
    streaming: bool,
    prelude_due: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Head,
    Chunks,
    /// A body of so many bytes.
    Whole(usize),
}

impl Exchange {
    /// `streaming`: `xhr_streaming`; else long polling.
    pub(super) fn new(streaming: bool) -> Self {
        Self {
            stage: Stage::Head,
            streaming,
            prelude_due: false,
        }
    }

    /// Reads one head, chunk or body and says how many bytes it took; 0: incomplete. A chunk is read when it is all
    /// there: frames then stand in one piece, and can be unescaped in place.
    pub(super) fn step(
        &mut self,
        bytes: &mut [u8],
        stream: &mut Stream,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        match self.stage {
            Stage::Head => self.step_head(bytes, on_event),
            Stage::Chunks => self.step_chunk(bytes, stream, on_event),
            Stage::Whole(length) if bytes.len() < length => Ok(0),
            Stage::Whole(length) => {
                self.take_lines(&mut bytes[..length], stream, on_event)?;
                self.end(on_event);
                Ok(length)
            }
        }
    }

    fn step_head(
        &mut self,
        bytes: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        let Some(head) = parse_response(bytes)? else {
            return Ok(0);
        };
        head.check_status("200")?;
        self.stage = match head.body {
            BodyLength::Chunked => Stage::Chunks,
            BodyLength::Bytes(0) => return Err(ScanError::SockJs("a response without a frame")),
            BodyLength::Bytes(length) => Stage::Whole(length),
        };
        self.prelude_due = self.streaming;
        on_event(Event::Head(&bytes[..head.length]));
        Ok(head.length)
    }

    fn step_chunk(
        &mut self,
        bytes: &mut [u8],
        stream: &mut Stream,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        let Some(chunk) = parse_chunk(bytes)? else {
            return Ok(0);
        };
        let end = chunk.start + chunk.length;
        if chunk.length == 0 {
            self.end(on_event);
        } else {
            self.take_lines(&mut bytes[chunk.start..end], stream, on_event)?;
        }
        Ok(end + 2)
    }

    /// Reads frames, each with its end of line: none is split between chunks.
    fn take_lines(
        &mut self,
        mut lines: &mut [u8],
        stream: &mut Stream,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        while !lines.is_empty() {
            let end =
                memchr(b'\n', lines).ok_or(ScanError::SockJs("a frame without its end of line"))?;
            let (line, rest) = lines.split_at_mut(end);
            if self.prelude_due {
                self.prelude_due = false;
                if line.len() != PRELUDE_BYTES || line.iter().any(|&byte| byte != b'h') {
                    return Err(ScanError::SockJs("no prelude of 2048 h"));
                }
            } else {
                take_frame(line, stream, on_event)?;
            }
            lines = &mut rest[1..];
        }
        Ok(())
    }

    fn end(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        self.stage = Stage::Head;
        on_event(Event::ResponseEnd);
    }
}
