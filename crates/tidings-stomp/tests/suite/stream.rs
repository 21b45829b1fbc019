//! A stream of bytes, decoded in pieces.

use bytes::Bytes;
use tidings_stomp::{DecodeError, Decoder, Item, Limits, Version};

/// The items of a stream and the error that ended it, if any.
pub(crate) type Decoded = (Vec<Item>, Option<DecodeError>);

/// Decodes pieces of a stream, one input after the other.
pub(crate) fn decode<'a>(
    version: Option<Version>,
    limits: Limits,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Decoded {
    let mut decoder = Decoder::new(limits);
    if let Some(version) = version {
        decoder.set_version(version);
    }
    let mut items = Vec::new();
    for piece in pieces {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
        }
        assert!(
            input.is_empty(),
            "a decoder that needs more has taken all there was"
        );
    }
    (items, None)
}

/// Decodes a stream that comes in one piece.
pub(crate) fn decode_whole(version: Option<Version>, limits: Limits, stream: &[u8]) -> Decoded {
    decode(version, limits, [stream])
}

/// Asserts that every cut in two, and byte by byte, give the same as the whole. Long streams are cut at `max_cuts` places.
pub(crate) fn assert_same_in_pieces(
    version: Option<Version>,
    limits: Limits,
    stream: &[u8],
    max_cuts: usize,
) {
    let whole = decode_whole(version, limits, stream);
    assert_eq!(
        decode(version, limits, stream.chunks(1)),
        whole,
        "byte by byte: {}",
        stream.escape_ascii()
    );
    let step = (stream.len() / max_cuts.max(1)).max(1);
    for cut in (0..=stream.len()).step_by(step) {
        let (left, right) = stream.split_at(cut);
        assert_eq!(
            decode(version, limits, [left, right]),
            whole,
            "cut at {cut}: {}",
            stream.escape_ascii()
        );
    }
}
