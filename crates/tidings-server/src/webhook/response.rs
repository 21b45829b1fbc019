//! What a back end answers, and what becomes of it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use tidings_core::application::{
    Effect, Failure, Outgoing, Recipient, RequestKind, Response, Session,
};
use tidings_core::disconnect::Reason;
use tidings_stomp::Headers;

use super::percent::decoded;

const SEND_TO: &str = "tidings-send-to";
const SEND_TO_USER: &str = "tidings-send-to-user";
const SEND_TO_SESSION: &str = "tidings-send-to-session";
pub(super) const USER: &str = "tidings-user";

/// A client is told at most so many characters of what a back end says is wrong.
const MAX_DETAIL: usize = 300;

/// An answer that came whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Says what is wrong (RFC 9457, section 3.1). Frameworks write the same as plain JSON, and some a list of faults as the
/// detail, which is for programs.
#[derive(Deserialize)]
struct Problem {
    detail: Option<Value>,
    title: Option<Value>,
}

impl Problem {
    fn for_people(self) -> Option<String> {
        [self.detail, self.title]
            .into_iter()
            .find_map(|told| match told {
                Some(Value::String(text)) => Some(text),
                _ => None,
            })
    }
}

/// What the server is to do for the request.
pub(super) fn read(answer: Answer, kind: RequestKind, session: &Session) -> Response {
    if !answer.status.is_success() {
        return failed(reason(answer.status), complaint(&answer));
    }
    match effects(answer, kind, session) {
        Some(effects) => Response {
            effects,
            ..Response::default()
        },
        None => failed(
            Reason::ApplicationFailed,
            "the answer of the application names a destination that can't be read; tell who runs it",
        ),
    }
}

/// What the status of an answer that is no success means to the client.
pub(super) fn reason(status: StatusCode) -> Reason {
    match status.as_u16() {
        400 | 422 => Reason::InvalidPayload,
        401 | 403 => Reason::Refused,
        404 => Reason::UnknownDestination,
        413 => Reason::BodyTooLarge,
        429 | 502..=504 => Reason::ApplicationUnavailable,
        _ => Reason::ApplicationFailed,
    }
}

pub(super) fn failed(reason: Reason, details: impl Into<String>) -> Response {
    let details = details.into();
    Failure { reason, details }.into()
}

/// None where a header is no text.
fn effects(answer: Answer, kind: RequestKind, session: &Session) -> Option<Vec<Effect>> {
    let message = Outgoing {
        headers: outgoing_headers(&answer.headers),
        body: answer.body,
    };
    let all = |name| {
        let values = answer.headers.get_all(name).iter();
        values
            .map(|value| decoded(value.to_str().ok()?))
            .collect::<Option<Vec<_>>>()
    };
    let recipient = match all(USER)?.pop() {
        Some(user) => Recipient::User(user.into()),
        None => sender(session),
    };
    let mut effects = Vec::new();
    for destination in all(SEND_TO)? {
        effects.push(Effect::Send {
            destination: destination.into(),
            message: message.clone(),
        });
    }
    let to_sessions = |recipient: &Recipient, path: String| Effect::SendTo {
        recipient: recipient.clone(),
        path: path.into(),
        message: message.clone(),
    };
    for path in all(SEND_TO_USER)? {
        effects.push(to_sessions(&recipient, path));
    }
    let session = Recipient::Session(Arc::clone(&session.id));
    for path in all(SEND_TO_SESSION)? {
        effects.push(to_sessions(&session, path));
    }
    if effects.is_empty() && kind == RequestKind::Subscribe && !message.body.is_empty() {
        effects.push(Effect::Reply(message));
    }
    Some(effects)
}

/// Who asked: a user with all sessions, or the session where nobody knows whose it is.
fn sender(session: &Session) -> Recipient {
    match &session.user {
        Some(user) => Recipient::User((**user).into()),
        None => Recipient::Session(Arc::clone(&session.id)),
    }
}

fn outgoing_headers(headers: &HeaderMap) -> Headers {
    let mut outgoing = Headers::new();
    if let Some(content_type) = content_type(headers) {
        outgoing.push("content-type", content_type);
    }
    outgoing
}

fn content_type(headers: &HeaderMap) -> Option<&str> {
    headers.get(CONTENT_TYPE)?.to_str().ok()
}

/// What the client reads: what the back end says in a form meant for people, else the status.
pub(super) fn complaint(answer: &Answer) -> String {
    let media = content_type(&answer.headers)
        .and_then(|text| text.split(';').next())
        .map(|media| media.trim().to_ascii_lowercase());
    let said = match media.as_deref() {
        Some("application/problem+json" | "application/json") => {
            serde_json::from_slice(&answer.body)
                .ok()
                .and_then(Problem::for_people)
        }
        Some("text/plain") => str::from_utf8(&answer.body).ok().map(str::to_owned),
        _ => None,
    };
    let said = said.map(|text| one_line(&text)).unwrap_or_default();
    if !said.is_empty() {
        return said;
    }
    let status = answer.status.as_u16();
    if answer.status.is_redirection() {
        let elsewhere = answer.headers.contains_key(header::LOCATION);
        let where_to = if elsewhere { " elsewhere" } else { "" };
        return format!("the application redirects{where_to} ({status}), which is not followed");
    }
    format!("the application answered with {status}")
}

