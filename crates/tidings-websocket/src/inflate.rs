//! Inflating one message (RFC 7692, section 7.2.2), in pieces and within a limit.

use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};

use crate::{deflate::TAIL, error::Error};

/// The most that one step inflates: what a bomb can cost beyond the limit.
const MAX_PIECE: usize = 16 * 1024;

/// Lives as long as one compressed message.
#[derive(Debug)]
pub(crate) struct Inflater {
    stream: Decompress,
    /// Compressed bytes that arrived and wait to be inflated.
    waiting: Bytes,
    /// What is left of [`TAIL`], which the wire leaves out; given to the stream after the last frame.
    tail: &'static [u8],
    /// Whether the last byte of the message is among those waiting.
    last: bool,
    /// Whether the stream stopped for want of room and may hold more output.
    full: bool,
}

/// A step's output.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) content: Bytes,
    pub(crate) end: bool,
}

impl Inflater {
    pub(crate) fn new(window_bits: u8) -> Self {
        Self {
            stream: Decompress::new_with_window_bits(false, window_bits.clamp(9, 15)),
            waiting: Bytes::new(),
            tail: &TAIL,
            last: false,
            full: false,
        }
    }

    /// Takes the next compressed bytes; call only after [`next`](Self::next) returned `None`.
    pub(crate) fn push(&mut self, compressed: Bytes, last: bool) {
        self.waiting = compressed;
        self.last = last;
    }

    /// Inflates at most [`MAX_PIECE`] and at most one byte more than `allowed`. `None` if more input is needed.
    pub(crate) fn next(&mut self, allowed: usize) -> Result<Option<Piece>, Error> {
        let most = MAX_PIECE.min(allowed.saturating_add(1));
        let likely = self.waiting.len().saturating_mul(4).max(512);
        let mut out = Vec::with_capacity(if self.full { most } else { most.min(likely) });
        self.fill(&mut out)?;
        if out.len() > allowed {
            return Err(Error::MessageTooLarge);
        }
        let end = self.last && !self.full && self.waiting.is_empty() && self.tail.is_empty();
        if out.is_empty() && !end {
            return Ok(None);
        }
        // What is kept should not cost a multiple of its size.
        out.shrink_to_fit();
        Ok(Some(Piece {
            content: out.into(),
            end,
        }))
    }

    /// Inflates until `out` has no room or the input is used up.
    fn fill(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        loop {
            let from_tail = self.waiting.is_empty() && self.last;
            let input = if from_tail { self.tail } else { &self.waiting };
            if input.is_empty() && !self.full {
                return Ok(());
            }
            let before = self.stream.total_in();
            let status = self
                .stream
                .decompress_vec(input, out, FlushDecompress::Sync)
                .map_err(|_| Error::InvalidDeflate)?;
            let used = (self.stream.total_in() - before) as usize;
            if from_tail {
                self.tail = &self.tail[used..];
            } else {
                self.waiting.advance(used);
                if self.waiting.is_empty() {
                    // Even an empty slice would pin the read buffer that it was cut from.
                    self.waiting = Bytes::new();
                }
            }
            self.full = out.len() == out.capacity();
            if status == Status::StreamEnd {
                // A final block within the message: another stream may follow (RFC 7692, section 7.2.3.4).
                self.stream.reset(false);
            } else if used == 0 && !self.full && self.has_input() {
                return Err(Error::InvalidDeflate);
            }
            if self.full {
                return Ok(());
            }
        }
    }

    fn has_input(&self) -> bool {
        !self.waiting.is_empty() || (self.last && !self.tail.is_empty())
    }
}
