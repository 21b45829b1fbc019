//! One connection of HTTP for many requests, of every kind.

use std::io::Write;
use std::time::Instant;

use crate::peer::{
    Http, Opcode, PATIENCE, Peer, Response, Server, SockFrame, Version, WebSocket, WsFrame,
    frame_of, fresh_url,
};

const CONNECT: &str = "[\"CONNECT\\naccept-version:1.2\\nhost:h\\n\\n\\u0000\"]";

#[test]
fn one_connection_carries_pages_polls_and_sending_and_becomes_a_websocket() {
    let server = Server::start();
    let url = fresh_url();
    let (xhr, send) = (format!("{url}/xhr"), format!("{url}/xhr_send"));
    let mut http = server.http();
    for round in 0..3 {
        assert_eq!(http.get("/ws/info", &[]).status, 200);
        if round == 0 {
            assert_eq!(frame_of(&http.post(&xhr, &[], "").rest), SockFrame::Open);
            assert_eq!(http.post(&send, &[], CONNECT).status, 204);
        } else {
            let frame = "[\"SEND\\ndestination:/topic/a\\nreceipt:r\\n\\n\\u0000\"]";
            assert_eq!(http.post(&send, &[], frame).status, 204);
        }
        let heard = http.post(&xhr, &[], "");
        assert!(matches!(frame_of(&heard.rest), SockFrame::Messages(_)));
        assert_eq!(http.get("/", &[]).status, 200);
        assert_eq!(http.get("/ws", &[]).status, 200);
        assert_eq!(http.get("/nowhere", &[]).status, 404);
    }
    let websocket = WebSocket::open_on(http.into_stream(), &[], b"");
    let mut peer = Peer::over_websocket(websocket.expect("it opens"));
    peer.connect(Version::V12);
    peer.expect_nothing();
}

/// A request as it stands on the wire.
fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn pipelined(server: &Server, requests: &[String], write: impl Fn(&mut Http, &[u8])) -> Http {
    let mut http = server.http();
    write(&mut http, requests.concat().as_bytes());
    http
}

fn mixed(url: &str) -> Vec<String> {
    let send = |body: &str| request("POST", &format!("{url}/xhr_send"), body);
    let poll = || request("POST", &format!("{url}/xhr"), "");
    vec![
        request("GET", "/ws/info", ""),
        poll(),
        send(CONNECT),
        poll(),
        request("GET", "/", ""),
        send("[\"SEND\\ndestination:/topic/a\\nreceipt:r\\n\\n\\u0000\"]"),
        poll(),
        request("GET", "/ws", ""),
    ]
}

fn assert_mixed(http: &mut Http) {
    assert_eq!(http.answer().status, 200);
    assert_eq!(frame_of(&http.answer().rest), SockFrame::Open);
    assert_eq!(http.answer().status, 204);
    assert!(http.answer().text().starts_with("a[\"CONNECTED\\n"));
    assert_eq!(http.answer().status, 200);
    assert_eq!(http.answer().status, 204);
    assert_eq!(
        http.answer().text(),
        "a[\"RECEIPT\\nreceipt-id:r\\n\\n\\u0000\"]\n"
    );
    assert_eq!(http.answer().text(), "Welcome to SockJS!\n");
}

#[test]
fn requests_that_do_not_wait_are_answered_in_their_order() {
    let server = Server::start();
    let mut http = pipelined(&server, &mixed(&fresh_url()), |http, octets| {
        http.write(octets).expect("they are written");
    });
    assert_mixed(&mut http);
}

#[test]
fn requests_in_single_octets_are_answered_in_their_order() {
    let server = Server::start();
    let mut http = pipelined(&server, &mixed(&fresh_url()), |http, octets| {
        for octet in octets {
            http.write(&[*octet]).expect("it is written");
        }
    });
    assert_mixed(&mut http);
}

