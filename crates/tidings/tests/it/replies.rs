use std::time::Duration;

use tidings::handler::Handler;
use tidings::prelude::*;
use tidings_core::application::Effect;

use crate::talk::{answer, lines, message, only_line, session, subscription};

fn router<A: 'static>(handler: impl Handler<A, ()>) -> Router {
    Router::new()
        .message("x/{y}", handler.clone())
        .subscribe("x/{y}", handler)
}

fn content_type(effect: &Effect) -> Option<&str> {
    let (Effect::Reply(message) | Effect::Send { message, .. } | Effect::SendTo { message, .. }) =
        effect;
    message.headers.get("content-type")
}

#[test]
fn nothing_is_nothing() {
    assert!(lines(&router(async || ()), message("x/1", "")).is_empty());
    assert!(lines(&router(async || NoReply), message("x/1", "")).is_empty());
    assert!(lines(&router(async || None::<String>), subscription("x/1")).is_empty());
}

#[test]
fn a_payload_goes_to_the_topic_of_its_path_or_to_the_subscription() {
    fn check<A: 'static>(handler: impl Handler<A, ()>, body: &str, expected_type: &str) {
        let router = router(handler);
        assert_eq!(
            only_line(&router, message("x/1", "")),
            format!("/topic/x/1: {body}")
        );
        assert_eq!(
            only_line(&router, subscription("x/1")),
            format!("reply: {body}")
        );
        let response = answer(&router, message("x/1", ""));
        assert_eq!(content_type(&response.effects[0]), Some(expected_type));
    }
    check(async || Json([1, 2]), "[1,2]", "application/json");
    check(
        async || "text".to_owned(),
        "text",
        "text/plain;charset=utf-8",
    );
    check(async || "text", "text", "text/plain;charset=utf-8");
    check(
        async || Bytes::from("octets"),
        "octets",
        "application/octet-stream",
    );
    check(
        async || "<p>".with_header("content-type", "text/html"),
        "<p>",
        "text/html",
    );
    let own = || Outgoing {
        headers: [("content-type", "a/b")].into_iter().collect(),
        body: "own".into(),
    };
    check(async move || own(), "own", "a/b");
    check(async || Some("text"), "text", "text/plain;charset=utf-8");
}

#[test]
fn send_to_fills_in_variables() {
    let router = router(async || SendTo("/topic/{y}/of/{y}", "text"));
    assert_eq!(
        only_line(&router, message("x/acme", "")),
        "/topic/acme/of/acme: text"
    );
    assert_eq!(
        only_line(&router, subscription("x/acme")),
        "/topic/acme/of/acme: text"
    );
    assert_eq!(
        only_line(&router, message("x/{y}", "")),
        "/topic/{y}/of/{y}: text"
    );
    let computed = self::router(async || SendTo(format!("/queue/{}", 1), Json(2)));
    assert_eq!(only_line(&computed, message("x/acme", "")), "/queue/1: 2");
}

#[test]
fn a_placeholder_that_can_t_be_filled_is_an_internal_error() {
    assert_eq!(
        only_line(
            &router(async || SendTo("/topic/{z}", "text")),
            message("x/1", "")
        ),
        "internal-error: the reply's destination /topic/{z} names the variable z, which its route has not"
    );
    assert_eq!(
        only_line(
            &router(async || SendToUser("/topic/{y", "text")),
            message("x/1", "")
        ),
        "internal-error: the reply's destination /topic/{y has a brace that is not closed: write {name}"
    );
}

#[test]
fn send_to_user_reaches_whom_it_says() {
    let sessions = router(async || SendToUser("/queue/{y}", "text"));
    assert_eq!(
        only_line(&sessions, message("x/1", "")),
        "user ann queue/1: text"
    );
    let mut nobody = message("x/1", "");
    nobody.session = session(None);
    assert_eq!(only_line(&sessions, nobody), "session s1 queue/1: text");
    let sender = router(async || SendToUser("queue/q", "text").sender_only());
    assert_eq!(
        only_line(&sender, message("x/1", "")),
        "session s1 queue/q: text"
    );
    let other = router(async |Path(y): Path<String>| SendToUser("/queue/q", "text").user(y));
    assert_eq!(
        only_line(&other, message("x/b%2Fob", "")),
        "user b%2Fob queue/q: text"
    );
}

#[test]
fn several_replies_keep_their_order() {
    let router = router(async || {
        let many = vec![SendTo("/topic/b", "2"), SendTo("/topic/c", "3")];
        (
            SendTo("/topic/a", "1"),
            many,
            SendToUser("/queue/q", "4"),
            "5",
        )
    });
    assert_eq!(
        lines(&router, message("x/1", "")),
        [
            "/topic/a: 1",
            "/topic/b: 2",
            "/topic/c: 3",
            "user ann queue/q: 4",
            "/topic/x/1: 5"
        ]
    );
}

enum OrderError {
    SoldOut,
}

impl IntoReply for OrderError {
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        match self {
            Self::SoldOut => SendToUser("/queue/errors", "sold out").into_reply(parts, response),
        }
    }
}

#[test]
fn an_error_is_a_reply() {
    let router = router(async |body: String| match &*body {
        "" => Err(OrderError::SoldOut),
        _ => Ok(body),
    });
    assert_eq!(only_line(&router, message("x/1", "b")), "/topic/x/1: b");
    assert_eq!(
        only_line(&router, message("x/1", "")),
        "user ann queue/errors: sold out"
    );
}

#[test]
fn the_first_failure_is_told_and_effects_are_kept() {
    let failure = |details: &str| Failure {
        reason: Reason::Refused,
        details: details.to_owned(),
    };
    let router = router(async move || (SendTo("/topic/a", "1"), failure("one"), failure("two")));
    assert_eq!(
        lines(&router, message("x/1", "")),
        ["/topic/a: 1", "refused: one"]
    );
}

#[test]
fn what_can_t_be_written_is_an_internal_error() {
    let router = router(async || Json(std::collections::BTreeMap::from([(vec![1], 2)])));
    assert_eq!(
        only_line(&router, message("x/1", "")),
        "internal-error: the reply can't be written as JSON: key must be a string"
    );
}

#[test]
fn headers_and_expiry_go_with_the_payload() {
    let router = router(async || {
        SendTo(
            "/topic/a",
            Json(1)
                .with_header("a", "b")
                .expires_after(Duration::from_millis(1500)),
        )
    });
    let response = answer(&router, message("x/1", ""));
    let Effect::Send { message, .. } = &response.effects[0] else {
        panic!("{response:?}");
    };
    let headers: Vec<_> = message.headers.iter().collect();
    assert_eq!(
        headers,
        [
            ("a", "b"),
            ("expiration", "1500"),
            ("content-type", "application/json")
        ]
    );
}
