use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use tidings::handler::Handler;
use tidings::prelude::*;

use crate::talk::{message, only_line, subscription, with_header};

fn router<A: 'static>(handler: impl Handler<A, ()>) -> Router {
    Router::new().message("x", handler)
}

#[derive(Deserialize)]
struct Basket {
    #[expect(dead_code, reason = "it is only read")]
    orders: Vec<Order>,
}

#[derive(Deserialize)]
struct Order {
    #[expect(dead_code, reason = "it is only read")]
    shares: u32,
}

#[test]
fn json_says_which_field_is_wrong() {
    let router = router(async |_: Json<Basket>| ());
    let wrong = |body| only_line(&router, message("x", body));
    assert_eq!(wrong(""), "invalid-payload: the body is empty: send JSON");
    assert_eq!(
        wrong(r#"{"orders": [{"shares": 1}, {"shares": "two"}]}"#),
        "invalid-payload: the body does not fit at orders[1].shares: invalid type: string \"two\", expected u32 at line 1 column 43"
    );
    assert_eq!(
        wrong("{}"),
        "invalid-payload: the body does not fit at .: missing field `orders` at line 1 column 2"
    );
    assert_eq!(
        wrong(r#"{"orders": []} and more"#),
        "invalid-payload: the body does not fit at .: trailing characters at line 1 column 16"
    );
    let xml = with_header(message("x", "{}"), "content-type", "text/xml");
    assert_eq!(
        only_line(&router, xml),
        "invalid-payload: the content-type is text/xml: send application/json"
    );
}

#[test]
fn text_says_where_it_is_none() {
    let router = router(async |text: String| text);
    let mut request = message("x", "");
    request.body = Bytes::from_static(b"ab\xff");
    assert_eq!(
        only_line(&router, request),
        "invalid-payload: the body is not UTF-8 from octet 2 on: send text in UTF-8"
    );
    let latin = with_header(
        message("x", "a"),
        "content-type",
        "text/plain; charset=\"latin1\"",
    );
    assert_eq!(
        only_line(&router, latin),
        "invalid-payload: the charset is latin1: send utf-8"
    );
    let utf8 = with_header(
        message("x", "a"),
        "content-type",
        "text/plain; format=flowed; Charset=UTF-8",
    );
    assert_eq!(only_line(&router, utf8), "/topic/x: a");
}

struct Priority;

impl HeaderName for Priority {
    const NAME: &'static str = "priority";
    type Value = u8;
}

#[test]
fn a_header_says_its_name() {
    let router = router(async |_: Header<Priority>| ());
    assert_eq!(
        only_line(&router, message("x", "")),
        "missing-header: the header priority is missing: send it"
    );
    assert_eq!(
        only_line(&router, with_header(message("x", ""), "priority", "300")),
        "invalid-header: the header priority makes no sense: number too large to fit in target type"
    );
}

#[test]
fn what_is_quoted_is_cut() {
    let router = router(async |_: Json<u32>| ());
    let long = only_line(&router, message("x", &format!("\"{}\"", "ü".repeat(5_000))));
    assert!(long.len() < 600 && long.ends_with('…'), "{long}");
}

#[test]
fn an_unknown_destination_names_those_that_look_alike() {
    let router: Router = Router::new()
        .message("trade/buy", async || ())
        .message("trade/{symbol}/sell", async || ())
        .message("news", async || ())
        .subscribe("positions", async || ());
    let wrong = |request| only_line(&router, request);
    assert_eq!(
        wrong(message("trade/bye", "")),
        "unknown-destination: the application has no SEND destination trade/bye: did you mean trade/buy"
    );
    let other: Router = Router::new()
        .message("a5/{room}", async || ())
        .message("a6/all", async || ());
    assert_eq!(
        only_line(&other, message("a6/al", "")),
        "unknown-destination: the application has no SEND destination a6/al: did you mean a6/all, a5/{room}"
    );
    assert_eq!(
        wrong(message("trades/acme/sell", "")),
        "unknown-destination: the application has no SEND destination trades/acme/sell: did you mean trade/{symbol}/sell"
    );
    assert_eq!(
        wrong(message("weather", "")),
        "unknown-destination: the application has no SEND destination weather: use one that it has"
    );
    assert_eq!(
        wrong(message("positions", "")),
        "unknown-destination: the application has no SEND destination positions: it takes SUBSCRIBE"
    );
    assert_eq!(
        wrong(subscription("position")),
        "unknown-destination: the application has no SUBSCRIBE destination position: did you mean positions"
    );
}

#[test]
fn a_panic_fails_its_message_and_nothing_else() {
    let router = router(async |body: String| {
        assert_ne!(body, "panic", "on purpose");
        body
    });
    for _ in 0..2 {
        assert_eq!(
            only_line(&router, message("x", "panic")),
            "internal-error: the handler panicked: the server's log says where"
        );
        assert_eq!(only_line(&router, message("x", "calm")), "/topic/x: calm");
    }
}

/// Can be cloned once, which is when the router is wired.
struct Brittle(Arc<AtomicU32>);

impl Clone for Brittle {
    fn clone(&self) -> Self {
        assert_eq!(self.0.fetch_add(1, Ordering::Relaxed), 0, "on purpose");
        Self(Arc::clone(&self.0))
    }
}

#[test]
fn a_state_that_panics_when_it_is_cloned_fails_the_message() {
    let router: Router = Router::new()
        .message("x", async |body: String| body)
        .with_state(Brittle(Arc::default()));
    assert!(only_line(&router, message("x", "")).starts_with("internal-error"));
}
