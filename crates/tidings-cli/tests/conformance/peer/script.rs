//! The peer that tests script.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind};
use std::net::{Shutdown, TcpStream};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use super::frame::encode;
use super::link::{Heard, Link, shown};
use super::{Frame, Opcode, PATIENCE, SockJs, Version, WebSocket, WsFrame};

/// Headers of a frame to send.
pub(crate) type Headers<'a> = &'a [(&'a str, &'a str)];

/// The close codes that may follow an ERROR with this code: 4000 to 4499 are worth a retry, 4500 to 4999 are not.
fn close_codes(code: &str) -> RangeInclusive<u16> {
    match code {
        "shutdown" => 1001..=1001,
        "invalid-utf8" => 1007..=1007,
        "refused" => 1008..=1008,
        "body-too-large" => 1009..=1009,
        "internal-error" => 1011..=1011,
        "connect-timeout"
        | "heart-beat-missed"
        | "slow-consumer"
        | "send-timeout"
        | "too-many-connections"
        | "queue-full"
        | "too-many-queues" => 4000..=4499,
        _ => 4500..=4999,
    }
}

/// One STOMP client.
pub(crate) struct Peer {
    link: Link,
    /// 1.0 until CONNECTED tells.
    version: Version,
    input: Vec<u8>,
    /// Everything said and heard, for failures.
    transcript: String,
    receipts: u32,
    /// The reason of the close frame of SockJS.
    reason: Option<String>,
}

/// What came next.
enum Event {
    Frame(Frame),
    Beat,
    /// The end, with the code of the close frame if there was one.
    End(Option<u16>),
    /// Nothing until the deadline.
    Late,
    Broken(String),
}

impl Peer {
    pub(crate) fn over_tcp(stream: TcpStream) -> Self {
        Self::over(Link::Tcp(stream))
    }

    pub(crate) fn over_websocket(websocket: WebSocket) -> Self {
        Self::over(Link::WebSocket(Box::new(websocket)))
    }

    pub(crate) fn over_sockjs(session: SockJs) -> Self {
        Self::over(Link::SockJs(Box::new(session), VecDeque::new()))
    }

    fn over(link: Link) -> Self {
        Self {
            link,
            version: Version::V10,
            input: Vec::new(),
            transcript: String::new(),
            receipts: 0,
            reason: None,
        }
    }

    // What a peer says.

    /// CONNECT without heart-beats, and CONNECTED.
    #[track_caller]
    pub(crate) fn connect(&mut self, version: Version) -> Frame {
        self.connect_with(
            version,
            &[("accept-version", version.name()), ("host", "localhost")],
        )
    }

    #[track_caller]
    pub(crate) fn connect_with(&mut self, version: Version, headers: Headers) -> Frame {
        self.send("CONNECT", headers, b"");
        let connected = self.expect("CONNECTED");
        assert_eq!(connected.get("version"), version.name());
        connected
    }

    /// Sends a frame, escaped for the version agreed.
    pub(crate) fn send(&mut self, command: &str, headers: Headers, body: &[u8]) {
        self.raw(&encode(self.version, command, headers, body));
    }

    /// Sends octets as they are; over WebSocket as one message.
    pub(crate) fn raw(&mut self, octets: &[u8]) {
        self.note(">", octets);
        // The server may have closed already, which the reading half then tells better.
        if let Err(error) = self.link.write(octets) {
            self.note("> not taken:", error.to_string().as_bytes());
        }
    }

    /// Sends a WebSocket frame as it is.
    #[track_caller]
    pub(crate) fn raw_websocket(&mut self, frame: &WsFrame) {
        self.note("> (WebSocket)", &frame.encode());
        // As in `raw`.
        let _ = self.as_websocket().send(frame);
    }

    /// Sends octets as one binary message.
    #[track_caller]
    pub(crate) fn raw_binary(&mut self, octets: &[u8]) {
        self.raw_websocket(&WsFrame::new(Opcode::BINARY, octets));
    }

