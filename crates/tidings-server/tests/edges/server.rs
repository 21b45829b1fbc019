//! A server with all of its listeners, and clients that write bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidings_server::config::{ApiKey, Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::sync::oneshot;

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const KEY: &str = "0123456789abcdef";

/// A server until it is dropped.
pub(crate) struct Running {
    pub(crate) http: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) admin: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(set: impl FnOnce(&mut Config)) -> Self {
        let any = || Some("127.0.0.1:0".to_owned());
        let config = Config::development(&Overrides {
            listen: any(),
            tcp: any(),
            admin: any(),
            ..Overrides::default()
        });
        let mut config = config.expect("defaults");
        config.server.workers = 1;
        config.api.enabled = true;
        config.api.keys = vec![ApiKey::new(KEY).expect("it is long enough")];
        set(&mut config);
        let (started, running) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind(config).await.expect("a free port");
                let of = |kind| server.listeners().iter().find(|one| one.kind == kind);
                let addresses = [ListenerKind::Http, ListenerKind::Tcp, ListenerKind::Admin]
                    .map(|kind| of(kind).expect("it is on").address);
                started.send(addresses).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let ended = server.run(axum::Router::new(), stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let [http, tcp, admin] = running.recv().expect("it starts");
        Self {
            http,
            tcp,
            admin,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// One that trusts proxies on this machine.
    pub(crate) fn behind_proxy(set: impl FnOnce(&mut Config)) -> Self {
        Self::start(|config| {
            config.server.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
            set(config);
        })
    }

    /// Opens a WebSocket at `/ws` with more headers.
    pub(crate) fn handshake(&self, headers: &str) -> Client {
        let mut client = Client::connect(self.http);
        client.send(handshake(headers));
        client
    }

    /// How many addresses the server counts.
    pub(crate) fn addresses(&self) -> u64 {
        let mut client = Client::connect(self.admin);
        client.get("/stats", "");
        let (_, body) = client.response();
        let stats: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        stats["addresses"].as_u64().expect("a number")
    }

    /// Waits until the server counts so many addresses: it learns of an end a little later than the client.
    pub(crate) fn await_addresses(&self, count: u64) {
        let begun = std::time::Instant::now();
        while self.addresses() != count {
            assert!(begun.elapsed() < PATIENCE, "{} addresses", self.addresses());
            thread::yield_now();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}

pub(crate) fn handshake(headers: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self { stream }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("it reads");
    }

    pub(crate) fn get(&mut self, path: &str, headers: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n"));
    }

    pub(crate) fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).expect("it answers");
            head.push(byte[0]);
        }
        String::from_utf8(head).expect("text").to_lowercase()
    }

    pub(crate) fn status(&mut self) -> u16 {
        status(&self.head())
    }

    /// Head and body; the body of one that is open goes up to its end.
    pub(crate) fn response(&mut self) -> (String, String) {
        let head = self.head();
        let length = value(&head, "content-length").map(|length| length.parse().expect("a length"));
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body).expect("it comes whole");
        (head, String::from_utf8(body).expect("text"))
    }

    /// The next frame of STOMP over TCP.
    pub(crate) fn frame(&mut self) -> String {
        let mut frame = Vec::new();
        let mut byte = [0];
        loop {
            self.stream.read_exact(&mut byte).expect("a frame comes");
            match byte[0] {
                0 => return String::from_utf8(frame).expect("text"),
                b'\n' if frame.is_empty() => {}
                byte => frame.push(byte),
            }
        }
    }

    /// The server cuts the connection and says nothing.
    pub(crate) fn is_cut(&mut self) {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }
}

pub(crate) fn status(head: &str) -> u16 {
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    status.expect("a status")
}

pub(crate) fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}
