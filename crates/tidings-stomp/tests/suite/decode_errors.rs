//! Bad input ends in the right code, whole and in pieces.

use tidings_stomp::{Limits, Version};

use super::stream::{assert_same_in_pieces, decode, decode_whole};

const LIMITS: Limits = Limits {
    max_body_bytes: 10,
    max_header_line_bytes: 60,
    max_headers: 3,
    max_command_bytes: 12,
};

fn assert_code(version: Option<Version>, stream: &[u8], code: &str, receipt: Option<&str>) {
    let (items, error) = decode_whole(version, LIMITS, stream);
    let found = error.as_ref().map(|error| (error.code(), error.receipt()));
    assert_eq!(
        found,
        Some((code, receipt)),
        "{items:?} from {}",
        stream.escape_ascii()
    );
    assert_same_in_pieces(version, LIMITS, stream, usize::MAX);
}

#[test]
fn each_fault_has_its_code() {
    let v1_2 = Some(Version::V1_2);
    for (stream, code) in [
        (&b"FOO\n\n\0"[..], "unknown-command"),
        (b"send\n\n\0", "unknown-command"),
        (b"SEND \n\n\0", "unknown-command"),
        (b"\rSEND\n\n\0", "unknown-command"),
        (b"\xff\xfe\n\n\0", "unknown-command"),
        (b"SENDSENDSENDSEND", "command-too-long"),
        (b"SEND\0", "unexpected-nul"),
        (b"\0", "unexpected-nul"),
        (b"SEND\ndestination:/a\0", "unexpected-nul"),
        (b"SEND\nno colon\n\n\0", "invalid-header"),
        (b"SEND\n:no name\n\n\0", "invalid-header"),
        (b"SEND\na:1\nb:2\nc:3\nd:4\n\n\0", "too-many-headers"),
        (b"SEND\na:\xff\n\n\0", "invalid-utf8"),
        (b"SEND\na:\\t\n\n\0", "invalid-escape"),
        (b"SEND\na:x\\\n\n\0", "invalid-escape"),
        (b"SEND\na\\x:x\n\n\0", "invalid-escape"),
        (b"SEND\ncontent-length:-1\n\n\0", "invalid-content-length"),
        (b"SEND\ncontent-length:+1\n\n\0", "invalid-content-length"),
        (b"SEND\ncontent-length: 1\n\n\0", "invalid-content-length"),
        (b"SEND\ncontent-length:\n\n\0", "invalid-content-length"),
        (b"SEND\ncontent-length:1e3\n\n\0", "invalid-content-length"),
        (
            b"SEND\ncontent-length:18446744073709551616\n\n\0",
            "invalid-content-length",
        ),
        (
            b"SEND\ncontent-length:18446744073709551615\n\n\0",
            "body-too-large",
        ),
        (b"SEND\ncontent-length:11\n\n", "body-too-large"),
        (b"SEND\n\n12345678901", "body-too-large"),
        (b"SEND\ncontent-length:2\n\nabc\0", "missing-nul"),
        (b"ACK\nid:1\n\nbody\0", "unexpected-body"),
        (b"CONNECT\n\nbody\0", "unexpected-body"),
    ] {
        assert_code(v1_2, stream, code, None);
    }
}

#[test]
fn rules_of_older_versions_are_kept() {
    let v1_1 = Some(Version::V1_1);
    assert_code(v1_1, b"SEND\na:\\r\n\n\0", "invalid-escape", None);
    assert_code(v1_1, b"SEND\r\n\r\n\0", "unknown-command", None);
    assert_code(v1_1, b"SEND\na:b\n\r\n\0", "invalid-header", None);
    assert_code(v1_1, b"SUBSCRIBE\nid:1\n\nbody\0", "unexpected-body", None);
    assert_code(
        Some(Version::V1_0),
        b"UNSUBSCRIBE\nid:1\n\nbody\0",
        "unexpected-body",
        None,
    );
}

#[test]
fn receipt_of_the_offending_frame_is_known_where_it_was_read() {
    let v1_2 = Some(Version::V1_2);
    for (stream, code) in [
        (&b"FOO\nreceipt:r\\c1\n\n\0"[..], "unknown-command"),
        (b"FOO\nreceipt:r\\c1\nno colon\n\n\0", "unknown-command"),
        (b"SEND\nreceipt:r\\c1\nno colon\n\n\0", "invalid-header"),
        (
            b"SEND\nreceipt:r\\c1\na:1\nb:1\nc:1\n\n\0",
            "too-many-headers",
        ),
        (
            b"SEND\nreceipt:r\\c1\n12345678901234567890123456789012345678901234567890123456789012",
            "header-too-long",
        ),
        (b"SEND\nreceipt:r\\c1\na:\xff\n\n\0", "invalid-utf8"),
        (b"SEND\na:\\t\nreceipt:r\\c1\n\n\0", "invalid-escape"),
        (
            b"SEND\ncontent-length:x\nreceipt:r\\c1\n\n\0",
            "invalid-content-length",
        ),
        (
            b"SEND\ncontent-length:99\nreceipt:r\\c1\n\n\0",
            "body-too-large",
        ),
        (b"SEND\nreceipt:r\\c1\n\n12345678901", "body-too-large"),
        (b"ACK\nreceipt:r\\c1\n\nbody\0", "unexpected-body"),
        (
            b"SEND\nreceipt:r\\c1\ncontent-length:1\n\nab\0",
            "missing-nul",
        ),
        (b"SEND\nreceipt:r\\c1\n\0", "unexpected-nul"),
    ] {
        assert_code(v1_2, stream, code, Some("r:1"));
    }
    // In the words of the peer's version: 1.0 knows no escapes.
    assert_code(
        Some(Version::V1_0),
        b"FOO\nreceipt: r\\c1\n\n\0",
        "unknown-command",
        Some("r\\c1"),
    );
    // Before the version is known nothing can ask for a receipt: the answer comes with the first line.
    assert_code(None, b"GET / HTTP\n", "unknown-command", None);
}

#[test]
fn frames_before_the_fault_are_still_read() {
    let (items, error) = decode_whole(
        Some(Version::V1_2),
        LIMITS,
        b"ACK\nid:1\n\n\0\nFOO\n\n\0ACK\nid:2\n\n\0",
    );
    assert_eq!(
        (items.len(), error.map(|error| error.code())),
        (2, Some("unknown-command"))
    );
}

#[test]
fn decoder_that_failed_stays_failed() {
    let mut decoder = tidings_stomp::Decoder::new(LIMITS);
    let mut input = bytes::Bytes::from_static(b"FOO\n\n\0ACK\nid:1\n\n\0");
    assert!(decoder.decode(&mut input).is_err());
    assert_eq!(
        decoder.decode(&mut input).map_err(|error| error.code()),
        Err("already-failed")
    );
}

#[test]
fn messages_say_limit_and_finding_and_tell_no_secret() {
    let message = |stream: &[u8]| {
        let (_, error) = decode(Some(Version::V1_2), LIMITS, [stream]);
        error.expect("bad input").to_string()
    };
    assert_eq!(
        message(b"SEND\ncontent-length:11\n\n"),
        "body of 11 bytes is larger than the limit of 10 bytes; send less"
    );
    assert_eq!(
        message(b"SEND\n\n12345678901"),
        "body of at least 11 bytes is larger than the limit of 10 bytes; send less"
    );
    assert_eq!(
        message(b"F\x01O\n\n\0"),
        "unknown command \"F\\x01O\"; commands are those of STOMP, in capitals"
    );
    assert!(!message(b"CONNECT\npasscode=hush\n\n\0").contains("hush"));
}
