//! One response by which a client listens: its head, its prelude, the framing of its transport, its end.

use std::io::Write as _;

use crate::answer::Answer;
use crate::frame;
use crate::headers::{Header, SessionHeaders, is_field_value};
use crate::transport::Transport;

/// What became of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It takes more frames.
    GoesOn,
    /// It has ended; its last bytes are written.
    Ended,
}

/// One response by which a client listens. Writes raw HTTP/1.x; nothing is written before the first frame of a polling
/// transport, since its length stands in the head.
#[derive(Debug, Clone)]
pub struct Receiver {
    transport: Transport,
    http_1_1: bool,
    keep_alive: bool,
    ended: bool,
    /// Bytes of frames until the response ends.
    left: usize,
    /// The function in the client's page, checked.
    callback: Box<str>,
    /// What the head needs until it is written; apart and gone then, since a stream may idle for long.
    head: Option<Box<Head>>,
}

#[derive(Debug, Clone)]
struct Head {
    headers: SessionHeaders,
    cookies: Vec<String>,
    date: Option<String>,
}

/// How a body ends.
#[derive(Clone, Copy)]
enum Body {
    /// After so many bytes.
    Length(usize),
    /// With the last chunk, or with the connection where HTTP/1.0 has no chunks.
    Open,
}

impl Receiver {
    pub(crate) fn new(
        transport: Transport,
        callback: Box<str>,
        headers: SessionHeaders,
        limit: usize,
    ) -> Self {
        Self {
            transport,
            http_1_1: true,
            keep_alive: true,
            ended: false,
            left: if transport.is_streaming() {
                limit.max(1)
            } else {
                1
            },
            callback,
            head: Some(Box::new(Head {
                headers,
                cookies: Vec::new(),
                date: None,
            })),
        }
    }

    /// The version of the request, and whether another may follow it. A stream of HTTP/1.0 ends with its connection.
    pub(crate) fn over(mut self, http_1_1: bool, keep_alive: bool) -> Self {
        self.http_1_1 = http_1_1;
        self.keep_alive = keep_alive && (http_1_1 || !self.transport.is_streaming());
        self
    }

    /// Its transport.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Whether another request may follow on the same connection once the response has ended.
    pub fn keeps_alive(&self) -> bool {
        self.keep_alive
    }

    /// One more `set-cookie` in the head of the response. Does nothing once the head is written, or if the cookie holds
    /// control characters.
    pub fn set_cookie(&mut self, cookie: String) {
        if let Some(head) = self.head.as_mut().filter(|_| is_field_value(&cookie)) {
            head.cookies.push(cookie);
        }
    }

    /// The value of the `date` header of the response, an IMF-fixdate. Does nothing once the head is written.
    pub fn set_date(&mut self, date: String) {
        if let Some(head) = self.head.as_mut().filter(|_| is_field_value(&date)) {
            head.date = Some(date);
        }
    }

