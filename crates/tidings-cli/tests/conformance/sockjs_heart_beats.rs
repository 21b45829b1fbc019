//! Heart-beats over SockJS: those of STOMP as messages, and the `h` of SockJS where there are none.

use std::time::{Duration, Instant};

use crate::peer::{PATIENCE, Peer, Server, SockFrame, Transport, Version};

const TABLES: &str = "[stomp]\nheart_beat_send = \"600ms\"\nheart_beat_receive = \"300ms\"\n\
                      [sockjs]\nheartbeat_time = \"100ms\"\n";

fn connect(peer: &mut Peer, heart_beat: &str) {
    let headers = [
        ("accept-version", "1.2"),
        ("host", "h"),
        ("heart-beat", heart_beat),
    ];
    peer.connect_with(Version::V12, &headers);
}

#[test]
fn the_server_beats_twice_per_interval_and_h_is_silent() {
    let server = Server::configured(TABLES);
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        connect(&mut peer, "0,100");
        let before = peer.sockjs().heartbeats;
        for beat in 0..3 {
            let start = Instant::now();
            peer.expect_beat();
            let waited = start.elapsed();
            assert!(
                waited < Duration::from_millis(600),
                "beat {beat} after {waited:?}"
            );
        }
        assert_eq!(peer.sockjs().heartbeats, before, "{transport:?}");
    }
}

#[test]
fn without_beats_of_stomp_h_comes_when_nothing_else_does() {
    let server = Server::configured(TABLES);
    for transport in Transport::ALL {
        for heart_beat in ["0,0", "0,0", "300,0"] {
            let mut peer = server.sockjs(transport);
            connect(&mut peer, heart_beat);
            for _ in 0..2 {
                let start = Instant::now();
                let frame = peer.sockjs().read(start + PATIENCE);
                assert_eq!(frame.expect("a frame comes"), SockFrame::Heartbeat);
                // The wheel of timers may be a tick early, and the last write was before `start`.
                assert!(start.elapsed() > Duration::from_millis(50), "{transport:?}");
            }
        }
    }
}

#[test]
fn h_comes_before_connect_too() {
    let server = Server::configured(TABLES);
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        let mut next = || peer.sockjs().read(Instant::now() + PATIENCE);
        assert_eq!(next().expect("it opens"), SockFrame::Open);
        assert_eq!(next().expect("it beats"), SockFrame::Heartbeat);
    }
}

#[test]
fn a_client_that_beats_stays() {
    let server = Server::configured(
        "[stomp]\nheart_beat_send = \"200ms\"\nheart_beat_receive = \"300ms\"\n",
    );
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        connect(&mut peer, "300,200");
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(1_200) {
            peer.expect_beat();
            peer.raw(b"\n");
        }
        peer.expect_nothing();
    }
}
