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
        let mut encoder = Encoder::of_topic(message, &self.node.message_ids);
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
        let mut encoder = Encoder::of_queue(message, &self.node.message_ids);
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
    /// What its whole frames and its heads are in the turn.
    units: (Unit, Unit),
    /// Text or binary, known once asked.
    opcode: Option<Opcode>,
}

impl<'a> Encoder<'a> {
    /// A topic's message, which a policy for slow consumers may drop, known by its destination.
    fn of_topic(message: &'a Message, ids: &'a MessageIds) -> Self {
        let mut hasher = DefaultHasher::new();
        message.destination.hash(&mut hasher);
        let key = hasher.finish();
        Self::new(message, ids, (Unit::Message { key }, Unit::Head { key }))
    }

    fn of_queue(message: &'a Message, ids: &'a MessageIds) -> Self {
        Self::new(message, ids, (Unit::Queued, Unit::QueuedHead))
    }

    fn new(message: &'a Message, ids: &'a MessageIds, units: (Unit, Unit)) -> Self {
        Self {
            message,
            ids,
            tails: [None, None, None],
            spans: [None; 3],
            units,
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
        let (whole_unit, head_unit) = self.units;
        let version = form.version as usize;
        let tail =
            self.tails[version].get_or_insert_with(|| tail(self.message, self.ids, form.version));
        let length = head.len() + tail.len();
        if form.wire == Wire::CompressedWebSocket && length >= COMPRESS_BYTES {
            let whole = compressed(turn, deflater, whole_unit, opcode, &head, tail);
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
            let whole = turn.append(whole_unit, |out| {
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
            head: turn.append(head_unit, write_head),
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
