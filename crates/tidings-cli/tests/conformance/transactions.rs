//! BEGIN, COMMIT, ABORT.

use crate::peer::{Headers, Peer, Server};

const T: (&str, &str) = ("transaction", "t");

fn begin(peer: &mut Peer) {
    peer.done("BEGIN", &[T], b"");
}

/// SENDs within the transaction; the receipt says that the frame is held.
fn hold(peer: &mut Peer, destination: &str, body: &str) {
    peer.done("SEND", &[("destination", destination), T], body.as_bytes());
}

fn listener(server: &Server, destination: &str, more: Headers) -> Peer {
    let mut peer = server.session();
    peer.subscribed("s", destination, more);
    peer
}

#[test]
fn sends_are_held_until_commit_and_come_in_order() {
    let server = Server::start();
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut queue = listener(&server, "/queue/a", &[]);
    let mut peer = server.session();
    begin(&mut peer);
    for body in ["1", "2", "3"] {
        hold(&mut peer, "/topic/a", body);
        hold(&mut peer, "/queue/a", body);
    }
    topic.expect_nothing();
    queue.expect_nothing();
    peer.publish("/topic/a", "outside");
    topic.expect_message("outside");
    peer.done("COMMIT", &[T], b"");
    for body in ["1", "2", "3"] {
        topic.expect_message(body);
        queue.expect_message(body);
    }
}

#[test]
fn abort_drops_what_was_held() {
    let server = Server::start();
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut peer = server.session();
    begin(&mut peer);
    hold(&mut peer, "/topic/a", "never");
    peer.done("ABORT", &[T], b"");
    topic.expect_nothing();
    peer.send("COMMIT", &[T], b"");
    peer.expect_error("unknown-transaction");
}

#[test]
fn a_name_may_be_used_again_once_its_transaction_has_ended() {
    let server = Server::start();
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut peer = server.session();
    for end in ["ABORT", "COMMIT", "COMMIT"] {
        begin(&mut peer);
        hold(&mut peer, "/topic/a", end);
        peer.done(end, &[T], b"");
    }
    topic.expect_message("COMMIT");
    topic.expect_message("COMMIT");
    topic.expect_nothing();
}

#[test]
fn transactions_belong_to_their_session_and_do_not_mix() {
    let server = Server::start();
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut peers = [server.session(), server.session()];
    for (peer, body) in peers.iter_mut().zip(["first", "second"]) {
        begin(peer);
        hold(peer, "/topic/a", body);
        peer.done("BEGIN", &[("transaction", "u")], b"");
        peer.done(
            "SEND",
            &[("destination", "/topic/a"), ("transaction", "u")],
            b"never",
        );
    }
    peers[1].done("COMMIT", &[T], b"");
    topic.expect_message("second");
    topic.expect_nothing();
}

#[test]
fn the_end_of_a_session_aborts() {
    let server = Server::start();
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut polite = server.session();
    begin(&mut polite);
    hold(&mut polite, "/topic/a", "never");
    polite.done("DISCONNECT", &[], b"");
    polite.expect_end();
    let mut rude = server.session();
    begin(&mut rude);
    hold(&mut rude, "/topic/a", "never");
    rude.half_close();
    rude.read_to_end();
    topic.expect_nothing();
}

#[test]
fn an_ack_is_held_until_commit() {
    let server = Server::start();
    for (end, left) in [("COMMIT", false), ("ABORT", true), ("DISCONNECT", true)] {
        let queue = format!("/queue/{end}");
        let mut peer = listener(&server, &queue, &[("ack", "client-individual")]);
        peer.send("SEND", &[("destination", &queue)], b"x");
        let message = peer.expect_message("x");
        begin(&mut peer);
        peer.done("ACK", &[("id", message.get("ack")), T], b"");
        if end != "DISCONNECT" {
            peer.done(end, &[T], b"");
        }
        peer.done("DISCONNECT", &[], b"");
        peer.expect_end();
        let mut next = server.session();
        next.subscribe("s", &queue, &[]);
        if left {
            next.expect_message("x");
        }
        next.expect_nothing();
    }
}

