//! The answers that have nothing to do with a session.

use crate::answer::Answer;
use crate::headers::{CACHED, Cors, HTML, Header, JSON, UNCACHED};
use crate::options::Options;
use crate::request::RequestHead;

pub(crate) fn greeting() -> Answer {
    Answer::text(200, Vec::new(), "Welcome to SockJS!\n")
}

pub(crate) fn not_found() -> Answer {
    Answer::text(404, Vec::new(), "404 page not found\n")
}

pub(crate) fn method_not_allowed(allowed: &'static str) -> Answer {
    Answer::empty(405, vec![("allow", allowed.into())])
}

/// What a callback can't be called by: 500, as the client's tests want it.
pub(crate) fn bad_callback(cause: &'static str) -> Answer {
    Answer::text(500, vec![UNCACHED], cause)
}

/// What the client asks before anything else.
pub(crate) fn info(options: &Options, head: &RequestHead<'_>, entropy: u32) -> Answer {
    let (websocket, cookie) = (options.websocket_enabled, options.session_cookie_needed);
    let body = format!(
        r#"{{"websocket":{websocket},"origins":["*:*"],"cookie_needed":{cookie},"entropy":{entropy}}}"#
    );
    let mut headers = vec![UNCACHED];
    Cors::new(head).write(&mut headers);
    headers.push(("content-type", JSON.into()));
    Answer {
        status: 200,
        headers,
        body: body.into_bytes().into(),
    }
}

/// A browser asks whether a script may ask.
pub(crate) fn preflight(head: &RequestHead<'_>, methods: &'static str) -> Answer {
    let mut headers = Vec::from(CACHED);
    headers.push(("access-control-allow-methods", methods.into()));
    headers.push(("access-control-max-age", "31536000".into()));
    Cors::new(head).write(&mut headers);
    Answer::empty(204, headers)
}

/// The page that a client loads from here into its own, to ask from within.
pub(crate) fn iframe(options: &Options, head: &RequestHead<'_>) -> Answer {
    let url = options.client_library_url.replace('"', "%22");
    let body = IFRAME.replace('@', &url);
    let tag = entity_tag(body.as_bytes());
    let mut headers: Vec<Header> = Vec::from(CACHED);
    let has_it = head.if_none_match.is_some_and(|tags| matches(tags, &tag));
    headers.push(("etag", tag.into()));
    if has_it {
        return Answer::empty(304, headers);
    }
    headers.push(("content-type", HTML.into()));
    Answer {
        status: 200,
        headers,
        body: body.into_bytes().into(),
    }
}

/// Whether `tag` is among those of `if-none-match` (RFC 9110, section 13.1.2).
fn matches(tags: &str, tag: &str) -> bool {
    let same = |one: &str| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag;
    tags.split(',').map(str::trim).any(same)
}

/// The page's FNV-1a hash: the same on every node.
fn entity_tag(page: &[u8]) -> String {
    let hash = page.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}

/// With `@` for the url of the script.
const IFRAME: &str = r#"<!DOCTYPE html>
<html>
<head>
  <meta http-equiv="X-UA-Compatible" content="IE=edge" />
  <meta http-equiv="Content-Type" content="text/html; charset=UTF-8" />
  <script src="@"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>
</head>
<body>
  <h2>Don't panic!</h2>
  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>
</body>
</html>
"#;
