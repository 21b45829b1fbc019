//! How long messages wait.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::peer::{Headers, Peer, Server};

fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970")
        .as_millis()
}

fn send(peer: &mut Peer, destination: &str, headers: Headers, body: &str) {
    peer.done(
        "SEND",
        &[&[("destination", destination)], headers].concat(),
        body.as_bytes(),
    );
}

/// What a new consumer of `/queue/a` gets.
fn assert_waits(server: &Server, bodies: &[&str]) {
    let mut consumer = server.session();
    consumer.subscribe("s", "/queue/a", &[]);
    for body in bodies {
        consumer.expect_message(body);
    }
    consumer.expect_nothing();
}

#[test]
fn a_message_past_its_time_is_never_delivered() {
    let server = Server::start();
    let mut sender = server.session();
    send(&mut sender, "/queue/a", &[("expires", "1")], "long gone");
    send(
        &mut sender,
        "/queue/a",
        &[("expires", &(now_ms() - 1).to_string())],
        "just gone",
    );
    send(&mut sender, "/queue/a", &[], "stays");
    assert_waits(&server, &["stays"]);
}

#[test]
fn a_message_before_its_time_is_delivered() {
    let server = Server::start();
    let mut sender = server.session();
    let tomorrow = (now_ms() + 86_400_000).to_string();
    send(
        &mut sender,
        "/queue/a",
        &[("expires", &tomorrow)],
        "absolute",
    );
    send(
        &mut sender,
        "/queue/a",
        &[("expiration", "86400000")],
        "relative",
    );
    send(&mut sender, "/queue/a", &[("expires", "0")], "never");
    assert_waits(&server, &["absolute", "relative", "never"]);
}

#[test]
fn a_message_expires_while_it_waits() {
    let server = Server::start();
    let mut sender = server.session();
    send(&mut sender, "/queue/a", &[("expiration", "50")], "relative");
    send(
        &mut sender,
        "/queue/a",
        &[("expires", &(now_ms() + 50).to_string())],
        "absolute",
    );
    send(&mut sender, "/queue/a", &[], "stays");
    sender.expect_quiet(Duration::from_millis(100));
    assert_waits(&server, &["stays"]);
}

#[test]
fn of_two_times_the_earlier_counts() {
    let server = Server::start();
    let mut sender = server.session();
    send(
        &mut sender,
        "/queue/a",
        &[("expires", "1"), ("expiration", "86400000")],
        "gone",
    );
    assert_waits(&server, &[]);
}

#[test]
fn an_expired_message_on_a_topic_is_not_delivered() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    send(&mut peer, "/topic/a", &[("expires", "1")], "gone");
    peer.expect_nothing();
}
