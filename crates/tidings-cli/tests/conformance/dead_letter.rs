//! Messages that were delivered too often.

use crate::peer::{Frame, Peer, Server};

const DEAD_LETTER: &str = "/queue/dead-letter";
const INDIVIDUAL: (&str, &str) = ("ack", "client-individual");

fn assert_dead_letter(letter: &Frame, destination: &str, deliveries: &str) {
    assert_eq!(letter.get("destination"), DEAD_LETTER);
    assert_eq!(letter.get("original-destination"), destination);
    assert_eq!(letter.get("delivery-count"), deliveries);
    assert!(!letter.get("dead-letter-reason").is_empty());
}

#[test]
fn the_reason_tells_whether_it_was_refused_or_left() {
    let server = Server::configured("[queue]\nmax_deliveries = 1\n");
    let mut dead = server.session();
    dead.subscribed("dead", DEAD_LETTER, &[]);
    let mut peer = server.session();
    peer.subscribed("s", "/queue/a", &[INDIVIDUAL]);
    peer.send("SEND", &[("destination", "/queue/a")], b"refused");
    nack(&mut peer, "refused", 1);
    assert_eq!(
        dead.expect_message("refused").get("dead-letter-reason"),
        "rejected"
    );
    peer.send("SEND", &[("destination", "/queue/a")], b"left");
    peer.expect_message("left");
    drop(peer);
    assert_eq!(
        dead.expect_message("left").get("dead-letter-reason"),
        "abandoned"
    );
}

#[test]
fn a_dead_letter_that_is_refused_too_is_gone() {
    let server = Server::configured("[queue]\nmax_deliveries = 2\n");
    let mut peer = server.session();
    peer.subscribed("dead", DEAD_LETTER, &[INDIVIDUAL]);
    peer.send("SEND", &[("destination", DEAD_LETTER)], b"bad");
    nack(&mut peer, "bad", 2);
    peer.expect_nothing();
}

/// NACKs the message `times` times and checks the count that each delivery tells.
fn nack(peer: &mut Peer, body: &str, times: u32) {
    for delivery in 1..=times {
        let message = peer.expect_message(body);
        let told = message.header("delivery-count").map(str::to_owned);
        assert_eq!(told, (delivery > 1).then(|| delivery.to_string()));
        peer.send("NACK", &[("id", message.get("ack"))], b"");
    }
}

#[test]
fn after_five_deliveries_a_message_is_a_dead_letter() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/queue/a", &[INDIVIDUAL]);
    let own = [
        ("destination", "/queue/a"),
        ("content-type", "text/x"),
        ("k", "v"),
    ];
    peer.send("SEND", &own, b"bad");
    nack(&mut peer, "bad", 5);
    peer.expect_nothing();
    peer.subscribe("dead", DEAD_LETTER, &[]);
    let letter = peer.expect_message("bad");
    assert_dead_letter(&letter, "/queue/a", "5");
    assert_eq!(
        (letter.get("content-type"), letter.get("k")),
        ("text/x", "v")
    );
}

#[test]
fn messages_behind_a_bad_one_are_delivered() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/queue/a", &[INDIVIDUAL, ("prefetch-count", "1")]);
    peer.send("SEND", &[("destination", "/queue/a")], b"bad");
    peer.send("SEND", &[("destination", "/queue/a")], b"good");
    nack(&mut peer, "bad", 5);
    peer.expect_message("good");
}

#[test]
fn deliveries_to_sessions_that_ended_count() {
    let server = Server::start();
    server.session().publish("/queue/a", "bad");
    for delivery in 1..=5 {
        let mut peer = server.session();
        peer.subscribe("s", "/queue/a", &[INDIVIDUAL]);
        let message = peer.expect_message("bad");
        let told = message.header("delivery-count").map(str::to_owned);
        assert_eq!(told, (delivery > 1).then(|| delivery.to_string()));
        peer.done("DISCONNECT", &[], b"");
        peer.expect_end();
    }
    let mut peer = server.session();
    peer.subscribe("dead", DEAD_LETTER, &[]);
    assert_dead_letter(&peer.expect_message("bad"), "/queue/a", "5");
}

#[test]
fn deliveries_to_subscriptions_that_ended_count() {
    let server = Server::start();
    let mut peer = server.session();
    peer.publish("/queue/a", "bad");
    for _ in 0..5 {
        peer.subscribe("s", "/queue/a", &[INDIVIDUAL]);
        peer.expect_message("bad");
        peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    }
    peer.subscribe("dead", DEAD_LETTER, &[]);
    assert_dead_letter(&peer.expect_message("bad"), "/queue/a", "5");
}

#[test]
fn the_number_and_the_queue_follow_the_configuration() {
    let server =
        Server::configured("[queue]\nmax_deliveries = 2\ndead_letter = \"/queue/graves\"\n");
    let mut peer = server.session();
    peer.subscribed("s", "/queue/a", &[INDIVIDUAL]);
    peer.send("SEND", &[("destination", "/queue/a")], b"bad");
    nack(&mut peer, "bad", 2);
    peer.expect_nothing();
    peer.subscribe("dead", "/queue/graves", &[]);
    let letter = peer.expect_message("bad");
    assert_eq!(
        (
            letter.get("original-destination"),
            letter.get("delivery-count")
        ),
        ("/queue/a", "2")
    );
}
