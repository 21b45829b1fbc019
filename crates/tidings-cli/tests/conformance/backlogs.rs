//! Backlogs of a queue that are far larger than what may wait for one connection.

use crate::peer::{Peer, Server};

type Open = fn(&Server) -> Peer;
const LINKS: [Open; 2] = [Server::session, Server::websocket_session];
const ACKS: [&str; 3] = ["auto", "client", "client-individual"];

const QUEUE: &str = "/queue/backlog";

/// Together they fit the 16 MiB of a queue, and seven times the 2 MiB of an outbox.
const LARGE: usize = 1_000_000;
const LARGE_COUNT: u32 = 14;

/// Messages of queues are encoded up to this much, or one message, ahead of the socket.
const AHEAD: i64 = 256 * 1024;

/// A body that begins with its number.
fn body(number: u32, size: usize) -> Vec<u8> {
    let mut body = number.to_string().into_bytes();
    body.resize(size, b' ');
    body
}

fn number(body: &[u8]) -> u32 {
    let text = std::str::from_utf8(body).expect("bodies are text");
    text.trim_end().parse().expect("bodies are numbers")
}

fn fill(server: &Server, count: u32, size: usize) {
    let mut sender = server.session();
    for at in 0..count {
        sender.publish(QUEUE, body(at, size));
    }
    sender.done("DISCONNECT", &[], b"");
    sender.expect_end();
}

/// The queue is empty, and so is the one for dead letters; nobody was called slow.
fn assert_all_settled(server: &Server) {
    let mut last = server.session();
    last.subscribed("q", QUEUE, &[]);
    last.subscribed("d", "/queue/dead-letter", &[]);
    last.expect_nothing();
    // What is sent next must not find it still there.
    last.done("DISCONNECT", &[], b"");
    last.expect_end();
    assert_eq!(server.disconnects("slow-consumer"), 0);
}

#[test]
fn a_backlog_larger_than_the_outbox_reaches_a_consumer_that_reads() {
    for open in LINKS {
        let server = Server::start();
        for ack in ACKS {
            fill(&server, LARGE_COUNT, LARGE);
            let mut consumer = open(&server);
            consumer.subscribe("q", QUEUE, &[("ack", ack)]);
            for at in 0..LARGE_COUNT {
                let message = consumer.expect_message(body(at, LARGE));
                message.assert_absent("redelivered");
                if ack != "auto" {
                    consumer.send("ACK", &[("id", message.get("ack"))], b"");
                }
            }
            consumer.done("UNSUBSCRIBE", &[("id", "q")], b"");
            assert_all_settled(&server);
        }
    }
}

#[test]
fn what_was_never_written_to_a_consumer_that_broke_is_not_redelivered() {
    for open in LINKS {
        for ack in ACKS {
            let server = Server::with_workers(1);
            fill(&server, LARGE_COUNT, LARGE);
            let (delivered, written) = (encoded(&server), written(&server));
            let mut breaks = open(&server);
            breaks.subscribe("q", QUEUE, &[("ack", ack)]);
            breaks.expect_message(body(0, LARGE));
            server.await_metric("tidings_outbox_bytes", |bytes| bytes > 0);
            breaks.reset();
            server.await_disconnects("connection-reset", 1);
            server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
            // Counters are added up at the end of a turn: this takes two.
            server.session().expect_nothing();
            let delivered = encoded(&server) - delivered;
            let written = self::written(&server) - written;
            let size = LARGE as i64;
            assert!(
                delivered < i64::from(LARGE_COUNT) && delivered * size < written + AHEAD + size,
                "{delivered} encoded, {written} bytes written"
            );
            assert_heir_gets_the_rest(&server, ack, delivered as u32);
        }
    }
}

/// The first `encoded` messages may be marked, or gone with `ack:auto`; the others come as if for the first time.
fn assert_heir_gets_the_rest(server: &Server, ack: &str, encoded: u32) {
    let mut heir = server.session();
    heir.subscribe("q", QUEUE, &[]);
    let mut next = heir.expect("MESSAGE");
    let first = number(&next.body);
    match ack {
        "auto" => assert!(encoded - first <= 1, "from {first} on, {encoded} encoded"),
        _ => assert_eq!(first, 0, "none was acknowledged"),
    }
    for at in first..LARGE_COUNT {
        assert_eq!(number(&next.body), at, "each, in order");
        let marked = next.header("redelivered").is_some();
        assert_eq!(marked, at < encoded, "{ack}: {at}, {encoded} encoded");
        if at + 1 < LARGE_COUNT {
            next = heir.expect("MESSAGE");
        }
    }
    heir.done("UNSUBSCRIBE", &[("id", "q")], b"");
    assert_all_settled(server);
}

fn encoded(server: &Server) -> i64 {
    server.metric("tidings_messages_delivered_total")
}

fn written(server: &Server) -> i64 {
    server.metric("tidings_bytes_written_total")
}

#[test]
fn unsubscribe_behind_a_full_socket_delivers_each_message_once() {
    const SIZE: usize = 65_536;
    const COUNT: u32 = 200;
    for open in LINKS {
        let server = Server::start();
        fill(&server, COUNT, SIZE);
        let mut leaves = open(&server);
        leaves.subscribe("q", QUEUE, &[("ack", "auto")]);
        server.await_metric("tidings_outbox_bytes", |bytes| bytes > 0);
        leaves.send("UNSUBSCRIBE", &[("id", "q"), ("receipt", "gone")], b"");
        server.await_page("/stats", |_, stats| stats.contains("\"subscriptions\":0,"));
        let mut heir = server.session();
        heir.subscribe("q", QUEUE, &[]);
        let mut next = 0;
        loop {
            let frame = leaves.next_frame();
            if frame.command == "RECEIPT" {
                break;
            }
            assert_eq!(number(&frame.body), next, "in order");
            next += 1;
        }
        assert!(0 < next && next < COUNT, "both get some: {next}");
        for at in next..COUNT {
            heir.expect_message(body(at, SIZE));
        }
        leaves.expect_nothing();
        heir.done("UNSUBSCRIBE", &[("id", "q")], b"");
        assert_all_settled(&server);
    }
}

/// Regression: what was still on its way to the connection counted as delivered, and died after five times.
#[test]
fn what_was_never_written_before_an_unsubscribe_is_not_redelivered() {
    const COUNT: u32 = 10;
    let server = Server::with_workers(1);
    fill(&server, COUNT, 100);
    let mut hasty = server.session();
    let round =
        format!("SUBSCRIBE\nid:q\ndestination:{QUEUE}\nack:client\n\n\0UNSUBSCRIBE\nid:q\n\n\0");
    hasty.raw(round.repeat(5).as_bytes());
    let heard = hasty.messages_so_far();
    assert_eq!(heard.len(), 0, "none is written in one go");
    assert_eq!(server.metric("tidings_dead_letters_total"), 0);
    let mut heir = server.session();
    heir.subscribe("q", QUEUE, &[]);
    for at in 0..COUNT {
        heir.expect_message(body(at, 100))
            .assert_absent("redelivered");
    }
}
