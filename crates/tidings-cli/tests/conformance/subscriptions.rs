//! SUBSCRIBE and UNSUBSCRIBE: ids and limits.

use crate::peer::Server;

#[test]
fn an_id_may_be_used_again_after_unsubscribe() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    peer.subscribed("s", "/topic/b", &[]);
    peer.publish("/topic/a", "not this");
    peer.send("SEND", &[("destination", "/topic/b")], b"this");
    peer.expect_message("this");
}

#[test]
fn ids_belong_to_their_session() {
    let server = Server::start();
    let mut peers = [server.session(), server.session()];
    for peer in &mut peers {
        peer.subscribed("s", "/topic/a", &[]);
    }
    let [mut first, mut second] = peers;
    first.done("UNSUBSCRIBE", &[("id", "s")], b"");
    first.publish("/topic/a", "x");
    second.expect_message("x");
    first.expect_nothing();
}

#[test]
fn a_thousand_subscriptions_pass_and_one_more_does_not() {
    let server = Server::start();
    for mut peer in [server.session(), server.websocket_session()] {
        for number in 0..1000 {
            peer.subscribe(&number.to_string(), &format!("/topic/{number}"), &[]);
        }
        peer.expect_nothing();
        peer.send("SEND", &[("destination", "/topic/999")], b"x");
        assert_eq!(peer.expect_message("x").get("subscription"), "999");
        peer.send(
            "SUBSCRIBE",
            &[
                ("id", "more"),
                ("destination", "/topic/more"),
                ("receipt", "r"),
            ],
            b"",
        );
        peer.expect_error_for("too-many-subscriptions", "r");
    }
}

#[test]
fn the_limit_counts_what_is_open_and_follows_the_configuration() {
    let server = Server::configured("[session]\nmax_subscriptions = 2\n");
    let mut peer = server.session();
    for _ in 0..5 {
        peer.subscribed("a", "/topic/a", &[]);
        peer.subscribed("b", "/queue/b", &[]);
        peer.done("UNSUBSCRIBE", &[("id", "a")], b"");
        peer.done("UNSUBSCRIBE", &[("id", "b")], b"");
    }
    peer.subscribed("a", "/topic/a", &[]);
    peer.subscribed("b", "/topic/a", &[]);
    peer.subscribe("c", "/topic/a", &[]);
    peer.expect_error("too-many-subscriptions");
}

#[test]
fn subscriptions_end_with_their_session() {
    let server = Server::start();
    let mut sender = server.session();
    for _ in 0..3 {
        let mut peer = server.session();
        peer.subscribed("s", "/queue/a", &[]);
        peer.done("DISCONNECT", &[], b"");
        peer.expect_end();
    }
    sender.publish("/queue/a", "kept for the next");
    sender.subscribe("s", "/queue/a", &[]);
    sender.expect_message("kept for the next");
}

#[test]
fn unsubscribing_twice_is_an_error() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    peer.send("UNSUBSCRIBE", &[("id", "s"), ("receipt", "r")], b"");
    peer.expect_error_for("unknown-subscription", "r");
}