    /// Sends octets that are no message, only something like a WebSocket frame.
    #[track_caller]
    pub(crate) fn raw_octets(&mut self, octets: &[u8]) {
        self.note("> (WebSocket)", octets);
        // As in `raw`.
        let _ = self.as_websocket().send_raw(octets);
    }

    #[track_caller]
    fn as_websocket(&mut self) -> &mut WebSocket {
        match &mut self.link {
            Link::WebSocket(websocket) => websocket,
            _ => panic!("this peer does not talk over plain WebSocket"),
        }
    }

    /// The session of SockJS beneath.
    #[track_caller]
    pub(crate) fn sockjs(&mut self) -> &mut SockJs {
        match &mut self.link {
            Link::SockJs(session, _) => session,
            _ => panic!("this peer does not talk over SockJS"),
        }
    }

    /// Ends the writing half of a TCP link.
    #[track_caller]
    pub(crate) fn half_close(&mut self) {
        let Link::Tcp(stream) = &self.link else {
            panic!("only TCP has halves");
        };
        stream.shutdown(Shutdown::Write).expect("the link is open");
    }

    /// Ends the connection by a reset: it is closed with input in it that nobody has read. Something must be on its way.
    #[track_caller]
    pub(crate) fn reset(self) {
        self.await_input();
    }

    /// Waits until there is something to read, and does not read it.
    pub(crate) fn await_input(&self) {
        self.link.await_input();
    }

    // Both.

    /// Sends a frame with a receipt and waits for it, which must be what comes next.
    #[track_caller]
    pub(crate) fn done(&mut self, command: &str, headers: Headers, body: &[u8]) {
        self.receipts += 1;
        let receipt = format!("{}-{}", command.to_lowercase(), self.receipts);
        self.send(command, &[headers, &[("receipt", &receipt)]].concat(), body);
        self.expect_receipt(&receipt);
    }

    /// SENDs with a receipt and waits for it.
    #[track_caller]
    pub(crate) fn publish(&mut self, destination: &str, body: impl AsRef<[u8]>) {
        self.done("SEND", &[("destination", destination)], body.as_ref());
    }

    /// SUBSCRIBEs without a receipt: a queue may deliver before it.
    pub(crate) fn subscribe(&mut self, id: &str, destination: &str, more: Headers) {
        self.send(
            "SUBSCRIBE",
            &[&[("id", id), ("destination", destination)], more].concat(),
            b"",
        );
    }

    /// SUBSCRIBEs to what sends nothing yet, and waits for the receipt.
    #[track_caller]
    pub(crate) fn subscribed(&mut self, id: &str, destination: &str, more: Headers) {
        self.done(
            "SUBSCRIBE",
            &[&[("id", id), ("destination", destination)], more].concat(),
            b"",
        );
    }

