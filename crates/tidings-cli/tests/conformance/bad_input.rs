//! What no client should send: it costs the sender its connection and nobody else anything.

use crate::peer::{Server, Version};

#[test]
fn garbage_is_answered_and_closed() {
    let server = Server::quiet();
    let mut other = server.session();
    let table: [(&[u8], &[&str]); 8] = [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &["unknown-command"]),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
            &["unknown-command", "unexpected-nul"],
        ),
        (b"connect\n\n\0", &["unknown-command"]),
        (b"CONNECT \n\n\0", &["unknown-command"]),
        (b" CONNECT\n\n\0", &["unknown-command"]),
        (
            b"\xff\xff\xff\xff\n\n\0",
            &["unknown-command", "invalid-utf8"],
        ),
        (b"\0\0\0\0", &["unknown-command", "unexpected-nul"]),
        (b"HELO\n\n\0", &["unknown-command"]),
    ];
    for (octets, codes) in table {
        let mut peer = server.tcp();
        peer.raw(octets);
        let error = peer.expect("ERROR");
        assert!(
            codes.contains(&error.get("code")),
            "{error:?} for {}",
            octets.escape_ascii()
        );
        peer.expect_end();
    }
    other.expect_nothing();
}

#[test]
fn every_single_octet_is_survived() {
    let server = Server::quiet();
    for octet in 0..=u8::MAX {
        let mut peer = server.tcp();
        peer.raw(&[octet; 40]);
        peer.half_close();
        peer.read_to_end();
    }
    server.session().expect_nothing();
}

#[test]
fn commands_of_servers_are_not_for_clients() {
    let server = Server::quiet();
    for command in ["CONNECTED", "MESSAGE", "RECEIPT", "ERROR"] {
        let mut peer = server.session();
        peer.send(
            command,
            &[("receipt", "r"), ("destination", "/topic/a")],
            b"",
        );
        peer.expect_error_for("unexpected-command", "r");
        let mut peer = server.tcp();
        peer.send(command, &[("version", "1.2")], b"");
        let error = peer.expect("ERROR");
        assert!(
            ["unexpected-command", "not-connected"].contains(&error.get("code")),
            "{error:?}"
        );
        peer.expect_end();
    }
}

#[test]
fn commands_are_case_sensitive() {
    let server = Server::quiet();
    for command in ["send", "Send", "SEND ", "SENDX", "SEN"] {
        let mut peer = server.session();
        peer.send(
            command,
            &[("destination", "/topic/a"), ("receipt", "r")],
            b"",
        );
        peer.expect_error_for("unknown-command", "r");
    }
}

#[test]
fn heads_that_are_not_utf_8_are_refused() {
    let server = Server::quiet();
    for bad in [
        &b"\xff"[..],
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\xf5\x80\x80\x80",
    ] {
        for version in [Version::V11, Version::V12] {
            let mut peer = server.connect(version);
            peer.raw(
                &[
                    b"SEND\nreceipt:r\ndestination:/topic/a\nk:",
                    bad,
                    b"\n\nx\0",
                ]
                .concat(),
            );
            peer.expect_error_for("invalid-utf8", "r");
        }
    }
}

#[test]
fn header_lines_without_colon_or_name_are_refused() {
    let server = Server::quiet();
    for line in ["no colon", ":no name", ":", "k\rv"] {
        let mut peer = server.session();
        peer.raw(format!("SEND\nreceipt:r\ndestination:/topic/a\n{line}\n\nx\0").as_bytes());
        peer.expect_error_for("invalid-header", "r");
    }
}

#[test]
fn a_nul_within_the_head_is_refused() {
    let server = Server::quiet();
    for frame in [
        &b"SEND\ndestination:/topic/a\0"[..],
        b"SEND\0",
        b"BEGIN\ntransaction:a\0b\n\n\0",
    ] {
        let mut peer = server.session();
        peer.raw(frame);
        peer.expect_error("unexpected-nul");
    }
}

#[test]
fn content_lengths_that_are_no_numbers_are_refused() {
    let server = Server::quiet();
    for length in [
        "-1",
        "+1",
        "x",
        "",
        " 1",
        "1 ",
        "0x1",
        "1.0",
        "1e1",
        "99999999999999999999999999",
    ] {
        let mut peer = server.session();
        let frame =
            format!("SEND\ndestination:/topic/a\nreceipt:r\ncontent-length:{length}\n\nx\0");
        peer.raw(frame.as_bytes());
        let error = peer.expect("ERROR");
        let too_large = length.len() > 20 && error.get("code") == "body-too-large";
        assert!(
            too_large || error.get("code") == "invalid-content-length",
            "{error:?} for {length:?}"
        );
        assert_eq!(error.get("receipt-id"), "r");
        peer.expect_end();
    }
}

#[test]
fn a_body_longer_than_its_content_length_lacks_its_nul() {
    let server = Server::quiet();
    for mut peer in [server.session(), server.websocket_session()] {
        peer.raw(b"SEND\ndestination:/topic/a\nreceipt:r\ncontent-length:2\n\nxyz\0");
        peer.expect_error_for("missing-nul", "r");
    }
}

#[test]
fn half_frames_and_sudden_ends_leave_no_trace() {
    let server = Server::quiet();
    let mut other = server.session();
    other.subscribed("s", "/topic/**", &[]);
    for half in ["", "C", "CONNECT\n", "CONNECT\naccept-version:1.2\n\n"] {
        let mut peer = server.tcp();
        peer.raw(half.as_bytes());
        peer.half_close();
        peer.read_to_end();
    }
    for half in [
        "SEND",
        "SEND\ndestination:/topic/a",
        "SEND\ndestination:/topic/a\n\n",
        "SEND\n\r",
    ] {
        let mut peer = server.session();
        peer.raw(half.as_bytes());
        peer.half_close();
        peer.read_to_end();
    }
    other.send("SEND", &[("destination", "/topic/last")], b"last");
    other.expect_message("last");
}

#[test]
fn what_follows_a_faulty_frame_is_not_handled() {
    let server = Server::quiet();
    let mut other = server.session();
    other.subscribed("s", "/topic/a", &[]);
    let mut peer = server.session();
    peer.raw(b"NOSUCH\n\n\0SEND\ndestination:/topic/a\n\nlate\0");
    peer.expect_error("unknown-command");
    let mut peer = server.session();
    peer.raw(b"ACK\nid:none\n\n\0SEND\ndestination:/topic/a\n\nlate\0");
    peer.expect_error("unknown-ack");
    other.expect_nothing();
}

#[test]
fn the_error_can_be_read_though_much_input_follows() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.raw(b"NOSUCH\nreceipt:r\n\n\0");
    // More than the buffers of both sockets hold would wait for a server that does not read; this much fits.
    peer.raw(&vec![b'x'; 100_000]);
    peer.expect_error_for("unknown-command", "r");
}
