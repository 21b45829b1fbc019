//! Webhooks: a real server, a back end on loopback that does what the test says, clients over TCP.

mod back_end;
mod examples;
mod https;
mod permission;
mod server;
mod tls;

use std::collections::HashSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use back_end::{Reply, Seen, answer};
use server::{Running, config, routed};
use tidings_core::application::{Answer, Application, Request};
use tidings_server::config::{Webhook, WebhookRoute};
use tidings_server::{RunError, Server};

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers by the last segment of the destination.
fn by_name(seen: Seen) -> Reply {
    let name = seen.header("tidings-destination").rsplit('/').next();
    match name.unwrap_or_default() {
        "nothing" => answer("204 No Content", "", ""),
        "topic" => answer(
            "200 OK",
            "tidings-send-to: /topic/a\r\ncontent-type: application/json\r\n",
            "{}",
        ),
        "mine" => answer("200 OK", "tidings-send-to-user: queue/mine\r\n", "yours"),
        "bob" => answer(
            "200 OK",
            "tidings-user: bob\r\ntidings-send-to-user: queue/mine\r\n",
            "from ada",
        ),
        "problem" => answer(
            "422 Unprocessable Content",
            "content-type: application/problem+json\r\n",
            r#"{"detail":"no stock left"}"#,
        ),
        "broken" => answer("500 Internal Server Error", "", "a stack trace"),
        "moved" => answer("302 Found", "location: /x\r\n", ""),
        "rubbish" => Reply::Then(b"hello\r\n\r\n".to_vec()),
        "huge" => answer("200 OK", "", &"x".repeat(10 << 20)),
        "endless" => {
            Reply::Then([b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 10 << 20]].concat())
        }
        "dies" => Reply::Then(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhel".to_vec()),
        "silent" => {
            std::thread::park();
            answer("204 No Content", "", "")
        }
        _ => answer(
            "200 OK",
            "content-type: text/x-echo\r\n",
            &format!("echo {}", seen.body),
        ),
    }
}

#[test]
fn the_answer_says_where_it_goes() {
    let server = Running::start(routed(back_end::start(by_name)));
    let mut ada = server.client("ada");
    let mut bob = server.client("bob");
    ada.subscribe("t", "/topic/a");
    for client in [&mut ada, &mut bob] {
        client.subscribe("m", "/user/queue/mine");
    }
    ada.ask("nothing", "");
    ada.is_told(&["RECEIPT\nreceipt-id:nothing\n"]);
    ada.ask("echo", "a message without a place to go");
    ada.is_told(&["RECEIPT\nreceipt-id:echo\n"]);
    ada.ask("topic", "");
    ada.is_told(&[
        "subscription:t\n",
        "content-type:application/json\n",
        "\n\n{}",
    ]);
    ada.is_told(&["RECEIPT\nreceipt-id:topic\n"]);
    ada.ask("mine", "");
    ada.is_told(&["subscription:m\n", "\n\nyours"]);
    ada.is_told(&["RECEIPT\nreceipt-id:mine\n"]);
    ada.ask("bob", "");
    ada.is_told(&["RECEIPT\nreceipt-id:bob\n"]);
    bob.is_told(&["subscription:m\n", "\n\nfrom ada"]);
    ada.send("SUBSCRIBE\nid:s\ndestination:/app/echo\nreceipt:r-s\n\n");
    ada.is_told(&[
        "MESSAGE\nsubscription:s\n",
        "destination:/app/echo\n",
        "content-type:text/x-echo\n",
        "\n\necho ",
    ]);
    ada.is_told(&["RECEIPT\nreceipt-id:r-s\n"]);
}

