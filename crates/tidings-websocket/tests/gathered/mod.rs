//! What a decoder makes of an input that arrives in chunks, with the pieces of each message put together. Also used by
//! the fuzz target.

#![allow(dead_code, reason = "not every test needs all of it")]

use bytes::BytesMut;
use tidings_websocket::{
    CloseCode, Decoder, DeflateParams, Error, Event, Limits, MessageKind, Role,
};

/// An event, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gathered {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
}

/// How a conversation is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) role: Role,
    pub(crate) limits: Limits,
    pub(crate) deflate: Option<DeflateParams>,
}

impl Reading {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            limits: Limits::default(),
            deflate: None,
        }
    }

    pub(crate) fn compressed(role: Role) -> Self {
        Self {
            deflate: Some(DeflateParams::default()),
            ..Self::new(role)
        }
    }

    /// Decodes the chunks one after another: the whole events, and how it ended.
    pub(crate) fn read<'a>(
        &self,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Gathered>, Result<(), Error>) {
        let mut decoder = Decoder::new(self.role, self.limits, self.deflate);
        let mut gathered = Vec::new();
        let mut message = Vec::new();
        for chunk in chunks {
            let mut input = BytesMut::from(chunk);
            loop {
                match decoder.decode(&mut input) {
                    Ok(Some(event)) => gathered.extend(self.gather(event, &mut message)),
                    Ok(None) => break,
                    Err(error) => {
                        assert_eq!(decoder.decode(&mut input), Err(error), "an error stays");
                        return (gathered, Err(error));
                    }
                }
            }
            assert!(input.is_empty(), "the decoder takes all input");
        }
        (gathered, Ok(()))
    }

    fn gather(&self, event: Event, message: &mut Vec<u8>) -> Option<Gathered> {
        match event {
            Event::Data { kind, payload, end } => {
                assert!(
                    end || !payload.is_empty(),
                    "only the last piece may be empty"
                );
                message.extend_from_slice(&payload);
                assert!(message.len() <= self.limits.max_message_bytes as usize);
                end.then(|| {
                    assert!(kind == MessageKind::Binary || std::str::from_utf8(message).is_ok());
                    Gathered::Message(kind, std::mem::take(message))
                })
            }
            Event::Ping(payload) => Some(Gathered::Ping(payload.to_vec())),
            Event::Pong(payload) => Some(Gathered::Pong(payload.to_vec())),
            Event::Close { code, reason } => Some(Gathered::Close(code, reason)),
        }
    }
}

/// Holds for every input. Its first byte tells the role (bit 0), whether compression is on (bit 1), whether the limits
/// are narrow (bit 2), and the size of the chunks that it is read in a second time; the rest is what arrives.
pub(crate) fn check_any_input(input: &[u8]) {
    let Some((&settings, wire)) = input.split_first() else {
        return;
    };
    let role = if settings & 1 == 0 {
        Role::Server
    } else {
        Role::Client
    };
    let mut reading = if settings & 2 == 0 {
        Reading::new(role)
    } else {
        Reading::compressed(role)
    };
    if settings & 4 != 0 {
        reading.limits = Limits {
            max_frame_bytes: 64,
            max_message_bytes: 100,
            max_fragments: 3,
        };
    }
    let (events, end) = reading.read([wire]);
    let (events_in_chunks, end_in_chunks) =
        reading.read(wire.chunks(1 + usize::from(settings >> 3)));
    assert_eq!(events, events_in_chunks);
    if reading.deflate.is_none() {
        assert_eq!(end, end_in_chunks);
    } else {
        // Of two faults in one compressed frame, cuts decide which is met first.
        assert_eq!(end.is_ok(), end_in_chunks.is_ok());
    }
}
