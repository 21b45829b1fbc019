//! Pages, WebSocket and SockJS over TLS.

use tidings_websocket::{Opcode, write_frame};

use crate::client::Client;
use crate::server::Running;

fn https(running: &Running) -> Client {
    Client::new(running.http, running.trust())
}

fn post(client: &mut Client, path: &str, body: &str) {
    client.write(format!(
        "POST {path} HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
}

/// Messages of SockJS with these frames.
fn messages(frames: &[&str]) -> String {
    let quoted: Vec<_> = frames
        .iter()
        .map(|frame| format!("\"{}\\u0000\"", frame.replace('\n', "\\n")))
        .collect();
    format!("[{}]", quoted.join(","))
}

#[test]
fn urls_say_what_is_spoken() {
    let running = Running::start();
    let schemes: Vec<_> = running
        .urls
        .iter()
        .map(|url| url.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(schemes, ["https", "stomp+ssl", "http"]);
}

#[test]
fn pages_are_served_one_after_the_other() {
    let running = Running::start();
    let mut client = https(&running);
    for _ in 0..3 {
        client.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        assert_eq!(client.answer().1, "a page");
    }
    client.write("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
    let rest = client.rest().expect("a clean end");
    assert!(rest.ends_with(b"a page"));
}

#[test]
fn http_1_1_is_agreed() {
    let running = Running::start();
    let mut config = (*running.trust()).clone();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut client = Client::new(running.http, config.into());
    client.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer().1, "a page");
    assert_eq!(client.tls().alpn_protocol(), Some(&b"http/1.1"[..]));
}

fn text(frame: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let payload = format!("{frame}\0");
    let mask = Some([1, 2, 3, 4]);
    write_frame(
        &mut out,
        Opcode::Text,
        true,
        false,
        payload.as_bytes(),
        mask,
    );
    out
}

/// The payload of the next frame of WebSocket, with its opcode.
fn frame(client: &mut Client) -> (u8, Vec<u8>) {
    let head = client.exactly(2);
    let length = match head[1] {
        126 => u64::from(u16::from_be_bytes(
            client.exactly(2).try_into().expect("two"),
        )),
        127 => u64::from_be_bytes(client.exactly(8).try_into().expect("eight")),
        length => length.into(),
    };
    (head[0] & 0xf, client.exactly(length as usize))
}

#[test]
fn a_websocket_carries_stomp() {
    let mut running = Running::start();
    let mut client = https(&running);
    let handshake = "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    // What comes right behind the handshake counts, too.
    let connect = text("CONNECT\naccept-version:1.2\nhost:x\n\n");
    client.write([handshake.as_bytes(), &connect].concat());
    assert!(client.head().starts_with("http/1.1 101"));
    assert!(frame(&mut client).1.starts_with(b"CONNECTED\n"));
    client.write(text("SUBSCRIBE\nid:0\ndestination:/topic/a\n\n"));
    for size in [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 900_000] {
        let body = "x".repeat(size);
        client.write(text(&format!("SEND\ndestination:/topic/a\n\n{body}")));
        let (_, message) = frame(&mut client);
        assert!(
            message.ends_with(format!("\n\n{body}\0").as_bytes()),
            "{size}"
        );
    }
    running.stop();
    let (opcode, _) = frame(&mut client);
    assert_eq!(opcode, 8);
    assert_eq!(client.rest().expect("a clean end"), b"");
}

#[test]
fn sockjs_streams() {
    let running = Running::start();
    let (mut listener, mut sender) = (https(&running), https(&running));
    post(&mut listener, "/ws/000/session1/xhr_streaming", "");
    let head = listener.head();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    // The session is of who has this cookie.
    let cookie = head
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next())
        .map(str::to_owned);
    assert_eq!(listener.chunk().len(), 2049);
    assert_eq!(listener.chunk(), b"o\n");
    let mut send = |frames: &[&str]| {
        let body = messages(frames);
        let cookie = cookie.as_deref().unwrap_or("none=none");
        sender.write(format!(
            "POST /ws/000/session1/xhr_send HTTP/1.1\r\nhost: h\r\ncookie: {cookie}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        let (head, _) = sender.answer();
        assert!(head.starts_with("http/1.1 204"), "{head}");
    };
    send(&[
        "CONNECT\naccept-version:1.2\nhost:x\n\n",
        "SUBSCRIBE\nid:0\ndestination:/topic/a\n\n",
    ]);
    assert!(listener.chunk().starts_with(b"a[\"CONNECTED"));
    for size in [1, 16_200, 16_384, 90_000] {
        let body = "x".repeat(size);
        send(&[&format!("SEND\ndestination:/topic/a\n\n{body}")]);
        let message = listener.chunk();
        assert!(
            message.ends_with(format!("{body}\\u0000\"]\n").as_bytes()),
            "{size}"
        );
    }
}

#[test]
fn a_connection_that_polls_comes_back_to_http() {
    let running = Running::start();
    let mut client = https(&running);
    post(&mut client, "/ws/000/session2/xhr", "");
    assert_eq!(client.answer().1, "o\n");
    client.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(client.answer().1, "a page");
}
