//! What went wrong, in the form of RFC 9457.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use tidings_core::application::SendError;
use tidings_core::disconnect::Reason;

/// When to try again, in seconds.
const RETRY_AFTER: u64 = 1;

/// What only the API refuses; everything else has a [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InvalidJson,
    IncompleteBody,
    InvalidRequest,
    InvalidIdempotencyKey,
    Unauthorized,
    MissingScope,
    NotFound,
    UnknownSession,
    UnknownSubscription,
    MethodNotAllowed,
    IdempotencyKeyInUse,
    RequestTooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    TooManyFailedKeys,
    TooManyRevocations,
}

impl Kind {
    /// Status, code and title.
    fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidJson => (400, "invalid-json", "The body is not JSON."),
            Self::IncompleteBody => (
                400,
                "incomplete-body",
                "The body ended too early, or is not framed as HTTP wants it.",
            ),
            Self::InvalidRequest => (
                422,
                "invalid-request",
                "The request is not what it has to be.",
            ),
            Self::InvalidIdempotencyKey => (
                400,
                "invalid-idempotency-key",
                "The idempotency key can't be used.",
            ),
            Self::Unauthorized => (
                401,
                "unauthorized",
                "The request shows none of the server's keys.",
            ),
            Self::MissingScope => (403, "missing-scope", "The key has not the scope for this."),
            Self::NotFound => (404, "not-found", "The API has no such path."),
            Self::UnknownSession => (
                404,
                "unknown-session",
                "No session with this id is connected.",
            ),
            Self::UnknownSubscription => (
                404,
                "unknown-subscription",
                "The session has no subscription with this id.",
            ),
            Self::MethodNotAllowed => (405, "method-not-allowed", "The path has no such method."),
            Self::IdempotencyKeyInUse => (
                409,
                "idempotency-key-in-use",
                "The first request with this key is not done.",
            ),
            Self::RequestTooLarge => (
                413,
                "request-too-large",
                "The body of the request is too large.",
            ),
            Self::UnsupportedMediaType => (
                415,
                "unsupported-media-type",
                "The body is not said to be JSON.",
            ),
            Self::IdempotencyKeyReused => (
                422,
                "idempotency-key-reused",
                "The key was used for another request.",
            ),
            Self::TooManyFailedKeys => (
                429,
                "too-many-failed-keys",
                "Too many wrong keys came from this address.",
            ),
            Self::TooManyRevocations => (
                503,
                "too-many-revocations",
                "As many revocations last as there may be.",
            ),
        }
    }
}

/// An answer that is an error; also one of the results of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// Names the kind, and leads nowhere.
    #[serde(rename = "type")]
    uri: String,
    title: &'static str,
    status: u16,
    detail: String,
    code: &'static str,
    /// Seconds, for the header of this name.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, code, title) = kind.row();
        Self {
            uri: uri(code),
            title,
            status,
            detail: detail.into(),
            code,
            retry_after: None,
        }
    }

    /// Says when to try again.
    pub(super) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What may go better later is 503, what will not is 422; both as the table of reasons has it.
    pub(super) fn of(reason: Reason, detail: impl Into<String>) -> Self {
        let status = match reason {
            Reason::BodyTooLarge => 413,
            reason if reason.retry() => 503,
            _ => 422,
        };
        Self {
            uri: uri(reason.name()),
            title: reason.sentence(),
            status,
            detail: detail.into(),
            code: reason.name(),
            retry_after: (status == 503).then_some(RETRY_AFTER),
        }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(super::encode(&self)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == 401 {
            let challenge = HeaderValue::from_static("Bearer realm=\"tidings\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

fn uri(code: &str) -> String {
    format!("urn:tidings:problem:{code}")
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Self {
        let reason = match &error {
            SendError::Destination(error) => error.reason(),
            SendError::Refused { reason, .. } => *reason,
            _ => Reason::InternalError,
        };
        Self::of(reason, error.to_string())
    }
}

/// Bytes that are not JSON, or JSON that is not what it has to be.
impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        let kind = if error.is_data() {
            Kind::InvalidRequest
        } else {
            Kind::InvalidJson
        };
        Self::new(kind, error.to_string())
    }
}
