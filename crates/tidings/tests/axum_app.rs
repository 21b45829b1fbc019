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

    /// Sends a frame of STOMP in one of WebSocket, masked with zeros.
    async fn stomp(&mut self, frame: &str) {
        let length = u8::try_from(frame.len() + 1).expect("it is short");
        let mut bytes = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        bytes.extend(frame.as_bytes());
        bytes.push(0);
        self.send(&bytes).await;
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
    stranger.until(b"user=ada\n").await;

    let mut ada = open().await;
    loop {
        ada.send(
            b"GET /messaging/ws HTTP/1.1\r\nhost: h\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
              sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
              cookie: user=ada\r\n\r\n",
        )
        .await;
        let head = ada.until(b"\r\n\r\n").await;
        if head.starts_with("HTTP/1.1 101") {
            break;
        }
        // HTTP is there a little earlier.
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        ada.until(b"connect again soon\n").await;
    }
    ada.stomp("CONNECT\naccept-version:1.2\nhost:h\n\n").await;
    ada.is_told(&["CONNECTED\n", "user-name:ada\n", "\n\n"])
        .await;
    for topic in ["announcements", "shout"] {
        ada.stomp(&format!(
            "SUBSCRIBE\nid:{topic}\ndestination:/topic/{topic}\nreceipt:{topic}\n\n"
        ))
        .await;
        ada.is_told(&["RECEIPT\n", "\n\n"]).await;
    }

    let mut bob = open().await;
    bob.send(
        b"POST /announcements HTTP/1.1\r\nhost: h\r\ncookie: a=b; user=bob\r\n\
          content-type: application/json\r\ncontent-length: 16\r\n\r\n{\"text\":\"lunch\"}",
    )
    .await;
    assert!(bob.until(b"\r\n\r\n").await.starts_with("HTTP/1.1 202"));
    ada.is_told(&["subscription:announcements\n", "{\"text\":\"bob: lunch\"}"])
        .await;
    ada.stomp("SEND\ndestination:/app/shout\n\nhello").await;
    ada.is_told(&["subscription:shout\n", "ada: HELLO"]).await;

    stop.send(()).expect("it serves");
    // The close frame of the drain.
    ada.until(b"\x03\xe9shutdown").await;
    drop(ada);
    let ended = soon(serving).await.expect("no panic");
    assert!(ended.is_ok(), "{ended:?}");
}
