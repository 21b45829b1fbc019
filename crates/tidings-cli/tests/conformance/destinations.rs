//! Which destinations and patterns are well formed.

use crate::peer::{Peer, Server};

const SEGMENTS: usize = 32;
const WILDCARDS: usize = 8;

fn assert_taken(server: &Server, command: &str, destination: &str) {
    let mut peer = server.session();
    peer.done(command, &[("id", "s"), ("destination", destination)], b"");
}

fn assert_invalid(server: &Server, command: &str, destination: &str) {
    let mut peer = server.session();
    peer.send(
        command,
        &[("id", "s"), ("destination", destination), ("receipt", "r")],
        b"",
    );
    peer.expect_error_for("invalid-destination", "r");
}

#[test]
fn segments_are_not_empty() {
    let server = Server::start();
    for destination in ["/topic/a//b", "/topic/a/", "/topic//", "/queue//a"] {
        assert_invalid(&server, "SEND", destination);
        assert_invalid(&server, "SUBSCRIBE", destination);
    }
}

#[test]
fn control_characters_are_refused() {
    let server = Server::start();
    for destination in ["/topic/a\nb", "/topic/a\rb", "/topic/a\tb", "/queue/\u{7f}"] {
        assert_invalid(&server, "SEND", destination);
        assert_invalid(&server, "SUBSCRIBE", destination);
    }
}

#[test]
fn a_destination_of_32_segments_passes_and_one_more_does_not() {
    let server = Server::start();
    // The empty segment before the first slash and `topic` count.
    let longest = format!("/topic{}", "/a".repeat(SEGMENTS - 2));
    for command in ["SEND", "SUBSCRIBE"] {
        assert_taken(&server, command, &longest);
        assert_invalid(&server, command, &format!("{longest}/a"));
    }
}

#[test]
fn a_pattern_of_8_wildcards_passes_and_one_more_does_not() {
    let server = Server::start();
    let longest = format!("/topic/{}", "*a".repeat(WILDCARDS));
    assert_taken(&server, "SUBSCRIBE", &longest);
    assert_invalid(&server, "SUBSCRIBE", &format!("{longest}?"));
}

#[test]
fn two_stars_stand_alone_in_their_segment() {
    let server = Server::start();
    for pattern in ["/topic/a**", "/topic/**a", "/topic/a/***"] {
        assert_invalid(&server, "SUBSCRIBE", pattern);
    }
}

#[test]
fn the_prefix_of_a_pattern_is_exact() {
    let server = Server::start();
    for pattern in ["/**", "/*/a", "/top?c/a", "**"] {
        let mut peer = server.session();
        peer.send("SUBSCRIBE", &[("id", "s"), ("destination", pattern)], b"");
        peer.expect_error("unknown-destination");
    }
}

#[test]
fn a_costly_pattern_delays_nobody() {
    let server = Server::start();
    let mut peer = server.session();
    for number in 0..100 {
        let pattern = format!("/topic/{number}{}b", "*a".repeat(WILDCARDS));
        peer.subscribed(&number.to_string(), &pattern, &[]);
    }
    let long = format!("/topic/1{}", "a".repeat(900));
    for _ in 0..100 {
        peer.publish(&long, "x");
    }
}

/// Sends to `destination` and shows who of both hears it.
fn heard(peer: &mut Peer, destination: &str) -> String {
    peer.send("SEND", &[("destination", destination)], b"x");
    peer.expect_message("x").get("subscription").to_owned()
}

#[test]
fn names_are_octets_apart_by_case_and_dots() {
    let server = Server::start();
    let mut peer = server.session();
    let names = [
        "/topic/a",
        "/topic/A",
        "/topic/a.b",
        "/topic/.",
        "/topic/..",
        "/topic/a%2Fb",
        "/topic/ä",
    ];
    for name in names {
        peer.subscribed(name, name, &[]);
    }
    for name in names {
        assert_eq!(heard(&mut peer, name), name);
    }
}

#[test]
fn a_topic_and_a_queue_of_one_name_are_two() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("t", "/topic/a", &[]);
    peer.subscribed("q", "/queue/a", &[]);
    assert_eq!(heard(&mut peer, "/queue/a"), "q");
    assert_eq!(heard(&mut peer, "/topic/a"), "t");
    peer.expect_nothing();
}
