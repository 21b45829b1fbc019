//! What the log says, however much it says.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_server::config::{ApiKey, AuthenticatorKind};
use tidings_testkit::{Link, TestServer, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::table::Proof;
use crate::world::{router, secure, token};

const KEY: &str = "an-api-key-that-nobody-knows";
const GUESS: &str = "a-guessed-api-key-of-somebody";
const WRONG: &str = "a passcode that is wrong";

static TOLD: AtomicUsize = AtomicUsize::new(0);
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());

thread_local! {
    /// What this test has left in the audit log.
    static AUDIT: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Hears everything that any test of this program causes.
struct Listener;

/// The fields of an event in words.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Strings take everything.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Line {
    fn look(self) {
        TOLD.fetch_add(1, Ordering::Relaxed);
        let secrets = SECRETS.lock().expect("nobody panics");
        if secrets.iter().any(|secret| self.0.contains(secret)) {
            FOUND.lock().expect("nobody panics").push(self.0);
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        span.record(&mut line);
        line.look();
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        line.look();
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        if event.metadata().target() == "tidings::audit" {
            AUDIT.with_borrow_mut(|lines| lines.push(line.0.clone()));
        }
        line.look();
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

async fn publish(server: &TestServer, key: &str) -> String {
    let mut connection = server.connector().connect_http().await.expect("it runs");
    let body = r#"{"destination":"/topic/a","body":"x"}"#;
    let request = format!(
        "POST /api/v1/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    connection
        .read_to_string(&mut answer)
        .await
        .expect("it answers");
    answer
}

/// Tokens in urls reach logs, and passcodes those of whoever writes out frames: neither is in ours, at any level.
#[test]
fn no_secret_of_a_client_or_of_the_operator_is_in_the_log() {
    let good = token("ann", &["staff"], &["red"]);
    let bad = crate::world::forged();
    let old = crate::world::expired();
    // Both halves of a signed token: the claims are nobody's business either.
    let halves = |token: &str| {
        token
            .split('.')
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut secrets = [halves(&good), halves(&bad), halves(&old)].concat();
    secrets.extend([KEY, GUESS, WRONG, crate::world::SECRET].map(str::to_owned));
    *SECRETS.lock().expect("nobody panics") = secrets;
    tracing::subscriber::set_global_default(Listener).expect("there is no other");
    run(async {
        let kinds = [AuthenticatorKind::Jwt, AuthenticatorKind::Users];
        let mut server = TestServer::builder()
            .application(router())
            .config(|config| {
                secure(config, &kinds);
                config.api.enabled = true;
                config.api.keys = vec![ApiKey::new(KEY).expect("it is long enough")];
            })
            .start()
            .await;
        for link in Link::ALL {
            let dial = || server.dial().over(link);
            for token in [&bad, &old] {
                Proof::Connect.show(dial(), token, "").refused().await;
            }
            Proof::Passcode.show(dial(), "", WRONG).refused().await;
            Proof::TokenAsPasscode
                .show(dial(), &good, "")
                .refused()
                .await;
            let mut peer = Proof::Connect.show(dial(), &good, "").connect().await;
            for wrong in [&bad, &old] {
                let frame = tidings_testkit::Frame::new(tidings_testkit::Command::Send)
                    .with_header("destination", "/session/token")
                    .with_header("Authorization", &format!("Bearer {wrong}"));
                peer.send_frame(frame).await;
                peer.error().await;
                peer = Proof::Connect.show(dial(), &good, "").connect().await;
            }
            if link != Link::Tcp {
                for proof in [Proof::Cookie, Proof::Bearer, Proof::Ticket, Proof::Basic] {
                    proof.show(dial(), &bad, WRONG).turned_away().await;
                    if proof != Proof::Basic {
                        drop(proof.show(dial(), &good, "").connect().await);
                    }
                }
            }
        }
        let published = publish(&server, KEY).await;
        assert!(published.starts_with("HTTP/1.1 200"), "{published}");
        assert!(publish(&server, GUESS).await.starts_with("HTTP/1.1 401"));
        server
            .reload(|config| config.security.rules.clear())
            .expect("good rules");
        tracing::info!(value = %format!("what is looked for is found: {GUESS}"));
        server.shutdown().await;
    });
    assert!(
        TOLD.load(Ordering::Relaxed) > 50,
        "the server says more than that"
    );
    let found = FOUND.lock().expect("nobody panics");
    let [own] = &found[..] else {
        panic!("{found:#?}")
    };
    assert!(own.contains("is looked for"), "{own}");
}

/// What is refused by what was shown before, rather than by what is shown now, leaves its line too.
#[test]
fn a_wrong_csrf_token_and_a_wrong_renewal_stand_in_the_audit_log() {
    let _own = tracing::subscriber::set_default(Listener);
    run(async {
        let server = crate::world::of_tokens()
            .config(|config| config.security.csrf_cookie = Some("csrf".to_owned()))
            .start()
            .await;
        let cookies = format!("session={}; csrf=0123456789", token("ann", &[], &[]));
        let dial = server.dial().over(Link::WebSocket);
        let dial = dial.http_header("origin", "http://localhost");
        let refused = dial.http_header("cookie", &cookies).refused().await;
        assert_eq!(refused.code(), "bad-credentials");
        let dial = Proof::Connect.show(server.dial(), &token("ann", &[], &[]), "");
        let mut peer = dial.connect().await;
        let bearer = format!("Bearer {}", token("bob", &[], &[]));
        let frame = tidings_testkit::Frame::new(tidings_testkit::Command::Send)
            .with_header("destination", "/session/token")
            .with_header("Authorization", &bearer);
        peer.send_frame(frame).await;
        assert_eq!(peer.error().await.code(), "token-mismatch");
    });
    AUDIT.with_borrow(|lines| {
        let [csrf, renewal] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert!(csrf.contains("bad-credentials"), "{csrf}");
        assert!(renewal.contains("token-mismatch"), "{renewal}");
        assert!(renewal.contains("ann"), "{renewal}");
    });
}
