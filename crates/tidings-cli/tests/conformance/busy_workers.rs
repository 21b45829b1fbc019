//! A worker that has very much to do still serves everybody.

use std::io::{Read, Write, copy, sink};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::peer::{PATIENCE, Peer, Server, Version};

const SUBSCRIBERS: usize = 100;
/// About two seconds of work for two cores.
const COUNT: usize = 60_000;
const BODY: usize = 200;

const BEAT: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(3);

const TABLES: &str = "[server]\nworkers = 2\n\
    [stomp]\nheart_beat_send = \"500ms\"\nheart_beat_receive = \"500ms\"\n\
    [outbox]\nmax_bytes = 67108864\n";

/// A subscriber that takes whatever comes, as fast as it can.
fn subscriber(server: &Server) -> TcpStream {
    let mut stream = server.tcp_stream();
    let said = b"CONNECT\naccept-version:1.2\nhost:h\n\n\0SUBSCRIBE\nid:s\ndestination:/topic/flood\nreceipt:r\n\n\0";
    stream.write_all(said).expect("it is written");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout can be set");
    let mut answer = Vec::new();
    while !answer.ends_with(b"receipt-id:r\n\n\0") {
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk).expect("the answers come in time");
        assert_ne!(count, 0, "it ended: {}", answer.escape_ascii());
        answer.extend_from_slice(&chunk[..count]);
    }
    stream
}

/// Asks for one receipt after another, beating while it waits, and returns the longest wait.
fn ask_on(peer: &mut Peer, done: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let headers = [("destination", "/topic/nobody"), ("receipt", "r")];
        let before = Instant::now();
        peer.send("SEND", &headers, b"");
        while peer.frame_within(BEAT).is_none() {
            peer.raw(b"\n");
            assert!(before.elapsed() < PATIENCE, "no receipt comes");
        }
        longest = longest.max(before.elapsed());
    }
    longest
}

#[test]
fn a_flood_to_many_subscribers_starves_no_bystander() {
    let server = Server::configured(TABLES);
    let subscribers: Vec<_> = (0..SUBSCRIBERS).map(|_| subscriber(&server)).collect();
    // Two that follow each other are with both workers.
    let mut bystanders = [server.tcp(), server.tcp()];
    for peer in &mut bystanders {
        let headers = [
            ("accept-version", "1.2"),
            ("host", "h"),
            ("heart-beat", "500,500"),
        ];
        peer.connect_with(Version::V12, &headers);
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        let asking: Vec<_> = bystanders
            .iter_mut()
            .map(|peer| scope.spawn(move || ask_on(peer, done)))
            .collect();
        let reading: Vec<_> = subscribers
            .into_iter()
            .map(|mut stream| scope.spawn(move || copy(&mut stream, &mut sink())))
            .collect();
        let mut publisher = server.session();
        let flooding = scope.spawn(move || {
            for _ in 0..COUNT {
                publisher.send("SEND", &[("destination", "/topic/flood")], &[b'x'; BODY]);
            }
            publisher.expect_nothing();
        });
        let flooded = flooding.join();
        done.store(true, Ordering::Relaxed);
        let waits: Vec<_> = asking.into_iter().map(|one| one.join()).collect();
        server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
        let missed = server.disconnects("heart-beat-missed");
        server.terminate();
        let taken: Vec<_> = reading.into_iter().map(|one| one.join()).collect();
        assert!(flooded.is_ok(), "the publisher was served");
        assert_eq!(missed, 0);
        for wait in waits {
            let longest = wait.expect("a bystander is served and not cut");
            assert!(longest < LONGEST, "one receipt took {longest:?}");
        }
        for bytes in taken {
            let bytes = bytes
                .expect("readers do not panic")
                .expect("an orderly end");
            assert!(bytes > (COUNT * BODY) as u64, "{bytes} bytes are not all");
        }
    });
}
