//! ACK and NACK: the three modes, what comes back and in which order.

use crate::peer::{Frame, Peer, Server, Version};

const QUEUE: &str = "/queue/a";

/// A server whose queue holds these bodies.
fn with_messages(bodies: &[&str]) -> Server {
    let server = Server::start();
    let mut sender = server.session();
    for body in bodies {
        sender.publish(QUEUE, body);
    }
    server
}

fn consumer(server: &Server, mode: &str, bodies: &[&str]) -> (Peer, Vec<Frame>) {
    let mut peer = server.session();
    peer.subscribe("s", QUEUE, &[("ack", mode)]);
    let messages = bodies
        .iter()
        .map(|body| peer.expect_message(body))
        .collect();
    (peer, messages)
}

fn settle(peer: &mut Peer, command: &str, message: &Frame) {
    peer.done(command, &[("id", message.get("ack"))], b"");
}

/// Ends `peer` and shows what its queue still holds.
fn assert_left(server: &Server, mut peer: Peer, left: &[&str]) {
    peer.done("DISCONNECT", &[], b"");
    peer.expect_end();
    let (mut next, messages) = consumer(server, "auto", left);
    next.expect_nothing();
    for message in messages {
        assert_eq!(message.get("redelivered"), "true");
        assert_eq!(message.get("delivery-count"), "2");
    }
}

#[test]
fn auto_needs_no_ack_and_nothing_comes_back() {
    let server = with_messages(&["1", "2"]);
    let (peer, _) = consumer(&server, "auto", &["1", "2"]);
    assert_left(&server, peer, &[]);
}

#[test]
fn client_acknowledges_all_earlier_ones() {
    let server = with_messages(&["1", "2", "3", "4"]);
    let (mut peer, messages) = consumer(&server, "client", &["1", "2", "3", "4"]);
    settle(&mut peer, "ACK", &messages[2]);
    assert_left(&server, peer, &["4"]);
}

#[test]
fn client_individual_acknowledges_one() {
    let server = with_messages(&["1", "2", "3", "4"]);
    let (mut peer, messages) = consumer(&server, "client-individual", &["1", "2", "3", "4"]);
    settle(&mut peer, "ACK", &messages[2]);
    assert_left(&server, peer, &["1", "2", "4"]);
}

#[test]
fn unacknowledged_messages_come_back_in_their_order() {
    let server = with_messages(&["1", "2", "3"]);
    let (peer, _) = consumer(&server, "client-individual", &["1", "2", "3"]);
    assert_left(&server, peer, &["1", "2", "3"]);
}

#[test]
fn a_broken_connection_gives_back_too() {
    let server = with_messages(&["1"]);
    let (peer, _) = consumer(&server, "client", &["1"]);
    drop(peer);
    let (_, messages) = consumer(&server, "client", &["1"]);
    assert_eq!(messages[0].get("redelivered"), "true");
}

#[test]
fn cumulative_acks_stay_within_their_subscription() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("one", "/queue/one", &[("ack", "client")]);
    peer.subscribed("two", "/queue/two", &[("ack", "client")]);
    peer.send("SEND", &[("destination", "/queue/one")], b"first");
    peer.expect_message("first");
    peer.send("SEND", &[("destination", "/queue/two")], b"second");
    let second = peer.expect_message("second");
    settle(&mut peer, "ACK", &second);
    peer.done("DISCONNECT", &[], b"");
    peer.expect_end();
    let mut next = server.session();
    next.subscribe("one", "/queue/one", &[]);
    next.expect_message("first");
    next.subscribe("two", "/queue/two", &[]);
    next.expect_nothing();
}

#[test]
fn nack_gives_one_back_to_the_front() {
    let server = with_messages(&["1", "2", "3"]);
    let mut peer = server.session();
    peer.subscribe(
        "s",
        QUEUE,
        &[("ack", "client-individual"), ("prefetch-count", "1")],
    );
    let first = peer.expect_message("1");
    peer.send("NACK", &[("id", first.get("ack"))], b"");
    let again = peer.expect_message("1");
    assert_eq!(
        (again.get("redelivered"), again.get("delivery-count")),
        ("true", "2")
    );
    peer.send("ACK", &[("id", again.get("ack"))], b"");
    let second = peer.expect_message("2");
    second.assert_absent("redelivered");
}

