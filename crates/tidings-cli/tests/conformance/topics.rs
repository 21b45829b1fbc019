//! `/topic/`: every subscription that matches gets a copy.

use crate::peer::{Peer, Server, Version};

#[test]
fn every_subscriber_gets_every_message_in_order() {
    let server = Server::quiet();
    let mut subscribers = [
        server.session(),
        server.websocket_session(),
        server.connect(Version::V10),
    ];
    for peer in &mut subscribers {
        peer.subscribed("s", "/topic/a", &[]);
    }
    let mut sender = server.session();
    for number in 0..200 {
        sender.send(
            "SEND",
            &[("destination", "/topic/a")],
            number.to_string().as_bytes(),
        );
    }
    for peer in &mut subscribers {
        for number in 0..200 {
            peer.expect_message(number.to_string());
        }
        peer.expect_nothing();
    }
}

#[test]
fn other_topics_are_not_heard() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    for other in [
        "/topic/b",
        "/topic/a/b",
        "/topic/A",
        "/topic/aa",
        "/queue/a",
        "/topic/a ",
    ] {
        peer.publish(other, "x");
    }
    peer.expect_nothing();
}

#[test]
fn the_sender_hears_itself() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.send("SEND", &[("destination", "/topic/a")], b"x");
    peer.expect_message("x");
}

#[test]
fn a_message_without_subscribers_is_dropped() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.publish("/topic/a", "early");
    peer.subscribed("s", "/topic/a", &[]);
    peer.expect_nothing();
}

#[test]
fn after_unsubscribe_nothing_comes() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    peer.publish("/topic/a", "x");
    peer.expect_nothing();
}

#[test]
fn two_subscriptions_that_match_get_one_copy_each() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.subscribed("exact", "/topic/a", &[]);
    peer.subscribed("again", "/topic/a", &[]);
    peer.subscribed("pattern", "/topic/a*", &[]);
    peer.send("SEND", &[("destination", "/topic/a")], b"x");
    let mut ids = [(); 3].map(|()| peer.expect_message("x").get("subscription").to_owned());
    ids.sort();
    assert_eq!(ids, ["again", "exact", "pattern"]);
    peer.expect_nothing();
}

/// Subscribes to `pattern` and tells whether a message to `destination` arrives.
fn matches(peer: &mut Peer, pattern: &str, destination: &str) -> bool {
    peer.subscribed("p", pattern, &[]);
    peer.subscribed("fence", "/topic/the-fence", &[]);
    peer.send("SEND", &[("destination", destination)], b"probe");
    peer.send("SEND", &[("destination", "/topic/the-fence")], b"fence");
    peer.send("UNSUBSCRIBE", &[("id", "p"), ("receipt", "done")], b"");
    // The pattern may match the fence too.
    let (mut found, mut fenced, mut done) = (false, false, false);
    while !(fenced && done) {
        let frame = peer.next_frame();
        done |= frame.command == "RECEIPT";
        fenced |= frame.header("subscription") == Some("fence");
        if frame.text() == "probe" {
            assert_eq!(
                (frame.get("subscription"), frame.get("destination")),
                ("p", destination)
            );
            found = true;
        }
    }
    peer.done("UNSUBSCRIBE", &[("id", "fence")], b"");
    found
}

#[test]
fn ant_patterns_match_segments() {
    let server = Server::quiet();
    let mut peer = server.session();
    let table = [
        ("/topic/a/*", "/topic/a/b", true),
        ("/topic/a/*", "/topic/a", false),
        ("/topic/a/*", "/topic/a/b/c", false),
        ("/topic/*/c", "/topic/b/c", true),
        ("/topic/*/c", "/topic/b/d", false),
        ("/topic/a*", "/topic/a", true),
        ("/topic/a*", "/topic/abc", true),
        ("/topic/a*c", "/topic/abbc", true),
        ("/topic/a*c", "/topic/ab", false),
        ("/topic/*b*", "/topic/abc", true),
        ("/topic/a?c", "/topic/abc", true),
        ("/topic/a?c", "/topic/ac", false),
        ("/topic/a?c", "/topic/abbc", false),
        ("/topic/a?c", "/topic/a€c", true),
        ("/topic/a?c", "/topic/a/c", false),
        ("/topic/a/**", "/topic/a/b", true),
        ("/topic/a/**", "/topic/a/b/c/d", true),
        ("/topic/a/**", "/topic/a", true),
        ("/topic/a/**", "/topic/ab", false),
        ("/topic/**/d", "/topic/d", true),
        ("/topic/**/d", "/topic/a/b/d", true),
        ("/topic/**/d", "/topic/a/b/d/e", false),
        ("/topic/a/**/d", "/topic/a/d", true),
        ("/topic/a/**/d", "/topic/a/b/c/d", true),
        ("/topic/**", "/topic/anything/at/all", true),
        ("/topic/**/b/*", "/topic/x/b/b/c", true),
    ];
    for (pattern, destination, expected) in table {
        assert_eq!(
            matches(&mut peer, pattern, destination),
            expected,
            "{pattern} {destination}"
        );
    }
}

#[test]
fn patterns_don_t_reach_beyond_topics() {
    let server = Server::quiet();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/**", &[]);
    peer.publish("/queue/a", "x");
    peer.publish("/queue/topic/a", "x");
    // `expect_nothing` itself sends to a topic, which this pattern hears.
    peer.send("SEND", &[("destination", "/topic/fence")], b"fence");
    peer.expect_message("fence");
}

#[test]
fn the_separator_follows_the_configuration() {
    let server = Server::configured("[broker]\nseparator = \".\"\n");
    let mut peer = server.session();
    let table = [
        ("/topic/a.*", "/topic/a.b", true),
        ("/topic/a.*", "/topic/a.b.c", false),
        ("/topic/a.**", "/topic/a.b.c", true),
        ("/topic/*", "/topic/a/b", true),
        ("/topic/*.c", "/topic/a.c", true),
    ];
    for (pattern, destination, expected) in table {
        assert_eq!(
            matches(&mut peer, pattern, destination),
            expected,
            "{pattern} {destination}"
        );
    }
}

#[test]
fn prefixes_follow_the_configuration() {
    let server = Server::configured("[broker]\ntopic_prefixes = [\"/news/\", \"/topic/\"]\n");
    let mut peer = server.session();
    peer.subscribed("s", "/news/a", &[]);
    peer.send("SEND", &[("destination", "/news/a")], b"x");
    peer.expect_message("x");
}
