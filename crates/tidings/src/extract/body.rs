//! The body as it is.

use std::convert::Infallible;

use bytes::Bytes;

use super::FromMessage;
use crate::message::Parts;
use crate::rejection::TextRejection;

/// The body, whatever the `content-type`.
impl<S: Sync> FromMessage<S> for Bytes {
    type Rejection = Infallible;

    async fn from_message(_: &mut Parts, body: Bytes, _: &S) -> Result<Self, Infallible> {
        Ok(body)
    }
}

/// The body as text, whatever the `content-type`, unless its `charset` is not UTF-8.
impl<S: Sync> FromMessage<S> for String {
    type Rejection = TextRejection;

    async fn from_message(parts: &mut Parts, body: Bytes, _: &S) -> Result<Self, TextRejection> {
        if let Some(charset) = parts.headers.get("content-type").and_then(charset)
            && !["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        {
            let found = charset.to_owned();
            return Err(TextRejection::Charset { found });
        }
        Self::from_utf8(body.into()).map_err(|error| TextRejection::NotUtf8 {
            valid_up_to: error.utf8_error().valid_up_to(),
        })
    }

    fn is_absent(_: &TextRejection) -> bool {
        false
    }
}

/// The value of the parameter `charset` (RFC 9110, section 8.3.1).
fn charset(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"'))
}