#[test]
fn after_abort_the_message_can_be_acknowledged_again() {
    let server = Server::start();
    let mut peer = listener(&server, "/queue/a", &[("ack", "client")]);
    peer.send("SEND", &[("destination", "/queue/a")], b"x");
    let message = peer.expect_message("x");
    begin(&mut peer);
    peer.done("ACK", &[("id", message.get("ack")), T], b"");
    peer.done("ABORT", &[T], b"");
    peer.expect_nothing();
    peer.done("ACK", &[("id", message.get("ack"))], b"");
    peer.done("DISCONNECT", &[], b"");
    peer.expect_end();
    let mut next = server.session();
    next.subscribe("s", "/queue/a", &[]);
    next.expect_nothing();
}

#[test]
fn a_nack_takes_effect_with_commit() {
    let server = Server::start();
    let mut peer = listener(&server, "/queue/a", &[("ack", "client-individual")]);
    peer.send("SEND", &[("destination", "/queue/a")], b"x");
    let message = peer.expect_message("x");
    begin(&mut peer);
    peer.done("NACK", &[("id", message.get("ack")), T], b"");
    peer.expect_nothing();
    peer.send("COMMIT", &[T], b"");
    assert_eq!(peer.expect_message("x").get("redelivered"), "true");
}

#[test]
fn consume_and_answer_is_one_step() {
    let server = Server::start();
    let mut answers = listener(&server, "/queue/answers", &[]);
    let mut peer = listener(&server, "/queue/work", &[("ack", "client-individual")]);
    peer.send("SEND", &[("destination", "/queue/work")], b"work");
    let work = peer.expect_message("work");
    begin(&mut peer);
    hold(&mut peer, "/queue/answers", "answer");
    peer.done("ACK", &[("id", work.get("ack")), T], b"");
    answers.expect_nothing();
    peer.done("COMMIT", &[T], b"");
    answers.expect_message("answer");
}

#[test]
fn commit_applies_all_or_none() {
    let server = Server::configured("[stomp]\nmax_body_bytes = 4096\n[queue]\nmax_bytes = 8192\n");
    let mut topic = listener(&server, "/topic/a", &[]);
    let mut queue = listener(&server, "/queue/small", &[]);
    let large = "x".repeat(4096);
    let mut peer = server.session();
    peer.publish("/queue/full", &large);
    begin(&mut peer);
    hold(&mut peer, "/topic/a", "never");
    hold(&mut peer, "/queue/small", "never");
    hold(&mut peer, "/queue/full", &large);
    hold(&mut peer, "/topic/a", "never");
    peer.send("COMMIT", &[T, ("receipt", "r")], b"");
    peer.expect_error_for("queue-full", "r");
    topic.expect_nothing();
    queue.expect_nothing();
}

#[test]
fn sixteen_transactions_may_be_open_and_no_more() {
    let server = Server::start();
    let mut peer = server.session();
    for number in 0..16 {
        peer.done("BEGIN", &[("transaction", &number.to_string())], b"");
    }
    peer.done("ABORT", &[("transaction", "3")], b"");
    peer.done("BEGIN", &[("transaction", "16")], b"");
    peer.send("BEGIN", &[("transaction", "17"), ("receipt", "r")], b"");
    peer.expect_error_for("too-many-transactions", "r");
}

#[test]
fn a_transaction_holds_1024_frames_and_no_more() {
    let server = Server::start();
    let mut peer = server.session();
    begin(&mut peer);
    for _ in 0..1024 {
        peer.send("SEND", &[("destination", "/topic/a"), T], b"x");
    }
    peer.expect_nothing();
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), T, ("receipt", "r")],
        b"x",
    );
    peer.expect_error_for("transaction-too-large", "r");
}

#[test]
fn transactions_hold_4_mib_and_no_more() {
    let server = Server::start();
    let mut peer = server.session();
    let body = "x".repeat(1_000_000);
    begin(&mut peer);
    for _ in 0..4 {
        hold(&mut peer, "/topic/a", &body);
    }
    peer.send(
        "SEND",
        &[("destination", "/topic/a"), T, ("receipt", "r")],
        body.as_bytes(),
    );
    peer.expect_error_for("transaction-too-large", "r");
}
