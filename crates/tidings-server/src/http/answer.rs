//! Answers in the types of the HTTP library.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use tidings_sockjs::Answer;

use super::protection;
use crate::admission::NoEntry;

/// An answer of SockJS.
pub(super) fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body.into_owned()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A sentence to a person.
pub(super) fn sentence(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{text}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    protection::add(response.headers_mut());
    response
}

/// Nobody more comes in.
pub(super) fn no_entry(no_entry: NoEntry) -> Response<Body> {
    let mut response = sentence(no_entry.status(), no_entry.sentence());
    let retry_after = HeaderValue::from(no_entry.retry_after());
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, retry_after);
    response
}

/// The same as bytes, for who has not asked anything yet.
pub(crate) fn refusal(no_entry: NoEntry) -> Vec<u8> {
    let (status, body) = (no_entry.status(), no_entry.sentence());
    format!(
        "HTTP/1.1 {status}\r\nretry-after: {}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n\
         {}content-length: {}\r\n\r\n{body}\n",
        no_entry.retry_after(),
        protection::lines(),
        body.len() + 1,
    )
    .into_bytes()
}
