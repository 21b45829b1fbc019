//! `reply-to:/temp-queue/NAME`: private queues for answers.

use crate::peer::{Headers, Peer, Server, Version};

const WORK: &str = "/queue/work";

fn ask(peer: &mut Peer, name: &str, body: &str) {
    let reply_to = format!("/temp-queue/{name}");
    peer.send(
        "SEND",
        &[("destination", WORK), ("reply-to", &reply_to)],
        body.as_bytes(),
    );
}

const GONE: &str = "tidings_messages_dropped_total{cause=\"reply-queue-gone\"}";
const FULL: &str = "tidings_messages_dropped_total{cause=\"reply-queue-full\"}";

/// A session that takes work.
fn worker(server: &Server) -> Peer {
    let mut worker = server.session();
    worker.subscribed("w", WORK, &[]);
    worker
}

/// Takes one piece of work and returns where its answer goes.
fn reply_to(worker: &mut Peer, body: &str) -> String {
    let work = worker.expect_message(body);
    work.get("reply-to").to_owned()
}

fn answer(worker: &mut Peer, to: &str, headers: Headers, body: &str) {
    worker.done(
        "SEND",
        &[&[("destination", to)], headers].concat(),
        body.as_bytes(),
    );
}

#[test]
fn an_answer_reaches_the_one_who_asked_without_subscribing() {
    let server = Server::start();
    let mut worker = worker(&server);
    for version in Version::ALL {
        let mut client = server.connect(version);
        ask(&mut client, "answers", "question");
        let to = reply_to(&mut worker, "question");
        answer(&mut worker, &to, &[("correlation-id", "7")], "answer");
        let message = client.expect_message("answer");
        assert_eq!(message.get("subscription"), "/temp-queue/answers");
        assert_eq!(message.get("correlation-id"), "7");
        client.expect_nothing();
    }
}

#[test]
fn the_receiver_sees_a_name_that_nobody_can_guess() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut clients = [server.session(), server.session()];
    let mut names = clients.each_mut().map(|client| {
        ask(client, "answers", "question");
        reply_to(&mut worker, "question")
    });
    for name in &names {
        let name = name
            .strip_prefix("/reply-queue/")
            .expect("the prefix tells what it is");
        assert!(name.len() >= 16 && !name.contains("answers"), "{name}");
    }
    names.sort();
    assert_ne!(names[0], names[1], "one name in two sessions is two queues");
}

#[test]
fn one_name_is_one_queue_within_a_session() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    let names = ["a", "a", "b"].map(|name| {
        ask(&mut client, name, name);
        reply_to(&mut worker, name)
    });
    assert_eq!(names[0], names[1]);
    assert_ne!(names[0], names[2]);
}

#[test]
fn answers_reach_their_own_session_only() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut clients = ["one", "two"].map(|body| {
        let mut client = server.session();
        ask(&mut client, "answers", body);
        (client, reply_to(&mut worker, body))
    });
    for (number, (_, to)) in clients.iter().enumerate() {
        answer(&mut worker, to, &[], &number.to_string());
    }
    for (number, (client, _)) in clients.iter_mut().enumerate() {
        client.expect_message(number.to_string());
        client.expect_nothing();
    }
}

#[test]
fn a_subscription_of_ones_own_gets_the_answers_under_its_id() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    client.subscribed("mine", "/temp-queue/answers", &[]);
    ask(&mut client, "answers", "question");
    let to = reply_to(&mut worker, "question");
    answer(&mut worker, &to, &[], "answer");
    assert_eq!(client.expect_message("answer").get("subscription"), "mine");
    client.expect_nothing();
}

#[test]
fn reply_queues_cannot_be_subscribed_to_by_name() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    ask(&mut client, "answers", "question");
    let to = reply_to(&mut worker, "question");
    let mut spy = server.session();
    spy.subscribe("s", &to, &[]);
    spy.expect_error("invalid-destination");
}

#[test]
fn an_answer_to_who_has_left_is_dropped_without_error() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    ask(&mut client, "answers", "question");
    let to = reply_to(&mut worker, "question");
    client.done("DISCONNECT", &[], b"");
    client.expect_end();
    answer(&mut worker, &to, &[], "too late");
    answer(&mut worker, "/reply-queue/never-was", &[], "to nobody");
    worker.expect_nothing();
    assert_eq!(server.metric(GONE), 2);
}

#[test]
fn a_reply_to_of_another_kind_passes_as_it_is() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    client.send(
        "SEND",
        &[("destination", WORK), ("reply-to", "/queue/answers")],
        b"question",
    );
    assert_eq!(reply_to(&mut worker, "question"), "/queue/answers");
}

#[test]
fn reply_to_works_on_topics_too() {
    let server = Server::start();
    let mut worker = server.session();
    worker.subscribed("w", "/topic/work", &[]);
    let mut client = server.session();
    client.send(
        "SEND",
        &[
            ("destination", "/topic/work"),
            ("reply-to", "/temp-queue/a"),
        ],
        b"question",
    );
    let to = reply_to(&mut worker, "question");
    answer(&mut worker, &to, &[], "answer");
    client.expect_message("answer");
}

#[test]
fn a_session_may_send_to_its_own_queue_by_the_name_it_knows() {
    let server = Server::start();
    for version in Version::ALL {
        let mut client = server.connect(version);
        client.publish("/temp-queue/notes", "before");
        client.subscribe("s", "/temp-queue/notes", &[]);
        let message = client.expect_message("before");
        assert_eq!(message.get("destination"), "/temp-queue/notes");
        assert_eq!(message.get("subscription"), "s");
        client.send("SEND", &[("destination", "/temp-queue/notes")], b"after");
        client.expect_message("after");
        client.expect_nothing();
    }
}

