//! The connections on which SockJS clients over HTTP send.
//!
//! A browser opens a second connection for that and gives it up when it is idle, so that an idle client costs its server
//! one. Here a few are shared by all clients: what they cost vanishes among thousands of receivers.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::error::Ending;
use crate::wire::{BodyLength, parse_response};

/// How many there are at most.
pub(crate) const SENDERS: usize = 16;

/// Token of the first; connections of clients count from 0.
const FIRST: usize = 1 << 32;

/// A client whose request failed, and why.
pub(crate) type Failed = (usize, Ending);

/// The connections, opened when they are first needed.
#[derive(Debug)]
pub(crate) struct Senders {
    address: SocketAddr,
    all: Vec<Sender>,
}

/// One connection, with one request on its way at a time. What one client sends stays in order: its requests go over
/// the same connection.
#[derive(Debug, Default)]
struct Sender {
    socket: Option<TcpStream>,
    connected: bool,
    waiting: VecDeque<(usize, Vec<u8>)>,
    /// The client whose request is on its way.
    asking: Option<usize>,
    /// What the socket did not take yet.
    out: Vec<u8>,
    /// The answer, as far as it is here.
    answer: Vec<u8>,
}

impl Senders {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            all: (0..SENDERS).map(|_| Sender::default()).collect(),
        }
    }

    /// The number of a sender whose socket has this token.
    pub(crate) fn of(token: Token) -> Option<usize> {
        token.0.checked_sub(FIRST)
    }

    /// Sends a request of client `link`, after those that it has on their way.
    pub(crate) fn submit(
        &mut self,
        registry: &Registry,
        link: usize,
        request: Vec<u8>,
    ) -> Option<Failed> {
        let number = link % SENDERS;
        let sender = &mut self.all[number];
        sender.waiting.push_back((link, request));
        let done = sender.next(self.address, registry, number);
        sender.failed(done)
    }

    /// Serves the socket of one sender.
    pub(crate) fn serve(
        &mut self,
        registry: &Registry,
        number: usize,
        event: &Event,
        buffer: &mut [u8],
    ) -> Option<Failed> {
        let sender = &mut self.all[number];
        let done = sender
            .on_event(event, buffer)
            .and_then(|()| sender.next(self.address, registry, number));
        sender.failed(done)
    }
}

impl Sender {
    fn failed(&mut self, done: Result<(), Ending>) -> Option<Failed> {
        let ending = done.err()?;
        self.hang_up();
        Some((self.asking.take()?, ending))
    }

    fn hang_up(&mut self) {
        self.socket = None;
        self.connected = false;
        self.out.clear();
        self.answer.clear();
    }

    /// Begins with the next request if none is on its way.
    fn next(
        &mut self,
        address: SocketAddr,
        registry: &Registry,
        number: usize,
    ) -> Result<(), Ending> {
        if self.asking.is_none() {
            let Some((link, request)) = self.waiting.pop_front() else {
                return Ok(());
            };
            self.asking = Some(link);
            self.out = request;
            if self.socket.is_none() {
                let token = Token(FIRST + number);
                self.socket = Some(dial(address, registry, token).map_err(ending_of)?);
            }
        }
        self.flush()
    }

    fn on_event(&mut self, event: &Event, buffer: &mut [u8]) -> Result<(), Ending> {
        if event.is_writable() && !self.connected {
            self.connected = self.is_connected()?;
        }
        if event.is_readable() && self.connected {
            self.read(buffer)?;
        }
        Ok(())
    }

    fn is_connected(&self) -> Result<bool, Ending> {
        let Some(socket) = &self.socket else {
            return Ok(false);
        };
        match socket.take_error().map_err(ending_of)? {
            Some(error) => Err(ending_of(error)),
            None => Ok(socket.peer_addr().is_ok()),
        }
    }

    fn flush(&mut self) -> Result<(), Ending> {
        let mut written = 0;
        if let (Some(socket), true) = (&mut self.socket, self.connected) {
            while written < self.out.len() {
                match socket.write(&self.out[written..]) {
                    Ok(0) => return Err(Ending::EndOfStream),
                    Ok(count) => written += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(ending_of(error)),
                }
            }
        }
        self.out.drain(..written);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), Ending> {
        while let Some(socket) = &mut self.socket {
            match socket.read(buffer) {
                // A server may close what is idle: the next request opens another.
                Ok(0) if self.asking.is_none() => self.hang_up(),
                Ok(0) => return Err(Ending::EndOfStream),
                Ok(count) => {
                    self.answer.extend_from_slice(&buffer[..count]);
                    self.take_answer()?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if self.asking.is_none() => self.hang_up(),
                Err(error) => return Err(ending_of(error)),
            }
        }
        Ok(())
    }

    fn take_answer(&mut self) -> Result<(), Ending> {
        let Some(head) = parse_response(&self.answer)? else {
            return Ok(());
        };
        head.check_status("204")?;
        if head.body == BodyLength::Bytes(0) {
            let length = head.length;
            self.answer.drain(..length);
            self.asking = None;
        }
        Ok(())
    }
}

fn dial(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<TcpStream> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(socket)
}

fn ending_of(error: io::Error) -> Ending {
    Ending::Socket(error.kind())
}