#[test]
fn nack_with_client_gives_back_all_earlier_ones() {
    let server = with_messages(&["1", "2", "3"]);
    let (mut peer, messages) = consumer(&server, "client", &["1", "2", "3"]);
    peer.send("NACK", &[("id", messages[1].get("ack"))], b"");
    for body in ["1", "2"] {
        assert_eq!(peer.expect_message(body).get("delivery-count"), "2");
    }
    peer.expect_nothing();
}

#[test]
fn a_message_given_back_may_go_to_another_consumer() {
    let server = with_messages(&["1"]);
    let (mut first, messages) = consumer(&server, "client-individual", &["1"]);
    let mut second = server.session();
    second.subscribed("s", QUEUE, &[("ack", "client-individual")]);
    first.done("UNSUBSCRIBE", &[("id", "s")], b"");
    let again = second.expect_message("1");
    assert_eq!(again.get("redelivered"), "true");
    assert_eq!(again.get("message-id"), messages[0].get("message-id"));
}

#[test]
fn unsubscribe_gives_back_at_once_and_a_late_ack_is_no_error() {
    let server = with_messages(&["1", "2"]);
    let (mut peer, messages) = consumer(&server, "client-individual", &["1", "2"]);
    peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    let (mut other, _) = consumer(&server, "client-individual", &["1", "2"]);
    settle(&mut peer, "ACK", &messages[0]);
    settle(&mut peer, "NACK", &messages[1]);
    other.expect_nothing();
}

#[test]
fn a_second_ack_of_one_message_is_an_error() {
    for mode in ["client", "client-individual"] {
        let server = with_messages(&["1"]);
        let (mut peer, messages) = consumer(&server, mode, &["1"]);
        settle(&mut peer, "ACK", &messages[0]);
        peer.send(
            "ACK",
            &[("id", messages[0].get("ack")), ("receipt", "r")],
            b"",
        );
        peer.expect_error_for("unknown-ack", "r");
    }
}

#[test]
fn one_session_cannot_acknowledge_for_another() {
    let server = with_messages(&["1"]);
    let (mut owner, messages) = consumer(&server, "client-individual", &["1"]);
    let mut stranger = server.session();
    stranger.send("ACK", &[("id", messages[0].get("ack"))], b"");
    stranger.expect_error("unknown-ack");
    settle(&mut owner, "ACK", &messages[0]);
}

#[test]
fn on_topics_ack_and_nack_are_taken_and_nothing_comes_again() {
    let server = Server::start();
    for mode in ["client", "client-individual"] {
        let mut peer = server.session();
        peer.subscribed("s", "/topic/a", &[("ack", mode)]);
        let messages = ["1", "2", "3"].map(|body| {
            peer.send("SEND", &[("destination", "/topic/a")], body.as_bytes());
            peer.expect_message(body)
        });
        settle(&mut peer, "NACK", &messages[0]);
        settle(&mut peer, "ACK", &messages[2]);
        peer.expect_nothing();
        peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
        peer.subscribed("s", "/topic/a", &[("ack", mode)]);
        peer.expect_nothing();
    }
}

#[test]
fn the_last_64_ended_subscriptions_of_a_session_are_remembered() {
    let server = Server::start();
    for version in [Version::V11, Version::V12] {
        let mut peer = server.connect(version);
        let mut sender = server.session();
        let late: Vec<_> = (0..65)
            .map(|number| {
                let (id, topic) = (number.to_string(), format!("/topic/{number}"));
                peer.subscribed(&id, &topic, &[("ack", "client")]);
                sender.publish(&topic, "x");
                let message = peer.expect_message("x");
                peer.done("UNSUBSCRIBE", &[("id", &id)], b"");
                let ack = message.header("ack").unwrap_or_default().to_owned();
                (id, message.get("message-id").to_owned(), ack)
            })
            .collect();
        let mut acknowledge = |(subscription, message, ack): &(String, String, String)| {
            if version == Version::V12 {
                peer.send("ACK", &[("id", ack), ("receipt", "r")], b"");
            } else {
                let names = [("subscription", &**subscription), ("message-id", message)];
                peer.send("ACK", &[&names[..], &[("receipt", "r")]].concat(), b"");
            }
            peer.next_frame()
        };
        for one in &late[1..] {
            assert_eq!(acknowledge(one).command, "RECEIPT");
        }
        // The `ack` id of 1.2 tells by itself that its subscription was one of this session.
        let oldest = acknowledge(&late[0]);
        match version {
            Version::V12 => assert_eq!(oldest.command, "RECEIPT"),
            _ => assert_eq!(oldest.header("code"), Some("unknown-ack")),
        }
    }
}
