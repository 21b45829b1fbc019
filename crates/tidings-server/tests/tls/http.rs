//! Pages, WebSocket and SockJS over TLS.

use std::sync::atomic::{AtomicU32, Ordering};

use tidings_server::config::ClientCertificates;
use tidings_websocket::{Opcode, write_frame};

use crate::certificates::Authority;
use crate::client::{Client, sizes_that_fill_sockets};
use crate::server::{Running, large_page};

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
fn the_certificate_of_a_proxy_proves_none_of_its_clients() {
    let signer = Authority::new("clients");
    let running = Running::with(|config, folder| {
        config.tls.client_certificates = ClientCertificates::Required;
        config.tls.client_ca = Some(folder.write("clients.pem", &signer.pem()));
        config.server.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    });
    let proxy = signer.sign("proxy");
    for (told, is_own) in [("", true), ("x-forwarded-for: 192.0.2.1\r\n", false)] {
        let mut client = Client::new(running.http, running.authority.client(Some(&proxy)));
        client.write(format!(
            "GET /ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n{told}\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ));
        assert!(client.head().starts_with("http/1.1 101"));
        client.write(text("CONNECT\naccept-version:1.2\nhost:x\n\n"));
        let connected = String::from_utf8_lossy(&frame(&mut client).1).into_owned();
        assert!(connected.starts_with("CONNECTED\n"), "{connected}");
        assert_eq!(connected.contains("user-name:proxy"), is_own, "{connected}");
    }
}

/// A client of SockJS that streams, and one that sends to the same session and listens to `/topic/a`.
struct Streaming {
    listener: Client,
    sender: Client,
    session: String,
    /// The session is of who has it.
    cookie: String,
}

impl Streaming {
    fn start(running: &Running, listener: Client) -> Self {
        Self::with(running, listener, "")
    }

    /// The connection of the listener ends with its stream.
    fn closing(running: &Running, listener: Client) -> Self {
        Self::with(running, listener, "connection: close\r\n")
    }

    fn with(running: &Running, mut listener: Client, header: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let session = format!("/ws/000/streaming{count}");
        listener.write(format!(
            "POST {session}/xhr_streaming HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n{header}\r\n"
        ));
        let head = listener.head();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
        let mut streaming = Self {
            cookie: cookie.expect("a cookie").to_owned(),
            session,
            listener,
            sender: https(running),
        };
        assert_eq!(streaming.listener.chunk().len(), 2049);
        assert_eq!(streaming.listener.chunk(), b"o\n");
        streaming.send("CONNECT\naccept-version:1.2\nhost:x\n\n");
        assert!(streaming.listener.chunk().starts_with(b"a[\"CONNECTED"));
        streaming.send("SUBSCRIBE\nid:0\ndestination:/topic/a\nreceipt:s\n\n");
        assert!(streaming.listener.chunk().starts_with(b"a[\"RECEIPT"));
        streaming
    }

    fn send(&mut self, frame: &str) {
        let body = messages(&[frame]);
        self.sender.write(format!(
            "POST {}/xhr_send HTTP/1.1\r\nhost: h\r\ncookie: {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.session,
            self.cookie,
            body.len()
        ));
        let (head, _) = self.sender.answer();
        assert!(head.starts_with("http/1.1 204"), "{head}");
    }

    fn publish(&mut self, body: &str) {
        self.send(&format!("SEND\ndestination:/topic/a\n\n{body}"));
    }
}

#[test]
fn sockjs_streams() {
    let running = Running::start();
    let mut streaming = Streaming::start(&running, https(&running));
    for size in [1, 16_200, 16_384, 90_000] {
        let body = "x".repeat(size);
        streaming.publish(&body);
        let message = streaming.listener.chunk();
        let end = format!("{body}\\u0000\"]\n");
        assert!(message.ends_with(end.as_bytes()), "{size}");
    }
}

#[test]
fn a_slow_reader_of_a_stream_gets_every_message_in_order() {
    let running = Running::with(|config, _| {
        config.sockjs.stream_bytes_limit = 64 << 20;
        config.sockjs.message_cache_bytes = 64 << 20;
    });
    let narrow = Client::narrow(running.http, running.trust());
    let mut streaming = Streaming::start(&running, narrow);
    for at in 0..80 {
        streaming.publish(&format!("{at:0>60000}"));
    }
    let mut heard = String::new();
    while !heard.ends_with(&format!("{:0>60000}\\u0000\"]\n", 79)) {
        heard += &String::from_utf8(streaming.listener.chunk()).expect("text");
    }
    let mut rest = heard.as_str();
    for at in 0..80 {
        let body = format!("\\n\\n{at:0>60000}\\u0000");
        let place = rest.find(&body);
        rest = &rest[place.unwrap_or_else(|| panic!("message {at} is missing"))..];
    }
}

#[test]
fn a_stream_that_has_ended_comes_back_to_http_when_it_is_read() {
    let running = Running::with(|config, _| config.sockjs.stream_bytes_limit = 4096);
    let narrow = Client::narrow(running.http, running.trust());
    let mut streaming = Streaming::start(&running, narrow);
    streaming.publish(&"x".repeat(900_000));
    let mut listener = streaming.listener;
    assert!(listener.chunk().ends_with(b"x\\u0000\"]\n"));
    assert_eq!(listener.chunk(), b"");
    listener.write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    assert_eq!(listener.answer().1, "a page");
}

#[test]
fn a_stream_that_closes_its_connection_is_read_to_its_end() {
    let running = Running::with(|config, _| {
        config.stomp.max_body_bytes = 16 << 20;
        config.sockjs.max_payload_bytes = 16 << 20;
        config.sockjs.message_cache_bytes = 64 << 20;
        config.sockjs.stream_bytes_limit = 4096;
    });
    for size in sizes_that_fill_sockets() {
        let narrow = Client::narrow(running.http, running.trust());
        let mut streaming = Streaming::closing(&running, narrow);
        streaming.publish(&"x".repeat(size));
        let mut listener = streaming.listener;
        assert!(listener.chunk().ends_with(b"x\\u0000\"]\n"), "{size}");
        assert_eq!(listener.rest().expect("a clean end"), b"0\r\n\r\n");
    }
}

#[test]
fn a_client_that_ends_its_stream_is_missed_at_once() {
    let running = Running::start();
    let mut streaming = Streaming::start(&running, https(&running));
    // A request behind the stream must not hide the end.
    streaming
        .listener
        .write("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    streaming.listener.tls().send_close_notify();
    streaming.listener.write("");
    running.counts("tidings_disconnects_total{reason=\"connection-reset\"}", 1);
}

#[test]
fn a_large_page_reaches_a_slow_reader() {
    let running = Running::start();
    let mut slow = Client::narrow(running.http, running.trust());
    for _ in 0..2 {
        slow.write("GET /large HTTP/1.1\r\nhost: h\r\n\r\n");
        assert!(slow.answer().1 == large_page());
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

#[test]
fn a_page_without_tls_is_another_origin() {
    let running = Running::start();
    for (scheme, status) in [("https", "101"), ("http", "403")] {
        let mut client = https(&running);
        client.write(format!(
            "GET /ws HTTP/1.1\r\nhost: h\r\norigin: {scheme}://h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        ));
        let head = client.head();
        assert!(
            head.starts_with(&format!("http/1.1 {status} ")),
            "{scheme}: {head}"
        );
    }
}
