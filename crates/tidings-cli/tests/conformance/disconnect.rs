//! DISCONNECT and other ways to leave.

use crate::peer::{Server, Version};

#[test]
fn the_receipt_comes_after_everything_before_it_and_then_the_end() {
    let server = Server::start();
    for version in Version::ALL {
        let mut peer = server.connect(version);
        peer.subscribed("s", "/topic/a", &[]);
        for number in 0..100 {
            peer.send(
                "SEND",
                &[("destination", "/topic/a")],
                number.to_string().as_bytes(),
            );
        }
        peer.send("DISCONNECT", &[("receipt", "bye")], b"");
        for number in 0..100 {
            peer.expect_message(number.to_string());
        }
        peer.expect_receipt("bye");
        peer.expect_end();
    }
}

#[test]
fn without_receipt_the_server_just_closes() {
    let server = Server::start();
    let mut peer = server.session();
    peer.send("DISCONNECT", &[], b"");
    peer.expect_end();
    server.await_disconnects("normal", 1);
}

#[test]
fn what_follows_disconnect_is_not_read() {
    let server = Server::start();
    let mut other = server.session();
    other.subscribed("s", "/topic/a", &[]);
    let mut peer = server.session();
    peer.raw(b"DISCONNECT\nreceipt:r\n\n\0SEND\ndestination:/topic/a\n\nlate\0NOSUCH\n\n\0");
    peer.expect_receipt("r");
    peer.expect_end();
    other.expect_nothing();
}

#[test]
fn the_last_frame_before_a_half_close_is_handled() {
    let server = Server::start();
    let mut other = server.session();
    other.subscribed("s", "/topic/a", &[]);
    let mut peer = server.session();
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), ("receipt", "r")],
        b"last words",
    );
    peer.half_close();
    other.expect_message("last words");
    peer.expect_receipt("r");
    peer.expect_end();
}

#[test]
fn a_publisher_that_connects_sends_and_leaves_in_one_write_is_heard() {
    let server = Server::start();
    let mut other = server.session();
    other.subscribed("s", "/topic/a", &[]);
    for number in 0..100 {
        let mut peer = server.tcp();
        let session = format!(
            "CONNECT\naccept-version:1.2\n\n\0SEND\ndestination:/topic/a\n\n{number}\0DISCONNECT\nreceipt:r\n\n\0"
        );
        peer.raw(session.as_bytes());
        other.expect_message(number.to_string());
        peer.expect("CONNECTED");
        peer.expect_receipt("r");
        peer.expect_end();
    }
}

#[test]
fn rapid_connects_and_disconnects_leave_nothing_behind() {
    let server = Server::start();
    for round in 0..300 {
        let mut peer = if round % 2 == 0 {
            server.session()
        } else {
            server.websocket_session()
        };
        peer.subscribe("s", "/queue/a", &[]);
        match round % 3 {
            0 => {
                peer.done("DISCONNECT", &[], b"");
                peer.expect_end();
            }
            1 => peer.send("DISCONNECT", &[], b""),
            _ => {}
        }
    }
    server.await_ends(300);
    for _ in 0..100 {
        drop(server.tcp());
        drop(server.websocket());
    }
    let mut peer = server.session();
    peer.subscribe("s", "/queue/a", &[]);
    peer.send(
        "SEND",
        &[("destination", "/queue/a")],
        b"for the only consumer",
    );
    peer.expect_message("for the only consumer");
}
