//! A WebSocket client made by hand, so that it can break every rule.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::{PATIENCE, Response};

/// The opcodes of RFC 6455, section 5.2; a plain number, so that others can be sent too.
pub(crate) struct Opcode;

impl Opcode {
    pub(crate) const CONTINUATION: u8 = 0;
    pub(crate) const TEXT: u8 = 1;
    pub(crate) const BINARY: u8 = 2;
    pub(crate) const CLOSE: u8 = 8;
    pub(crate) const PING: u8 = 9;
    pub(crate) const PONG: u8 = 10;
}

/// One WebSocket frame, of either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WsFrame {
    pub(crate) fin: bool,
    /// The three reserved bits; 4 is RSV1, which marks compression.
    pub(crate) reserved: u8,
    pub(crate) opcode: u8,
    pub(crate) masked: bool,
    pub(crate) payload: Vec<u8>,
}

impl WsFrame {
    /// A proper frame of a client.
    pub(crate) fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            reserved: 0,
            opcode,
            masked: true,
            payload: payload.into(),
        }
    }

    pub(crate) fn close(code: u16) -> Self {
        Self::new(Opcode::CLOSE, code.to_be_bytes())
    }

    /// The code of a close frame.
    pub(crate) fn close_code(&self) -> Option<u16> {
        let code = self.payload.first_chunk::<2>()?;
        (self.opcode == Opcode::CLOSE).then(|| u16::from_be_bytes(*code))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let first = (u8::from(self.fin) << 7) | (self.reserved << 4) | self.opcode;
        let mask_bit = u8::from(self.masked) << 7;
        let mut frame = vec![first];
        match self.payload.len() {
            short @ 0..126 => frame.push(mask_bit | short as u8),
            middle @ 126..=0xffff => {
                frame.push(mask_bit | 126);
                frame.extend((middle as u16).to_be_bytes());
            }
            long => {
                frame.push(mask_bit | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        if !self.masked {
            frame.extend_from_slice(&self.payload);
            return frame;
        }
        let mask = [0x5a, 0x0f, 0xf0, 0x33];
        frame.extend(mask);
        let masked = self
            .payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key);
        frame.extend(masked);
        frame
    }

    /// Takes one whole frame off the front of `input`.
    fn take(input: &mut Vec<u8>) -> Option<Self> {
        let &[first, second] = input.first_chunk::<2>()?;
        let (start, len) = match second & 0x7f {
            126 => (
                4,
                u64::from(u16::from_be_bytes(input.get(2..4)?.try_into().ok()?)),
            ),
            127 => (10, u64::from_be_bytes(input.get(2..10)?.try_into().ok()?)),
            short => (2, u64::from(short)),
        };
        let end = start + usize::try_from(len).ok()?;
        let payload = input.get(start..end)?.to_vec();
        input.drain(..end);
        let frame = Self {
            fin: first & 0x80 != 0,
            reserved: (first >> 4) & 7,
            opcode: first & 15,
            masked: second & 0x80 != 0,
            payload,
        };
        assert!(!frame.masked, "a server never masks: {frame:?}");
        Some(frame)
    }
}

/// An open WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket {
    stream: TcpStream,
    input: Vec<u8>,
    /// What the server answered to the handshake.
    pub(crate) response: Response,
    /// Present when permessage-deflate was agreed; the server's window lives through the connection.
    inflate: Option<Decompress>,
    close_sent: bool,
}

