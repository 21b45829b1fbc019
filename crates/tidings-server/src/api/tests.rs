//! The routes without a server: what needs no session.

mod audit;

use std::time::Duration;

use axum::http::{Method, StatusCode};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tidings_core::destination::Pattern;
use tidings_core::queue::Queue;

use super::*;
use crate::config::{ApiKey, Config};
use crate::worker::{Consumer, Letter};

const KEY: &str = "0123456789abcdef";

/// More than a mailbox takes.
const PLENTY: usize = 1 << 30;

struct Routes {
    node: Arc<Node>,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Routes {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.api.enabled = true;
        config.api.keys = vec![ApiKey::new(KEY).expect("it is long enough")];
        change(&mut config);
        let node = Node::new(config, 1);
        let policy = node.security.read(&node, &node.config);
        node.security.adopt(policy.expect("the defaults are good"));
        Self {
            router: router(&node),
            node,
        }
    }

    fn ask(&self, request: request::Builder, body: impl Into<Body>) -> Answer {
        let request = request.body(body.into()).expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime without I/O needs nothing");
        runtime.block_on(async {
            let service = TowerToHyperService::new(self.router.clone());
            let (parts, body) = service
                .call(request)
                .await
                .expect("it answers")
                .into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: serde_json::from_slice(&body).expect("JSON"),
            }
        })
    }

    fn publish(&self, body: &str) -> Answer {
        self.ask(post("/messages"), body.to_owned())
    }

    /// What waits in a queue.
    fn waiting(&self, queue: &str) -> usize {
        let waiting = |queue: &mut Queue<Consumer>| queue.waiting();
        self.node.queues.with_existing(queue, waiting).unwrap_or(0)
    }
}

fn request(method: Method, path: &str) -> request::Builder {
    Request::builder()
        .method(method)
        .uri(format!("{API_PATH}{path}"))
        .header("authorization", format!("Bearer {KEY}"))
}

fn post(path: &str) -> request::Builder {
    request(Method::POST, path).header("content-type", "application/json; charset=utf-8")
}

