//! Requests that take their time, and what the client does meanwhile.

use std::sync::Arc;
use std::time::Duration;

use tidings::prelude::*;
use tidings_server::Connector;
use tidings_testkit::{Command, Frame, Link, TestServer, now, pass, run};
use tidings_websocket::{MessageKind, Opcode, message_frame, write_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// Answers after so many seconds.
fn router() -> Router {
    let slow = async |Path(seconds): Path<u32>| {
        pass(seconds * SECOND).await;
        SendToUser("/queue/done", "done").sender_only()
    };
    Router::new().message("slow/{seconds}", slow)
}

/// Messages of WebSocket, in one write.
fn messages(frames: &[String]) -> Vec<u8> {
    let messages = frames
        .iter()
        .map(|frame| message_frame(MessageKind::Text, frame.as_bytes(), Some([1, 2, 3, 4])));
    messages.flat_map(|message| message.to_vec()).collect()
}

fn send(destination: &str, receipt: &str, body: &str) -> String {
    format!("SEND\ndestination:{destination}\nreceipt:{receipt}\n\n{body}\0")
}

#[test]
fn what_came_before_the_close_of_a_websocket_is_answered_before_it() {
    run(async {
        let server = TestServer::start(router()).await;
        let mut ann = server.dial().over(Link::WebSocket).connect().await;
        ann.subscribe("/topic/a").await;
        let both = send("/topic/a", "2", "x") + &send("/topic/a", "3", "y");
        let mut bytes = messages(&[
            send("/app/slow/5", "1", ""),
            both,
            send("/topic/a", "4", "z"),
        ]);
        write_frame(
            &mut bytes,
            Opcode::Close,
            true,
            false,
            &[3, 232],
            Some([0; 4]),
        );
        let began = now();
        ann.send_raw(&bytes).await;
        assert_eq!(ann.frame().await.header("receipt-id"), Some("1"));
        assert!(now() - began >= 5 * SECOND);
        for (receipt, body) in [("2", "x"), ("3", "y"), ("4", "z")] {
            assert_eq!(ann.message().await.text(), body);
            assert_eq!(ann.frame().await.header("receipt-id"), Some(receipt));
        }
        assert_eq!(ann.closed().await, Some(1000));
        server.shutdown().await;
    });
}

#[test]
fn a_client_is_alive_while_it_waits_for_an_answer() {
    run(async {
        let server = TestServer::start(router()).await;
        for link in [Link::Tcp, Link::WebSocket] {
            let dial = server.dial().over(link);
            let mut ann = dial.heart_beat(SECOND, Duration::ZERO).connect().await;
            ann.subscribe("/user/queue/done").await;
            ann.send("/app/slow/25", "").await;
            for _ in 0..24 {
                pass(SECOND).await;
                ann.send_heart_beat().await;
            }
            assert_eq!(ann.message().await.text(), "done");
            ann.send_heart_beat().await;
            ann.silence(SECOND).await;
            assert_eq!(ann.error().await.code(), "heart-beat-missed");
        }
        server.shutdown().await;
    });
}

/// The body of the answer to a POST of its own connection.
async fn post(connector: Connector, path: String, body: String) -> String {
    let mut connection = connector.connect_http().await.expect("it listens");
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection
        .write_all(request.as_bytes())
        .await
        .expect("it is open");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("text");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    body.to_owned()
}

/// A client of SockJS that polls.
struct Polling {
    connector: Connector,
    session: String,
}

impl Polling {
    async fn connect(server: &TestServer, name: &str) -> Self {
        let polling = Self {
            connector: server.connector(),
            session: format!("/ws/000/{name}"),
        };
        assert_eq!(polling.poll().await, "o\n");
        polling
    }

    async fn poll(&self) -> String {
        post(
            self.connector.clone(),
            format!("{}/xhr", self.session),
            String::new(),
        )
        .await
    }

    async fn say(&self, frames: &[&str]) {
        let frames: Vec<_> = frames.iter().map(|frame| (*frame).to_owned()).collect();
        let body = serde_json::to_string(&frames).expect("text");
        post(
            self.connector.clone(),
            format!("{}/xhr_send", self.session),
            body,
        )
        .await;
    }
}

#[test]
fn a_client_of_sockjs_is_alive_while_it_waits_for_an_answer() {
    run(async {
        let server = TestServer::start(router()).await;
        let ann = Polling::connect(&server, "ann").await;
        ann.say(&["CONNECT\naccept-version:1.2\nhost:x\nheart-beat:1000,0\n\n\0"])
            .await;
        assert!(ann.poll().await.contains("CONNECTED"));
        let slow = send("/app/slow/25", "1", "");
        ann.say(&[&slow, &send("/topic/a", "2", "")]).await;
        // It is answered when the request is, as all that its client says after that.
        let (answer, ()) = tokio::join!(ann.poll(), ann.say(&["\n"]));
        assert!(answer.contains("receipt-id:1"), "{answer}");
        assert!(answer.contains("receipt-id:2"), "{answer}");
        server.shutdown().await;
    });
}

/// So many items of 10 kB, whenever it is asked.
struct Flood(usize);

impl futures_core::Stream for Flood {
    type Item = String;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<String>> {
        self.0 -= usize::from(self.0 > 0);
        std::task::Poll::Ready((self.0 > 0).then(|| "x".repeat(10_000)))
    }
}

#[test]
fn a_stream_waits_for_a_client_that_polls_now_and_then() {
    run(async {
        let router = Router::new().subscribe("flood", async || ReplyStream(Flood(1_001)));
        let server = TestServer::builder()
            .application(router)
            .config(|config| config.sockjs.disconnect_delay = 60 * SECOND)
            .start()
            .await;
        let ann = Polling::connect(&server, "ann").await;
        ann.say(&["CONNECT\naccept-version:1.2\nhost:x\n\n\0"])
            .await;
        assert!(ann.poll().await.contains("CONNECTED"));
        ann.say(&["SUBSCRIBE\nid:1\ndestination:/app/flood\n\n\0"])
            .await;
        let (mut heard, mut polls) = (0, 0);
        while heard < 1_000 {
            pass(10 * SECOND).await;
            heard += ann.poll().await.matches("MESSAGE\\n").count();
            polls += 1;
        }
        assert!((10..100).contains(&polls), "{polls}");
        server.shutdown().await;
    });
}

/// Lets nobody in before a while has passed.
fn slow_door(seconds: u32) -> Router {
    let door = move |frame: Frame, _: Arc<Session>| async move {
        pass(seconds * SECOND).await;
        Ok(frame)
    };
    router().interceptor([Command::Connect], door)
}

const EAGER: &[u8] = b"CONNECT\naccept-version:1.2\nhost:x\nlogin:ann\n\n\0\
    SUBSCRIBE\nid:1\ndestination:/topic/a\n\n\0\
    SEND\ndestination:/topic/a\nreceipt:1\n\nhello\0";

#[test]
fn who_does_not_wait_for_connected_is_served_when_it_is_let_in() {
    run(async {
        // Longer than it has to CONNECT.
        let server = TestServer::start(slow_door(20)).await;
        for link in [Link::Tcp, Link::WebSocket] {
            let mut ann = server.dial().over(link).open().await;
            ann.send_bytes(EAGER).await;
            ann.silence(19 * SECOND).await;
            assert_eq!(ann.frame().await.command, Command::Connected);
            assert_eq!(ann.message().await.text(), "hello");
            assert_eq!(ann.frame().await.header("receipt-id"), Some("1"));
        }
        server.shutdown().await;
    });
}

#[test]
fn who_leaves_or_is_told_to_before_it_is_let_in_leaves_nothing_behind() {
    run(async {
        let (listener, mut events) = EventStream::new(100);
        let server = TestServer::start(slow_door(5).on_event(listener)).await;
        let mut gone = server.dial().open().await;
        gone.send_bytes(EAGER).await;
        drop(gone);
        pass(10 * SECOND).await;
        let template = server.template();
        assert_eq!(template.send_to_user("ann", "/queue/a", "x").ok(), Some(0));
        assert_eq!(template.send_counted("/topic/a", "x").await.ok(), Some(0));
        // It keeps the listener.
        drop(template);
        let mut told = server.dial().open().await;
        told.send_bytes(EAGER).await;
        pass(SECOND).await;
        let ((), goodbye) = tokio::join!(server.shutdown(), told.error());
        assert_eq!(goodbye.code(), "shutdown");
        let mut heard = Vec::new();
        while let Some(event) = events.next().await {
            heard.push(match event {
                Event::Connect { .. } => "connect".to_owned(),
                Event::Connected { .. } => "connected".to_owned(),
                Event::Subscribed { .. } => "subscribed".to_owned(),
                Event::Unsubscribed { .. } => "unsubscribed".to_owned(),
                Event::Disconnected { reason, .. } => reason.to_string(),
                other => format!("{other:?}"),
            });
        }
        // What it had sent is done, as it is for who closes only its own side.
        let gone = [
            "connect",
            "connected",
            "subscribed",
            "unsubscribed",
            "connection-reset",
        ];
        assert_eq!(heard, [&gone[..], &["connect", "shutdown"]].concat());
    });
}
