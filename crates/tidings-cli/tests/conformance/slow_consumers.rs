//! Clients that do not read: what happens to them, and that nobody else notices.

use crate::peer::{Peer, Server};

/// Enough bodies of this size to fill what the kernel takes of a connection, and the outbox behind it.
const BODY: usize = 65_536;
const COUNT: u32 = 400;

type Open = fn(&Server) -> Peer;

const SMALL_OUTBOX: &str =
    "[stomp]\nmax_body_bytes = 65536\nmax_headers = 16\n[outbox]\nmax_bytes = 262144\n";

fn with_policy(policy: &str) -> Server {
    Server::configured(&format!("{SMALL_OUTBOX}policy = \"{policy}\"\n"))
}

/// A body that begins with its number.
fn body(number: u32) -> Vec<u8> {
    let mut body = number.to_string().into_bytes();
    body.resize(BODY, b' ');
    body
}

fn number(body: &[u8]) -> u32 {
    let text = std::str::from_utf8(body).expect("bodies are text");
    text.trim_end().parse().expect("bodies are numbers")
}

/// Sends `COUNT` messages to the topics in turn while `reader` reads each one.
fn flood(server: &Server, topics: &[&str], reader: &mut Peer) {
    reader.subscribed("reader", "/topic/**", &[]);
    let mut sender = server.session();
    for (count, topic) in (0..COUNT).zip(topics.iter().cycle()) {
        sender.send("SEND", &[("destination", topic)], &body(count));
        reader.expect_message(body(count));
    }
}

#[test]
fn a_client_that_never_reads_is_closed_and_others_hear_everything() {
    let server = with_policy("close");
    for (count, mut lazy) in [server.session(), server.websocket_session()]
        .into_iter()
        .enumerate()
    {
        lazy.subscribed("s", "/topic/a", &[]);
        flood(&server, &["/topic/a"], &mut server.session());
        server.await_disconnects("slow-consumer", count as u64 + 1);
        let heard = lazy.read_to_end();
        assert!(heard.len() < COUNT as usize, "it cannot have heard all");
    }
}

#[test]
fn a_slow_consumer_that_reads_on_hears_in_order_up_to_the_end() {
    let server = with_policy("close");
    let mut lazy = server.session();
    lazy.subscribed("s", "/topic/a", &[]);
    flood(&server, &["/topic/a"], &mut server.session());
    let frames = lazy.read_to_end();
    let messages = frames.iter().filter(|frame| frame.command == "MESSAGE");
    for (expected, message) in messages.enumerate() {
        assert_eq!(
            number(&message.body),
            expected as u32,
            "no gap before the end"
        );
    }
    if let Some(error) = frames.iter().find(|frame| frame.command == "ERROR") {
        assert_eq!(error.get("code"), "slow-consumer");
    }
}

const DROPPED: &str = "tidings_messages_dropped_total{cause=\"slow-consumer\"}";

/// What did not reach the one who pauses is what the metrics say was dropped.
fn assert_counted(server: &Server, sent: u32, heard: usize) {
    assert!(heard < sent as usize, "it cannot have heard all");
    assert_eq!(server.metric(DROPPED), i64::from(sent) - heard as i64);
    assert_eq!(server.disconnects("slow-consumer"), 0);
}

#[test]
fn drop_oldest_keeps_the_connection_and_the_newest() {
    for open in [Server::session as Open, Server::websocket_session] {
        let server = with_policy("drop-oldest");
        let mut lazy = open(&server);
        lazy.subscribed("s", "/topic/a", &[]);
        let mut heard = 0;
        for round in 1..=3 {
            flood(&server, &["/topic/a"], &mut server.session());
            let numbers = read_to_number(&mut lazy, COUNT - 1);
            assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
            heard += numbers.len();
            assert_counted(&server, round * COUNT, heard);
            lazy.expect_nothing();
        }
    }
}

#[test]
fn keep_latest_keeps_the_last_message_of_each_destination() {
    for open in [Server::session as Open, Server::websocket_session] {
        let server = with_policy("keep-latest");
        let mut lazy = open(&server);
        lazy.subscribed("s", "/topic/*", &[]);
        let topics = ["/topic/a", "/topic/b", "/topic/c"];
        flood(&server, &topics, &mut server.session());
        let heard = read_to_number(&mut lazy, COUNT - 1);
        assert_counted(&server, COUNT, heard.len());
        for (topic, last) in [COUNT - 3, COUNT - 2, COUNT - 1].iter().enumerate() {
            let of_topic = heard.iter().filter(|number| *number % 3 == last % 3);
            let of_topic: Vec<_> = of_topic.collect();
            assert!(of_topic.is_sorted(), "topic {topic}: {of_topic:?}");
            assert_eq!(of_topic.last(), Some(&last), "topic {topic}: {of_topic:?}");
        }
        lazy.send("SEND", &[("destination", "/topic/d")], b"still here");
        lazy.expect_message("still here");
    }
}

