//! How fast a client may send.

use std::time::Duration;

use tidings_testkit::{Command, Frame, Link, Peer, TestServer, now, run};
use tidings_websocket::{Opcode, write_frame};

use crate::{LATE, SECOND, assert_passed};

const LINKS: [Link; 2] = [Link::Tcp, Link::WebSocket];

/// Takes 10 frames a second, 50 at once, and has all the patience that a test may need.
async fn slow_server() -> TestServer {
    TestServer::builder()
        .config(|config| {
            config.session.max_frames_per_second = 10;
            config.session.rate_patience = 100 * SECOND;
        })
        .start()
        .await
}

fn frame() -> Frame {
    Frame::new(Command::Send).with_header("destination", "/topic/a")
}

async fn send(peer: &mut Peer, frames: usize) {
    for _ in 0..frames {
        peer.send_frame(frame()).await;
    }
}

#[test]
fn who_sends_more_frames_than_it_may_is_read_no_faster_and_nothing_is_lost() {
    run(async {
        for link in LINKS {
            let server = slow_server().await;
            let mut hears = server.connect("hears").await;
            hears.subscribe("/topic/a").await;
            let mut peer = server.dial().over(link).connect().await;
            let before = now();
            for _ in 0..10 {
                send(&mut peer, 20).await;
                peer.confirm(frame()).await;
            }
            // With CONNECT it is 190 frames that came before the last 21, and 50 are free.
            assert_passed(before, 14 * SECOND);
            for _ in 0..210 {
                hears.message().await;
            }
        }
    });
}

#[test]
fn a_client_within_its_limits_waits_for_nothing() {
    run(async {
        let server = slow_server().await;
        for link in LINKS {
            let mut peer = server.dial().over(link).connect().await;
            let before = now();
            send(&mut peer, 48).await;
            peer.confirm(frame()).await;
            for _ in 0..100 {
                tidings_testkit::pass(SECOND).await;
                send(&mut peer, 9).await;
                peer.confirm(frame()).await;
            }
            assert_passed(before, 100 * SECOND);
        }
    });
}

#[test]
fn one_client_that_is_held_back_holds_back_no_other() {
    run(async {
        let server = slow_server().await;
        let mut greedy = server.connect("greedy").await;
        send(&mut greedy, 500).await;
        greedy.confirm(frame()).await;
        let mut other = server.connect("other").await;
        let before = now();
        other.confirm(frame()).await;
        assert_passed(before, Duration::ZERO);
    });
}

#[test]
fn heart_beats_over_tcp_are_no_frames() {
    run(async {
        let server = slow_server().await;
        let mut peer = server.connect("beats").await;
        let before = now();
        for _ in 0..1_000 {
            peer.send_heart_beat().await;
        }
        peer.confirm(frame()).await;
        peer.confirm(frame()).await;
        assert_passed(before, Duration::ZERO);
    });
}

#[test]
fn who_is_held_back_misses_no_heart_beat() {
    run(async {
        let server = slow_server().await;
        let dial = server.dial().heart_beat(SECOND, Duration::ZERO);
        let mut peer = dial.connect().await;
        let before = now();
        send(&mut peer, 849).await;
        peer.confirm(frame()).await;
        peer.confirm(frame()).await;
        assert_passed(before, (1 + 850 - 50) * SECOND / 10);
    });
}

#[test]
fn who_sends_more_bytes_than_it_may_is_read_no_faster() {
    run(async {
        let server = TestServer::builder()
            .config(|config| config.session.max_bytes_per_second = 100_000)
            .start()
            .await;
        for link in LINKS {
            let mut peer = server.dial().over(link).connect().await;
            let before = now();
            for _ in 0..20 {
                peer.send("/topic/a", vec![b'x'; 50_000]).await;
            }
            peer.confirm(frame()).await;
            // 500 000 are free, and of the last read not all is waited for: it is 64 KiB at most.
            let passed = now() - before;
            assert!(
                (4 * SECOND..=5 * SECOND + 10 * LATE).contains(&passed),
                "{passed:?}"
            );
        }
    });
}

#[test]
fn each_fragment_of_a_websocket_message_counts() {
    run(async {
        let server = slow_server().await;
        let mut peer = server.dial().over(Link::WebSocket).connect().await;
        let before = now();
        let stomp = format!("SEND\ndestination:/topic/a\n\n{}\0", "x".repeat(300));
        let last = stomp.len() - 1;
        let mut wire = Vec::new();
        for (place, byte) in stomp.bytes().enumerate() {
            let opcode = [Opcode::Continuation, Opcode::Text][usize::from(place == 0)];
            write_frame(
                &mut wire,
                opcode,
                place == last,
                false,
                &[byte],
                Some([0; 4]),
            );
        }
        peer.send_raw(&wire).await;
        // They are read first, then it is waited for them.
        tokio::task::yield_now().await;
        peer.confirm(frame()).await;
        let frames = u32::try_from(1 + stomp.len() - 50).expect("a few");
        assert_passed(before, frames * SECOND / 10);
    });
}

#[test]
fn who_sends_far_too_much_at_once_is_closed_and_told_why() {
    run(async {
        let server = TestServer::builder()
            .config(|config| {
                config.session.max_frames_per_second = 10;
                config.session.rate_patience = SECOND;
            })
            .start()
            .await;
        for (link, close_code) in [(Link::Tcp, None), (Link::WebSocket, Some(4012))] {
            let mut peer = server.dial().over(link).connect().await;
            // CONNECT is one of the 50, and 10 come in the second of patience.
            send(&mut peer, 58).await;
            peer.confirm(frame()).await;
            peer.confirm(frame()).await;
            send(&mut peer, 61).await;
            let goodbye = peer.error().await;
            assert_eq!(goodbye.code(), "rate-exceeded");
            assert_eq!(goodbye.close_code, close_code);
        }
    });
}

#[test]
fn zero_is_no_limit() {
    run(async {
        let server = TestServer::builder()
            .config(|config| {
                config.session.max_frames_per_second = 0;
                config.session.max_bytes_per_second = 0;
            })
            .start()
            .await;
        let mut peer = server.connect("fast").await;
        let before = now();
        send(&mut peer, 100_000).await;
        peer.confirm(frame()).await;
        assert_passed(before, Duration::ZERO);
    });
}

#[test]
fn the_defaults_are_ten_thousand_frames_a_second_and_fifty_thousand_at_once() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut peer = server.connect("fast").await;
        let before = now();
        send(&mut peer, 49_000).await;
        peer.confirm(frame()).await;
        assert_passed(before, Duration::ZERO);
        send(&mut peer, 100_000).await;
        peer.confirm(frame()).await;
        let passed = now() - before;
        assert!((9 * SECOND..=10 * SECOND).contains(&passed), "{passed:?}");
    });
}
