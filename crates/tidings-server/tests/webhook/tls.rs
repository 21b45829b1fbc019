//! Back ends behind HTTPS, and what is wrong with some.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::post;
use tidings_server::config::{Webhook, WebhookRoute};
use tidings_server::{RunError, Server};

use crate::back_end::{self, answer};
use crate::https::{Authority, Identity, serve};
use crate::server::{Running, config, routed};

/// A file that goes with it.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("tidings-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("a file of our own");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A back end that answers `secure`, and counts how often.
fn counting(identity: Identity) -> (u16, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let hook = move |headers: HeaderMap| async move {
        assert!(headers.contains_key("tidings-signature"));
        seen.fetch_add(1, Ordering::SeqCst);
        ([("tidings-send-to-session", "queue/answer")], "secure")
    };
    let router = Router::new().route("/hook", post(hook));
    (serve(identity, router), asked)
}

fn secured(port: u16, ca: &File) -> Webhook {
    Webhook {
        routes: vec![WebhookRoute {
            pattern: "**".to_owned(),
            url: format!("https://localhost:{port}/hook"),
        }],
        ca: Some(ca.0.clone()),
        ..routed(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

#[test]
fn a_back_end_answers_over_tls() {
    let authority = Authority::new("ours");
    let (port, asked) = counting(authority.issue("localhost"));
    let ca = File::new("answers.pem", authority.pem());
    let server = Running::start(secured(port, &ca));
    let mut client = server.client("ada");
    client.subscribe("a", "/user/queue/answer");
    for _ in 0..3 {
        client.ask("x", "");
        client.is_told(&["subscription:a\n", "\n\nsecure"]);
        client.is_told(&["RECEIPT\n"]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn a_certificate_that_does_not_hold_is_refused_before_anything_is_said() {
    let authority = Authority::new("ours");
    let ca = File::new("refused.pem", authority.pem());
    for (wrong, identity) in [
        ("its name", authority.issue("elsewhere.example")),
        (
            "its authority",
            Authority::new("another").issue("localhost"),
        ),
        ("its time", authority.issue_expired("localhost")),
    ] {
        let (port, asked) = counting(identity);
        let server = Running::start(Webhook {
            breaker_failures: 2,
            ..secured(port, &ca)
        });
        let mut client = server.client("");
        client.subscribe("e", "/user/queue/errors");
        for text in [
            "certificate of the application",
            "certificate",
            "left alone",
        ] {
            client.ask("x", "a secret of the client");
            client.is_told(&["code:application-unavailable\n", text]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 0, "{wrong}");
        let metrics = server.metrics();
        // Once each: what does not hold holds no better the next moment.
        let counted = "tidings_webhook_seconds_count{outcome=\"untrusted\"} 2\n";
        assert!(metrics.contains(counted), "{wrong}: {metrics}");
    }
}

#[test]
fn a_port_without_tls_is_told_so() {
    let authority = Authority::new("ours");
    let ca = File::new("plain.pem", authority.pem());
    let plain = back_end::start(|_| answer("204 No Content", "", ""));
    let chatty = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let speaks_first = chatty.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in chatty.incoming().flatten() {
            let mut stream = stream;
            let _ = std::io::Write::write_all(&mut stream, b"220 mail.example\r\n");
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let server = Running::start(secured(speaks_first, &ca));
    let mut client = server.client("");
    client.ask("x", "");
    client.is_told(&["code:application-unavailable\n", "does not agree on TLS"]);

    // HTTP waits for the end of a line in what TLS begins with.
    let server = Running::start(Webhook {
        timeout: Duration::from_secs(1),
        ..secured(plain.port(), &ca)
    });
    let mut client = server.client("");
    client.ask("x", "");
    client.is_told(&["code:application-"]);
}

#[test]
fn tls_that_never_begins_is_within_the_time_out_and_holds_nothing_up() {
    let authority = Authority::new("ours");
    let ca = File::new("silent.pem", authority.pem());
    // Accepted by the system, and never read.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("it is bound").port();
    let server = Running::start(Webhook {
        timeout: Duration::from_millis(300),
        ..secured(port, &ca)
    });
    let mut client = server.client("");
    client.subscribe("e", "/user/queue/errors");
    client.ask("x", "");
    client.is_told(&["code:application-timeout\n", "in time"]);
    // The connection ends with the request, also where a pool opened it.
    let (mut first, _) = silent.accept().expect("it came");
    first
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a socket");
    let mut hello = Vec::new();
    first.read_to_end(&mut hello).expect("it is closed");
    assert!(!hello.is_empty());
}

#[test]
fn a_connection_that_nobody_waits_for_any_longer_is_given_up_as_well() {
    let authority = Authority::new("ours");
    let ca = File::new("second.pem", authority.pem());
    let (began, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let hook = move |headers: HeaderMap| async move {
        if headers["tidings-destination"] == "/app/slow" {
            began.send(()).expect("the test listens");
            let wait = move || released.lock().expect("nobody panics").recv();
            let waited = tokio::task::spawn_blocking(wait).await;
            waited.expect("it waits").expect("the test says so");
        }
    };
    let port = serve(
        authority.issue("localhost"),
        Router::new().route("/hook", post(hook)),
    );
    let front = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = Running::start(Webhook {
        timeout: Duration::from_secs(3),
        ..secured(front.local_addr().expect("it is bound").port(), &ca)
    });
    let [mut first, mut second] = [(); 2].map(|()| server.client(""));
    first.ask("slow", "");
    let (own, _) = front.accept().expect("it came");
    pass_on(own, port);
    begun.recv().expect("it is asked");
    second.ask("quick", "");
    let (mut silent, _) = front.accept().expect("it came");
    // The one in use is free again before the other one is there.
    release.send(()).expect("it waits");
    for client in [&mut first, &mut second] {
        client.is_told(&["RECEIPT\n"]);
    }
    silent
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a socket");
    silent.read_to_end(&mut Vec::new()).expect("it is closed");
}

/// To the port and back.
fn pass_on(stream: TcpStream, port: u16) {
    let other = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let clone = |stream: &TcpStream| stream.try_clone().expect("a socket");
    for (mut from, mut to) in [(clone(&stream), clone(&other)), (other, stream)] {
        thread::spawn(move || std::io::copy(&mut from, &mut to));
    }
}

#[tokio::test]
async fn a_file_without_certificates_keeps_the_server_from_starting() {
    for (text, cause) in [
        (Some("no certificate"), "holds no certificates"),
        (None, "cannot be read"),
    ] {
        let file = File::new("none.pem", text.unwrap_or_default());
        if text.is_none() {
            std::fs::remove_file(&file.0).expect("it was there");
        }
        let server = Server::bind(config(secured(1, &file))).await;
        let server = server.expect("a free port");
        let ended = server.run(Router::new(), std::future::pending()).await;
        let Err(RunError::Webhook(told)) = ended else {
            panic!("{ended:?}")
        };
        assert!(
            told.starts_with("in `webhook.ca` ") && told.contains(cause),
            "{told}"
        );
    }
}
