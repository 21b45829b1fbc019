//! Whom a client may send to, and how names stand in a destination.

use crate::peer::Server;
use crate::user_destinations::{OPEN, links, log_in, reached, user};

#[test]
fn a_client_sends_to_no_other_user_or_session() {
    let server = Server::start();
    let mut victim = server.tcp();
    let session = log_in(&mut victim, Some("ada"));
    victim.subscribed("s", "/user/queue/x", &[]);
    for name in ["ada", &session, "nobody", "queue", "Mallory", "mallory%20"] {
        let destination = format!("/user/{name}/queue/x");
        for mut mallory in links(&server) {
            log_in(&mut mallory, Some("mallory"));
            let headers = [("destination", &*destination), ("receipt", "r")];
            mallory.send("SEND", &headers, b"x");
            let error = mallory.expect_error_for("refused", "r");
            let key = "broker.clients_send_to_users";
            assert!(error.text().contains(key), "{:?}", error.text());
        }
    }
    let mut anonymous = server.session();
    anonymous.send("SEND", &[("destination", "/user/ada/queue/x")], b"x");
    anonymous.expect_error("refused");
    victim.expect_nothing();
}

#[test]
fn what_is_refused_is_refused_in_a_transaction_too() {
    let server = Server::start();
    let mut mallory = user(&server, "mallory");
    mallory.done("BEGIN", &[("transaction", "t")], b"");
    let headers = [("destination", "/user/ada/queue/x"), ("transaction", "t")];
    mallory.send("SEND", &headers, b"x");
    mallory.expect_error("refused");
}

#[test]
fn the_configuration_allows_clients_to_send_to_others() {
    let server = Server::configured(OPEN);
    let mut ada = server.tcp();
    let session = log_in(&mut ada, Some("ada"));
    ada.subscribed("s", "/user/queue/x", &[]);
    let mut bob = user(&server, "bob");
    for name in ["ada", &session] {
        let destination = format!("/user/{name}/queue/x");
        assert_eq!(reached(&mut bob, &destination, name), "1");
        ada.expect_message(name);
    }
}

#[test]
fn the_own_name_and_the_own_session_are_always_allowed() {
    let server = Server::start();
    for login in [None, Some("ada")] {
        let mut peer = server.tcp();
        let session = log_in(&mut peer, login);
        peer.subscribed("s", "/user/queue/x", &[]);
        for name in [Some(&*session), login].into_iter().flatten() {
            let destination = format!("/user/{name}/queue/x");
            peer.send("SEND", &[("destination", &destination)], b"x");
            peer.expect_message("x");
        }
    }
}

