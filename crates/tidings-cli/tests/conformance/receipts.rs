//! RECEIPT: for every frame, after its effect, in order.

use crate::peer::{Headers, Server, Version};

#[test]
fn every_frame_but_connect_gets_its_receipt_in_order() {
    let server = Server::start();
    for mut peer in [server.session(), server.websocket_session()] {
        let mut sender = server.session();
        peer.subscribed("q", "/queue/a", &[("ack", "client-individual")]);
        sender.publish("/queue/a", "one");
        sender.publish("/queue/a", "two");
        let [first, second] =
            ["one", "two"].map(|body| peer.expect_message(body).get("ack").to_owned());
        let frames: [(&str, Headers); 12] = [
            ("SUBSCRIBE", &[("id", "t"), ("destination", "/topic/a")]),
            ("SEND", &[("destination", "/topic/b")]),
            ("ACK", &[("id", &first)]),
            ("BEGIN", &[("transaction", "x")]),
            ("SEND", &[("destination", "/topic/b"), ("transaction", "x")]),
            ("ACK", &[("id", &second), ("transaction", "x")]),
            ("COMMIT", &[("transaction", "x")]),
            ("BEGIN", &[("transaction", "y")]),
            ("ABORT", &[("transaction", "y")]),
            ("UNSUBSCRIBE", &[("id", "t")]),
            ("UNSUBSCRIBE", &[("id", "q")]),
            ("DISCONNECT", &[]),
        ];
        let numbers: Vec<String> = (0..frames.len())
            .map(|number| format!("r{number}"))
            .collect();
        for ((command, headers), number) in frames.iter().zip(&numbers) {
            peer.send(
                command,
                &[headers, &[("receipt", number.as_str())][..]].concat(),
                b"",
            );
        }
        for number in &numbers {
            peer.expect_receipt(number);
        }
        peer.expect_end();
    }
}

#[test]
fn nack_gets_a_receipt() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("t", "/topic/a", &[("ack", "client")]);
    peer.send("SEND", &[("destination", "/topic/a")], b"one");
    let message = peer.expect_message("one");
    peer.done("NACK", &[("id", message.get("ack"))], b"");
}

#[test]
fn a_receipt_says_that_the_frame_took_effect() {
    let server = Server::start();
    let mut subscriber = server.session();
    let mut sender = server.session();
    for round in 0..50 {
        let id = round.to_string();
        subscriber.subscribed(&id, "/topic/a", &[]);
        sender.publish("/topic/a", &id);
        assert_eq!(subscriber.expect_message(&id).get("subscription"), id);
        subscriber.done("UNSUBSCRIBE", &[("id", &id)], b"");
    }
}

#[test]
fn a_thousand_receipts_come_in_order() {
    let server = Server::start();
    let mut peer = server.session();
    for number in 0..1000 {
        peer.send(
            "SEND",
            &[
                ("destination", "/topic/a"),
                ("receipt", &number.to_string()),
            ],
            b"x",
        );
    }
    for number in 0..1000 {
        peer.expect_receipt(&number.to_string());
    }
}

#[test]
fn a_frame_without_receipt_gets_none() {
    let server = Server::start();
    let mut peer = server.session();
    peer.send("SEND", &[("destination", "/topic/a")], b"x");
    peer.send("BEGIN", &[("transaction", "x")], b"");
    peer.expect_nothing();
}

#[test]
fn receipt_ids_are_escaped_for_each_version() {
    let server = Server::start();
    let table: [(Version, &[u8], &str); 3] = [
        (Version::V10, b"a:b\\n", "receipt-id:a:b\\n"),
        (Version::V11, b"a\\cb\\n\\\\", "receipt-id:a\\cb\\n\\\\"),
        (Version::V12, b"a\\cb\\r\\n", "receipt-id:a\\cb\\r\\n"),
    ];
    for (version, id, line) in table {
        let mut peer = server.connect(version);
        peer.raw(&[b"SEND\ndestination:/topic/a\nreceipt:", id, b"\n\nx\0"].concat());
        assert_eq!(peer.expect("RECEIPT").lines, [line]);
    }
}

#[test]
fn an_error_takes_the_place_of_the_receipt_after_those_before_it() {
    let server = Server::start();
    let mut peer = server.session();
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), ("receipt", "1")],
        b"x",
    );
    peer.send(
        "SEND",
        &[("destination", "/nowhere"), ("receipt", "2")],
        b"x",
    );
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), ("receipt", "3")],
        b"x",
    );
    peer.expect_receipt("1");
    peer.expect_error_for("unknown-destination", "2");
}
