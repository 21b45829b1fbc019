//! Headers by which browsers take what we answer for no more than it is.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

/// What an answer has that says nothing else of itself: it is no page, so it loads nothing and is framed by nobody. Within
/// this origin the referrer is told: without it browsers hide the origin of forms, by which `jsonp` of SockJS sends.
const DEFAULTS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
];

/// Who may embed an answer without asking by CORS (Fetch, section 3.7).
pub(super) const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// Adds what an answer does not say otherwise. One that has a policy of its own says by it who may frame it too.
pub(crate) async fn protect(mut response: Response<Body>) -> Response<Body> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        add(response.headers_mut());
    }
    response
}

pub(super) fn add(headers: &mut HeaderMap) {
    let has_policy = headers.contains_key(header::CONTENT_SECURITY_POLICY);
    for (name, value) in DEFAULTS {
        let is_framing = name == header::X_FRAME_OPTIONS;
        if !(is_framing && has_policy) {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
    }
}

/// The same as the lines of a head, for an answer that is written by hand.
pub(super) fn lines() -> String {
    DEFAULTS
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .concat()
}
