//! `server.max_connections`: who comes when the server is full is told so, and the place of who leaves is free again.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::peer::{PATIENCE, Peer, Response, Server, WebSocket};

const FULL: &str = "too-many-connections";

/// A server for two connections.
fn small() -> Server {
    Server::configured("[server]\nmax_connections = 2\n")
}

/// Waits until the server counts this many STOMP connections.
fn await_connections(server: &Server, link: &str, count: i64) {
    server.await_metric(
        &format!("tidings_connections{{link=\"{link}\"}}"),
        |connections| connections == count,
    );
}

fn assert_full_over_tcp(server: &Server) {
    let mut refused = server.tcp();
    // Said without being asked: the server does not read from whom it turns away.
    refused.expect_error(FULL);
}

#[test]
fn over_tcp_one_too_many_gets_the_coded_error() {
    let server = small();
    let mut inside = [server.session(), server.session()];
    for count in 1..=20 {
        assert_full_over_tcp(&server);
        server.await_disconnects(FULL, count);
    }
    inside[0].subscribed("s", "/topic/a", &[]);
    inside[1].publish("/topic/a", "undisturbed");
    inside[0].expect_message("undisturbed");
}

#[test]
fn a_connect_sent_at_once_does_not_cost_the_client_its_error() {
    let server = small();
    let _inside = [server.session(), server.session()];
    for _ in 0..20 {
        let mut refused = server.tcp();
        refused.raw(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0");
        refused.expect_error(FULL);
    }
}

#[test]
fn over_http_one_too_many_gets_503_and_when_to_come_back() {
    let server = small();
    let _inside = [server.session(), server.session()];
    for count in 1..=20 {
        let refused = WebSocket::open(server.http, &[]).expect_err("the server is full");
        assert_eq!(refused.status, 503);
        let pause = refused.header("retry-after").expect("it says when");
        assert!(pause.parse::<u32>().is_ok_and(|seconds| seconds > 0));
        server.await_disconnects(FULL, count);
    }
}

#[test]
fn a_503_comes_without_a_request_too() {
    let server = small();
    let _inside = [server.session(), server.session()];
    let answer = Response::until_end(server.http, b"");
    assert!(answer.starts_with(b"HTTP/1.1 503 "), "{answer:?}");
}

#[test]
fn the_place_of_who_leaves_is_free_again() {
    let server = small();
    let stays = server.session();
    type Open = fn(&Server) -> Peer;
    for open in [Server::session as Open, Server::websocket_session] {
        for _ in 0..5 {
            let mut leaves = open(&server);
            assert_full_over_tcp(&server);
            leaves.done("DISCONNECT", &[], b"");
            leaves.expect_end();
            drop(leaves);
            await_connections(&server, "tcp", 1);
            await_connections(&server, "websocket", 0);
        }
    }
    drop(stays);
}

#[test]
fn the_place_of_who_is_reset_is_free_again() {
    let server = small();
    let mut stays = server.session();
    for _ in 0..5 {
        let mut breaks = server.session();
        breaks.subscribed("s", "/topic/a", &[]);
        stays.publish("/topic/a", "unread");
        breaks.reset();
        await_connections(&server, "tcp", 1);
    }
}

#[test]
fn a_plain_http_request_holds_a_place_until_it_is_answered() {
    let server = small();
    let _inside = server.session();
    let mut asking = TcpStream::connect(server.http).expect("the HTTP listener accepts");
    asking
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout can be set");
    asking
        .write_all(b"GET / HTTP/1.1\r\n")
        .expect("it is written");
    // A listener accepts in order, so the half request has the second place.
    let refused = Response::until_end(server.http, b"");
    assert!(refused.starts_with(b"HTTP/1.1 503 "), "{refused:?}");
    assert_full_over_tcp(&server);
    asking
        .write_all(b"Host: localhost\r\nConnection: close\r\n\r\n")
        .expect("it is written");
    let mut answer = Vec::new();
    asking
        .read_to_end(&mut answer)
        .expect("the answer comes in time");
    assert!(answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
    let mut next = await_place(&server);
    next.expect_nothing();
}

/// Connects again and again until there is a place.
fn await_place(server: &Server) -> Peer {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let mut peer = server.tcp();
        peer.raw(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0");
        let frame = peer.next_frame();
        if frame.command == "CONNECTED" {
            return peer;
        }
        assert!(std::time::Instant::now() < deadline, "no place came free");
    }
}

#[test]
fn the_admin_listener_answers_when_the_server_is_full() {
    let server = small();
    let _inside = [server.session(), server.session()];
    assert_eq!(server.admin_page("/health/live").0, 200);
}
