//! A whole response of HTTP.

use std::borrow::Cow;

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
