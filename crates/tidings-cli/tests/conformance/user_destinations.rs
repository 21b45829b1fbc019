//! `/user/...`: what only a session, or only the sessions of a user, hear.

use crate::peer::{Frame, Peer, Server, Transport, Version};

/// Lets every client send to every user.
pub(crate) const OPEN: &str = "[broker]\nclients_send_to_users = true\n";

const DROPPED: &str = "tidings_messages_dropped_total{cause=\"user-offline\"}";

/// Connects with this login, if any, and tells the name of the session.
#[track_caller]
pub(crate) fn log_in(peer: &mut Peer, login: Option<&str>) -> String {
    let mut headers = vec![("accept-version", "1.2"), ("host", "localhost")];
    headers.extend(login.map(|login| ("login", login)));
    let connected = peer.connect_with(Version::V12, &headers);
    connected.get("session").to_owned()
}

/// A session over TCP of this user.
#[track_caller]
pub(crate) fn user(server: &Server, login: &str) -> Peer {
    let mut peer = server.tcp();
    log_in(&mut peer, Some(login));
    peer
}

/// A link of each kind.
pub(crate) fn links(server: &Server) -> [Peer; 4] {
    [
        server.tcp(),
        server.websocket(),
        server.sockjs(Transport::WebSocket),
        server.sockjs(Transport::XhrStreaming),
    ]
}

/// SENDs and tells how many sessions the receipt says it reached. What the sender itself hears is left to be checked by body.
#[track_caller]
pub(crate) fn reached(peer: &mut Peer, destination: &str, body: &str) -> String {
    peer.send(
        "SEND",
        &[("destination", destination), ("receipt", "reached")],
        body.as_bytes(),
    );
    loop {
        let frame = peer.next_frame();
        match &*frame.command {
            "MESSAGE" => assert_eq!(frame.text(), body),
            _ => return sessions_reached(&frame),
        }
    }
}

#[track_caller]
fn sessions_reached(receipt: &Frame) -> String {
    assert_eq!(receipt.command, "RECEIPT", "{receipt:?}");
    receipt.get("sessions-reached").to_owned()
}

#[track_caller]
fn await_users(server: &Server, count: usize) {
    server.await_page("/stats", |status, text| {
        let users = format!("\"users\":{count},");
        status == 200 && text.replace(' ', "").contains(&users)
    });
}

#[test]
fn each_session_has_its_own_without_a_login_too() {
    let server = Server::with_workers(2);
    let mut peers = links(&server);
    let sessions = peers.each_mut().map(|peer| log_in(peer, None));
    for peer in &mut peers {
        peer.subscribed("s", "/user/queue/x", &[]);
    }
    for (index, session) in sessions.iter().enumerate() {
        let destination = format!("/user/{session}/queue/x");
        peers[index].send("SEND", &[("destination", &destination)], b"mine");
        let message = peers[index].expect_message("mine");
        assert_eq!(message.get("destination"), "/user/queue/x");
        assert_eq!(message.get("subscription"), "s");
        for peer in &mut peers {
            peer.expect_nothing();
        }
    }
}

