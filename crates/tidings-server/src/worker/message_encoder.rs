//! One message as frames: each part is encoded once, however many connections get it.

use std::hash::{DefaultHasher, Hash, Hasher};

use tidings_core::message::{Message, MessageIds};
use tidings_sockjs::frame;
use tidings_stomp::{Version, encoder};
use tidings_websocket::{Deflater, Opcode, encode_header};

use super::turn::{Span, Turn, Unit};
use crate::link::Wire;

/// Up to this size what all subscribers share is repeated after each different head, so that a delivery is one piece
/// and pieces that touch go out as one. Longer, it stands once and each head refers to it.
const SHARED_TAIL_BYTES: usize = 1024;

/// Shorter messages go out uncompressed: they would hardly shrink.
const COMPRESS_BYTES: usize = 256;

/// How a connection's frames look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Form {
    pub(crate) version: Version,
    pub(crate) wire: Wire,
}

/// The bytes of one delivery: a whole frame, or a head and the tail that others share.
#[derive(Clone, Copy)]
pub(super) struct Encoded {
    pub(super) head: Span,
    pub(super) tail: Option<Span>,
}

/// A message with a body that is not text, for a link that carries only text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotText;

/// Encodes one message, each part once: the tail once per version, the head once per group.
pub(super) struct MessageEncoder<'a> {
    pub(super) message: &'a Message,
    ids: &'a MessageIds,
    /// By version: everything from the message id to the NUL.
    tails: [Option<Vec<u8>>; VERSIONS],
    /// The same, escaped for SockJS.
    escaped: [Option<Vec<u8>>; VERSIONS],
    /// By version and [`TailKind`]: where a long tail stands in the turn.
    spans: [[Option<Span>; TAIL_KINDS]; VERSIONS],
    /// What its whole frames and its heads are in the turn.
    units: (Unit, Unit),
    /// Text or binary, known once asked.
    opcode: Option<Opcode>,
}

const VERSIONS: usize = 3;

/// What a long tail that many share looks like in the turn.
#[derive(Clone, Copy)]
enum TailKind {
    Stomp,
    SockJsWebSocket,
    SockJsChunk,
}

const TAIL_KINDS: usize = 3;

impl<'a> MessageEncoder<'a> {
    /// A topic's message, which a policy for slow consumers may drop, known by its destination.
    pub(super) fn of_topic(message: &'a Message, ids: &'a MessageIds) -> Self {
        let mut hasher = DefaultHasher::new();
        message.destination.hash(&mut hasher);
        let key = hasher.finish();
        Self::new(message, ids, (Unit::Message { key }, Unit::Head { key }))
    }

    pub(super) fn of_queue(message: &'a Message, ids: &'a MessageIds) -> Self {
        Self::new(message, ids, (Unit::Queued, Unit::QueuedHead))
    }

    fn new(message: &'a Message, ids: &'a MessageIds, units: (Unit, Unit)) -> Self {
        Self {
            message,
            ids,
            tails: [const { None }; VERSIONS],
            escaped: [const { None }; VERSIONS],
            spans: [[None; TAIL_KINDS]; VERSIONS],
            units,
            opcode: None,
        }
    }

    /// The turn was flushed: spans of it mean nothing any more.
    pub(super) fn forget_spans(&mut self) {
        self.spans = [[None; TAIL_KINDS]; VERSIONS];
    }

