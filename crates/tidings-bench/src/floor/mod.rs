//! The floor: the cheapest loop that delivers STOMP messages over WebSocket or TCP.
//!
//! What it costs, no server can undercut by much on the same sockets: one thread, one epoll loop, a message encoded
//! once for all subscribers that share a subscription id, and at the end of each turn one `writev` per connection with
//! all that waits for it. It is no broker: no limits, no acknowledgements, no heart-beats, no checks.

mod peer;

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

use crate::wire::{Frame, Opcode, write_header};
use peer::Peer;

/// How often the loop asks whether it should end.
const LONGEST_TURN: Duration = Duration::from_millis(100);

/// One read buffer for all connections.
const READ_BUFFER_BYTES: usize = 256 * 1024;

const LISTENER: Token = Token(usize::MAX);

/// Serves connections until `ends` says so; it is asked about ten times a second.
///
/// # Errors
///
/// When the loop or the listener fails. A connection that fails is dropped.
pub fn serve(listener: TcpListener, ends: impl Fn() -> bool) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut floor = Floor::new(mio::net::TcpListener::from_std(listener))?;
    let mut events = Events::with_capacity(1024);
    while !ends() {
        match floor.poll.poll(&mut events, Some(LONGEST_TURN)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                LISTENER => floor.accept()?,
                Token(number) => floor.serve(number, event.is_readable(), event.is_writable()),
            }
        }
        floor.flush();
    }
    Ok(())
}

struct Floor {
    poll: Poll,
    listener: mio::net::TcpListener,
    peers: Vec<Option<Peer>>,
    topics: Topics,
    /// Peers with something to write at the end of the turn.
    dirty: Vec<usize>,
    buffer: Vec<u8>,
}

/// Destinations, matched exactly.
#[derive(Default)]
struct Topics {
    numbers: HashMap<Vec<u8>, usize>,
    subscribers: Vec<Vec<Subscriber>>,
    messages: u64,
}

struct Subscriber {
    peer: usize,
    id: Rc<[u8]>,
}

/// A message as it goes to subscribers with one id on one kind of link.
struct Encoded<'a> {
    id: &'a Rc<[u8]>,
    websocket: bool,
    bytes: Rc<[u8]>,
}

impl Floor {
    fn new(mut listener: mio::net::TcpListener) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            peers: Vec::new(),
            topics: Topics::default(),
            dirty: Vec::new(),
            buffer: vec![0; READ_BUFFER_BYTES],
        })
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(error) => return Err(error),
            };
            socket.set_nodelay(true)?;
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll
                .registry()
                .register(&mut socket, Token(self.peers.len()), interest)?;
            self.peers.push(Some(Peer::new(socket)));
        }
    }

    fn serve(&mut self, number: usize, readable: bool, writable: bool) {
        // The peer is out of its place while it is served, so that its frames can reach all the others.
        let Some(mut peer) = self.peers[number].take() else {
            return;
        };
        let mut frames = Frames {
            number,
            peers: &mut self.peers,
            topics: &mut self.topics,
            dirty: &mut self.dirty,
        };
        let read = !readable || peer.read(&mut self.buffer, &mut frames);
        let alive = read && (!writable || peer.write());
        if alive {
            if peer.waits() && !peer.dirty {
                peer.dirty = true;
                self.dirty.push(number);
            }
            self.peers[number] = Some(peer);
        } else {
            self.topics.forget(number);
        }
    }

    /// Writes what the turn left for each peer.
    fn flush(&mut self) {
        while let Some(number) = self.dirty.pop() {
            let Some(peer) = &mut self.peers[number] else {
                continue;
            };
            peer.dirty = false;
            if !peer.write() {
                self.peers[number] = None;
                self.topics.forget(number);
            }
        }
    }
}

/// What a peer's frames can reach while they are read.
struct Frames<'a> {
    number: usize,
    peers: &'a mut Vec<Option<Peer>>,
    topics: &'a mut Topics,
    dirty: &'a mut Vec<usize>,
}

impl Frames<'_> {
    /// Does what the frame asks; what is for the sender itself goes to `own`.
    fn on_frame(&mut self, frame: &Frame<'_>, websocket: bool, own: &mut Vec<Rc<[u8]>>) {
        let reply = |text: &[&[u8]]| encode(websocket, text);
        match frame.command {
            b"CONNECT" | b"STOMP" => {
                own.push(reply(&[b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0"]));
            }
            b"SUBSCRIBE" => self.subscribe(frame),
            b"SEND" => self.publish(frame, websocket, own),
            _ => {}
        }
        if let Some(receipt) = frame.header(b"receipt") {
            own.push(reply(&[b"RECEIPT\nreceipt-id:", receipt, b"\n\n\0"]));
        }
    }

    fn subscribe(&mut self, frame: &Frame<'_>) {
        let destination = frame.header(b"destination").unwrap_or_default();
        let topics = &mut *self.topics;
        let topic = match topics.numbers.get(destination) {
            Some(&topic) => topic,
            None => {
                topics
                    .numbers
                    .insert(destination.to_vec(), topics.subscribers.len());
                topics.subscribers.push(Vec::new());
                topics.subscribers.len() - 1
            }
        };
        topics.subscribers[topic].push(Subscriber {
            peer: self.number,
            id: frame.header(b"id").unwrap_or_default().into(),
        });
    }

    fn publish(&mut self, frame: &Frame<'_>, websocket: bool, own: &mut Vec<Rc<[u8]>>) {
        let destination = frame.header(b"destination").unwrap_or_default();
        let Some(&topic) = self.topics.numbers.get(destination) else {
            return;
        };
        self.topics.messages += 1;
        let rest = format!("\nmessage-id:{}\ndestination:", self.topics.messages);
        let length = format!("\ncontent-length:{}\n\n", frame.body.len());
        // The last frame encoded, for subscribers with the same id on the same kind of link.
        let mut last: Option<Encoded<'_>> = None;
        for Subscriber { peer, id } in &self.topics.subscribers[topic] {
            let is_own = *peer == self.number;
            let receiver = self.peers[*peer].as_mut();
            let over_websocket = receiver
                .as_ref()
                .map_or(websocket, |receiver| receiver.websocket);
            let bytes = match &last {
                Some(last) if last.id == id && last.websocket == over_websocket => {
                    Rc::clone(&last.bytes)
                }
                _ => encode(
                    over_websocket,
                    &[
                        b"MESSAGE\nsubscription:",
                        id,
                        rest.as_bytes(),
                        destination,
                        length.as_bytes(),
                        frame.body,
                        b"\0",
                    ],
                ),
            };
            last = Some(Encoded {
                id,
                websocket: over_websocket,
                bytes: Rc::clone(&bytes),
            });
            match receiver {
                None if is_own => own.push(bytes),
                None => {}
                Some(receiver) => {
                    receiver.push(bytes);
                    if !receiver.dirty {
                        receiver.dirty = true;
                        self.dirty.push(*peer);
                    }
                }
            }
        }
    }
}

impl Topics {
    fn forget(&mut self, peer: usize) {
        for subscribers in &mut self.subscribers {
            subscribers.retain(|subscriber| subscriber.peer != peer);
        }
    }
}

/// A STOMP frame, in parts, as it goes over the link.
fn encode(websocket: bool, parts: &[&[u8]]) -> Rc<[u8]> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(length + 10);
    if websocket {
        write_header(&mut bytes, Opcode::Text, length, None);
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.into()
}
