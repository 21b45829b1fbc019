//! What a message carries, with its headers.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tidings_core::application::Outgoing;
use tidings_core::disconnect::Reason;
use tidings_stomp::Headers;

use crate::json::Json;
use crate::rejection::rejection_is_failure;

/// What can be sent as the body of a message. It knows its `content-type`.
///
/// ```
/// use std::time::Duration;
/// use tidings::prelude::*;
///
/// async fn quote() -> SendTo<Headed<Json<f64>>> {
///     let price = Json(17.5).with_header("currency", "EUR").expires_after(Duration::from_secs(5));
///     SendTo("/topic/quotes", price)
/// }
/// # let router: Router = Router::new().message("quote", quote);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a message can carry",
    label = "has no body and content-type",
    note = "wrap it in `Json`, or use `String`, `&'static str`, `Bytes` or `Outgoing`"
)]
pub trait IntoPayload: Sized {
    /// The body and its headers.
    ///
    /// # Errors
    /// It can't be written as what it should be.
    fn into_payload(self) -> Result<Outgoing, PayloadError>;

    /// Adds a header; it goes before one of the same name that the payload has of itself, as `content-type`.
    fn with_header(self, name: &str, value: &str) -> Headed<Self> {
        let headers = Headers::new();
        Headed {
            payload: self,
            headers,
        }
        .with_header(name, value)
    }

    /// The message is worth nothing after this time: the header `expiration`, in whole milliseconds, 1 at least.
    fn expires_after(self, time: Duration) -> Headed<Self> {
        let headers = Headers::new();
        Headed {
            payload: self,
            headers,
        }
        .expires_after(time)
    }

    /// The header `persistent:true`: a broker that keeps messages on disk is to keep this one.
    fn persistent(self) -> Headed<Self> {
        self.with_header("persistent", "true")
    }
}

/// A payload with headers of its sender: see [`IntoPayload::with_header`].
#[derive(Debug, Clone)]
#[must_use]
pub struct Headed<T> {
    payload: T,
    headers: Headers,
}

impl<T> Headed<T> {
    /// Adds one more.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// As [`IntoPayload::expires_after`].
    pub fn expires_after(self, time: Duration) -> Self {
        let milliseconds = time.as_millis().max(1);
        // More than 64 bits are never.
        let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
        self.with_header("expiration", &milliseconds.to_string())
    }
}

impl<T: IntoPayload> IntoPayload for Headed<T> {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        let own = self.payload.into_payload()?;
        let mut headers = self.headers;
        for (name, value) in own.headers.iter() {
            if headers.get(name).is_none() {
                headers.push(name, value);
            }
        }
        let body = own.body;
        Ok(Outgoing { headers, body })
    }
}

impl<T: Serialize> IntoPayload for Json<T> {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        let body = serde_json::to_vec(&self.0)?;
        Ok(outgoing("application/json", body))
    }
}

impl IntoPayload for String {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        Ok(outgoing(TEXT, self))
    }
}

impl IntoPayload for &'static str {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        Ok(outgoing(TEXT, self))
    }
}

impl IntoPayload for Bytes {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        Ok(outgoing("application/octet-stream", self))
    }
}

impl IntoPayload for Outgoing {
    fn into_payload(self) -> Result<Outgoing, PayloadError> {
        Ok(self)
    }
}

/// A payload can't be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// As JSON: a map whose keys are no texts, or an error of its own.
    #[error("the reply can't be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl PayloadError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::InternalError
    }
}

rejection_is_failure!(PayloadError);

const TEXT: &str = "text/plain;charset=utf-8";

fn outgoing(content_type: &str, body: impl Into<Bytes>) -> Outgoing {
    Outgoing {
        headers: [("content-type", content_type)].into_iter().collect(),
        body: body.into(),
    }
}
