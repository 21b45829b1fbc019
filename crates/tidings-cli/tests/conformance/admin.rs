//! The admin listener: health and the counters of every end.

use crate::peer::Server;

#[test]
fn a_running_server_is_live_and_ready() {
    let server = Server::start();
    assert_eq!(server.admin_page("/health/live").0, 200);
    assert_eq!(server.admin_page("/health/ready").0, 200);
}

#[test]
fn an_unknown_page_is_not_found() {
    let server = Server::start();
    assert_eq!(server.admin_page("/nowhere").0, 404);
}

#[test]
fn admin_pages_are_not_on_the_public_listener() {
    let server = Server::start();
    for path in ["/metrics", "/health/live", "/health/ready"] {
        let (status, _) = crate::peer::Response::get(server.http, path);
        assert_eq!(status, 404, "{path}");
    }
}

#[test]
fn every_end_is_counted_by_its_code() {
    let server = Server::start();
    let ends: [(&str, &[u8]); 6] = [
        ("unknown-command", b"NOSUCH\n\n\0"),
        ("already-connected", b"CONNECT\naccept-version:1.2\n\n\0"),
        ("unknown-ack", b"ACK\nid:never\n\n\0"),
        ("missing-header", b"SEND\n\n\0"),
        ("invalid-escape", b"SEND\ndestination:\\t\n\n\0"),
        ("normal", b"DISCONNECT\n\n\0"),
    ];
    for (rounds, session) in [Server::session, Server::websocket_session]
        .into_iter()
        .enumerate()
    {
        for (code, frame) in ends {
            let mut peer = session(&server);
            peer.raw(frame);
            peer.read_to_end();
            server.await_disconnects(code, rounds as u64 + 1);
        }
    }
    for (code, _) in ends {
        assert_eq!(
            server.disconnects(code),
            2,
            "{code} is counted once per end"
        );
    }
}

#[test]
fn metrics_are_in_the_format_of_prometheus() {
    let server = Server::start();
    let mut peer = server.session();
    peer.subscribed("s", "/topic/a", &[]);
    let (status, text) = server.admin_page("/metrics");
    assert_eq!(status, 200);
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let (name, value) = line
            .rsplit_once(' ')
            .unwrap_or_else(|| panic!("no value in {line:?}"));
        assert!(
            name.starts_with("tidings_") || name.starts_with("process_"),
            "{line:?}"
        );
        assert!(value.parse::<f64>().is_ok(), "{line:?}");
    }
}