    /// Whether its head is written.
    pub fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    /// Writes the head and the prelude of a streaming response; nothing for a polling one.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if self.transport.is_streaming() && self.write_head(Body::Open, out) {
            self.write_chunk(out, |receiver, out| {
                receiver.transport.write_prelude(&receiver.callback, out);
            });
        }
    }

    /// Writes one frame; ends the response where the transport or the limit says so.
    pub fn write(&mut self, frame: &[u8], out: &mut Vec<u8>) -> Progress {
        if self.ended {
            return Progress::Ended;
        }
        if !self.transport.is_streaming() {
            let mut body = Vec::with_capacity(frame.len() + 1);
            self.transport.write_frame(&self.callback, frame, &mut body);
            self.write_whole(&body, out);
            return Progress::Ended;
        }
        self.begin(out);
        let bytes = self.write_chunk(out, |receiver, out| {
            receiver
                .transport
                .write_frame(&receiver.callback, frame, out);
        });
        self.left = self.left.saturating_sub(bytes);
        if self.left == 0 {
            self.end(out);
            return Progress::Ended;
        }
        Progress::GoesOn
    }

    /// Ends a response that has begun, without a further frame. A polling one that has no frame yet ends as an empty 200.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if !self.transport.is_streaming() {
            return self.write_whole(b"", out);
        }
        self.begin(out);
        self.ended = true;
        self.left = 0;
        if self.http_1_1 {
            out.extend_from_slice(b"0\r\n\r\n");
        }
    }

    /// Whether the response is made of the chunks of [`crate::frame::write_xhr_chunk_start`] as they are.
    pub fn takes_xhr_chunks(&self) -> bool {
        self.transport == Transport::XhrStreaming && self.http_1_1
    }

    /// How many bytes of frames the response takes until it ends; at least 1 while it goes on.
    pub fn bytes_left(&self) -> usize {
        self.left
    }

    /// Counts `bytes` of data of chunks that the driver wrote itself; less than [`Receiver::bytes_left`].
    pub fn wrote(&mut self, bytes: usize) {
        debug_assert!(
            bytes < self.left,
            "the frame that ends a response is written by it"
        );
        self.left = self.left.saturating_sub(bytes);
    }

    /// The whole response for a session that can't be had (the server is full, the session belongs to someone else), in
    /// place of one that has not begun.
    pub fn refused(&self, status: u16, text: &'static str) -> Answer {
        let mut headers = Vec::new();
        if let Some(head) = &self.head {
            head.headers.write(&mut headers);
        }
        Answer::text(status, headers, text)
    }

    /// Writes a response of one piece, its head and `body`.
    fn write_whole(&mut self, body: &[u8], out: &mut Vec<u8>) {
        self.write_head(Body::Length(body.len()), out);
        out.extend_from_slice(body);
        self.ended = true;
        self.left = 0;
    }

    /// Writes what `data` writes as a chunk of its own, as it is for HTTP/1.0, and says how many bytes it was.
    fn write_chunk(&self, out: &mut Vec<u8>, data: impl FnOnce(&Self, &mut Vec<u8>)) -> usize {
        let start = out.len();
        data(self, out);
        let length = out.len() - start;
        if self.http_1_1 {
            let mut chunk_start = Vec::new();
            frame::write_chunk_start(length, &mut chunk_start);
            out.splice(start..start, chunk_start);
            out.extend_from_slice(b"\r\n");
        }
        length
    }

    /// Writes the head, once; says whether it did.
    fn write_head(&mut self, body: Body, out: &mut Vec<u8>) -> bool {
        let Some(head) = self.head.take() else {
            return false;
        };
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        for (name, value) in self.headers(*head, body) {
            write!(out, "{name}: {value}\r\n").expect("a Vec takes everything");
        }
        out.extend_from_slice(b"\r\n");
        true
    }

    fn headers(&self, head: Head, body: Body) -> Vec<Header> {
        let mut headers: Vec<Header> = vec![("content-type", self.transport.content_type().into())];
        head.headers.write(&mut headers);
        headers.push(("x-content-type-options", "nosniff".into()));
        headers.extend(
            head.cookies
                .into_iter()
                .map(|cookie| ("set-cookie", cookie.into())),
        );
        headers.extend(head.date.map(|date| ("date", date.into())));
        if matches!(body, Body::Open) {
            // Proxies after nginx's example pass frames on as they come.
            headers.push(("x-accel-buffering", "no".into()));
        }
        match body {
            Body::Length(length) => headers.push(("content-length", length.to_string().into())),
            Body::Open if self.http_1_1 => headers.push(("transfer-encoding", "chunked".into())),
            Body::Open => {}
        }
        match (self.keep_alive, self.http_1_1) {
            (false, _) => headers.push(("connection", "close".into())),
            (true, false) => headers.push(("connection", "keep-alive".into())),
            (true, true) => {}
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, RequestHead, Route, Session, route};

    /// A poll that waits holds more than a stream, whose head is written.
    #[test]
    fn a_session_with_a_poll_of_a_browser_is_small() {
        let head = RequestHead {
            method: "POST",
            path: "/000/abcdefgh/xhr",
            origin: Some("https://www.example.com"),
            ..RequestHead::default()
        };
        let options = Options::default();
        let Route::Receive { mut receiver, .. } = route(&options, &head, || 7) else {
            panic!("no receiver");
        };
        receiver.set_date("Sun, 06 Nov 1994 08:49:37 GMT".to_owned());
        let texts = "https://www.example.com".len() + "Sun, 06 Nov 1994 08:49:37 GMT".len();
        let bytes = size_of::<Session>() + size_of::<Head>() + texts;
        assert!(bytes <= 320, "{bytes} bytes");
        assert!(size_of::<Receiver>() <= 48);
    }

    #[test]
    fn a_stream_holds_nothing_for_its_head_once_it_is_written() {
        let headers = SessionHeaders::default();
        let mut receiver = Receiver::new(Transport::XhrStreaming, Box::default(), headers, 7);
        assert!(receiver.head.is_some());
        receiver.begin(&mut Vec::new());
        assert!(receiver.head.is_none());
    }
}
