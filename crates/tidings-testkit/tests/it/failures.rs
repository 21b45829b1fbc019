//! What a failed test reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tidings::prelude::*;
use tidings_testkit::{Peer, TestRouter, TestServer, run};

/// What the test says when it fails, without the place in the file.
fn failure(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("it fails");
    let text = panic.downcast_ref::<String>().expect("words").clone();
    match text.split_once(": ") {
        Some((place, rest)) if place.starts_with(file!()) => rest.to_owned(),
        _ => panic!("it does not begin with the place in this file: {text}"),
    }
}

/// What it says when this is done with a client named ann.
fn failure_with(test: impl AsyncFnOnce(&mut Peer, &TestServer)) -> String {
    failure(|| {
        run(async {
            let server = TestServer::builder().start().await;
            let mut ann = server.connect("ann").await;
            test(&mut ann, &server).await;
        });
    })
}

#[test]
fn a_message_that_never_comes_is_missed_after_a_while() {
    let text = failure_with(async |ann, _| {
        ann.subscribe("/topic/a").await;
        ann.message().await;
    });
    assert_eq!(
        text,
        "ann awaited a frame MESSAGE; there came nothing for 120s"
    );
}

#[test]
fn an_error_in_its_place_is_shown() {
    let text = failure_with(async |ann, _| {
        ann.send("/nowhere", "").await;
        ann.message().await;
    });
    assert!(
        text.starts_with("ann awaited a frame MESSAGE; there came ERROR "),
        "{text}"
    );
    assert!(text.contains(" code:unknown-destination "), "{text}");
}

#[test]
fn an_error_in_place_of_a_receipt_is_shown() {
    let text = failure_with(async |ann, _| {
        ann.subscribe("/nowhere").await;
    });
    let awaited = "ann awaited the RECEIPT of SUBSCRIBE id:sub-1 destination:/nowhere \"\"; there came ERROR ";
    assert!(text.starts_with(awaited), "{text}");
}

#[test]
fn silence_that_is_broken_is_told() {
    let text = failure_with(async |ann, server| {
        ann.subscribe("/topic/a").await;
        server.template().send("/topic/a", "boo").expect("a topic");
        ann.silence(Duration::from_secs(5)).await;
    });
    assert!(
        text.starts_with("ann awaited silence for 5s; there came MESSAGE "),
        "{text}"
    );
    assert!(text.ends_with(" \"boo\""), "{text}");
}

#[test]
fn an_end_that_nobody_expected_is_told() {
    let text = failure_with(async |ann, _| {
        ann.send_bytes(b"DISCONNECT\n\n\0").await;
        ann.message().await;
    });
    assert_eq!(
        text,
        "ann awaited a frame MESSAGE; there came the end of the connection"
    );
}

#[test]
fn a_login_that_is_refused_is_told() {
    let text = failure(|| {
        run(async {
            let server = TestServer::builder().start().await;
            server.dial().login("ann").versions("9.9").connect().await;
        });
    });
    assert!(
        text.starts_with("ann awaited CONNECTED; there came ERROR "),
        "{text}"
    );
}

#[test]
fn a_path_that_is_no_endpoint_is_told() {
    let text = failure(|| {
        run(async {
            let server = TestServer::builder().start().await;
            server.dial().path("/nowhere").connect().await;
        });
    });
    assert!(
        text.starts_with("nobody could not connect: the server answered with status 404"),
        "{text}"
    );
}

#[test]
fn an_answer_shows_all_that_there_is() {
    let router: Router = Router::new().message("a", async || ("one", SendTo("/queue/b", "two")));
    let answer = TestRouter::new(router).message("/app/a").call_now();
    let panic = catch_unwind(AssertUnwindSafe(|| answer.sent_to("/topic/c").clone()));
    let panic = panic.expect_err("there is none");
    let text = panic.downcast_ref::<String>().expect("words");
    assert_eq!(
        text,
        "awaited one message to /topic/c; there came \n  to /topic/a: message content-type:text/plain;charset=utf-8 \"one\"\
         \n  to /queue/b: message content-type:text/plain;charset=utf-8 \"two\""
    );
}
