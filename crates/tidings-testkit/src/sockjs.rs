//! A client of SockJS.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io;

use bytes::Bytes;

use crate::door::{Door, Speech};
use crate::http::{Exchange, Part, TurnedAway, headers, status};
use crate::link::{Heard, Link, WebSocket};

/// A session of SockJS.
pub(crate) struct SockJs {
    carrier: Carrier,
    /// Messages of a frame that nobody has heard yet.
    messages: VecDeque<String>,
    /// The frame of closing has come.
    closed: Option<Option<u16>>,
}

enum Carrier {
    WebSocket(WebSocket),
    Http {
        speaker: Exchange,
        listener: Listener,
        urls: Urls,
    },
}

/// Where requests go, and what they carry.
struct Urls {
    session: String,
    query: String,
    headers: String,
    /// What the server has set.
    cookies: String,
}

/// Who listens, by one answer after the other.
struct Listener {
    exchange: Exchange,
    /// What the request asks for: `POST` and `xhr`, say.
    asked: (&'static str, &'static str),
    /// Read and not yet a frame.
    text: String,
    status: u16,
}

impl SockJs {
    /// Opens a session beneath `path`, and waits until the server says that it is open.
    pub(crate) async fn open(
        door: &Door,
        link: Link,
        (path, query): (&str, &str),
        name: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, TurnedAway> {
        let session = format!("{path}/000/{name}");
        let carrier = match link {
            Link::SockJsWebSocket => {
                let url = format!("{session}/websocket{query}");
                let stream = door.open(Speech::Http).await.map_err(TurnedAway::by)?;
                Carrier::WebSocket(WebSocket::open(stream, &url, headers).await?)
            }
            _ => {
                let mut lines = String::new();
                for (name, value) in headers {
                    // Strings take everything.
                    let _ = write!(lines, "{name}: {value}\r\n");
                }
                let [speaker, listener] = [
                    door.open(Speech::Http).await.map_err(TurnedAway::by)?,
                    door.open(Speech::Http).await.map_err(TurnedAway::by)?,
                ];
                Carrier::Http {
                    speaker: Exchange::new(speaker),
                    listener: Listener {
                        exchange: Exchange::new(listener),
                        asked: match link {
                            Link::XhrStreaming => ("POST", "xhr_streaming"),
                            Link::EventSource => ("GET", "eventsource"),
                            _ => ("POST", "xhr"),
                        },
                        text: String::new(),
                        status: 0,
                    },
                    urls: Urls {
                        session,
                        query: query.to_owned(),
                        headers: lines,
                        cookies: String::new(),
                    },
                }
            }
        };
        let mut session = Self {
            carrier,
            messages: VecDeque::new(),
            closed: None,
        };
        match session.frame().await? {
            Some(frame) if frame == "o" => Ok(session),
            other => Err(TurnedAway::by(format!("{other:?} came for the open frame"))),
        }
    }

    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Heard::Bytes(Bytes::from(message));
            }
            if let Some(close_code) = self.closed {
                return Heard::End { close_code };
            }
            match self.frame().await {
                Ok(Some(frame)) => match self.take(&frame) {
                    Some(()) => {}
                    None => return Heard::Nonsense(format!("{frame:?} is no frame of SockJS")),
                },
                Ok(None) => self.closed = Some(None),
                Err(away) => return Heard::Nonsense(away.to_string()),
            }
        }
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(bytes);
        let array = serde_json::to_string(&[text])?;
        match &mut self.carrier {
            Carrier::WebSocket(socket) => socket.say(array.as_bytes()).await,
            Carrier::Http { speaker, urls, .. } => {
                speaker
                    .ask(&urls.request("POST", "xhr_send", &array))
                    .await?;
                let (head, _) = speaker.answer().await?;
                match status(&head) {
                    204 => Ok(()),
                    _ => Err(io::Error::other(TurnedAway::with(&head).to_string())),
                }
            }
        }
    }

    /// Bytes past everything, where a WebSocket carries the session.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.carrier {
            Carrier::WebSocket(socket) => socket.write(bytes).await,
            Carrier::Http { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Heeds a frame (SockJS protocol 0.3.3, "Framing").
    fn take(&mut self, frame: &str) -> Option<()> {
        match frame.get(..1)? {
            "h" => {}
            "a" => self
                .messages
                .extend(serde_json::from_str::<Vec<String>>(&frame[1..]).ok()?),
            "c" => {
                let (code, _): (u16, String) = serde_json::from_str(&frame[1..]).ok()?;
                self.closed = Some(Some(code));
            }
            _ => return None,
        }
        Some(())
    }

    /// The next frame; none where the connection ended without one of closing.
    async fn frame(&mut self) -> Result<Option<String>, TurnedAway> {
        match &mut self.carrier {
            Carrier::WebSocket(socket) => match socket.hear_whole().await {
                Heard::Bytes(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
                Heard::End { .. } => Ok(None),
                Heard::Nonsense(error) => Err(TurnedAway::by(error)),
            },
            Carrier::Http { listener, urls, .. } => listener.frame(urls).await,
        }
    }
}

impl Urls {
    fn request(&self, method: &str, what: &str, body: &str) -> String {
        let Self {
            session,
            query,
            headers,
            cookies,
        } = self;
        let length = body.len();
        format!(
            "{method} {session}/{what}{query} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\
             {headers}{cookies}\r\n{body}"
        )
    }
}

impl Listener {
    async fn frame(&mut self, urls: &mut Urls) -> Result<Option<String>, TurnedAway> {
        loop {
            if let Some(frame) = self.line() {
                return Ok(Some(frame));
            }
            if self.exchange.is_idle() {
                let (method, what) = self.asked;
                let asked = self.exchange.ask(&urls.request(method, what, "")).await;
                asked.map_err(TurnedAway::by)?;
            }
            match self.exchange.part().await {
                Ok(Part::Head(head)) => {
                    self.status = status(&head);
                    if self.status != 200 {
                        return Err(TurnedAway::with(&head));
                    }
                    for cookie in headers(&head, "set-cookie") {
                        let pair = cookie.split(';').next().unwrap_or_default();
                        urls.cookies = format!("cookie: {pair}\r\n");
                    }
                }
                Ok(Part::Body(bytes)) => self.text.push_str(&String::from_utf8_lossy(&bytes)),
                Ok(Part::End) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    /// The next line that is a frame; what fills a stream up at its beginning is none.
    fn line(&mut self) -> Option<String> {
        loop {
            let at = self.text.find('\n')?;
            let line: String = self.text.drain(..=at).collect();
            let line = line.trim();
            let frame = match self.asked.1 {
                "eventsource" => line
                    .strip_prefix("data: ")
                    .unwrap_or_default()
                    .replace("%25", "%"),
                _ => line.to_owned(),
            };
            let is_filling = frame.len() > 1 && frame.bytes().all(|byte| byte == b'h');
            if !frame.is_empty() && !is_filling {
                return Some(frame);
            }
        }
    }
}
