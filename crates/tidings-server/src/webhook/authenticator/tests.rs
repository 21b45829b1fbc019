use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use super::*;
use crate::config::{Config, Secret, Webhook};
use crate::outgoing::scripted::{self, Reply, SECRET, Seen, answer};

/// Long past, and long to come, in seconds.
const PAST: u64 = 1_000_000_000;
const FUTURE: u64 = 10_000_000_000;

fn webhook(port: u16) -> Webhook {
    Webhook {
        authenticate_url: Some(format!("http://127.0.0.1:{port}/who")),
        secret: Some(Secret(SECRET.to_owned())),
        retries: 0,
        ..Webhook::default()
    }
}

fn asking(webhook: Webhook) -> Arc<dyn Authenticator> {
    let config = Config {
        webhook,
        ..Config::default()
    };
    let node = Node::new(config, 1);
    let authenticator = authenticator(&node, &Handle::current());
    authenticator.expect("it is checked").expect("it is wanted")
}

fn scripted(script: impl Fn(Seen) -> Reply + Send + Sync + 'static) -> Webhook {
    webhook(scripted::start(script).port())
}

fn login(passcode: &str) -> Credentials {
    let credential = Credential::Login {
        login: "ann".into(),
        passcode: Some(passcode.into()),
    };
    Credentials::new(credential, Some([192, 0, 2, 7].into()))
}

/// What it says of one login.
async fn said(webhook: Webhook) -> Result<Principal, AuthenticationError> {
    asking(webhook).authenticate(login("secret")).await
}

fn rejected(text: &str) -> Result<Principal, AuthenticationError> {
    Err(AuthenticationError::Rejected(text.to_owned()))
}

fn out_of_order(text: &str) -> Result<Principal, AuthenticationError> {
    Err(unavailable(text))
}

#[tokio::test]
async fn without_a_url_there_is_none() {
    let node = Node::new(Config::default(), 1);
    let none = authenticator(&node, &Handle::current()).expect("it is checked");
    assert!(none.is_none());
}

#[tokio::test]
async fn what_a_client_shows_is_told_and_signed() {
    let (tell, told) = mpsc::channel();
    let asked = asking(scripted(move |seen| {
        assert!(seen.is_genuine());
        tell.send(seen).expect("the test listens");
        answer("200 OK", "", "{}")
    }));
    let token = |source| Credential::Token {
        token: "t".into(),
        source,
    };
    let nameless = Credential::Login {
        login: "ann".into(),
        passcode: None,
    };
    let subject = "CN=ann".into();
    for (credential, expected) in [
        (Credential::None, json!({})),
        (
            login("p\"\n").credential,
            json!({"login": "ann", "passcode": "p\"\n"}),
        ),
        (nameless, json!({"login": "ann"})),
        (
            token(TokenSource::Connect),
            json!({"token": "t", "source": "connect"}),
        ),
        (
            token(TokenSource::Authorization),
            json!({"token": "t", "source": "authorization"}),
        ),
        (
            token(TokenSource::Cookie),
            json!({"token": "t", "source": "cookie"}),
        ),
        (
            token(TokenSource::Ticket),
            json!({"token": "t", "source": "ticket"}),
        ),
        (
            token(TokenSource::Renewal),
            json!({"token": "t", "source": "renewal"}),
        ),
        (
            Credential::Certificate { subject },
            json!({"certificate": "CN=ann"}),
        ),
    ] {
        for address in [None, Some("::ffff:192.0.2.7")] {
            let shown = address.map(|text| text.parse().expect("an address"));
            let credentials = Credentials::new(credential.clone(), shown);
            asked.authenticate(credentials).await.expect("an answer");
            let seen = told.recv().expect("it was asked");
            let mut expected = expected.clone();
            if address.is_some() {
                expected["address"] = "192.0.2.7".into();
            }
            let body: serde_json::Value = serde_json::from_str(&seen.body).expect("JSON");
            assert_eq!(body, expected);
            assert_eq!(seen.path, "/who");
            assert_eq!(seen.header("tidings-kind"), "authenticate");
            assert_eq!(seen.header("content-type"), "application/json");
            assert_eq!(seen.header("tidings-session"), "");
        }
    }
}

