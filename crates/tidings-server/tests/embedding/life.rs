//! Before, at and after the end.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tidings_server::config::ApiKey;

use crate::app::{App, Running, soon};
use crate::client::handshake;

/// Status and text of the answer to a GET.
async fn get(router: &axum::Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).header("host", "h");
    let request = request.body(Body::empty()).expect("it is a request");
    let service = TowerToHyperService::new(router.clone());
    let response = soon(service.call(request)).await.expect("it answers");
    let status = response.status();
    let body = response.into_body().collect().await.expect("it has a body");
    let text = String::from_utf8(body.to_bytes().into()).expect("text");
    (status, text)
}

#[tokio::test]
async fn who_comes_too_early_or_too_late_is_told_so() {
    let app = App::new(|_| ()).await;
    let (status, text) = get(&app.router, "/messaging/ws/info").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text, "messaging has not started yet: connect again soon\n");
    let running = app.run().await;
    let router = running.router.clone();
    assert_eq!(get(&router, "/messaging/ws/info").await.0, StatusCode::OK);
    running.stop().await;
    let (status, text) = get(&router, "/messaging/ws/info").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text, "messaging has stopped: connect again later\n");
    assert_eq!(get(&router, "/hello").await.1, "hello");
}

#[tokio::test]
async fn one_signal_ends_the_application_and_all_sessions() {
    let running = Running::start().await;
    let mut websocket = running.client().await;
    websocket.send(handshake("/messaging/ws", "")).await;
    websocket.head().await;
    websocket
        .stomp("CONNECT\naccept-version:1.2\nhost:h\n\n")
        .await;
    websocket.is_told(&["CONNECTED\n"]).await;
    let mut poll = running.client().await;
    let polled = "/messaging/ws/000/polls/xhr";
    poll.post(polled, "", "").await;
    assert_eq!(poll.response().await.1, "o\n");
    poll.post(polled, "", "").await;
    let mut stream = running.client().await;
    stream
        .post("/messaging/ws/000/streams/xhr_streaming", "", "")
        .await;
    stream.head().await;
    assert_eq!(stream.chunk().await.len(), 2049);
    assert_eq!(stream.chunk().await, "o\n");
    // Not before the poll is parked, or it would be refused: a second one takes its place.
    let mut second = running.client().await;
    second.post(polled, "", "").await;
    let replaced = tokio::select! {
        (_, body) = poll.response() => body,
        (_, body) = second.response() => body,
    };
    assert!(replaced.starts_with("c[2010"), "{replaced}");

    running.stop().await;
    websocket.is_closed(1001).await;
    assert!(stream.chunk().await.starts_with("c[1001,"));
    assert_eq!(stream.chunk().await, "");
    stream.is_gone().await;
}

#[tokio::test]
async fn the_api_is_beneath_the_same_path() {
    let app = App::new(|config| config.api.enabled = true).await;
    let running = app.run().await;
    let (status, text) = get(&running.router, "/messaging/api/v1/openapi.json").await;
    assert_eq!(status, StatusCode::OK, "{text}");
    let (status, text) = get(&running.router, "/messaging/api/v1/users").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{text}");
    running.stop().await;
}

#[tokio::test]
async fn who_guesses_keys_of_the_api_shuts_out_nobody_else() {
    let app = App::new(|config| {
        config.api.enabled = true;
        config.api.failed_keys_per_minute = 1;
        config.api.keys = vec![ApiKey::new("0123456789abcdef").expect("a key")];
    })
    .await;
    let running = app.run().await;
    let ask = async |address: [u8; 4], key: &str| {
        let request = Request::get("/messaging/api/v1/users")
            .header("authorization", format!("Bearer {key}"))
            .extension(ConnectInfo(SocketAddr::from((address, 1))));
        let service = TowerToHyperService::new(running.router.clone());
        let request = request.body(Body::empty()).expect("it is a request");
        let response = soon(service.call(request)).await.expect("it answers");
        response.status().as_u16()
    };
    let (guesser, other) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    assert_eq!(ask(guesser, "a wrong key").await, 401);
    assert_eq!(ask(guesser, "a wrong key").await, 429);
    assert_eq!(ask(other, "0123456789abcdef").await, 200);
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_is_dropped_cuts_its_clients_and_lets_in_nobody() {
    let running = Running::start().await;
    let mut websocket = running.client().await;
    websocket.send(handshake("/messaging/ws", "")).await;
    websocket.head().await;
    let mut poll = running.client().await;
    poll.post("/messaging/ws/000/polls/xhr", "", "").await;
    assert_eq!(poll.response().await.1, "o\n");
    let router = running.router.clone();
    running.drop_server().await;
    // It ends, with or without a goodbye.
    websocket.rest().await;
    let (status, _) = get(&router, "/messaging/ws/info").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