#[test]
fn a_back_end_learns_who_asks_what_and_that_it_is_us() {
    let (tell, told) = mpsc::channel();
    let back_end = back_end::start(move |seen| {
        tell.send(seen).expect("the test listens");
        answer("204 No Content", "", "")
    });
    let mut webhook = routed(back_end);
    webhook.routes.insert(
        0,
        WebhookRoute {
            pattern: "trade/{symbol}".to_owned(),
            url: format!("http://{back_end}/trade?v=1"),
        },
    );
    let server = Running::start(webhook);
    let mut client = server.client("ada b");
    client.send(
        "SEND\ndestination:/app/trade/ac%me\ncontent-type:application/json\nprice:1\\r\\nx: y\nreceipt:1\n\n{\"n\":1}",
    );
    client.is_told(&["receipt-id:1"]);
    let seen = told.recv_timeout(PATIENCE).expect("it is asked");
    assert!(seen.is_genuine());
    assert_eq!(seen.path, "/trade?v=1");
    assert_eq!(seen.body, "{\"n\":1}");
    for (name, value) in [
        ("content-type", "application/json"),
        ("tidings-kind", "message"),
        ("tidings-destination", "/app/trade/ac%25me"),
        ("tidings-variable-symbol", "ac%25me"),
        ("tidings-user", "ada%20b"),
        ("tidings-stomp-headers", "price=1%0D%0Ax%3A%20y"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert_ne!(seen.header("tidings-session"), "");
    client.send("SUBSCRIBE\nid:s\ndestination:/app/else\nreceipt:2\n\n");
    client.is_told(&["receipt-id:2"]);
    let other = told.recv_timeout(PATIENCE).expect("it is asked");
    assert!(other.is_genuine());
    assert_eq!(other.path, "/hook");
    assert_eq!(other.header("tidings-kind"), "subscribe");
    assert_eq!(other.header("tidings-stomp-headers"), "id=s");
    let ids: HashSet<_> = [&seen, &other]
        .map(|seen| seen.header("tidings-request-id").to_owned())
        .into();
    assert_eq!(ids.len(), 2);
}

#[test]
fn what_goes_wrong_is_told_and_the_session_goes_on() {
    let server = Running::start(Webhook {
        timeout: Duration::from_secs(2),
        ..routed(back_end::start(by_name))
    });
    let mut client = server.client("");
    client.subscribe("e", "/user/queue/errors");
    for (name, code, text) in [
        ("problem", "invalid-payload", "no stock left"),
        ("broken", "application-failed", "answered with 500"),
        ("moved", "application-failed", "redirects elsewhere (302)"),
        ("rubbish", "application-failed", "no HTTP"),
        ("huge", "application-failed", "more than the server takes"),
        (
            "endless",
            "application-failed",
            "more than the server takes",
        ),
        ("dies", "application-failed", "broke off"),
        ("silent", "application-timeout", "in time"),
    ] {
        client.ask(name, "");
        client.is_told(&[
            "MESSAGE\nsubscription:e\n",
            &format!("code:{code}\n"),
            &format!("request-receipt:{name}\n"),
            text,
        ]);
    }
    let long = "x".repeat(7_000);
    client.send(&format!("SEND\ndestination:/app/echo\nlong:{long}\n\n"));
    client.is_told(&["code:header-too-long\n"]);
    client.ask("nothing", "");
    client.is_told(&["RECEIPT\nreceipt-id:nothing\n"]);
    let metrics = server.metrics();
    for counted in [
        "tidings_application_failures_total{reason=\"application-failed\"} 6\n",
        "tidings_webhook_seconds_count{outcome=\"timeout\"} 1\n",
        "tidings_webhook_seconds_count{outcome=\"too-large\"} 2\n",
        "tidings_webhook_seconds_count{outcome=\"refused\"} 3\n",
        "tidings_webhook_seconds_count{outcome=\"done\"} 1\n",
    ] {
        assert!(metrics.contains(counted), "no {counted} in {metrics}");
    }
}

#[test]
fn without_a_route_there_is_nobody_to_ask() {
    let mut webhook = routed(back_end::start(by_name));
    webhook.routes[0].pattern = "trade/*".to_owned();
    let server = Running::start(webhook);
    let mut client = server.client("");
    client.ask("news", "");
    client.is_told(&["ERROR\n", "code:unknown-destination\n", "receipt-id:news\n"]);
}

#[test]
fn requests_of_a_session_keep_their_order() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen_order = Arc::clone(&order);
    let server = Running::start(routed(back_end::start(move |seen| {
        seen_order.lock().expect("nobody panics").push(seen.body);
        answer("204 No Content", "", "")
    })));
    let mut client = server.client("");
    let bodies: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for body in &bodies {
        client.ask(body, body);
    }
    for body in &bodies {
        client.is_told(&[&format!("RECEIPT\nreceipt-id:{body}\n")]);
    }
    assert_eq!(*order.lock().expect("nobody panics"), bodies);
}

#[test]
fn so_many_requests_are_worked_on_at_a_time_and_no_more() {
    /// How long a third request has to show itself.
    const CHANCE: Duration = Duration::from_millis(50);
    #[derive(Default)]
    struct Work {
        now: usize,
        most: usize,
    }
    let work = Arc::new((Mutex::new(Work::default()), Condvar::new()));
    let seen = Arc::clone(&work);
    let back_end = back_end::start(move |_| {
        let (work, changed) = &*seen;
        let mut one = work.lock().expect("nobody panics");
        one.now += 1;
        one.most = one.most.max(one.now);
        changed.notify_all();
        let few = |one: &mut Work| one.most <= 2;
        let waited = changed.wait_timeout_while(one, CHANCE, few);
        let (mut one, _) = waited.expect("nobody panics");
        one.now -= 1;
        answer("204 No Content", "", "")
    });
    let server = Running::start(Webhook {
        max_concurrency: 2,
        timeout: PATIENCE,
        ..routed(back_end)
    });
    let mut clients: Vec<_> = (0..10).map(|_| server.client("")).collect();
    for client in &mut clients {
        client.ask("x", "");
    }
    for client in &mut clients {
        client.is_told(&["RECEIPT\n"]);
    }
    assert_eq!(work.0.lock().expect("nobody panics").most, 2);
}

#[test]
fn a_back_end_that_is_not_there_is_told_so_and_found_when_it_comes() {
    let (socket, port) = back_end::taken_by_nobody();
    let webhook = routed(SocketAddr::from(([127, 0, 0, 1], port)));
    let impatient = Running::start(Webhook {
        retry_delay: Duration::from_millis(1),
        ..webhook.clone()
    });
    let mut client = impatient.client("");
    client.ask("x", "");
    client.is_told(&[
        "ERROR\n",
        "code:application-unavailable\n",
        "receipt-id:x\n",
    ]);
    let patient = Running::start(Webhook {
        retries: 10,
        retry_delay: Duration::from_millis(10),
        ..webhook
    });
    let mut client = patient.client("");
    client.ask("x", "");
    socket.listen(16).expect("it is bound");
    back_end::serve(TcpListener::from(socket), by_name);
    client.is_told(&["RECEIPT\nreceipt-id:x\n"]);
}

#[test]
fn a_request_whose_connection_breaks_before_the_answer_is_sent_again_as_it_was() {
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen_ids = Arc::clone(&ids);
    let server = Running::start(Webhook {
        retry_delay: Duration::from_millis(1),
        ..routed(back_end::start(move |seen| {
            let mut ids = seen_ids.lock().expect("nobody panics");
            ids.push(seen.header("tidings-request-id").to_owned());
            assert!(seen.is_genuine());
            match ids.len() {
                3 => answer("204 No Content", "", ""),
                _ => Reply::Then(Vec::new()),
            }
        }))
    });
    let mut client = server.client("");
    client.ask("x", "body");
    client.is_told(&["RECEIPT\nreceipt-id:x\n"]);
    let ids = ids.lock().expect("nobody panics");
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]));
}

