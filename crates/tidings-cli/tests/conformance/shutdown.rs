//! SIGTERM: every session is told, and the exit is clean.

use crate::peer::{Server, Version};

#[test]
fn sessions_over_tcp_get_the_coded_error() {
    let server = Server::start();
    let mut peers = Version::ALL.map(|version| server.connect(version));
    server.terminate();
    for peer in &mut peers {
        peer.expect_error("shutdown");
    }
    drop(peers);
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn sessions_over_websocket_get_close_1001() {
    let server = Server::start();
    let mut connected = server.websocket_session();
    let mut early = server.websocket();
    server.terminate();
    assert_eq!(
        connected.expect_end(),
        Some(1001),
        "without an ERROR, which would alarm people"
    );
    let frames = early.read_to_close();
    assert_eq!(
        frames.last().and_then(|frame| frame.close_code()),
        Some(1001)
    );
    drop((connected, early));
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn what_was_accepted_is_delivered_before_the_end() {
    let server = Server::start();
    let mut subscriber = server.session();
    subscriber.subscribed("s", "/topic/a", &[]);
    let mut sender = server.session();
    for number in 0..200 {
        sender.send(
            "SEND",
            &[("destination", "/topic/a")],
            number.to_string().as_bytes(),
        );
    }
    sender.expect_nothing();
    server.terminate();
    for number in 0..200 {
        subscriber.expect_message(number.to_string());
    }
    subscriber.expect_error("shutdown");
    drop((subscriber, sender));
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn a_server_without_sessions_exits_at_once() {
    let server = Server::start();
    server.terminate();
    assert_eq!(server.exit().code(), Some(0));
}

#[test]
fn a_client_that_does_not_leave_is_cut_when_the_time_is_over() {
    let server = Server::configured("[server]\nshutdown_timeout = \"300ms\"\n");
    let stubborn = server.tcp_stream();
    let idle = server.raw_websocket();
    let session = server.session();
    server.terminate();
    assert_eq!(server.exit().code(), Some(0));
    drop((stubborn, idle, session));
}

#[test]
fn after_sigterm_nobody_new_is_accepted() {
    let server = Server::start();
    let mut last = server.session();
    let address = server.tcp;
    server.terminate();
    last.expect_error("shutdown");
    drop(last);
    assert_eq!(server.exit().code(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err());
}
