//! Each limit: what just fits passes, one more does not.

use crate::peer::{Peer, Server, Version};

const BODY: usize = 1024 * 1024;
const HEADER_LINE: usize = 8 * 1024;
const HEADERS: usize = 128;
const DESTINATION: usize = 1024;

/// A SEND with one header line of `len` bytes.
fn with_header_line(len: usize) -> Vec<u8> {
    let value = "v".repeat(len - 2);
    format!("SEND\ndestination:/topic/a\nreceipt:r\nk:{value}\n\nx\0").into_bytes()
}

/// A SEND with `count` headers.
fn with_headers(count: usize) -> Vec<u8> {
    let more: String = (2..count).map(|number| format!("k{number}:v\n")).collect();
    format!("SEND\ndestination:/topic/a\nreceipt:r\n{more}\nx\0").into_bytes()
}

fn assert_fits(mut peer: Peer, frame: &[u8]) {
    peer.raw(frame);
    peer.expect_receipt("r");
}

fn assert_refused(mut peer: Peer, frame: &[u8], code: &str) {
    peer.raw(frame);
    peer.expect_error(code);
}

#[test]
fn a_header_line_of_8_kib_passes_and_one_byte_more_does_not() {
    let server = Server::start();
    for session in [Server::session, Server::websocket_session] {
        assert_fits(session(&server), &with_header_line(HEADER_LINE));
        assert_refused(
            session(&server),
            &with_header_line(HEADER_LINE + 1),
            "header-too-long",
        );
    }
}

#[test]
fn a_header_line_without_end_is_refused_before_it_ends() {
    let server = Server::start();
    let endless = [&b"SEND\nk:"[..], &[b'v'; HEADER_LINE + 1]].concat();
    assert_refused(server.session(), &endless, "header-too-long");
    let endless = [&b"CONNECT\nk:"[..], &[b'v'; HEADER_LINE + 1]].concat();
    assert_refused(server.tcp(), &endless, "header-too-long");
}

#[test]
fn a_command_line_over_32_bytes_is_too_long() {
    let server = Server::start();
    for mut peer in [server.tcp(), server.session()] {
        peer.raw(&[b'A'; 33]);
        peer.expect_error("command-too-long");
    }
}

#[test]
fn a_frame_of_128_headers_passes_and_one_more_does_not() {
    let server = Server::start();
    assert_fits(server.session(), &with_headers(HEADERS));
    assert_refused(
        server.session(),
        &with_headers(HEADERS + 1),
        "too-many-headers",
    );
}

#[test]
fn repeated_headers_count() {
    let server = Server::start();
    let frame = format!(
        "SEND\ndestination:/topic/a\n{}\nx\0",
        "k:v\n".repeat(HEADERS)
    );
    assert_refused(server.session(), frame.as_bytes(), "too-many-headers");
}

#[test]
fn a_body_of_1_mib_passes_with_and_without_content_length() {
    let server = Server::start();
    let body = vec![b'x'; BODY];
    for mut peer in [server.session(), server.websocket_session()] {
        peer.subscribed("s", "/topic/a", &[]);
        peer.send("SEND", &[("destination", "/topic/a")], &body);
        peer.expect_message(&body);
        peer.raw(&[b"SEND\ndestination:/topic/a\n\n", &body[..], b"\0"].concat());
        peer.expect_message(&body);
    }
}

#[test]
fn a_body_over_1_mib_is_refused_as_soon_as_its_length_is_known() {
    let server = Server::start();
    for mut peer in [server.session(), server.websocket_session()] {
        let head = format!(
            "SEND\ndestination:/topic/a\nreceipt:r\ncontent-length:{}\n\n",
            BODY + 1
        );
        peer.raw(head.as_bytes());
        peer.expect_error_for("body-too-large", "r");
    }
}

#[test]
fn a_body_over_1_mib_without_content_length_is_refused() {
    let server = Server::start();
    let mut peer = server.session();
    peer.raw(b"SEND\ndestination:/topic/a\nreceipt:r\n\n");
    peer.raw(&vec![b'x'; BODY + 1]);
    peer.expect_error_for("body-too-large", "r");
}

#[test]
fn an_absurd_content_length_is_refused() {
    let server = Server::start();
    for length in ["4294967296", "9223372036854775807", "18446744073709551615"] {
        let head = format!("SEND\ndestination:/topic/a\ncontent-length:{length}\n\n");
        assert_refused(server.session(), head.as_bytes(), "body-too-large");
    }
}

#[test]
fn a_destination_of_1_kib_passes_and_one_byte_more_does_not() {
    let server = Server::start();
    let longest = format!("/topic/{}", "d".repeat(DESTINATION - "/topic/".len()));
    let mut peer = server.session();
    peer.subscribed("s", &longest, &[]);
    peer.send("SEND", &[("destination", &longest)], b"x");
    peer.expect_message("x");
    let longer = format!("{longest}d");
    for (command, id) in [("SEND", "a"), ("SUBSCRIBE", "b")] {
        let mut peer = server.session();
        peer.send(
            command,
            &[("destination", &longer), ("id", id), ("receipt", "r")],
            b"",
        );
        peer.expect_error_for("invalid-destination", "r");
    }
}

#[test]
fn limits_hold_before_connect() {
    let server = Server::start();
    let long = format!(
        "CONNECT\naccept-version:1.2\nlogin:{}\n\n\0",
        "v".repeat(HEADER_LINE)
    );
    assert_refused(server.tcp(), long.as_bytes(), "header-too-long");
    let many = format!(
        "CONNECT\naccept-version:1.2\n{}\n\0",
        "k:v\n".repeat(HEADERS)
    );
    assert_refused(server.tcp(), many.as_bytes(), "too-many-headers");
    let mut peer = server.tcp();
    peer.raw(
        format!(
            "SEND\ndestination:/topic/a\ncontent-length:{}\n\n",
            BODY + 1
        )
        .as_bytes(),
    );
    let code = peer.expect("ERROR").get("code").to_owned();
    assert!(
        ["body-too-large", "not-connected"].contains(&code.as_str()),
        "{code}"
    );
    peer.expect_end();
}

#[test]
fn limits_follow_the_configuration() {
    let tables = "[stomp]\nmax_body_bytes = 1024\nmax_header_line_bytes = 256\nmax_headers = 16\n";
    let server = Server::configured(tables);
    assert_fits(server.session(), &with_header_line(256));
    assert_refused(server.session(), &with_header_line(257), "header-too-long");
    assert_fits(server.session(), &with_headers(16));
    assert_refused(server.session(), &with_headers(17), "too-many-headers");
    let mut peer = server.connect(Version::V11);
    peer.publish("/topic/a", vec![0; 1024]);
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), ("receipt", "r")],
        &[0; 1025],
    );
    peer.expect_error_for("body-too-large", "r");
}
