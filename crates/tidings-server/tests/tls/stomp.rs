//! STOMP over TLS: every size, in order, however slowly it is read.

use std::sync::Barrier;
use std::thread;

use tidings_server::config::SlowConsumerPolicy;

use crate::client::{Client, sizes_that_fill_sockets};
use crate::server::Running;

const DESTINATION: &str = "/topic/a";

/// A record of TLS holds so much (RFC 8446, section 5.1).
const RECORD: usize = 16 * 1024;

fn body(number: usize, length: usize) -> Vec<u8> {
    let mut body = number.to_be_bytes().to_vec();
    body.extend((0..length).map(|at| (at % 251) as u8));
    body
}

fn number(body: &[u8]) -> usize {
    usize::from_be_bytes(body[..8].try_into().expect("eight bytes"))
}

#[test]
fn messages_of_every_size_around_a_record_pass_whole() {
    let running = Running::start();
    let mut client = running.client();
    client.subscribe(DESTINATION);
    // The head of the MESSAGE is less than 200 bytes, so its end goes over each border.
    let around = |border: usize| border - 200..=border + 2;
    let sizes = around(RECORD)
        .chain(around(4 * RECORD))
        .chain([0, 1, 1_000_000]);
    for size in sizes {
        let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
        client.send(DESTINATION, "", &body);
        let (head, heard) = client.frame();
        assert!(head.starts_with("MESSAGE\n"), "{head}");
        assert!(heard == body, "{size} bytes");
    }
}

#[test]
fn a_slow_reader_gets_every_byte_in_order() {
    const COUNT: usize = 120;
    let running = Running::with(|config, _| {
        config.outbox.max_bytes = 64 << 20;
    });
    let mut slow = Client::narrow(running.tcp, running.trust());
    slow.connect();
    slow.subscribe(DESTINATION);
    let mut fast = running.client();
    fast.subscribe(DESTINATION);
    let mut publisher = running.client();
    for at in 0..COUNT {
        publisher.send(DESTINATION, "", &body(at, 100_000 + at));
        let (_, heard) = fast.frame();
        assert_eq!(number(&heard), at);
    }
    // All is written to it by now, and far more than sockets hold waits.
    for at in 0..COUNT {
        let (_, heard) = slow.frame();
        assert!(heard == body(at, 100_000 + at), "message {at}");
    }
    slow.send(DESTINATION, "receipt:r\n", b"still there");
    assert_eq!(slow.frame().1, b"still there");
}

#[test]
fn the_last_bytes_of_a_message_follow_when_there_is_room() {
    let running = Running::with(|config, _| {
        config.server.workers = 1;
        config.stomp.max_body_bytes = 16 << 20;
        config.outbox.max_bytes = 64 << 20;
    });
    let mut publisher = running.client();
    for size in sizes_that_fill_sockets() {
        let mut slow = Client::narrow(running.tcp, running.trust());
        slow.connect();
        slow.subscribe(DESTINATION);
        publisher.send(DESTINATION, "receipt:r\n", &body(size, size));
        // The worker has written by then what the socket took.
        assert!(publisher.frame().0.starts_with("RECEIPT\n"));
        let (_, heard) = slow.frame();
        assert!(heard == body(size, size), "{size} bytes");
        slow.write("DISCONNECT\nreceipt:bye\n\n\0");
        slow.rest().expect("a clean end");
    }
}

#[test]
fn messages_that_a_policy_drops_leave_whole_frames() {
    let running = Running::with(|config, _| {
        config.outbox.max_bytes = 2 << 20;
        config.outbox.policy = SlowConsumerPolicy::DropOldest;
    });
    let mut slow = Client::narrow(running.tcp, running.trust());
    slow.connect();
    slow.subscribe(DESTINATION);
    let mut publisher = running.client();
    publisher.subscribe(DESTINATION);
    let mut last = 0;
    for at in 0..300 {
        publisher.send(DESTINATION, "", &body(at, 40_000));
        assert_eq!(number(&publisher.frame().1), at);
        last = at;
    }
    let mut seen = Vec::new();
    while seen.last() != Some(&last) {
        let (_, heard) = slow.frame();
        let at = number(&heard);
        assert!(heard == body(at, 40_000), "message {at}");
        seen.push(at);
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert!(seen.len() < 300, "none was dropped");
    assert!(running.count("tidings_messages_dropped_total{cause=\"slow-consumer\"}") > 0);
}

#[test]
fn many_send_and_listen_at_the_same_time() {
    const CLIENTS: usize = 8;
    const COUNT: usize = 40;
    let running = Running::start();
    let all_listen = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let mut client = running.client();
                client.subscribe(DESTINATION);
                all_listen.wait();
                for at in 0..COUNT {
                    client.send(DESTINATION, "", &body(at, 5_000));
                }
                let mut heard = vec![0; COUNT];
                for _ in 0..CLIENTS * COUNT {
                    let (_, message) = client.frame();
                    let at = number(&message);
                    assert!(message == body(at, 5_000));
                    heard[at] += 1;
                }
                assert_eq!(heard, [CLIENTS; COUNT]);
            });
        }
    });
}

#[test]
fn input_in_one_record_per_byte_is_understood() {
    let running = Running::start();
    let mut client = running.client();
    client.subscribe(DESTINATION);
    for byte in format!("SEND\ndestination:{DESTINATION}\n\nhello\0").bytes() {
        client.write([byte]);
    }
    assert_eq!(client.frame().1, b"hello");
}

#[test]
fn many_frames_in_one_write_are_all_understood() {
    let running = Running::start();
    let mut client = running.client();
    client.subscribe(DESTINATION);
    let mut input = String::new();
    for at in 0..500 {
        input += &format!("SEND\ndestination:{DESTINATION}\n\n{at:0>300}\0");
    }
    client.write(input);
    for at in 0..500 {
        assert_eq!(client.frame().1, format!("{at:0>300}").into_bytes());
    }
}
