//! What a request wants.

use crate::answer::Answer;
use crate::form;
use crate::headers::SessionHeaders;
use crate::options::Options;
use crate::pages;
use crate::receiver::Receiver;
use crate::sender::{Form, Sender};
use crate::transport::Transport;

/// The head of a request, as far as SockJS looks at it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestHead<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path behind the base of the endpoint as it was sent, percent escapes and all: empty, `/`, `/info`,
    /// `/000/abcdefgh/xhr`.
    pub path: &'a str,
    /// The query, without `?`.
    pub query: &'a str,
    /// HTTP/1.1; otherwise 1.0.
    pub http_1_1: bool,
    /// Whether the connection stays for another request (RFC 9112, section 9.3).
    pub keep_alive: bool,
    /// `origin`.
    pub origin: Option<&'a str>,
    /// `access-control-request-headers`.
    pub access_control_request_headers: Option<&'a str>,
    /// `cookie`, several joined by `; `.
    pub cookie: Option<&'a str>,
    /// `if-none-match`.
    pub if_none_match: Option<&'a str>,
}

/// What a request wants.
#[derive(Debug, Clone)]
pub enum Route<'a> {
    /// This answer; the driver has nothing to do with it.
    Answer(Answer),
    /// A handshake of WebSocket whose messages are frames of SockJS.
    WebSocket,
    /// A handshake of WebSocket whose messages are the messages themselves.
    RawWebSocket,
    /// To listen to a session, which is created if there is none.
    Receive {
        /// Balances load, names nothing.
        server: &'a str,
        /// The client's name for the session.
        session: &'a str,
        /// How it listens.
        receiver: Receiver,
    },
    /// To send to a session.
    Send {
        /// The client's name for the session.
        session: &'a str,
        /// How it sends.
        sender: Sender,
    },
}

/// Tells what a request wants. `entropy` draws a fresh random number, for `/info` alone.
///
/// `GET` on the base and on the two WebSocket urls is asked with the headers of a handshake or without: the driver looks
/// whether there are any (`upgrade`, `sec-websocket-key`) before it asks for the base, and refuses what is no handshake
/// on the others.
pub fn route<'a>(
    options: &Options,
    head: &RequestHead<'a>,
    entropy: impl FnOnce() -> u32,
) -> Route<'a> {
    let path = head.path.strip_suffix('/').unwrap_or(head.path);
    let parts: Vec<_> = path.splitn(5, '/').collect();
    let wanted = match parts[..] {
        [""] => for_method(head, "GET", || Ok(Route::Answer(pages::greeting()))),
        ["", page] => route_page(options, head, page, entropy),
        ["", server, session, transport] if is_name(server) && is_name(session) => {
            route_session(options, head, server, session, transport)
        }
        _ => Err(pages::not_found()),
    };
    wanted.unwrap_or_else(Route::Answer)
}

/// What is wanted, or the answer to what can't be.
type Routed<'a> = Result<Route<'a>, Answer>;

fn route_page<'a>(
    options: &Options,
    head: &RequestHead<'a>,
    page: &str,
    entropy: impl FnOnce() -> u32,
) -> Routed<'a> {
    match page {
        "info" if head.method == "OPTIONS" => Ok(Route::Answer(pages::preflight(head, INFO))),
        "info" if head.method == "GET" => Ok(Route::Answer(pages::info(options, head, entropy()))),
        "info" => Err(pages::method_not_allowed(INFO)),
        "websocket" if options.websocket_enabled => {
            for_method(head, "GET", || Ok(Route::RawWebSocket))
        }
        _ if options.legacy_transports && is_iframe(page) => for_method(head, "GET", || {
            Ok(Route::Answer(pages::iframe(options, head)))
        }),
        _ => Err(pages::not_found()),
    }
}

