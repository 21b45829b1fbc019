//! What a MESSAGE says, and what a sender cannot make it say.

use std::collections::HashSet;

use crate::peer::{Server, Version};

#[test]
fn content_type_and_own_headers_pass() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    let own = [
        ("content-type", "application/json;charset=utf-8"),
        ("x-trace", "1"),
        ("priority", ""),
        ("Upper", "U"),
    ];
    peer.send(
        "SEND",
        &[&[("destination", "/topic/a")], &own[..]].concat(),
        b"{}",
    );
    let message = peer.expect_message("{}");
    for (name, value) in own {
        assert_eq!(message.get(name), value);
    }
}

#[test]
fn without_content_type_there_is_none() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.send("SEND", &[("destination", "/topic/a")], b"x");
    peer.expect_message("x").assert_absent("content-type");
}

#[test]
fn content_length_is_measured_anew() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.raw(b"SEND\ndestination:/topic/a\ncontent-length:0005\n\n12345\0");
    assert_eq!(peer.expect_message("12345").get("content-length"), "5");
    peer.raw(b"SEND\ndestination:/topic/a\n\n123\0");
    assert_eq!(peer.expect_message("123").get("content-length"), "3");
}

const FORGED: [(&str, &str); 12] = [
    ("subscription", "forged"),
    ("message-id", "forged"),
    ("ack", "forged"),
    ("receipt-id", "forged"),
    ("redelivered", "forged"),
    ("delivery-count", "forged"),
    ("original-destination", "forged"),
    ("dead-letter-reason", "forged"),
    ("login", "forged"),
    ("passcode", "forged"),
    ("destination", "/topic/forged"),
    ("content-length", "1"),
];

#[test]
fn headers_of_the_server_cannot_be_forged() {
    let server = Server::start();
    for (destination, mode) in [
        ("/topic/a", "auto"),
        ("/topic/b", "client"),
        ("/queue/a", "auto"),
    ] {
        let mut peer = server.session();
        peer.subscribed("mine", destination, &[("ack", mode)]);
        let honest = [
            ("destination", destination),
            ("content-length", "4"),
            ("receipt", "forged"),
        ];
        peer.send("SEND", &[&honest, &FORGED[..]].concat(), b"body");
        // The receipt says that the message is on its way, not that it is first.
        let mut frames = [peer.next_frame(), peer.next_frame()];
        frames.sort_by(|left, right| left.command.cmp(&right.command));
        let [first, receipt] = frames;
        assert_eq!(
            (&*first.command, receipt.get("receipt-id")),
            ("MESSAGE", "forged")
        );
        let names: HashSet<&str> = first
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(
            names.len(),
            first.headers.len(),
            "no header twice: {first:?}"
        );
        assert!(
            !first
                .headers
                .iter()
                .any(|(_, value)| value.contains("forged")),
            "{first:?}"
        );
        assert_eq!(
            (first.get("subscription"), first.get("destination")),
            ("mine", destination)
        );
        first.assert_absent("receipt");
    }
}

#[test]
fn a_transaction_is_not_told_to_subscribers() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.done("BEGIN", &[("transaction", "t")], b"");
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), ("transaction", "t")],
        b"x",
    );
    peer.send("COMMIT", &[("transaction", "t")], b"");
    peer.expect_message("x").assert_absent("transaction");
}

#[test]
fn message_ids_are_prefix_and_counter_and_never_repeat() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("t", "/topic/a", &[]);
    peer.subscribed("q", "/queue/a", &[]);
    let mut seen = HashSet::new();
    let mut prefixes = HashSet::new();
    for number in 0..100 {
        let destination = if number % 2 == 0 {
            "/topic/a"
        } else {
            "/queue/a"
        };
        peer.send("SEND", &[("destination", destination)], b"x");
        let id = peer.expect_message("x").get("message-id").to_owned();
        let (prefix, counter) = id
            .rsplit_once('-')
            .expect("prefix and counter are joined by -");
        counter.parse::<u64>().expect("the counter is a number");
        prefixes.insert(prefix.to_owned());
        assert!(seen.insert(id));
    }
    assert_eq!(prefixes.len(), 1, "one node, one prefix");
}

#[test]
fn all_subscribers_see_the_same_message_id() {
    let server = Server::start();
    let mut peers = Version::ALL.map(|version| server.connect(version));
    for peer in &mut peers {
        peer.subscribed("s", "/topic/a", &[]);
    }
    peers[0].send("SEND", &[("destination", "/topic/a")], b"x");
    let ids = peers
        .each_mut()
        .map(|peer| peer.expect_message("x").get("message-id").to_owned());
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn ack_is_told_in_1_2_with_explicit_modes_only() {
    let server = Server::start();
    for version in Version::ALL {
        for mode in ["auto", "client", "client-individual"] {
            if (version, mode) == (Version::V10, "client-individual") {
                continue;
            }
            for destination in ["/topic/a", "/queue/a"] {
                let mut peer = server.connect(version);
                peer.subscribed("s", destination, &[("ack", mode)]);
                peer.send("SEND", &[("destination", destination)], b"x");
                let message = peer.expect_message("x");
                let told = message.header("ack").is_some();
                assert_eq!(
                    told,
                    version == Version::V12 && mode != "auto",
                    "{version:?} {mode} {destination}"
                );
                // Settles the message, so that the next one of the loop is the only one.
                match version {
                    _ if mode == "auto" => {}
                    Version::V12 => peer.done("ACK", &[("id", message.get("ack"))], b""),
                    _ => {
                        let id = message.get("message-id");
                        peer.done("ACK", &[("message-id", id), ("subscription", "s")], b"");
                    }
                }
                peer.done("DISCONNECT", &[], b"");
                peer.expect_end();
            }
        }
    }
}

#[test]
fn the_first_delivery_is_not_marked_as_another() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/queue/a", &[]);
    peer.send("SEND", &[("destination", "/queue/a")], b"x");
    let message = peer.expect_message("x");
    message.assert_absent("redelivered");
    message.assert_absent("delivery-count");
}
