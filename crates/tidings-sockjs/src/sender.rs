//! `xhr_send` and `jsonp_send`: messages from the client.

use crate::answer::Answer;
use crate::headers::{Header, SessionHeaders, TEXT};
use crate::payload::{self, PayloadError};

/// A request that brings messages.
#[derive(Debug, Clone)]
pub struct Sender {
    form: Form,
    headers: SessionHeaders,
}

/// How the messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `xhr_send`.
    Xhr,
    /// `jsonp_send`.
    Jsonp,
}

impl Sender {
    pub(crate) fn new(form: Form, headers: SessionHeaders) -> Self {
        Self { form, headers }
    }

    /// Reads the messages. `content_type` matters to `jsonp_send` only; give an empty one where there is none.
    ///
    /// # Errors
    /// See [`PayloadError`]; answer with [`Sender::refused`].
    pub fn decode(&self, content_type: &str, body: &[u8]) -> Result<Vec<String>, PayloadError> {
        match self.form {
            Form::Xhr => payload::decode(body),
            Form::Jsonp => payload::decode_jsonp(content_type, body),
        }
    }

    /// The session has the messages: 204, or 200 and `ok` for `jsonp_send`.
    pub fn accepted(&self) -> Answer {
        match self.form {
            Form::Xhr => {
                let mut headers = self.headers();
                headers.push(("content-type", TEXT.into()));
                Answer::empty(204, headers)
            }
            Form::Jsonp => Answer::text(200, self.headers(), "ok"),
        }
    }

    /// The payload is no array of messages: 500 with the cause.
    pub fn refused(&self, error: PayloadError) -> Answer {
        Answer::text(500, self.headers(), error.to_string())
    }

    /// There is no such session, or it is closed: 404.
    pub fn unknown_session(&self) -> Answer {
        Answer::text(
            404,
            self.headers(),
            "session is unknown or over; open a new one\n",
        )
    }

    /// The body is longer than `limit` bytes: 413 and a sentence that says so.
    pub fn too_large(&self, limit: usize) -> Answer {
        let cause = format!("payload is longer than {limit} bytes; send less at once\n");
        Answer::text(413, self.headers(), cause)
    }

    fn headers(&self) -> Vec<Header> {
        let mut headers = Vec::new();
        self.headers.write(&mut headers);
        headers
    }
}
