//! What may be missing.

use std::convert::Infallible;

use bytes::Bytes;

use super::{FromMessage, FromMessageParts};
use crate::message::Parts;

impl<S: Sync, T: FromMessageParts<S>> FromMessageParts<S> for Option<T> {
    type Rejection = T::Rejection;

    async fn from_message_parts(parts: &mut Parts, state: &S) -> Result<Self, T::Rejection> {
        let extracted = T::from_message_parts(parts, state).await;
        absent_is_none(extracted, T::is_absent)
    }
}

impl<S: Sync, T: FromMessage<S>> FromMessage<S> for Option<T> {
    type Rejection = T::Rejection;

    async fn from_message(parts: &mut Parts, body: Bytes, state: &S) -> Result<Self, T::Rejection> {
        let extracted = T::from_message(parts, body, state).await;
        absent_is_none(extracted, T::is_absent)
    }
}

impl<S: Sync, T: FromMessageParts<S>> FromMessageParts<S> for Result<T, T::Rejection> {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(T::from_message_parts(parts, state).await)
    }
}

impl<S: Sync, T: FromMessage<S>> FromMessage<S> for Result<T, T::Rejection> {
    type Rejection = Infallible;

    async fn from_message(parts: &mut Parts, body: Bytes, state: &S) -> Result<Self, Infallible> {
        Ok(T::from_message(parts, body, state).await)
    }
}

fn absent_is_none<T, R>(
    extracted: Result<T, R>,
    is_absent: fn(&R) -> bool,
) -> Result<Option<T>, R> {
    match extracted {
        Ok(extracted) => Ok(Some(extracted)),
        Err(rejection) if is_absent(&rejection) => Ok(None),
        Err(rejection) => Err(rejection),
    }
}
