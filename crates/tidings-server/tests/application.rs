//! An application behind a real server, over TCP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use tidings_core::application::{
    Answer, Application, Broker, Effect, Event, Failure, Outgoing, Recipient, Request, Response,
};
use tidings_core::disconnect::Reason;
use tidings_server::config::{Config, Overrides};
use tidings_server::{ListenerKind, Server};
use tokio::sync::{Notify, oneshot};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers by the path of a request.
#[derive(Default)]
struct Example {
    /// Lets requests to `slow` go on.
    go: Arc<Notify>,
    events: Mutex<Vec<String>>,
}

impl Application for Example {
    fn call(&self, request: Request) -> Answer {
        let go = Arc::clone(&self.go);
        assert_ne!(request.path(), "panic-at-once", "as the test wants");
        Answer::new(async move {
            let message = |body: &str| Outgoing {
                body: body.to_owned().into(),
                ..Outgoing::default()
            };
            let effect = match request.path() {
                "reply" => Effect::Reply(message("hello")),
                "topic" => Effect::Send {
                    destination: "/topic/a".into(),
                    message: message("to all"),
                },
                "mine" => Effect::SendTo {
                    recipient: Recipient::Session(Arc::clone(&request.session.id)),
                    path: "queue/mine".into(),
                    message: message("for you"),
                },
                "slow" => {
                    go.notified().await;
                    Effect::Send {
                        destination: "/topic/a".into(),
                        message: message("slow"),
                    }
                }
                "never" => std::future::pending().await,
                "count" => {
                    let count = request.session.attribute(|count: &mut u32| {
                        *count += 1;
                        *count
                    });
                    Effect::Send {
                        destination: "/topic/a".into(),
                        message: message(&count.to_string()),
                    }
                }
                "panic" => panic!("as the test wants"),
                _ => {
                    return Response::from(Failure {
                        reason: Reason::ApplicationFailed,
                        details: "no such thing; ask for another".to_owned(),
                    });
                }
            };
            Response {
                effects: vec![effect],
                ..Response::default()
            }
        })
    }

    fn notice(&self, event: &Event) {
        let text = match event {
            Event::Connect { session } => format!("connect {:?}", session.user),
            Event::Connected { session } => format!("connected {:?}", session.user),
            Event::Subscribed { destination, .. } => format!("subscribed {destination}"),
            Event::Unsubscribed { subscription, .. } => format!("unsubscribed {subscription:?}"),
            Event::Disconnected { reason, .. } => format!("disconnected {}", reason.name()),
            _ => return,
        };
        self.events.lock().expect("nobody panics").push(text);
    }
}

