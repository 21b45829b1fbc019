//! From one message to the bytes of many connections.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use tidings_core::message::{Message, MessageIds};
use tidings_core::queue::Delivery;
use tidings_stomp::{AckMode, Version, encoder};
use tidings_websocket::{Deflater, Opcode, encode_header};

use super::subscription::{Consumer, GroupKey, Member, SubscriptionKind};
use super::turn::{Span, Turn, Unit};
use super::{Letter, Worker};

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

/// What carries STOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Tcp,
    WebSocket,
    /// WebSocket with permessage-deflate agreed.
    CompressedWebSocket,
}

/// The bytes of one delivery: a whole frame, or a head and the tail that others share.
#[derive(Clone, Copy)]
struct Encoded {
    head: Span,
    tail: Option<Span>,
}

impl Worker {
    /// Hands a topic message to every worker that has a subscriber for it.
    pub(crate) fn publish(self: &Rc<Self>, message: Message) {
        let interest = self.node.interest_in(&message.destination);
        let local = interest.contains(usize::from(self.id));
        let mut outgoing = self.outgoing.borrow_mut();
        let mut others = (0..outgoing.len())
            .filter(|other| *other != usize::from(self.id) && interest.contains(*other));
        let Some(first) = others.next() else {
            if local {
                self.deliver_topic(&message);
            }
            return;
        };
        let message = Arc::new(message);
        for other in std::iter::once(first).chain(others.collect::<SmallVec<[usize; 8]>>()) {
            outgoing[other].bytes += message.weight();
            outgoing[other]
                .letters
                .push(Letter::Publish(Arc::clone(&message)));
        }
        drop(outgoing);
        self.mailbox().nudge();
        if local {
            self.deliver_topic(&message);
        }
    }

    /// Delivers a topic message to this worker's subscribers.
    pub(super) fn deliver_topic(self: &Rc<Self>, message: &Message) {
        let topics = self.topics.borrow();
        let mut encoder = Encoder::new(message, &self.node.message_ids);
        topics.visit(&message.destination, |subscribers| {
            subscribers.for_each_group(|group, members| {
                if group.acknowledges {
                    for member in members {
                        self.deliver_acknowledged(&mut encoder, group, *member);
                    }
                } else {
                    let encoded = self.encode(&mut encoder, group.form, group.id.as_deref(), &[]);
                    for member in members {
                        self.push(member.connection, encoded);
                    }
                    self.tally
                        .delivered
                        .set(self.tally.delivered.get() + members.len() as u64);
                }
                if self.turn.borrow().wants_flush() {
                    self.flush();
                    encoder.forget_spans();
                }
            });
        });
    }

