//! The SockJS session of a connection: its urls, its cookies, and what it has to send.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::endpoint::Endpoint;
use crate::transport::Transport;
use crate::wire::{cookies, post_request};

/// The letters of a session id, as `sockjs-client` takes them.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz012345";

/// Letters for the run and for the connection; 8 together, as with `sockjs-client`.
const LETTERS_EACH: u32 = 4;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    host: String,
    /// The url up to the transport's name.
    base: String,
    transport: &'static str,
    /// What the answer to the first request asked to show in all others.
    cookies: String,
    /// The request by which it receives; empty over WebSocket.
    ask: Vec<u8>,
    /// Strings for the next `xhr_send`: an array that is not closed yet.
    pub(crate) unsent: Vec<u8>,
}

impl Session {
    /// A session with an id that no other connection, nor one of an earlier run, has; `None` where SockJS is not
    /// spoken.
    pub(crate) fn new(endpoint: &Endpoint, transport: Transport, number: u32) -> Option<Self> {
        let path = endpoint.path.as_ref()?.trim_end_matches('/');
        let mut session = Self {
            host: endpoint.address.to_string(),
            base: format!("{path}/{:03}/{}/", number % 1_000, session_id(number)),
            transport: transport.path()?,
            cookies: String::new(),
            ask: Vec::new(),
            unsent: Vec::new(),
        };
        if transport.is_http() {
            session.prepare();
        }
        Some(session)
    }

    /// Where the WebSocket of the session is.
    pub(crate) fn websocket_path(&self) -> String {
        format!("{}{}", self.base, self.transport)
    }

    /// The request by which it receives.
    pub(crate) fn ask(&self) -> &[u8] {
        &self.ask
    }

    /// Keeps the cookies that a response sets.
    pub(crate) fn remember(&mut self, head: &[u8]) {
        let set = cookies(head);
        if !set.is_empty() {
            self.cookies = set;
            self.prepare();
        }
    }

    fn prepare(&mut self) {
        let path = format!("{}{}", self.base, self.transport);
        self.ask = post_request(&self.host, &path, &self.cookies, 0).into_bytes();
    }

    /// The request that sends what waits; `None`: nothing does.
    pub(crate) fn take_post(&mut self) -> Option<Vec<u8>> {
        if self.unsent.is_empty() {
            return None;
        }
        self.unsent.push(b']');
        let path = format!("{}xhr_send", self.base);
        let head = post_request(&self.host, &path, &self.cookies, self.unsent.len());
        let mut request = head.into_bytes();
        request.append(&mut self.unsent);
        Some(request)
    }
}

fn session_id(number: u32) -> String {
    // A clock before 1970 makes ids of one run equal to those of another, which a server has long forgotten.
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u32);
    letters(clock) + &letters(number)
}

fn letters(number: u32) -> String {
    let letter = |place| char::from(LETTERS[(number >> (5 * place)) as usize % LETTERS.len()]);
    (0..LETTERS_EACH).rev().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(transport: Transport) -> Option<Session> {
        let endpoint: Endpoint = "ws://127.0.0.1:80/ws/".parse().expect("an endpoint");
        Session::new(&endpoint, transport, 1_041)
    }

    #[test]
    fn a_session_asks_and_sends_with_its_cookies() {
        let mut session = session(Transport::XhrPolling).expect("SockJS");
        let base = session.base.clone();
        assert!(base.starts_with("/ws/041/") && base.len() == "/ws/041/abcdefgh/".len());
        assert_eq!(session.take_post(), None);
        session.remember(b"HTTP/1.1 200 OK\r\nSet-Cookie: s=1; HttpOnly\r\n\r\n");
        session.remember(b"HTTP/1.1 200 OK\r\n\r\n");
        let ask = String::from_utf8_lossy(session.ask()).into_owned();
        assert!(
            ask.starts_with(&format!("POST {base}xhr HTTP/1.1\r\n")),
            "{ask}"
        );
        assert!(ask.contains("\r\nContent-Length: 0\r\n"), "{ask}");
        assert!(ask.ends_with("\r\nCookie: s=1\r\n\r\n"), "{ask}");
        session.unsent.extend_from_slice(b"[\"a\",\"b\"");
        let post = session.take_post().expect("a request");
        let post = String::from_utf8_lossy(&post);
        assert!(
            post.starts_with(&format!("POST {base}xhr_send HTTP/1.1\r\n")),
            "{post}"
        );
        assert!(post.contains("\r\nContent-Length: 9\r\n"), "{post}");
        assert!(
            post.ends_with("\r\nCookie: s=1\r\n\r\n[\"a\",\"b\"]"),
            "{post}"
        );
        assert_eq!(session.take_post(), None);
    }

    #[test]
    fn only_sockjs_has_sessions_and_each_its_own_id() {
        assert!(session(Transport::Websocket).is_none());
        let ids: std::collections::BTreeSet<_> = (0..40_000).map(letters).collect();
        assert_eq!(ids.len(), 40_000);
    }
}