#[tokio::test]
async fn an_answer_says_who_it_is() {
    let all = json!({
        "user": "ann", "roles": ["staff", "admin"], "claims": {"teams": ["red"]}, "token_id": "t7", "expires_at": FUTURE
    });
    let ann = || Principal::user("ann");
    let cannot = || out_of_order("the answer of the application can't be read");
    for (body, expected) in [
        (json!({"user": "ann"}), Ok(ann())),
        (
            all,
            Ok(ann()
                .with_roles(["staff", "admin"])
                .with_claim("teams", json!(["red"]))
                .with_token_id("t7")
                .expiring_at_ms(FUTURE * 1_000)),
        ),
        (
            json!({"user": "ann", "expires_at": FUTURE, "expires_in": u64::MAX}),
            Ok(ann().expiring_at_ms(FUTURE * 1_000)),
        ),
        (
            json!({"user": "ann", "expires_at": 9_999_999_999.5}),
            Ok(ann().expiring_at_ms(9_999_999_999_500)),
        ),
        (json!({}), Ok(Principal::anonymous())),
        (
            json!({"user": "", "roles": null}),
            Ok(Principal::anonymous()),
        ),
        (
            json!({"user": null, "roles": ["guest"]}),
            Ok(Principal::anonymous().with_roles(["guest"])),
        ),
        (
            json!({"user": "ann", "expires_at": PAST}),
            Err(AuthenticationError::Expired),
        ),
        (
            json!({"user": "ann", "expires_in": 0}),
            Err(AuthenticationError::Expired),
        ),
        (
            json!({"user": "ann", "expires_in": -1}),
            Err(AuthenticationError::Expired),
        ),
        (json!({"user": 7}), cannot()),
        (json!({"user": "ann", "roles": "staff"}), cannot()),
        (json!({"user": "ann", "roles": [1]}), cannot()),
        (json!({"user": "ann", "claims": []}), cannot()),
        (json!({"user": "ann", "token_id": 1}), cannot()),
        (json!({"user": "ann", "expires_at": "soon"}), cannot()),
        (json!({"user": "ann", "expires": PAST}), cannot()),
        (json!(["ann"]), cannot()),
        (
            json!({"user": "ann", "claims": {"much": "x".repeat(20_000)}}),
            cannot(),
        ),
    ] {
        let text = body.to_string();
        let shown = text.get(..100).unwrap_or(&text).to_owned();
        let said = said(scripted(move |_| answer("200 OK", "", &text))).await;
        assert_eq!(said, expected, "{shown}");
    }
}

