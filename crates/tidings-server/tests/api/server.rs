//! A server with the API on, its clients, and who asks it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tidings_core::application::{Answer, Application, Event, Request, Response};
use tidings_server::config::{ApiKey, Config, Overrides};
use tidings_server::{ListenerKind, Reloader, Server};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const KEY: &str = "0123456789abcdef";

/// Where the API listens.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    BeneathHttp,
    OwnListener,
}

/// A server until it is dropped.
pub(crate) struct Running {
    pub(crate) tcp: SocketAddr,
    pub(crate) http: SocketAddr,
    api: SocketAddr,
    /// The runtime that it runs on.
    pub(crate) handle: Handle,
    pub(crate) reloader: Reloader,
    /// What the application is told.
    events: mpsc::Receiver<Event>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    pub(crate) fn start(place: Place) -> Self {
        Self::start_with(config(place), |server| server)
    }

    /// A server that is more than its configuration.
    pub(crate) fn start_with(
        config: Config,
        set: impl FnOnce(Server) -> Server + Send + 'static,
    ) -> Self {
        let has_listener = config.api.listen.is_some();
        let (started, running) = mpsc::channel();
        let (notices, events) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind(config).await.expect("a free port");
                let server = set(server).application(Arc::new(Listener(notices)));
                let of = |kind| server.listeners().iter().find(|one| one.kind == kind);
                let [tcp, http] = [ListenerKind::Tcp, ListenerKind::Http]
                    .map(|kind| of(kind).expect("it is on").address);
                let api = of(ListenerKind::Api).map(|one| one.address);
                let (handle, reloader) = (Handle::current(), server.reloader());
                let known = (tcp, http, api, handle, reloader);
                started.send(known).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let pages = axum::Router::new().fallback(|| async { "\"a page\"" });
                let ended = server.run(pages, stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let (tcp, http, api, handle, reloader) = running.recv().expect("it starts");
        assert_eq!(api.is_some(), has_listener);
        Self {
            tcp,
            http,
            api: api.unwrap_or(http),
            handle,
            reloader,
            events,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// A client that is connected, and the id of its session.
    pub(crate) fn client(&self, login: &str) -> (Client, String) {
        self.client_with(&format!("login:{login}\n"))
    }

    /// One that says no name.
    pub(crate) fn nobody(&self) -> (Client, String) {
        self.client_with("")
    }

    fn client_with(&self, headers: &str) -> (Client, String) {
        let mut client = comer(self.tcp, headers);
        let connected = client.frame();
        assert!(connected.starts_with("CONNECTED\n"), "{connected}");
        let id = connected
            .lines()
            .find_map(|line| line.strip_prefix("session:"));
        (client, id.expect("CONNECTED names it").to_owned())
    }

    /// The next event of this kind.
    pub(crate) fn event<T>(&self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("an event");
            if let Some(picked) = pick(event) {
                return picked;
            }
        }
    }

    /// Asks the API; gives the status and the JSON of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Value) {
        self.ask_with(KEY, method, path, body)
    }

    /// The same with another key.
    pub(crate) fn ask_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: Option<&str>,
    ) -> (u16, Value) {
        ask(self.api, key, method, path, body)
    }
}

/// An application that is told, and asked nothing.
struct Listener(mpsc::Sender<Event>);

impl Application for Listener {
    fn call(&self, _: Request) -> Answer {
        Answer::new(std::future::ready(Response::default()))
    }

    fn notice(&self, event: &Event) {
        // The test may be over.
        let _ = self.0.send(event.clone());
    }
}

/// A client that has sent CONNECT, and waits for the answer.
pub(crate) fn comer(address: SocketAddr, headers: &str) -> Client {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut client = Client { stream };
    client.send(&format!("CONNECT\naccept-version:1.2\nhost:x\n{headers}\n"));
    client
}

/// Asks whoever listens there.
pub(crate) fn ask(
    address: SocketAddr,
    key: &str,
    method: &str,
    path: &str,
    body: Option<&str>,
) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let body = body.unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    stream.write_all(body.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"));
    (status.expect("a status"), body)
}

pub(crate) fn config(place: Place) -> Config {
    let any = || Some("127.0.0.1:0".to_owned());
    let config = Config::development(&Overrides {
        listen: any(),
        tcp: any(),
        ..Overrides::default()
    });
    let mut config = config.expect("defaults");
    config.api.enabled = true;
    config.api.keys = vec![ApiKey::new(KEY).expect("it is long enough")];
    if place == Place::OwnListener {
        config.api.listen = Some(([127, 0, 0, 1], 0).into());
    }
    config
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

/// A client of STOMP over TCP.
pub(crate) struct Client {
    stream: TcpStream,
}

impl Client {
    pub(crate) fn send(&mut self, frame: &str) {
        let bytes = format!("{frame}\0");
        self.stream.write_all(bytes.as_bytes()).expect("it reads");
    }

    /// Returns once the subscription is live.
    pub(crate) fn subscribe(&mut self, id: &str, destination: &str) {
        self.send(&format!(
            "SUBSCRIBE\nid:{id}\ndestination:{destination}\nreceipt:r-{id}\n\n"
        ));
        self.is_told(&["RECEIPT\n", &format!("receipt-id:r-{id}\n")]);
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

    /// The next frame has all of these in it.
    pub(crate) fn is_told(&mut self, parts: &[&str]) {
        let frame = self.frame();
        for part in parts {
            assert!(frame.contains(part), "no {part:?} in {frame:?}");
        }
    }

    /// Says goodbye.
    pub(crate) fn disconnect(&mut self) {
        self.send("DISCONNECT\n\n");
    }

    /// Nothing more comes, and the connection is closed.
    pub(crate) fn has_ended(&mut self) {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("it closes");
        assert_eq!(String::from_utf8_lossy(&rest).trim(), "");
    }
}

/// A client of STOMP over WebSocket.
pub(crate) struct WebSocketClient {
    stream: TcpStream,
}

impl WebSocketClient {
    /// One that is connected.
    pub(crate) fn connect(server: &Running, login: &str) -> Self {
        let mut stream = TcpStream::connect(server.http).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let handshake = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        stream.write_all(handshake.as_bytes()).expect("it reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("it answers");
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        let mut client = Self { stream };
        let connect = format!("CONNECT\naccept-version:1.2\nhost:x\nlogin:{login}\n\n\0");
        client.send(connect.as_bytes());
        assert!(client.message().1.starts_with(b"CONNECTED\n"));
        client
    }

    /// Sends a short text, masked by zeros.
    fn send(&mut self, text: &[u8]) {
        let length = u8::try_from(text.len()).expect("short");
        assert!(length < 126);
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text].concat();
        self.stream.write_all(&frame).expect("it reads");
    }

    /// The opcode and the payload of the next frame.
    pub(crate) fn message(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).expect("a frame comes");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length).expect("a length");
                usize::from(u16::from_be_bytes(length))
            }
            length => usize::from(length),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).expect("a payload");
        (head[0] & 0x0f, payload)
    }
}
