//! Certificates that are renewed while the server runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use tidings_server::config::Config;
use tidings_server::{RunError, Server};

use crate::certificates::Authority;
use crate::client::Client;
use crate::server::Running;

#[test]
fn new_connections_see_the_new_certificate_and_old_ones_live_on() {
    let running = Running::start();
    let (old_trust, mut old) = (running.trust(), running.client());
    old.subscribe("/topic/a");
    let renewed = Authority::new("the next authority");
    running.folder.put(&renewed.sign("the server"));
    running.tls.reload(&running.config.tls).expect("good files");

    let mut new = Client::new(running.tcp, renewed.client(None));
    new.connect();
    new.send("/topic/a", "", b"from the new one");
    assert_eq!(old.frame().1, b"from the new one");
    old.send("/topic/a", "", b"from the old one");
    assert_eq!(old.frame().1, b"from the old one");

    // What the client remembers of the old certificate is worth nothing.
    let mut stranger = Client::new(running.tcp, old_trust);
    stranger
        .try_write(b"x")
        .expect_err("it does not trust the new one");
}

#[test]
fn a_bad_file_keeps_what_was_and_is_named() {
    let running = Running::start();
    let other = Authority::new("another").sign("the server");
    let cases = [
        ("server.key", other.key.as_str(), "tls.key"),
        ("server.key", "", "tls.key"),
        ("server.key", &other.key[..80], "tls.key"),
        ("server.pem", "", "tls.certificate"),
        ("server.pem", &other.certificate[..300], "tls.certificate"),
        ("server.pem", other.certificate.as_str(), "tls.key"),
    ];
    for (name, text, key) in cases {
        let path = running.folder.path(name);
        let good = std::fs::read_to_string(&path).expect("it is there");
        running.folder.write(name, text);
        let error = running.tls.reload(&running.config.tls).expect_err(name);
        assert_eq!(error.key(), key, "{error}");
        let path = running
            .folder
            .path(if key == "tls.key" { "server.key" } else { name });
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
        assert!(!error.to_string().contains("BEGIN"), "{error}");
        running.client();
        running.folder.write(name, &good);
    }
    std::fs::remove_file(running.folder.path("server.pem")).expect("it is there");
    let error = running
        .tls
        .reload(&running.config.tls)
        .expect_err("it is gone");
    assert!(error.to_string().contains("cannot be read"), "{error}");
    running.client();
}

#[test]
fn certificates_are_renewed_under_load() {
    let running = Running::start();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (begun, begins) = mpsc::channel();
        for _ in 0..2 {
            let (running, is_over, begun) = (&running, &is_over, begun.clone());
            scope.spawn(move || {
                let mut stays = running.client();
                let destination = format!("/topic/{:?}", thread::current().id());
                stays.subscribe(&destination);
                let mut begun = Some(begun);
                while !is_over.load(Ordering::Relaxed) {
                    stays.send(&destination, "", &[b'x'; 20_000]);
                    assert_eq!(stays.frame().1.len(), 20_000);
                    running.client();
                    if let Some(begun) = begun.take() {
                        begun.send(()).expect("the test waits");
                    }
                }
            });
        }
        drop(begun);
        let have_begun = begins.iter().count();
        for _ in 0..20 {
            running.folder.put(&running.authority.sign("the server"));
            running.tls.reload(&running.config.tls).expect("good files");
        }
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(have_begun, 2, "both were there while it changed");
    });
}

#[tokio::test]
async fn a_server_whose_files_cannot_be_used_does_not_run() {
    let mut config = Config::default();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    config.http.tls = true;
    config.tls.certificate = Some("nowhere.pem".into());
    let server = Server::bind(config).await.expect("a free port");
    let ended = server.run(axum::Router::new(), std::future::pending());
    let Err(RunError::Tls(error)) = ended.await else {
        panic!("it runs");
    };
    assert_eq!(error.key(), "tls.certificate", "{error}");
}
