//! A server with a router, and clients over TCP.

use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tidings::prelude::*;
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::sync::oneshot;

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server with a router, until it is dropped.
pub(crate) struct Running {
    tcp: SocketAddr,
    pub(crate) template: MessagingTemplate,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(router: Router) -> Self {
        Self::start_with(router, |_| ())
    }

    pub(crate) fn start_with(
        router: Router,
        set: impl FnOnce(&mut Config) + Send + 'static,
    ) -> Self {
        let (started, running) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let any = || Some("127.0.0.1:0".to_owned());
                let config = Config::development(&Overrides {
                    listen: any(),
                    tcp: any(),
                    ..Overrides::default()
                });
                let mut config = config.expect("defaults");
                // Sessions are to be on different ones.
                config.server.workers = 2;
                set(&mut config);
                let server = Server::bind(config).await.expect("a free port");
                let server = server.application(Arc::new(router));
                let mut listeners = server.listeners().iter();
                let tcp = listeners.find(|one| one.kind == ListenerKind::Tcp);
                let tcp = tcp.expect("it is on").address;
                let template = MessagingTemplate::new(server.broker());
                started.send((tcp, template)).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let ended = server.run(axum::Router::new(), stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let (tcp, template) = running.recv().expect("it starts");
        Self {
            tcp,
            template,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// A client that has not sent anything.
    pub(crate) fn dial(&self) -> Client {
        let stream = TcpStream::connect(self.tcp).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Client {
            stream: BufReader::new(stream),
        }
    }

    /// A client that has subscribed; the number of each destination is the id of its subscription.
    pub(crate) fn client(&self, login: &str, destinations: &[&str]) -> Client {
        let mut client = self.dial();
        let login = match login {
            "" => String::new(),
            login => format!("login:{login}\n"),
        };
        client.send(&format!("CONNECT\naccept-version:1.2\nhost:x\n{login}\n"));
        client.is_told(&["CONNECTED\n"]);
        for (id, destination) in destinations.iter().enumerate() {
            client.send(&format!(
                "SUBSCRIBE\nid:{id}\ndestination:{destination}\nreceipt:s-{id}\n\n"
            ));
            client.is_told(&["RECEIPT\n", &format!("receipt-id:s-{id}\n")]);
        }
        client
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
    pub(crate) stream: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn send(&mut self, frame: &str) {
        let bytes = format!("{frame}\0");
        self.stream
            .get_mut()
            .write_all(bytes.as_bytes())
            .expect("it reads");
    }

    /// A SEND with a receipt of the same name as its destination.
    pub(crate) fn ask(&mut self, destination: &str, body: &str) {
        self.send(&format!(
            "SEND\ndestination:{destination}\nreceipt:{destination}\n\n{body}"
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

    /// Everything before it has arrived: nothing else is on its way to this client.
    pub(crate) fn is_told_no_more(&mut self) {
        self.send("SUBSCRIBE\nid:last\ndestination:/topic/last\nreceipt:last\n\n");
        self.is_told(&["RECEIPT\nreceipt-id:last\n"]);
        self.send("UNSUBSCRIBE\nid:last\n\n");
    }

    pub(crate) fn is_gone(&mut self) {
        assert_eq!(self.stream.read(&mut [0]).expect("it closes"), 0);
    }
}