#[test]
fn all_sessions_of_a_user_hear_each_message_once_and_in_order() {
    let server = Server::configured(&format!("{OPEN}[server]\nworkers = 3\n"));
    let mut ada: Vec<Peer> = (0..3).flat_map(|_| links(&server)).collect();
    for peer in &mut ada {
        log_in(peer, Some("ada"));
        peer.subscribed("s", "/user/queue/x", &[]);
    }
    let mut bob = user(&server, "bob");
    bob.subscribed("s", "/user/queue/x", &[]);
    for number in 0..20 {
        assert_eq!(
            reached(&mut bob, "/user/ada/queue/x", &number.to_string()),
            "12"
        );
    }
    let mut ids = Vec::new();
    for peer in &mut ada {
        for number in 0..20 {
            let message = peer.expect_message(number.to_string());
            assert_eq!(message.get("destination"), "/user/queue/x");
            if number == 0 {
                ids.push(message.get("message-id").to_owned());
            }
        }
        peer.expect_nothing();
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one message, one id: {ids:?}");
    bob.expect_nothing();
}

#[test]
fn a_user_who_sends_to_itself_reaches_its_other_sessions_too() {
    let server = Server::with_workers(2);
    let (mut here, mut there) = (user(&server, "ada"), user(&server, "ada"));
    here.subscribed("s", "/user/queue/x", &[]);
    there.subscribed("s", "/user/queue/x", &[]);
    assert_eq!(reached(&mut here, "/user/ada/queue/x", "note"), "2");
    there.expect_message("note");
}

#[test]
fn the_receipt_counts_sessions_that_have_subscribed_not_subscriptions() {
    let server = Server::quiet();
    let mut twice = user(&server, "ada");
    twice.subscribed("exact", "/user/queue/x", &[]);
    twice.subscribed("pattern", "/user/queue/*", &[]);
    let mut elsewhere = user(&server, "ada");
    elsewhere.subscribed("s", "/user/queue/y", &[]);
    let mut sender = user(&server, "ada");
    assert_eq!(reached(&mut sender, "/user/ada/queue/x", "both"), "1");
    let ids = [(); 2].map(|()| twice.expect_message("both").get("subscription").to_owned());
    assert!(ids.contains(&"exact".to_owned()) && ids.contains(&"pattern".to_owned()));
    twice.expect_nothing();
    elsewhere.expect_nothing();
}

#[test]
fn other_receipts_say_nothing_of_sessions() {
    let server = Server::quiet();
    let mut peer = server.session();
    for destination in ["/topic/a", "/queue/a"] {
        peer.send(
            "SEND",
            &[("destination", destination), ("receipt", "r")],
            b"x",
        );
        peer.expect("RECEIPT").assert_absent("sessions-reached");
    }
}

#[test]
fn what_reaches_nobody_is_told_to_the_sender_and_counted() {
    let server = Server::configured(OPEN);
    let mut sender = user(&server, "bob");
    assert_eq!(reached(&mut sender, "/user/nobody/queue/x", "x"), "0");
    let mut ada = user(&server, "ada");
    ada.subscribed("s", "/user/queue/y", &[]);
    assert_eq!(reached(&mut sender, "/user/ada/queue/x", "x"), "0");
    sender.send("SEND", &[("destination", "/user/ada/queue/x")], b"x");
    sender.expect_nothing();
    assert_eq!(server.metric(DROPPED), 3);
    assert_eq!(reached(&mut sender, "/user/ada/queue/y", "x"), "1");
    assert_eq!(server.metric(DROPPED), 3);
    ada.expect_message("x");
}

#[test]
fn what_has_expired_reaches_nobody() {
    let server = Server::quiet();
    let mut peer = user(&server, "ada");
    peer.subscribed("s", "/user/queue/x", &[]);
    let headers = [
        ("destination", "/user/ada/queue/x"),
        ("expires", "1"),
        ("receipt", "r"),
    ];
    peer.send("SEND", &headers, b"old");
    assert_eq!(sessions_reached(&peer.expect("RECEIPT")), "0");
    assert_eq!(server.metric(DROPPED), 0, "it is counted as expired");
}

#[test]
fn a_pattern_hears_only_what_is_the_session_s_own() {
    let server = Server::configured(OPEN);
    let mut ada = user(&server, "ada");
    let mut bob = server.tcp();
    let session = log_in(&mut bob, Some("bob"));
    ada.subscribed("some", "/user/queue/*", &[]);
    for (id, pattern) in [
        ("all", "/user/**"),
        ("bob", "/user/bob/**"),
        ("session", &format!("/user/{session}/**")),
        ("exact", &format!("/user/{session}/queue/x")),
        ("any", "/user/*/queue/x"),
        ("topics", "/topic/**"),
    ] {
        bob.subscribed(id, pattern, &[]);
    }
    let mut sender = user(&server, "carol");
    assert_eq!(reached(&mut sender, "/user/ada/queue/x", "x"), "1");
    assert_eq!(reached(&mut sender, "/user/ada/queue/x/y", "deep"), "0");
    let message = ada.expect_message("x");
    assert_eq!(message.get("destination"), "/user/queue/x");
    // `expect_nothing` itself sends to a topic, which one of these patterns hears.
    sender.publish("/topic/fence", "fence");
    bob.expect_message("fence");
    ada.expect_nothing();
    bob.expect_message("");
    assert_eq!(reached(&mut sender, "/user/bob/queue/x/y", "deep"), "1");
    assert_eq!(bob.expect_message("deep").get("subscription"), "all");
}

#[test]
fn what_stands_behind_the_prefix_of_a_subscription_is_no_name() {
    let server = Server::configured(OPEN);
    let (mut ada, mut bob) = (user(&server, "ada"), user(&server, "bob"));
    bob.subscribed("s", "/user/ada/queue/x", &[]);
    assert_eq!(reached(&mut ada, "/user/ada/queue/x", "for ada"), "0");
    assert_eq!(reached(&mut ada, "/user/bob/ada/queue/x", "for bob"), "1");
    let message = bob.expect_message("for bob");
    assert_eq!(message.get("destination"), "/user/ada/queue/x");
}

#[test]
fn a_transaction_holds_what_is_sent_to_users() {
    let server = Server::quiet();
    let mut peer = user(&server, "ada");
    peer.subscribed("s", "/user/queue/x", &[]);
    let held = |peer: &mut Peer, path: &str| {
        let destination = format!("/user/ada/queue/{path}");
        let headers = [
            ("destination", &*destination),
            ("transaction", "t"),
            ("receipt", "held"),
        ];
        peer.send("SEND", &headers, b"x");
        peer.expect("RECEIPT").assert_absent("sessions-reached");
    };
    peer.done("BEGIN", &[("transaction", "t")], b"");
    held(&mut peer, "x");
    peer.done("ABORT", &[("transaction", "t")], b"");
    peer.done("BEGIN", &[("transaction", "t")], b"");
    held(&mut peer, "x");
    held(&mut peer, "nobody-hears");
    peer.expect_nothing();
    assert_eq!(server.metric(DROPPED), 0);
    peer.send("COMMIT", &[("transaction", "t"), ("receipt", "done")], b"");
    peer.expect_message("x");
    peer.expect_receipt("done");
    assert_eq!(server.metric(DROPPED), 1);
}

#[test]
fn acknowledgements_are_taken_and_nothing_comes_again() {
    let server = Server::configured(OPEN);
    let mut sender = server.session();
    for version in Version::ALL {
        for mode in ["auto", "client", "client-individual"] {
            let mut peer = server.tcp();
            let headers = [("accept-version", version.name()), ("login", "ada")];
            peer.connect_with(version, &headers);
            peer.subscribed("s", "/user/queue/x", &[("ack", mode)]);
            assert_eq!(reached(&mut sender, "/user/ada/queue/x", "x"), "1");
            let message = peer.expect_message("x");
            let id = message.get("message-id");
            if mode == "auto" {
                message.assert_absent("ack");
            } else if version == Version::V12 {
                peer.done("NACK", &[("id", message.get("ack"))], b"");
            } else {
                peer.done("ACK", &[("message-id", id), ("subscription", "s")], b"");
            }
            peer.expect_nothing();
            peer.done("DISCONNECT", &[], b"");
            await_users(&server, 0);
        }
    }
}

#[test]
fn after_unsubscribe_nothing_reaches() {
    let server = Server::quiet();
    let mut peer = user(&server, "ada");
    for round in ["first", "second"] {
        peer.subscribed("s", "/user/queue/x", &[]);
        assert_eq!(reached(&mut peer, "/user/ada/queue/x", round), "1");
        peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
        assert_eq!(reached(&mut peer, "/user/ada/queue/x", round), "0");
    }
}

#[test]
fn in_1_0_the_destination_names_the_subscription() {
    let server = Server::configured(OPEN);
    let (mut peer, mut other) = (server.tcp(), server.tcp());
    for (peer, login) in [(&mut peer, "ada"), (&mut other, "bob")] {
        peer.connect_with(Version::V10, &[("login", login)]);
        peer.done("SUBSCRIBE", &[("destination", "/user/queue/x")], b"");
    }
    assert_eq!(reached(&mut other, "/user/ada/queue/x", "x"), "1");
    let message = peer.expect_message("x");
    assert_eq!(message.get("destination"), "/user/queue/x");
    message.assert_absent("subscription");

    peer.done("UNSUBSCRIBE", &[("destination", "/user/queue/x")], b"");
    assert_eq!(reached(&mut other, "/user/ada/queue/x", "x"), "0");
    assert_eq!(reached(&mut other, "/user/bob/queue/x", "x"), "1");
    other.send("SUBSCRIBE", &[("destination", "/user/queue/x")], b"");
    other.expect_error("subscription-exists");
}

#[test]
fn what_comes_after_the_end_of_a_session_reaches_nobody() {
    let server = Server::configured(OPEN);
    let mut sender = server.session();
    let ends: [(&str, &[u8]); 3] = [
        ("DISCONNECT", b"DISCONNECT\n\n\0"),
        ("a mistake", b"NOSUCH\n\n\0"),
        ("the end of the link", b""),
    ];
    for (end, frame) in ends {
        for mut peer in links(&server) {
            let session = log_in(&mut peer, Some("ada"));
            peer.subscribed("s", "/user/queue/x", &[]);
            await_users(&server, 1);
            peer.raw(frame);
            if frame.is_empty() {
                drop(peer);
            } else {
                peer.read_to_end();
            }
            await_users(&server, 0);
            for name in ["ada", &session] {
                let destination = format!("/user/{name}/queue/x");
                assert_eq!(reached(&mut sender, &destination, "late"), "0", "{end}");
            }
        }
    }
}

#[test]
fn users_are_counted_not_their_sessions() {
    let server = Server::quiet();
    let mut ada = [user(&server, "ada"), user(&server, "ada")];
    let mut anonymous = server.session();
    let mut empty = user(&server, "");
    anonymous.expect_nothing();
    empty.expect_nothing();
    await_users(&server, 1);
    let mut bob = user(&server, "bob");
    await_users(&server, 2);
    ada[0].done("DISCONNECT", &[], b"");
    bob.done("DISCONNECT", &[], b"");
    await_users(&server, 1);
    ada[1].done("DISCONNECT", &[], b"");
    await_users(&server, 0);
}

#[test]
fn an_empty_login_is_no_user_and_still_a_session() {
    let server = Server::configured(OPEN);
    let (mut one, mut two) = (server.tcp(), server.tcp());
    let session = log_in(&mut one, Some(""));
    log_in(&mut two, Some(""));
    one.subscribed("s", "/user/queue/x", &[]);
    two.subscribed("s", "/user/queue/x", &[]);
    let destination = format!("/user/{session}/queue/x");
    assert_eq!(reached(&mut two, &destination, "x"), "1");
    one.expect_message("x");
    two.send("SEND", &[("destination", "/user//queue/x")], b"x");
    two.expect_error("invalid-destination");
    one.expect_nothing();
}

#[test]
fn a_request_to_a_user_is_answered_to_its_reply_queue() {
    let server = Server::configured(OPEN);
    let (mut ada, mut bob) = (user(&server, "ada"), user(&server, "bob"));
    bob.subscribed("s", "/user/queue/questions", &[]);
    let headers = [
        ("destination", "/user/bob/queue/questions"),
        ("reply-to", "/temp-queue/answers"),
        ("kind", "question"),
    ];
    ada.done("SEND", &headers, b"why?");
    let question = bob.expect_message("why?");
    assert_eq!(question.get("kind"), "question");
    bob.publish(question.get("reply-to"), "because");
    ada.expect_message("because");
}

#[test]
fn the_prefix_follows_the_configuration() {
    let server = Server::configured("[broker]\nuser_prefix = \"/me/\"\n");
    let mut peer = user(&server, "ada");
    peer.subscribed("s", "/me/queue/x", &[]);
    peer.send("SEND", &[("destination", "/me/ada/queue/x")], b"x");
    let message = peer.expect_message("x");
    assert_eq!(message.get("destination"), "/me/queue/x");
    peer.subscribe("t", "/user/queue/x", &[]);
    let error = peer.expect_error("unknown-destination");
    assert!(error.text().contains("/me/"), "{:?}", error.text());
}

#[test]
fn with_dots_a_slash_still_ends_the_name() {
    let server = Server::configured("[broker]\nseparator = \".\"\n");
    let mut peer = user(&server, "ada.lovelace");
    peer.subscribed("s", "/user/queue.x", &[]);
    peer.subscribed("p", "/user/queue.*", &[]);
    let destination = "/user/ada.lovelace/queue.x";
    peer.send("SEND", &[("destination", destination)], b"x");
    for _ in 0..2 {
        let message = peer.expect_message("x");
        assert_eq!(message.get("destination"), "/user/queue.x");
    }
    peer.expect_nothing();
    peer.send(
        "SEND",
        &[("destination", "/user/ada.lovelace.queue.x")],
        b"x",
    );
    peer.expect_error("invalid-destination");
}
