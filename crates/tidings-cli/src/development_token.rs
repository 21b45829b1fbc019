//! Tokens for the demo page. They prove nothing: only a server without authentication, on loopback, takes them.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use tidings_auth::issue::{DEVELOPMENT_SECRET, Issue, issue};

use crate::token::now_ms;

/// The most bytes of a request.
const MAX_BYTES: usize = 4 * 1024;

/// The most bytes of a name.
const MAX_NAME_BYTES: usize = 256;

/// The longest lifetime, in seconds: a day.
const MAX_LIFETIME: u64 = 24 * 60 * 60;

/// What the page asks for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    user: String,
    /// In seconds.
    lifetime: u64,
}

/// Issues tokens to pages of this origin.
pub(crate) fn page() -> Router {
    let page = post(|headers: HeaderMap, body: Bytes| async move { answer(&headers, &body) });
    Router::new().route(
        "/development/token",
        page.layer(DefaultBodyLimit::max(MAX_BYTES)),
    )
}

fn answer(headers: &HeaderMap, body: &[u8]) -> Response {
    if !is_same_origin(headers) {
        return refuse(StatusCode::FORBIDDEN, "only a page of this origin may ask");
    }
    let Ok(Wish { user, lifetime }) = serde_json::from_slice(body) else {
        let text = "write {\"user\": NAME, \"lifetime\": SECONDS}";
        return refuse(StatusCode::BAD_REQUEST, text);
    };
    let is_name = !user.is_empty() && user.len() <= MAX_NAME_BYTES;
    if !is_name || !(1..=MAX_LIFETIME).contains(&lifetime) {
        let text = "user is 1 to 256 bytes, lifetime 1 to 86400 seconds";
        return refuse(StatusCode::BAD_REQUEST, text);
    }
    let wish = Issue {
        user,
        lifetime: Duration::from_secs(lifetime),
        ..Issue::default()
    };
    match issue(DEVELOPMENT_SECRET.as_bytes(), &wish, now_ms()) {
        Ok(token) => {
            let body = serde_json::json!({ "token": token }).to_string();
            let headers = [
                (header::CONTENT_TYPE, "application/json"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, body).into_response()
        }
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Whether the request is of a page that came from here: browsers put the origin into each POST, and pages can't change it.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name)?.to_str().ok();
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, text(header::HOST)) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

fn refuse(status: StatusCode, text: &str) -> Response {
    (status, format!("{text}\n")).into_response()
}
