//! Connections that break without a goodbye, at the worst moment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::peer::{Peer, Server};

const SMALL: &str = "[server]\nworkers = 4\n[stomp]\nmax_body_bytes = 65536\nmax_headers = 16\n";

type Open = fn(&Server) -> Peer;
const LINKS: [Open; 2] = [Server::session, Server::websocket_session];

/// Each worker owns some of these, and each hears the others.
fn assert_every_worker_serves(server: &Server) {
    let mut peers: Vec<Peer> = (0..8).map(|_| server.session()).collect();
    for peer in &mut peers {
        peer.subscribed("s", "/topic/alive", &[]);
    }
    for number in 0..peers.len() {
        let body = number.to_string();
        peers[number].send("SEND", &[("destination", "/topic/alive")], body.as_bytes());
        for peer in &mut peers {
            peer.expect_message(&body);
        }
    }
}

#[test]
fn what_a_reset_consumer_held_goes_to_another_in_order_and_is_marked() {
    let server = Server::with_workers(4);
    let mut sender = server.session();
    for (round, open) in LINKS.iter().cycle().take(8).enumerate() {
        let queue = format!("/queue/{round}");
        let mut dies = open(&server);
        dies.subscribed("q", &queue, &[("ack", "client-individual")]);
        for number in 0..10 {
            sender.publish(&queue, number.to_string());
            dies.expect_message(number.to_string())
                .assert_absent("redelivered");
        }
        sender.publish(&queue, "10");
        let mut heir = server.session();
        heir.subscribe("q", &queue, &[("ack", "client-individual")]);
        dies.reset();
        for number in 0..=10 {
            let message = heir.expect_message(number.to_string());
            assert_eq!(message.get("redelivered"), "true");
            assert_eq!(message.get("delivery-count"), "2");
        }
        assert_eq!(heir.messages_so_far().len(), 0);
    }
    server.await_disconnects("connection-reset", 8);
}

/// Regression: what met a broken socket counted as written, and so as acknowledged.
#[test]
fn what_was_never_written_to_a_consumer_that_is_reset_goes_to_another() {
    const COUNT: u32 = 10;
    let server = Server::with_workers(2);
    let mut sender = server.session();
    for round in 0..20 {
        let queue = format!("/queue/{round}");
        let mut dies = server.session();
        dies.subscribed("q", &queue, &[("ack", "auto")]);
        sender.publish(&queue, "unread, so that the end is a reset");
        dies.await_input();
        server.pause();
        for number in 0..COUNT {
            let body = number.to_string();
            sender.send("SEND", &[("destination", &queue)], body.as_bytes());
        }
        dies.reset();
        server.proceed();
        let mut heir = server.session();
        heir.subscribe("q", &queue, &[]);
        for number in 0..COUNT {
            heir.expect_message(number.to_string());
        }
    }
}

