//! Frames in: bytes to events, strict and within limits (RFC 6455, section 5).

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    close::CloseCode,
    error::Error,
    event::Event,
    extension::DeflateParams,
    header::{Header, MAX_HEADER_LEN},
    inflate::Inflater,
    limits::Limits,
    mask,
    opcode::{MessageKind, Opcode, Role},
    utf8::{NotUtf8, Utf8Check},
};

/// Decodes what one connection receives.
///
/// Holds nothing on the heap between messages, and no input ever: [`decode`](Self::decode) takes all of it, so one read
/// buffer can serve all the connections of a worker. Within a compressed message it holds an inflater of about 40 KiB;
/// a caller that cares limits how long a message may take.
#[derive(Debug)]
pub struct Decoder {
    pending: Option<Box<Pending>>,
    limits: Limits,
    /// Bytes of the current frame's payload that have not arrived.
    remaining: u32,
    mask: [u8; 4],
    message_bytes: u32,
    fragments: u32,
    utf8: Utf8Check,
    role: Role,
    /// 0 where compression was not agreed.
    inflate_bits: u8,
    frame: Frame,
    fin: bool,
    message: Option<MessageKind>,
    compressed: bool,
    state: State,
}

/// What only exists in the middle of something.
#[derive(Debug, Default)]
struct Pending {
    header: [u8; MAX_HEADER_LEN],
    header_len: u8,
    /// At most 125 bytes.
    control: BytesMut,
    inflater: Option<Inflater>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// A head comes next.
    Head,
    /// The payload of a data frame comes next.
    Data,
    /// The payload of a control frame comes next.
    Control(Opcode),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Failed(Error),
}

impl Decoder {
    /// A decoder for what the end in this `role` receives. `deflate` is what the handshake agreed on.
    pub fn new(role: Role, limits: Limits, deflate: Option<DeflateParams>) -> Self {
        Self {
            pending: None,
            limits,
            remaining: 0,
            mask: [0; 4],
            message_bytes: 0,
            fragments: 0,
            utf8: Utf8Check::default(),
            role,
            inflate_bits: deflate.map_or(0, |params| params.inflate_bits(role)),
            frame: Frame::Head,
            fin: false,
            message: None,
            compressed: false,
            state: State::Open,
        }
    }

    /// Returns the next event. Call until it returns `None`: then `input` is empty and more bytes are needed.
    ///
    /// Payload is unmasked in place and handed out without a copy.
    ///
    /// # Errors
    /// When the other end breaks the protocol or a limit; every later call returns the same error. After a
    /// [`Close`](Event::Close) every call returns `None`. In both cases `input` is discarded.
    pub fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Error> {
        let result = match self.state {
            State::Open => self.advance(input),
            State::Closed => Ok(None),
            State::Failed(error) => Err(error),
        };
        match result {
            Ok(Some(Event::Close { .. })) => self.stop(State::Closed, input),
            Err(error) => self.stop(State::Failed(error), input),
            Ok(None) if self.state == State::Closed => input.clear(),
            Ok(_) => {}
        }
        result
    }

    /// Whether a message has begun and not ended: an end of input now cuts it.
    pub fn is_mid_message(&self) -> bool {
        self.message.is_some()
    }

    fn stop(&mut self, state: State, input: &mut BytesMut) {
        self.state = state;
        self.pending = None;
        input.clear();
    }

    fn advance(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.inflate()? {
                return Ok(Some(event));
            }
            let event = match self.frame {
                Frame::Head => match self.read_header(input)? {
                    Some(header) => {
                        self.begin(header)?;
                        None
                    }
                    None => return Ok(None),
                },
                _ if self.remaining > 0 && input.is_empty() => return Ok(None),
                Frame::Data => self.read_data(input)?,
                Frame::Control(opcode) => self.read_control(opcode, input)?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
    }

    /// Reads a head, from `input` alone or with the part that came before.
    fn read_header(&mut self, input: &mut BytesMut) -> Result<Option<Header>, Error> {
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.header_len > 0)
        {
            return self.resume_header(input);
        }
        if let Some((header, len)) = Header::parse(input, self.role)? {
            input.advance(len);
            return Ok(Some(header));
        }
        if !input.is_empty() {
            let pending = self.pending.get_or_insert_default();
            pending.header[..input.len()].copy_from_slice(input);
            pending.header_len = input.len() as u8;
            input.clear();
        }
        Ok(None)
    }

