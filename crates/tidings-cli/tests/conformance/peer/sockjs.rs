//! A client of SockJS made by hand.

use std::io::{Error, ErrorKind};
use std::mem;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::json::{array, strings};
use super::{Headers, Http, Opcode, PATIENCE, Response, WebSocket};

/// How a client listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Xhr,
    XhrStreaming,
    WebSocket,
}

impl Transport {
    pub(crate) const ALL: [Self; 3] = [Self::Xhr, Self::XhrStreaming, Self::WebSocket];
    pub(crate) const HTTP: [Self; 2] = [Self::Xhr, Self::XhrStreaming];
}

/// One frame of SockJS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SockFrame {
    Open,
    Heartbeat,
    Messages(Vec<String>),
    Close(u16, String),
}

impl SockFrame {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let rest = text.get(1..).unwrap_or_default();
        match (text.as_bytes().first(), rest) {
            (Some(b'o'), "") => Self::Open,
            (Some(b'h'), "") => Self::Heartbeat,
            (Some(b'a'), list) => Self::Messages(strings(list)),
            (Some(b'c'), pair) => {
                let inside = pair.strip_prefix('[').and_then(|pair| pair.split_once(','));
                let (code, reason) = inside.unwrap_or_else(|| panic!("no close frame: {text:?}"));
                let reason = strings(&format!("[{reason}")).swap_remove(0);
                Self::Close(code.parse().expect("the code is a number"), reason)
            }
            _ => panic!("no frame of SockJS: {text:?}"),
        }
    }
}

/// One session.
pub(crate) struct SockJs {
    carrier: Carrier,
    /// Heartbeats of SockJS, heard so far.
    pub(crate) heartbeats: u32,
    /// Frames with messages, heard so far.
    pub(crate) bunches: u32,
    /// Whether the opening frame has come.
    is_open: bool,
}

enum Carrier {
    WebSocket(Box<WebSocket>),
    Http(Exchange),
}

/// A session over HTTP.
pub(crate) struct Exchange {
    address: SocketAddr,
    /// Up to the name of the session.
    pub(crate) url: String,
    transport: Transport,
    listener: Http,
    sender: Http,
    state: Listening,
    /// Streaming responses begun.
    pub(crate) streams: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listening {
    No,
    Asked,
    /// A streaming response has begun; frames follow.
    Begun,
}

impl SockJs {
    pub(crate) fn open(address: SocketAddr, transport: Transport) -> Self {
        let url = fresh_url();
        if transport == Transport::WebSocket {
            return Self::open_websocket(address, &url);
        }
        Self::over(Carrier::Http(Exchange {
            address,
            url,
            transport,
            listener: Http::connect(address),
            sender: Http::connect(address),
            state: Listening::No,
            streams: 0,
        }))
    }

    /// A session over WebSocket, of this name.
    pub(crate) fn open_websocket(address: SocketAddr, url: &str) -> Self {
        let websocket = WebSocket::open_at(address, &format!("{url}/websocket"), &[])
            .unwrap_or_else(|refusal| panic!("the handshake failed: {refusal:?}"));
        Self::over(Carrier::WebSocket(Box::new(websocket)))
    }

    fn over(carrier: Carrier) -> Self {
        Self {
            carrier,
            heartbeats: 0,
            bunches: 0,
            is_open: false,
        }
    }

    /// Sends one message for each text, all in one request or WebSocket frame. A server that has none of that is an error.
    pub(crate) fn say(&mut self, texts: &[&str]) -> Result<(), Error> {
        if !self.is_open {
            // Before it there is no session to send to.
            let first = self.read(Instant::now() + PATIENCE)?;
            assert_eq!(first, SockFrame::Open);
        }
        let payload = array(texts);
        match &mut self.carrier {
            Carrier::WebSocket(websocket) => {
                websocket.send_message(Opcode::TEXT, payload.as_bytes())
            }
            Carrier::Http(exchange) => {
                let answer = exchange.post("xhr_send", &[], &payload)?;
                match answer.status {
                    204 => Ok(()),
                    status => Err(Error::other(format!("xhr_send was answered {status}"))),
                }
            }
        }
    }

    /// The next frame; an error of kind `WouldBlock` after the deadline.
    pub(crate) fn read(&mut self, deadline: Instant) -> Result<SockFrame, Error> {
        let frame = match &mut self.carrier {
            Carrier::WebSocket(websocket) => read_framed(websocket, deadline)?,
            Carrier::Http(exchange) => exchange.read(deadline)?,
        };
        match &frame {
            SockFrame::Open => assert!(
                !mem::replace(&mut self.is_open, true),
                "the opening frame comes once"
            ),
            SockFrame::Heartbeat => self.heartbeats += 1,
            SockFrame::Messages(_) => self.bunches += 1,
            SockFrame::Close(code, reason) => self.expect_closed(*code, reason, deadline)?,
        }
        Ok(frame)
    }

