//! A server with webhooks, and clients of it, over TCP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use tidings_server::config::{Config, Overrides, Secret, Webhook, WebhookRoute};
use tidings_server::{ListenerKind, Server};
use tokio::sync::oneshot;

use crate::back_end::SECRET;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Until it is dropped.
pub(crate) struct Running {
    tcp: SocketAddr,
    admin: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

/// All requests to one url.
pub(crate) fn routed(back_end: SocketAddr) -> Webhook {
    Webhook {
        routes: vec![WebhookRoute {
            pattern: "**".to_owned(),
            url: format!("http://{back_end}/hook"),
        }],
        secret: Some(Secret(SECRET.to_owned())),
        ..Webhook::default()
    }
}

pub(crate) fn config(webhook: Webhook) -> Config {
    let any = || Some("127.0.0.1:0".to_owned());
    let config = Config::development(&Overrides {
        listen: any(),
        tcp: any(),
        admin: any(),
        ..Overrides::default()
    });
    Config {
        webhook,
        ..config.expect("defaults")
    }
}

impl Running {
    pub(crate) fn start(webhook: Webhook) -> Self {
        let (started, running) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind(config(webhook)).await.expect("a free port");
                let address = |kind| {
                    let mut all = server.listeners().iter();
                    all.find(|one| one.kind == kind).expect("it is on").address
                };
                let addresses = [ListenerKind::Tcp, ListenerKind::Admin].map(address);
                started.send(addresses).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let ended = server.run(axum::Router::new(), stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let [tcp, admin] = running.recv().expect("it starts");
        Self {
            tcp,
            admin,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// A client that has not sent anything.
    pub(crate) fn dial(&self) -> Client {
        let stream = TcpStream::connect(self.tcp).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Client { stream }
    }

    pub(crate) fn client(&self, login: &str) -> Client {
        let mut client = self.dial();
        let login = match login {
            "" => String::new(),
            login => format!("login:{login}\n"),
        };
        client.send(&format!("CONNECT\naccept-version:1.2\nhost:x\n{login}\n"));
        assert!(client.frame().starts_with("CONNECTED\n"));
        client
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.admin).expect("it listens");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("it answers");
        text
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

pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn send(&mut self, frame: &str) {
        let bytes = format!("{frame}\0");
        self.stream.write_all(bytes.as_bytes()).expect("it reads");
    }

    /// Subscribes and waits until that is done.
    pub(crate) fn subscribe(&mut self, id: &str, destination: &str) {
        self.send(&format!(
            "SUBSCRIBE\nid:{id}\ndestination:{destination}\nreceipt:r-{id}\n\n"
        ));
        self.is_told(&[&format!("RECEIPT\nreceipt-id:r-{id}\n")]);
    }

    /// Sends to the application.
    pub(crate) fn ask(&mut self, path: &str, body: &str) {
        self.send(&format!(
            "SEND\ndestination:/app/{path}\nreceipt:{path}\n\n{body}"
        ));
    }

    /// The next frame, without its NUL and the line feeds around it.
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

    pub(crate) fn is_told(&mut self, parts: &[&str]) {
        let frame = self.frame();
        for part in parts {
            assert!(frame.contains(part), "no {part:?} in {frame:?}");
        }
    }

    /// The server has closed.
    pub(crate) fn is_gone(&mut self) {
        assert_eq!(self.stream.read(&mut [0]).expect("it closes"), 0);
    }

    /// Has frames written by another thread than the one that reads them.
    pub(crate) fn clone_writer(&self) -> TcpStream {
        self.stream.try_clone().expect("a socket")
    }
}