#[tokio::test]
async fn what_is_left_is_counted_from_the_answer() {
    let before = clock::system_ms();
    let said = said(scripted(|_| {
        answer("200 OK", "", r#"{"user":"ann","expires_in":60}"#)
    }))
    .await;
    let at = said.expect("an answer").expires_at_ms.expect("it expires");
    assert!((before + 60_000..=clock::system_ms() + 60_000).contains(&at));
}

#[tokio::test]
async fn the_status_says_whether_the_client_may_come_again() {
    let problem = "content-type: application/problem+json\r\n";
    for (status, headers, body, expected) in [
        (
            "401 x",
            problem,
            r#"{"detail":"wrong password"}"#,
            rejected("wrong password"),
        ),
        (
            "403 x",
            "",
            "",
            rejected("the application answered with 403"),
        ),
        (
            "404 x",
            "",
            "",
            rejected("the application answered with 404"),
        ),
        (
            "422 x",
            "content-type: text/plain\r\n",
            "no\nname",
            rejected("no name"),
        ),
        (
            "429 x",
            problem,
            r#"{"detail":"slowly"}"#,
            out_of_order("slowly"),
        ),
        (
            "500 x",
            "",
            "a trace",
            out_of_order("the application answered with 500"),
        ),
        (
            "503 x",
            "",
            "",
            out_of_order("the application answered with 503"),
        ),
        (
            "302 x",
            "location: /x\r\n",
            "",
            out_of_order("the application redirects elsewhere (302), which is not followed"),
        ),
        (
            "204 x",
            "",
            "",
            out_of_order("the application answered with 204"),
        ),
        (
            "200 x",
            "",
            "",
            out_of_order("the answer of the application can't be read"),
        ),
        (
            "200 x",
            "",
            "ann",
            out_of_order("the answer of the application can't be read"),
        ),
    ] {
        let said = said(scripted(move |_| answer(status, headers, body))).await;
        assert_eq!(said, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_back_end_that_gives_no_answer_lets_nobody_in_and_says_come_back() {
    let silent = || {
        scripted(|_| {
            std::thread::park();
            answer("200 OK", "", "{}")
        })
    };
    let patience = Duration::from_millis(200);
    let (_nobody, port) = scripted::taken_by_nobody();
    for (webhook, text) in [
        (
            Webhook {
                timeout: patience,
                ..silent()
            },
            "the application did not answer in time",
        ),
        (webhook(port), "the application cannot be reached"),
        (
            scripted(|_| Reply::Then(b"hello\r\n\r\n".to_vec())),
            "the application answered with what is no HTTP",
        ),
        (
            scripted(|_| answer("200 OK", "", &" ".repeat(2 << 20))),
            "the application answered with more than the server takes",
        ),
    ] {
        assert_eq!(said(webhook).await, out_of_order(text));
    }
}

#[tokio::test]
async fn one_that_fails_again_and_again_is_left_alone() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let authenticator = asking(Webhook {
        breaker_failures: 2,
        ..scripted(move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            answer("503 x", "", "")
        })
    });
    for expected in [
        "the application answered with 503",
        "the application answered with 503",
        "the application is left alone for a while, since it did not answer",
    ] {
        let said = authenticator.authenticate(login("secret")).await;
        assert_eq!(said, out_of_order(expected));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

/// Answers at once, but for `slow`, of which the test hears.
fn slow_and_quick(timeout: Duration) -> (Webhook, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let webhook = Webhook {
        max_concurrency: 1,
        timeout,
        ..scripted(move |seen| {
            if seen.body.contains("slow") {
                let _ = tell.send(());
                std::thread::park();
            }
            answer("200 OK", "", r#"{"user":"ann"}"#)
        })
    };
    (webhook, told)
}

async fn asked(told: mpsc::Receiver<()>) {
    let came = tokio::task::spawn_blocking(move || told.recv());
    came.await.expect("it waits").expect("it is asked");
}

#[tokio::test]
async fn so_many_are_asked_about_at_a_time_and_others_wait() {
    let (webhook, told) = slow_and_quick(Duration::from_millis(500));
    let authenticator = asking(webhook);
    let slow = tokio::spawn(authenticator.authenticate(login("slow")));
    asked(told).await;
    // It waits less than the first has, and finds a place when that is given up.
    let quick = authenticator.authenticate(login("quick"));
    let (slow, quick) = tokio::join!(slow, quick);
    let late = out_of_order("the application did not answer in time");
    assert_eq!(slow.expect("no panic"), late);
    assert_eq!(quick, Ok(Principal::user("ann")));
}

#[tokio::test]
async fn a_client_that_has_gone_gives_its_place_back() {
    let patience = Duration::from_secs(10);
    let (webhook, told) = slow_and_quick(patience);
    let authenticator = asking(webhook);
    let gone = authenticator.authenticate(login("slow"));
    asked(told).await;
    drop(gone);
    let began = clock::now();
    let quick = authenticator.authenticate(login("quick")).await;
    assert_eq!(quick, Ok(Principal::user("ann")));
    assert!(clock::now() - began < patience / 2, "it waited");
}

/// All that is logged, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut log = self.0.lock().expect("nobody panics");
        *log += &format!("{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn no_secret_stands_in_the_log() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let authenticator = asking(Webhook {
        breaker_failures: 2,
        ..scripted(|seen| match seen.body.contains("token") {
            true => answer("200 OK", "", r#"{"user":"hunter3","token_id":["hunter4"]}"#),
            false => answer("503 x", "", "hunter5"),
        })
    });
    let token = Credential::Token {
        token: "hunter6".into(),
        source: TokenSource::Connect,
    };
    for credentials in [
        Credentials::new(token, None),
        login("hunter2"),
        login("hunter2"),
    ] {
        let _ = authenticator.authenticate(credentials).await;
    }
    let log = log.0.lock().expect("nobody panics").clone();
    assert!(log.contains("`token_id` is not a text"), "{log}");
    assert!(log.contains("is left alone"), "{log}");
    assert!(!log.contains("hunter") && !log.contains(SECRET), "{log}");
}
