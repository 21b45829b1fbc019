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
