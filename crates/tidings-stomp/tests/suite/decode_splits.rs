//! Whatever pieces a stream comes in, the items are the same, and they are the right ones.

use tidings_stomp::{Command, Frame, Item, Limits, Version};

use super::stream::{assert_same_in_pieces, decode_whole};

const ANY: Option<Version> = None;
const V1_0: Option<Version> = Some(Version::V1_0);
const V1_1: Option<Version> = Some(Version::V1_1);
const V1_2: Option<Version> = Some(Version::V1_2);

/// Asserts what a stream decodes to, whole and in pieces. `None` stands for a heart-beat.
fn assert_items(version: Option<Version>, stream: &[u8], expected: &[Option<Frame>]) {
    let expected: Vec<_> = expected
        .iter()
        .cloned()
        .map(|item| item.map_or(Item::HeartBeat, Item::Frame))
        .collect();
    let (items, error) = decode_whole(version, Limits::default(), stream);
    assert_eq!(
        (items, error),
        (expected, None),
        "{}",
        stream.escape_ascii()
    );
    assert_same_in_pieces(version, Limits::default(), stream, usize::MAX);
}

fn frame(command: Command, headers: &[(&str, &str)], body: &'static [u8]) -> Option<Frame> {
    let headers = headers.iter().copied().collect();
    Some(Frame {
        command,
        headers,
        body: body.into(),
    })
}

#[test]
fn frames_follow_one_another_with_or_without_line_ends_between() {
    assert_items(
        V1_2,
        b"\n\r\nSEND\ndestination:/queue/a\ncontent-length:3\n\na\0b\0\n\nACK\nid:7\n\n\0\0"
            .strip_suffix(b"\0")
            .expect("written above"),
        &[
            None,
            None,
            frame(
                Command::Send,
                &[("destination", "/queue/a"), ("content-length", "3")],
                b"a\0b",
            ),
            None,
            None,
            frame(Command::Ack, &[("id", "7")], b""),
        ],
    );
    assert_items(
        V1_1,
        b"BEGIN\ntransaction:t\n\n\0COMMIT\ntransaction:t\n\n\0\n",
        &[
            frame(Command::Begin, &[("transaction", "t")], b""),
            frame(Command::Commit, &[("transaction", "t")], b""),
            None,
        ],
    );
}

#[test]
fn body_ends_at_the_first_nul_or_after_content_length() {
    assert_items(
        V1_2,
        b"SEND\na:b\n\nhello\n\0",
        &[frame(Command::Send, &[("a", "b")], b"hello\n")],
    );
    assert_items(V1_2, b"MESSAGE\n\n\0", &[frame(Command::Message, &[], b"")]);
    assert_items(
        V1_2,
        b"ERROR\ncontent-length:0\n\n\0",
        &[frame(Command::Error, &[("content-length", "0")], b"")],
    );
    // The first of repeated headers counts, even if a later one is nonsense.
    assert_items(
        V1_2,
        b"SEND\ncontent-length:2\ncontent-length:x\n\n\0\0\0",
        &[frame(
            Command::Send,
            &[("content-length", "2"), ("content-length", "x")],
            b"\0\0",
        )],
    );
}

#[test]
fn line_ends_of_1_2_may_mix() {
    let parsed = [frame(Command::Send, &[("a", "1"), ("b", "2 ")], b"\r\nx")];
    assert_items(V1_2, b"SEND\r\na:1\nb:2 \r\n\r\n\r\nx\0", &parsed);
    assert_items(V1_2, b"SEND\na:1\r\nb:2 \n\n\r\nx\0", &parsed);
}

#[test]
fn cr_belongs_to_the_value_in_1_1() {
    assert_items(
        V1_1,
        b"SEND\na:1\r\n\nx\0\r\n",
        &[frame(Command::Send, &[("a", "1\r")], b"x"), None],
    );
}

