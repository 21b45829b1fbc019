//! Limits by address, and of clients that begin.

use crate::server::{Client, Running, status, value};

const ADA: &str = "x-forwarded-for: 192.0.2.1\r\n";
const BEN: &str = "x-forwarded-for: 192.0.2.2\r\n";

/// Polls a session of SockJS.
fn poll(client: &mut Client, session: &str, headers: &str) -> (String, String) {
    client.send(format!(
        "POST /ws/000/{session}/xhr HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n{headers}\r\n"
    ));
    client.response()
}

#[test]
fn a_session_of_sockjs_counts_once_whatever_its_polls() {
    let server = Running::behind_proxy(|config| config.server.max_connections_per_address = 1);
    let mut client = Client::connect(server.http);
    let (head, body) = poll(&mut client, "abc", ADA);
    assert_eq!((status(&head), &*body), (200, "o\n"));
    assert_eq!(server.addresses(), 1);
    let cookie = value(&head, "set-cookie").and_then(|cookie| cookie.split(';').next());
    let cookie = format!("{ADA}cookie: {}\r\n", cookie.expect("its secret"));
    // Each of them is left open: a client that goes away takes its session with it.
    let mut polls = Vec::new();
    for _ in 0..3 {
        let mut one = Client::connect(server.http);
        one.send(format!(
            "POST /ws/000/abc/xhr HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n{cookie}\r\n"
        ));
        let mut other = Client::connect(server.http);
        let send = format!(
            "POST /ws/000/abc/xhr_send HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n{cookie}\r\n[\"\\n\"]"
        );
        other.send(send);
        assert_eq!(other.status(), 204);
        assert_eq!(server.addresses(), 1);
        polls.push(one);
    }
    let mut other = Client::connect(server.http);
    let (head, _) = poll(&mut other, "abd", ADA);
    assert_eq!(
        (status(&head), value(&head, "retry-after")),
        (429, Some("5"))
    );
    let (head, _) = poll(&mut other, "abe", BEN);
    assert_eq!(status(&head), 200);
}

#[test]
fn clients_begin_at_a_limited_rate() {
    let server = Running::behind_proxy(|config| {
        config.server.max_handshakes_per_second = 0;
        config.server.max_handshakes_per_second_per_address = 1;
    });
    assert_eq!(server.handshake(ADA).status(), 101);
    let mut second = server.handshake(ADA);
    let (head, body) = second.response();
    assert_eq!(
        (status(&head), value(&head, "retry-after")),
        (429, Some("1"))
    );
    assert!(body.contains("try again"), "{body}");
    let mut polls = Client::connect(server.http);
    assert_eq!(status(&poll(&mut polls, "abc", ADA).0), 429);
    polls.get("/ws/info", ADA);
    assert_eq!(status(&polls.response().0), 200, "a request begins nothing");
    assert_eq!(server.handshake(BEN).status(), 101);
    for _ in 0..20 {
        assert_eq!(
            server.handshake("").status(),
            101,
            "this machine is not held back"
        );
    }
}

#[test]
fn all_together_begin_at_a_limited_rate() {
    let server = Running::behind_proxy(|config| {
        config.tcp.proxy_protocol = true;
        config.server.max_handshakes_per_second = 1;
    });
    assert_eq!(server.handshake(ADA).status(), 101);
    assert_eq!(server.handshake(BEN).status(), 503);
    let mut client = Client::connect(server.tcp);
    client.send("PROXY TCP4 192.0.2.3 198.51.100.2 4711 443\r\n");
    let refused = client.frame();
    assert!(refused.contains("code:too-many-handshakes\n"), "{refused}");
    let mut metrics = Client::connect(server.admin);
    metrics.get("/metrics", "");
    let (_, text) = metrics.response();
    assert!(
        text.contains("tidings_disconnects_total{reason=\"too-many-handshakes\"} 2\n"),
        "{text}"
    );
}

#[test]
fn a_full_server_says_so_in_a_sentence() {
    let server = Running::start(|config| config.server.max_connections = 1);
    let mut inside = server.handshake("");
    assert_eq!(inside.status(), 101);
    let mut refused = Client::connect(server.http);
    let (head, body) = refused.response();
    assert_eq!(
        (status(&head), value(&head, "retry-after")),
        (503, Some("5"))
    );
    assert!(body.contains("as many connections as it may"), "{body}");
}
