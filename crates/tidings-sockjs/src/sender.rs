//! `xhr_send` and `jsonp_send`: messages from the client.

use crate::answer::Answer;
use crate::payload::PayloadError;

/// A request that brings messages.
#[derive(Debug, Clone)]
pub struct Sender {
    // private: which of the two, the CORS and cookie headers of its answer
}

impl Sender {
    /// Reads the messages.
    ///
    /// # Errors
    /// See [`PayloadError`]; answer with [`Sender::refused`].
    pub fn decode(&self, content_type: &str, body: &[u8]) -> Result<Vec<String>, PayloadError> {
        let _ = (content_type, body);
        todo!()
    }

    /// The session has the messages: 204, or 200 and `ok` for `jsonp_send`.
    pub fn accepted(&self) -> Answer {
        todo!()
    }

    /// The payload is no array of messages: 500 with the cause.
    pub fn refused(&self, error: PayloadError) -> Answer {
        let _ = error;
        todo!()
    }

    /// There is no such session, or it is closed: 404.
    pub fn unknown_session(&self) -> Answer {
        todo!()
    }

    /// The body is longer than `limit` bytes: 413 and a sentence that says so.
    pub fn too_large(&self, limit: usize) -> Answer {
        let _ = limit;
        todo!()
    }
}
