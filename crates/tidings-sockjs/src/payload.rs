//! What clients send: JSON arrays of strings.

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
    let _ = body;
    todo!()
}

/// Reads a text message of the WebSocket transport: an array, one bare string, or nothing at all.
///
/// # Errors
/// As [`decode`], but an empty text is an empty array.
pub fn decode_websocket(text: &[u8]) -> Result<Vec<String>, PayloadError> {
    let _ = text;
    todo!()
}

/// Reads the body of `jsonp_send`: a form with the field `d`, or, as any other content type, the bare array.
///
/// # Errors
/// As [`decode`]; a form without a `d` that says something is [`PayloadError::Expected`].
pub fn decode_jsonp(content_type: &str, body: &[u8]) -> Result<Vec<String>, PayloadError> {
    let _ = (content_type, body);
    todo!()
}