impl Answer {
    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(
            (
                self.status.as_u16(),
                &self.body["code"],
                &self.body["status"]
            ),
            (status, &json!(code), &json!(status)),
            "{}",
            self.body
        );
        assert_eq!(self.headers["content-type"], "application/problem+json");
        let uri = format!("urn:tidings:problem:{code}");
        assert_eq!(self.body["type"], json!(uri));
        for text in ["title", "detail"] {
            assert!(
                self.body[text]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
    }
}

#[test]
fn nothing_is_done_without_a_key() {
    let routes = Routes::new(|_| {});
    for authorization in ["", "Bearer 0123456789abcdeg", "Basic 0123456789abcdef"] {
        let mut request = post("/messages");
        let headers = request.headers_mut().expect("it is well formed");
        headers.insert("authorization", authorization.parse().expect("a header"));
        let answer = routes.ask(request, r#"{"destination":"/queue/a"}"#);
        answer.is_problem(401, "unauthorized");
        assert_eq!(
            answer.headers["www-authenticate"],
            "Bearer realm=\"tidings\""
        );
    }
    assert_eq!(routes.waiting("/queue/a"), 0);
    let text = routes.node.telemetry.render();
    let line = "tidings_api_requests_total{operation=\"publish\",status=\"401\"} 3\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn what_is_no_path_and_no_method_is_a_problem_too() {
    let routes = Routes::new(|_| {});
    for path in ["", "/", "/nothing", "/users/ada/else"] {
        let answer = routes.ask(request(Method::GET, path), "");
        answer.is_problem(404, "not-found");
    }
    let answer = routes.ask(request(Method::PUT, "/messages"), "");
    answer.is_problem(405, "method-not-allowed");
    assert_eq!(answer.headers["allow"], "POST");
}

#[test]
fn a_message_that_is_not_what_it_has_to_be_is_refused_and_the_code_says_why() {
    let routes = Routes::new(|config| {
        config.stomp.max_body_bytes = 10;
        config.stomp.max_headers = 16;
        config.stomp.max_header_line_bytes = 128;
    });
    let many = (0..17)
        .map(|number| format!("\"h{number}\":\"\""))
        .collect::<Vec<_>>()
        .join(",");
    let with = |rest: &str| format!(r#"{{"destination":"/queue/a",{rest}}}"#);
    let cases = [
        ("{", 400, "invalid-json"),
        ("", 400, "invalid-json"),
        ("[]", 422, "invalid-request"),
        (
            r#"["/queue/a",null,{},null,null,null,null,null]"#,
            422,
            "invalid-request",
        ),
        ("{}", 422, "invalid-request"),
        (r#"{"destination":7}"#, 422, "invalid-request"),
        (
            r#"{"destination":"/queue/a","path":"a"}"#,
            422,
            "invalid-request",
        ),
        (r#"{"destination":"/nowhere"}"#, 422, "unknown-destination"),
        (r#"{"destination":"/queue/*"}"#, 422, "invalid-destination"),
        (r#"{"destination":"/app/a"}"#, 422, "invalid-destination"),
        (r#"{"destination":"/user/a"}"#, 422, "invalid-destination"),
        (r#"{"messages":[],"body":""}"#, 422, "invalid-request"),
        (r#"{"messages":{}}"#, 422, "invalid-request"),
        (
            r#"{"messages":[{"destination":"/queue/a"},{"body":""}]}"#,
            422,
            "invalid-request",
        ),
        (&with(r#""bodi":"""#), 422, "invalid-request"),
        (&with(r#""body":"","json":null"#), 422, "invalid-request"),
        (&with(r#""body_base64":"?""#), 422, "invalid-request"),
        (&with(r#""body":"12345678901""#), 413, "body-too-large"),
        (&with(r#""ttl_ms":0"#), 422, "invalid-request"),
        (
            &with(r#""ttl_ms":1,"headers":{"expires":"1"}"#),
            422,
            "invalid-request",
        ),
        (
            &with(r#""headers":{"expires":"soon"}"#),
            422,
            "invalid-header",
        ),
        (
            &with(r#""headers":{"message-id":"1"}"#),
            422,
            "invalid-header",
        ),
        (&with(r#""headers":{"":"1"}"#), 422, "invalid-header"),
        (&with(r#""headers":{"a":"\u0000"}"#), 422, "invalid-header"),
        (&with(r#""headers":{"a\n":""}"#), 422, "invalid-header"),
        (
            &with(r#""content_type":"a","headers":{"content-type":"b"}"#),
            422,
            "invalid-request",
        ),
        (
            &with(&format!(r#""headers":{{{many}}}"#)),
            422,
            "too-many-headers",
        ),
        (
            &with(&format!(r#""headers":{{"a":"{}"}}"#, "x".repeat(127))),
            422,
            "header-too-long",
        ),
    ];
    for (body, status, code) in cases {
        routes.publish(body).is_problem(status, code);
    }
    let large = format!(
        r#"{{"messages":[{}{{}}]}}"#,
        "{},".repeat(publish::MAX_BATCH)
    );
    routes.publish(&large).is_problem(422, "invalid-request");
    assert_eq!(routes.waiting("/queue/a"), 0);
}

#[test]
fn a_body_is_held_to_its_limit_and_has_to_be_json() {
    let routes = Routes::new(|config| config.api.max_body_bytes = 32);
    let (fits, too_long) = (
        r#"{"destination":"/queue/abcdefgh"}"#,
        r#"{"destination":"/queue/abcdefghi"}"#,
    );
    routes
        .publish(too_long)
        .is_problem(413, "request-too-large");
    assert_eq!(routes.publish(&fits[..0]).status, 400);
    assert_eq!(fits.len(), 33, "one more than the limit");
    routes.publish(fits).is_problem(413, "request-too-large");
    assert_eq!(
        routes.publish(r#"{"destination":"/queue/abcdefg"}"#).status,
        200
    );
    let form = request(Method::POST, "/messages").header("content-type", "text/json");
    routes
        .ask(form, "{}")
        .is_problem(415, "unsupported-media-type");
    let packed = post("/messages").header("content-encoding", "gzip");
    routes
        .ask(packed, "{}")
        .is_problem(415, "unsupported-media-type");
}

/// A body that says how long it is, and breaks off when it is read.
struct Broken(u64);

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        let error = std::io::Error::other("it broke off");
        std::task::Poll::Ready(Some(Err(error)))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.0)
    }
}

#[test]
fn a_body_that_says_that_it_is_too_long_is_not_read_and_one_that_breaks_off_is_not_too_long() {
    let routes = Routes::new(|config| config.api.max_body_bytes = 32);
    let ask = |length| routes.ask(post("/messages"), Body::new(Broken(length)));
    ask(33).is_problem(413, "request-too-large");
    ask(32).is_problem(400, "incomplete-body");
}

#[test]
fn who_guesses_keys_is_refused_and_what_needs_no_key_is_not() {
    let routes = Routes::new(|config| config.api.failed_keys_per_minute = 3);
    let with = |key: &str| {
        let request = Request::builder().uri("/api/v1/users");
        routes.ask(request.header("authorization", format!("Bearer {key}")), "")
    };
    assert_eq!(with(KEY).status, 200);
    for _ in 0..3 {
        with("wrong-wrong-wrong").is_problem(401, "unauthorized");
        // Showing nothing is no guess.
        with("").is_problem(401, "unauthorized");
    }
    let refused = with(KEY);
    refused.is_problem(429, "too-many-failed-keys");
    assert_eq!(refused.headers["retry-after"], "20");
    with("").is_problem(401, "unauthorized");
    let document = Request::builder().uri("/api/v1/openapi.json");
    assert_eq!(routes.ask(document, "").status, 200);
    let text = routes.node.telemetry.render();
    let line = "tidings_api_requests_total{operation=\"listUsers\",status=\"429\"} 1\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn an_answer_is_not_kept_by_who_passes_it_on() {
    let routes = Routes::new(|_| {});
    for path in ["/users", "/users?limit=0", "/sessions/none"] {
        let answer = routes.ask(request(Method::GET, path), "");
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    }
}

#[test]
fn words_of_a_disconnect_are_checked() {
    let routes = Routes::new(|_| {});
    let long = "x".repeat(sessions::MAX_TEXT_CHARS + 1);
    for wrong in [
        "reason=nothing",
        "reason=connection-reset",
        "reason=websocket-protocol",
        "close_code=3999",
        "close_code=5000",
        "close_code=x",
        "text=",
        "text=a%0Ab",
        &format!("text={long}"),
        "code=4000",
    ] {
        for path in ["/sessions/none", "/users/eve/sessions"] {
            let path = format!("{path}?{wrong}");
            let answer = routes.ask(request(Method::DELETE, &path), "");
            answer.is_problem(422, "invalid-request");
        }
    }
}

#[test]
fn not_everything_is_unsubscribed_by_mistake() {
    let routes = Routes::new(|_| {});
    for path in ["/subscriptions", "/subscriptions?user=ada"] {
        let answer = routes.ask(request(Method::DELETE, path), "");
        answer.is_problem(422, "invalid-request");
    }
    for path in [
        "/subscriptions?after=x",
        "/subscriptions?after=-1",
        "/subscriptions?after=1-0",
        "/subscriptions?after=0--1",
        "/subscriptions?limit=1001",
        "/subscriptions?destinaton=x",
    ] {
        let answer = routes.ask(request(Method::GET, path), "");
        answer.is_problem(422, "invalid-request");
    }
}

#[test]
fn what_may_go_better_later_is_503() {
    let routes = Routes::new(|config| config.queue.max_bytes = 1_500);
    let message = format!(
        r#"{{"destination":"/queue/a","body":"{}"}}"#,
        "x".repeat(900)
    );
    assert_eq!(routes.publish(&message).status, 200);
    let full = routes.publish(&message);
    full.is_problem(503, "queue-full");
    assert_eq!(full.headers["retry-after"], "1");

    let mailbox = &routes.node.mailboxes[0];
    mailbox.post(Letter::Drain, PLENTY);
    let to_topic = r#"{"destination":"/topic/a"}"#;
    let overloaded = routes.publish(to_topic);
    overloaded.is_problem(503, "overloaded");
    assert_eq!(overloaded.headers["retry-after"], "1");
    mailbox.take(&mut std::collections::VecDeque::new());
    assert_eq!(routes.publish(to_topic).status, 200);

    routes.node.drain();
    routes.publish(to_topic).is_problem(503, "shutdown");
}

#[test]
fn each_message_of_a_batch_has_its_result() {
    let routes = Routes::new(|_| {});
    let answer = routes.publish(
        r#"{"messages":[{"destination":"/queue/a"},{"destination":"/nowhere"},{"destination":"/queue/a"},
            {"destination":"/user/eve/queue/x"}]}"#,
    );
    assert_eq!(answer.status, 200);
    let results = &answer.body["results"];
    assert_eq!(results[0], json!({"status": 200, "sessions_reached": null}));
    assert_eq!(results[1]["code"], "unknown-destination");
    assert_eq!(results[2], json!({"status": 200, "sessions_reached": null}));
    assert_eq!(results[3], json!({"status": 200, "sessions_reached": 0}));
    assert_eq!(routes.waiting("/queue/a"), 2);
    let text = routes.node.telemetry.render();
    assert!(text.contains("tidings_api_messages_total 3\n"), "{text}");
}

#[test]
fn a_request_that_comes_twice_is_done_once() {
    let routes = Routes::new(|_| {});
    let named = |name: &str, body: &str| {
        let request = post("/messages").header("idempotency-key", name);
        routes.ask(request, body.to_owned())
    };
    let message = r#"{"destination":"/queue/a","body":"once"}"#;
    let first = named("k-1", message);
    let second = named("k-1", message);
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    assert!(!first.headers.contains_key("idempotency-replayed"));
    assert_eq!(second.headers["idempotency-replayed"], "true");
    assert_eq!(routes.waiting("/queue/a"), 1);

    named("k-1", r#"{"destination":"/queue/a"}"#).is_problem(422, "idempotency-key-reused");
    assert_eq!(named("k-2", message).status, 200);
    assert_eq!(routes.waiting("/queue/a"), 2);
    for wrong in ["", "a b", &"x".repeat(256)] {
        named(wrong, message).is_problem(400, "invalid-idempotency-key");
    }
    // What failed may be tried again.
    let later = r#"{"destination":"/topic/a"}"#;
    let mailbox = &routes.node.mailboxes[0];
    mailbox.post(Letter::Drain, PLENTY);
    named("k-3", later).is_problem(503, "overloaded");
    mailbox.take(&mut std::collections::VecDeque::new());
    let done = named("k-3", later);
    assert_eq!(done.status, 200);
    assert!(!done.headers.contains_key("idempotency-replayed"));
}

#[test]
fn users_come_in_pages_by_name() {
    let routes = Routes::new(|_| {});
    for (user, session) in [("bob", "1"), ("ada", "2"), ("ada", "3"), ("cy/d", "4")] {
        crate::node::lock(&routes.node.users).connect(&session.into(), Some(user));
    }
    let get = |path: &str| routes.ask(request(Method::GET, path), "");
    let user = |name: &str, sessions: usize| json!({"name": name, "sessions": sessions});
    assert_eq!(
        get("/users?limit=2").body,
        json!({"users": [user("ada", 2), user("bob", 1)], "total": 3, "next": "bob"})
    );
    assert_eq!(
        get("/users?limit=2&after=bob").body,
        json!({"users": [user("cy/d", 1)], "total": 3})
    );
    assert_eq!(
        get("/users?after=cy%2Fd").body,
        json!({"users": [], "total": 3})
    );
    assert_eq!(get("/users?limit=3").body["next"], Value::Null);
    for wrong in ["limit=0", "limit=1001", "limit=x", "page=1"] {
        get(&format!("/users?{wrong}")).is_problem(422, "invalid-request");
    }
    assert_eq!(
        get("/users/ada").body,
        json!({"name": "ada", "sessions": ["2", "3"], "total": 2})
    );
    assert_eq!(
        get("/users/cy%2fd").body,
        json!({"name": "cy/d", "sessions": ["4"], "total": 1})
    );
    assert_eq!(
        get("/users/eve").body,
        json!({"name": "eve", "sessions": [], "total": 0})
    );
    for wrong in ["%ff", "a%zz", "a%2", "%+1", "ada?x=%"] {
        get(&format!("/users/{wrong}")).is_problem(422, "invalid-request");
    }
}

#[test]
fn what_no_session_is_can_neither_be_sent_to_nor_disconnected() {
    let routes = Routes::new(|_| {});
    let unknown = routes.ask(post("/sessions/none/messages"), r#"{"path":"queue/x"}"#);
    unknown.is_problem(404, "unknown-session");
    let unknown = routes.ask(request(Method::DELETE, "/sessions/none"), "");
    unknown.is_problem(404, "unknown-session");
    for path in ["/sessions/none", "/sessions/none/subscriptions"] {
        let unknown = routes.ask(request(Method::GET, path), "");
        unknown.is_problem(404, "unknown-session");
    }
    let unknown = routes.ask(
        request(Method::DELETE, "/sessions/none/subscriptions/a"),
        "",
    );
    unknown.is_problem(404, "unknown-session");
    let nobody = routes.ask(request(Method::DELETE, "/users/eve/sessions"), "");
    assert_eq!(nobody.body, json!({"disconnected": 0}));
}

#[test]
fn the_document_has_every_route_and_its_schemas_fit_together() {
    let routes = Routes::new(|_| {});
    let document = routes
        .ask(Request::builder().uri("/api/v1/openapi.json"), "")
        .body;
    assert_eq!(document["openapi"], "3.1.0");
    for operation in OPERATIONS {
        let path = &document["paths"][format!("{API_PATH}{}", operation.path)];
        let described = &path[operation.method.as_str().to_lowercase()];
        assert_eq!(described["operationId"], operation.name);
        // And the router has what the document has.
        let path = operation
            .path
            .replace("{name}", "x")
            .replace("{id}", "x")
            .replace("{subscription}", "x");
        // No worker is there to be asked: a query that no operation takes ends it before.
        let path = format!("{path}?none");
        let answer = routes.ask(request(operation.method.clone(), &path), "");
        let code = answer.body["code"].as_str().unwrap_or_default();
        assert!(
            !["not-found", "method-not-allowed"].contains(&code),
            "{path}"
        );
    }
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap_or_default();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
    assert!(text.contains(&format!("\"maxItems\":{}", publish::MAX_BATCH)));
    assert!(text.contains(&format!("\"maximum\":{}", page::MAX_PAGE)));
    assert!(text.contains(&format!("\"default\":{}", page::PAGE)));
}

#[test]
fn what_is_counted_is_done_once_though_its_client_goes_away() {
    let routes = Routes::new(|_| {});
    let topic =
        Pattern::parse("/topic/a", routes.node.destinations.separator).expect("a destination");
    routes.node.add_interest(&topic, 0);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(async {
        let ask = async || {
            let body = r#"{"destination":"/topic/a","count":true}"#;
            let request = post("/messages").header("idempotency-key", "k");
            let request = request.body(Body::from(body)).expect("a request");
            let service = TowerToHyperService::new(routes.router.clone());
            let response = service.call(request).await.expect("it answers");
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), usize::MAX).await;
            (status, body.expect("a body"))
        };
        let patience = Duration::from_secs(1);
        // There is no worker that would count.
        let first = tokio::time::timeout(patience, ask()).await;
        assert!(first.is_err(), "{first:?}");
        assert_eq!(ask().await.0, 409);
        // The clock is paused: the five seconds that counting may take are over at once.
        tokio::time::advance(Duration::from_secs(5)).await;
        let mut last = ask().await;
        // Its task needs a few turns. Time stands still meanwhile, so turns are counted.
        for _ in 0..100 {
            if last.0 != 409 {
                break;
            }
            tokio::task::yield_now().await;
            last = ask().await;
        }
        let (status, answer) = last;
        assert_eq!(status, 200);
        assert_eq!(answer, r#"{"status":200,"sessions_reached":null}"#);
    });
    let mut letters = std::collections::VecDeque::new();
    routes.node.mailboxes[0].take(&mut letters);
    assert_eq!(letters.len(), 1);
}
