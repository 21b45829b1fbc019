//! The body by serde.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::FromMessage;
use crate::json::Json;
use crate::message::Parts;
use crate::rejection::JsonRejection;

impl<S: Sync, T: DeserializeOwned> FromMessage<S> for Json<T> {
    type Rejection = JsonRejection;

    async fn from_message(parts: &mut Parts, body: Bytes, _: &S) -> Result<Self, JsonRejection> {
        if body.is_empty() {
            return Err(JsonRejection::Empty);
        }
        if let Some(content_type) = parts.headers.get("content-type")
            && !is_json(content_type)
        {
            let found = content_type.to_owned();
            return Err(JsonRejection::ContentType { found });
        }
        serde_json::from_slice(&body)
            .map(Json)
            .map_err(|error| place::<T>(&body, error))
    }

    fn is_absent(rejection: &JsonRejection) -> bool {
        matches!(rejection, JsonRejection::Empty)
    }
}

/// Reads again to learn where it goes wrong: that costs more than reading, and only a client that errs pays for it.
fn place<T: DeserializeOwned>(body: &[u8], error: serde_json::Error) -> JsonRejection {
    let mut reader = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(found) => JsonRejection::Form {
            field: found.path().to_string(),
            error: found.into_inner(),
        },
        Ok(_) => JsonRejection::Form {
            field: ".".to_owned(),
            error,
        },
    }
}

/// `application/json`, and whatever ends in `+json` (RFC 6839, section 3.1).
fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let Some((_, subtype)) = media_type.split_once('/') else {
        return false;
    };
    let suffix = subtype.rsplit('+').next().unwrap_or_default();
    suffix.eq_ignore_ascii_case("json")
}
