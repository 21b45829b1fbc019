//! How connections end: told, and flushed before.

use std::io;
use std::net::Shutdown;

use crate::client::Client;
use crate::server::Running;

const DESTINATION: &str = "/topic/a";

#[test]
fn a_session_that_ends_is_ended_by_tls_too() {
    let running = Running::start();
    let mut client = running.client();
    client.write("DISCONNECT\nreceipt:bye\n\n\0");
    let rest = client.rest().expect("a clean end");
    let rest = String::from_utf8(rest).expect("text");
    assert!(rest.starts_with("RECEIPT\nreceipt-id:bye\n"), "{rest:?}");
}

#[test]
fn an_error_is_read_before_the_end() {
    let running = Running::start();
    let mut client = running.client();
    client.write("NONSENSE\n\n\0");
    let rest = String::from_utf8(client.rest().expect("a clean end")).expect("text");
    assert!(rest.starts_with("ERROR\n"), "{rest:?}");
}

#[test]
fn what_waits_for_a_slow_reader_is_flushed_when_the_server_stops() {
    const COUNT: usize = 50;
    let mut running = Running::with(|config, _| config.outbox.max_bytes = 64 << 20);
    let mut slow = Client::narrow(running.tcp, running.trust());
    slow.connect();
    slow.subscribe(DESTINATION);
    let mut publisher = running.client();
    publisher.subscribe(DESTINATION);
    for _ in 0..COUNT {
        publisher.send(DESTINATION, "", &[b'x'; 100_000]);
        publisher.frame();
    }
    running.stop();
    for at in 0..COUNT {
        let (head, body) = slow.frame();
        assert!(head.starts_with("MESSAGE\n"), "{at}: {head}");
        assert_eq!(body.len(), 100_000);
    }
    let rest = String::from_utf8(slow.rest().expect("a clean end")).expect("text");
    assert!(rest.starts_with("ERROR\n"), "{rest}");
    assert!(rest.contains("shutdown"), "{rest}");
}

#[test]
fn a_peer_that_says_goodbye_by_tls_or_by_tcp_alone_is_gone() {
    let running = Running::start();
    let open = "tidings_connections{link=\"tcp\"}";
    let mut client = running.client();
    running.counts(open, 1);
    client.tls().send_close_notify();
    client.write("");
    client.rest().expect("a clean end");
    running.counts(open, 0);

    let client = running.client();
    running.counts(open, 1);
    client.socket().shutdown(Shutdown::Write).expect("a socket");
    running.counts(open, 0);
}

#[test]
fn a_connection_that_is_tampered_with_ends() {
    use std::io::Write;
    let running = Running::start();
    let mut client = running.client();
    // A record of application data that nobody has encrypted.
    let forged = [0x17, 3, 3, 0, 32].into_iter().chain([7; 32]);
    let forged: Vec<u8> = forged.collect();
    client.socket().write_all(&forged).expect("it reads");
    let error = client.rest().expect_err("an alert");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    running.counts("tidings_connections{link=\"tcp\"}", 0);
}