#[test]
fn what_a_session_sends_to_its_own_queue_reaches_nobody_else() {
    let server = Server::start();
    let mut other = server.session();
    other.subscribed("s", "/temp-queue/notes", &[]);
    let mut client = server.session();
    client.publish("/temp-queue/notes", "mine");
    other.expect_nothing();
    client.subscribe("s", "/temp-queue/notes", &[]);
    client.expect_message("mine");
}

#[test]
fn what_a_session_sends_to_the_queue_of_its_reply_to_comes_as_an_answer_does() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    ask(&mut client, "answers", "question");
    reply_to(&mut worker, "question");
    client.send(
        "SEND",
        &[("destination", "/temp-queue/answers")],
        b"to myself",
    );
    let message = client.expect_message("to myself");
    assert_eq!(message.get("subscription"), "/temp-queue/answers");
}

#[test]
fn a_transaction_holds_what_goes_to_ones_own_queue() {
    let server = Server::start();
    let mut client = server.session();
    client.subscribed("s", "/temp-queue/notes", &[]);
    client.done("BEGIN", &[("transaction", "t")], b"");
    client.done(
        "SEND",
        &[("destination", "/temp-queue/notes"), ("transaction", "t")],
        b"held",
    );
    client.expect_nothing();
    client.send("COMMIT", &[("transaction", "t")], b"");
    client.expect_message("held");
}

/// A reply queue with room for three answers, full, its requester, and who answers.
fn full(server: &Server) -> (Peer, Peer, String) {
    let mut worker = worker(server);
    let mut client = server.session();
    client.subscribed(
        "s",
        "/temp-queue/a",
        &[("ack", "client-individual"), ("prefetch-count", "1")],
    );
    ask(&mut client, "a", "question");
    let to = reply_to(&mut worker, "question");
    for _ in 0..3 {
        worker.publish(&to, [b'x'; 4096]);
    }
    (client, worker, to)
}

const TIGHT: &str = "[stomp]\nmax_body_bytes = 4096\n[queue]\nmax_bytes = 16384\n";

#[test]
fn a_full_reply_queue_refuses_the_answer_as_any_queue_does() {
    let server = Server::configured(TIGHT);
    let (mut client, mut worker, to) = full(&server);
    worker.send(
        "SEND",
        &[("destination", &to), ("receipt", "r")],
        &[b'x'; 4096],
    );
    worker.expect_error_for("queue-full", "r");
    for _ in 0..3 {
        let message = client.expect_message([b'x'; 4096]);
        client.send("ACK", &[("id", message.get("ack"))], b"");
    }
    server.session().publish(&to, "room again");
    client.expect_message("room again");
    assert_eq!(server.metric(FULL), 0);
}

#[test]
fn a_commit_drops_and_counts_the_answers_that_do_not_fit() {
    let server = Server::configured(TIGHT);
    let (mut client, mut worker, to) = full(&server);
    worker.done("BEGIN", &[("transaction", "t")], b"");
    for destination in [&*to, "/queue/other"] {
        let headers = [("destination", destination), ("transaction", "t")];
        worker.done("SEND", &headers, &[b'y'; 4096]);
    }
    worker.done("COMMIT", &[("transaction", "t")], b"");
    assert_eq!(server.metric(FULL), 1);
    client.expect_message([b'x'; 4096]);
    worker.subscribe("o", "/queue/other", &[]);
    worker.expect_message([b'y'; 4096]);
}

#[test]
fn an_empty_reply_queue_ends_with_its_subscription() {
    let server = Server::start();
    let mut worker = worker(&server);
    let mut client = server.session();
    client.subscribed("s", "/temp-queue/a", &[]);
    ask(&mut client, "a", "question");
    let to = reply_to(&mut worker, "question");
    client.done("UNSUBSCRIBE", &[("id", "s")], b"");
    answer(&mut worker, &to, &[], "nobody waits");
    assert_eq!(server.metric(GONE), 1);
    client.subscribed("s", "/temp-queue/a", &[]);
    answer(&mut worker, &to, &[], "somebody waits again");
    client.expect_message("somebody waits again");
}

/// Regression: the session kept the key of its automatic subscription, which by then was somebody else's.
#[test]
fn ending_the_automatic_subscription_and_subscribing_anew_ends_nobody_elses() {
    let server = Server::with_workers(1);
    let mut worker = worker(&server);
    let mut client = server.session();
    ask(&mut client, "a", "question");
    let to = reply_to(&mut worker, "question");
    client.done("UNSUBSCRIBE", &[("id", "/temp-queue/a")], b"");
    let mut others = [(); 4].map(|()| server.session());
    for (at, other) in others.iter_mut().enumerate() {
        other.subscribed("topic", "/topic/news", &[]);
        other.subscribed("queue", &format!("/queue/{at}"), &[]);
    }
    client.subscribed("mine", "/temp-queue/a", &[]);
    answer(&mut worker, &to, &[], "answer");
    assert_eq!(client.expect_message("answer").get("subscription"), "mine");
    worker.publish("/topic/news", "news");
    for (at, other) in others.iter_mut().enumerate() {
        other.expect_message("news");
        worker.publish(&format!("/queue/{at}"), "work");
        other.expect_message("work");
        other.done("UNSUBSCRIBE", &[("id", "topic")], b"");
        other.done("UNSUBSCRIBE", &[("id", "queue")], b"");
    }
    client.done("UNSUBSCRIBE", &[("id", "mine")], b"");
    worker.publish("/topic/news", "to nobody");
    for other in &mut others {
        other.expect_nothing();
    }
}
