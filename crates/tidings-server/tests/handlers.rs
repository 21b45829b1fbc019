//! Handlers of messages are not ours: whatever they do, the server goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tidings_server::config::{AllowedOrigins, Config, Overrides};
use tidings_server::{Endpoint, MessageHandler, Payload, Replies, Server, Service, SockJsOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// Closes at once, and panics when told so.
struct PanicsAtItsEnd;

impl MessageHandler for PanicsAtItsEnd {
    fn opened(&mut self, replies: &mut Replies) {
        replies.close(3000, "Go away!");
    }

    fn received(&mut self, _: Payload, _: &mut Replies) {}

    fn closed(&mut self) {
        panic!("a fault of the handler");
    }
}

fn endpoint(path: &str, make: fn() -> Box<dyn MessageHandler>) -> Endpoint {
    Endpoint {
        path: path.to_owned(),
        allowed_origins: AllowedOrigins::Any,
        sockjs: Some(SockJsOptions {
            // The end of the server does not wait for it.
            disconnect_delay: 10 * PATIENCE,
            ..SockJsOptions::default()
        }),
        bind_sessions: false,
        service: Service::Messages(Arc::new(make)),
    }
}

/// What two polls of a new session bring.
async fn two_polls(server: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(server).await.expect("it listens");
    for connection in ["keep-alive", "close"] {
        let request = format!(
            "POST {path}/000/abc/xhr HTTP/1.1\r\nhost: h\r\nconnection: {connection}\r\ncontent-length: 0\r\n\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the request is written");
    }
    let mut answers = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answers))
        .await
        .expect("the answers come in time")
        .expect("they are read");
    answers
}

#[tokio::test]
async fn a_handler_that_panics_anywhere_loses_its_connection_and_no_other() {
    let config = Config::development(&Overrides {
        listen: Some("127.0.0.1:0".to_owned()),
        tcp: Some("off".to_owned()),
        ..Overrides::default()
    });
    let server = Server::bind(config.expect("it is a good configuration"))
        .await
        .expect("a free port is there")
        .mount(endpoint("/end", || Box::new(PanicsAtItsEnd)))
        .mount(endpoint("/start", || panic!("a fault of the maker")));
    let address = server.listeners()[0].address;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(Router::new(), async {
        let _ = stopped.await;
    }));
    // More than there are workers.
    for _ in 0..4 {
        let answers = two_polls(address, "/end").await;
        assert!(answers.ends_with("c[3000,\"Go away!\"]\n"), "{answers}");
        let answers = two_polls(address, "/start").await;
        assert!(
            answers.ends_with("c[1011,\"internal-error\"]\n"),
            "{answers}"
        );
    }
    stop.send(()).expect("the server runs");
    let end = timeout(PATIENCE / 2, running)
        .await
        .expect("it stops in time")
        .expect("it does not panic");
    assert!(end.is_ok(), "{end:?}");
}
