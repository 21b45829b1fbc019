//! WebSocket through the HTTP library of the application.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tidings_core::application::{Answer, Application, Event, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::sync::mpsc;

use crate::app::{App, Badge, Running};
use crate::client::{Client, handshake, text};

const WS: &str = "/messaging/ws";

const CONNECT: &str = "CONNECT\naccept-version:1.2\nhost:h\nlogin:eve\n\n";

async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, more: &str) {
    client.send(handshake(WS, more)).await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for line in [
        "upgrade: websocket\n",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\n",
    ] {
        assert!(head.contains(line), "{head}");
    }
}

async fn connect<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, more: &str) {
    shake_hands(client, more).await;
    client.stomp(CONNECT).await;
    client.is_told(&["CONNECTED\n"]).await;
}

async fn subscribe<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, destination: &str) {
    let frame = format!("SUBSCRIBE\nid:0\ndestination:{destination}\nreceipt:s\n\n");
    client.stomp(&frame).await;
    client.is_told(&["RECEIPT\n", "receipt-id:s\n"]).await;
}

#[tokio::test]
async fn two_clients_talk_through_the_port_and_the_middleware_of_the_application() {
    let running = Running::start().await;
    let (mut first, mut second) = (running.client().await, running.client().await);
    connect(&mut first, "").await;
    connect(&mut second, "").await;
    subscribe(&mut first, "/topic/a").await;
    second.stomp("SEND\ndestination:/topic/a\n\nhello").await;
    first.is_told(&["MESSAGE\n", "\n\nhello"]).await;
    assert_eq!(running.requests.load(Ordering::Relaxed), 2);
    let mut other = running.client().await;
    other.send("GET /hello HTTP/1.1\r\nhost: h\r\n\r\n").await;
    assert_eq!(other.response().await.1, "hello");
    drop((first, second, other));
    running.stop().await;
}

/// Tells the badge of each session that connects.
struct Door(mpsc::UnboundedSender<Badge>);

impl Application for Door {
    fn call(&self, _: Request) -> Answer {
        Answer::new(std::future::ready(Response::default()))
    }

    fn notice(&self, event: &Event) {
        if let Event::Connect { session } | Event::Connected { session } = event {
            let badge = session.attribute(|badge: &mut Badge| badge.clone());
            self.0.send(badge).expect("the test listens");
        }
    }
}

#[tokio::test]
async fn a_session_begins_with_the_attributes_that_the_application_gives() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut app = App::new(|_| ()).await;
    app.server = app.server.application(Arc::new(Door(tell)));
    let running = app.run().await;
    let mut client = running.client().await;
    connect(&mut client, "x-user: ada\r\n").await;
    let mut nobody = running.client().await;
    connect(&mut nobody, "").await;
    for badge in ["badge of ada", "badge of ada", "", ""] {
        assert_eq!(told.recv().await, Some(Badge(badge.to_owned())));
    }
    drop((client, nobody));
    running.stop().await;
}

#[tokio::test]
async fn a_session_is_of_the_user_whom_the_application_has_found() {
    let running = Running::start().await;
    let mut ada = running.client().await;
    shake_hands(&mut ada, "x-user: ada\r\n").await;
    ada.stomp(CONNECT).await;
    ada.is_told(&["CONNECTED\n", "user-name:ada\n"]).await;
    subscribe(&mut ada, "/user/queue/a").await;
    let mut eve = running.client().await;
    shake_hands(&mut eve, "").await;
    eve.stomp(CONNECT).await;
    eve.is_told(&["CONNECTED\n", "user-name:eve\n"]).await;
    eve.stomp("SEND\ndestination:/user/eve/queue/a\nreceipt:own\n\n")
        .await;
    eve.is_told(&["RECEIPT\n"]).await;
    ada.stomp("SEND\ndestination:/user/ada/queue/a\n\nto me")
        .await;
    ada.is_told(&["MESSAGE\n", "\n\nto me"]).await;
    drop((ada, eve));
    running.stop().await;
}

#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_heard() {
    let running = Running::start().await;
    let mut client = running.client().await;
    let mut bytes = handshake(WS, "").into_bytes();
    bytes.extend(text(&format!("{CONNECT}\0")));
    client.send(bytes).await;
    client.head().await;
    client.is_told(&["CONNECTED\n"]).await;
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn a_refused_handshake_is_told_why() {
    let running = Running::start().await;
    let mut client = running.client().await;
    let origin = "origin: http://elsewhere.example\r\n";
    client.send(handshake(WS, origin)).await;
    let (head, body) = client.response().await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    assert!(body.contains("this origin may not connect"), "{body}");
    running.stop().await;
}

/// TLS, a UNIX socket, or anything else that the application serves, stood for by a duplex of tokio.
#[tokio::test]
async fn a_connection_that_is_no_tcp_socket_is_bridged() {
    let running = Running::start().await;
    let open = || {
        let (near, far) = duplex(1024);
        let service = TowerToHyperService::new(running.router.clone());
        tokio::spawn(async move {
            let served = auto::Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(TokioIo::new(far), service)
                .await;
            served.expect("it is served");
        });
        Client::new(near)
    };
    let mut client = open();
    connect(&mut client, "").await;
    subscribe(&mut client, "/topic/a").await;
    // More than fits any buffer on the way.
    let long = "x".repeat(50_000);
    let frame = format!("SEND\ndestination:/topic/a\n\n{long}");
    client.stomp(&frame).await;
    client.is_told(&["MESSAGE\n", &long]).await;
    client.stomp("DISCONNECT\nreceipt:bye\n\n").await;
    client.is_told(&["RECEIPT\n", "receipt-id:bye\n"]).await;
    client.is_closed(1000).await;

    let mut left = open();
    connect(&mut left, "x-user: ada\r\n").await;
    let mut last = open();
    connect(&mut last, "").await;
    drop(left);
    running.stop().await;
    last.is_closed(1001).await;
}

#[tokio::test]
async fn a_bridge_ends_with_its_client() {
    let mut running = Running::start().await;
    let (near, far) = duplex(1024);
    let service = TowerToHyperService::new(running.router.clone());
    tokio::spawn(async move {
        let _ = auto::Builder::new(TokioExecutor::new())
            .serve_connection_with_upgrades(TokioIo::new(far), service)
            .await;
    });
    let mut client = Client::new(near);
    client.send(handshake("/messaging/echo", "")).await;
    client.head().await;
    client.send(text("hello")).await;
    assert_eq!(client.frame().await, (0x81, b"hello".to_vec()));
    drop(client);
    crate::app::soon(running.closed.recv()).await;
    running.stop().await;
}

#[tokio::test]
async fn a_full_server_says_so() {
    let app = App::new(|config| config.server.max_connections = 1).await;
    let running = app.run().await;
    let mut first = running.client().await;
    connect(&mut first, "").await;
    let mut second = running.client().await;
    second.send(handshake(WS, "")).await;
    let (head, _) = second.response().await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(head.contains("retry-after: 5\n"), "{head}");
    drop((first, second));
    running.stop().await;
}
