//! `/queue/`: each message to one consumer.

use std::collections::BTreeSet;

use crate::peer::{Peer, Server};

const QUEUE: &str = "/queue/a";
const INDIVIDUAL: (&str, &str) = ("ack", "client-individual");

fn bodies(range: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    range.map(|number| number.to_string())
}

#[test]
fn messages_wait_for_a_consumer_in_order() {
    let server = Server::start();
    let mut sender = server.session();
    for body in bodies(0..50) {
        sender.publish(QUEUE, &body);
    }
    drop(sender);
    let mut consumer = server.session();
    consumer.subscribe("s", QUEUE, &[]);
    for body in bodies(0..50) {
        consumer.expect_message(&body);
    }
    consumer.expect_nothing();
}

#[test]
fn competing_consumers_get_each_message_once() {
    let server = Server::start();
    let mut consumers = [
        server.session(),
        server.websocket_session(),
        server.session(),
    ];
    for consumer in &mut consumers {
        consumer.subscribed("s", QUEUE, &[]);
    }
    let mut sender = server.session();
    for body in bodies(0..300) {
        sender.publish(QUEUE, &body);
    }
    let mut heard = [const { Vec::new() }; 3];
    while heard.iter().map(Vec::len).sum::<usize>() < 300 {
        for (consumer, heard) in consumers.iter_mut().zip(&mut heard) {
            heard.extend(until_fence(consumer));
        }
    }
    for heard in &heard {
        assert!(
            heard.is_sorted(),
            "each consumer hears in the order sent: {heard:?}"
        );
        assert!(!heard.is_empty(), "consumers take turns");
    }
    let all: BTreeSet<u32> = heard.into_iter().flatten().collect();
    assert_eq!(all, (0..300).collect());
    for mut consumer in consumers {
        consumer.expect_nothing();
    }
}

/// Numbers that wait for `consumer`, up to the receipt of a frame that it sends now.
fn until_fence(consumer: &mut Peer) -> Vec<u32> {
    consumer.send(
        "SEND",
        &[("destination", "/topic/nobody"), ("receipt", "fence")],
        b"",
    );
    let mut numbers = Vec::new();
    loop {
        let frame = consumer.next_frame();
        match frame.command.as_str() {
            "MESSAGE" => numbers.push(frame.text().parse().expect("the body is a number")),
            _ => {
                assert_eq!(frame.header("receipt-id"), Some("fence"), "{frame:?}");
                return numbers;
            }
        }
    }
}

#[test]
fn prefetch_count_bounds_what_is_unacknowledged() {
    let server = Server::start();
    let mut sender = server.session();
    for body in bodies(0..5) {
        sender.publish(QUEUE, &body);
    }
    let mut consumer = server.session();
    consumer.subscribe("s", QUEUE, &[INDIVIDUAL, ("prefetch-count", "2")]);
    let first = consumer.expect_message("0");
    let second = consumer.expect_message("1");
    consumer.expect_nothing();
    consumer.send("ACK", &[("id", second.get("ack"))], b"");
    consumer.expect_message("2");
    consumer.expect_nothing();
    consumer.send("ACK", &[("id", first.get("ack"))], b"");
    consumer.expect_message("3");
    consumer.expect_nothing();
}

#[test]
fn a_hundred_messages_may_be_unacknowledged_by_default() {
    let server = Server::start();
    let mut sender = server.session();
    for body in bodies(0..150) {
        sender.publish(QUEUE, &body);
    }
    let mut consumer = server.session();
    consumer.subscribe("s", QUEUE, &[("ack", "client")]);
    let mut last = None;
    for body in bodies(0..100) {
        last = Some(consumer.expect_message(&body));
    }
    consumer.expect_nothing();
    let last = last.expect("a hundred came");
    consumer.send("ACK", &[("id", last.get("ack"))], b"");
    for body in bodies(100..150) {
        consumer.expect_message(&body);
    }
}

#[test]
fn prefetch_of_one_consumer_leaves_the_rest_to_others() {
    let server = Server::start();
    let mut greedy = server.session();
    greedy.subscribed("s", QUEUE, &[INDIVIDUAL, ("prefetch-count", "1")]);
    let mut other = server.session();
    let mut sender = server.session();
    sender.publish(QUEUE, "one");
    greedy.expect_message("one");
    other.subscribed("s", QUEUE, &[]);
    for body in ["two", "three"] {
        sender.publish(QUEUE, body);
        other.expect_message(body);
    }
    greedy.expect_nothing();
}

#[test]
fn auto_flows_without_acknowledgement() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", QUEUE, &[("ack", "auto"), ("prefetch-count", "1")]);
    let mut sender = server.session();
    for body in bodies(0..300) {
        sender.send("SEND", &[("destination", QUEUE)], body.as_bytes());
    }
    for body in bodies(0..300) {
        peer.expect_message(&body);
    }
}

