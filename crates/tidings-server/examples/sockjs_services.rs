//! The services that conformance suites for SockJS ask for, beside STOMP on one port: run it with
//!
//! ```text
//! cargo run --release --example sockjs_services -- --listen 127.0.0.1:8081
//! ```
//!
//! `/echo` says everything back, with streaming responses of only 4,096 bytes; `/close` closes every session with 3000
//! `Go away!`; `/disabled_websocket_echo` has no WebSocket, and `/cookie_needed_echo` sets `JSESSIONID`. Any page may use
//! them, by every transport.

use std::sync::Arc;

use axum::Router;
use tidings_server::config::{AllowedOrigins, Config, Overrides};
use tidings_server::{Endpoint, MessageHandler, Payload, Replies, Server, Service, SockJsOptions};

struct Echo;

impl MessageHandler for Echo {
    fn received(&mut self, message: Payload, replies: &mut Replies) {
        replies.send(message);
    }
}

struct Close;

impl MessageHandler for Close {
    fn opened(&mut self, replies: &mut Replies) {
        replies.close(3000, "Go away!");
    }

    fn received(&mut self, _: Payload, _: &mut Replies) {}
}

/// An endpoint that any page may use, by every transport.
fn endpoint(path: &str, service: Service, options: SockJsOptions) -> Endpoint {
    Endpoint {
        path: path.to_owned(),
        allowed_origins: AllowedOrigins::Any,
        sockjs: Some(SockJsOptions {
            legacy_transports: true,
            ..options
        }),
        // Suites compare every cookie.
        bind_sessions: false,
        service,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let listen = match &*arguments {
        [] => "127.0.0.1:8081".to_owned(),
        [flag, address] if flag == "--listen" => address.clone(),
        _ => return Err("usage: sockjs_services [--listen ADDR]".into()),
    };
    let config = Config::development(&Overrides {
        listen: Some(listen),
        tcp: Some("off".to_owned()),
        ..Overrides::default()
    })?;
    let echo = || Service::Messages(Arc::new(|| Box::new(Echo)));
    let close = Service::Messages(Arc::new(|| Box::new(Close)));
    let options = SockJsOptions::default;
    let server = Server::bind(config)
        .await?
        .mount(endpoint(
            "/echo",
            echo(),
            SockJsOptions {
                stream_bytes_limit: 4096,
                ..options()
            },
        ))
        .mount(endpoint("/close", close, options()))
        .mount(endpoint(
            "/disabled_websocket_echo",
            echo(),
            SockJsOptions {
                websocket_enabled: false,
                ..options()
            },
        ))
        .mount(endpoint(
            "/cookie_needed_echo",
            echo(),
            SockJsOptions {
                session_cookie_needed: true,
                ..options()
            },
        ));
    for listener in server.listeners() {
        announce(&listener.url());
    }
    let stop = async {
        // Without signals it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    };
    server.run(Router::new(), stop).await?;
    Ok(())
}

/// Scripts wait for this line and read the port.
#[expect(clippy::print_stdout, reason = "this is a program's output")]
fn announce(url: &str) {
    println!("listening {url}");
}
