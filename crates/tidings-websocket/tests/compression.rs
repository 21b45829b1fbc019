//! RFC 7692's examples, and whatever else a compressed message may look like.

mod gathered;

use gathered::{Gathered, Reading};
use proptest::prelude::*;
use tidings_websocket::{DeflateParams, Deflater, MessageKind, Opcode, Role, write_frame};

fn read_text(frames: &[&[u8]]) -> Vec<Gathered> {
    let (events, end) = Reading::compressed(Role::Client).read([&frames.concat()[..]]);
    end.expect("the example is valid");
    events
}

fn hello() -> Gathered {
    Gathered::Message(MessageKind::Text, b"Hello".into())
}

#[test]
fn rfc_7692_section_7_2_3_1_one_block() {
    assert_eq!(
        read_text(&[b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00"]),
        [hello()]
    );
    assert_eq!(
        read_text(&[b"\x41\x03\xF2\x48\xCD", b"\x80\x04\xC9\xC9\x07\x00"]),
        [hello()]
    );
}

#[test]
fn rfc_7692_section_7_2_3_3_no_compression() {
    assert_eq!(
        read_text(&[b"\xC1\x0B\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"]),
        [hello()]
    );
}

#[test]
fn rfc_7692_section_7_2_3_4_final_block() {
    assert_eq!(
        read_text(&[b"\xC1\x08\xF3\x48\xCD\xC9\xC9\x07\x00\x00"]),
        [hello()]
    );
}

#[test]
fn rfc_7692_section_7_2_3_5_two_blocks() {
    assert_eq!(
        read_text(&[b"\xC1\x0D\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"]),
        [hello()]
    );
}

#[test]
fn a_message_may_go_on_after_a_final_block() {
    let twice = Gathered::Message(MessageKind::Text, b"HelloHello".into());
    assert_eq!(
        read_text(&[b"\xC1\x0E\xF3\x48\xCD\xC9\xC9\x07\x00\xF2\x48\xCD\xC9\xC9\x07\x00"]),
        [twice]
    );
}

#[test]
fn the_deflater_writes_rfc_7692s_example() {
    let frame = Deflater::new(6, 15).message_frame(MessageKind::Text, b"HelloHelloHello", None);
    assert_eq!(frame[0], 0xC1);
    let mut out = Vec::new();
    Deflater::new(6, 15).compress(b"Hello", &mut out);
    assert_eq!(out, b"\xF2\x48\xCD\xC9\xC9\x07\x00");
}

#[test]
fn what_does_not_shrink_is_sent_as_it_is() {
    let frame = Deflater::new(6, 15).message_frame(MessageKind::Text, b"abc", None);
    assert_eq!(&frame[..], b"\x81\x03abc");
}

#[test]
fn a_message_is_compressed_the_same_whatever_came_before() {
    let mut used = Deflater::new(6, 15);
    used.compress(&[b'x'; 5000], &mut Vec::new());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    used.compress(b"xxxxxxxxxxxxxxxxxxxx", &mut first);
    Deflater::new(6, 15).compress(b"xxxxxxxxxxxxxxxxxxxx", &mut second);
    assert_eq!(first, second);
}

#[test]
fn short_messages_suit_every_window() {
    let narrow = DeflateParams::accept("permessage-deflate; server_max_window_bits=9")
        .expect("a valid offer");
    assert!(narrow.covers(9, 1 << 20));
    assert!(narrow.covers(15, 512));
    assert!(!narrow.covers(15, 513));

    // 512 bytes with a repetition as far apart as can be, compressed with the widest window, read with the narrowest.
    let mut payload: Vec<u8> = (0..512_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    payload.copy_within(0..16, 496);
    let mut packed = Vec::new();
    Deflater::new(9, 15).compress(&payload, &mut packed);
    let mut wire = Vec::new();
    write_frame(&mut wire, Opcode::Binary, true, true, &packed, None);
    let reading = Reading {
        deflate: Some(narrow),
        ..Reading::new(Role::Client)
    };
    assert_eq!(
        reading.read(wire.chunks(5)).0,
        [Gathered::Message(MessageKind::Binary, payload)]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_compressed_is_inflated(
        seed in prop::collection::vec(any::<u8>(), 0..300),
        repeat in 1..300_usize,
        level in 0..=9_u32,
        window_bits in 9..=15_u8,
        chunk in 1..5000_usize,
    ) {
        let payload = seed.repeat(repeat);
        let mut packed = Vec::new();
        Deflater::new(level, window_bits).compress(&payload, &mut packed);
        let mut wire = Vec::new();
        write_frame(&mut wire, Opcode::Binary, true, true, &packed, None);
        let offer = format!("permessage-deflate; server_max_window_bits={window_bits}");
        let reading = Reading { deflate: DeflateParams::accept(&offer), ..Reading::new(Role::Client) };
        let expected = (vec![Gathered::Message(MessageKind::Binary, payload)], Ok(()));
        prop_assert_eq!(reading.read(wire.chunks(chunk)), expected);
    }
}
