//! Everything that a peer can do wrong, with the close code that it gets.

mod gathered;

use bytes::BytesMut;
use gathered::Reading;
use tidings_websocket::{
    CloseCode, Decoder, DeflateParams, Deflater, Error, Event, Limits, MessageKind, Opcode, Role,
    close_frame, message_frame, write_frame,
};

/// Input for a client, what is wrong with it, and the close code.
const BAD: &[(&[u8], Error, u16)] = &[
    (b"\xC1\x00", Error::ReservedBits, 1002),
    (b"\xA1\x00", Error::ReservedBits, 1002),
    (b"\x91\x00", Error::ReservedBits, 1002),
    (b"\xC9\x00", Error::ReservedBits, 1002),
    (b"\x01\x00\xC0\x00", Error::ReservedBits, 1002),
    (b"\x83\x00", Error::ReservedOpcode, 1002),
    (b"\x87\x00", Error::ReservedOpcode, 1002),
    (b"\x8B\x00", Error::ReservedOpcode, 1002),
    (b"\x8F\x00", Error::ReservedOpcode, 1002),
    (b"\x81\x80", Error::Masked, 1002),
    (b"\x82\x7E\x00\x7D", Error::InvalidLength, 1002),
    (
        b"\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF",
        Error::InvalidLength,
        1002,
    ),
    (
        b"\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00",
        Error::InvalidLength,
        1002,
    ),
    (b"\x89\x7E", Error::ControlTooLong, 1002),
    (b"\x88\x7F", Error::ControlTooLong, 1002),
    (b"\x09\x00", Error::ControlFragmented, 1002),
    (b"\x08\x00", Error::ControlFragmented, 1002),
    (b"\x80\x00", Error::UnexpectedContinuation, 1002),
    (b"\x81\x01a\x00\x00", Error::UnexpectedContinuation, 1002),
    (b"\x01\x01a\x81\x01b", Error::ExpectedContinuation, 1002),
    (b"\x02\x00\x02\x00", Error::ExpectedContinuation, 1002),
    (b"\x88\x01\x03", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x00\x00", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x03\xE7", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x03\xEC", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x03\xED", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x03\xEE", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x03\xF7", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x0B\xB7", Error::InvalidCloseCode, 1002),
    (b"\x88\x02\x13\x88", Error::InvalidCloseCode, 1002),
    (b"\x88\x03\x03\xE8\xFF", Error::InvalidUtf8, 1007),
    (b"\x81\x01\xFF", Error::InvalidUtf8, 1007),
    (b"\x81\x02\xC3\x28", Error::InvalidUtf8, 1007),
    (b"\x81\x03\xED\xA0\x80", Error::InvalidUtf8, 1007),
    (b"\x81\x02\xC0\x80", Error::InvalidUtf8, 1007),
    (b"\x81\x01\xC3", Error::InvalidUtf8, 1007),
    (b"\x01\x01\xC3\x80\x00", Error::InvalidUtf8, 1007),
    (b"\x01\x02\xF4\x90", Error::InvalidUtf8, 1007),
    (b"\x82\x65", Error::FrameTooLarge, 1009),
    (
        b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
        Error::FrameTooLarge,
        1009,
    ),
    (
        b"\x02\x00\x00\x00\x00\x00\x00\x00",
        Error::TooManyFragments,
        1009,
    ),
];

const SMALL: Limits = Limits {
    max_frame_bytes: 100,
    max_message_bytes: 120,
    max_fragments: 3,
};

#[test]
fn what_breaks_the_protocol_gets_its_close_code() {
    let reading = Reading {
        limits: SMALL,
        ..Reading::new(Role::Client)
    };
    for &(wire, error, close_code) in BAD {
        assert_eq!(reading.read([wire]).1, Err(error), "{wire:02X?}");
        assert_eq!(
            reading.read(wire.chunks(1)).1,
            Err(error),
            "{wire:02X?} byte by byte"
        );
        assert_eq!(error.close_code(), CloseCode(close_code), "{wire:02X?}");
    }
}

#[test]
fn a_server_refuses_frames_without_a_mask() {
    let reading = Reading::new(Role::Server);
    assert_eq!(reading.read([&b"\x81\x01a"[..]]).1, Err(Error::NotMasked));
    assert_eq!(reading.read([&b"\x89\x00"[..]]).1, Err(Error::NotMasked));
}

#[test]
fn text_is_refused_as_soon_as_it_cannot_become_valid() {
    let mut decoder = Decoder::new(Role::Client, Limits::default(), None);
    let mut input = BytesMut::from(&b"\x81\x7D\xED"[..]);
    assert!(matches!(
        decoder.decode(&mut input),
        Ok(Some(Event::Data { end: false, .. }))
    ));
    let mut input = BytesMut::from(&b"\xA0"[..]);
    assert_eq!(decoder.decode(&mut input), Err(Error::InvalidUtf8));
}

#[test]
fn what_follows_a_close_frame_is_ignored() {
    let mut wire = close_frame(None, "", None).to_vec();
    wire.extend_from_slice(b"\xFF\xFF\xFF");
    let (events, end) = Reading::new(Role::Client).read([&wire[..], b"more"]);
    assert_eq!(
        (events, end),
        (vec![gathered::Gathered::Close(None, String::new())], Ok(()))
    );
}

#[test]
fn limits_allow_exactly_what_they_say() {
    let reading = Reading {
        limits: SMALL,
        ..Reading::new(Role::Client)
    };
    let fragments = |sizes: &[usize]| {
        let mut wire = Vec::new();
        for (i, &size) in sizes.iter().enumerate() {
            let opcode = if i == 0 {
                Opcode::Binary
            } else {
                Opcode::Continuation
            };
            write_frame(
                &mut wire,
                opcode,
                i + 1 == sizes.len(),
                false,
                &[0; 200][..size],
                None,
            );
        }
        reading.read([&wire[..]]).1
    };
    assert_eq!(fragments(&[100, 10, 10]), Ok(()));
    assert_eq!(fragments(&[101]), Err(Error::FrameTooLarge));
    assert_eq!(fragments(&[100, 21]), Err(Error::MessageTooLarge));
    assert_eq!(fragments(&[0, 0, 1]), Ok(()));
    assert_eq!(fragments(&[0, 0, 0, 1]), Err(Error::TooManyFragments));
}

#[test]
fn compressed_messages_are_limited_by_what_they_inflate_to() {
    let mut deflater = Deflater::new(9, 15);
    for (size, end) in [(120, Ok(())), (121, Err(Error::MessageTooLarge))] {
        let wire = deflater.message_frame(MessageKind::Binary, &vec![7; size], None);
        let reading = Reading {
            limits: SMALL,
            ..Reading::compressed(Role::Client)
        };
        assert_eq!(reading.read([&wire[..]]).1, end, "{size}");
        assert_eq!(reading.read(wire.chunks(1)).1, end, "{size} byte by byte");
    }
}

#[test]
fn a_bomb_is_cut_at_the_limit() {
    const LIMIT: u32 = 1 << 20;
    let bomb = Deflater::new(9, 15).message_frame(
        MessageKind::Text,
        &vec![0; 100 << 20],
        Some([5, 6, 7, 8]),
    );
    assert!(
        bomb.len() < 128 << 10,
        "100 MB of zeros became {} bytes",
        bomb.len()
    );

    let mut decoder = Decoder::new(
        Role::Server,
        Limits::default(),
        Some(DeflateParams::default()),
    );
    let mut input = BytesMut::from(&bomb[..]);
    let mut inflated = 0;
    let end = loop {
        match decoder.decode(&mut input) {
            Ok(Some(Event::Data { payload, .. })) => {
                assert!(
                    payload.len() <= 16 << 10,
                    "one piece has {} bytes",
                    payload.len()
                );
                inflated += payload.len();
            }
            other => break other,
        }
    };
    assert_eq!(end, Err(Error::MessageTooLarge));
    assert!(inflated <= LIMIT as usize);
}

#[test]
fn broken_compression_is_refused() {
    let reading = Reading::compressed(Role::Client);
    // A block of the reserved type; a distance beyond the beginning of the message.
    for payload in [&b"\x07"[..], b"\x2A\x4E\x02\x08"] {
        let mut wire = Vec::new();
        write_frame(&mut wire, Opcode::Binary, true, true, payload, None);
        assert_eq!(
            reading.read([&wire[..]]).1,
            Err(Error::InvalidDeflate),
            "{payload:02X?}"
        );
    }
    let text = Deflater::new(9, 15).message_frame(MessageKind::Text, &[0xFF; 50], None);
    assert_eq!(reading.read([&text[..]]).1, Err(Error::InvalidUtf8));
}

#[test]
fn a_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 48, "{} bytes", size_of::<Decoder>());
}

#[test]
fn a_payload_is_handed_out_without_a_copy() {
    let mut input =
        BytesMut::from(&message_frame(MessageKind::Text, b"hello", Some([1, 2, 3, 4]))[..]);
    let payload_at = input[6..].as_ptr();
    let mut decoder = Decoder::new(Role::Server, Limits::default(), None);
    match decoder.decode(&mut input) {
        Ok(Some(Event::Data { payload, .. })) => assert_eq!(payload.as_ptr(), payload_at),
        other => panic!("{other:?}"),
    }
}