fn one_line(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.retain(|character| !character.is_control());
    if let Some((end, _)) = line.char_indices().nth(MAX_DETAIL) {
        line.truncate(end);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: map,
            body: body.to_owned().into(),
        }
    }

    fn told(answer: Answer, kind: RequestKind, user: Option<&str>) -> Vec<String> {
        let session = Session::new("s1".into(), user.map(Into::into));
        let response = read(answer, kind, &session);
        let failure = response.failure.map(|failure| failure.details);
        let shown = |effect: Effect| match effect {
            Effect::Reply(message) => format!("reply {message:?}"),
            Effect::Send { destination, .. } => format!("send {destination}"),
            Effect::SendTo {
                recipient, path, ..
            } => format!("{recipient:?} {path}"),
        };
        response
            .effects
            .into_iter()
            .map(shown)
            .chain(failure)
            .collect()
    }

    #[test]
    fn headers_say_where_an_answer_goes() {
        use RequestKind::{Message, Subscribe};
        let ok = |headers: &[_]| answer(200, headers, "x");
        assert_eq!(told(ok(&[]), Message, None), [""; 0]);
        assert_eq!(told(answer(204, &[], ""), Subscribe, None), [""; 0]);
        assert!(told(ok(&[]), Subscribe, None)[0].starts_with("reply"));
        let topics = ok(&[
            ("tidings-send-to", "/topic/a"),
            ("tidings-send-to", "/topic/%C3%A4"),
        ]);
        assert_eq!(
            told(topics, Subscribe, None),
            ["send /topic/a", "send /topic/ä"]
        );
        let mine = || ok(&[("tidings-send-to-user", "queue/a")]);
        assert_eq!(
            told(mine(), Message, Some("ada")),
            ["User(\"ada\") queue/a"]
        );
        assert_eq!(told(mine(), Message, None), ["Session(\"s1\") queue/a"]);
        let other = ok(&[
            ("tidings-user", "bob%20b"),
            ("tidings-send-to-user", "queue/a"),
        ]);
        assert_eq!(
            told(other, Message, Some("ada")),
            ["User(\"bob b\") queue/a"]
        );
        let session = ok(&[("tidings-send-to-session", "queue/a")]);
        assert_eq!(
            told(session, Message, Some("ada")),
            ["Session(\"s1\") queue/a"]
        );
        let rubbish = ok(&[("tidings-send-to", "/topic/%FF")]);
        assert!(told(rubbish, Message, None)[0].contains("can't be read"));
    }

    #[test]
    fn a_client_reads_what_is_meant_for_it() {
        let problem = ("content-type", "application/problem+json; charset=utf-8");
        let json = ("content-type", "application/json");
        let plain = ("content-type", "text/plain");
        for (answer, expected) in [
            (
                answer(422, &[problem], r#"{"title":"t","detail":"no\nstock"}"#),
                "no stock",
            ),
            (answer(422, &[problem], r#"{"title":"t"}"#), "t"),
            (
                answer(422, &[problem], r#"{"title":"t","detail":[{"loc":1}]}"#),
                "t",
            ),
            (answer(409, &[json], r#"{"detail":"sold"}"#), "sold"),
            (
                answer(422, &[json], r#"{"detail":[{"loc":["body"]}]}"#),
                "the application answered with 422",
            ),
            (
                answer(500, &[json], r#""a text""#),
                "the application answered with 500",
            ),
            (
                answer(422, &[problem], "{"),
                "the application answered with 422",
            ),
            (
                answer(400, &[plain], " not\u{0}so \r\n ERROR:x"),
                "notso ERROR:x",
            ),
            (
                answer(500, &[], "stack trace"),
                "the application answered with 500",
            ),
            (
                answer(302, &[("location", "/x")], ""),
                "the application redirects elsewhere (302), which is not followed",
            ),
        ] {
            assert_eq!(told(answer, RequestKind::Message, None), [expected]);
        }
        let long = answer(400, &[plain], &"ä".repeat(1_000));
        let told = told(long, RequestKind::Message, None);
        assert_eq!(told[0].chars().count(), MAX_DETAIL);
    }

    #[test]
    fn the_status_chooses_the_code() {
        let session = Session::new("s1".into(), None);
        for (statuses, code) in [
            (&[400, 422][..], "invalid-payload"),
            (&[401, 403], "refused"),
            (&[404], "unknown-destination"),
            (&[413], "body-too-large"),
            (&[429, 502, 503, 504], "application-unavailable"),
            (
                &[302, 402, 409, 410, 418, 499, 500, 501, 505],
                "application-failed",
            ),
        ] {
            for status in statuses {
                let response = read(answer(*status, &[], ""), RequestKind::Message, &session);
                let failure = response.failure.expect("it failed");
                assert_eq!(failure.reason.name(), code, "{status}");
            }
        }
    }
}
