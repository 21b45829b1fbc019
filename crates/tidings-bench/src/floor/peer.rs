//! One connection of the floor.

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mio::net::TcpStream;
use sha1::{Digest, Sha1};

use super::Frames;
use crate::wire::{Event, Role, Scanner};

/// Frames handed to one `writev`; the kernel takes up to 1,024.
const FRAMES_PER_WRITE: usize = 256;

/// What the handshake appends to the client's key (RFC 6455, section 1.3).
const HANDSHAKE_ID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// One connection.
pub(super) struct Peer {
    socket: TcpStream,
    scanner: Scanner,
    /// It began with an HTTP request.
    pub(super) websocket: bool,
    /// Frames to write, and how many bytes of the first are written.
    waiting: Vec<Rc<[u8]>>,
    written: usize,
    /// It stands in the list of those to write to.
    pub(super) dirty: bool,
}

impl Peer {
    pub(super) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            scanner: Scanner::new(Role::Server),
            websocket: false,
            waiting: Vec::new(),
            written: 0,
            dirty: false,
        }
    }

    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn push(&mut self, bytes: Rc<[u8]>) {
        self.waiting.push(bytes);
    }

    /// Reads all there is; false: the connection has ended.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>, frames: &mut Frames<'_>) -> bool {
        loop {
            let kept = self.scanner.restore(buffer);
            match self.socket.read(&mut buffer[kept..]) {
                Ok(0) => return false,
                Ok(count) => {
                    let (waiting, websocket) = (&mut self.waiting, &mut self.websocket);
                    let scanned = self
                        .scanner
                        .advance(&mut buffer[..kept + count], &mut |event| match event {
                            Event::Head(head) => {
                                *websocket = true;
                                waiting.push(answer(head));
                            }
                            Event::Frame(frame) => frames.on_frame(&frame, *websocket, waiting),
                            _ => {}
                        });
                    if scanned.is_err() {
                        return false;
                    }
                    if kept + count < buffer.len() {
                        return true;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    /// Writes what waits, as far as the socket takes it; false: the connection has ended.
    pub(super) fn write(&mut self) -> bool {
        let mut done = 0;
        let alive = loop {
            if done == self.waiting.len() {
                break true;
            }
            match self.write_some(done) {
                Ok(mut count) => {
                    while done < self.waiting.len()
                        && count >= self.waiting[done].len() - self.written
                    {
                        count -= self.waiting[done].len() - self.written;
                        self.written = 0;
                        done += 1;
                    }
                    self.written += count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break false,
            }
        };
        self.waiting.drain(..done);
        alive
    }

    /// One system call: `write` for a single frame, `writev` for more.
    fn write_some(&mut self, from: usize) -> std::io::Result<usize> {
        let first = &self.waiting[from][self.written..];
        let others = &self.waiting[from + 1..];
        if others.is_empty() {
            return self.socket.write(first);
        }
        let mut slices = [IoSlice::new(&[]); FRAMES_PER_WRITE];
        slices[0] = IoSlice::new(first);
        let count = others.len().min(FRAMES_PER_WRITE - 1);
        for (slice, frame) in slices[1..].iter_mut().zip(&others[..count]) {
            *slice = IoSlice::new(frame);
        }
        self.socket.write_vectored(&slices[..=count])
    }
}

/// The answer to a handshake.
fn answer(head: &[u8]) -> Rc<[u8]> {
    let head = String::from_utf8_lossy(head);
    let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let key = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| value.trim())
        .next()
        .unwrap_or_default();
    let accept = STANDARD.encode(
        Sha1::new()
            .chain_update(key)
            .chain_update(HANDSHAKE_ID)
            .finalize(),
    );
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: v12.stomp\r\n\r\n"
    );
    answer.into_bytes().into()
}