#[test]
fn prefetch_count_on_topics_changes_nothing() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed(
        "s",
        "/topic/a",
        &[("ack", "client"), ("prefetch-count", "1")],
    );
    for body in ["one", "two", "three"] {
        peer.send("SEND", &[("destination", "/topic/a")], body.as_bytes());
        peer.expect_message(body);
    }
}

#[test]
fn a_full_queue_refuses_the_sender_and_keeps_what_it_has() {
    let server = Server::configured("[stomp]\nmax_body_bytes = 4096\n[queue]\nmax_bytes = 16384\n");
    let mut sender = server.session();
    let body = [b'x'; 4096];
    sender.publish(QUEUE, body);
    sender.publish(QUEUE, body);
    for _ in 0..4 {
        sender.send("SEND", &[("destination", QUEUE)], &body);
    }
    sender.expect_error("queue-full");
    server.await_disconnects("queue-full", 1);
    let mut consumer = server.session();
    consumer.publish("/queue/other", body);
    consumer.subscribe("s", QUEUE, &[]);
    consumer.expect_message(body);
    consumer.expect_message(body);
}

#[test]
fn unacknowledged_messages_fill_the_queue_and_an_ack_makes_room() {
    let server = Server::configured("[stomp]\nmax_body_bytes = 4096\n[queue]\nmax_bytes = 8192\n");
    let mut consumer = server.session();
    consumer.subscribed("s", QUEUE, &[INDIVIDUAL]);
    let body = [b'x'; 4096];
    consumer.send("SEND", &[("destination", QUEUE)], &body);
    let message = consumer.expect_message(body);
    let mut sender = server.session();
    sender.send("SEND", &[("destination", QUEUE), ("receipt", "r")], &body);
    sender.expect_error_for("queue-full", "r");
    consumer.done("ACK", &[("id", message.get("ack"))], b"");
    server.session().publish(QUEUE, body);
    consumer.expect_message(body);
}

/// Room for three bodies of the largest size in all queues together.
const TIGHT: &str =
    "[stomp]\nmax_body_bytes = 4096\n[queue]\nmax_bytes = 16384\nmax_total_bytes = 16384\n";

#[test]
fn all_queues_together_have_a_limit_and_an_ack_makes_room_for_another_queue() {
    let server = Server::configured(TIGHT);
    let body = [b'x'; 4096];
    let mut consumer = server.session();
    consumer.subscribed("s", "/queue/0", &[INDIVIDUAL]);
    let mut sender = server.session();
    for number in 0..3 {
        sender.publish(&format!("/queue/{number}"), body);
    }
    let ack = consumer.expect_message(body).get("ack").to_owned();
    sender.send(
        "SEND",
        &[("destination", "/queue/new"), ("receipt", "r")],
        &body,
    );
    sender.expect_error_for("queue-full", "r");
    consumer.done("ACK", &[("id", &ack)], b"");
    let mut sender = server.session();
    sender.publish("/queue/new", body);
    // A topic stores nothing, so it has room.
    consumer.subscribed("t", "/topic/a", &[]);
    sender.publish("/topic/a", body);
    consumer.expect_message(body);
}

#[test]
fn a_reply_queue_that_ends_gives_its_room_to_others() {
    let server = Server::configured(TIGHT);
    let body = [b'x'; 4096];
    let mut hoards = server.session();
    for _ in 0..3 {
        hoards.publish("/temp-queue/a", body);
    }
    let mut sender = server.session();
    sender.send("SEND", &[("destination", QUEUE)], &body);
    sender.expect_error("queue-full");
    hoards.done("DISCONNECT", &[], b"");
    hoards.expect_end();
    let mut sender = server.session();
    for _ in 0..3 {
        sender.publish(QUEUE, body);
    }
}

#[test]
fn one_queue_too_many_is_refused() {
    let server = Server::configured("[queue]\nmax_queues = 3\n");
    for command in ["SEND", "SUBSCRIBE"] {
        let mut peer = server.session();
        for number in 0..4 {
            let destination = format!("/queue/{command}-{number}");
            let id = number.to_string();
            peer.send(
                command,
                &[("id", &id), ("destination", &destination), ("receipt", "r")],
                b"",
            );
        }
        let error = loop {
            let frame = peer.next_frame();
            if frame.command != "RECEIPT" {
                break frame;
            }
        };
        assert_eq!(error.header("code"), Some("too-many-queues"), "{error:?}");
        assert_eq!(error.get("receipt-id"), "r");
        peer.expect_end();
    }
}