    /// Shows that nothing waits for this peer: the next frame is the receipt of a frame sent now.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.publish("/topic/nobody", "");
    }

    /// The messages that come before the receipt of a frame sent now.
    #[track_caller]
    pub(crate) fn messages_so_far(&mut self) -> Vec<Frame> {
        self.receipts += 1;
        let receipt = format!("so-far-{}", self.receipts);
        self.send(
            "SEND",
            &[("destination", "/topic/nobody"), ("receipt", &receipt)],
            b"",
        );
        let mut messages = Vec::new();
        loop {
            let frame = self.next_frame();
            match &*frame.command {
                "MESSAGE" => messages.push(frame),
                "RECEIPT" if frame.get("receipt-id") == receipt => return messages,
                _ => self.fail(
                    "messages and one receipt were expected",
                    Event::Frame(frame),
                ),
            }
        }
    }

    // What a peer hears.

    /// The next frame, which must have this command. Heart-beats are passed over.
    #[track_caller]
    pub(crate) fn expect(&mut self, command: &str) -> Frame {
        match self.next_but_beats(PATIENCE) {
            Event::Frame(frame) if frame.command == command => frame,
            other => self.fail(&format!("{command} was expected"), other),
        }
    }

    /// The next frame, whatever it is. Heart-beats are passed over.
    #[track_caller]
    pub(crate) fn next_frame(&mut self) -> Frame {
        match self.next_but_beats(PATIENCE) {
            Event::Frame(frame) => frame,
            other => self.fail("a frame was expected", other),
        }
    }

    /// The next frame, a MESSAGE with this body.
    #[track_caller]
    pub(crate) fn expect_message(&mut self, body: impl AsRef<[u8]>) -> Frame {
        let message = self.expect("MESSAGE");
        let body = body.as_ref();
        if message.body != body {
            self.fail(
                &format!("body {:?} was expected", shown(body)),
                Event::Frame(message),
            );
        }
        message
    }

    #[track_caller]
    pub(crate) fn expect_receipt(&mut self, id: &str) {
        let receipt = self.expect("RECEIPT");
        if receipt.header("receipt-id") != Some(id) || !receipt.body.is_empty() {
            self.fail(
                &format!("a receipt for {id:?} was expected"),
                Event::Frame(receipt),
            );
        }
    }

    /// An ERROR with this code, made as the protocol page says, and the close behind it.
    #[track_caller]
    pub(crate) fn expect_error(&mut self, code: &str) -> Frame {
        let error = self.expect_error_frame(code);
        let close = self.expect_end();
        if let Link::SockJs(..) = self.link {
            assert_eq!(self.reason.as_deref(), Some(code), "{}", self.transcript);
        }
        if !matches!(self.link, Link::Tcp(_)) {
            let fits = close.is_some_and(|close| close_codes(code).contains(&close));
            assert!(
                fits,
                "close code {close:?} after {code}\n{}",
                self.transcript
            );
        }
        error
    }

    /// As `expect_error`, for a frame that asked for this receipt.
    #[track_caller]
    pub(crate) fn expect_error_for(&mut self, code: &str, receipt: &str) -> Frame {
        let error = self.expect_error(code);
        assert_eq!(error.get("receipt-id"), receipt, "{}", self.transcript);
        error
    }

    /// An ERROR with this code; the close is left to the caller.
    #[track_caller]
    pub(crate) fn expect_error_frame(&mut self, code: &str) -> Frame {
        let error = self.expect("ERROR");
        if error.header("code") != Some(code) {
            self.fail(&format!("code {code} was expected"), Event::Frame(error));
        }
        let message = error.get("message");
        assert!(
            !message.is_empty() && !message.contains(['\n', '\r']),
            "one line: {message:?}"
        );
        assert_eq!(error.get("content-type"), "text/plain");
        assert_eq!(error.get("content-length"), error.body.len().to_string());
        assert!(error.text().contains(' '), "a sentence: {:?}", error.text());
        error
    }

    /// The orderly end of the connection, with the close code over WebSocket.
    #[track_caller]
    pub(crate) fn expect_end(&mut self) -> Option<u16> {
        match self.next_but_beats(PATIENCE) {
            Event::End(code) => code,
            other => self.fail("the end was expected", other),
        }
    }

    /// The close frame of SockJS, with this code and reason.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: u16, reason: &str) {
        assert_eq!(self.expect_end(), Some(code), "{}", self.transcript);
        assert_eq!(self.reason.as_deref(), Some(reason), "{}", self.transcript);
    }

    /// A heart-beat, before anything else.
    #[track_caller]
    pub(crate) fn expect_beat(&mut self) {
        match self.next(Instant::now() + PATIENCE) {
            Event::Beat => {}
            other => self.fail("a heart-beat was expected", other),
        }
    }

    /// The next frame if one comes within so long.
    #[track_caller]
    pub(crate) fn frame_within(&mut self, time: Duration) -> Option<Frame> {
        match self.next_but_beats(time) {
            Event::Frame(frame) => Some(frame),
            Event::Late => None,
            other => self.fail("a frame or nothing was expected", other),
        }
    }

    /// No frame and no end for so long; only for what may not come late either.
    #[track_caller]
    pub(crate) fn expect_quiet(&mut self, time: Duration) {
        match self.next_but_beats(time) {
            Event::Late => {}
            other => self.fail(&format!("nothing was expected for {time:?}"), other),
        }
    }

    /// Frames until the connection ends, orderly or not.
    #[track_caller]
    pub(crate) fn read_to_end(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            match self.next_but_beats(PATIENCE) {
                Event::Frame(frame) => frames.push(frame),
                Event::End(_) | Event::Broken(_) => return frames,
                late => self.fail("the end was expected", late),
            }
        }
    }

    /// Frames until the orderly end, none of them cut in two.
    #[track_caller]
    pub(crate) fn expect_whole_to_end(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            match self.next_but_beats(PATIENCE) {
                Event::Frame(frame) => frames.push(frame),
                Event::End(_) => return frames,
                other => self.fail("whole frames and the end were expected", other),
            }
        }
    }

    /// The next WebSocket frame as it is.
    #[track_caller]
    pub(crate) fn read_websocket(&mut self) -> WsFrame {
        match self.as_websocket().read(Instant::now() + PATIENCE) {
            Ok(frame) => frame,
            Err(error) => panic!("no WebSocket frame came: {error}\n{}", self.transcript),
        }
    }

    /// WebSocket frames up to the close frame, which stays unanswered.
    #[track_caller]
    pub(crate) fn read_to_close(&mut self) -> Vec<WsFrame> {
        let mut frames = Vec::new();
        loop {
            let frame = self.read_websocket();
            let is_close = frame.opcode == Opcode::CLOSE;
            frames.push(frame);
            if is_close {
                return frames;
            }
        }
    }

    fn next_but_beats(&mut self, patience: Duration) -> Event {
        let deadline = Instant::now() + patience;
        loop {
            match self.next(deadline) {
                Event::Beat => {}
                other => return other,
            }
        }
    }

    fn next(&mut self, deadline: Instant) -> Event {
        loop {
            if self.input.first() == Some(&b'\n') {
                self.input.remove(0);
                return Event::Beat;
            }
            match Frame::take(&mut self.input, self.version) {
                Ok(Some(frame)) => {
                    if frame.command == "CONNECTED" {
                        self.version = Version::of(&frame);
                    }
                    return Event::Frame(frame);
                }
                Ok(None) => {}
                Err(fault) => return Event::Broken(fault),
            }
            match self.read(deadline) {
                Ok(None) => {}
                Ok(Some(_)) if !self.input.is_empty() => {
                    return Event::Broken("a frame cut in two by the end".into());
                }
                Ok(Some(close_code)) => return Event::End(close_code),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    return Event::Late;
                }
                Err(error) => return Event::Broken(error.to_string()),
            }
        }
    }

    /// Adds to the input; at the end it says so, with the close code if there was one.
    fn read(&mut self, deadline: Instant) -> Result<Option<Option<u16>>, Error> {
        match self.link.read(deadline)? {
            Heard::Octets(octets) => {
                self.note("<", &octets);
                self.input.extend(octets);
                Ok(None)
            }
            Heard::End(code) => {
                self.note("<", format!("end {code:?}").as_bytes());
                Ok(Some(code))
            }
            Heard::Closed(code, reason) => {
                self.note("<", format!("c[{code},{reason:?}]").as_bytes());
                self.reason = Some(reason);
                Ok(Some(Some(code)))
            }
        }
    }

    fn note(&mut self, direction: &str, octets: &[u8]) {
        self.transcript
            .push_str(&format!("{direction} {}\n", shown(octets)));
    }

    #[track_caller]
    fn fail(&self, expectation: &str, event: Event) -> ! {
        let found = match event {
            Event::Frame(frame) => {
                format!(
                    "this came: {} {:?}, body {:?}",
                    frame.command,
                    frame.headers,
                    shown(&frame.body)
                )
            }
            Event::Beat => "a heart-beat came".to_owned(),
            Event::End(code) => format!("the connection ended, close code {code:?}"),
            Event::Late => "nothing came in time".to_owned(),
            Event::Broken(fault) => format!("the input broke: {fault}"),
        };
        panic!(
            "{expectation}, but {found}\nthe conversation:\n{}",
            self.transcript
        );
    }
}
