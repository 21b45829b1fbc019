//! A server whose listeners speak TLS.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server, Tls};
use tokio::sync::oneshot;

use crate::certificates::{Authority, Folder};
use crate::client::Client;

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What is at `/large`: more than sockets hold.
pub(crate) fn large_page() -> String {
    (0..800_000).map(|line| format!("{line}\n")).collect()
}

/// A server until it is dropped.
pub(crate) struct Running {
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) urls: Vec<String>,
    pub(crate) tls: Arc<Tls>,
    pub(crate) config: Config,
    pub(crate) folder: Folder,
    pub(crate) authority: Authority,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(|_, _| ())
    }

    pub(crate) fn with(set: impl FnOnce(&mut Config, &Folder)) -> Self {
        let (authority, folder) = (Authority::new("the authority"), Folder::new());
        folder.put(&authority.sign("the server"));
        let any = || Some("127.0.0.1:0".to_owned());
        let config = Config::development(&Overrides {
            listen: any(),
            tcp: any(),
            admin: any(),
            ..Overrides::default()
        });
        let mut config = config.expect("defaults");
        config.server.workers = 2;
        config.tls.certificate = Some(folder.path("server.pem"));
        config.tls.key = Some(folder.path("server.key"));
        config.http.tls = true;
        config.tcp.tls = true;
        set(&mut config, &folder);
        let (started, running) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let its = config.clone();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind(its).await.expect("a free port");
                let of = |kind| server.listeners().iter().find(|one| one.kind == kind);
                let kinds = [ListenerKind::Http, ListenerKind::Tcp, ListenerKind::Admin];
                let addresses = kinds.map(|kind| of(kind).expect("it is on").address);
                let urls = server.listeners().iter().map(|one| one.url()).collect();
                let reached = (addresses, urls, server.tls());
                started.send(reached).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let pages = axum::Router::new()
                    .route("/large", axum::routing::get(|| async { large_page() }))
                    .fallback(|| async { "a page" });
                let ended = server.run(pages, stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let ([http, tcp, admin], urls, tls) = running.recv().expect("it starts");
        Self {
            http,
            tcp,
            admin,
            urls,
            tls,
            config,
            folder,
            authority,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn trust(&self) -> Arc<ClientConfig> {
        self.authority.client(None)
    }

    /// A client of STOMP over TLS that is connected.
    pub(crate) fn client(&self) -> Client {
        let mut client = Client::new(self.tcp, self.trust());
        client.connect();
        client
    }

    /// The count of a metric, by its whole name with labels.
    pub(crate) fn count(&self, metric: &str) -> u64 {
        use std::io::{Read, Write};
        let mut admin = std::net::TcpStream::connect(self.admin).expect("it listens");
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        admin.write_all(request).expect("it reads");
        let mut text = String::new();
        admin.read_to_string(&mut text).expect("it answers");
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(metric)?.trim().parse().ok());
        found.unwrap_or(0)
    }

    /// Returns once a metric is `count`.
    pub(crate) fn counts(&self, metric: &str, count: u64) {
        let begin = std::time::Instant::now();
        while self.count(metric) != count {
            assert!(
                begin.elapsed() < PATIENCE,
                "{metric} is {}",
                self.count(metric)
            );
            thread::yield_now();
        }
    }

    /// Stops the server; it ends in its own time.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}