impl WebSocket {
    /// The key that RFC 6455 takes as its example, and what section 1.3 says the answer to it is.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    /// The headers of a proper handshake.
    pub(crate) const HANDSHAKE: [(&str, &str); 4] = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", Self::KEY),
        ("Sec-WebSocket-Version", "13"),
    ];

    /// A proper handshake with these headers on top; `Err` is the server's refusal.
    pub(crate) fn open(address: SocketAddr, more: &[(&str, &str)]) -> Result<Self, Response> {
        Self::open_and_send(address, more, b"")
    }

    /// As `open`, with octets that do not wait for the answer.
    pub(crate) fn open_and_send(
        address: SocketAddr,
        more: &[(&str, &str)],
        behind: &[u8],
    ) -> Result<Self, Response> {
        Self::open_on(connect(address), more, behind)
    }

    /// As `open_and_send`, on a connection that may have carried requests before.
    pub(crate) fn open_on(
        stream: TcpStream,
        more: &[(&str, &str)],
        behind: &[u8],
    ) -> Result<Self, Response> {
        Self::shake_hands(stream, "/ws", more, behind)
    }

    /// As `open`, at another path than that of the endpoint.
    pub(crate) fn open_at(
        address: SocketAddr,
        path: &str,
        more: &[(&str, &str)],
    ) -> Result<Self, Response> {
        Self::shake_hands(connect(address), path, more, b"")
    }

    fn shake_hands(
        mut stream: TcpStream,
        path: &str,
        more: &[(&str, &str)],
        behind: &[u8],
    ) -> Result<Self, Response> {
        let headers = [&Self::HANDSHAKE[..], more].concat();
        let response = Self::ask(&mut stream, "GET", path, &headers, behind);
        if response.status != 101 {
            return Err(response);
        }
        assert_eq!(response.header("sec-websocket-accept"), Some(Self::ACCEPT));
        let extensions = response
            .header("sec-websocket-extensions")
            .unwrap_or_default();
        let inflate = extensions
            .starts_with("permessage-deflate")
            .then(|| Decompress::new(false));
        Ok(Self {
            stream,
            input: response.rest.clone(),
            response,
            inflate,
            close_sent: false,
        })
    }

    /// Any request to the endpoint.
    pub(crate) fn request(address: SocketAddr, method: &str, headers: &[(&str, &str)]) -> Response {
        Self::ask(&mut connect(address), method, "/ws", headers, b"")
    }

    fn ask(
        stream: &mut TcpStream,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        behind: &[u8],
    ) -> Response {
        let address = stream.peer_addr().expect("the stream is connected");
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        Response::of(stream, &[request.as_bytes(), behind].concat())
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub(crate) fn send(&mut self, frame: &WsFrame) -> Result<(), Error> {
        self.close_sent |= frame.opcode == Opcode::CLOSE;
        self.send_raw(&frame.encode())
    }

    /// Answers a close frame, unless it is the answer to ours.
    pub(crate) fn answer_close(&mut self, close: &WsFrame) -> Result<(), Error> {
        if self.close_sent {
            return Ok(());
        }
        self.send(&WsFrame::new(Opcode::CLOSE, close.payload.clone()))
    }

    pub(crate) fn send_raw(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.stream.write_all(octets)
    }

    /// Sends one message of one frame, compressed if that was agreed.
    pub(crate) fn send_message(&mut self, opcode: u8, payload: &[u8]) -> Result<(), Error> {
        let mut frame = WsFrame::new(opcode, payload);
        if self.inflate.is_some() {
            frame.payload = deflate(payload);
            frame.reserved = 4;
        }
        self.send(&frame)
    }

    /// The next frame; an error of kind `UnexpectedEof` at the end and `WouldBlock` after the deadline.
    pub(crate) fn read(&mut self, deadline: Instant) -> Result<WsFrame, Error> {
        loop {
            if let Some(mut frame) = WsFrame::take(&mut self.input) {
                if let (4, Some(inflate)) = (frame.reserved, &mut self.inflate) {
                    frame.payload = inflated(inflate, frame.payload);
                }
                return Ok(frame);
            }
            let chunk = read_some(&mut self.stream, deadline)?;
            if chunk.is_empty() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.input.extend(chunk);
        }
    }
}

/// A connection to the HTTP listener.
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the HTTP listener accepts");
    stream.set_nodelay(true).expect("Nagle can be switched off");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout can be set");
    stream
}

/// Reads what is there, empty at the end; an error of kind `WouldBlock` after the deadline.
pub(super) fn read_some(stream: &mut TcpStream, deadline: Instant) -> Result<Vec<u8>, Error> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::WouldBlock.into());
    }
    stream.set_read_timeout(Some(left))?;
    let mut chunk = vec![0; 65_536];
    let count = stream.read(&mut chunk)?;
    chunk.truncate(count);
    Ok(chunk)
}

/// One message by RFC 7692, section 7.2.1, with a window of its own.
fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(payload.len() + 64);
    Compress::new(Compression::default(), false)
        .compress_vec(payload, &mut output, FlushCompress::Sync)
        .expect("there is room for the output");
    let tail = output.split_off(output.len() - 4);
    assert_eq!(tail, [0, 0, 0xff, 0xff], "a sync flush ends so");
    output
}

fn inflated(window: &mut Decompress, mut payload: Vec<u8>) -> Vec<u8> {
    payload.extend([0, 0, 0xff, 0xff]);
    let mut output = Vec::with_capacity(4 * 1024 * 1024);
    window
        .decompress_vec(&payload, &mut output, FlushDecompress::Sync)
        .expect("the message inflates");
    output
}
