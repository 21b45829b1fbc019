//! Compressing messages (RFC 7692, section 7.2.1), one by one: nothing is remembered from one message to the next.

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress, Status};

use crate::{
    encoder::write_frame,
    opcode::{MessageKind, Opcode},
};

/// What a sync flush ends with and the wire leaves out.
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The most scratch space that is kept from one message to the next; one large message should not hold its size for ever.
const KEPT_SCRATCH: usize = 64 * 1024;

/// Compresses messages. Takes some 300 KiB: keep one for a worker, not one for a connection.
///
/// As nothing is remembered between two messages, one compressed frame serves every connection that agreed on
/// compression with a window that [covers](crate::DeflateParams::covers) it.
#[derive(Debug)]
pub struct Deflater {
    stream: Compress,
    scratch: Vec<u8>,
}

impl Deflater {
    /// `level` is zlib's, 0 to 9; `window_bits` is 9 to 15, see [`DeflateParams`](crate::DeflateParams).
    ///
    /// # Panics
    /// If one of the two is out of its range.
    pub fn new(level: u32, window_bits: u8) -> Self {
        assert!(
            level <= 9,
            "the compression level is {level}; it must be 0 to 9"
        );
        Self {
            stream: Compress::new_with_window_bits(Compression::new(level), false, window_bits),
            scratch: Vec::new(),
        }
    }

    /// Appends the compressed `payload` to `out`, ready for frames whose first one has RSV1 set.
    pub fn compress(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        self.stream.reset();
        loop {
            let done = self.stream.total_in() as usize;
            // Room for the flush marker too; more rounds follow if the content does not shrink.
            out.reserve((payload.len() - done) / 2 + 64);
            let status = self
                .stream
                .compress_vec(&payload[done..], out, FlushCompress::Sync)
                .expect("deflate of a valid stream does not fail");
            let all_in = self.stream.total_in() as usize == payload.len();
            if status == Status::BufError || (all_in && out.len() < out.capacity()) {
                break;
            }
        }
        if out.ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
    }

    /// A message in one frame: compressed if that makes it smaller, else as it is.
    pub fn message_frame(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        mask_key: Option<[u8; 4]>,
    ) -> Bytes {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.compress(payload, &mut scratch);
        let compressed = scratch.len() < payload.len();
        let content = if compressed { &scratch } else { payload };
        let mut out = Vec::new();
        write_frame(
            &mut out,
            Opcode::from(kind),
            true,
            compressed,
            content,
            mask_key,
        );
        if scratch.capacity() <= KEPT_SCRATCH {
            self.scratch = scratch;
        }
        out.into()
    }
}
