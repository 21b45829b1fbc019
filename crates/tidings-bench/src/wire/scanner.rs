//! The bytes of one connection as events: HTTP head, then WebSocket frames, then the STOMP frames inside.

use memchr::memmem;

use super::frame::{Frame, Scan, scan};
use super::websocket::{Header, Opcode, apply_mask, parse_header};
use super::{ACCEPT, MAX_FRAME_BYTES, MAX_HEAD_BYTES, ScanError};

/// Who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Reads what a server writes over WebSocket: an answer that must be 101, then unmasked frames.
    WebSocketClient,
    /// Reads what a server writes over plain TCP.
    TcpClient,
    /// Reads what clients write: a request and masked frames, or, when the first byte is not `G` of `GET`, plain STOMP.
    Server,
}

/// What a connection said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The HTTP head of the handshake, complete, with the empty line.
    Head(&'a [u8]),
    /// A STOMP frame.
    Frame(Frame<'a>),
    /// An end of line between STOMP frames.
    EndOfLine,
    /// A WebSocket ping; its payload wants to come back in a pong.
    Ping(&'a [u8]),
    /// A WebSocket close with its code, when it has one.
    Close(Option<u16>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Head,
    WebSocket,
    Stream,
}

/// Reads one connection. It holds bytes only while a frame is incomplete: an idle connection costs no buffer.
#[derive(Debug)]
pub(crate) struct Scanner {
    role: Role,
    stage: Stage,
    /// Read, and not yet understood.
    tail: Vec<u8>,
    /// The beginning of a STOMP frame that continues in the next WebSocket frame.
    message: Vec<u8>,
    /// Between the first and the last fragment of a WebSocket message.
    fragmented: bool,
}

impl Scanner {
    pub(crate) fn new(role: Role) -> Self {
        let stage = match role {
            Role::WebSocketClient => Stage::Head,
            Role::TcpClient => Stage::Stream,
            Role::Server => Stage::Begin,
        };
        Self {
            role,
            stage,
            tail: Vec::new(),
            message: Vec::new(),
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
        match self.stage {
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
        if self.role == Role::WebSocketClient {
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
        payload: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        match header.opcode {
            Opcode::Ping => on_event(Event::Ping(payload)),
            Opcode::Pong => {}
            Opcode::Close => on_event(Event::Close(close_code(payload))),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                if (header.opcode == Opcode::Continuation) != self.fragmented {
                    return Err(ScanError::Fragmentation);
                }
                self.fragmented = !header.fin;
                self.take_stomp(payload, on_event)?;
            }
        }
        Ok(())
    }

    fn take_stomp(
        &mut self,
        payload: &[u8],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> Result<(), ScanError> {
        if self.message.is_empty() {
            let used = scan_all(payload, on_event)?;
            self.message.extend_from_slice(&payload[used..]);
            return Ok(());
        }
        if self.message.len() + payload.len() > MAX_FRAME_BYTES {
            return Err(ScanError::FrameTooLong(
                (self.message.len() + payload.len()) as u64,
            ));
        }
        self.message.extend_from_slice(payload);
        let used = scan_all(&self.message, on_event)?;
        self.message.drain(..used);
        if self.message.is_empty() {
            self.message = Vec::new();
        }
        Ok(())
    }
}

fn step_stream(bytes: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<usize, ScanError> {
    Ok(match scan(bytes)? {
        Scan::Incomplete => 0,
        Scan::EndOfLine => {
            on_event(Event::EndOfLine);
            1
        }
        Scan::Frame(frame, length) => {
            on_event(Event::Frame(frame));
            length
        }
    })
}

fn scan_all(bytes: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<usize, ScanError> {
    let mut used = 0;
    loop {
        match step_stream(&bytes[used..], on_event)? {
            0 => return Ok(used),
            step => used += step,
        }
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
mod tests {
    use super::super::{Writer, write_header};
    use super::*;

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                          sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn text(out: &mut Vec<u8>, payload: &[u8]) {
        write_header(out, Opcode::Text, payload.len(), None);
        out.extend_from_slice(payload);
    }

    /// What the scanner says when the bytes arrive in the given pieces.
    fn read(role: Role, pieces: &[&[u8]]) -> Result<Vec<String>, ScanError> {
        let mut scanner = Scanner::new(role);
        let mut buffer = vec![0; 8];
        let mut said = Vec::new();
        for piece in pieces {
            let waiting = scanner.restore(&mut buffer);
            buffer.resize(buffer.len().max(waiting + piece.len()), 0);
            buffer[waiting..waiting + piece.len()].copy_from_slice(piece);
            let filled = waiting + piece.len();
            scanner.advance(&mut buffer[..filled], &mut |event| {
                said.push(match event {
                    Event::Frame(frame) => format!(
                        "{} {:?}",
                        String::from_utf8_lossy(frame.command),
                        String::from_utf8_lossy(frame.body)
                    ),
                    Event::Head(_) => "head".to_owned(),
                    other => format!("{other:?}"),
                });
            })?;
        }
        assert!(scanner.tail.is_empty(), "nothing is left over");
        Ok(said)
    }

    fn every_split_says(role: Role, bytes: &[u8], expected: &[&str]) {
        for cut in 0..=bytes.len() {
            let said = read(role, &[&bytes[..cut], &bytes[cut..]]);
            assert_eq!(
                said.as_deref(),
                Ok(&expected.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()[..]),
                "{cut}"
            );
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(
            read(role, &single).map(|said| said.len()),
            Ok(expected.len())
        );
    }

    #[test]
    fn a_websocket_server_is_understood_at_every_split() {
        let mut bytes = ANSWER.as_bytes().to_vec();
        text(&mut bytes, b"CONNECTED\nversion:1.2\n\n\0");
        text(&mut bytes, b"\n");
        write_header(&mut bytes, Opcode::Ping, 2, None);
        bytes.extend_from_slice(b"hi");
        let long = format!("MESSAGE\ncontent-length:200\n\n{}\0", "x".repeat(200));
        text(&mut bytes, long.as_bytes());
        text(&mut bytes, b"MESSAGE\n\none\0\nMESSAGE\n\ntwo\0");
        bytes.extend_from_slice(
            b"\x01\x09MESSAGE\n\n\x89\x00\x00\x0bthree\0MESSA\x80\x09GE\n\nfour\0",
        );
        bytes.extend_from_slice(b"\x88\x02\x03\xe8");
        let x = format!("MESSAGE \"{}\"", "x".repeat(200));
        every_split_says(
            Role::WebSocketClient,
            &bytes,
            &[
                "head",
                "CONNECTED \"\"",
                "EndOfLine",
                "Ping([104, 105])",
                &x,
                "MESSAGE \"one\"",
                "EndOfLine",
                "MESSAGE \"two\"",
                "Ping([])",
                "MESSAGE \"three\"",
                "MESSAGE \"four\"",
                "Close(Some(1000))",
            ],
        );
    }

    #[test]
    fn a_stream_is_understood_at_every_split() {
        every_split_says(
            Role::TcpClient,
            b"CONNECTED\n\n\0\n\nMESSAGE\ncontent-length:2\n\n\0\n\0",
            &[
                "CONNECTED \"\"",
                "EndOfLine",
                "EndOfLine",
                "MESSAGE \"\\0\\n\"",
            ],
        );
    }

    #[test]
    fn a_client_is_understood_at_every_split_with_and_without_websocket() {
        let mut bytes = super::super::upgrade_request("localhost", "/ws").into_bytes();
        let writer = Writer::new(true, 7);
        writer.frame(&mut bytes, &[b"SEND\n\n", b"abc", b"\0"]);
        writer.pong(&mut bytes, b"x");
        writer.frame(&mut bytes, &[b"\n"]);
        every_split_says(Role::Server, &bytes, &["head", "SEND \"abc\"", "EndOfLine"]);
        every_split_says(
            Role::Server,
            b"SEND\n\nabc\0\n",
            &["SEND \"abc\"", "EndOfLine"],
        );
    }

    #[test]
    fn refuses_a_broken_handshake() {
        assert_eq!(
            read(Role::WebSocketClient, &[b"HTTP/1.1 403 Forbidden\r\n\r\n"]),
            Err(ScanError::Refused("HTTP/1.1 403 Forbidden".to_owned()))
        );
        let wrong = ANSWER.replace("s3pP", "s3pQ");
        assert_eq!(
            read(Role::WebSocketClient, &[wrong.as_bytes()]),
            Err(ScanError::WrongAccept)
        );
    }

    #[test]
    fn refuses_masks_and_fragments_out_of_place() {
        let after = |frame: &[u8]| read(Role::WebSocketClient, &[ANSWER.as_bytes(), frame]);
        assert_eq!(
            after(b"\x81\x80\0\0\0\0"),
            Err(ScanError::WebSocketHeader("mask in the wrong direction"))
        );
        assert_eq!(after(b"\x80\x00"), Err(ScanError::Fragmentation));
        assert_eq!(after(b"\x01\x01\n\x81\x00"), Err(ScanError::Fragmentation));
    }
}