#[test]
fn escapes_are_undone_in_names_and_values_as_the_version_says() {
    let stream = b"SEND\na\\cb:x\\\\y\\nz\n\n\0";
    assert_items(
        V1_0,
        stream,
        &[frame(Command::Send, &[("a\\cb", "x\\\\y\\nz")], b"")],
    );
    assert_items(
        V1_1,
        stream,
        &[frame(Command::Send, &[("a:b", "x\\y\nz")], b"")],
    );
    assert_items(
        V1_2,
        b"SEND\na:x\\r\\n\n\n\0",
        &[frame(Command::Send, &[("a", "x\r\n")], b"")],
    );
}

#[test]
fn bare_colon_in_a_value_is_taken() {
    for version in [V1_0, V1_1, V1_2] {
        assert_items(
            version,
            b"SEND\nurl:http://h:1/\n\n\0",
            &[frame(Command::Send, &[("url", "http://h:1/")], b"")],
        );
    }
}

#[test]
fn padding_is_cut_in_1_0_only() {
    let stream = b"SEND\ndestination: /queue/a \nempty:\n\n\0";
    assert_items(
        V1_0,
        stream,
        &[frame(
            Command::Send,
            &[("destination", "/queue/a"), ("empty", "")],
            b"",
        )],
    );
    assert_items(
        V1_1,
        stream,
        &[frame(
            Command::Send,
            &[("destination", " /queue/a "), ("empty", "")],
            b"",
        )],
    );
}

#[test]
fn connect_is_read_before_the_version_is_known() {
    let headers = [("accept-version", "1.2"), ("passcode", "a\\tb:c ")];
    for stream in [
        &b"CONNECT\naccept-version:1.2\npasscode:a\\tb:c \n\n\0"[..],
        b"\r\nCONNECT\r\naccept-version:1.2\r\npasscode:a\\tb:c \r\n\r\n\0",
    ] {
        let mut expected = vec![frame(Command::Connect, &headers, b"")];
        if stream[0] == b'\r' {
            expected.insert(0, None);
        }
        assert_items(ANY, stream, &expected);
    }
    // Without accept-version it is 1.0, where values may be padded.
    assert_items(
        ANY,
        b"CONNECT\nlogin: ann \n\n\0",
        &[frame(Command::Connect, &[("login", "ann")], b"")],
    );
    assert_items(
        ANY,
        b"CONNECTED\nsession: 1\n\n\0",
        &[frame(Command::Connected, &[("session", "1")], b"")],
    );
}

#[test]
fn body_of_subscribe_is_ignored_in_1_0() {
    assert_items(
        V1_0,
        b"SUBSCRIBE\ndestination:/topic/a\n\njunk\0\n",
        &[
            frame(Command::Subscribe, &[("destination", "/topic/a")], b""),
            None,
        ],
    );
}

#[test]
fn content_length_copied_into_a_frame_without_body_is_harmless() {
    assert_items(
        V1_2,
        b"ACK\nid:1\ncontent-length:5\n\n\0\n",
        &[
            frame(Command::Ack, &[("id", "1"), ("content-length", "5")], b""),
            None,
        ],
    );
}

#[test]
fn text_is_utf_8() {
    assert_items(
        V1_2,
        "SEND\nköy:ü😀\n\n\0".as_bytes(),
        &[frame(Command::Send, &[("köy", "ü😀")], b"")],
    );
}

#[test]
fn frame_within_one_input_shares_its_memory() {
    let stream = bytes::Bytes::from_static(b"SEND\ndestination:/a\ncontent-length:5\n\nhello\0\n");
    let mut input = stream.clone();
    let mut decoder = tidings_stomp::Decoder::new(Limits::default());
    let Ok(Some(Item::Frame(frame))) = decoder.decode(&mut input) else {
        panic!("a whole frame")
    };
    let inside = stream.as_ptr_range();
    assert!(inside.contains(&frame.body.as_ptr()));
    let detached = frame.clone().detached();
    assert_eq!(detached, frame);
    assert!(!inside.contains(&detached.body.as_ptr()));
    assert!(inside.contains(&frame.header("destination").expect("sent").as_ptr()));
}
