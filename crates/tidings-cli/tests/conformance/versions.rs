//! Which version is agreed, and what differs between them.

use crate::peer::{Server, Version};

#[test]
fn the_highest_common_version_is_agreed() {
    let server = Server::start();
    let table = [
        ("1.0", Version::V10),
        ("1.1", Version::V11),
        ("1.2", Version::V12),
        ("1.0,1.1,1.2", Version::V12),
        ("1.2,1.1,1.0", Version::V12),
        ("1.1,1.0", Version::V11),
        ("1.0,2.0", Version::V10),
        ("1.1,1.3", Version::V11),
    ];
    for (accepted, agreed) in table {
        server
            .tcp()
            .connect_with(agreed, &[("accept-version", accepted), ("host", "h")]);
    }
}

#[test]
fn no_accept_version_is_1_0() {
    let server = Server::start();
    server.tcp().connect_with(Version::V10, &[("login", "ann")]);
}

#[test]
fn an_unknown_version_is_answered_with_those_that_are_known() {
    let server = Server::start();
    for accepted in ["1.3", "2.0,3.0", "", "1", "v1.2"] {
        for mut peer in [server.tcp(), server.websocket()] {
            peer.send(
                "CONNECT",
                &[("accept-version", accepted), ("host", "h")],
                b"",
            );
            let error = peer.expect_error("unsupported-version");
            assert_eq!(error.get("version"), "1.0,1.1,1.2");
        }
    }
}

#[test]
fn only_unsupported_version_names_versions() {
    let server = Server::start();
    let mut peer = server.session();
    peer.raw(b"NOSUCH\n\n\0");
    peer.expect_error("unknown-command")
        .assert_absent("version");
}

#[test]
fn in_1_0_a_subscription_needs_no_id() {
    let server = Server::start();
    let mut peer = server.connect(Version::V10);
    peer.done("SUBSCRIBE", &[("destination", "/topic/a")], b"");
    peer.send("SEND", &[("destination", "/topic/a")], b"one");
    let message = peer.expect_message("one");
    message.assert_absent("subscription");
    assert!(!message.get("message-id").is_empty());
    peer.done("UNSUBSCRIBE", &[("destination", "/topic/a")], b"");
    peer.publish("/topic/a", "two");
    peer.expect_nothing();
}

#[test]
fn in_1_0_an_id_is_told_when_it_was_given() {
    let server = Server::start();
    let mut peer = server.connect(Version::V10);
    peer.subscribed("s", "/topic/a", &[]);
    peer.send("SEND", &[("destination", "/topic/a")], b"one");
    assert_eq!(peer.expect_message("one").get("subscription"), "s");
    peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
}

#[test]
fn nack_is_not_in_1_0() {
    let server = Server::start();
    let mut peer = server.connect(Version::V10);
    peer.send("NACK", &[("message-id", "m"), ("receipt", "r")], b"");
    peer.expect_error_for("not-in-version", "r");
}

#[test]
fn each_version_acknowledges_by_its_own_headers() {
    let server = Server::start();
    let mut sender = server.session();
    for version in Version::ALL {
        let mut peer = server.connect(version);
        peer.subscribed("s", "/queue/a", &[("ack", "client")]);
        sender.publish("/queue/a", version.name());
        let message = peer.expect_message(version.name());
        match version {
            Version::V10 => peer.done("ACK", &[("message-id", message.get("message-id"))], b""),
            Version::V11 => {
                let id = message.get("message-id");
                peer.done("ACK", &[("message-id", id), ("subscription", "s")], b"");
            }
            Version::V12 => peer.done("ACK", &[("id", message.get("ack"))], b""),
        }
        peer.done("DISCONNECT", &[], b"");
        peer.expect_end();
        let mut next = server.session();
        next.subscribed("s", "/queue/a", &[]);
        next.expect_nothing();
    }
}

#[test]
fn a_1_1_nack_names_message_and_subscription() {
    let server = Server::start();
    let mut peer = server.connect(Version::V11);
    peer.subscribed("s", "/queue/a", &[("ack", "client-individual")]);
    peer.send("SEND", &[("destination", "/queue/a")], b"again");
    let message = peer.expect_message("again");
    message.assert_absent("ack");
    let id = message.get("message-id").to_owned();
    peer.send("NACK", &[("message-id", &id), ("subscription", "s")], b"");
    assert_eq!(peer.expect_message("again").get("redelivered"), "true");
}

/// Version, command, headers.
type Lacking = (
    Version,
    &'static str,
    &'static [(&'static str, &'static str)],
);

#[test]
fn a_frame_without_a_required_header_is_refused() {
    let server = Server::start();
    let table: &[Lacking] = &[
        (Version::V10, "SEND", &[]),
        (Version::V10, "SUBSCRIBE", &[]),
        (Version::V10, "UNSUBSCRIBE", &[]),
        (Version::V10, "ACK", &[]),
        (Version::V11, "SUBSCRIBE", &[("destination", "/topic/a")]),
        (Version::V11, "SUBSCRIBE", &[("id", "s")]),
        (Version::V11, "UNSUBSCRIBE", &[("destination", "/topic/a")]),
        (Version::V11, "ACK", &[("message-id", "m")]),
        (Version::V11, "ACK", &[("subscription", "s")]),
        (Version::V11, "NACK", &[("message-id", "m")]),
        (Version::V12, "SEND", &[]),
        (Version::V12, "SUBSCRIBE", &[("destination", "/topic/a")]),
        (Version::V12, "SUBSCRIBE", &[("id", "s")]),
        (Version::V12, "UNSUBSCRIBE", &[]),
        (
            Version::V12,
            "ACK",
            &[("message-id", "m"), ("subscription", "s")],
        ),
        (Version::V12, "NACK", &[]),
        (Version::V12, "BEGIN", &[]),
        (Version::V12, "COMMIT", &[]),
        (Version::V12, "ABORT", &[]),
    ];
    for &(version, command, headers) in table {
        let mut peer = server.connect(version);
        peer.send(command, &[headers, &[("receipt", "r")]].concat(), b"");
        peer.expect_error_for("missing-header", "r");
    }
}