    fn deliver_acknowledged(&self, encoder: &mut Encoder<'_>, group: &GroupKey, member: Member) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        let Some(subscription) = subscriptions.get_mut(member.subscription as usize) else {
            return;
        };
        let id = encoder.message.id.0;
        if let SubscriptionKind::Topic { delivered, .. } = &mut subscription.kind {
            *delivered = id.max(*delivered);
        }
        let ack = format!("{}-{id}", subscription.ordinal);
        let extra: &[_] = if has_ack_header(group.form.version) {
            &[("ack", &*ack)]
        } else {
            &[]
        };
        let encoded = self.encode(encoder, group.form, group.id.as_deref(), extra);
        self.push(member.connection, encoded);
        self.tally.delivered.set(self.tally.delivered.get() + 1);
    }

    /// Delivers a queue's message to its consumer. One that is gone was given back by its queue already.
    pub(super) fn deliver_queue(self: &Rc<Self>, delivery: &Delivery<Consumer>) {
        let subscriptions = self.subscriptions.borrow();
        let Some(subscription) = subscriptions
            .get(delivery.consumer.key as usize)
            .filter(|subscription| subscription.serial == delivery.consumer.serial)
        else {
            return;
        };
        let Some(connection) = self
            .connections
            .borrow()
            .get(subscription.connection as usize)
            .map(Rc::clone)
        else {
            return;
        };
        let message = &*delivery.message;
        let ack = format!("{}-{}", subscription.ordinal, message.id.0);
        let count = delivery.delivery_count.to_string();
        let mut extra = Vec::with_capacity(3);
        if subscription.ack == AckMode::Auto {
            connection.delivered_auto(delivery.consumer, message.id);
        } else if has_ack_header(connection.version()) {
            extra.push(("ack", &*ack));
        }
        if delivery.delivery_count > 1 {
            extra.extend([("redelivered", "true"), ("delivery-count", &*count)]);
        }
        let mut encoder = Encoder::new(message, &self.node.message_ids);
        let encoded = self.encode(
            &mut encoder,
            connection.form(),
            subscription.id.as_deref(),
            &extra,
        );
        self.push(subscription.connection, encoded);
        self.tally.delivered.set(self.tally.delivered.get() + 1);
        if self.turn.borrow().wants_flush() {
            drop(subscriptions);
            self.flush();
        }
    }

    fn encode(
        &self,
        encoder: &mut Encoder<'_>,
        form: Form,
        id: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Encoded {
        encoder.encode(
            &mut self.turn.borrow_mut(),
            &mut self.deflater.borrow_mut(),
            form,
            id,
            extra,
        )
    }

    fn push(&self, slot: u32, encoded: Encoded) {
        let connections = self.connections.borrow();
        let Some(connection) = connections.get(slot as usize) else {
            return;
        };
        if connection.push(encoded.head) {
            self.mark_dirty(slot);
        }
        if let Some(tail) = encoded.tail {
            connection.push(tail);
        }
    }
}

/// Only 1.2 has it; before, an ACK names the message id (STOMP 1.2, "Protocol Changes").
fn has_ack_header(version: Version) -> bool {
    version >= Version::V1_2
}

/// Encodes one message, each part once: the tail once per version, the head once per group.
struct Encoder<'a> {
    message: &'a Message,
    ids: &'a MessageIds,
    /// By version: everything from the message id to the NUL.
    tails: [Option<Vec<u8>>; 3],
    /// By version: where a long tail stands in the turn.
    spans: [Option<Span>; 3],
    /// Destination of the message, for the policy that keeps the latest of each.
    key: u64,
    /// Text or binary, known once asked.
    opcode: Option<Opcode>,
}

impl<'a> Encoder<'a> {
    fn new(message: &'a Message, ids: &'a MessageIds) -> Self {
        let mut hasher = DefaultHasher::new();
        message.destination.hash(&mut hasher);
        Self {
            message,
            ids,
            tails: [None, None, None],
            spans: [None; 3],
            key: hasher.finish(),
            opcode: None,
        }
    }

    /// The turn was flushed: spans of it mean nothing any more.
    fn forget_spans(&mut self) {
        self.spans = [None; 3];
    }

