//! Chunks that many receivers of `xhr_streaming` share.

use proptest::prelude::*;
use tidings_sockjs::frame::{
    XHR_CHUNK_END, chunk_data_length, message_of_xhr_chunk, write_chunk_start, write_messages,
    write_xhr_chunk_start,
};
use tidings_sockjs::{Progress, RequestHead};

use super::ask::{options, receive, receiver, receiver_named, request};

fn chunk(escaped: &[u8]) -> Vec<u8> {
    let mut chunk = Vec::new();
    write_xhr_chunk_start(escaped.len(), &mut chunk);
    [&chunk, escaped, XHR_CHUNK_END].concat()
}

#[test]
fn lengths_are_lower_case_hexadecimal() {
    for length in [0, 1, 9, 10, 15, 16, 255, 256, 2049, 0xabc_def, usize::MAX] {
        let mut out = Vec::new();
        write_chunk_start(length, &mut out);
        assert_eq!(out, format!("{length:x}\r\n").as_bytes());
    }
}

#[test]
fn the_length_of_the_data_follows_from_that_of_the_chunk() {
    for length in (0..70_000).chain([0xf_fff0, 0xf_ffff, 0x10_0000]) {
        let chunk = format!("{length:x}\r\n").len() + length + 2;
        assert_eq!(chunk_data_length(chunk), length);
    }
    for no_chunk in 0..5 {
        assert_eq!(chunk_data_length(no_chunk), 0);
    }
}

#[test]
fn a_chunk_is_what_a_receiver_writes() {
    let mut by_receiver = Vec::new();
    let mut receiver = receiver_named(&options(), "xhr_streaming");
    receiver.begin(&mut by_receiver);
    by_receiver.clear();
    let mut frame = Vec::new();
    write_messages([[&b"a\\n"[..], b"b"]], &mut frame);
    assert_eq!(receiver.write(&frame, &mut by_receiver), Progress::GoesOn);
    assert_eq!(chunk(b"a\\nb"), by_receiver);
}

#[test]
fn only_xhr_streaming_of_http_1_1_takes_them() {
    for (transport, takes) in [
        ("xhr", false),
        ("xhr_streaming", true),
        ("eventsource", false),
    ] {
        assert_eq!(
            receiver_named(&options(), transport).takes_xhr_chunks(),
            takes
        );
    }
    let (path, method) = receive("xhr_streaming");
    let old = RequestHead {
        http_1_1: false,
        ..request(method, &path)
    };
    assert!(!receiver(&options(), &old).takes_xhr_chunks());
}

#[test]
fn what_the_driver_wrote_counts() {
    let mut receiver = receiver_named(&options(), "xhr_streaming");
    receiver.begin(&mut Vec::new());
    let limit = options().stream_bytes_limit;
    receiver.wrote(limit - 2);
    assert_eq!(receiver.bytes_left(), 2);
    assert_eq!(receiver.write(b"h", &mut Vec::new()), Progress::Ended);
}

proptest! {
    #[test]
    fn the_message_comes_out_of_its_chunk_wherever_it_is_cut(message in ".{0,40}", cut in 0_usize..60) {
        let chunk = chunk(message.as_bytes());
        let start = chunk.windows(3).position(|bytes| bytes == b"a[\"").expect("a frame") + 3;
        let (head, tail) = chunk.split_at((start + cut).min(chunk.len()));
        prop_assert_eq!(message_of_xhr_chunk(head, tail).concat(), message.as_bytes());
    }

    #[test]
    fn what_is_no_chunk_has_no_message_but_does_no_harm(chunk: Vec<u8>, tail: Vec<u8>) {
        message_of_xhr_chunk(&chunk, &tail);
    }
}
