//! SIGTERM: every session is told, and the exit is clean.

use crate::peer::{Peer, Server, Version};

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
fn what_waits_behind_a_full_socket_is_delivered_before_the_end() {
    let tables = "[stomp]\nmax_body_bytes = 65536\n[outbox]\nmax_bytes = 67108864\n";
    for open in [
        Server::session as fn(&Server) -> Peer,
        Server::websocket_session,
    ] {
        let server = Server::configured(tables);
        let mut slow = open(&server);
        slow.subscribed("s", "/topic/a", &[]);
        let mut sender = server.session();
        let mut sent = 0;
        // Until more waits than the one message that the socket took a part of.
        while server.metric("tidings_outbox_bytes") < 4 * 65_536 {
            sender.publish("/topic/a", [b'x'; 65_536]);
            sent += 1;
        }
        server.terminate();
        sender.expect_error("shutdown");
        let frames = slow.expect_whole_to_end();
        let messages = frames.iter().filter(|frame| frame.command == "MESSAGE");
        assert_eq!(messages.count(), sent);
        drop((slow, sender));
        assert_eq!(server.exit().code(), Some(0));
    }
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

/// Regression: the admin listener ended with the others, so that nobody could watch a server drain.
#[test]
fn the_admin_listener_answers_not_ready_while_a_drain_waits_for_a_client() {
    let tables = "[stomp]\nmax_body_bytes = 65536\n[outbox]\nmax_bytes = 67108864\n";
    let server = Server::configured(tables);
    let mut stalled = server.session();
    stalled.subscribed("s", "/topic/a", &[]);
    let mut sender = server.session();
    while server.metric("tidings_outbox_bytes") < 4 * 65_536 {
        sender.publish("/topic/a", [b'x'; 65_536]);
    }
    server.terminate();
    sender.expect_error("shutdown");
    for _ in 0..10 {
        assert_eq!(server.admin_page("/health/ready").0, 503);
        assert_eq!(server.admin_page("/metrics").0, 200);
        assert_eq!(server.admin_page("/health/live").0, 200);
    }
    assert!(server.metric("tidings_outbox_bytes") > 0, "it still waits");
    stalled.expect_whole_to_end();
    drop((stalled, sender));
    assert_eq!(server.exit().code(), Some(0));
}