    /// What stands behind the close frame: over WebSocket one of its own, over HTTP the same again.
    fn expect_closed(&mut self, code: u16, reason: &str, deadline: Instant) -> Result<(), Error> {
        let Carrier::WebSocket(websocket) = &mut self.carrier else {
            return Ok(());
        };
        let close = websocket.read(deadline)?;
        assert_eq!(close.close_code(), Some(code));
        assert_eq!(&close.payload[2..], reason.as_bytes());
        websocket.answer_close(&close)?;
        match websocket.read(deadline) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
            other => Err(Error::other(format!("{other:?} after the close frame"))),
        }
    }

    #[track_caller]
    pub(crate) fn exchange(&mut self) -> &mut Exchange {
        match &mut self.carrier {
            Carrier::Http(exchange) => exchange,
            Carrier::WebSocket(_) => panic!("this session is over WebSocket"),
        }
    }

    #[track_caller]
    pub(crate) fn websocket(&mut self) -> &mut WebSocket {
        match &mut self.carrier {
            Carrier::WebSocket(websocket) => websocket,
            Carrier::Http(_) => panic!("this session is over HTTP"),
        }
    }

    pub(super) fn listener(&self) -> &std::net::TcpStream {
        match &self.carrier {
            Carrier::Http(exchange) => exchange.listener.stream(),
            Carrier::WebSocket(websocket) => websocket.stream(),
        }
    }
}

impl Exchange {
    /// A request to the session, by the connection that sends.
    pub(crate) fn post(
        &mut self,
        transport: &str,
        headers: Headers,
        body: &str,
    ) -> Result<Response, Error> {
        let path = format!("{}/{transport}", self.url);
        self.sender.send("POST", &path, headers, body.as_bytes())?;
        self.sender.read_answer(Instant::now() + PATIENCE)
    }

    fn read(&mut self, deadline: Instant) -> Result<SockFrame, Error> {
        if self.state == Listening::No {
            self.listen()?;
        }
        match self.transport {
            Transport::Xhr => {
                let answer = self.listener.read_answer(deadline)?;
                self.state = Listening::No;
                assert_eq!(answer.status, 200, "{answer:?}");
                Ok(frame_of(&answer.rest))
            }
            _ => self.read_stream(deadline),
        }
    }

    fn read_stream(&mut self, deadline: Instant) -> Result<SockFrame, Error> {
        loop {
            if self.state == Listening::No {
                self.listen()?;
            }
            if self.state == Listening::Asked {
                let head = self.listener.read_head(deadline)?;
                assert_eq!(head.status, 200, "{head:?}");
                self.state = Listening::Begun;
                self.streams += 1;
            }
            let chunk = self.listener.read_chunk(deadline)?;
            if chunk.is_empty() {
                self.state = Listening::No;
            } else if chunk.len() <= 2048 || !chunk.starts_with(b"hhhh") {
                return Ok(frame_of(&chunk));
            }
        }
    }

    /// Begins to listen, and does not wait for what comes.
    pub(crate) fn listen(&mut self) -> Result<(), Error> {
        assert_eq!(self.state, Listening::No);
        let path = self.listening_path();
        self.listener.send("POST", &path, &[], b"")?;
        self.state = Listening::Asked;
        Ok(())
    }

    fn listening_path(&self) -> String {
        let last = match self.transport {
            Transport::Xhr => "xhr",
            _ => "xhr_streaming",
        };
        format!("{}/{last}", self.url)
    }

    /// Listens by polling, and returns when the server knows of it: of two polls one is refused.
    #[track_caller]
    pub(crate) fn park(&mut self) {
        assert_eq!(self.transport, Transport::Xhr);
        self.listen().expect("the poll is written");
        let mut other = Http::connect(self.address);
        let path = self.listening_path();
        other
            .send("POST", &path, &[], b"")
            .expect("the poll is written");
        let deadline = Instant::now() + PATIENCE;
        let refused = loop {
            assert!(Instant::now() < deadline, "neither poll was refused");
            if self.listener.hears_within(Duration::from_millis(5)) {
                break mem::replace(&mut self.listener, other).answer();
            }
            if other.hears_within(Duration::from_millis(5)) {
                break other.answer();
            }
        };
        let still_open = SockFrame::Close(2010, "Another connection still open".into());
        assert_eq!(frame_of(&refused.rest), still_open);
    }

    /// Breaks the connection by which the client listens.
    pub(crate) fn abort(&mut self) {
        self.state = Listening::No;
        self.listener = Http::connect(self.address);
    }
}

/// A frame as polls and `xhr_streaming` bring it.
#[track_caller]
pub(crate) fn frame_of(line: &[u8]) -> SockFrame {
    let text = std::str::from_utf8(line).expect("frames are UTF-8");
    let text = text.strip_suffix('\n').expect("a line ends the frame");
    SockFrame::parse(text)
}

fn read_framed(websocket: &mut WebSocket, deadline: Instant) -> Result<SockFrame, Error> {
    let frame = websocket.read(deadline)?;
    if frame.opcode != Opcode::TEXT {
        return Err(Error::other(format!("not a frame of SockJS: {frame:?}")));
    }
    let text = String::from_utf8(frame.payload).map_err(Error::other)?;
    Ok(SockFrame::parse(&text))
}

/// The url of a session that no other test has.
pub(crate) fn fresh_url() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("/ws/{:03}/s{count:07}", count % 1000)
}
