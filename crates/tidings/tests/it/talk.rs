//! Asks routers, and writes down what they answer.

use std::sync::Arc;

use tidings::prelude::*;
use tidings_core::application::{Effect, Recipient};

/// A SEND to `/app/` and `path`, by ann in session s1.
pub(crate) fn message(path: &str, body: &str) -> Request {
    Request {
        kind: RequestKind::Message,
        destination: format!("/app/{path}").into(),
        path_at: "/app/".len(),
        headers: Headers::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        session: session(Some("ann")),
    }
}

/// A SUBSCRIBE to `/app/` and `path`, by ann in session s1.
pub(crate) fn subscription(path: &str) -> Request {
    Request {
        kind: RequestKind::Subscribe,
        ..message(path, "")
    }
}

/// The session s1.
pub(crate) fn session(user: Option<&str>) -> Arc<Session> {
    Arc::new(Session::new("s1".into(), user.map(Into::into)))
}

pub(crate) fn with_header(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push(name, value);
    request
}

pub(crate) fn answer(router: &Router, request: Request) -> Response {
    pollster::block_on(router.call(request))
}

/// What the router does for `request`, a line each: the effects, then the failure.
pub(crate) fn lines(router: &Router, request: Request) -> Vec<String> {
    let response = answer(router, request);
    let effects = response.effects.iter().map(line);
    let failure = response.failure.iter().map(failure);
    effects.chain(failure).collect()
}

/// The one line that the router does for `request`.
#[track_caller]
pub(crate) fn only_line(router: &Router, request: Request) -> String {
    let mut lines = lines(router, request);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

fn line(effect: &Effect) -> String {
    match effect {
        Effect::Reply(message) => format!("reply: {}", text(message)),
        Effect::Send {
            destination,
            message,
        } => format!("{destination}: {}", text(message)),
        Effect::SendTo {
            recipient: Recipient::User(user),
            path,
            message,
        } => format!("user {user} {path}: {}", text(message)),
        Effect::SendTo {
            recipient: Recipient::Session(session),
            path,
            message,
        } => format!("session {session} {path}: {}", text(message)),
    }
}

fn failure(failure: &Failure) -> String {
    format!("{}: {}", failure.reason, failure.details)
}

fn text(message: &Outgoing) -> &str {
    std::str::from_utf8(&message.body).expect("tests send text")
}
