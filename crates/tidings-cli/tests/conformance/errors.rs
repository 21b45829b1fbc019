//! ERROR frames of what is well formed but cannot be done. Each `expect_error` also checks the frame and the close.

use crate::peer::{Headers, Server};

/// Code, command, headers: each refused in a fresh session.
const REFUSED: &[(&str, &str, Headers)] = &[
    ("unknown-command", "PUBLISH", &[("destination", "/topic/a")]),
    (
        "unknown-destination",
        "SEND",
        &[("destination", "/elsewhere/a")],
    ),
    ("unknown-destination", "SEND", &[("destination", "topic/a")]),
    (
        "unknown-destination",
        "SEND",
        &[("destination", "/topicx/a")],
    ),
    (
        "unknown-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/elsewhere/a")],
    ),
    (
        "unknown-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/TOPIC/a")],
    ),
    ("invalid-destination", "SEND", &[("destination", "")]),
    (
        "invalid-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "")],
    ),
    ("invalid-destination", "SEND", &[("destination", "/topic/")]),
    (
        "invalid-destination",
        "SEND",
        &[("destination", "/topic/*")],
    ),
    (
        "invalid-destination",
        "SEND",
        &[("destination", "/topic/a/**")],
    ),
    (
        "invalid-destination",
        "SEND",
        &[("destination", "/topic/a?")],
    ),
    (
        "invalid-destination",
        "SEND",
        &[("destination", "/queue/*")],
    ),
    (
        "invalid-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/queue/")],
    ),
    (
        "invalid-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/queue/*")],
    ),
    (
        "invalid-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/queue/**")],
    ),
    (
        "invalid-destination",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/reply-queue/abc")],
    ),
    ("unknown-subscription", "UNSUBSCRIBE", &[("id", "never")]),
    ("unknown-ack", "ACK", &[("id", "never")]),
    ("unknown-ack", "NACK", &[("id", "never")]),
    ("unknown-ack", "ACK", &[("id", "")]),
    ("unknown-transaction", "COMMIT", &[("transaction", "never")]),
    ("unknown-transaction", "ABORT", &[("transaction", "never")]),
    (
        "unknown-transaction",
        "SEND",
        &[("destination", "/topic/a"), ("transaction", "never")],
    ),
    (
        "invalid-header",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/topic/a"), ("ack", "never")],
    ),
    (
        "invalid-header",
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/topic/a"), ("ack", "AUTO")],
    ),
    (
        "invalid-header",
        "SUBSCRIBE",
        &[
            ("id", "s"),
            ("destination", "/queue/a"),
            ("prefetch-count", "x"),
        ],
    ),
    (
        "invalid-header",
        "SUBSCRIBE",
        &[
            ("id", "s"),
            ("destination", "/queue/a"),
            ("prefetch-count", "-1"),
        ],
    ),
    (
        "invalid-header",
        "SUBSCRIBE",
        &[
            ("id", "s"),
            ("destination", "/queue/a"),
            ("prefetch-count", "0"),
        ],
    ),
    (
        "invalid-header",
        "SEND",
        &[("destination", "/queue/a"), ("expires", "tomorrow")],
    ),
    (
        "invalid-header",
        "SEND",
        &[("destination", "/queue/a"), ("expiration", "-5")],
    ),
];

#[test]
fn every_refusal_has_its_code_its_receipt_id_and_ends_the_connection() {
    let server = Server::start();
    for (code, command, headers) in REFUSED {
        let mut peer = server.session();
        peer.send(command, &[headers, &[("receipt", "r")][..]].concat(), b"");
        peer.expect_error_for(code, "r");
    }
}

#[test]
fn refusals_are_the_same_over_websocket() {
    let server = Server::start();
    for (code, command, headers) in REFUSED {
        let mut peer = server.websocket_session();
        peer.send(command, &[headers, &[("receipt", "r")][..]].concat(), b"");
        peer.expect_error_for(code, "r");
    }
}

#[test]
fn without_receipt_there_is_no_receipt_id() {
    let server = Server::start();
    let mut peer = server.session();
    peer.send("ACK", &[("id", "never")], b"");
    peer.expect_error("unknown-ack").assert_absent("receipt-id");
}

#[test]
fn a_subscription_id_in_use_is_refused() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.send(
        "SUBSCRIBE",
        &[("id", "s"), ("destination", "/queue/b"), ("receipt", "r")],
        b"",
    );
    peer.expect_error_for("subscription-exists", "r");
}

#[test]
fn a_transaction_that_is_open_cannot_begin() {
    let server = Server::start();
    let mut peer = server.session();
    peer.done("BEGIN", &[("transaction", "t")], b"");
    peer.send("BEGIN", &[("transaction", "t"), ("receipt", "r")], b"");
    peer.expect_error_for("transaction-exists", "r");
}

#[test]
fn a_heart_beat_header_out_of_its_grammar_is_refused() {
    let server = Server::start();
    for value in ["", "1", "a,b", "1,-1", "1,2,3", "1.5,0"] {
        let mut peer = server.tcp();
        peer.send(
            "CONNECT",
            &[
                ("accept-version", "1.2"),
                ("host", "h"),
                ("heart-beat", value),
            ],
            b"",
        );
        peer.expect_error("invalid-heart-beat");
    }
}

#[test]
fn other_sessions_notice_nothing() {
    let server = Server::start();
    let mut other = server.session();
    other.subscribed("s", "/topic/a", &[]);
    for (_, command, headers) in REFUSED {
        let mut peer = server.session();
        peer.send(command, headers, b"");
        peer.read_to_end();
    }
    other.send("SEND", &[("destination", "/topic/a")], b"still here");
    other.expect_message("still here");
}