#[test]
fn a_back_end_that_fails_again_and_again_is_left_alone_until_it_is_back() {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let server = Running::start(Webhook {
        breaker_failures: 3,
        breaker_rest: Duration::from_millis(500),
        ..routed(back_end::start(move |_| {
            match seen.fetch_add(1, Ordering::SeqCst) {
                0..3 => answer("503 Service Unavailable", "", ""),
                _ => answer("204 No Content", "", ""),
            }
        }))
    });
    let mut client = server.client("");
    client.subscribe("e", "/user/queue/errors");
    for name in ["a", "b", "c"] {
        client.ask(name, "");
        client.is_told(&["code:application-unavailable\n", "answered with 503"]);
    }
    client.ask("d", "");
    client.is_told(&["code:application-unavailable\n", "left alone"]);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    assert!(
        server
            .metrics()
            .contains("tidings_webhook_breakers_open 1\n")
    );
    let began = Instant::now();
    loop {
        client.ask("e", "");
        if client.frame().starts_with("RECEIPT\n") {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "it stays open");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    assert!(
        server
            .metrics()
            .contains("tidings_webhook_breakers_open 0\n")
    );
}

#[test]
fn events_are_told_in_order_to_their_end() {
    let (tell, told) = mpsc::channel();
    let back_end = back_end::start(move |seen| {
        assert!(seen.is_genuine());
        let kind = seen.header("tidings-kind").to_owned();
        let session = seen.header("tidings-session").to_owned();
        let body = seen.body.replace(&session, "ID");
        tell.send((kind, body)).expect("the test listens");
        answer("204 No Content", "", "")
    });
    let server = Running::start(Webhook {
        routes: Vec::new(),
        events_url: Some(format!("http://{back_end}/events")),
        ..routed(back_end)
    });
    let mut client = server.client("ada");
    client.subscribe("t", "/topic/a");
    client.send("DISCONNECT\nreceipt:bye\n\n");
    client.is_told(&["receipt-id:bye"]);
    drop(client);
    // What is not told yet is told before the server ends.
    drop(server);
    let told: Vec<_> = told.try_iter().collect();
    let told: Vec<_> = told
        .iter()
        .map(|(kind, body)| (kind.as_str(), body.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                "connect",
                r#"{"event":"connect","session":"ID","user":"ada"}"#
            ),
            (
                "connected",
                r#"{"event":"connected","session":"ID","user":"ada"}"#
            ),
            (
                "subscribed",
                r#"{"event":"subscribed","session":"ID","user":"ada","subscription":"t","destination":"/topic/a"}"#
            ),
            (
                "unsubscribed",
                r#"{"event":"unsubscribed","session":"ID","user":"ada","subscription":"t"}"#
            ),
            (
                "disconnected",
                r#"{"event":"disconnected","session":"ID","user":"ada","reason":"normal"}"#
            ),
        ]
    );
}

