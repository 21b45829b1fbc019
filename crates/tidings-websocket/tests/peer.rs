//! A codec by other hands (tungstenite) at the other end, both ways and in both roles.

use std::{
    cell::RefCell,
    collections::VecDeque,
    io::{self, Read, Write},
    rc::Rc,
};

use bytes::BytesMut;
use tidings_websocket::{
    CloseCode, Decoder, Event, Limits, MessageKind, Opcode, Role, close_frame, message_frame,
    ping_frame, write_frame,
};
use tungstenite::{
    Message, WebSocket,
    protocol::{
        CloseFrame,
        frame::{Frame, coding},
    },
};

/// A pipe in memory: what the peer reads, and what it wrote.
#[derive(Clone, Default)]
struct Pipe {
    incoming: Rc<RefCell<VecDeque<u8>>>,
    outgoing: Rc<RefCell<Vec<u8>>>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.incoming.borrow_mut().read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            read => Ok(read),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Us at one end, tungstenite at the other.
struct Conversation {
    decoder: Decoder,
    pipe: Pipe,
    peer: WebSocket<Pipe>,
    mask: Option<[u8; 4]>,
}

impl Conversation {
    fn new(role: Role) -> Self {
        let pipe = Pipe::default();
        let (peer_role, mask) = match role {
            Role::Server => (tungstenite::protocol::Role::Client, None),
            Role::Client => (
                tungstenite::protocol::Role::Server,
                Some([0xDE, 0xAD, 0xBE, 0xEF]),
            ),
        };
        Self {
            decoder: Decoder::new(role, Limits::default(), None),
            peer: WebSocket::from_raw_socket(pipe.clone(), peer_role, None),
            pipe,
            mask,
        }
    }

    fn send(&self, bytes: &[u8]) {
        self.pipe.incoming.borrow_mut().extend(bytes);
    }

    fn receive(&mut self) -> Vec<Event> {
        let mut input = BytesMut::from(&self.pipe.outgoing.take()[..]);
        let mut events = Vec::new();
        while let Some(event) = self
            .decoder
            .decode(&mut input)
            .expect("the peer keeps to the protocol")
        {
            events.push(event);
        }
        events
    }
}

fn data(kind: MessageKind, payload: &[u8], end: bool) -> Event {
    Event::Data {
        kind,
        payload: payload.to_vec().into(),
        end,
    }
}

fn converse(role: Role) {
    let mut us = Conversation::new(role);
    let mask = us.mask;
    let long = "x".repeat(70_000);

    us.send(&message_frame(MessageKind::Text, "Grüße".as_bytes(), mask));
    us.send(&message_frame(MessageKind::Text, long.as_bytes(), mask));
    let mut fragments = Vec::new();
    write_frame(&mut fragments, Opcode::Binary, false, false, b"one ", mask);
    fragments.extend_from_slice(&ping_frame(b"alive?", mask));
    write_frame(
        &mut fragments,
        Opcode::Continuation,
        true,
        false,
        b"two",
        mask,
    );
    us.send(&fragments);
    assert_eq!(us.peer.read().expect("a message"), Message::text("Grüße"));
    assert_eq!(
        us.peer.read().expect("a message"),
        Message::text(long.clone())
    );
    assert_eq!(
        us.peer.read().expect("a ping"),
        Message::Ping("alive?".into())
    );
    assert_eq!(
        us.peer.read().expect("a message"),
        Message::binary(&b"one two"[..])
    );

    us.peer
        .send(Message::text(long.clone()))
        .expect("the pipe takes all");
    us.peer
        .send(Message::Ping("you?".into()))
        .expect("the pipe takes all");
    for (opcode, payload, fin) in [
        (coding::Data::Text, "a", false),
        (coding::Data::Continue, "b", true),
    ] {
        let fragment = Frame::message(payload, coding::OpCode::Data(opcode), fin);
        us.peer
            .send(Message::Frame(fragment))
            .expect("the pipe takes all");
    }
    let expected = [
        Event::Pong("alive?".into()),
        data(MessageKind::Text, long.as_bytes(), true),
        Event::Ping("you?".into()),
        data(MessageKind::Text, b"a", false),
        data(MessageKind::Text, b"b", true),
    ];
    assert_eq!(us.receive(), expected);

    us.send(&close_frame(Some(CloseCode::GOING_AWAY), "bye", mask));
    let close = CloseFrame {
        code: 1001.into(),
        reason: "bye".into(),
    };
    assert_eq!(
        us.peer.read().expect("a close frame"),
        Message::Close(Some(close))
    );
    us.peer.flush().ok();
    assert_eq!(
        us.receive(),
        [Event::Close {
            code: Some(CloseCode::GOING_AWAY),
            reason: "bye".into()
        }]
    );
}

#[test]
fn a_foreign_client_understands_our_server() {
    converse(Role::Server);
}

#[test]
fn a_foreign_server_understands_our_client() {
    converse(Role::Client);
}
