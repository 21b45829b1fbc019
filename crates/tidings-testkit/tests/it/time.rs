//! What takes its time takes none.

use std::time::Duration;

use tidings::prelude::*;
use tidings_testkit::{Command, Frame, Link, TestServer, now, pass, run};

/// How late a timer of the server may fire: a tick of its wheel, and one more.
const TICK: Duration = Duration::from_millis(100);

const SECOND: Duration = Duration::from_secs(1);

#[track_caller]
fn took(began: std::time::Instant, time: Duration) {
    let took = now() - began;
    assert!((time..=time + TICK).contains(&took), "it took {took:?}");
}

#[test]
fn hours_pass_in_no_time() {
    let began = std::time::Instant::now();
    run(async {
        let server = TestServer::builder().start().await;
        let mut ann = server.connect("ann").await;
        let began = now();
        ann.silence(3600 * SECOND).await;
        pass(3600 * SECOND).await;
        assert_eq!(now() - began, 7200 * SECOND);
        server.shutdown().await;
    });
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_client_that_breaks_its_promise_of_heart_beats_is_cut_after_twice_its_interval() {
    run(async {
        let server = TestServer::builder().start().await;
        for (link, close_code) in [(Link::Tcp, None), (Link::WebSocket, Some(4001))] {
            let began = now();
            let dial = server.dial().over(link);
            let mut ann = dial.heart_beat(10 * SECOND, Duration::ZERO).connect().await;
            let goodbye = ann.error().await;
            assert_eq!(goodbye.code(), "heart-beat-missed");
            assert_eq!(goodbye.close_code, close_code);
            took(began, 20 * SECOND);
        }
        server.shutdown().await;
    });
}

#[test]
fn a_client_that_keeps_it_stays_for_a_day() {
    run(async {
        let server = TestServer::builder().start().await;
        let dial = server.dial().over(Link::WebSocket);
        let mut ann = dial.heart_beat(10 * SECOND, Duration::ZERO).connect().await;
        for _ in 0..24 * 360 {
            ann.silence(10 * SECOND).await;
            ann.send_heart_beat().await;
        }
        ann.disconnect().await;
        server.shutdown().await;
    });
}

#[test]
fn the_server_beats_at_least_once_in_each_interval() {
    run(async {
        let server = TestServer::builder().start().await;
        let dial = server.dial().heart_beat(Duration::ZERO, 20 * SECOND);
        let mut ann = dial.connect().await;
        for _ in 0..10 {
            let began = now();
            ann.heart_beat().await;
            assert!(now() - began < 20 * SECOND);
        }
        server.shutdown().await;
    });
}

#[test]
fn who_never_says_connect_is_sent_away() {
    run(async {
        let server = TestServer::builder().start().await;
        for link in [Link::Tcp, Link::WebSocket] {
            let began = now();
            let mut ann = server.dial().over(link).open().await;
            ann.send_bytes(b"CONN").await;
            assert_eq!(ann.error().await.code(), "connect-timeout");
            took(began, 10 * SECOND);
        }
        server.shutdown().await;
    });
}

#[test]
fn a_handler_that_never_answers_is_given_up_after_half_a_minute() {
    run(async {
        let router: Router = Router::new().message("never", std::future::pending::<NoReply>);
        let server = TestServer::start(router).await;
        let mut ann = server.connect("ann").await;
        let began = now();
        ann.send("/app/never", "").await;
        assert_eq!(ann.error().await.code(), "application-timeout");
        assert_eq!(now() - began, 30 * SECOND);
        server.shutdown().await;
    });
}

#[test]
fn a_handler_that_sleeps_answers_when_it_wakes() {
    run(async {
        let slow = async || {
            pass(29 * SECOND).await;
            "at last"
        };
        let router: Router = Router::new().message("slow", slow);
        let server = TestServer::start(router).await;
        let mut ann = server.connect("ann").await;
        ann.subscribe("/topic/slow").await;
        let began = now();
        ann.send("/app/slow", "").await;
        assert_eq!(ann.message().await.text(), "at last");
        assert_eq!(now() - began, 29 * SECOND);
        server.shutdown().await;
    });
}

#[test]
fn a_message_expires_by_virtual_time_to_the_millisecond() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut ann = server.connect("ann").await;
        let work = |body: &str| {
            Frame::new(Command::Send)
                .with_header("destination", "/queue/work")
                .with_header("expiration", "60000")
                .with_body(body.to_owned())
        };
        ann.confirm(work("dead")).await;
        pass(Duration::from_millis(1)).await;
        ann.confirm(work("alive")).await;
        pass(Duration::from_millis(59_999)).await;
        ann.subscribe("/queue/work").await;
        assert_eq!(ann.message().await.text(), "alive");
        ann.silence(SECOND).await;
        server.shutdown().await;
    });
}

#[test]
fn a_shutdown_waits_for_clients_and_no_longer_than_it_must() {
    run(async {
        let server = TestServer::builder().start().await;
        // It is there and does not answer.
        let mut silent = server.connect("ann").await;
        let began = now();
        server.shutdown().await;
        took(began, 5 * SECOND);
        assert_eq!(silent.error().await.code(), "shutdown");

        let server = TestServer::builder().start().await;
        drop(server.connect("ann").await);
        let began = now();
        server.shutdown().await;
        assert_eq!(now() - began, Duration::ZERO);
    });
}