#[test]
fn a_handshake_behind_a_poll_waits_for_the_end_of_the_poll() {
    let server = Server::start();
    let url = fresh_url();
    let mut http = server.http();
    let poll = request("POST", &format!("{url}/xhr"), "");
    let handshake = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let behind = "CONNECT\naccept-version:1.2\nhost:h\n\n\0";
    let behind = WsFrame::new(Opcode::TEXT, behind).encode();
    let requests = [poll.repeat(2).as_bytes(), handshake.as_bytes(), &behind].concat();
    http.write(&requests).expect("they are written");
    assert_eq!(frame_of(&http.answer().rest), SockFrame::Open);
    let send = format!("{url}/xhr_send");
    assert_eq!(server.http().post(&send, &[], CONNECT).status, 204);
    assert!(http.answer().text().starts_with("a[\"CONNECTED\\n"));
    assert_eq!(http.answer().status, 101);
    let frame = http.read_octets(Instant::now() + PATIENCE);
    // Two octets of WebSocket, or four, then the payload.
    let frame = String::from_utf8_lossy(&frame.expect("a frame comes")).into_owned();
    assert!(frame.contains("CONNECTED\n"), "{frame:?}");
}

#[test]
fn a_stream_in_the_middle_of_a_connection_ends_and_leaves_it_usable() {
    let server = Server::configured("[sockjs]\nstream_bytes_limit = \"1KiB\"\n");
    let url = fresh_url();
    let mut http = server.http();
    let stream = request("POST", &format!("{url}/xhr_streaming"), "");
    let info = request("GET", "/ws/info", "");
    http.write(format!("{info}{stream}{info}").as_bytes())
        .expect("they are written");
    assert_eq!(http.answer().status, 200);
    let deadline = Instant::now() + PATIENCE;
    assert_eq!(http.read_head(deadline).expect("it begins").status, 200);
    let mut sender = server.http();
    let mut next = || http.read_chunk(deadline).expect("a chunk comes");
    assert_eq!(next().len(), 2049);
    assert_eq!(next(), b"o\n");
    let send = format!("{url}/xhr_send");
    assert_eq!(sender.post(&send, &[], CONNECT).status, 204);
    assert!(next().starts_with(b"a[\"CONNECTED"));
    let receipt = "r".repeat(1_000);
    let frame = format!("[\"SEND\\ndestination:/topic/a\\nreceipt:{receipt}\\n\\n\\u0000\"]");
    assert_eq!(sender.post(&send, &[], &frame).status, 204);
    assert!(next().starts_with(b"a[\"RECEIPT"));
    assert_eq!(next(), b"", "the limit is reached");
    assert_eq!(http.answer().status, 200, "the page behind the stream");
}

#[test]
fn connection_close_is_heeded() {
    let server = Server::start();
    let close = [("Connection", "close")];
    for (method, path) in [
        ("GET", "/ws/info".to_owned()),
        ("POST", fresh_url() + "/xhr"),
        ("POST", fresh_url() + "/xhr_send"),
    ] {
        let mut http = server.http();
        let answer = http.ask(method, &path, &close, b"");
        assert_eq!(answer.header("connection"), Some("close"), "{path}");
        http.expect_end();
    }
}

#[test]
fn http_1_0_gets_its_answers_too() {
    let server = Server::start();
    let url = fresh_url();
    let poll = format!("POST {url}/xhr HTTP/1.0\r\nHost: h\r\n\r\n");
    let answer = Response::until_end(server.http, poll.as_bytes());
    let answer = String::from_utf8(answer).expect("it is text");
    assert!(answer.ends_with("\r\n\r\no\n"), "{answer}");
    assert!(
        !answer.to_lowercase().contains("transfer-encoding"),
        "{answer}"
    );
    let mut stream = server.http_stream();
    let kept = format!(
        "POST {url}/xhr_send HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\n[\"\\n\"]"
    );
    stream.write_all(kept.as_bytes()).expect("it is written");
    let mut http = Http::on(stream);
    assert_eq!(http.answer().status, 204);
    assert_eq!(http.get("/ws/info", &[]).status, 200);
}