#[test]
fn events_that_find_no_room_are_dropped_and_counted() {
    let server = Running::start(Webhook {
        events_url: Some(format!(
            "http://{}/silent",
            back_end::start(|_| {
                std::thread::park();
                answer("204 No Content", "", "")
            })
        )),
        max_events: 1,
        timeout: Duration::from_secs(1),
        ..routed(back_end::start(by_name))
    });
    let mut client = server.client("");
    for number in 0..10 {
        client.subscribe(&number.to_string(), "/topic/a");
    }
    let metrics = server.metrics();
    let lost = metrics.lines().find_map(|line| {
        line.strip_prefix("tidings_messages_dropped_total{cause=\"webhook-event\"} ")
    });
    let lost: usize = lost.expect("it is counted").parse().expect("a number");
    assert!((9..=10).contains(&lost), "{lost} of 11 were lost");
}

struct Nobody;

impl Application for Nobody {
    fn call(&self, _: Request) -> Answer {
        Answer::new(std::future::pending())
    }
}

#[tokio::test]
async fn webhooks_and_an_application_of_the_program_are_refused_together() {
    let webhook = routed("127.0.0.1:9".parse().expect("an address"));
    let server = Server::bind(config(webhook)).await.expect("a free port");
    let server = server.application(Arc::new(Nobody));
    let ended = server
        .run(axum::Router::new(), std::future::pending())
        .await;
    assert!(matches!(ended, Err(RunError::TwoApplications)));
}

#[tokio::test]
async fn a_back_end_that_only_authenticates_leaves_the_application_to_the_program() {
    let webhook = Webhook {
        routes: Vec::new(),
        authenticate_url: Some("http://127.0.0.1:9/".to_owned()),
        ..routed("127.0.0.1:9".parse().expect("an address"))
    };
    let server = Server::bind(config(webhook)).await.expect("a free port");
    let server = server.application(Arc::new(Nobody));
    let ended = server
        .run(axum::Router::new(), std::future::ready(()))
        .await;
    assert!(ended.is_ok(), "{ended:?}");
}

/// `cargo test --release -p tidings-server --test webhook -- --ignored --nocapture the_rate`
#[test]
#[ignore = "a measurement"]
fn the_rate_of_an_echo_is_measured() {
    use std::io::Write as _;
    const SESSIONS: usize = 64;
    const EACH: usize = 1_000;
    let server = Running::start(routed(back_end::start(|seen| {
        answer(
            "200 OK",
            "tidings-send-to-session: queue/echo\r\n",
            &seen.body,
        )
    })));
    let mut clients: Vec<_> = (0..SESSIONS).map(|_| server.client("")).collect();
    for client in &mut clients {
        client.subscribe("m", "/user/queue/echo");
    }
    let began = Instant::now();
    let threads: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            std::thread::spawn(move || {
                let frame = format!("SEND\ndestination:/app/echo\n\n{}\0", "x".repeat(100));
                let mut writer = client.clone_writer();
                writer
                    .write_all(frame.repeat(EACH).as_bytes())
                    .expect("it reads");
                for _ in 0..EACH {
                    client.is_told(&["MESSAGE\n"]);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("all are answered");
    }
    let took = began.elapsed();
    let rate = (SESSIONS * EACH) as f64 / took.as_secs_f64();
    eprintln!("{rate:.0} messages/s: {SESSIONS} sessions, {EACH} each, in {took:?}");
    assert!(rate >= 3_000.0);
}
