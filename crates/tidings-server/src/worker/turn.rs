//! The bytes that one turn of a worker sends, encoded once for all connections.

use bytes::Bytes;

/// A turn that holds more is flushed at once, so that a burst of input can't pile up output.
const FLUSH_BYTES: usize = 1024 * 1024;

/// The turn's memory is given back when a turn needed more than this.
const KEEP_BYTES: usize = 2 * FLUSH_BYTES;

/// Bytes `start..end` of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn len(self) -> usize {
        self.end - self.start
    }
}

/// What begins at a place of the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A whole frame that must not be dropped: CONNECTED, RECEIPT, ERROR, a pong, a close, a heart-beat.
    Control,
    /// A whole MESSAGE; `key` names its destination.
    Message { key: u64 },
    /// The head of a MESSAGE whose tail is a span of its own, shared with others.
    Head { key: u64 },
    /// A whole MESSAGE of a queue: its queue believes it delivered, so no policy may drop it.
    Queued,
    /// The head of such a MESSAGE.
    QueuedHead,
    /// The tail of a MESSAGE.
    Tail,
}

/// One buffer for all that a turn sends. Connections hold spans of it, and two that touch become one: sixteen
/// messages to the same subscriber are one piece for the kernel, and no reference is counted per delivery.
#[derive(Default)]
pub(crate) struct Turn {
    bytes: Vec<u8>,
    /// Where each unit begins, ascending, so that what a slow connection leaves over can be cut at frames.
    marks: Vec<(usize, Unit)>,
}

impl Turn {
    /// Appends what `write` writes as one unit.
    pub(crate) fn append(&mut self, unit: Unit, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let span = Span {
            start,
            end: self.bytes.len(),
        };
        if span.len() > 0 {
            self.marks.push((start, unit));
        }
        span
    }

    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        &self.bytes[span.start..span.end]
    }

    /// What a span is made of, and how long each part is.
    pub(crate) fn lengths(&self, span: Span) -> impl Iterator<Item = (Unit, usize)> {
        cut(&self.marks, span).map(|(unit, part)| (unit, part.len()))
    }

    pub(crate) fn wants_flush(&self) -> bool {
        self.bytes.len() >= FLUSH_BYTES
    }

    /// Forgets everything and keeps the memory: every connection took all.
    pub(crate) fn clear(&mut self) {
        self.marks.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEEP_BYTES {
            self.bytes = Vec::new();
        }
    }

    /// Hands the bytes over to those who could not write all of theirs.
    pub(crate) fn freeze(&mut self) -> Frozen {
        Frozen {
            bytes: Bytes::from(std::mem::take(&mut self.bytes)),
            marks: std::mem::take(&mut self.marks),
        }
    }
}

/// A past turn, shared by the connections that still have to send some of it.
pub(crate) struct Frozen {
    bytes: Bytes,
    marks: Vec<(usize, Unit)>,
}

impl Frozen {
    /// Cuts a span at the units in it.
    pub(crate) fn units(&self, span: Span) -> impl Iterator<Item = (Unit, Bytes)> {
        cut(&self.marks, span).map(|(unit, part)| (unit, self.share(part)))
    }

    /// A small part of a big turn is copied: a slice would keep the whole turn in memory and the account of the
    /// outbox would not know. So what is pinned is at most four times what is accounted.
    fn share(&self, span: Span) -> Bytes {
        if span.len() * 4 < self.bytes.len() {
            Bytes::copy_from_slice(&self.bytes[span.start..span.end])
        } else {
            self.bytes.slice(span.start..span.end)
        }
    }
}

/// Cuts a span at the units in it. A first piece that does not begin where a unit does is the rest of a unit of which
/// some bytes are out: [`Unit::Control`], since it can't be dropped any more.
fn cut(marks: &[(usize, Unit)], span: Span) -> impl Iterator<Item = (Unit, Span)> {
    let mut next = marks.partition_point(|(start, _)| *start < span.start);
    let mut at = span.start;
    std::iter::from_fn(move || {
        if at >= span.end {
            return None;
        }
        let unit = match marks.get(next) {
            Some((start, unit)) if *start == at => {
                next += 1;
                *unit
            }
            _ => Unit::Control,
        };
        let end = marks
            .get(next)
            .map_or(span.end, |(start, _)| (*start).min(span.end));
        let part = Span { start: at, end };
        at = end;
        Some((unit, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> (Turn, Vec<Span>) {
        let mut turn = Turn::default();
        let spans = vec![
            turn.append(Unit::Control, |out| out.extend_from_slice(b"CONNECTED")),
            turn.append(Unit::Message { key: 1 }, |out| {
                out.extend_from_slice(b"one")
            }),
            turn.append(Unit::Message { key: 2 }, |out| {
                out.extend_from_slice(b"two")
            }),
        ];
        (turn, spans)
    }

    fn units(frozen: &Frozen, start: usize, end: usize) -> Vec<(Unit, Vec<u8>)> {
        frozen
            .units(Span { start, end })
            .map(|(unit, bytes)| (unit, bytes.to_vec()))
            .collect()
    }

    #[test]
    fn spans_that_follow_each_other_touch() {
        let (_, spans) = turn();
        assert_eq!(spans[0].end, spans[1].start);
        assert_eq!(spans[1].end, spans[2].start);
    }

    #[test]
    fn a_span_is_cut_at_units_and_a_begun_one_is_control() {
        let (mut turn, spans) = turn();
        let frozen = turn.freeze();
        assert_eq!(
            units(&frozen, spans[0].start + 3, spans[2].end),
            [
                (Unit::Control, b"NECTED".to_vec()),
                (Unit::Message { key: 1 }, b"one".to_vec()),
                (Unit::Message { key: 2 }, b"two".to_vec()),
            ]
        );
        assert_eq!(
            units(&frozen, spans[1].start + 1, spans[1].end),
            [(Unit::Control, b"ne".to_vec())]
        );
        assert_eq!(
            units(&frozen, spans[1].start, spans[1].end),
            [(Unit::Message { key: 1 }, b"one".to_vec())]
        );
    }
}
