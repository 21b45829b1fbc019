//! Where frames begin and end: line ends, content-length, NUL.

use crate::peer::{Peer, Server, Version};

/// A session that hears its own messages to `/topic/a`.
fn echo(server: &Server, version: Version) -> Peer {
    let mut peer = server.connect(version);
    peer.subscribed("s", "/topic/a", &[]);
    peer
}

#[test]
fn a_body_with_nul_needs_content_length_and_passes_whole() {
    let server = Server::start();
    for version in Version::ALL {
        let mut peer = echo(&server, version);
        let body: Vec<u8> = (0..=255).chain([0, 0, b'\n', 0]).collect();
        peer.send("SEND", &[("destination", "/topic/a")], &body);
        let message = peer.expect_message(&body);
        assert_eq!(message.get("content-length"), body.len().to_string());
    }
}

#[test]
fn without_content_length_the_first_nul_ends_the_body() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    peer.raw(b"SEND\ndestination:/topic/a\n\none\0SEND\ndestination:/topic/a\n\ntwo\0");
    assert_eq!(peer.expect_message("one").get("content-length"), "3");
    peer.expect_message("two");
}

#[test]
fn a_body_may_look_like_frames() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    let body = b"\0\nERROR\nmessage:no\n\n\0SEND\n\n";
    peer.send("SEND", &[("destination", "/topic/a")], body);
    peer.expect_message(body);
    peer.expect_nothing();
}

#[test]
fn an_empty_body_has_content_length_zero() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    peer.raw(b"SEND\ndestination:/topic/a\n\n\0SEND\ndestination:/topic/a\ncontent-length:0\n\n\0");
    for _ in 0..2 {
        assert_eq!(peer.expect_message("").get("content-length"), "0");
    }
}

#[test]
fn the_first_content_length_counts() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    peer.raw(b"SEND\ndestination:/topic/a\ncontent-length:3\ncontent-length:1\n\na\0b\0");
    assert_eq!(peer.expect_message(b"a\0b").get("content-length"), "3");
}

#[test]
fn content_length_of_frames_without_body_is_ignored() {
    let server = Server::start();
    let mut peer = server.session();
    // As clients send it that copy the headers of a MESSAGE into its ACK.
    let length = ("content-length", "17");
    peer.done(
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/topic/a"), length],
        b"",
    );
    peer.done("BEGIN", &[("transaction", "t"), length], b"");
    peer.done("ABORT", &[("transaction", "t"), length], b"");
    peer.done("UNSUBSCRIBE", &[("id", "s"), length], b"");
    peer.done("DISCONNECT", &[length], b"");
    peer.expect_end();
}

#[test]
fn lines_may_end_in_cr_lf_in_1_2() {
    let server = Server::start();
    let mut peer = server.tcp();
    peer.raw(b"CONNECT\r\naccept-version:1.2\r\nhost:h\r\n\r\n\0\r\n");
    peer.expect("CONNECTED");
    peer.raw(b"SUBSCRIBE\r\nid:s\r\ndestination:/topic/a\r\n\r\n\0\r\n\r\n");
    peer.raw(b"SEND\ndestination:/topic/a\r\nk:v\r\n\n\r\nbody\r\n\0\n");
    let message = peer.expect_message("\r\nbody\r\n");
    assert_eq!(
        (message.get("k"), message.get("destination")),
        ("v", "/topic/a")
    );
    assert_eq!(message.get("subscription"), "s");
}

#[test]
fn the_server_ends_lines_in_lf() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    peer.raw(b"SEND\r\ndestination:/topic/a\r\nk:v\r\n\r\nx\0");
    let message = peer.expect_message("x");
    assert!(
        message.lines.iter().all(|line| !line.contains('\r')),
        "{message:?}"
    );
}

#[test]
fn line_ends_between_frames_are_heart_beats() {
    let server = Server::start();
    let mut peer = echo(&server, Version::V12);
    peer.raw(b"\n\n\r\n\nSEND\ndestination:/topic/a\n\none\0\n\n\r\nSEND\ndestination:/topic/a\n\ntwo\0\n");
    peer.expect_message("one");
    peer.expect_message("two");
    peer.expect_nothing();
}

#[test]
fn a_1_0_client_may_put_a_body_on_subscribe() {
    let server = Server::start();
    let mut peer = server.connect(Version::V10);
    peer.raw(b"SUBSCRIBE\ndestination:/topic/a\nreceipt:r\n\nignored\0");
    peer.expect_receipt("r");
    peer.send("SEND", &[("destination", "/topic/a")], b"one");
    peer.expect_message("one");
}

#[test]
fn a_body_where_none_may_be_is_an_error() {
    let server = Server::start();
    let frames: [&[u8]; 3] = [
        b"SUBSCRIBE\nid:s\ndestination:/topic/a\nreceipt:r\n\nbody\0",
        b"BEGIN\ntransaction:t\nreceipt:r\n\nbody\0",
        b"DISCONNECT\nreceipt:r\ncontent-length:2\n\nxy\0",
    ];
    for frame in frames {
        let mut peer = server.session();
        peer.raw(frame);
        peer.expect_error_for("unexpected-body", "r");
    }
}

#[test]
fn a_frame_cut_by_the_end_of_the_connection_is_dropped() {
    let server = Server::start();
    let mut listener = echo(&server, Version::V12);
    let mut sender = server.session();
    sender.raw(b"SEND\ndestination:/topic/a\n\nwhole\0SEND\ndestination:/topic/a\n\nhalf");
    sender.half_close();
    sender.read_to_end();
    listener.expect_message("whole");
    listener.expect_nothing();
}

#[test]
fn binary_and_text_bodies_pass_over_every_link() {
    let server = Server::start();
    let bodies: [&[u8]; 5] = [
        b"text",
        "\u{20ac}".as_bytes(),
        b"\xff\xfe",
        b"\0",
        b"\xe2\x82",
    ];
    for mut receiver in [server.session(), server.websocket_session()] {
        receiver.subscribed("s", "/topic/a", &[]);
        for mut sender in [server.session(), server.websocket_session()] {
            for body in bodies {
                sender.publish("/topic/a", body);
                receiver.expect_message(body);
            }
        }
    }
}