#[test]
fn receipts_are_not_dropped_with_messages() {
    for policy in ["drop-oldest", "keep-latest"] {
        let server = with_policy(policy);
        let mut lazy = server.session();
        lazy.subscribed("s", "/topic/a", &[]);
        let mut reader = server.session();
        reader.subscribed("reader", "/topic/a", &[]);
        let mut sender = server.session();
        for count in 0..COUNT {
            sender.send("SEND", &[("destination", "/topic/a")], &body(count));
            reader.expect_message(body(count));
            let receipt = count.to_string();
            lazy.send(
                "SEND",
                &[("destination", "/topic/b"), ("receipt", &receipt)],
                b"",
            );
        }
        let mut messages = 0;
        for count in 0..COUNT {
            let mut frame = lazy.next_frame();
            while frame.command == "MESSAGE" {
                messages += 1;
                frame = lazy.next_frame();
            }
            assert_eq!(frame.get("receipt-id"), count.to_string(), "each, in order");
        }
        messages += lazy.messages_so_far().len();
        assert_counted(&server, COUNT, messages);
    }
}

#[test]
fn a_policy_drops_no_message_of_a_queue_and_the_slow_consumer_is_closed_instead() {
    let server = Server::configured(&format!(
        "{SMALL_OUTBOX}policy = \"drop-oldest\"\n[queue]\nmax_bytes = 67108864\n"
    ));
    let mut lazy = server.session();
    let many = [("ack", "client-individual"), ("prefetch-count", "1000")];
    lazy.subscribed("q", "/queue/a", &many);
    let mut sender = server.session();
    for count in 0..COUNT {
        sender.publish("/queue/a", body(count));
    }
    server.await_disconnects("slow-consumer", 1);
    assert_eq!(server.metric(DROPPED), 0);
    let mut heir = server.session();
    // Few at a time, so that it is not too slow for what it is given.
    let few = [("ack", "client-individual"), ("prefetch-count", "2")];
    heir.subscribed("q", "/queue/a", &few);
    drop(lazy);
    for count in 0..COUNT {
        let message = heir.expect_message(body(count));
        assert!(count > 0 || message.get("redelivered") == "true");
        heir.send("ACK", &[("id", message.get("ack"))], b"");
    }
}

/// The numbers that `peer` hears up to this one.
fn read_to_number(peer: &mut Peer, last: u32) -> Vec<u32> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        heard.push(number(&peer.expect("MESSAGE").body));
    }
    heard
}

#[test]
fn a_client_that_takes_no_byte_for_long_is_closed() {
    let tables =
        "[stomp]\nmax_body_bytes = 65536\n[outbox]\nmax_bytes = 67108864\nsend_timeout = \"2s\"\n";
    for open in [Server::session as Open, Server::websocket_session] {
        let server = Server::configured(tables);
        let mut lazy = open(&server);
        lazy.subscribed("s", "/topic/a", &[]);
        let mut reader = server.session();
        flood(&server, &["/topic/a"], &mut reader);
        server.await_disconnects("send-timeout", 1);
        assert_eq!(server.disconnects("slow-consumer"), 0);
        reader.send("SEND", &[("destination", "/topic/a")], b"after");
        reader.expect_message("after");
        // Who reads on after all is told, behind whole messages.
        let frames = lazy.expect_whole_to_end();
        let (last, messages) = frames.split_last().expect("some came before");
        assert_eq!(last.header("code"), Some("send-timeout"), "{last:?}");
        assert!(messages.iter().all(|frame| frame.command == "MESSAGE"));
        server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    }
}

#[test]
fn a_client_that_never_reads_its_receipts_is_closed_and_others_go_on() {
    let server = Server::configured(&format!("{SMALL_OUTBOX}send_timeout = \"1s\"\n"));
    let mut other = server.session();
    let mut deaf = server.session();
    let receipt = "r".repeat(8_000);
    let frame = format!("SEND\ndestination:/topic/a\nreceipt:{receipt}\n\n\0");
    // 32 MB of receipts: the server must close, or stop reading and then close, long before it holds them all.
    let writer = std::thread::spawn(move || (0..4_000).for_each(|_| deaf.raw(frame.as_bytes())));
    for _ in 0..200 {
        other.expect_nothing();
    }
    server.await_ends(1);
    writer
        .join()
        .expect("the writer ends, since the server closed");
    other.expect_nothing();
    let slow = server.disconnects("slow-consumer") + server.disconnects("send-timeout");
    assert_eq!(slow, 1);
}

#[test]
fn queue_messages_of_a_closed_slow_consumer_go_to_another() {
    let server = with_policy("close");
    let mut lazy = server.session();
    lazy.subscribed(
        "q",
        "/queue/a",
        &[("ack", "client-individual"), ("prefetch-count", "1")],
    );
    lazy.subscribed("t", "/topic/a", &[]);
    server.session().publish("/queue/a", "work");
    flood(&server, &["/topic/a"], &mut server.session());
    server.await_disconnects("slow-consumer", 1);
    let mut other = server.session();
    other.subscribe("q", "/queue/a", &[]);
    other.expect_message("work");
}
