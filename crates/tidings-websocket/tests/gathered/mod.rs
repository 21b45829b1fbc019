//! What a decoder makes of an input that arrives in chunks, with the pieces of each message put together. Also used by
//! the fuzz target.

use bytes::BytesMut;
use tidings_websocket::{
    CloseCode, Decoder, DeflateParams, Error, Event, Limits, MessageKind, Role,
};

/// An event, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gathered {
    Message(MessageKind, Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
}

/// How a conversation is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    pub role: Role,
    pub limits: Limits,
    pub deflate: Option<DeflateParams>,
}

impl Reading {
    pub fn new(role: Role) -> Self {
        Self {
            role,
            limits: Limits::default(),
            deflate: None,
        }
    }

    pub fn compressed(role: Role) -> Self {
        Self {
            deflate: Some(DeflateParams::default()),
            ..Self::new(role)
        }
    }

    /// Decodes the chunks one after another: the whole events, and how it ended.
    pub fn read<'a>(
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
