//! What was asked.

use std::convert::Infallible;
use std::sync::Arc;

use tidings_core::application::RequestKind;
use tidings_stomp::Headers;

use super::FromMessageParts;
use crate::message::Parts;

/// The destination as the client wrote it: `/app/trade/acme`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination(pub Arc<str>);

impl<S: Sync> FromMessageParts<S> for Destination {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(parts.destination())))
    }
}

impl<S: Sync> FromMessageParts<S> for RequestKind {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.kind())
    }
}

impl<S: Sync> FromMessageParts<S> for Headers {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.headers.clone())
    }
}