    fn resume_header(&mut self, input: &mut BytesMut) -> Result<Option<Header>, Error> {
        let pending = self.pending.get_or_insert_default();
        while !input.is_empty() {
            // A head is complete at 14 bytes at the latest, so there is room.
            pending.header[usize::from(pending.header_len)] = input.get_u8();
            pending.header_len += 1;
            let read = &pending.header[..usize::from(pending.header_len)];
            if let Some((header, _)) = Header::parse(read, self.role)? {
                pending.header_len = 0;
                self.release_pending();
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Checks a head against the message under way and against the limits, and gets ready for its payload.
    fn begin(&mut self, header: Header) -> Result<(), Error> {
        if header.opcode.is_control() {
            self.frame = Frame::Control(header.opcode);
        } else {
            self.begin_data(&header)?;
            self.fin = header.fin;
            self.frame = Frame::Data;
        }
        // Within the limit of a frame, which is a u32.
        self.remaining = header.payload_len as u32;
        self.mask = header.mask;
        Ok(())
    }

    fn begin_data(&mut self, header: &Header) -> Result<(), Error> {
        let kind = match header.opcode {
            Opcode::Text => Some(MessageKind::Text),
            Opcode::Binary => Some(MessageKind::Binary),
            _ => None,
        };
        if header.compressed && (kind.is_none() || self.inflate_bits == 0) {
            return Err(Error::ReservedBits);
        }
        match (self.message, kind) {
            (None, Some(_)) => {
                self.message = kind;
                self.compressed = header.compressed;
                self.message_bytes = 0;
                self.fragments = 0;
            }
            (Some(_), None) => {}
            (None, None) => return Err(Error::UnexpectedContinuation),
            (Some(_), Some(_)) => return Err(Error::ExpectedContinuation),
        }
        self.fragments += 1;
        if self.fragments > self.limits.max_fragments {
            return Err(Error::TooManyFragments);
        }
        if header.payload_len > u64::from(self.limits.max_frame_bytes) {
            return Err(Error::FrameTooLarge);
        }
        let room = self.limits.max_message_bytes - self.message_bytes;
        if !self.compressed && header.payload_len > u64::from(room) {
            return Err(Error::MessageTooLarge);
        }
        Ok(())
    }

    /// Takes what has arrived of a data frame's payload.
    fn read_data(&mut self, input: &mut BytesMut) -> Result<Option<Event>, Error> {
        let payload = self.take_payload(input);
        let frame_ends = self.remaining == 0;
        if frame_ends {
            self.frame = Frame::Head;
        }
        let message_ends = frame_ends && self.fin;
        if self.compressed {
            let bits = self.inflate_bits;
            let pending = self.pending.get_or_insert_default();
            let inflater = pending.inflater.get_or_insert_with(|| Inflater::new(bits));
            inflater.push(payload, message_ends);
            return Ok(None);
        }
        self.data_event(payload, message_ends)
    }

    /// Inflates the next piece of what has arrived.
    fn inflate(&mut self) -> Result<Option<Event>, Error> {
        let Some(inflater) = self
            .pending
            .as_mut()
            .and_then(|pending| pending.inflater.as_mut())
        else {
            return Ok(None);
        };
        let room = self.limits.max_message_bytes - self.message_bytes;
        let Some(piece) = inflater.next(room as usize)? else {
            return Ok(None);
        };
        if piece.end {
            self.pending.as_mut().map(|pending| pending.inflater.take());
            self.release_pending();
        }
        self.data_event(piece.content, piece.end)
    }

    fn data_event(&mut self, payload: Bytes, end: bool) -> Result<Option<Event>, Error> {
        if payload.is_empty() && !end {
            return Ok(None);
        }
        let kind = self.message.expect("data belongs to a message");
        // Both came through the limit of a message, which is a u32.
        self.message_bytes += payload.len() as u32;
        if kind == MessageKind::Text {
            self.utf8.push(&payload)?;
        }
        if end {
            self.utf8.finish()?;
            self.message = None;
        }
        Ok(Some(Event::Data { kind, payload, end }))
    }

    /// Takes a control frame's payload: whole from `input`, or gathered bit by bit.
    fn read_control(
        &mut self,
        opcode: Opcode,
        input: &mut BytesMut,
    ) -> Result<Option<Event>, Error> {
        let mut payload = self.take_payload(input);
        let gathering = self
            .pending
            .as_ref()
            .is_some_and(|pending| !pending.control.is_empty());
        if gathering || self.remaining > 0 {
            let pending = self.pending.get_or_insert_default();
            pending.control.extend_from_slice(&payload);
            if self.remaining > 0 {
                return Ok(None);
            }
            payload = std::mem::take(&mut pending.control).freeze();
            self.release_pending();
        }
        self.frame = Frame::Head;
        match opcode {
            Opcode::Ping => Ok(Some(Event::Ping(payload))),
            Opcode::Pong => Ok(Some(Event::Pong(payload))),
            _ => close_event(&payload).map(Some),
        }
    }

    /// Splits off and unmasks what has arrived of the current payload.
    fn take_payload(&mut self, input: &mut BytesMut) -> Bytes {
        let len = input.len().min(self.remaining as usize);
        let mut payload = input.split_to(len);
        if self.mask != [0; 4] {
            mask::apply(self.mask, &mut payload);
            self.mask = mask::advance(self.mask, len);
        }
        self.remaining -= len as u32;
        payload.freeze()
    }

    fn release_pending(&mut self) {
        let unused = |pending: &mut Box<Pending>| {
            pending.header_len == 0 && pending.control.is_empty() && pending.inflater.is_none()
        };
        self.pending.take_if(unused);
    }
}

/// Reads a close frame (RFC 6455, section 5.5.1).
fn close_event(payload: &[u8]) -> Result<Event, Error> {
    let (code, reason) = match payload {
        [] => (None, &[][..]),
        [high, low, reason @ ..] => (Some(CloseCode(u16::from_be_bytes([*high, *low]))), reason),
        [_] => return Err(Error::InvalidCloseCode),
    };
    if code.is_some_and(|code| !code.is_allowed_on_wire()) {
        return Err(Error::InvalidCloseCode);
    }
    let reason = std::str::from_utf8(reason)
        .map_err(|_| Error::InvalidUtf8)?
        .to_owned();
    Ok(Event::Close { code, reason })
}

impl From<NotUtf8> for Error {
    fn from(_: NotUtf8) -> Self {
        Self::InvalidUtf8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Deflater, ping_frame, write_frame};

    /// What is held after each byte of `wire`.
    fn holds(wire: &[u8]) -> Vec<bool> {
        let mut decoder = Decoder::new(
            Role::Client,
            Limits::default(),
            Some(DeflateParams::default()),
        );
        let after = |byte: &u8| {
            let mut input = BytesMut::from(&[*byte][..]);
            while decoder.decode(&mut input).expect("valid").is_some() {}
            decoder.pending.is_some()
        };
        wire.iter().map(after).collect()
    }

    #[test]
    fn nothing_is_held_on_the_heap_but_in_the_middle_of_something() {
        assert_eq!(holds(&ping_frame(b"ab", None)), [true, false, true, false]);
        assert_eq!(holds(b"\x81\x02ab"), [true, false, false, false]);
        let mut fragments = Vec::new();
        write_frame(&mut fragments, Opcode::Text, false, false, b"a", None);
        write_frame(
            &mut fragments,
            Opcode::Continuation,
            true,
            false,
            b"b",
            None,
        );
        assert_eq!(holds(&fragments), [true, false, false, true, false, false]);
        let compressed = Deflater::new(6, 15).message_frame(MessageKind::Text, &[b'x'; 100], None);
        assert_eq!(holds(&compressed).last(), Some(&false));
    }

    #[test]
    fn a_cut_message_is_noticed() {
        let mut decoder = Decoder::new(Role::Client, Limits::default(), None);
        let mut input = BytesMut::from(&b"\x01\x01a"[..]);
        while decoder.decode(&mut input).expect("valid").is_some() {}
        assert!(decoder.is_mid_message());
        let mut input = BytesMut::from(&b"\x80\x00"[..]);
        while decoder.decode(&mut input).expect("valid").is_some() {}
        assert!(!decoder.is_mid_message());
    }
}
