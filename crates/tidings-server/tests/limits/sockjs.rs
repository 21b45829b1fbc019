//! The same over SockJS, where each request brings messages.

use std::time::Duration;

use tidings_testkit::{TestServer, now, run};

use crate::http::Http;
use crate::{SECOND, assert_passed};

const SEND: &str = r#""SEND\ndestination:/topic/a\n\n\u0000""#;

const SESSION: &str = "/ws/000/abcdefgh";

async fn server(patience: Duration) -> TestServer {
    TestServer::builder()
        .config(|config| {
            config.session.max_frames_per_second = 10;
            config.session.max_per_user = 1;
            config.session.rate_patience = patience;
        })
        .start()
        .await
}

fn batch(messages: usize) -> String {
    format!("[{}]", vec![SEND; messages].join(","))
}

fn send_path() -> String {
    format!("{SESSION}/xhr_send")
}

/// Begins a session of ada's: who listens to it, and who speaks.
async fn connect(server: &TestServer) -> (Http, Http) {
    let mut listener = Http::open(server).await;
    listener.post(&format!("{SESSION}/xhr_streaming"), "").await;
    listener.until("o\n").await;
    let mut speaker = Http::open(server).await;
    let connect = r#"["CONNECT\naccept-version:1.2\nhost:h\nlogin:ada\n\n\u0000"]"#;
    let head = speaker.answer(&send_path(), connect).await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    listener.until("\"]\n").await;
    (listener, speaker)
}

#[test]
fn a_request_that_brings_more_than_it_may_is_answered_late() {
    run(async {
        let server = server(100 * SECOND).await;
        let (_listener, mut speaker) = connect(&server).await;
        let before = now();
        speaker.answer(&send_path(), &batch(49)).await;
        assert_passed(before, Duration::ZERO);
        let head = speaker.answer(&send_path(), &batch(100)).await;
        assert!(head.starts_with("HTTP/1.1 204"), "{head}");
        assert_passed(before, 10 * SECOND);
        speaker.answer(&send_path(), &batch(1)).await;
        assert_passed(before, 10 * SECOND + SECOND / 10);
    });
}

#[test]
fn a_request_that_brings_nothing_counts_too() {
    run(async {
        let server = server(100 * SECOND).await;
        let (_listener, mut speaker) = connect(&server).await;
        let before = now();
        for _ in 0..60 {
            speaker.answer(&send_path(), "[]").await;
        }
        assert_passed(before, (1 + 60 - 50) * SECOND / 10);
    });
}

#[test]
fn a_request_that_brings_far_too_much_ends_the_session() {
    run(async {
        let server = server(SECOND).await;
        let (mut listener, mut speaker) = connect(&server).await;
        speaker.answer(&send_path(), &batch(2_000)).await;
        let error = listener.until("\"]\n").await;
        assert!(error.contains("code:rate-exceeded"), "{error}");
        listener.until(r#"c[4012,"rate-exceeded"]"#).await;
    });
}

#[test]
fn who_sends_side_by_side_while_it_is_held_back_is_closed() {
    run(async {
        let server = server(100 * SECOND).await;
        let (mut listener, mut speaker) = connect(&server).await;
        speaker.post(&send_path(), &batch(149)).await;
        // The server has it before the others come.
        tidings_testkit::pass(SECOND).await;
        let mut others = Vec::new();
        for _ in 0..9 {
            let mut other = Http::open(&server).await;
            other.post(&send_path(), &batch(1)).await;
            others.push(other);
        }
        listener.until(r#"c[4012,"rate-exceeded"]"#).await;
    });
}

#[test]
fn a_user_has_no_more_sessions_than_one_may_over_sockjs_either() {
    run(async {
        let server = server(SECOND).await;
        let (_listener, _speaker) = connect(&server).await;
        let goodbye = server.dial().login("ada").refused().await;
        assert_eq!(goodbye.code(), "too-many-sessions");
    });
}
