//! What carries a peer's octets.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::websocket::read_some;
use super::{Frame, Opcode, PATIENCE, SockFrame, SockJs, Version, WebSocket};

pub(super) enum Link {
    Tcp(TcpStream),
    WebSocket(Box<WebSocket>),
    /// With the messages that came together with one that is read already.
    SockJs(Box<SockJs>, VecDeque<String>),
}

/// What a link brought.
pub(super) enum Heard {
    Octets(Vec<u8>),
    /// The end, with the code of the close frame if there was one.
    End(Option<u16>),
    /// The end of a session of SockJS, by its close frame.
    Closed(u16, String),
}

impl Link {
    /// Writes octets as they are; over WebSocket and SockJS as one message.
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        match self {
            Self::Tcp(stream) => stream.write_all(octets),
            Self::WebSocket(websocket) => match std::str::from_utf8(octets) {
                Ok(_) => websocket.send_message(Opcode::TEXT, octets),
                Err(_) => websocket.send_message(Opcode::BINARY, octets),
            },
            Self::SockJs(session, _) => {
                let text = std::str::from_utf8(octets).map_err(Error::other)?;
                session.say(&[text])
            }
        }
    }

    /// Waits until input has arrived, and leaves it there.
    #[track_caller]
    pub(super) fn await_input(&self) {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::WebSocket(websocket) => websocket.stream(),
            Self::SockJs(session, _) => session.listener(),
        };
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a read timeout can be set");
        let count = stream.peek(&mut [0]).expect("input comes in time");
        assert_ne!(count, 0, "the connection has ended");
    }

    pub(super) fn read(&mut self, deadline: Instant) -> Result<Heard, Error> {
        match self {
            Self::WebSocket(websocket) => read_message(websocket, deadline),
            Self::SockJs(session, waiting) => read_sockjs(session, waiting, deadline),
            Self::Tcp(stream) => {
                let octets = read_some(stream, deadline)?;
                Ok(if octets.is_empty() {
                    Heard::End(None)
                } else {
                    Heard::Octets(octets)
                })
            }
        }
    }
}

/// One message, checked for what the protocol page promises of messages; at the end the close code.
fn read_message(websocket: &mut WebSocket, deadline: Instant) -> Result<Heard, Error> {
    let frame = match websocket.read(deadline) {
        Ok(frame) => frame,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return Ok(Heard::End(None));
        }
        Err(error) => return Err(error),
    };
    match frame.opcode {
        Opcode::CLOSE => {
            websocket.answer_close(&frame)?;
            match websocket.read(deadline) {
                Ok(frame) => {
                    return Err(Error::other(format!(
                        "{frame:?} came after the close frame"
                    )));
                }
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                Err(error) => {
                    return Err(Error::other(format!(
                        "no end after the close frame: {error}"
                    )));
                }
            }
            Ok(Heard::End(frame.close_code()))
        }
        Opcode::PING | Opcode::PONG => Ok(Heard::Octets(Vec::new())),
        opcode => {
            assert!(frame.fin, "the server never fragments");
            let is_text = std::str::from_utf8(&frame.payload).is_ok();
            assert_eq!(
                opcode == Opcode::TEXT,
                is_text,
                "text is for UTF-8 and binary for the rest"
            );
            assert_one_frame(&frame.payload);
            Ok(Heard::Octets(frame.payload))
        }
    }
}

/// One message of those that came; the session's own frames pass without a word.
fn read_sockjs(
    session: &mut SockJs,
    waiting: &mut VecDeque<String>,
    deadline: Instant,
) -> Result<Heard, Error> {
    if waiting.is_empty() {
        match session.read(deadline) {
            Ok(SockFrame::Messages(messages)) => {
                assert!(!messages.is_empty(), "an empty frame");
                waiting.extend(messages);
            }
            Ok(SockFrame::Close(code, reason)) => return Ok(Heard::Closed(code, reason)),
            Ok(SockFrame::Open | SockFrame::Heartbeat) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Heard::End(None)),
            Err(error) => return Err(error),
        }
    }
    let message = waiting.pop_front().unwrap_or_default();
    if !message.is_empty() {
        assert_one_frame(message.as_bytes());
    }
    Ok(Heard::Octets(message.into_bytes()))
}

fn assert_one_frame(message: &[u8]) {
    let mut rest = message.to_vec();
    let taken = Frame::take(&mut rest, Version::V10);
    let whole = message == b"\n" || (matches!(taken, Ok(Some(_))) && rest.is_empty());
    assert!(whole, "one message is one STOMP frame: {}", shown(message));
}

/// Octets for people, cut when they are many.
pub(super) fn shown(octets: &[u8]) -> String {
    const MOST: usize = 400;
    let head = &octets[..octets.len().min(MOST)];
    let more = if octets.len() > MOST {
        format!("... ({} bytes)", octets.len())
    } else {
        String::new()
    };
    format!("{}{more}", head.escape_ascii())
}
