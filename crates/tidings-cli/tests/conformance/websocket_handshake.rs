//! From HTTP to WebSocket: sub-protocols, origins, refusals.

use std::time::{Duration, Instant};

use crate::peer::{Opcode, Peer, Response, Server, Version, WebSocket, WsFrame};

/// The sub-protocol that the server chooses from this list.
fn chosen(server: &Server, offered: &[&str]) -> Option<String> {
    let headers: Vec<_> = offered
        .iter()
        .map(|list| ("Sec-WebSocket-Protocol", *list))
        .collect();
    let websocket = WebSocket::open(server.http, &headers).expect("any list is accepted");
    websocket
        .response
        .header("sec-websocket-protocol")
        .map(str::to_owned)
}

#[test]
fn the_first_known_sub_protocol_is_chosen() {
    let server = Server::start();
    let table: [(&[&str], Option<&str>); 10] = [
        (&[], None),
        (&["v12.stomp"], Some("v12.stomp")),
        (&["v11.stomp"], Some("v11.stomp")),
        (&["v10.stomp"], Some("v10.stomp")),
        (&["v10.stomp, v11.stomp, v12.stomp"], Some("v10.stomp")),
        (&["v12.stomp,v11.stomp"], Some("v12.stomp")),
        (&["mqtt, v11.stomp"], Some("v11.stomp")),
        (&["mqtt", "v12.stomp"], Some("v12.stomp")),
        (&["mqtt, amqp"], None),
        (&["v13.stomp"], None),
    ];
    for (offered, expected) in table {
        assert_eq!(chosen(&server, offered).as_deref(), expected, "{offered:?}");
    }
}

#[test]
fn the_case_of_a_sub_protocol_does_not_matter() {
    let server = Server::start();
    let found = chosen(&server, &["V12.STOMP"]).expect("it is known");
    assert!(found.eq_ignore_ascii_case("v12.stomp"));
}

#[test]
fn the_sub_protocol_does_not_decide_the_version() {
    let server = Server::start();
    let offer = [("Sec-WebSocket-Protocol", "v12.stomp")];
    let websocket = WebSocket::open(server.http, &offer).expect("it is known");
    Peer::over_websocket(websocket).connect(Version::V10);
}

/// What the server answers to a handshake with `header` set to `value`, or without it.
fn answer(server: &Server, header: &str, value: Option<&str>) -> Response {
    let others = WebSocket::HANDSHAKE
        .into_iter()
        .filter(|(name, _)| *name != header);
    let headers: Vec<_> = others.chain(value.map(|value| (header, value))).collect();
    WebSocket::request(server.http, "GET", &headers)
}

#[test]
fn a_handshake_without_its_headers_is_a_bad_request() {
    let server = Server::start();
    let table = [
        ("Upgrade", None),
        ("Upgrade", Some("h2c")),
        ("Connection", None),
        ("Connection", Some("keep-alive")),
        ("Sec-WebSocket-Key", None),
        ("Sec-WebSocket-Key", Some("")),
        ("Sec-WebSocket-Key", Some("not base64, not sixteen")),
        ("Sec-WebSocket-Key", Some("c2hvcnQ=")),
    ];
    for (header, value) in table {
        assert_eq!(
            answer(&server, header, value).status,
            400,
            "{header}: {value:?}"
        );
    }
}

#[test]
fn header_values_are_lists_and_case_does_not_matter() {
    let server = Server::start();
    assert_eq!(
        answer(&server, "Connection", Some("keep-alive, Upgrade")).status,
        101
    );
    assert_eq!(answer(&server, "Connection", Some("upgrade")).status, 101);
    assert_eq!(answer(&server, "Upgrade", Some("WebSocket")).status, 101);
}

