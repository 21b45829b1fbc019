//! However a conversation is cut on its way, it gives the same events.

mod gathered;

use gathered::{Gathered, Reading};
use tidings_websocket::{
    CloseCode, Deflater, MessageKind, Opcode, Role, close_frame, message_frame, ping_frame,
    pong_frame, write_frame,
};

/// A conversation with everything in it: all length forms, fragments within characters, control frames in between, a
/// close frame at the end.
fn conversation(mask: Option<[u8; 4]>) -> (Vec<u8>, Vec<Gathered>) {
    let text = "Grüße, 世界 🎈";
    let long = "é".repeat(70);
    let mut wire = Vec::new();
    wire.extend_from_slice(&message_frame(MessageKind::Text, text.as_bytes(), mask));
    wire.extend_from_slice(&message_frame(MessageKind::Text, b"", mask));
    wire.extend_from_slice(&message_frame(MessageKind::Binary, long.as_bytes(), mask));
    let (first, rest) = text.as_bytes().split_at(4);
    write_frame(&mut wire, Opcode::Text, false, false, first, mask);
    wire.extend_from_slice(&ping_frame(b"between", mask));
    write_frame(&mut wire, Opcode::Continuation, false, false, &[], mask);
    write_frame(
        &mut wire,
        Opcode::Continuation,
        false,
        false,
        &rest[..9],
        mask,
    );
    wire.extend_from_slice(&pong_frame(b"", mask));
    write_frame(
        &mut wire,
        Opcode::Continuation,
        true,
        false,
        &rest[9..],
        mask,
    );
    write_frame(&mut wire, Opcode::Binary, false, false, b"end is ", mask);
    write_frame(&mut wire, Opcode::Continuation, true, false, b"", mask);
    wire.extend_from_slice(&close_frame(Some(CloseCode(4000)), "Schluß", mask));
    let events = vec![
        Gathered::Message(MessageKind::Text, text.into()),
        Gathered::Message(MessageKind::Text, "".into()),
        Gathered::Message(MessageKind::Binary, long.into()),
        Gathered::Ping(b"between".into()),
        Gathered::Pong(b"".into()),
        Gathered::Message(MessageKind::Text, text.into()),
        Gathered::Message(MessageKind::Binary, b"end is ".into()),
        Gathered::Close(Some(CloseCode(4000)), "Schluß".into()),
    ];
    (wire, events)
}

/// The same for compression: fragments of a compressed message with a ping in between, a plain message, an empty one.
fn compressed_conversation(mask: Option<[u8; 4]>) -> (Vec<u8>, Vec<Gathered>) {
    let text = "to be or not to be, être ou ne pas être; ".repeat(9);
    let mut deflater = Deflater::new(6, 15);
    let mut packed = Vec::new();
    deflater.compress(text.as_bytes(), &mut packed);
    let mut empty = Vec::new();
    deflater.compress(b"", &mut empty);

    let mut wire = Vec::new();
    wire.extend_from_slice(&deflater.message_frame(MessageKind::Text, text.as_bytes(), mask));
    write_frame(&mut wire, Opcode::Text, false, true, &packed[..20], mask);
    wire.extend_from_slice(&ping_frame(b"?", mask));
    write_frame(
        &mut wire,
        Opcode::Continuation,
        false,
        false,
        &packed[20..],
        mask,
    );
    write_frame(&mut wire, Opcode::Continuation, true, false, b"", mask);
    wire.extend_from_slice(&message_frame(MessageKind::Binary, b"plain", mask));
    write_frame(&mut wire, Opcode::Binary, true, true, &empty, mask);
    let events = vec![
        Gathered::Message(MessageKind::Text, text.clone().into()),
        Gathered::Ping(b"?".into()),
        Gathered::Message(MessageKind::Text, text.into()),
        Gathered::Message(MessageKind::Binary, b"plain".into()),
        Gathered::Message(MessageKind::Binary, b"".into()),
    ];
    (wire, events)
}

fn cut_everywhere(reading: Reading, wire: &[u8], events: &[Gathered]) {
    let expected = (events.to_vec(), Ok(()));
    for cut in 0..=wire.len() {
        let (head, tail) = wire.split_at(cut);
        assert_eq!(reading.read([head, tail]), expected, "cut at {cut}");
    }
    for size in [1, 2, 3, 7, 13] {
        assert_eq!(
            reading.read(wire.chunks(size)),
            expected,
            "in chunks of {size}"
        );
    }
}

#[test]
fn a_client_reads_the_same_however_it_is_cut() {
    let (wire, events) = conversation(None);
    cut_everywhere(Reading::new(Role::Client), &wire, &events);
}

#[test]
fn a_server_reads_the_same_however_it_is_cut() {
    let (wire, events) = conversation(Some([0x11, 0xA2, 0x33, 0xC4]));
    cut_everywhere(Reading::new(Role::Server), &wire, &events);
}

#[test]
fn compressed_messages_read_the_same_however_they_are_cut() {
    let (wire, events) = compressed_conversation(None);
    cut_everywhere(Reading::compressed(Role::Client), &wire, &events);
    let (wire, events) = compressed_conversation(Some([9, 8, 7, 6]));
    cut_everywhere(Reading::compressed(Role::Server), &wire, &events);
}

#[test]
fn long_lengths_read_the_same_however_their_head_is_cut() {
    for len in [125, 126, 127, 0xFFFF, 0x1_0000, 200_000] {
        let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let wire = message_frame(MessageKind::Binary, &payload, Some([1, 2, 3, 4]));
        let expected = (
            vec![Gathered::Message(MessageKind::Binary, payload)],
            Ok(()),
        );
        for cut in (0..20).chain([wire.len() - 1]) {
            let (head, tail) = wire.split_at(cut);
            assert_eq!(
                Reading::new(Role::Server).read([head, tail]),
                expected,
                "{len} bytes cut at {cut}"
            );
        }
    }
}
