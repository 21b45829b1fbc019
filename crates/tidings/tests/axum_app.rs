//! The example `axum_app`, served and used.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

#[path = "../examples/axum_app.rs"]
#[expect(dead_code, reason = "the test does what its main does")]
mod axum_app;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it comes in time")
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it reads");
    }

    async fn until(&mut self, end: &[u8]) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end) {
            bytes.push(soon(self.0.read_u8()).await.expect("more comes"));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn get(&mut self, path: &str, cookie: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nhost: h\r\ncookie: {cookie}\r\n\r\n");
        self.send(head.as_bytes()).await;
    }

    async fn post(&mut self, path: &str, cookie: &str, json: &str) {
        let length = json.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\ncookie: {cookie}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}"
        );
        self.send(request.as_bytes()).await;
    }

    /// Signs in, and gives the cookie.
    async fn signed_in(mut self, user: &str, password: &str) -> String {
        let login = format!(r#"{{"user":"{user}","password":"{password}"}}"#);
        self.post("/login", "", &login).await;
        let head = self.until(b"\r\n\r\n").await;
        let mut lines = head.lines();
        let cookie = lines.find_map(|line| line.strip_prefix("set-cookie: "));
        let (cookie, rest) = cookie
            .and_then(|cookie| cookie.split_once(';'))
            .expect("a cookie");
        assert!(rest.contains("HttpOnly; SameSite=Lax"), "{rest}");
        cookie.to_owned()
    }

    /// Becomes a client of STOMP, as the user of the cookie.
    async fn connect(&mut self, cookie: &str, user: &str) {
        let request = format!(
            "GET /messaging/ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             cookie: {cookie}\r\n\r\n"
        );
        loop {
            self.send(request.as_bytes()).await;
            let head = self.until(b"\r\n\r\n").await;
            if head.starts_with("HTTP/1.1 101") {
                break;
            }
            // HTTP is there a little earlier.
            assert!(head.starts_with("HTTP/1.1 503"), "{head}");
            self.until(b"connect again soon\n").await;
        }
        self.stomp("CONNECT\naccept-version:1.2\nhost:h\n\n").await;
        let name = format!("user-name:{user}\n");
        self.is_told(&["CONNECTED\n", &name, "\n\n"]).await;
    }

    /// Sends a frame of STOMP in one of WebSocket, masked with zeros.
    async fn stomp(&mut self, frame: &str) {
        let length = u8::try_from(frame.len() + 1).expect("it is short");
        let mut bytes = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        bytes.extend(frame.as_bytes());
        bytes.push(0);
        self.send(&bytes).await;
    }

    async fn hears_error(&mut self, code: &str) {
        let frame = self.until(b"\n\n").await;
        let code = format!("\ncode:{code}\n");
        assert!(
            frame.contains("ERROR\n") && frame.contains(&code),
            "{frame:?}"
        );
    }

    /// The next frame has all `parts`, the last of them at its end.
    async fn is_told(&mut self, parts: &[&str]) {
        let end = format!("{}\0", parts[parts.len() - 1]);
        let frame = self.until(end.as_bytes()).await;
        for part in parts {
            assert!(frame.contains(part), "no {part:?} in {frame:?}");
        }
    }
}

#[tokio::test]
async fn an_announcement_by_http_reaches_those_who_are_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(axum_app::serve(listener, async { drop(stopped.await) }));
    let open = async || Client(TcpStream::connect(address).await.expect("it listens"));

    let mut stranger = open().await;
    stranger.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert!(
        stranger
            .until(b"\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 401")
    );
    stranger.until(b"/login\n").await;
    stranger
        .post("/login", "", r#"{"user":"ada","password":"?"}"#)
        .await;
    let head = stranger.until(b"\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");

    let ada_cookie = open().await.signed_in("ada", "lovelace").await;
    let bob_cookie = open().await.signed_in("bob", "builder").await;
    let mut ada = open().await;
    ada.connect(&ada_cookie, "ada").await;
    for topic in ["announcements", "shout", "staff/rota"] {
        ada.stomp(&format!(
            "SUBSCRIBE\nid:{topic}\ndestination:/topic/{topic}\nreceipt:{topic}\n\n"
        ))
        .await;
        ada.is_told(&["RECEIPT\n", "\n\n"]).await;
    }

    let mut http = open().await;
    for (cookie, answer) in [(&bob_cookie, "HTTP/1.1 403"), (&ada_cookie, "HTTP/1.1 202")] {
        http.post("/announcements", cookie, r#"{"text":"lunch"}"#)
            .await;
        let head = http.until(b"\r\n\r\n").await;
        assert!(head.starts_with(answer), "{head}");
        if cookie == &bob_cookie {
            http.until(b"ask the staff\n").await;
        }
    }
    ada.is_told(&["subscription:announcements\n", "{\"text\":\"ada: lunch\"}"])
        .await;

    let mut bob = open().await;
    bob.connect(&bob_cookie, "bob").await;
    bob.stomp("SEND\ndestination:/app/shout\n\nhello").await;
    ada.is_told(&["subscription:shout\n", "bob: HELLO"]).await;
    ada.stomp("SEND\ndestination:/app/shout\n\nquiet").await;
    ada.is_told(&["subscription:shout\n", "ada: QUIET!"]).await;
    bob.stomp("SUBSCRIBE\nid:1\ndestination:/topic/staff/rota\n\n")
        .await;
    bob.hears_error("forbidden").await;

    let mut bob = open().await;
    bob.connect(&bob_cookie, "bob").await;
    http.post("/logout", &bob_cookie, "").await;
    let head = http.until(b"\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    bob.hears_error("revoked").await;
    http.get("/", &bob_cookie).await;
    let head = http.until(b"\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");

    stop.send(()).expect("it serves");
    // The close frame of the drain.
    ada.until(b"\x03\xe9shutdown").await;
    drop(ada);
    let ended = soon(serving).await.expect("no panic");
    assert!(ended.is_ok(), "{ended:?}");
}
