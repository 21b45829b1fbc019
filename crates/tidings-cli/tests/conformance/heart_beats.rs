//! Heart-beats by the real clock. What intervals make of each other is tested in virtual time, in `tidings-server`.

use std::time::{Duration, Instant};

use crate::peer::{Peer, Server, Version};

const SEND: Duration = Duration::from_millis(600);
const RECEIVE: Duration = Duration::from_millis(300);
const TABLES: &str = "[stomp]\nheart_beat_send = \"600ms\"\nheart_beat_receive = \"300ms\"\n";

fn connect(peer: &mut Peer, heart_beat: &str) {
    let headers = [
        ("accept-version", "1.2"),
        ("host", "h"),
        ("heart-beat", heart_beat),
    ];
    peer.connect_with(Version::V12, &headers);
}

#[test]
fn connected_names_what_the_server_offers() {
    let server = Server::configured(TABLES);
    for asked in ["0,0", "5,0", "1000,2000"] {
        let headers = [
            ("accept-version", "1.2"),
            ("host", "h"),
            ("heart-beat", asked),
        ];
        let connected = server.tcp().connect_with(Version::V12, &headers);
        assert_eq!(connected.get("heart-beat"), "600,300");
    }
}

#[test]
fn the_server_beats_within_the_agreed_interval() {
    let server = Server::configured(TABLES);
    for mut peer in [server.tcp(), server.websocket()] {
        connect(&mut peer, "0,100");
        for beat in 0..3 {
            let before = Instant::now();
            peer.expect_beat();
            let waited = before.elapsed();
            assert!(waited < SEND, "beat {beat} came after {waited:?}");
        }
    }
}

#[test]
fn a_silent_client_is_cut_after_twice_its_interval() {
    let server = Server::configured(TABLES);
    for mut peer in [server.tcp(), server.websocket()] {
        let before = Instant::now();
        connect(&mut peer, "300,0");
        peer.expect_error("heart-beat-missed");
        assert!(
            before.elapsed() >= 2 * RECEIVE,
            "cut after {:?}",
            before.elapsed()
        );
    }
    server.await_disconnects("heart-beat-missed", 2);
}

/// Hears one beat of the server after another and says one thing after each.
fn talk_for(peer: &mut Peer, time: Duration, mut words: impl Iterator<Item = u8>) {
    let start = Instant::now();
    while start.elapsed() < time {
        peer.expect_beat();
        let word = words.next().expect("there are words enough");
        peer.raw(&[word]);
    }
}

/// The server beats twice in 200 ms, so that a peer that answers each beat is never silent for 600 ms.
const TALKATIVE: &str = "[stomp]\nheart_beat_send = \"200ms\"\nheart_beat_receive = \"300ms\"\n";

#[test]
fn a_client_that_beats_stays() {
    let server = Server::configured(TALKATIVE);
    for mut peer in [server.tcp(), server.websocket()] {
        connect(&mut peer, "300,200");
        talk_for(&mut peer, 4 * RECEIVE, std::iter::repeat(b'\n'));
        peer.expect_nothing();
    }
}

/// Stops the process for so long while one client of each link beats on and another is silent.
fn pause_for(pause: Duration) {
    const BEAT: Duration = Duration::from_millis(100);
    let server = Server::configured(
        "[server]\nworkers = 2\n[stomp]\nheart_beat_send = \"0s\"\nheart_beat_receive = \"500ms\"\n",
    );
    // More than a worker reads in one go.
    let mut beating: Vec<_> = (0..400)
        .map(|at| match at % 2 {
            0 => server.tcp(),
            _ => server.websocket(),
        })
        .collect();
    for peer in &mut beating {
        connect(peer, "500,0");
    }
    let mut silent = server.tcp();
    connect(&mut silent, "500,0");
    server.pause();
    let start = Instant::now();
    while start.elapsed() < pause {
        beating[0].expect_quiet(BEAT);
        for peer in &mut beating {
            peer.raw(b"\n");
        }
    }
    server.proceed();
    silent.expect_error("heart-beat-missed");
    for peer in &mut beating {
        peer.expect_nothing();
    }
    assert_eq!(server.disconnects("heart-beat-missed"), 1);
}

/// Regression: deadlines were judged before what had arrived during the pause was read.
#[test]
fn a_client_that_beats_stays_through_a_long_pause_of_the_process() {
    pause_for(Duration::from_millis(2_400));
}

/// As long as the client may be silent, and less than that and a second.
#[test]
fn a_client_that_beats_stays_through_a_pause_of_little_more_than_twice_its_interval() {
    pause_for(Duration::from_millis(1_200));
}
