//! Escapes: read by the version of the sender, written for the version of each receiver.

use crate::peer::{Peer, Server, Version};

fn subscriber(server: &Server, version: Version) -> Peer {
    let mut peer = server.connect(version);
    peer.subscribed("s", "/topic/a", &[]);
    peer
}

/// The header lines of the MESSAGE that `version` gets for a SEND with this header line from `sender`.
fn lines_seen_by(version: Version, sender: Version, line: &[u8]) -> Vec<String> {
    let server = Server::start();
    let mut subscriber = subscriber(&server, version);
    let mut sender = server.connect(sender);
    sender.raw(&[b"SEND\ndestination:/topic/a\n", line, b"\n\nx\0"].concat());
    subscriber.expect_message("x").lines
}

fn assert_seen(version: Version, sender: Version, sent: &[u8], seen: &str) {
    let lines = lines_seen_by(version, sender, sent);
    assert!(
        lines.iter().any(|line| line == seen),
        "{seen:?} is not in {lines:?}"
    );
}

const EVERYTHING: &[u8] = b"k:a\\nb\\rc\\cd\\\\e";

#[test]
fn a_1_2_header_reaches_1_2_with_every_escape() {
    assert_seen(
        Version::V12,
        Version::V12,
        EVERYTHING,
        "k:a\\nb\\rc\\cd\\\\e",
    );
}

#[test]
fn a_1_2_header_reaches_1_1_with_a_bare_carriage_return() {
    assert_seen(
        Version::V11,
        Version::V12,
        EVERYTHING,
        "k:a\\nb\rc\\cd\\\\e",
    );
}

#[test]
fn a_1_2_header_reaches_1_0_without_escapes() {
    assert_seen(Version::V10, Version::V12, b"k:c\\cd\\\\e", "k:c:d\\e");
}

#[test]
fn line_ends_and_colons_that_1_0_cannot_carry_are_spaces() {
    assert_seen(
        Version::V10,
        Version::V12,
        b"k:a\\nmessage-id\\cforged",
        "k:a message-id:forged",
    );
    assert_seen(Version::V10, Version::V12, b"k:a\\rb", "k:a b");
    assert_seen(Version::V10, Version::V12, b"a\\cb:v", "a b:v");
    assert_seen(Version::V10, Version::V12, b"a\\nb:v", "a b:v");
}

#[test]
fn names_are_escaped_like_values() {
    assert_seen(Version::V12, Version::V12, b"a\\cb:v", "a\\cb:v");
    assert_seen(Version::V11, Version::V12, b"a\\cb:v", "a\\cb:v");
}

#[test]
fn backslashes_of_1_0_are_literal() {
    assert_seen(Version::V12, Version::V10, b"k:a\\nb:c", "k:a\\\\nb\\cc");
    assert_seen(Version::V10, Version::V10, b"k:a\\nb:c", "k:a\\nb:c");
}

#[test]
fn a_carriage_return_of_1_1_belongs_to_the_value() {
    assert_seen(Version::V12, Version::V11, b"k:v\r", "k:v\\r");
}

#[test]
fn a_bare_colon_is_accepted_and_never_sent() {
    assert_seen(Version::V12, Version::V12, b"k:a:b", "k:a\\cb");
    assert_seen(Version::V11, Version::V11, b"k:a:b", "k:a\\cb");
}

#[test]
fn text_beyond_ascii_passes() {
    assert_seen(
        Version::V12,
        Version::V11,
        "naïve:日本 €".as_bytes(),
        "naïve:日本 €",
    );
}

#[test]
fn destination_and_subscription_are_escaped_too() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("a:b", "/topic/x:y", &[]);
    peer.send("SEND", &[("destination", "/topic/x:y")], b"x");
    let message = peer.expect_message("x");
    assert!(
        message
            .lines
            .contains(&"destination:/topic/x\\cy".to_owned()),
        "{message:?}"
    );
    assert!(
        message.lines.contains(&"subscription:a\\cb".to_owned()),
        "{message:?}"
    );
}

#[test]
fn undefined_escapes_are_errors() {
    let server = Server::start();
    let table: [(Version, &[u8]); 6] = [
        (Version::V12, b"\\t"),
        (Version::V12, b"\\"),
        (Version::V12, b"\\N"),
        (Version::V11, b"\\r"),
        (Version::V11, b"\\t"),
        (Version::V11, b"a\\"),
    ];
    for (version, value) in table {
        let mut peer = server.connect(version);
        peer.raw(
            &[
                b"SEND\ndestination:/topic/a\nreceipt:r\nk:",
                value,
                b"\n\nx\0",
            ]
            .concat(),
        );
        peer.expect_error_for("invalid-escape", "r");
    }
}

#[test]
fn spaces_are_kept_from_1_1_on_and_cut_in_1_0() {
    assert_seen(Version::V12, Version::V12, b"k: v ", "k: v ");
    assert_seen(Version::V12, Version::V11, b"k: v ", "k: v ");
    assert_seen(Version::V12, Version::V10, b"k: v ", "k:v");
}

#[test]
fn of_a_repeated_header_the_first_counts() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    let headers = [
        ("destination", "/topic/a"),
        ("destination", "/topic/b"),
        ("k", "1"),
        ("k", "2"),
    ];
    peer.send("SEND", &headers, b"x");
    let message = peer.expect_message("x");
    assert_eq!(message.header("k"), Some("1"));
    assert_eq!(message.get("destination"), "/topic/a");
}
