//! Several workers: a connection belongs to one, and nobody can tell which.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::peer::{Frame, PATIENCE, Peer, Server};

const WORKERS: usize = 4;
const PUBLISHERS: usize = 10;
const SUBSCRIBERS: usize = 50;
/// Messages of each publisher.
const COUNT: usize = 60;

type Open = fn(&Server) -> Peer;
const LINKS: [Open; 2] = [Server::session, Server::websocket_session];

/// Sessions over both links, on all workers.
fn sessions(server: &Server, count: usize) -> Vec<Peer> {
    // In pairs, so that each worker owns some of both links.
    (0..count)
        .map(|at| LINKS[at / WORKERS % 2](server))
        .collect()
}

/// SENDs `publisher number` bodies from all publishers at once.
fn publish_all(server: &Server, destination: &str) {
    thread::scope(|scope| {
        for (publisher, mut peer) in sessions(server, PUBLISHERS).into_iter().enumerate() {
            scope.spawn(move || {
                for number in 0..COUNT {
                    let body = format!("{publisher} {number}");
                    peer.send("SEND", &[("destination", destination)], body.as_bytes());
                }
                peer.expect_nothing();
            });
        }
    });
}

/// Publisher and number of a message.
fn origin(message: &Frame) -> (usize, usize) {
    let text = message.text();
    let (publisher, number) = text.split_once(' ').expect("two numbers");
    let parsed = publisher.parse().ok().zip(number.parse().ok());
    parsed.unwrap_or_else(|| panic!("{text:?} is not two numbers"))
}

#[test]
fn every_subscriber_hears_every_publisher_once_and_in_order() {
    let server = Server::with_workers(WORKERS);
    let mut subscribers = sessions(&server, SUBSCRIBERS);
    for (at, peer) in subscribers.iter_mut().enumerate() {
        // Groups of one and of many, with one head for all and with a head for each.
        let id = if at % 3 == 0 {
            format!("own-{at}")
        } else {
            "s".to_owned()
        };
        let destination = ["/topic/a/b", "/topic/a/*", "/topic/a/**"][at % 3];
        let ack = if at % 5 == 0 { "client" } else { "auto" };
        peer.subscribed(&id, destination, &[("ack", ack)]);
    }
    thread::scope(|scope| {
        for mut peer in subscribers {
            scope.spawn(move || {
                let mut next = [0; PUBLISHERS];
                for _ in 0..PUBLISHERS * COUNT {
                    let (publisher, number) = origin(&peer.expect("MESSAGE"));
                    assert_eq!(number, next[publisher], "of publisher {publisher}");
                    next[publisher] += 1;
                }
                peer.done("DISCONNECT", &[], b"");
            });
        }
        publish_all(&server, "/topic/a/b");
    });
}

#[test]
fn every_queue_message_goes_to_exactly_one_consumer_in_order() {
    let server = Server::with_workers(WORKERS);
    for ack in ["auto", "client", "client-individual"] {
        let queue = format!("/queue/{ack}");
        let mut consumers = sessions(&server, 9);
        for peer in &mut consumers {
            peer.subscribed("q", &queue, &[("ack", ack), ("prefetch-count", "20")]);
        }
        let total = AtomicUsize::new(0);
        let heard: Vec<Vec<(usize, usize)>> = thread::scope(|scope| {
            let consumers: Vec<_> = consumers
                .iter_mut()
                .map(|peer| scope.spawn(|| consume(peer, ack, &total)))
                .collect();
            publish_all(&server, &queue);
            let heard = consumers.into_iter().map(|consumer| consumer.join());
            heard
                .map(|heard| heard.expect("no consumer fails"))
                .collect()
        });
        let mut seen = HashMap::new();
        for (consumer, heard) in heard.iter().enumerate() {
            let mut last = [None; PUBLISHERS];
            for (publisher, number) in heard {
                assert_eq!(
                    seen.insert((publisher, number), consumer),
                    None,
                    "one consumer"
                );
                assert!(
                    last[*publisher] < Some(*number),
                    "in order of the publisher"
                );
                last[*publisher] = Some(*number);
            }
        }
        assert_eq!(seen.len(), PUBLISHERS * COUNT);
    }
}

