//! What was heard.

use std::fmt;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use tidings_stomp::{Frame, Headers};

/// A message: a MESSAGE that a [`Peer`](crate::Peer) got, or what a handler sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
}

impl Message {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The `destination` of a MESSAGE; empty on what a handler sends.
    pub fn destination(&self) -> &str {
        self.header("destination").unwrap_or_default()
    }

    /// The id of the subscription that a MESSAGE is for; empty on what a handler sends.
    pub fn subscription(&self) -> &str {
        self.header("subscription").unwrap_or_default()
    }

    /// The body as text.
    ///
    /// # Panics
    /// It is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("the body is no text: {error}; {self:?}"),
        }
    }

    /// The body, read as JSON.
    ///
    /// # Panics
    /// It can't be read as `T`.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body does not fit: {error}; {self:?}"),
        }
    }
}

/// As on the wire, its body as text.
impl fmt::Debug for Message {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&shown("message", &self.headers, &self.body))
    }
}

/// How the server ended a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// Its ERROR.
    pub error: Frame,
    /// The code of its close frame; absent over TCP, and where it sent none.
    pub close_code: Option<u16>,
}

impl Goodbye {
    /// The reason's code, as in the table of disconnect codes: `heart-beat-missed`.
    pub fn code(&self) -> &str {
        self.error.header("code").unwrap_or_default()
    }

    /// What went wrong and what to do, in words.
    pub fn details(&self) -> &str {
        std::str::from_utf8(&self.error.body).unwrap_or_default()
    }
}

impl fmt::Debug for Goodbye {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self
            .close_code
            .map(|code| format!(" and close code {code}"));
        let error = shown_frame(&self.error);
        write!(formatter, "{error}{}", code.unwrap_or_default())
    }
}

pub(crate) fn shown_frame(frame: &Frame) -> String {
    shown(frame.command.as_str(), &frame.headers, &frame.body)
}

fn shown(name: &str, headers: &Headers, body: &[u8]) -> String {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!(" {name}:{value}"))
        .collect();
    format!("{name}{headers} {:?}", String::from_utf8_lossy(body))
}