fn route_session<'a>(
    options: &Options,
    head: &RequestHead<'a>,
    server: &'a str,
    session: &'a str,
    transport: &str,
) -> Routed<'a> {
    let receive = |transport| route_receive(options, head, server, session, transport);
    let send = |form| {
        let headers = SessionHeaders::new(options, head, form == Form::Xhr);
        let sender = Sender::new(form, headers);
        Ok(Route::Send { session, sender })
    };
    match transport {
        "websocket" if options.websocket_enabled => {
            for_method(head, "GET", || Ok(Route::WebSocket))
        }
        "xhr" => for_script(head, || receive(Transport::Xhr)),
        "xhr_streaming" => for_script(head, || receive(Transport::XhrStreaming)),
        "xhr_send" => for_script(head, || send(Form::Xhr)),
        "eventsource" => for_method(head, "GET", || receive(Transport::EventSource)),
        _ if !options.legacy_transports => Err(pages::not_found()),
        "htmlfile" => for_method(head, "GET", || receive(Transport::HtmlFile)),
        "jsonp" => for_method(head, "GET", || receive(Transport::Jsonp)),
        "jsonp_send" => for_method(head, "POST", || send(Form::Jsonp)),
        _ => Err(pages::not_found()),
    }
}

fn route_receive<'a>(
    options: &Options,
    head: &RequestHead<'a>,
    server: &'a str,
    session: &'a str,
    transport: Transport,
) -> Routed<'a> {
    let callback = if transport.has_callback() {
        callback(head.query).map_err(pages::bad_callback)?
    } else {
        Box::default()
    };
    let headers = SessionHeaders::new(options, head, transport.is_cross_origin());
    let receiver = Receiver::new(transport, callback, headers, options.stream_bytes_limit)
        .over(head.http_1_1, head.keep_alive);
    Ok(Route::Receive {
        server,
        session,
        receiver,
    })
}

fn for_method<'a>(
    head: &RequestHead<'a>,
    method: &'static str,
    wanted: impl FnOnce() -> Routed<'a>,
) -> Routed<'a> {
    if head.method == method {
        wanted()
    } else {
        Err(pages::method_not_allowed(method))
    }
}

/// For `POST`, which scripts of other origins may do after a preflight.
fn for_script<'a>(head: &RequestHead<'a>, wanted: impl FnOnce() -> Routed<'a>) -> Routed<'a> {
    match head.method {
        "POST" => wanted(),
        "OPTIONS" => Ok(Route::Answer(pages::preflight(head, SCRIPT))),
        _ => Err(pages::method_not_allowed(SCRIPT)),
    }
}

/// Whether a part of a url can name a server or a session.
fn is_name(part: &str) -> bool {
    !part.is_empty() && part.len() <= NAME_LIMIT && !part.contains('.')
}

fn is_iframe(page: &str) -> bool {
    page.strip_prefix("iframe")
        .and_then(|page| page.strip_suffix(".html"))
        .is_some_and(|version| {
            version
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.' | b'a'..=b'z' | b'_'))
        })
}

/// The function of the client's page that takes the frames.
fn callback(query: &str) -> Result<Box<str>, &'static str> {
    let field = |name| form::field(query.as_bytes(), name);
    let name = field(b"c")
        .or_else(|| field(b"callback"))
        .filter(|name| !name.is_empty())
        .ok_or("\"callback\" parameter required\n")?;
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    String::from_utf8(name)
        .ok()
        .filter(|name| name.len() <= CALLBACK_LIMIT && name.as_bytes().iter().all(is_good))
        .map(Into::into)
        .ok_or("invalid \"callback\" parameter\n")
}

/// The longest name of a server or a session, in bytes; clients take 3 and 8.
const NAME_LIMIT: usize = 128;
/// The longest name of a callback, in bytes; the client takes 10 or so.
const CALLBACK_LIMIT: usize = 32;

const INFO: &str = "OPTIONS, GET";
const SCRIPT: &str = "OPTIONS, POST";
