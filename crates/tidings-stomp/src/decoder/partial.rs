//! A frame of which only the beginning has come.

use bytes::{Buf, Bytes, BytesMut};

use super::body::BodyRule;
use super::error::DecodeError;
use super::head::{Finished, Head, Rules};
use crate::frame::{Command, Frame};
use crate::header::Headers;

/// What is kept of an incomplete frame. No byte is looked at twice: each new piece is searched from its own start.
#[derive(Debug)]
pub(super) enum Partial {
    /// The empty line has not come.
    Head { head: Head, bytes: BytesMut },
    /// The NUL has not come.
    Body {
        command: Command,
        headers: Headers,
        rule: BodyRule,
        bytes: BytesMut,
    },
}

impl Partial {
    /// Keeps a copy of `input`, the incomplete head, so that the read buffer is free.
    pub(super) fn of_head(head: Head, input: &mut Bytes) -> Self {
        Self::Head {
            head,
            bytes: take(input),
        }
    }

    /// Keeps a copy of `input`, the incomplete body.
    pub(super) fn of_body(
        command: Command,
        headers: Headers,
        rule: BodyRule,
        input: &mut Bytes,
    ) -> Self {
        Self::Body {
            command,
            headers: headers.detached(),
            rule,
            bytes: take(input),
        }
    }

    /// Takes what belongs to this frame off the front of `input`; the frame, once it is whole.
    pub(super) fn feed(
        &mut self,
        input: &mut Bytes,
        rules: Rules<'_>,
    ) -> Result<Option<Frame>, DecodeError> {
        if let Self::Head { head, bytes } = self {
            if !feed_head(head, bytes, input, rules)? {
                return Ok(None);
            }
            let raw = std::mem::take(bytes).freeze();
            let Finished {
                command,
                headers,
                content_length,
            } = std::mem::take(head).finish(raw, rules)?;
            let rule = BodyRule::new(command, content_length, rules, &headers)?;
            *self = Self::Body {
                command,
                headers,
                rule,
                bytes: BytesMut::new(),
            };
        }
        let Self::Body {
            command,
            headers,
            rule,
            bytes,
        } = self
        else {
            return Ok(None);
        };
        let end = rule.find_end(input, bytes.len(), rules, headers)?;
        if let Some(len) = end
            && bytes.is_empty()
        {
            // The whole body came in this piece: no copy.
            let body = rule.keep(input.split_to(len));
            input.advance(1);
            return Ok(Some(Frame {
                command: *command,
                headers: std::mem::take(headers),
                body,
            }));
        }
        append_body(bytes, &input[..end.unwrap_or(input.len())], rule, rules);
        input.advance(end.map_or(input.len(), |len| len + 1));
        Ok(end.map(|_| {
            let body = rule.keep(std::mem::take(bytes).freeze());
            Frame {
                command: *command,
                headers: std::mem::take(headers),
                body,
            }
        }))
    }
}

/// Takes lines off the front of `input`; true once the empty line has come.
fn feed_head(
    head: &mut Head,
    bytes: &mut BytesMut,
    input: &mut Bytes,
    rules: Rules<'_>,
) -> Result<bool, DecodeError> {
    loop {
        let held = bytes.len() - head.line_start();
        let line = head
            .find_line_end(input, held, rules)
            .map_err(|kind| head.fail(kind, bytes, rules))?;
        let Some(len) = line else {
            bytes.extend_from_slice(input);
            input.clear();
            return Ok(false);
        };
        bytes.extend_from_slice(&input[..=len]);
        input.advance(len + 1);
        if head
            .take_line(bytes, bytes.len() - 1, rules)
            .map_err(|kind| head.fail(kind, bytes, rules))?
        {
            return Ok(true);
        }
    }
}

/// Grows by doubling, so that the memory held is at most twice what came, and never past the end of the body.
fn append_body(bytes: &mut BytesMut, piece: &[u8], rule: &BodyRule, rules: Rules<'_>) {
    if bytes.capacity() - bytes.len() < piece.len() {
        let grown = piece.len().max(bytes.len());
        bytes.reserve(grown.min(rule.most_left(bytes.len(), rules)));
    }
    bytes.extend_from_slice(piece);
}

fn take(input: &mut Bytes) -> BytesMut {
    let bytes = BytesMut::from(&input[..]);
    input.clear();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::version::Version;

    /// Feeds a frame of one large body in pieces; returns the most memory held per byte that came.
    fn worst_ratio(content_length: Option<usize>, piece: usize) -> f64 {
        let limits = Limits::default();
        let rules = Rules {
            version: Some(Version::V1_2),
            limits: &limits,
        };
        let headers = Headers::new();
        let rule = BodyRule::new(Command::Send, content_length, rules, &headers).expect("allowed");
        let body = Bytes::from(vec![b'x'; limits.max_body_bytes]);
        let mut partial = Partial::of_body(Command::Send, headers, rule, &mut body.slice(..piece));
        let mut worst: f64 = 0.0;
        for start in (piece..body.len() - piece).step_by(piece) {
            let mut input = body.slice(start..start + piece);
            assert_eq!(partial.feed(&mut input, rules), Ok(None));
            let Partial::Body { bytes, .. } = &partial else {
                panic!("a body")
            };
            worst = worst.max(bytes.capacity() as f64 / (start + piece) as f64);
        }
        worst
    }

    #[test]
    fn memory_held_is_at_most_twice_what_came() {
        for content_length in [None, Some(Limits::default().max_body_bytes)] {
            for piece in [100, 1000, 70_000] {
                let ratio = worst_ratio(content_length, piece);
                assert!(
                    ratio <= 2.0,
                    "{ratio} times, {content_length:?} in pieces of {piece}"
                );
            }
        }
    }
}