/// A server with the application, until it is dropped.
struct Running {
    tcp: SocketAddr,
    example: Arc<Example>,
    broker: Arc<dyn Broker>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start() -> Self {
        let (started, running) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let example = Arc::new(Example::default());
        let application = Arc::clone(&example);
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
                config.application.timeout = Duration::from_millis(200);
                let server = Server::bind(config).await.expect("a free port");
                let server = server.application(application);
                let tcp = server
                    .listeners()
                    .iter()
                    .find(|one| one.kind == ListenerKind::Tcp);
                let tcp = tcp.expect("it is on").address;
                started
                    .send((tcp, server.broker()))
                    .expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let ended = server.run(axum::Router::new(), stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let (tcp, broker) = running.recv().expect("it starts");
        Self {
            tcp,
            example,
            broker,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn client(&self, login: &str) -> Client {
        let stream = TcpStream::connect(self.tcp).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        let mut client = Client { stream };
        let login = if login.is_empty() {
            String::new()
        } else {
            format!("login:{login}\n")
        };
        client.send(&format!("CONNECT\naccept-version:1.2\nhost:x\n{login}\n"));
        assert!(client.frame().starts_with("CONNECTED\n"));
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

struct Client {
    stream: TcpStream,
}

impl Client {
    fn send(&mut self, frame: &str) {
        let bytes = format!("{frame}\0");
        self.stream.write_all(bytes.as_bytes()).expect("it reads");
    }

    fn subscribe(&mut self, id: &str, destination: &str) {
        self.send(&format!(
            "SUBSCRIBE\nid:{id}\ndestination:{destination}\nreceipt:r-{id}\n\n"
        ));
    }

    /// The next frame, without its NUL and the line feeds around it.
    fn frame(&mut self) -> String {
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

    fn is_told(&mut self, parts: &[&str]) {
        let frame = self.frame();
        for part in parts {
            assert!(frame.contains(part), "no {part:?} in {frame:?}");
        }
    }
}

#[test]
fn a_subscription_to_the_application_is_answered_once_and_directly() {
    let server = Running::start();
    let mut client = server.client("");
    client.subscribe("s", "/app/reply");
    client.is_told(&[
        "MESSAGE\nsubscription:s\n",
        "destination:/app/reply\n",
        "\n\nhello",
    ]);
    client.is_told(&["RECEIPT\nreceipt-id:r-s\n"]);
    client.send("UNSUBSCRIBE\nid:s\nreceipt:end\n\n");
    client.is_told(&["RECEIPT\nreceipt-id:end\n"]);
}

#[test]
fn what_the_application_sends_arrives_before_the_receipt() {
    let server = Running::start();
    let mut client = server.client("ada");
    client.subscribe("t", "/topic/a");
    client.is_told(&["r-t"]);
    client.subscribe("m", "/user/queue/mine");
    client.is_told(&["r-m"]);
    client.send("SEND\ndestination:/app/topic\nreceipt:1\n\n");
    client.is_told(&["MESSAGE\nsubscription:t\n", "\n\nto all"]);
    client.is_told(&["RECEIPT\nreceipt-id:1\n"]);
    client.send("SEND\ndestination:/app/mine\nreceipt:2\n\n");
    client.is_told(&[
        "subscription:m\n",
        "destination:/user/queue/mine\n",
        "\n\nfor you",
    ]);
    client.is_told(&["RECEIPT\nreceipt-id:2\n"]);
}

#[test]
fn a_session_waits_for_its_answer_and_others_do_not() {
    let server = Running::start();
    let mut slow = server.client("");
    let mut other = server.client("");
    for client in [&mut slow, &mut other] {
        client.subscribe("t", "/topic/a");
        client.is_told(&["r-t"]);
    }
    slow.send("SEND\ndestination:/app/slow\nreceipt:1\n\n");
    slow.send("SEND\ndestination:/topic/a\nreceipt:2\n\nbehind");
    other.send("SEND\ndestination:/topic/a\nreceipt:3\n\nother");
    other.is_told(&["\n\nother"]);
    other.is_told(&["receipt-id:3"]);
    slow.is_told(&["\n\nother"]);
    server.example.go.notify_one();
    slow.is_told(&["\n\nslow"]);
    slow.is_told(&["receipt-id:1"]);
    slow.is_told(&["\n\nbehind"]);
    slow.is_told(&["receipt-id:2"]);
}

#[test]
fn a_failure_is_an_error_unless_the_client_listens_for_errors() {
    let server = Running::start();
    let mut client = server.client("");
    client.send("SEND\ndestination:/app/else\nreceipt:1\n\n");
    client.is_told(&[
        "ERROR\n",
        "code:application-failed\n",
        "receipt-id:1\n",
        "no such thing",
    ]);

    let mut client = server.client("");
    client.subscribe("e", "/user/queue/errors");
    client.is_told(&["r-e"]);
    for (path, code) in [
        ("else", "application-failed"),
        ("panic", "internal-error"),
        ("panic-at-once", "internal-error"),
        ("never", "application-timeout"),
    ] {
        client.send(&format!(
            "SEND\ndestination:/app/{path}\nreceipt:{path}\n\n"
        ));
        client.is_told(&[
            "MESSAGE\nsubscription:e\n",
            "destination:/user/queue/errors\n",
            &format!("code:{code}\n"),
            &format!("request-destination:/app/{path}\n"),
            &format!("request-receipt:{path}\n"),
        ]);
    }
    client.subscribe("t", "/topic/a");
    client.is_told(&["RECEIPT\nreceipt-id:r-t\n"]);
}

#[test]
fn attributes_live_as_long_as_the_session() {
    let server = Running::start();
    for _ in 0..2 {
        let mut client = server.client("");
        client.subscribe("t", "/topic/a");
        client.is_told(&["r-t"]);
        for count in ["1", "2"] {
            client.send("SEND\ndestination:/app/count\n\n");
            client.is_told(&[&format!("\n\n{count}")]);
        }
    }
}

#[test]
fn the_broker_reaches_users_from_anywhere_and_says_how_many() {
    let server = Running::start();
    let mut clients = [
        server.client("ada"),
        server.client("ada"),
        server.client("bob"),
    ];
    for client in &mut clients[..2] {
        client.subscribe("m", "/user/queue/mine");
        client.is_told(&["r-m"]);
    }
    let message = || Outgoing {
        body: "news".into(),
        ..Outgoing::default()
    };
    let reached = |user: &str| {
        let user = Recipient::User(user.into());
        server.broker.send_to(&user, "queue/mine", message())
    };
    assert_eq!(reached("ada"), Ok(2));
    assert_eq!(reached("bob"), Ok(0));
    assert_eq!(reached("eve"), Ok(0));
    for client in &mut clients[..2] {
        client.is_told(&["destination:/user/queue/mine\n", "\n\nnews"]);
    }
    let [ada, ..] = &mut clients;
    ada.subscribe("q", "/queue/work");
    ada.is_told(&["r-q"]);
    assert_eq!(server.broker.send("/queue/work", message()), Ok(()));
    ada.is_told(&["destination:/queue/work\n", "\n\nnews"]);
    assert!(server.broker.send("/nowhere", message()).is_err());
}

#[test]
fn the_broker_takes_a_session_for_a_session_and_a_user_for_a_user() {
    let server = Running::start();
    let stream = TcpStream::connect(server.tcp).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let mut victim = Client { stream };
    victim.send("CONNECT\naccept-version:1.2\nhost:x\n\n");
    let connected = victim.frame();
    let session = connected
        .lines()
        .find_map(|line| line.strip_prefix("session:"));
    let session = session.expect("CONNECTED names it").to_owned();
    let mut intruder = server.client(&session);
    for client in [&mut victim, &mut intruder] {
        client.subscribe("s", "/user/queue/x");
        client.is_told(&["r-s"]);
    }
    let send = |recipient: Recipient, path: &str, body: &str| {
        let message = Outgoing {
            body: body.to_owned().into(),
            ..Outgoing::default()
        };
        server.broker.send_to(&recipient, path, message)
    };
    let made_up = Recipient::Session(format!("{session}/queue").into());
    assert_eq!(send(made_up, "x", "astray"), Ok(0));
    let to_session = Recipient::Session(session.as_str().into());
    assert_eq!(send(to_session, "queue/x", "to the session"), Ok(1));
    victim.is_told(&["destination:/user/queue/x\n", "\n\nto the session"]);
    let to_user = Recipient::User(session.as_str().into());
    assert_eq!(send(to_user, "queue/x", "to the user"), Ok(1));
    intruder.is_told(&["\n\nto the user"]);
}

#[test]
fn the_application_hears_of_a_session_from_its_beginning_to_its_end() {
    let server = Running::start();
    let mut client = server.client("ada");
    client.subscribe("t", "/topic/a");
    client.is_told(&["r-t"]);
    client.subscribe("u", "/topic/b");
    client.is_told(&["r-u"]);
    client.send("UNSUBSCRIBE\nid:t\nreceipt:end\n\n");
    client.is_told(&["receipt-id:end"]);
    client.send("DISCONNECT\nreceipt:bye\n\n");
    client.is_told(&["receipt-id:bye"]);
    assert_eq!(client.stream.read(&mut [0]).expect("it closes"), 0);
    let events = server.example.events.lock().expect("nobody panics");
    assert_eq!(
        *events,
        [
            "connect Some(\"ada\")",
            "connected Some(\"ada\")",
            "subscribed /topic/a",
            "subscribed /topic/b",
            "unsubscribed Some(\"t\")",
            "unsubscribed Some(\"u\")",
            "disconnected normal",
        ]
    );
}