/// Takes messages until all consumers together have all.
fn consume(peer: &mut Peer, ack: &str, total: &AtomicUsize) -> Vec<(usize, usize)> {
    let deadline = Instant::now() + PATIENCE;
    let mut heard = Vec::new();
    while total.load(Ordering::Relaxed) < PUBLISHERS * COUNT {
        assert!(Instant::now() < deadline, "heard {} so far", heard.len());
        let messages = peer.messages_so_far();
        total.fetch_add(messages.len(), Ordering::Relaxed);
        for message in &messages {
            message.assert_absent("redelivered");
            if ack != "auto" {
                peer.send("ACK", &[("id", message.get("ack"))], b"");
            }
        }
        heard.extend(messages.iter().map(origin));
    }
    heard
}

#[test]
fn after_the_receipt_of_subscribe_every_message_of_anybody_arrives() {
    let server = Server::with_workers(WORKERS);
    let mut peers = sessions(&server, 2 * WORKERS);
    for round in 0..400 {
        let (subscriber, publisher) = (round % peers.len(), (round / 3 + 1) % peers.len());
        // A topic that is new, one that others hold too, and one that was left and comes back.
        let topic = [format!("/topic/new.{round}"), "/topic/old".to_owned()][round % 2].clone();
        let pattern = if round % 5 == 0 { "/topic/?*" } else { &topic };
        peers[subscriber].subscribed("s", pattern, &[]);
        let body = round.to_string();
        peers[publisher].send("SEND", &[("destination", &topic)], body.as_bytes());
        peers[subscriber].expect_message(&body);
        peers[subscriber].done("UNSUBSCRIBE", &[("id", "s")], b"");
        peers[publisher].publish(&topic, "nobody hears this");
    }
    for peer in &mut peers {
        peer.expect_nothing();
    }
}

#[test]
fn after_the_receipt_of_unsubscribe_nothing_arrives() {
    let server = Server::with_workers(WORKERS);
    let mut peers = sessions(&server, 2 * WORKERS);
    let mut publisher = server.session();
    for round in 0..100 {
        let subscriber = round % peers.len();
        peers[subscriber].subscribed("s", "/topic/a", &[]);
        for _ in 0..5 {
            publisher.send("SEND", &[("destination", "/topic/a")], b"while subscribed");
        }
        publisher.expect_nothing();
        peers[subscriber].send("UNSUBSCRIBE", &[("id", "s"), ("receipt", "gone")], b"");
        let mut next = peers[subscriber].next_frame();
        while next.command == "MESSAGE" {
            next = peers[subscriber].next_frame();
        }
        assert_eq!(next.get("receipt-id"), "gone");
        publisher.publish("/topic/a", "too late");
        peers[subscriber].expect_nothing();
    }
}

/// Each main scenario, with every party on any worker.
#[test]
fn one_worker_and_several_do_the_same() {
    for workers in [1, WORKERS] {
        let server = Server::with_workers(workers);
        for scenario in [topic, queue, rejected, transaction, replies, prefetch] {
            let mut peers = sessions(&server, 2 * WORKERS);
            for first in 0..peers.len() {
                let (one, two) = pair(&mut peers, first);
                scenario(one, two, &first.to_string());
            }
        }
        server.terminate();
        assert_eq!(server.exit().code(), Some(0));
    }
}

/// A peer and the one after it.
fn pair(peers: &mut [Peer], first: usize) -> (&mut Peer, &mut Peer) {
    peers.rotate_left(first);
    let [one, two, ..] = peers else {
        panic!("two at least");
    };
    (one, two)
}

