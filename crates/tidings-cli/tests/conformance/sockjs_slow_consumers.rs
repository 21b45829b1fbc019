//! What waits for a client of SockJS that does not listen, or does not read.

use crate::peer::{Peer, Server, Transport};

const BODY: usize = 65_536;
const COUNT: u32 = 20;
const DROPPED: &str = "tidings_messages_dropped_total{cause=\"slow-consumer\"}";

fn tables(policy: &str) -> String {
    // With one worker what one has heard has reached all.
    format!(
        "[server]\nworkers = 1\n[stomp]\nmax_body_bytes = 65536\nmax_headers = 16\n[outbox]\npolicy = \"{policy}\"\n\
         [sockjs]\nmessage_cache_bytes = 262144\ndisconnect_delay = \"10m\"\n"
    )
}

fn with_policy(policy: &str) -> Server {
    Server::configured(&tables(policy))
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

/// Sends `count` messages to the topics in turn while somebody else reads each one.
fn flood(server: &Server, topics: &[&str], count: u32) {
    let mut reader = server.session();
    reader.subscribed("reader", "/topic/**", &[]);
    for (count, topic) in (0..count).zip(topics.iter().cycle()) {
        reader.send("SEND", &[("destination", topic)], &body(count));
        reader.expect_message(body(count));
    }
}

/// A polling session that has subscribed and does not poll.
fn lazy(server: &Server, topic: &str) -> Peer {
    let mut lazy = server.sockjs_session(Transport::Xhr);
    lazy.subscribed("s", topic, &[]);
    lazy
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
fn what_waits_within_the_limit_is_all_there_at_the_next_poll() {
    let server = with_policy("close");
    let mut lazy = lazy(&server, "/topic/a");
    flood(&server, &["/topic/a"], 3);
    server.await_metric("tidings_outbox_bytes", |bytes| bytes >= 3 * BODY as i64);
    assert_eq!(read_to_number(&mut lazy, 2), [0, 1, 2]);
    server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    lazy.expect_nothing();
}

#[test]
fn with_close_the_next_poll_gets_the_error_and_the_close_frame() {
    let server = with_policy("close");
    let mut lazy = lazy(&server, "/topic/a");
    flood(&server, &["/topic/a"], COUNT);
    server.await_disconnects("slow-consumer", 1);
    lazy.expect_error_frame("slow-consumer");
    lazy.expect_close(4002, "slow-consumer");
    server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    assert_eq!(server.metric(DROPPED), 0);
}

#[test]
fn with_drop_oldest_the_newest_are_there_and_the_rest_is_counted() {
    let server = with_policy("drop-oldest");
    let mut lazy = lazy(&server, "/topic/a");
    for round in 1..=2 {
        flood(&server, &["/topic/a"], COUNT);
        let heard = read_to_number(&mut lazy, COUNT - 1);
        let newest: Vec<_> = (COUNT - heard.len() as u32..COUNT).collect();
        assert_eq!(heard, newest);
        assert!(heard.len() < COUNT as usize);
        let dropped = i64::from(round) * (i64::from(COUNT) - heard.len() as i64);
        assert_eq!(server.metric(DROPPED), dropped);
        lazy.expect_nothing();
    }
    assert_eq!(server.disconnects("slow-consumer"), 0);
}

#[test]
fn with_keep_latest_the_last_of_each_destination_is_there() {
    let server = with_policy("keep-latest");
    let mut lazy = lazy(&server, "/topic/?");
    flood(&server, &["/topic/a", "/topic/b"], COUNT);
    let heard = read_to_number(&mut lazy, COUNT - 1);
    assert!(heard.is_sorted(), "{heard:?}");
    assert!(heard.contains(&(COUNT - 2)), "{heard:?}");
    assert!(heard.len() < COUNT as usize, "{heard:?}");
    let dropped = i64::from(COUNT) - heard.len() as i64;
    assert_eq!(server.metric(DROPPED), dropped);
    lazy.expect_nothing();
}

#[test]
fn receipts_are_not_dropped_with_messages() {
    let server = with_policy("drop-oldest");
    let mut lazy = lazy(&server, "/topic/a");
    let headers = [("destination", "/topic/b"), ("receipt", "kept")];
    lazy.send("SEND", &headers, b"");
    flood(&server, &["/topic/a"], COUNT);
    lazy.expect_receipt("kept");
    assert_eq!(
        read_to_number(&mut lazy, COUNT - 1).last(),
        Some(&(COUNT - 1))
    );
}

#[test]
fn no_policy_drops_a_message_of_a_queue_and_it_makes_nobody_slow() {
    for policy in ["close", "drop-oldest", "keep-latest"] {
        let queue = "[queue]\nmax_bytes = 67108864\n";
        let server = Server::configured(&(queue.to_owned() + &tables(policy)));
        let mut lazy = server.sockjs_session(Transport::Xhr);
        lazy.subscribed("s", "/queue/a", &[("prefetch-count", "3")]);
        let mut sender = server.session();
        for count in 0..COUNT {
            sender.publish("/queue/a", body(count));
        }
        for count in 0..COUNT {
            lazy.expect_message(body(count));
        }
        assert_eq!(server.metric(DROPPED), 0);
        assert_eq!(server.disconnects("slow-consumer"), 0);
    }
}

#[test]
fn a_listener_that_takes_no_byte_for_long_is_closed() {
    let tables = "[stomp]\nmax_body_bytes = 65536\n\
                  [outbox]\nmax_bytes = 67108864\nsend_timeout = \"1s\"\n\
                  [sockjs]\nmessage_cache_bytes = 67108864\nstream_bytes_limit = \"1GiB\"\n";
    for transport in [Transport::XhrStreaming, Transport::WebSocket] {
        let server = Server::configured(tables);
        let mut lazy = server.sockjs_session(transport);
        lazy.subscribed("s", "/topic/a", &[]);
        flood(&server, &["/topic/a"], 400);
        server.await_disconnects("send-timeout", 1);
        assert_eq!(server.disconnects("slow-consumer"), 0);
        server.await_metric("tidings_subscriptions", |count| count == 0);
        // Who reads on after all hears whole messages and is told.
        let frames = lazy.expect_whole_to_end();
        let (last, messages) = frames.split_last().expect("some came before");
        assert_eq!(last.header("code"), Some("send-timeout"), "{last:?}");
        assert!(messages.iter().all(|frame| frame.command == "MESSAGE"));
        server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    }
}

#[test]
fn a_stream_that_is_not_read_is_bounded_by_the_cache_and_nobody_else_notices() {
    let endless = tables("close") + "stream_bytes_limit = \"1GiB\"\n";
    let server = Server::configured(&endless);
    let mut lazy = server.sockjs_session(Transport::XhrStreaming);
    lazy.subscribed("s", "/topic/a", &[]);
    flood(&server, &["/topic/a"], 400);
    server.await_disconnects("slow-consumer", 1);
    drop(lazy);
    server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
}