#[test]
fn another_websocket_version_is_told_the_right_one() {
    let server = Server::start();
    for version in [Some("8"), Some("14"), Some("")] {
        let refusal = answer(&server, "Sec-WebSocket-Version", version);
        assert_eq!(refusal.status, 426, "{version:?}");
        assert_eq!(refusal.header("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn only_get_is_allowed() {
    let server = Server::start();
    for method in ["POST", "PUT", "DELETE"] {
        let refusal = WebSocket::request(server.http, method, &WebSocket::HANDSHAKE);
        assert_eq!(refusal.status, 405, "{method}");
        let allowed = refusal.header("allow").unwrap_or_default();
        assert!(
            allowed.split(',').any(|method| method.trim() == "GET"),
            "{allowed:?}"
        );
    }
}

/// The status that a handshake from a page of `origin` gets.
fn status(server: &Server, origin: &str) -> u16 {
    match WebSocket::open(server.http, &[("Origin", origin)]) {
        Ok(_) => 101,
        Err(refusal) => refusal.status,
    }
}

#[test]
fn only_pages_of_the_same_origin_may_connect_by_default() {
    let server = Server::start();
    let own = server.http;
    // A proxy may hold TLS, so that the server does not know which scheme the page has.
    for scheme in ["http", "https"] {
        assert_eq!(status(&server, &format!("{scheme}://{own}")), 101);
    }
    let others = [
        format!("http://localhost:{}", own.port()),
        "http://127.0.0.1".to_owned(),
        "http://evil.example".to_owned(),
        format!("http://{own}.evil.example"),
        "null".to_owned(),
    ];
    for other in others {
        assert_eq!(status(&server, &other), 403, "{other:?}");
    }
}

#[test]
fn a_client_without_origin_is_no_page_and_may_connect() {
    let server = Server::start();
    server.websocket_session().expect_nothing();
}

#[test]
fn listed_origins_may_connect() {
    let server = Server::configured("[websocket]\nallowed_origins = [\"https://app.example\"]\n");
    assert_eq!(status(&server, "https://app.example"), 101);
    assert_eq!(status(&server, "https://APP.example"), 101);
    assert_eq!(status(&server, "https://app.example:8443"), 403);
    assert_eq!(status(&server, "http://app.example"), 403);
    assert_eq!(
        status(&server, &format!("http://{}", server.http)),
        101,
        "the same origin stays allowed"
    );
}

#[test]
fn any_origin_may_connect_if_so_configured() {
    let server = Server::configured("[websocket]\nallowed_origins = \"*\"\n");
    assert_eq!(status(&server, "https://anyone.example"), 101);
    assert_eq!(status(&server, "null"), 101);
}

#[test]
fn the_path_follows_the_configuration() {
    let server = Server::configured("[websocket]\npath = \"/elsewhere\"\n");
    let refusal = WebSocket::open(server.http, &[]).expect_err("/ws is not served");
    assert_eq!(refusal.status, 404);
}

#[test]
fn frames_right_behind_the_request_are_not_lost() {
    let server = Server::start();
    let connect = WsFrame::new(Opcode::TEXT, "CONNECT\naccept-version:1.2\n\n\0").encode();
    let websocket =
        WebSocket::open_and_send(server.http, &[], &connect).expect("the handshake is proper");
    let mut peer = Peer::over_websocket(websocket);
    peer.expect("CONNECTED");
}

#[test]
fn an_unfinished_request_is_cut_off() {
    let server = Server::configured("[websocket]\nhandshake_timeout = \"200ms\"\n");
    for start in [
        "",
        "GET /ws HTTP/1.1\r\n",
        "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n",
    ] {
        let end = Response::until_end(server.http, start.as_bytes());
        assert!(
            end.is_empty() || end.starts_with(b"HTTP/1.1 408"),
            "{}",
            end.escape_ascii()
        );
    }
    server.websocket_session().expect_nothing();
}

#[test]
fn a_handshake_that_fails_is_counted() {
    let server = Server::start();
    let refused = WebSocket::open(server.http, &[("Origin", "http://elsewhere.example")]);
    assert_eq!(refused.expect_err("another origin").status, 403);
    assert_eq!(server.disconnects("handshake-failed"), 1);
    drop(server.websocket_session());
    server.await_disconnects("connection-reset", 1);
    assert_eq!(server.disconnects("handshake-failed"), 1);
}

/// Regression: the time to CONNECT counted from the accept, so that a browser's old connection was cut at once.
#[test]
fn the_time_to_connect_begins_with_the_upgrade_also_on_an_old_connection() {
    const TIME: Duration = Duration::from_millis(400);
    let server = Server::configured("[stomp]\nconnect_timeout = \"400ms\"\n");
    let mut stream = server.http_stream();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.http);
    let start = Instant::now();
    while start.elapsed() <= TIME {
        Response::whole(&mut stream, request.as_bytes());
    }
    let websocket = WebSocket::open_on(stream, &[], b"").expect("the handshake is proper");
    let mut peer = Peer::over_websocket(websocket);
    peer.connect(Version::V12);
    peer.expect_nothing();
}

#[test]
fn what_is_no_http_is_a_handshake_that_failed() {
    let server = Server::start();
    let garbage: [&[u8]; 4] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /ws SPDY/9\r\n\r\n",
    ];
    for (count, garbage) in (1..).zip(garbage) {
        let answer = Response::until_end(server.http, garbage);
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"),
            "{}",
            answer.escape_ascii()
        );
        server.await_disconnects("handshake-failed", count);
        assert_eq!(server.disconnects("handshake-failed"), count);
    }
    server.websocket_session().expect_nothing();
}