    fn encode(
        &mut self,
        turn: &mut Turn,
        deflater: &mut Deflater,
        form: Form,
        id: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Encoded {
        let head = head(form.version, id, extra);
        let opcode = self.opcode(form.wire);
        let key = self.key;
        let version = form.version as usize;
        let tail =
            self.tails[version].get_or_insert_with(|| tail(self.message, self.ids, form.version));
        let length = head.len() + tail.len();
        if form.wire == Wire::CompressedWebSocket && length >= COMPRESS_BYTES {
            let whole = compressed(turn, deflater, key, opcode, &head, tail);
            return Encoded {
                head: whole,
                tail: None,
            };
        }
        let write_head = |out: &mut Vec<u8>| {
            if form.wire != Wire::Tcp {
                out.extend_from_slice(&encode_header(opcode, true, false, length, None));
            }
            out.extend_from_slice(&head);
        };
        if tail.len() <= SHARED_TAIL_BYTES {
            let whole = turn.append(Unit::Message { key }, |out| {
                write_head(out);
                out.extend_from_slice(tail);
            });
            return Encoded {
                head: whole,
                tail: None,
            };
        }
        let shared = *self.spans[version]
            .get_or_insert_with(|| turn.append(Unit::Tail, |out| out.extend_from_slice(tail)));
        Encoded {
            head: turn.append(Unit::Head { key }, write_head),
            tail: Some(shared),
        }
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

fn compressed(
    turn: &mut Turn,
    deflater: &mut Deflater,
    key: u64,
    opcode: Opcode,
    head: &[u8],
    tail: &[u8],
) -> Span {
    let mut payload = Vec::with_capacity(head.len() + tail.len());
    payload.extend_from_slice(head);
    payload.extend_from_slice(tail);
    let mut packed = Vec::new();
    deflater.compress(&payload, &mut packed);
    turn.append(Unit::Message { key }, |out| {
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
    const WIRES: [Wire; 3] = [Wire::Tcp, Wire::WebSocket, Wire::CompressedWebSocket];

    fn forms() -> impl Iterator<Item = Form> {
        let all = |version| WIRES.map(|wire| Form { version, wire });
        VERSIONS.into_iter().flat_map(all)
    }

    fn message(headers: Headers, body: Vec<u8>) -> Message {
        Message {
            id: tidings_core::message::MessageId(7),
            destination: "/topic/a:b".into(),
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
            let mut encoder = Encoder::new(&message, &ids);
            // Twice, so that what was encoded first is what the second refers to.
            let encoded: Vec<_> = forms().chain(forms())
                .map(|form| (form, encoder.encode(&mut turn, &mut deflater, form, id.as_deref(), extra)))
                .collect();
            for (form, encoded) in encoded {
                let (kind, frame) = read(&turn, encoded, form);
                prop_assert_eq!(frame.command, Command::Message);
                let read: Vec<_> = frame.headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
                prop_assert_eq!(read, expected(&message, &ids, form, &own), "{:?}", form);
                prop_assert_eq!(&frame.body, &message.body);
                let is_text = std::str::from_utf8(&message.body).is_ok();
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
        let mut encoder = Encoder::new(&message, &ids);
        let form = Form {
            version: Version::V1_2,
            wire,
        };
        let ends = (0..count).map(|at| {
            let id = format!("s{at}");
            let encoded = encoder.encode(&mut turn, &mut deflater, form, Some(&id), &[]);
            encoded
                .head
                .end
                .max(encoded.tail.map_or(0, |tail| tail.end))
        });
        ends.max().unwrap_or_default()
    }

    #[test]
    fn a_long_tail_stands_once_per_turn_whatever_the_heads() {
        for wire in [Wire::Tcp, Wire::WebSocket] {
            let all = turn_bytes(wire, 100_000, 100);
            assert!(all < 100_000 + 100 * 64, "{all} bytes");
        }
        // One body per delivery where it is short: each is one piece.
        assert!(turn_bytes(Wire::Tcp, 500, 100) > 100 * 500);
    }

    #[test]
    fn after_a_flush_the_long_tail_is_written_again() {
        let message = message(Headers::new(), vec![b'x'; 5000]);
        let ids = MessageIds::new("node");
        let (mut turn, mut deflater) = (Turn::default(), deflater());
        let mut encoder = Encoder::new(&message, &ids);
        let form = Form {
            version: Version::V1_1,
            wire: Wire::WebSocket,
        };
        for _ in 0..3 {
            let encoded = encoder.encode(&mut turn, &mut deflater, form, Some("s"), &[]);
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
            Encoder::new(&message, &ids).key
        };
        assert_eq!(key("/topic/a", "one"), key("/topic/a", "two"));
        assert_ne!(key("/topic/a", "one"), key("/topic/b", "one"));
    }
}
