//! Messages of queues over SockJS: what is not out is not delivered, and what a lost session had goes on.

use crate::peer::{Server, Transport};

const INDIVIDUAL: (&str, &str) = ("ack", "client-individual");

#[test]
fn a_message_for_auto_counts_as_delivered_once_it_is_out() {
    let server = Server::start();
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/queue/a", &[]);
        let mut sender = server.session();
        sender.publish("/queue/a", "heard");
        peer.expect_message("heard");
        peer.done("DISCONNECT", &[], b"");
        peer.expect_close(1000, "normal");
        let mut other = server.session();
        other.subscribed("s", "/queue/a", &[]);
        other.expect_nothing();
    }
}

#[test]
fn a_message_for_auto_that_waits_for_a_poll_counts_towards_the_prefetch_and_goes_to_another_in_the_end()
 {
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"300ms\"\n");
    let mut peer = server.sockjs_session(Transport::Xhr);
    peer.subscribed("s", "/queue/a", &[("prefetch-count", "1")]);
    let mut sender = server.session();
    sender.publish("/queue/a", "first");
    sender.publish("/queue/a", "second");
    let mut other = server.session();
    other.subscribe("s", "/queue/a", &[INDIVIDUAL]);
    other.expect_message("second");
    // The poller does not come back.
    let message = other.expect_message("first");
    message.assert_absent("delivery-count");
    message.assert_absent("redelivered");
}

#[test]
fn unacknowledged_messages_of_a_session_that_does_not_come_back_are_delivered_again() {
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"300ms\"\n");
    for transport in Transport::HTTP {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/queue/a", &[INDIVIDUAL]);
        let mut sender = server.session();
        for body in ["a", "b", "c"] {
            sender.publish("/queue/a", body);
        }
        for body in ["a", "b", "c"] {
            peer.expect_message(body);
        }
        let mut other = server.session();
        other.subscribed("s", "/queue/a", &[]);
        if transport == Transport::XhrStreaming {
            peer.sockjs().exchange().abort();
        }
        for body in ["a", "b", "c"] {
            let message = other.expect_message(body);
            assert_eq!(message.get("redelivered"), "true");
            assert_eq!(message.get("delivery-count"), "2");
        }
    }
}

#[test]
fn what_was_parked_for_a_lost_session_is_not_marked_redelivered() {
    let server =
        Server::configured("[queue]\nmax_bytes = 67108864\n[sockjs]\ndisconnect_delay = \"2s\"\n");
    let mut peer = server.sockjs_session(Transport::Xhr);
    peer.subscribed("s", "/queue/a", &[INDIVIDUAL]);
    let mut sender = server.session();
    sender.publish("/queue/a", "heard");
    peer.expect_message("heard");
    // More than is encoded ahead of the next poll, which does not come.
    let body = |number: u32| format!("{number}{}", " ".repeat(40_000));
    for number in 0..20 {
        sender.publish("/queue/a", body(number));
    }
    let mut other = server.session();
    other.subscribe("s", "/queue/a", &[]);
    let heard = other.expect_message("heard");
    assert_eq!(heard.get("redelivered"), "true");
    let marked: Vec<_> = (0..20)
        .map(|number| other.expect_message(body(number)))
        .map(|message| message.header("redelivered").is_some())
        .collect();
    assert!(marked.is_sorted_by(|one, next| one >= next), "{marked:?}");
    assert!(!marked[8..].contains(&true), "{marked:?}");
}

#[test]
fn many_messages_of_a_queue_reach_a_poller_in_order() {
    let server =
        Server::configured("[queue]\nmax_bytes = 67108864\n[sockjs]\ndisconnect_delay = \"10m\"\n");
    let body = |number: u32| format!("{number}{}", " ".repeat(20_000));
    for transport in Transport::ALL {
        for ack in ["auto", "client"] {
            let mut peer = server.sockjs_session(transport);
            let queue = format!("/queue/{transport:?}-{ack}");
            let mut sender = server.session();
            for number in 0..60 {
                sender.publish(&queue, body(number));
            }
            peer.subscribe("s", &queue, &[("ack", ack), ("prefetch-count", "1000")]);
            for number in 60..120 {
                sender.publish(&queue, body(number));
            }
            for number in 0..120 {
                let message = peer.expect_message(body(number));
                message.assert_absent("redelivered");
            }
            peer.expect_nothing();
        }
    }
}

#[test]
fn an_acknowledgement_comes_by_a_request_of_its_own() {
    let server = Server::start();
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/queue/a", &[INDIVIDUAL, ("prefetch-count", "1")]);
        let mut sender = server.session();
        sender.publish("/queue/a", "one");
        sender.publish("/queue/a", "two");
        for body in ["one", "two"] {
            let message = peer.expect_message(body);
            peer.done("ACK", &[("id", message.get("ack"))], b"");
        }
        peer.done("DISCONNECT", &[], b"");
        let mut other = server.session();
        other.subscribed("s", "/queue/a", &[]);
        other.expect_nothing();
    }
}
