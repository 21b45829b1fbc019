//! The bytes of one connection as events: HTTP head, then WebSocket frames or the chunks of a response, then SockJS
//! frames where it is spoken, then the STOMP frames inside.

use memchr::memmem;

use super::exchange::Exchange;
use super::frame::Frame;
use super::sockjs::take_frame;
use super::stream::{Stream, step_stream};
use super::websocket::{Header, Opcode, apply_mask, parse_header};
use super::{ACCEPT, MAX_HEAD_BYTES, ScanError};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Reads what a server writes over WebSocket: an answer that must be 101, then unmasked frames.
    WebSocketClient,
    /// The same with a SockJS frame in each message, never fragmented.
    SockJsWebSocketClient,
    /// Reads the responses by which a SockJS client receives over HTTP.
    SockJsHttpClient {
        /// `xhr_streaming`; else `xhr`.
        streaming: bool,
    },
    /// Reads what a server writes over plain TCP.
    TcpClient,
    /// Reads what clients write: a request and masked frames, or, when the first byte is not `G` of `GET`, plain STOMP.
    Server,
}

/// What a connection said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The HTTP head of the handshake or of a response, complete, with the empty line.
    Head(&'a [u8]),
    /// A STOMP frame.
    Frame(Frame<'a>),
    /// An end of line between STOMP frames.
    EndOfLine,
    /// A WebSocket ping; its payload wants to come back in a pong.
    Ping(&'a [u8]),
    /// A WebSocket or SockJS close with its code, when it has one.
    Close(Option<u16>),
    /// The SockJS session is open.
    Opened,
    /// A heart-beat of SockJS.
    HeartBeat,
    /// A response by which a SockJS client receives is complete: it wants to ask again.
    ResponseEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Head,
    WebSocket,
    Stream,
    Exchange(Exchange),
}

/// Reads one connection. It holds bytes only while a frame is incomplete: an idle connection costs no buffer.
#[derive(Debug)]
pub(crate) struct Scanner {
    role: Role,
    stage: Stage,
    /// Read, and not yet understood.
    tail: Vec<u8>,
    stream: Stream,
    /// Between the first and the last fragment of a WebSocket message.
    fragmented: bool,
}

impl Scanner {
    pub(crate) fn new(role: Role) -> Self {
        let stage = match role {
            Role::WebSocketClient | Role::SockJsWebSocketClient => Stage::Head,
            Role::SockJsHttpClient { streaming } => Stage::Exchange(Exchange::new(streaming)),
            Role::TcpClient => Stage::Stream,
            Role::Server => Stage::Begin,
        };
        Self {
            role,
            stage,
            tail: Vec::new(),
            stream: Stream::default(),
            fragmented: false,
        }
    }

    /// Copies what waits to the front of the shared read buffer, which grows if it has to; the next read goes behind
    /// it, so that most frames are understood where they were read.
    pub(crate) fn restore(&self, buffer: &mut Vec<u8>) -> usize {
        let waiting = self.tail.len();
        if buffer.len() < waiting * 2 {
            buffer.resize(waiting * 2, 0);
        }
        buffer[..waiting].copy_from_slice(&self.tail);
        waiting
    }

    /// Reads `bytes`, which begins with what [`Scanner::restore`] put there, and keeps what is incomplete.
    pub(crate) fn advance(
        &mut self,
        bytes: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        let mut used = 0;
        while used < bytes.len() {
            let step = self.step(&mut bytes[used..], on_event)?;
            if step == 0 {
                break;
            }
            used += step;
        }
        self.tail.clear();
        self.tail.extend_from_slice(&bytes[used..]);
        if self.tail.is_empty() {
            self.tail = Vec::new();
        }
        Ok(())
    }

    /// Reads one thing and says how many bytes it took; 0: incomplete.
    fn step(
        &mut self,
        bytes: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        match &mut self.stage {
            Stage::Begin => {
                self.stage = if bytes[0] == b'G' {
                    Stage::Head
                } else {
                    Stage::Stream
                };
                self.step(bytes, on_event)
            }
            Stage::Head => self.step_head(bytes, on_event),
            Stage::WebSocket => self.step_websocket(bytes, on_event),
            Stage::Stream => step_stream(bytes, on_event),
            Stage::Exchange(exchange) => exchange.step(bytes, &mut self.stream, on_event),
        }
    }

    fn step_head(
        &mut self,
        bytes: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return if bytes.len() > MAX_HEAD_BYTES {
                Err(ScanError::HeadTooLong)
            } else {
                Ok(0)
            };
        };
        let head = &bytes[..end + 4];
        if self.role != Role::Server {
            check_answer(head)?;
        }
        self.stage = Stage::WebSocket;
        on_event(Event::Head(head));
        Ok(head.len())
    }

    fn step_websocket(
        &mut self,
        bytes: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<usize, ScanError> {
        let Some(header) = parse_header(bytes)? else {
            return Ok(0);
        };
        if header.mask.is_some() != (self.role == Role::Server) {
            return Err(ScanError::WebSocketHeader("mask in the wrong direction"));
        }
        let end = header.start + header.length;
        if bytes.len() < end {
            return Ok(0);
        }
        let payload = &mut bytes[header.start..end];
        if let Some(mask) = header.mask {
            apply_mask(payload, mask);
        }
        self.take_payload(&header, payload, on_event)?;
        Ok(end)
    }

    fn take_payload(
        &mut self,
        header: &Header,
        payload: &mut [u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        match header.opcode {
            Opcode::Ping => on_event(Event::Ping(payload)),
            Opcode::Pong => {}
            Opcode::Close => on_event(Event::Close(close_code(payload))),
            Opcode::Text if self.role == Role::SockJsWebSocketClient && header.fin => {
                take_frame(payload, &mut self.stream, on_event)?;
            }
            _ if self.role == Role::SockJsWebSocketClient => return Err(ScanError::Fragmentation),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                if (header.opcode == Opcode::Continuation) != self.fragmented {
                    return Err(ScanError::Fragmentation);
                }
                self.fragmented = !header.fin;
                self.stream.take(payload, on_event)?;
            }
        }
        Ok(())
    }
}

fn close_code(payload: &[u8]) -> Option<u16> {
    let &[high, low, ..] = payload else {
        return None;
    };
    Some(u16::from_be_bytes([high, low]))
}

/// Checks the status and `Sec-WebSocket-Accept` of a handshake's answer (RFC 6455, section 4.1).
fn check_answer(head: &[u8]) -> Result<(), ScanError> {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    if !status.starts_with("HTTP/1.1 101") {
        return Err(ScanError::Refused(status.to_owned()));
    }
    let accept = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"));
    match accept {
        Some((_, value)) if value.trim() == ACCEPT => Ok(()),
        _ => Err(ScanError::WrongAccept),
    }
}

#[cfg(test)]
mod tests;