    pub(super) fn encode(
        &mut self,
        turn: &mut Turn,
        deflater: &mut Deflater,
        form: Form,
        id: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Result<Encoded, NotText> {
        let head = head(form.version, id, extra);
        let opcode = self.opcode(form.wire);
        if form.wire.is_sockjs() {
            return match opcode {
                Opcode::Text => Ok(self.encode_escaped(turn, form, &head)),
                _ => Err(NotText),
            };
        }
        let tail = self.tails[form.version as usize]
            .get_or_insert_with(|| tail(self.message, self.ids, form.version));
        let length = head.len() + tail.len();
        if form.wire == Wire::CompressedWebSocket && length >= COMPRESS_BYTES {
            let whole = compressed(turn, deflater, self.units.0, opcode, &head, tail);
            return Ok(Encoded {
                head: whole,
                tail: None,
            });
        }
        let write_head = |out: &mut Vec<u8>| {
            if form.wire != Wire::Tcp {
                out.extend_from_slice(&encode_header(opcode, true, false, length, None));
            }
            out.extend_from_slice(&head);
        };
        let span = &mut self.spans[form.version as usize][TailKind::Stomp as usize];
        Ok(append(turn, self.units, span, &write_head, &[tail]))
    }

    /// As a message of SockJS. JSON escapes character by character, so head and tail are escaped apart and the tail once.
    fn encode_escaped(&mut self, turn: &mut Turn, form: Form, head: &[u8]) -> Encoded {
        let version = form.version as usize;
        let tail =
            self.tails[version].get_or_insert_with(|| tail(self.message, self.ids, form.version));
        let tail = self.escaped[version].get_or_insert_with(|| escape(tail));
        let head = escape(head);
        let length = head.len() + tail.len();
        let (kind, end) = match form.wire {
            Wire::SockJs => (TailKind::SockJsChunk, frame::XHR_CHUNK_END),
            _ => (TailKind::SockJsWebSocket, frame::MESSAGE_END),
        };
        let write_head = |out: &mut Vec<u8>| {
            if form.wire == Wire::SockJs {
                frame::write_xhr_chunk_start(length, out);
            } else {
                let payload = frame::MESSAGE_START.len() + length + frame::MESSAGE_END.len();
                out.extend_from_slice(&encode_header(Opcode::Text, true, false, payload, None));
                out.extend_from_slice(frame::MESSAGE_START);
            }
            out.extend_from_slice(&head);
        };
        let span = &mut self.spans[version][kind as usize];
        append(turn, self.units, span, &write_head, &[tail, end])
    }

    /// A MESSAGE whose body is UTF-8 travels as text, any other as binary (RFC 6455, section 5.6).
    fn opcode(&mut self, wire: Wire) -> Opcode {
        if wire == Wire::Tcp {
            return Opcode::Binary;
        }
        *self
            .opcode
            .get_or_insert_with(|| match simdutf8::basic::from_utf8(&self.message.body) {
                Ok(_) => Opcode::Text,
                Err(_) => Opcode::Binary,
            })
    }
}

/// Appends a frame: whole, or where its tail is long only the head, and the tail if it does not stand there yet.
fn append(
    turn: &mut Turn,
    (whole_unit, head_unit): (Unit, Unit),
    shared: &mut Option<Span>,
    write_head: &dyn Fn(&mut Vec<u8>),
    tail: &[&[u8]],
) -> Encoded {
    let write_tail = |out: &mut Vec<u8>| tail.iter().for_each(|part| out.extend_from_slice(part));
    if tail.iter().map(|part| part.len()).sum::<usize>() <= SHARED_TAIL_BYTES {
        let whole = turn.append(whole_unit, |out| {
            write_head(out);
            write_tail(out);
        });
        return Encoded {
            head: whole,
            tail: None,
        };
    }
    let shared = *shared.get_or_insert_with(|| turn.append(Unit::Tail, write_tail));
    Encoded {
        head: turn.append(head_unit, write_head),
        tail: Some(shared),
    }
}

fn escape(stomp: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(stomp.len() + stomp.len() / 8);
    // Headers are text, and the body was found to be.
    frame::escape(&String::from_utf8_lossy(stomp), &mut escaped);
    escaped
}

fn compressed(
    turn: &mut Turn,
    deflater: &mut Deflater,
    unit: Unit,
    opcode: Opcode,
    head: &[u8],
    tail: &[u8],
) -> Span {
    let mut payload = Vec::with_capacity(head.len() + tail.len());
    payload.extend_from_slice(head);
    payload.extend_from_slice(tail);
    let mut packed = Vec::new();
    deflater.compress(&payload, &mut packed);
    turn.append(unit, |out| {
        out.extend_from_slice(&encode_header(opcode, true, true, packed.len(), None));
        out.extend_from_slice(&packed);
    })
}

fn head(version: Version, id: Option<&str>, extra: &[(&str, &str)]) -> Vec<u8> {
    let mut head = Vec::with_capacity(64);
    head.extend_from_slice(b"MESSAGE\n");
    if let Some(id) = id {
        encoder::write_header(&mut head, "subscription", id, version);
    }
    for (name, value) in extra {
        encoder::write_header(&mut head, name, value, version);
    }
    head
}

fn tail(message: &Message, ids: &MessageIds, version: Version) -> Vec<u8> {
    let mut tail = Vec::with_capacity(message.weight());
    tail.extend_from_slice(b"message-id:");
    ids.write(message.id, &mut tail);
    tail.push(b'\n');
    encoder::write_header(&mut tail, "destination", &message.destination, version);
    for (name, value) in message.headers.iter() {
        encoder::write_header(&mut tail, name, value, version);
    }
    encoder::write_body(&mut tail, &message.body);
    tail
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;
    use tidings_stomp::{Command, Decoder as StompDecoder, Frame, Headers, Item, Limits};
    use tidings_websocket::{Decoder, DeflateParams, Event, Limits as WsLimits, MessageKind, Role};

    use super::*;

    const VERSIONS: [Version; 3] = [Version::V1_0, Version::V1_1, Version::V1_2];
    const WIRES: [Wire; 5] = [
        Wire::Tcp,
        Wire::WebSocket,
        Wire::CompressedWebSocket,
        Wire::SockJsWebSocket,
        Wire::SockJs,
    ];

    fn forms() -> impl Iterator<Item = Form> {
        let all = |version| WIRES.map(|wire| Form { version, wire });
        VERSIONS.into_iter().flat_map(all)
    }

    fn message(headers: Headers, body: Vec<u8>) -> Message {
        Message {
            id: tidings_core::message::MessageId(7),
            destination: "/topic/a:b".into(),
            topic: None,
            headers,
            body: body.into(),
            expires_at_ms: None,
        }
    }

    fn deflater() -> Deflater {
        Deflater::new(3, 15)
    }

    /// What a connection gets: one frame of STOMP, and in what kind of message it came.
    fn read(turn: &Turn, encoded: Encoded, form: Form) -> (Option<MessageKind>, Frame) {
        let mut bytes = turn.slice(encoded.head).to_vec();
        if let Some(tail) = encoded.tail {
            bytes.extend_from_slice(turn.slice(tail));
        }
        let (kind, mut payload) = match form.wire {
            Wire::Tcp => (None, Bytes::from(bytes)),
            Wire::SockJs => (Some(MessageKind::Text), read_chunk(&bytes)),
            Wire::SockJsWebSocket => {
                let (kind, frame) = read_websocket(&bytes, Wire::WebSocket);
                (Some(kind), read_sockjs(&frame))
            }
            wire => {
                let (kind, payload) = read_websocket(&bytes, wire);
                (Some(kind), payload)
            }
        };
        let mut decoder = StompDecoder::new(Limits::default());
        decoder.set_version(form.version);
        let Ok(Some(Item::Frame(frame))) = decoder.decode(&mut payload) else {
            panic!("no frame in {payload:?}");
        };
        assert!(payload.is_empty(), "one frame, no more: {payload:?}");
        (kind, frame)
    }

    /// One chunk of HTTP with one frame of SockJS and the line feed of `xhr_streaming`.
    fn read_chunk(bytes: &[u8]) -> Bytes {
        let text = std::str::from_utf8(bytes).expect("SockJS is text");
        let (length, data) = text.split_once("\r\n").expect("a chunk has a head");
        let length = usize::from_str_radix(length, 16).expect("its length is hexadecimal");
        assert_eq!(&data[length..], "\r\n");
        read_sockjs(data[..length].trim_end_matches('\n').as_bytes())
    }

    /// A frame of SockJS with one message.
    fn read_sockjs(frame: &[u8]) -> Bytes {
        let array = frame.strip_prefix(b"a").expect("it is a frame of messages");
        let mut messages = tidings_sockjs::payload::decode(array).expect("it is an array");
        assert_eq!(messages.len(), 1);
        messages.remove(0).into()
    }

    fn read_websocket(bytes: &[u8], wire: Wire) -> (MessageKind, Bytes) {
        let deflate = (wire == Wire::CompressedWebSocket).then(DeflateParams::default);
        let mut decoder = Decoder::new(Role::Client, WsLimits::default(), deflate);
        let mut input = BytesMut::from(bytes);
        let mut whole = BytesMut::new();
        loop {
            match decoder.decode(&mut input) {
                Ok(Some(Event::Data { kind, payload, end })) => {
                    whole.extend_from_slice(&payload);
                    if end {
                        assert!(
                            matches!(decoder.decode(&mut input), Ok(None)),
                            "one message"
                        );
                        assert!(input.is_empty());
                        return (kind, whole.freeze());
                    }
                }
                other => panic!("{other:?} is no part of a message"),
            }
        }
    }

    /// What of a header reaches a client of this version.
    fn carried(text: &str, version: Version, is_name: bool) -> String {
        if version != Version::V1_0 {
            return text.replace('\0', " ");
        }
        let spaced = text.replace(['\n', '\r', '\0'], " ");
        let spaced = if is_name {
            spaced.replace(':', " ")
        } else {
            spaced
        };
        spaced.trim().to_owned()
    }

    fn expected(
        message: &Message,
        ids: &MessageIds,
        form: Form,
        own: &[(&str, &str)],
    ) -> Vec<(String, String)> {
        let id = ids.text(message.id);
        let length = message.body.len().to_string();
        let mut all = own.to_vec();
        all.extend([("message-id", &*id), ("destination", &*message.destination)]);
        all.extend(message.headers.iter());
        all.push(("content-length", &length));
        let carry = |(name, value): (&str, &str)| {
            (
                carried(name, form.version, true),
                carried(value, form.version, false),
            )
        };
        all.into_iter().map(carry).collect()
    }

    /// Lengths on both sides of what is shared and of what is compressed.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let len = prop_oneof![0usize..40, 200usize..300, 900usize..1100, 3000usize..70_000];
        (len, any::<[u8; 4]>(), any::<bool>()).prop_map(|(len, pattern, is_text)| {
            let bytes = pattern.iter().cycle().take(len).copied();
            if is_text {
                let text: String = bytes.map(char::from).collect();
                text.into_bytes()
            } else {
                bytes.collect()
            }
        })
    }

    fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
        let text = "[a-z:\\\\\n\r\0 é]{0,12}";
        prop::collection::vec((text.prop_map(|name| format!("x-{name}-x")), text), 0..4)
    }

    proptest! {
        #[test]
        fn what_was_sent_is_what_each_form_reads(
            headers in headers(),
            body in body(),
            id in prop::option::of("[a-z:\\\\é]{1,9}"),
            ack in any::<bool>(),
        ) {
            let headers: Headers = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
            let message = message(headers, body);
            let ids = MessageIds::new("node");
            let mut own: Vec<(&str, &str)> = id.iter().map(|id| ("subscription", &**id)).collect();
            let extra: &[(&str, &str)] = if ack { &[("ack", "3-7"), ("redelivered", "true")] } else { &[] };
            own.extend(extra);
            let (mut turn, mut deflater) = (Turn::default(), deflater());
            let mut encoder = MessageEncoder::of_topic(&message, &ids);
            // Twice, so that what was encoded first is what the second refers to.
            let encoded: Vec<_> = forms().chain(forms())
                .map(|form| (form, encoder.encode(&mut turn, &mut deflater, form, id.as_deref(), extra)))
                .collect();
            let is_text = std::str::from_utf8(&message.body).is_ok();
            for (form, encoded) in encoded {
                prop_assert_eq!(encoded.is_err(), form.wire.is_sockjs() && !is_text);
                let Ok(encoded) = encoded else { continue };
                let (kind, frame) = read(&turn, encoded, form);
                prop_assert_eq!(frame.command, Command::Message);
                let read: Vec<_> = frame.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                prop_assert_eq!(read, expected(&message, &ids, form, &own), "{:?}", form);
                prop_assert_eq!(&frame.body, &message.body);
                let expected = if is_text { MessageKind::Text } else { MessageKind::Binary };
                prop_assert_eq!(kind, (form.wire != Wire::Tcp).then_some(expected));
            }
        }
    }

    /// How many bytes of the turn `count` deliveries with different heads take.
    fn turn_bytes(wire: Wire, len: usize, count: usize) -> usize {
        let message = message(Headers::new(), vec![b'x'; len]);
        let ids = MessageIds::new("node");
        let (mut turn, mut deflater) = (Turn::default(), deflater());
        let mut encoder = MessageEncoder::of_topic(&message, &ids);
        let form = Form {
            version: Version::V1_2,
            wire,
        };
        let ends = (0..count).map(|at| {
            let id = format!("s{at}");
            let encoded = encoder.encode(&mut turn, &mut deflater, form, Some(&id), &[]);
            let encoded = encoded.expect("it is text");
            encoded
                .head
                .end
                .max(encoded.tail.map_or(0, |tail| tail.end))
        });
        ends.max().unwrap_or_default()
    }

    #[test]
    fn a_long_tail_stands_once_per_turn_whatever_the_heads() {
        for wire in [
            Wire::Tcp,
            Wire::WebSocket,
            Wire::SockJsWebSocket,
            Wire::SockJs,
        ] {
            let all = turn_bytes(wire, 100_000, 100);
            assert!(all < 100_000 + 100 * 64, "{wire:?}: {all} bytes");
        }
        // One body per delivery where it is short: each is one piece.
        assert!(turn_bytes(Wire::Tcp, 500, 100) > 100 * 500);
    }

    #[test]
    fn after_a_flush_the_long_tail_is_written_again() {
        let message = message(Headers::new(), vec![b'x'; 5000]);
        let ids = MessageIds::new("node");
        let (mut turn, mut deflater) = (Turn::default(), deflater());
        let mut encoder = MessageEncoder::of_topic(&message, &ids);
        let form = Form {
            version: Version::V1_1,
            wire: Wire::WebSocket,
        };
        for _ in 0..3 {
            let encoded = encoder.encode(&mut turn, &mut deflater, form, Some("s"), &[]);
            let encoded = encoded.expect("it is text");
            assert_eq!(read(&turn, encoded, form).1.body, message.body);
            turn.clear();
            encoder.forget_spans();
        }
    }

    #[test]
    fn messages_to_one_destination_have_one_key_and_others_another() {
        let ids = MessageIds::new("node");
        let key = |destination: &str, body: &str| {
            let message = Message {
                destination: destination.into(),
                ..message(Headers::new(), body.into())
            };
            MessageEncoder::of_topic(&message, &ids).units
        };
        assert_eq!(key("/topic/a", "one"), key("/topic/a", "two"));
        assert_ne!(key("/topic/a", "one"), key("/topic/b", "one"));
    }
}
