//! Applications that speak HTTP/2.

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::duplex;

use crate::app::{Running, soon};
use crate::client::Client;

async fn open(running: &Running) -> SendRequest<Body> {
    let (near, far) = duplex(4096);
    let service = TowerToHyperService::new(running.router.clone());
    tokio::spawn(async move {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http2().enable_connect_protocol();
        let served = builder.serve_connection_with_upgrades(TokioIo::new(far), service);
        served.await.expect("it is served");
    });
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(near))
        .await
        .expect("it speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

fn request(method: Method, path: &str, body: &'static str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(format!("http://h.example{path}"))
        .version(Version::HTTP_2)
        .header("origin", "http://h.example")
        .body(Body::from(body))
        .expect("it is a request")
}

async fn ask(
    sender: &mut SendRequest<Body>,
    path: &str,
    body: &'static str,
) -> (StatusCode, String) {
    let answer = sender.send_request(request(Method::POST, path, body));
    let answer: Response<_> = soon(answer).await.expect("it answers");
    let status = answer.status();
    let body = soon(answer.into_body().collect()).await.expect("a body");
    (
        status,
        String::from_utf8(body.to_bytes().into()).expect("text"),
    )
}

#[tokio::test]
async fn sockjs_goes_over_http2() {
    let running = Running::start().await;
    let mut sender = open(&running).await;
    let session = "/messaging/echo/000/abcdefgh";
    let poll = format!("{session}/xhr");
    assert_eq!(
        ask(&mut sender, &poll, "").await,
        (StatusCode::OK, "o\n".to_owned())
    );
    let sent = ask(&mut sender, &format!("{session}/xhr_send"), r#"["hello"]"#).await;
    assert_eq!(sent.0, StatusCode::NO_CONTENT);
    assert_eq!(ask(&mut sender, &poll, "").await.1, "a[\"hello\"]\n");
    // The page is of this host, which HTTP/2 names in the address: no other origin may connect.
    let (status, _) = ask(&mut sender, "/messaging/ws/000/abcdefgh/xhr", "").await;
    assert_eq!(status, StatusCode::OK);

    let streamed = format!("{session}s/xhr_streaming");
    let answer = soon(sender.send_request(request(Method::POST, &streamed, "")));
    let mut body = answer.await.expect("it answers").into_body();
    let mut start = String::new();
    while !start.ends_with("\no\n") {
        let frame = soon(body.frame()).await.expect("more comes");
        let frame = frame.expect("it goes on").into_data().expect("data");
        start.push_str(std::str::from_utf8(&frame).expect("text"));
    }
    let mut running = running;
    drop(body);
    soon(running.closed.recv()).await;
    drop(sender);
    running.stop().await;
}

#[tokio::test]
async fn a_stream_of_http2_becomes_a_websocket() {
    let running = Running::start().await;
    let mut sender = open(&running).await;
    // The settings of the other end come first.
    ask(&mut sender, "/hello", "").await;
    let mut request = request(Method::CONNECT, "/messaging/ws", "");
    *request.body_mut() = Body::empty();
    request
        .headers_mut()
        .insert("sec-websocket-version", 13.into());
    let protocol = "v12.stomp".parse().expect("a value");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    request
        .extensions_mut()
        .insert(Protocol::from_static("websocket"));
    let response = soon(sender.send_request(request))
        .await
        .expect("it answers");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["sec-websocket-protocol"], "v12.stomp");
    let upgraded = soon(hyper::upgrade::on(response)).await.expect("it is one");
    let mut client = Client::new(TokioIo::new(upgraded));
    client
        .stomp("CONNECT\naccept-version:1.2\nhost:h\n\n")
        .await;
    client.is_told(&["CONNECTED\n", "version:1.2\n"]).await;
    client.stomp("DISCONNECT\nreceipt:bye\n\n").await;
    client.is_told(&["RECEIPT\n"]).await;
    client.is_closed(1000).await;
    drop(client);
    running.stop().await;
}
