//! Headers by which proxies tell of clients.

use crate::server::{Client, Running, value};

fn one_each() -> Running {
    Running::behind_proxy(|config| config.server.max_connections_per_address = 1)
}

#[test]
fn a_websocket_counts_among_those_of_the_client() {
    let server = one_each();
    let mut inside = server.handshake("x-forwarded-for: 198.51.100.66, 192.0.2.1, 127.0.0.1\r\n");
    assert_eq!(inside.status(), 101);
    let mut second = server.handshake("forwarded: for=\"192.0.2.1:4711\";proto=https\r\n");
    let (head, body) = second.response();
    assert!(head.starts_with("http/1.1 429 "), "{head}");
    assert_eq!(value(&head, "retry-after"), Some("5"));
    assert!(body.contains("address"), "{body}");
    assert_eq!(
        server.handshake("x-forwarded-for: 192.0.2.2\r\n").status(),
        101
    );
    assert_eq!(
        server.handshake("").status(),
        101,
        "the proxy itself is not counted"
    );
    drop(inside);
    server.await_addresses(0);
}

#[test]
fn requests_of_many_clients_may_come_by_one_connection() {
    let server = Running::behind_proxy(|config| config.api.failed_keys_per_minute = 2);
    let mut proxy = Client::connect(server.http);
    let mut guess = |address: &str| {
        let headers = format!("authorization: Bearer wrong\r\nx-forwarded-for: {address}\r\n");
        proxy.get("/api/v1/sessions", &headers);
        let (head, _) = proxy.response();
        crate::server::status(&head)
    };
    assert_eq!(guess("192.0.2.1"), 401);
    assert_eq!(guess("192.0.2.2"), 401);
    assert_eq!(guess("192.0.2.1"), 401);
    assert_eq!(guess("192.0.2.1"), 429);
    assert_eq!(guess("192.0.2.2"), 401);
    assert_eq!(
        guess("192.0.2.3, 192.0.2.1"),
        429,
        "what stands left of it is the client's own"
    );
}

#[test]
fn what_an_untrusted_peer_says_is_ignored() {
    let server = Running::start(|config| {
        config.api.failed_keys_per_minute = 2;
        config.server.max_connections_per_address = 1;
    });
    let guess = |header: &str| {
        let mut client = Client::connect(server.http);
        client.get(
            "/api/v1/sessions",
            &format!("authorization: Bearer wrong\r\n{header}\r\n"),
        );
        client.status()
    };
    assert_eq!(guess("x-forwarded-for: 192.0.2.1"), 401);
    assert_eq!(guess("forwarded: for=192.0.2.2"), 401);
    assert_eq!(
        guess("x-forwarded-for: 192.0.2.3"),
        429,
        "all of them are 127.0.0.1"
    );
    let _inside = server.handshake("x-forwarded-for: 192.0.2.1\r\n");
    assert_eq!(
        server.handshake("x-forwarded-for: 192.0.2.1\r\n").status(),
        101
    );
    let origin = "x-forwarded-host: evil.example\r\norigin: https://evil.example\r\n";
    assert_eq!(server.handshake(origin).status(), 403);
}

#[test]
fn headers_that_contradict_each_other_are_refused() {
    let server = one_each();
    let both = "forwarded: for=198.51.100.66\r\nx-forwarded-for: 192.0.2.1\r\n";
    let (head, body) = server.handshake(both).response();
    assert!(head.starts_with("http/1.1 400 "), "{head}");
    assert!(body.contains("let the proxy remove"), "{body}");
    let same = "forwarded: for=192.0.2.1\r\nx-forwarded-for: 192.0.2.1\r\n";
    assert_eq!(server.handshake(same).status(), 101);
}

#[test]
fn the_site_is_that_which_the_client_sees() {
    let server = one_each();
    let status = |headers: &str| server.handshake(headers).status();
    let origin = "origin: https://app.example\r\n";
    assert_eq!(status(origin), 403);
    assert_eq!(
        status(&format!("{origin}x-forwarded-host: app.example\r\n")),
        101
    );
    let https = "x-forwarded-host: app.example\r\nx-forwarded-proto: https\r\n";
    assert_eq!(status(&format!("{origin}{https}")), 101);
    let http = "x-forwarded-host: app.example\r\nx-forwarded-proto: http\r\n";
    assert_eq!(status(&format!("{origin}{http}")), 403);
    let standard = "forwarded: for=192.0.2.9;host=app.example;proto=https\r\n";
    assert_eq!(status(&format!("{origin}{standard}")), 101);
}
