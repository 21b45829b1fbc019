//! What clients send: JSON arrays of strings.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::form;

/// Why a payload is no array of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// There is nothing, or JSON that is no array of strings.
    #[error("Payload expected.")]
    Expected,
    /// It is not JSON.
    #[error("Broken JSON encoding.")]
    Broken,
}

/// Reads the body of `xhr_send`.
///
/// # Errors
/// The body is empty, is not JSON, or is not an array of strings. A surrogate without its pair is broken JSON.
pub fn decode(body: &[u8]) -> Result<Vec<String>, PayloadError> {
    match read(body)? {
        Payload::Messages(messages) => Ok(messages),
        Payload::Text(_) | Payload::Other => Err(PayloadError::Expected),
    }
}

/// Reads a text message of the WebSocket transport: an array, one bare string, or nothing at all.
///
/// # Errors
/// As [`decode`], but an empty text is an empty array.
pub fn decode_websocket(text: &[u8]) -> Result<Vec<String>, PayloadError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    match read(text)? {
        Payload::Messages(messages) => Ok(messages),
        Payload::Text(message) => Ok(vec![message]),
        Payload::Other => Err(PayloadError::Expected),
    }
}

/// Reads the body of `jsonp_send`: a form with the field `d`, or, as any other content type, the bare array.
///
/// # Errors
/// As [`decode`]; a form without a `d` that says something is [`PayloadError::Expected`].
pub fn decode_jsonp(content_type: &str, body: &[u8]) -> Result<Vec<String>, PayloadError> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        decode(&form::field(body, b"d").unwrap_or_default())
    } else {
        decode(body)
    }
}

fn read(json: &[u8]) -> Result<Payload, PayloadError> {
    if json.is_empty() {
        return Err(PayloadError::Expected);
    }
    serde_json::from_slice(json).map_err(|_| PayloadError::Broken)
}

/// JSON as far as it matters here. An array with anything but strings in it is something else.
enum Payload {
    Messages(Vec<String>),
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PayloadVisitor)
    }
}

struct PayloadVisitor;

impl<'de> Visitor<'de> for PayloadVisitor {
    type Value = Payload;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Payload, A::Error> {
        let mut messages = Some(Vec::new());
        while let Some(member) = members.next_element()? {
            match (member, &mut messages) {
                (Payload::Text(message), Some(messages)) => messages.push(message),
                _ => messages = None,
            }
        }
        Ok(messages.map_or(Payload::Other, Payload::Messages))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Payload, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Payload::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Payload, E> {
        Ok(Payload::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Payload, E> {
        Ok(Payload::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Payload, E> {
        Ok(Payload::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Payload, E> {
        Ok(Payload::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Payload, E> {
        Ok(Payload::Other)
    }

    fn visit_unit<E>(self) -> Result<Payload, E> {
        Ok(Payload::Other)
    }
}
