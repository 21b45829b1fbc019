//! CONNECT and CONNECTED.

use crate::peer::{Server, Version};

#[test]
fn connected_names_version_session_server_and_heart_beat() {
    let server = Server::start();
    for version in Version::ALL {
        let connected = server.tcp().connect(version);
        assert_eq!(connected.get("version"), version.name());
        assert_eq!(
            connected.get("server"),
            concat!("tidings/", env!("CARGO_PKG_VERSION"))
        );
        let heart_beat = (version != Version::V10).then_some("10000,10000");
        assert_eq!(connected.header("heart-beat"), heart_beat);
        assert!(connected.get("session").len() >= 16, "{connected:?}");
        assert_eq!(connected.text(), "");
    }
}

#[test]
fn session_names_differ_everywhere() {
    let server = Server::start();
    let [first, second] =
        [(); 2].map(|()| server.tcp().connect(Version::V12).get("session").to_owned());
    let same = first
        .bytes()
        .zip(second.bytes())
        .take_while(|(left, right)| left == right)
        .count();
    assert!(
        first.len() - same >= 16,
        "{first} and {second} have too much in common"
    );
}

#[test]
fn login_is_the_user_name_and_without_it_there_is_none() {
    let server = Server::start();
    let login = [
        ("accept-version", "1.2"),
        ("host", "h"),
        ("login", "ann"),
        ("passcode", "any"),
    ];
    let connected = server.tcp().connect_with(Version::V12, &login);
    assert_eq!(connected.get("user-name"), "ann");
    server
        .tcp()
        .connect(Version::V12)
        .assert_absent("user-name");
}

#[test]
fn stomp_is_connect() {
    let server = Server::start();
    let mut peer = server.tcp();
    peer.send("STOMP", &[("accept-version", "1.2"), ("host", "h")], b"");
    assert_eq!(peer.expect("CONNECTED").get("version"), "1.2");
    peer.expect_nothing();
}

#[test]
fn host_may_be_anything_and_may_be_missing() {
    let server = Server::start();
    for version in Version::ALL {
        server
            .tcp()
            .connect_with(version, &[("accept-version", version.name())]);
        server.tcp().connect_with(
            version,
            &[("accept-version", version.name()), ("host", "example.org")],
        );
        server
            .tcp()
            .connect_with(version, &[("accept-version", version.name()), ("host", "")]);
    }
}

#[test]
fn a_receipt_of_connect_is_ignored() {
    let server = Server::start();
    let mut peer = server.tcp();
    let connected = peer.connect_with(Version::V12, &[("accept-version", "1.2"), ("receipt", "r")]);
    connected.assert_absent("receipt-id");
    peer.expect_nothing();
}

#[test]
fn line_ends_may_come_before_connect() {
    let server = Server::start();
    for mut peer in [server.tcp(), server.websocket()] {
        peer.raw(b"\n\r\n\n");
        peer.connect(Version::V12);
    }
}

#[test]
fn headers_of_connect_are_not_escaped() {
    let server = Server::start();
    let mut peer = server.tcp();
    peer.raw(b"CONNECT\naccept-version:1.2\nlogin:a\\b\\n\\t\n\n\0");
    let connected = peer.expect("CONNECTED");
    assert_eq!(connected.get("user-name"), "a\\b\\n\\t");
}

#[test]
fn a_colon_in_the_login_is_taken_as_it_is() {
    let server = Server::start();
    let mut peer = server.tcp();
    peer.raw(b"CONNECT\naccept-version:1.2\nlogin:ann:smith\n\n\0");
    assert_eq!(peer.expect("CONNECTED").get("user-name"), "ann:smith");
}

#[test]
fn every_frame_before_connect_is_not_connected() {
    let server = Server::start();
    let frames: [(&str, &[(&str, &str)]); 10] = [
        ("SEND", &[("destination", "/topic/a")]),
        ("SUBSCRIBE", &[("destination", "/topic/a"), ("id", "1")]),
        ("UNSUBSCRIBE", &[("id", "1")]),
        ("ACK", &[("id", "1")]),
        ("NACK", &[("id", "1")]),
        ("BEGIN", &[("transaction", "t")]),
        ("COMMIT", &[("transaction", "t")]),
        ("ABORT", &[("transaction", "t")]),
        ("DISCONNECT", &[]),
        ("SEND", &[]),
    ];
    for (command, headers) in frames {
        let mut peer = server.tcp();
        peer.send(command, &[headers, &[("receipt", "early")]].concat(), b"");
        peer.expect_error_for("not-connected", "early");
    }
}

#[test]
fn a_second_connect_is_already_connected() {
    let server = Server::start();
    for command in ["CONNECT", "STOMP"] {
        for mut peer in [server.session(), server.websocket_session()] {
            peer.send(command, &[("accept-version", "1.2"), ("host", "h")], b"");
            peer.expect_error("already-connected");
        }
    }
}

const HURRY: &str = "[stomp]\nconnect_timeout = \"200ms\"\n";

#[test]
fn a_client_that_says_nothing_is_cut_off() {
    let server = Server::configured(HURRY);
    server.tcp().expect_error("connect-timeout");
    server.websocket().expect_error("connect-timeout");
    server.await_disconnects("connect-timeout", 2);
}

#[test]
fn a_session_outlives_the_connect_timeout() {
    let server = Server::configured(HURRY);
    let mut connected = server.session();
    server.tcp().expect_error("connect-timeout");
    connected.expect_nothing();
}
