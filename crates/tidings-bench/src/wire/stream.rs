//! STOMP frames in a stream of bytes that comes in pieces: WebSocket frames, or SockJS messages.

use super::frame::{Scan, scan};
use super::{Event, MAX_FRAME_BYTES, ScanError};

/// Holds bytes only while a STOMP frame is incomplete.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The beginning of a frame that continues in the next piece.
    begun: Vec<u8>,
}

impl Stream {
    /// Reads the next piece.
    pub(super) fn take(
        &mut self,
        piece: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        if self.begun.is_empty() {
            let used = scan_all(piece, on_event)?;
            self.begun.extend_from_slice(&piece[used..]);
            return Ok(());
        }
        if self.begun.len() + piece.len() > MAX_FRAME_BYTES {
            let length = self.begun.len() + piece.len();
            return Err(ScanError::FrameTooLong(length as u64));
        }
        self.begun.extend_from_slice(piece);
        let used = scan_all(&self.begun, on_event)?;
        self.begun.drain(..used);
        if self.begun.is_empty() {
            self.begun = Vec::new();
        }
        Ok(())
    }
}

/// Reads one frame or end of line and says how many bytes it took; 0: incomplete.
pub(super) fn step_stream(
    bytes: &[u8],
    on_event: &mut impl FnMut(Event<'_>),
) -> Result<usize, ScanError> {
    Ok(match scan(bytes)? {
        Scan::Incomplete => 0,
        Scan::EndOfLine => {
            on_event(Event::EndOfLine);
            1
        }
        Scan::Frame(frame, length) => {
            on_event(Event::Frame(frame));
            length
        }
    })
}

fn scan_all(bytes: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<usize, ScanError> {
    let mut used = 0;
    loop {
        match step_stream(&bytes[used..], on_event)? {
            0 => return Ok(used),
            step => used += step,
        }
    }
}