#[test]
fn a_name_is_written_with_escapes_where_it_would_be_misread() {
    let server = Server::start();
    let names = [
        ("a/b", "a%2Fb"),
        ("a/b", "a%2fb"),
        ("/", "%2F"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("a*b?", "a%2Ab%3F"),
        ("ada lovelace", "ada lovelace"),
        ("ada lovelace", "ada%20lovelace"),
        ("zoë", "zoë"),
        ("zoë", "zo%C3%AB"),
        ("雪", "雪"),
        ("ada@example.org", "ada@example.org"),
        ("a:b\\c", "a:b\\c"),
        ("..", ".."),
        ("a+b", "a+b"),
        ("queue", "queue"),
        (
            "0123456789abcdef0123456789abcdef",
            "0123456789abcdef0123456789abcdef",
        ),
    ];
    for (login, written) in names {
        let mut neighbour = user(&server, "a");
        neighbour.subscribed("s", "/user/**", &[]);
        let mut peer = user(&server, login);
        peer.subscribed("s", "/user/queue/x", &[]);
        let destination = format!("/user/{written}/queue/x");
        peer.send("SEND", &[("destination", &destination)], b"x");
        let message = peer.expect_message("x");
        assert_eq!(message.get("destination"), "/user/queue/x");
        neighbour.expect_nothing();
    }
}

#[test]
fn what_stands_behind_the_name_is_taken_as_it_is() {
    let server = Server::start();
    let mut peer = user(&server, "ada");
    for path in ["news", "a/b/c/d", "queue/%41", "queue/100%", "topic/a", "é"] {
        let own = format!("/user/{path}");
        peer.subscribed("s", &own, &[]);
        let destination = format!("/user/ada/{path}");
        peer.send("SEND", &[("destination", &destination)], b"x");
        assert_eq!(peer.expect_message("x").get("destination"), own);
        peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
    }
}

#[test]
fn a_broken_escape_is_told() {
    let server = Server::configured(OPEN);
    for name in ["%", "a%", "%4", "%zz", "%+1", "%ff", "%C3", "%c3%28"] {
        let mut peer = server.session();
        let destination = format!("/user/{name}/queue/x");
        peer.send("SEND", &[("destination", &destination)], b"x");
        let error = peer.expect_error("invalid-destination");
        assert!(error.text().contains("%25"), "{:?}", error.text());
    }
}

#[test]
fn a_destination_without_a_name_or_without_a_rest_is_told() {
    let server = Server::configured(OPEN);
    for destination in [
        "/user/",
        "/user/ada",
        "/user/ada/",
        "/user//x",
        "/user//",
        "/user/ada//x",
    ] {
        let mut peer = server.session();
        peer.send("SEND", &[("destination", destination)], b"x");
        peer.expect_error("invalid-destination");
    }
    for destination in ["/user/", "/user/queue/", "/user//x"] {
        let mut peer = server.session();
        peer.subscribe("s", destination, &[]);
        peer.expect_error("invalid-destination");
    }
    let mut peer = server.session();
    peer.send("SEND", &[("destination", "/user")], b"x");
    peer.expect_error("unknown-destination");
}

#[test]
fn a_message_has_no_wildcards_in_its_destination() {
    let server = Server::configured(OPEN);
    for destination in ["/user/*/queue/x", "/user/ada/queue/*", "/user/ad?/x"] {
        let mut peer = server.session();
        peer.send("SEND", &[("destination", destination)], b"x");
        peer.expect_error("invalid-destination");
    }
}

#[test]
fn who_logs_in_under_the_name_of_a_session_is_not_that_session() {
    let server = Server::with_workers(2);
    let mut victim = server.tcp();
    let session = log_in(&mut victim, None);
    let mut intruder = user(&server, &session);
    intruder.subscribed("s", "/user/**", &[]);
    let destination = format!("/user/{session}/queue/x");

    assert_eq!(reached(&mut victim, &destination, "early"), "0");
    victim.subscribed("s", "/user/queue/x", &[]);
    victim.send("SEND", &[("destination", &destination)], b"mine");
    victim.expect_message("mine");
    intruder.expect_nothing();

    intruder.send("SEND", &[("destination", &destination)], b"forged");
    intruder.expect_error("refused");
    victim.expect_nothing();
}

#[test]
fn a_name_never_becomes_a_part_of_what_was_subscribed_to() {
    let server = Server::configured(OPEN);
    let mut peer = server.tcp();
    let session = log_in(&mut peer, Some("ada"));
    peer.subscribed("s", "/user/queue/x", &[]);
    peer.subscribed("p", "/user/**", &[]);
    let mut mallory = user(&server, "ada/queue");
    for name in [
        format!("{session}%2Fqueue"),
        format!("%01{session}"),
        format!("{session}%00"),
        "ada%2Fqueue".to_owned(),
    ] {
        let destination = format!("/user/{name}/x");
        assert_eq!(reached(&mut mallory, &destination, "x"), "0", "{name}");
    }
    peer.expect_nothing();
}

#[test]
fn nobody_can_name_what_a_session_listens_to() {
    let server = Server::configured(OPEN);
    let mut peer = server.tcp();
    let session = log_in(&mut peer, Some("ada"));
    peer.subscribed("s", "/user/queue/x", &[]);
    for destination in [
        format!("\u{1}{session}/queue/x"),
        format!("\u{1}{session}/**"),
        format!("/topic/\u{1}{session}/queue/x"),
        format!("/user/\u{1}{session}/queue/x"),
        "\u{1}*/queue/x".to_owned(),
    ] {
        for (command, id) in [("SUBSCRIBE", ("id", "s")), ("SEND", ("kind", "forged"))] {
            let mut mallory = server.session();
            mallory.send(command, &[("destination", &destination), id], b"");
            mallory.expect_error("invalid-destination");
        }
    }
    peer.expect_nothing();
}
