//! What carries a peer's octets.

use std::io::{Error, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Instant;

use super::websocket::read_some;
use super::{Frame, Opcode, PATIENCE, Version, WebSocket, sockjs};

pub(super) enum Link {
    Tcp(TcpStream),
    WebSocket(Box<WebSocket>),
    SockJs(Box<WebSocket>),
}

/// What a link brought.
pub(super) enum Heard {
    Octets(Vec<u8>),
    /// The end, with the code of the close frame if there was one.
    End(Option<u16>),
}

impl Link {
    /// Writes octets as they are; over WebSocket as one message.
    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        match self {
            Self::Tcp(stream) => stream.write_all(octets),
            Self::WebSocket(websocket) => match std::str::from_utf8(octets) {
                Ok(_) => websocket.send_message(Opcode::TEXT, octets),
                Err(_) => websocket.send_message(Opcode::BINARY, octets),
            },
            Self::SockJs(websocket) => {
                let text = std::str::from_utf8(octets).map_err(Error::other)?;
                websocket.send_message(Opcode::TEXT, sockjs::encode(text).as_bytes())
            }
        }
    }

    /// Waits until input has arrived, and leaves it there.
    #[track_caller]
    pub(super) fn await_input(&self) {
        let stream = match self {
            Self::Tcp(stream) => stream,
            Self::WebSocket(websocket) | Self::SockJs(websocket) => websocket.stream(),
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
            Self::SockJs(websocket) => read_sockjs(websocket, deadline),
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
            let mut rest = frame.payload.clone();
            let taken = Frame::take(&mut rest, Version::V10);
            let whole = frame.payload == b"\n" || (matches!(taken, Ok(Some(_))) && rest.is_empty());
            assert!(
                whole,
                "one message is one STOMP frame: {}",
                shown(&frame.payload)
            );
            Ok(Heard::Octets(frame.payload))
        }
    }
}

/// What one frame of SockJS holds; its close frame is the end.
fn read_sockjs(websocket: &mut WebSocket, deadline: Instant) -> Result<Heard, Error> {
    let frame = match websocket.read(deadline) {
        Ok(frame) => frame,
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            return Ok(Heard::End(None));
        }
        Err(error) => return Err(error),
    };
    if frame.opcode == Opcode::CLOSE {
        websocket.answer_close(&frame)?;
        return Ok(Heard::End(frame.close_code()));
    }
    assert_eq!(frame.opcode, Opcode::TEXT, "SockJS is text");
    let text = String::from_utf8(frame.payload).map_err(Error::other)?;
    Ok(match sockjs::close_code(&text) {
        Some(code) => Heard::End(Some(code)),
        None => Heard::Octets(sockjs::decode(&text).into()),
    })
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