fn topic(one: &mut Peer, two: &mut Peer, name: &str) {
    let topic = format!("/topic/{name}");
    for (at, peer) in [&mut *one, two].into_iter().enumerate() {
        peer.subscribed(&format!("s{at}"), &topic, &[]);
    }
    one.send("SEND", &[("destination", &topic)], b"news");
    for (at, peer) in [one, two].into_iter().enumerate() {
        peer.expect_message("news");
        peer.done("UNSUBSCRIBE", &[("id", &format!("s{at}"))], b"");
    }
}

fn queue(one: &mut Peer, two: &mut Peer, name: &str) {
    let queue = format!("/queue/{name}");
    one.publish(&queue, "work");
    two.subscribe("q", &queue, &[]);
    two.expect_message("work");
    two.done("UNSUBSCRIBE", &[("id", "q")], b"");
}

fn rejected(one: &mut Peer, two: &mut Peer, name: &str) {
    let queue = format!("/queue/{name}");
    one.publish(&queue, "work");
    two.subscribe("q", &queue, &[("ack", "client-individual")]);
    let ack = two.expect_message("work").get("ack").to_owned();
    one.subscribed("q", &queue, &[("ack", "client-individual")]);
    two.send("NACK", &[("id", &ack)], b"");
    two.send("UNSUBSCRIBE", &[("id", "q")], b"");
    let again = loop {
        match two.messages_so_far().pop() {
            Some(again) => assert_eq!(again.get("redelivered"), "true"),
            None => break one.expect_message("work"),
        }
    };
    assert_eq!(again.get("redelivered"), "true");
    one.done("ACK", &[("id", again.get("ack"))], b"");
    one.done("UNSUBSCRIBE", &[("id", "q")], b"");
}

fn transaction(one: &mut Peer, two: &mut Peer, name: &str) {
    let (topic, queue) = (format!("/topic/{name}"), format!("/queue/{name}"));
    two.subscribed("t", &topic, &[]);
    two.subscribed("q", &queue, &[]);
    one.done("BEGIN", &[("transaction", "x")], b"");
    for destination in [&topic, &queue] {
        let headers = [("destination", &**destination), ("transaction", "x")];
        one.done("SEND", &headers, b"held");
    }
    two.expect_nothing();
    one.done("COMMIT", &[("transaction", "x")], b"");
    two.expect_message("held");
    two.expect_message("held");
    for id in ["t", "q"] {
        two.done("UNSUBSCRIBE", &[("id", id)], b"");
    }
}

fn replies(one: &mut Peer, two: &mut Peer, name: &str) {
    let queue = format!("/queue/{name}");
    two.subscribed("q", &queue, &[]);
    let headers = [("destination", &*queue), ("reply-to", "/temp-queue/r")];
    one.done("SEND", &headers, b"question");
    let to = two.expect_message("question").get("reply-to").to_owned();
    two.publish(&to, "answer");
    one.expect_message("answer");
    two.done("UNSUBSCRIBE", &[("id", "q")], b"");
}

fn prefetch(one: &mut Peer, two: &mut Peer, name: &str) {
    let queue = format!("/queue/{name}");
    two.subscribed("q", &queue, &[("ack", "client"), ("prefetch-count", "2")]);
    for number in 0..4 {
        one.publish(&queue, number.to_string());
    }
    for pair in [["0", "1"], ["2", "3"]] {
        let messages = pair.map(|body| two.expect_message(body));
        two.expect_nothing();
        two.send("ACK", &[("id", messages[1].get("ack"))], b"");
    }
    two.done("UNSUBSCRIBE", &[("id", "q")], b"");
}

#[test]
fn connections_have_no_thread_of_their_own() {
    let server = Server::with_workers(2);
    // Whoever is connected has seen every worker start.
    let _first = server.session();
    let before = server.threads();
    let peers: Vec<Peer> = (0..200)
        .map(|at| match at % 2 {
            0 => server.session(),
            _ => server.websocket_session(),
        })
        .collect();
    assert!(server.threads() <= before, "{} threads before", before);
    drop(peers);
}
