//! Heart-beats, both ways.

use std::time::Duration;

use tidings_testkit::{Link, Peer, TestServer, now, run};

use crate::{LATE, SECOND, assert_passed};

const NONE: Duration = Duration::ZERO;

const LINKS: [Link; 2] = [Link::Tcp, Link::WebSocket];

/// A server that offers and wants a beat each 10 s.
async fn server() -> TestServer {
    TestServer::builder().start().await
}

async fn connect(server: &TestServer, link: Link, send: Duration, receive: Duration) -> Peer {
    let dial = server.dial().over(link).heart_beat(send, receive);
    dial.connect().await
}

#[test]
fn the_server_beats_twice_in_each_interval() {
    run(async {
        let server = server().await;
        for link in LINKS {
            let mut peer = connect(&server, link, NONE, SECOND).await;
            for _ in 0..10 {
                let before = now();
                peer.heart_beat().await;
                let waited = now() - before;
                assert!(waited <= 5 * SECOND + LATE, "{waited:?}");
            }
        }
    });
}

#[test]
fn the_slower_wish_decides_how_often_the_server_beats() {
    run(async {
        let server = server().await;
        let mut peer = connect(&server, Link::Tcp, NONE, 40 * SECOND).await;
        let before = now();
        peer.heart_beat().await;
        assert_passed(before, 20 * SECOND);
    });
}

#[test]
fn a_silent_client_is_cut_after_twice_the_slower_interval() {
    run(async {
        let server = server().await;
        for link in LINKS {
            for (promised, allowed) in [(1, 20), (10, 20), (30, 60)] {
                let before = now();
                let mut peer = connect(&server, link, promised * SECOND, NONE).await;
                assert_eq!(peer.error().await.code(), "heart-beat-missed");
                assert_passed(before, allowed * SECOND);
            }
        }
    });
}

#[test]
fn a_client_that_says_any_octet_in_time_stays() {
    run(async {
        let server = server().await;
        for link in LINKS {
            let mut peer = connect(&server, link, 10 * SECOND, NONE).await;
            for _ in 0..100 {
                peer.silence(20 * SECOND - LATE).await;
                peer.send_heart_beat().await;
            }
            peer.send_bytes(b"SEND\ndestination:/topic/a\nreceipt:r\n\n")
                .await;
            for _ in 0..100 {
                peer.silence(20 * SECOND - LATE).await;
                peer.send_bytes(b"x").await;
            }
            peer.send_bytes(b"\0").await;
            assert_eq!(peer.frame().await.header("receipt-id"), Some("r"));
        }
    });
}

#[test]
fn silence_is_allowed_to_who_promised_nothing() {
    run(async {
        let server = server().await;
        let mut quiet = [
            connect(&server, Link::Tcp, NONE, NONE).await,
            connect(&server, Link::WebSocket, NONE, 10 * SECOND).await,
            server.dial().versions("1.0").connect().await,
        ];
        for peer in &mut quiet {
            peer.silence(3600 * SECOND).await;
        }
    });
}

#[test]
fn a_server_that_wants_no_beats_waits_for_none() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.stomp.heart_beat_receive = NONE)
            .start()
            .await;
        let mut peer = connect(&server, Link::Tcp, SECOND, NONE).await;
        peer.silence(3600 * SECOND).await;
    });
}

#[test]
fn a_server_that_promises_no_beats_sends_none() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.stomp.heart_beat_send = NONE)
            .start()
            .await;
        let mut peer = connect(&server, Link::Tcp, NONE, SECOND).await;
        let beat = tokio::time::timeout(100 * SECOND, peer.heart_beat());
        assert!(beat.await.is_err(), "it has beaten");
    });
}
