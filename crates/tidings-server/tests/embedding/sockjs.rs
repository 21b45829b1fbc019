//! SockJS through the HTTP library of the application.

use std::sync::atomic::Ordering;

use crate::app::{App, Running, soon};

const CONNECT: &str = r#"["CONNECT\naccept-version:1.2\nhost:h\n\n\u0000"]"#;
const SUBSCRIBE: &str = r#"["SUBSCRIBE\nid:0\ndestination:/topic/a\nreceipt:s\n\n\u0000"]"#;
const SEND: &str = r#"["SEND\ndestination:/topic/a\n\nhello\u0000"]"#;

const SESSION: &str = "/messaging/ws/000/abcdefgh";

#[tokio::test]
async fn a_client_that_polls_is_served() {
    let running = Running::start().await;
    let mut client = running.client().await;
    let ada = "x-user: ada\r\n";
    client.post(&format!("{SESSION}/xhr"), ada, "").await;
    let (head, body) = client.response().await;
    assert_eq!(body, "o\n");
    // It comes back only to where the application has nested the endpoint.
    let place = format!("path={SESSION}; httponly");
    assert!(head.contains(&place), "{head}");
    for hop in ["connection:", "keep-alive:"] {
        assert!(!head.contains(hop), "{head}");
    }
    client
        .post(&format!("{SESSION}/xhr_send"), ada, CONNECT)
        .await;
    assert!(client.response().await.0.starts_with("HTTP/1.1 204"));
    client.post(&format!("{SESSION}/xhr"), ada, "").await;
    let (_, body) = client.response().await;
    assert!(body.starts_with(r#"a["CONNECTED\n"#), "{body}");
    assert!(body.contains(r"user-name:ada\n"), "{body}");
    // The session is ada's.
    for user in ["x-user: eve\r\n", ""] {
        for (path, body) in [("xhr_send", SEND), ("xhr", "")] {
            client.post(&format!("{SESSION}/{path}"), user, body).await;
            let (head, _) = client.response().await;
            assert!(head.starts_with("HTTP/1.1 404"), "{head}");
        }
    }
    assert_eq!(running.requests.load(Ordering::Relaxed), 7);
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_streams_is_served() {
    let running = Running::start().await;
    let mut listener = running.client().await;
    listener
        .post(&format!("{SESSION}/xhr_streaming"), "", "")
        .await;
    assert!(listener.head().await.starts_with("HTTP/1.1 200"));
    assert_eq!(listener.chunk().await.len(), 2049);
    assert_eq!(listener.chunk().await, "o\n");
    let mut sender = running.client().await;
    for (message, answer) in [
        (CONNECT, r#"a["CONNECTED\n"#),
        (SUBSCRIBE, r#"a["RECEIPT\n"#),
        (SEND, r#"a["MESSAGE\n"#),
    ] {
        sender
            .post(&format!("{SESSION}/xhr_send"), "", message)
            .await;
        assert!(sender.response().await.0.starts_with("HTTP/1.1 204"));
        let chunk = listener.chunk().await;
        assert!(chunk.starts_with(answer), "{chunk}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_goes_away_is_missed() {
    let mut running = Running::start().await;
    let mut client = running.client().await;
    client
        .post("/messaging/echo/000/abcdefgh/xhr_streaming", "", "")
        .await;
    client.head().await;
    assert_eq!(client.chunk().await.len(), 2049);
    assert_eq!(client.chunk().await, "o\n");
    drop(client);
    soon(running.closed.recv()).await;

    let mut client = running.client().await;
    for _ in 0..2 {
        client.post("/messaging/echo/000/polls/xhr", "", "").await;
    }
    assert_eq!(client.response().await.1, "o\n");
    // The second poll is parked, unless the client was faster.
    drop(client);
    running.stop().await;
}

#[tokio::test]
async fn the_pages_of_sockjs_know_where_they_are() {
    let app = App::new(|config| config.sockjs.legacy_transports = true).await;
    let running = app.run().await;
    let mut client = running.client().await;
    for (path, part) in [
        ("ws/iframe.html", "src=\"/messaging/ws/sockjs.min.js\""),
        ("ws/info", "\"websocket\":true"),
        ("ws", "Welcome to SockJS!"),
    ] {
        let request = format!("GET /messaging/{path} HTTP/1.1\r\nhost: h\r\n\r\n");
        client.send(request).await;
        let (head, body) = client.response().await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        assert!(body.contains(part), "{path}: {body}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_would_rather_speak_http2_is_served() {
    let running = Running::start().await;
    let mut client = running.client().await;
    // What the client of the JDK says with each first request.
    let offer =
        "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAA\r\n";
    client.post(&format!("{SESSION}/xhr"), offer, "").await;
    let (head, body) = client.response().await;
    assert_eq!(body, "o\n", "{head}");
    client
        .send(format!(
            "GET /messaging/ws HTTP/1.1\r\nhost: h\r\n{offer}\r\n"
        ))
        .await;
    assert_eq!(client.response().await.1, "Welcome to SockJS!\n");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_is_broken_is_the_clients_fault() {
    let running = Running::start().await;
    let mut client = running.client().await;
    let chunked = "host: h\r\ntransfer-encoding: chunked\r\n\r\nno length\r\n";
    client
        .send(format!("POST {SESSION}/xhr HTTP/1.1\r\n{chunked}"))
        .await;
    let (head, text) = client.response().await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    assert_eq!(text, "the body did not arrive\n");
    running.stop().await;
}
