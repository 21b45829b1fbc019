//! What waits to be written to one connection.

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};
use smallvec::SmallVec;
use tidings_sockjs::frame;

use super::connection::Progress;
use super::turn::{Frozen, Span, Turn, Unit};
use crate::config::SlowConsumerPolicy;

/// Pieces handed to the kernel in one call.
const PIECES: usize = 64;

/// Weight of a waiting piece beside its bytes, so that many tiny ones are not free.
const PIECE_OVERHEAD: usize = std::mem::size_of::<Piece>();

/// The outbox of one connection: spans of the current turn, and behind a full socket what earlier turns left.
/// Empty, it owns no memory.
#[derive(Default)]
pub(crate) struct Outbox {
    /// Spans of this turn, in order; those that touch are one.
    spans: SmallVec<[Span; 2]>,
    /// Left over from earlier turns.
    waiting: VecDeque<Piece>,
    /// What `waiting` weighs.
    waiting_bytes: usize,
    /// Already on the turn's list of connections to flush.
    listed: bool,
}

/// A frame that waits.
struct Piece {
    bytes: Bytes,
    /// Shared end of the frame; mostly empty.
    tail: Bytes,
    loss: Loss,
}

/// When a waiting piece may be dropped. What has begun to go out never may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Never,
    /// To make way for the goodbye, since its queue gets it back then.
    ByGoodbye,
    /// By the policy for slow consumers too; `key` is its destination.
    ByPolicy {
        key: u64,
    },
}

impl Piece {
    fn weight(&self) -> usize {
        self.bytes.len() + self.tail.len() + PIECE_OVERHEAD
    }
}

/// What became of the waiting bytes after the socket took what it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// They fit, after this many messages were dropped by the policy.
    Fits { dropped: usize },
    /// They do not fit and the policy is, or came down to, closing the connection.
    Close,
}

