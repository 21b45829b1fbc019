//! What a request wants.

use crate::answer::Answer;
use crate::options::Options;
use crate::receiver::Receiver;
use crate::sender::Sender;

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

/// Tells what a request wants. `entropy` is a fresh random number, for `/info`.
///
/// `GET` on the base and on the two WebSocket urls is asked with the headers of a handshake or without: the driver looks
/// whether there are any (`upgrade`, `sec-websocket-key`) before it asks for the base, and refuses what is no handshake
/// on the others.
pub fn route<'a>(options: &Options, head: &RequestHead<'a>, entropy: u32) -> Route<'a> {
    let _ = (options, head, entropy);
    todo!()
}
