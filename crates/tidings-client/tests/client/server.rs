//! A real server in this process.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tidings_client::{Backoff, Builder, Client};
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct RunningServer {
    http: SocketAddr,
    tcp: SocketAddr,
    shutdown: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl RunningServer {
    pub(crate) async fn start() -> Self {
        let free = "127.0.0.1:0".parse().expect("an address");
        Self::start_at(free, free).await
    }

    async fn start_at(http: SocketAddr, tcp: SocketAddr) -> Self {
        let mut config = Config::development(&Overrides {
            listen: Some(http.to_string()),
            tcp: Some(tcp.to_string()),
            ..Overrides::default()
        })
        .expect("a good configuration");
        config.server.workers = 1;
        let server = Server::bind(config).await.expect("a free port");
        let address = |kind| {
            let mut listeners = server.listeners().iter();
            let listener = listeners.find(|listener| listener.kind == kind);
            listener.expect("it listens").address
        };
        let (http, tcp) = (address(ListenerKind::Http), address(ListenerKind::Tcp));
        let (shutdown, told) = oneshot::channel();
        let done = tokio::spawn(async move {
            let told = async {
                let _ = told.await;
            };
            server.run(Router::new(), told).await.expect("it runs");
        });
        Self {
            http,
            tcp,
            shutdown,
            done,
        }
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    pub(crate) fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    pub(crate) fn urls(&self) -> [String; 2] {
        [
            format!("ws://{}/ws", self.http),
            format!("tcp://{}", self.tcp),
        ]
    }

    pub(crate) async fn stop(self) -> Addresses {
        self.shutdown.send(()).expect("it runs");
        self.done.await.expect("no panic");
        Addresses {
            http: self.http,
            tcp: self.tcp,
        }
    }
}

/// Where a server was, and another one can be.
pub(crate) struct Addresses {
    http: SocketAddr,
    tcp: SocketAddr,
}

impl Addresses {
    pub(crate) async fn start(&self) -> RunningServer {
        RunningServer::start_at(self.http, self.tcp).await
    }
}

/// Runs a scenario over WebSocket, and over TCP, each on a server of its own.
pub(crate) async fn on_each_transport(scenario: impl AsyncFn(RunningServer, String)) {
    for transport in 0..2 {
        let server = RunningServer::start().await;
        let url = server.urls()[transport].clone();
        within(scenario(server, url)).await;
    }
}

/// A client that connects again at once.
pub(crate) fn hasty(url: &str) -> Builder {
    Client::builder(url).reconnect(Backoff {
        initial: Duration::from_millis(5),
        max: Duration::from_millis(50),
        max_attempts: 1000,
    })
}

/// Far more than any of it takes.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("done long before")
}