#[test]
fn a_burst_into_connections_that_are_reset_harms_nobody() {
    let server = Server::configured(SMALL);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut sender = server.session();
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    for _ in 0..50 {
                        sender.send("SEND", &[("destination", "/topic/a")], &[b'x'; 300]);
                    }
                    sender.expect_nothing();
                }
            });
        }
        for _ in 0..40 {
            let peers: Vec<Peer> = (0..12).map(|at| LINKS[at % 2](&server)).collect();
            for mut peer in peers {
                peer.subscribe("s", "/topic/a", &[]);
                peer.reset();
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_every_worker_serves(&server);
    server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
}

/// A subscriber that has not read, with a frame cut in two behind its full socket.
fn blocked(server: &Server, open: Open) -> Peer {
    let mut lazy = open(server);
    lazy.subscribed("s", "/topic/a", &[]);
    let mut sender = server.session();
    let body = vec![b'x'; 65_536];
    while server.metric("tidings_outbox_bytes") == 0 {
        for _ in 0..4 {
            sender.publish("/topic/a", &body);
        }
    }
    lazy
}

const PATIENT: &str = "[outbox]\nmax_bytes = 67108864\n";

#[test]
fn a_blocked_connection_that_ends_its_writing_half_sees_no_torn_frame() {
    let server = Server::configured(&[SMALL, PATIENT].concat());
    for _ in 0..5 {
        let mut lazy = blocked(&server, Server::session);
        lazy.half_close();
        server.await_metric("tidings_outbox_bytes", |bytes| bytes < 65_536 + 1024);
        lazy.expect_whole_to_end();
        assert_every_worker_serves(&server);
        server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    }
}

#[test]
fn a_blocked_connection_that_says_disconnect_sees_no_torn_frame() {
    let server = Server::configured(&[SMALL, PATIENT].concat());
    let mut ended = 0;
    for open in LINKS {
        for receipt in [true, false] {
            let mut lazy = blocked(&server, open);
            let headers: &[_] = if receipt { &[("receipt", "bye")] } else { &[] };
            lazy.send("DISCONNECT", headers, b"");
            ended += 1;
            server.await_disconnects("normal", ended);
            let frames = lazy.expect_whole_to_end();
            let last = frames.last().expect("some came before");
            assert_eq!(last.command == "RECEIPT", receipt);
            assert_every_worker_serves(&server);
            server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
        }
    }
}

#[test]
fn a_blocked_connection_that_is_reset_leaves_nothing_behind() {
    let server = Server::configured(&[SMALL, PATIENT].concat());
    for open in LINKS.into_iter().cycle().take(8) {
        blocked(&server, open).reset();
        server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
        assert_every_worker_serves(&server);
    }
    server.await_metric("tidings_connections{link=\"tcp\"}", |count| count == 0);
    server.await_metric("tidings_connections{link=\"websocket\"}", |count| {
        count == 0
    });
    assert_eq!(server.metric("tidings_subscriptions"), 0);
}

#[test]
fn a_blocked_connection_that_ends_its_half_and_never_reads_is_forgotten_once() {
    let server = Server::configured(&[SMALL, PATIENT].concat());
    let mut lazy = blocked(&server, Server::session);
    lazy.half_close();
    // Cut when the time for reading on is over.
    server.await_disconnects("connection-reset", 2);
    for _ in 0..2 {
        server.await_metric("tidings_connections{link=\"tcp\"}", |count| count == 0);
        assert_every_worker_serves(&server);
    }
    assert_eq!(server.metric("tidings_outbox_bytes"), 0);
    drop(lazy);
}

/// One client that leaves at the point of its number, without a word of goodbye.
fn come_and_go(server: &Server, number: usize) {
    const CONNECT: &[u8] = b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0";
    let topic = "/topic/a";
    match number % 10 {
        0 => drop(server.tcp_stream()),
        1 => server.tcp().raw(&CONNECT[..CONNECT.len() / 2]),
        2 => server.tcp().raw(CONNECT),
        3 => drop(server.raw_websocket()),
        4 => {
            let mut peer = server.session();
            peer.subscribe("s", topic, &[]);
            peer.half_close();
        }
        5 => {
            let mut peer = server.session();
            peer.subscribe("s", topic, &[]);
            peer.half_close();
            peer.read_to_end();
        }
        6 => {
            let mut peer = server.session();
            peer.subscribe("q", "/queue/a", &[("ack", "client")]);
            peer.raw(b"SEND\ndestination:/topic/a\n\nhalf");
        }
        7 => server.session().send("DISCONNECT", &[], b""),
        at => {
            let mut peer = LINKS[at % 2](server);
            peer.subscribe("s", topic, &[("ack", "client-individual")]);
            peer.reset();
        }
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_thousand_five_hundred_clients_that_come_and_go_leave_nothing_behind() {
    let server = Server::with_workers(1);
    let done = AtomicBool::new(false);
    let mut sender = server.session();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut work = 0..1_000;
            while !done.load(Ordering::Relaxed) {
                sender.send("SEND", &[("destination", "/topic/a")], &[b'x'; 300]);
                if work.next().is_some() {
                    sender.send("SEND", &[("destination", "/queue/a")], b"work");
                }
                sender.expect_nothing();
            }
        });
        // Set also when a client fails, so that the sender ends with it.
        let stop = Stop(&done);
        for number in 0..1_500 {
            come_and_go(&server, number);
        }
        drop(stop);
    });
    server.await_page("/stats", |_, stats| {
        stats.contains("\"connections\":1,") && stats.contains("\"subscriptions\":0,")
    });
    sender.expect_nothing();
    server.terminate();
    sender.expect_error("shutdown");
    drop(sender);
    assert_eq!(server.exit().code(), Some(0));
}
