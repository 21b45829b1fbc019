//! Who takes too long, and what for.

use std::future::pending;

use tidings::prelude::*;
use tidings_testkit::{Link, TestServer, now, pass, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::{LATE, SECOND, assert_passed};

const LINKS: [Link; 2] = [Link::Tcp, Link::WebSocket];

#[test]
fn connect_is_complete_within_ten_seconds() {
    run(async {
        let server = TestServer::builder().start().await;
        for link in LINKS {
            for half in [&b""[..], b"\n", b"CONNECT\naccept-version:1.2\n"] {
                let before = now();
                let mut peer = server.dial().over(link).open().await;
                for byte in half {
                    pass(SECOND / 5).await;
                    peer.send_bytes(&[*byte]).await;
                }
                assert_eq!(peer.error().await.code(), "connect-timeout");
                assert_passed(before, 10 * SECOND);
            }
        }
    });
}

#[test]
fn a_client_that_connects_just_in_time_stays() {
    run(async {
        let server = TestServer::builder().start().await;
        for link in LINKS {
            let mut peer = server.dial().over(link).open().await;
            pass(10 * SECOND - LATE).await;
            peer.send_bytes(b"CONNECT\naccept-version:1.2\nhost:a\n\n\0")
                .await;
            assert_eq!(peer.frame().await.command.as_str(), "CONNECTED");
            peer.silence(3600 * SECOND).await;
        }
    });
}

#[test]
fn the_head_of_a_request_is_complete_within_ten_seconds() {
    run(async {
        let server = TestServer::builder().start().await;
        for head in ["", "GET /ws HTTP/1.1\r\n"] {
            let before = now();
            let connection = server.connector().connect_http().await;
            let mut connection = connection.expect("the server runs");
            let written = connection.write_all(head.as_bytes()).await;
            written.expect("there is room");
            let mut answer = Vec::new();
            let end = connection.read_to_end(&mut answer).await;
            end.expect("an end");
            assert_passed(before, 10 * SECOND);
        }
    });
}

#[test]
fn an_application_answers_within_half_a_minute_or_is_not_waited_for() {
    run(async {
        let in_time = async || {
            pass(30 * SECOND - LATE).await;
            "in time"
        };
        let router: Router = Router::new()
            .message("never", pending::<NoReply>)
            .message("late", in_time);
        let server = TestServer::start(router).await;
        let mut peer = server.connect("ann").await;
        peer.subscribe("/topic/late").await;
        peer.subscribe("/user/queue/errors").await;
        let before = now();
        peer.send("/app/never", "").await;
        peer.send("/app/late", "").await;
        let error = peer.message().await;
        assert_eq!(error.header("code"), Some("application-timeout"));
        assert_eq!(now() - before, 30 * SECOND);
        assert_eq!(peer.message().await.text(), "in time");
        assert_eq!(now() - before, 60 * SECOND - LATE);
    });
}

#[test]
fn a_client_that_reads_nothing_is_cut_after_ten_seconds() {
    run(async {
        let (tell, mut told) = mpsc::unbounded_channel();
        let router: Router = Router::new().on_event(move |event| {
            if let Event::Disconnected { reason, .. } = event {
                // The test may have ended.
                let _ = tell.send(*reason);
            }
        });
        let server = TestServer::start(router).await;
        let mut slow = server.connect("slow").await;
        slow.subscribe("/topic/flood").await;
        let before = now();
        // More than the link takes, and less than the outbox does.
        let mut other = server.connect("other").await;
        for _ in 0..4 {
            other.send("/topic/flood", vec![b'x'; 64 * 1024]).await;
        }
        assert_eq!(told.recv().await, Some(Reason::SendTimeout));
        assert_passed(before, 10 * SECOND);
    });
}