impl Outbox {
    /// Adds a span of the current turn; true when the connection was not on the flush list yet.
    pub(crate) fn push(&mut self, span: Span) -> bool {
        match self.spans.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => self.spans.push(span),
        }
        !std::mem::replace(&mut self.listed, true)
    }

    pub(crate) fn is_blocked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Bytes on their way: of this turn, and behind a full socket.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.waiting_bytes + self.spans.iter().map(|span| span.len()).sum::<usize>()
    }

    /// Bytes that wait behind a full socket.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Writes this turn's spans as far as the socket takes them; a connection that is blocked
    /// writes nothing here: its writer task does.
    pub(crate) fn write_turn(
        &mut self,
        turn: &Turn,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<Progress> {
        self.listed = false;
        if self.is_blocked() {
            return Ok(Progress::Left);
        }
        while !self.spans.is_empty() {
            let slices: SmallVec<[IoSlice<'_>; 4]> = self
                .spans
                .iter()
                .take(PIECES)
                .map(|span| IoSlice::new(turn.slice(*span)))
                .collect();
            match write(&slices) {
                Ok(written) => self.advance_spans(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Progress::Left);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // The turn is gone before the connection is.
                    self.spans = SmallVec::new();
                    return Err(error);
                }
            }
        }
        Ok(Progress::Out)
    }

    /// The connection is not on the flush list any more.
    pub(crate) fn unlist(&mut self) {
        self.listed = false;
    }

    /// Bytes of data in this turn's chunks of HTTP.
    pub(crate) fn chunk_data(&self, turn: &Turn) -> usize {
        let (mut data, mut chunk) = (0, 0);
        let parts = self.spans.iter().flat_map(|span| turn.lengths(*span));
        for (unit, length) in parts {
            if unit != Unit::Tail {
                data += frame::chunk_data_length(std::mem::take(&mut chunk));
            }
            chunk += length;
        }
        data + frame::chunk_data_length(chunk)
    }

    /// Moves what is left of the turn into `rest`, as it is.
    pub(crate) fn take_turn(&mut self, turn: &Turn, rest: &mut Vec<u8>) {
        for span in std::mem::take(&mut self.spans) {
            rest.extend_from_slice(turn.slice(span));
        }
    }

    /// Takes the oldest waiting frames, each with its tail, until they are `enough` bytes.
    pub(crate) fn take_messages(&mut self, enough: usize) -> Vec<[Bytes; 2]> {
        let mut messages = Vec::new();
        let mut taken = 0;
        while taken < enough {
            let Some(piece) = self.waiting.pop_front() else {
                break;
            };
            taken += piece.bytes.len() + piece.tail.len();
            self.waiting_bytes -= piece.weight();
            messages.push([piece.bytes, piece.tail]);
        }
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        messages
    }

    fn advance_spans(&mut self, mut written: usize) {
        let whole = self
            .spans
            .iter()
            .take_while(|span| {
                let fits = span.len() <= written;
                written -= if fits { span.len() } else { 0 };
                fits
            })
            .count();
        self.spans.drain(..whole);
        if let Some(first) = self.spans.first_mut() {
            first.start += written;
        } else {
            self.spans = SmallVec::new();
        }
    }

    /// Keeps what is left of the turn for later.
    pub(crate) fn keep(&mut self, turn: &Frozen) {
        let mut units = Vec::new();
        for span in std::mem::take(&mut self.spans) {
            units.extend(turn.units(span));
        }
        for (unit, bytes) in units {
            match unit {
                Unit::Control => self.wait(bytes, Loss::Never),
                Unit::Queued | Unit::QueuedHead => self.wait(bytes, Loss::ByGoodbye),
                Unit::Message { key } | Unit::Head { key } => {
                    self.wait(bytes, Loss::ByPolicy { key })
                }
                Unit::Tail => self.attach_tail(bytes),
            }
        }
    }

    fn wait(&mut self, bytes: Bytes, loss: Loss) {
        let piece = Piece {
            bytes,
            tail: Bytes::new(),
            loss,
        };
        self.waiting_bytes += piece.weight();
        self.waiting.push_back(piece);
    }

    fn attach_tail(&mut self, tail: Bytes) {
        match self.waiting.back_mut() {
            // The head may be out already; then the tail stands alone and must follow.
            Some(head) if head.tail.is_empty() => {
                self.waiting_bytes += tail.len();
                head.tail = tail;
            }
            _ => self.wait(tail, Loss::Never),
        }
    }

    /// Writes what waits; true when nothing waits any more. `progress` tells whether a byte went out.
    pub(crate) fn write_waiting(
        &mut self,
        mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
        progress: &mut bool,
    ) -> io::Result<bool> {
        while !self.waiting.is_empty() {
            let written = {
                let slices: SmallVec<[IoSlice<'_>; PIECES]> = self
                    .waiting
                    .iter()
                    .flat_map(|piece| [&piece.bytes, &piece.tail])
                    .filter(|bytes| !bytes.is_empty())
                    .take(PIECES)
                    .map(|bytes| IoSlice::new(bytes))
                    .collect();
                write(&slices)
            };
            match written {
                Ok(written) => {
                    *progress |= written > 0;
                    self.advance_waiting(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting = VecDeque::new();
        Ok(true)
    }

    fn advance_waiting(&mut self, mut written: usize) {
        while written > 0 {
            let Some(piece) = self.waiting.front_mut() else {
                return;
            };
            let whole = piece.bytes.len() + piece.tail.len();
            if whole <= written {
                written -= whole;
                self.waiting_bytes -= piece.weight();
                self.waiting.pop_front();
                continue;
            }
            let head = piece.bytes.len().min(written);
            piece.bytes.advance(head);
            piece.tail.advance(written - head);
            piece.loss = Loss::Never;
            self.waiting_bytes -= written;
            return;
        }
    }

    /// Applies the policy when more waits than may.
    pub(crate) fn limit(&mut self, max_bytes: usize, policy: SlowConsumerPolicy) -> Overflow {
        if self.waiting_bytes <= max_bytes {
            return Overflow::Fits { dropped: 0 };
        }
        let before = self.waiting.len();
        match policy {
            SlowConsumerPolicy::Close => {}
            SlowConsumerPolicy::DropOldest => self.drop_oldest(max_bytes),
            SlowConsumerPolicy::KeepLatest => self.keep_latest(),
        }
        if self.waiting_bytes <= max_bytes {
            Overflow::Fits {
                dropped: before - self.waiting.len(),
            }
        } else {
            Overflow::Close
        }
    }

    fn drop_oldest(&mut self, max_bytes: usize) {
        let mut excess = self.waiting_bytes.saturating_sub(max_bytes);
        self.retain(|piece| {
            let keep = excess == 0 || !matches!(piece.loss, Loss::ByPolicy { .. });
            if !keep {
                excess = excess.saturating_sub(piece.weight());
            }
            keep
        });
    }

    fn keep_latest(&mut self) {
        let mut latest = HashMap::new();
        for (index, piece) in self.waiting.iter().enumerate() {
            if let Loss::ByPolicy { key } = piece.loss {
                latest.insert(key, index);
            }
        }
        let mut index = 0;
        self.retain(|piece| {
            let keep = match piece.loss {
                Loss::ByPolicy { key } => latest[&key] == index,
                Loss::Never | Loss::ByGoodbye => true,
            };
            index += 1;
            keep
        });
    }

    /// Drops the waiting messages of queues: they go to other consumers.
    pub(crate) fn drop_queued(&mut self) {
        self.retain(|piece| piece.loss != Loss::ByGoodbye);
    }

    /// Drops every waiting message that has not begun, to make way for a goodbye.
    pub(crate) fn drop_messages(&mut self) {
        self.retain(|piece| piece.loss == Loss::Never);
    }

    /// Drops all that waits: the socket takes no more.
    pub(crate) fn drop_waiting(&mut self) {
        self.waiting = VecDeque::new();
        self.waiting_bytes = 0;
    }

    fn retain(&mut self, keep: impl FnMut(&Piece) -> bool) {
        self.waiting.retain(keep);
        self.waiting_bytes = self.waiting.iter().map(Piece::weight).sum();
    }
}

#[cfg(test)]
mod tests;
