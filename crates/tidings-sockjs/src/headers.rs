//! The sets of headers that answers share.

use std::borrow::Cow;

use crate::options::Options;
use crate::request::RequestHead;

pub(crate) type Header = (&'static str, Cow<'static, str>);

pub(crate) const TEXT: &str = "text/plain; charset=UTF-8";
pub(crate) const HTML: &str = "text/html; charset=UTF-8";
pub(crate) const JSON: &str = "application/json; charset=UTF-8";
pub(crate) const SCRIPT: &str = "application/javascript; charset=UTF-8";

/// The longest value that is taken over from a request into its answer, in bytes. Origins are far shorter; the limit
/// keeps small what a client that listens costs.
const ECHO_LIMIT: usize = 1024;

/// Nobody keeps the answer.
pub(crate) const UNCACHED: Header = (
    "cache-control",
    Cow::Borrowed("no-store, no-cache, no-transform, must-revalidate, max-age=0"),
);

/// Anybody may keep the answer for a year. `max-age` is what caches go by (RFC 9111, section 5.3); `expires` is there for
/// those of HTTP/1.0, as a date that is always far off, for there is no clock here.
pub(crate) const CACHED: [Header; 2] = [
    ("cache-control", Cow::Borrowed("public, max-age=31536000")),
    ("expires", Cow::Borrowed("Thu, 31 Dec 2099 23:59:59 GMT")),
];

/// What a request makes of the head of each response about a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct SessionHeaders {
    /// Absent where the transport is not meant for scripts of other origins.
    cors: Option<Cors>,
    /// The value of the cookie by which load balancers find this server again.
    jsessionid: Option<Box<str>>,
}

impl SessionHeaders {
    pub(crate) fn new(options: &Options, head: &RequestHead<'_>, cross_origin: bool) -> Self {
        Self {
            cors: cross_origin.then(|| Cors::new(head)),
            jsessionid: options
                .session_cookie_needed
                .then(|| jsessionid(head.cookie).into()),
        }
    }

    pub(crate) fn write(&self, headers: &mut Vec<Header>) {
        headers.push(UNCACHED);
        if let Some(cors) = &self.cors {
            cors.write(headers);
        }
        if let Some(value) = &self.jsessionid {
            headers.push(("set-cookie", format!("JSESSIONID={value}; path=/").into()));
        }
    }
}

/// What scripts of other origins may see (WHATWG Fetch, "CORS protocol").
#[derive(Debug, Clone, Default)]
pub(crate) struct Cors {
    origin: Option<Box<str>>,
    request_headers: Option<Box<str>>,
}

impl Cors {
    pub(crate) fn new(head: &RequestHead<'_>) -> Self {
        let echo = |value: Option<&str>| {
            value
                .filter(|value| {
                    !value.is_empty() && value.len() <= ECHO_LIMIT && is_field_value(value)
                })
                .map(Into::into)
        };
        Self {
            origin: echo(head.origin),
            request_headers: echo(head.access_control_request_headers),
        }
    }

    pub(crate) fn write(&self, headers: &mut Vec<Header>) {
        let origin = self.origin.as_deref().unwrap_or("*").to_owned();
        headers.push(("access-control-allow-origin", origin.into()));
        if self.origin.is_some() {
            headers.push(("access-control-allow-credentials", "true".into()));
        }
        headers.push(("vary", "Origin".into()));
        if let Some(names) = &self.request_headers {
            headers.push(("access-control-allow-headers", names.to_string().into()));
        }
    }
}

/// Whether a value can stand in a head without breaking it (RFC 9110, section 5.5): it has no control characters.
pub(crate) fn is_field_value(value: &str) -> bool {
    !value
        .bytes()
        .any(|byte| byte.is_ascii_control() && byte != b'\t')
}

/// The value that the client has, so that its balancer stays with it.
fn jsessionid(cookies: Option<&str>) -> &str {
    cookies
        .unwrap_or_default()
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("JSESSIONID="))
        .filter(|value| !value.is_empty() && value.len() <= ECHO_LIMIT && is_field_value(value))
        .unwrap_or("dummy")
}
