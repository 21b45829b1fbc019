//! A whole response of HTTP.

use std::borrow::Cow;

use crate::headers::{Header, TEXT};

/// A whole response. The driver adds `content-length` (and `date`); a 204 and a 304 have neither body nor length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Cow<'static, [u8]>,
}

impl Answer {
    pub(crate) fn empty(status: u16, headers: Vec<Header>) -> Self {
        Self {
            status,
            headers,
            body: Cow::Borrowed(b""),
        }
    }

    /// Plain text, with more headers than the one of its type.
    pub(crate) fn text(
        status: u16,
        mut headers: Vec<Header>,
        text: impl Into<Cow<'static, str>>,
    ) -> Self {
        headers.push(("content-type", TEXT.into()));
        let body = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Self {
            status,
            headers,
            body,
        }
    }
}
