//! Limits hold before memory grows, however slowly or richly a peer sends.

use bytes::Bytes;
use tidings_stomp::{Decoder, Limits, Version};

/// Feeds `start`, then `filler` for ever; returns the code of the error and how many bytes were taken before it.
fn flood(limits: Limits, start: &'static [u8], filler: &'static [u8]) -> (&'static str, usize) {
    let mut decoder = Decoder::new(limits);
    decoder.set_version(Version::V1_2);
    let mut taken = 0;
    for piece in std::iter::once(start).chain(std::iter::repeat(filler)) {
        if let Err(error) = decoder.decode(&mut Bytes::from_static(piece)) {
            return (error.code(), taken);
        }
        taken += piece.len();
        assert!(taken < 4 * 1024 * 1024, "no limit holds");
    }
    unreachable!("the flood has no end")
}

#[test]
fn floods_end_at_their_limit() {
    let limits = Limits {
        max_body_bytes: 1000,
        max_header_line_bytes: 100,
        max_headers: 10,
        max_command_bytes: 32,
    };
    assert_eq!(flood(limits, b"", b"A"), ("command-too-long", 32));
    assert_eq!(flood(limits, b"SEND\n", b"a"), ("header-too-long", 5 + 100));
    assert_eq!(
        flood(limits, b"SEND\n", b"a:b\n"),
        ("too-many-headers", 5 + 10 * 4)
    );
    assert_eq!(
        flood(limits, b"SEND\n\n", b"b"),
        ("body-too-large", 6 + 1000)
    );
    assert_eq!(
        flood(limits, b"SEND\ncontent-length:1001\n\n", b"b"),
        ("body-too-large", 0)
    );
    // The same in one large piece: nothing of it is kept.
    assert_eq!(
        flood(limits, &[b'A'; 100_000], b""),
        ("command-too-long", 0)
    );
}

#[test]
fn limits_are_inclusive() {
    let limits = Limits {
        max_body_bytes: 3,
        max_header_line_bytes: 4,
        max_headers: 1,
        max_command_bytes: 4,
    };
    for stream in ["SEND\na:23\n\n123\0", "SEND\na:23\n\n\0", "SEND\n\n\0"] {
        let mut decoder = Decoder::new(limits);
        assert!(
            matches!(decoder.decode(&mut stream.into()), Ok(Some(_))),
            "{stream:?}"
        );
    }
}

#[test]
fn idle_decoder_is_small() {
    let bytes = size_of::<Decoder>();
    eprintln!("Decoder: {bytes} bytes");
    assert!(bytes <= 64, "Decoder grew to {bytes} bytes");
}
