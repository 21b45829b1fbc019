//! From one message to the outboxes of many connections.

use std::rc::Rc;
use std::sync::Arc;

use hashbrown::HashSet;
use smallvec::SmallVec;
use tidings_core::disconnect::Reason;
use tidings_core::message::Message;
use tidings_core::queue::Delivery;
use tidings_stomp::{AckMode, Version};

use super::message_encoder::{Encoded, Form, MessageEncoder, NotText};
use super::subscription::{Consumer, GroupKey, Member, SubscriptionKind};
use super::{Connection, Letter, Worker};

impl Worker {
    /// Hands a topic message to every worker that has a subscriber for it; false where none has.
    pub(crate) fn publish(self: &Rc<Self>, message: Message) -> bool {
        let interest = self.node.interest_in(message.topic());
        let local = interest.contains(usize::from(self.id));
        let others: SmallVec<[usize; 8]> = (0..self.node.mailboxes.len())
            .filter(|other| *other != usize::from(self.id) && interest.contains(*other))
            .collect();
        if others.is_empty() {
            if local {
                self.deliver_topic(&message);
            }
            return local;
        }
        let message = Arc::new(message);
        let weight = message.weight();
        let mut outgoing = self.outgoing.borrow_mut();
        for other in others {
            outgoing[other].bytes += weight;
            outgoing[other]
                .letters
                .push(Letter::Publish(Arc::clone(&message)));
        }
        drop(outgoing);
        self.mailbox().nudge();
        if local {
            self.deliver_topic(&message);
        }
        true
    }

    /// Delivers a topic message to this worker's subscribers.
    pub(super) fn deliver_topic(self: &Rc<Self>, message: &Message) {
        let topics = self.topics.borrow();
        let mut encoder = MessageEncoder::of_topic(message, &self.node.message_ids);
        topics.visit(message.topic(), |subscribers| {
            subscribers.for_each_group(|group, members| {
                if group.acknowledges {
                    for member in members {
                        self.deliver_acknowledged(&mut encoder, group, *member);
                        self.flush_if_full(&mut encoder);
                    }
                } else {
                    let id = group.id.as_deref();
                    let Ok(encoded) = self.encode(&mut encoder, group.form, id, &[]) else {
                        for member in members {
                            self.refuse_binary(member.connection);
                        }
                        return;
                    };
                    for member in members {
                        self.push(member.connection, encoded);
                    }
                    self.tally
                        .delivered
                        .set(self.tally.delivered.get() + members.len() as u64);
                    self.flush_if_full(&mut encoder);
                }
            });
        });
    }

    /// How many sessions of this worker a message is for; one that has subscribed twice counts once.
    pub(super) fn sessions_of(&self, message: &Message) -> usize {
        let mut sessions = HashSet::new();
        self.topics.borrow().visit(message.topic(), |subscribers| {
            subscribers.for_each_group(|_, members| {
                sessions.extend(members.iter().map(|member| member.connection));
            });
        });
        sessions.len()
    }

    fn flush_if_full(self: &Rc<Self>, encoder: &mut MessageEncoder<'_>) {
        if self.turn.borrow().wants_flush() {
            self.flush();
            encoder.forget_spans();
        }
    }

    fn deliver_acknowledged(
        &self,
        encoder: &mut MessageEncoder<'_>,
        group: &GroupKey,
        member: Member,
    ) {
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
        let Ok(encoded) = self.encode(encoder, group.form, group.id.as_deref(), extra) else {
            self.refuse_binary(member.connection);
            return;
        };
        self.push(member.connection, encoded);
        self.tally.delivered.set(self.tally.delivered.get() + 1);
    }

    /// Delivers a queue's message to its consumer, or parks it while the outbox has enough. Where the consumer is gone,
    /// its queue has it back already.
    pub(super) fn deliver_queue(self: &Rc<Self>, delivery: Delivery<Consumer>) {
        let Some(connection) = self.connection_of(delivery.consumer) else {
            return;
        };
        if connection.has_room() && connection.parked.borrow().is_empty() {
            self.write_delivery(&connection, &delivery);
        } else {
            connection.parked.borrow_mut().push_back(delivery);
        }
    }

    /// Goes on with what is parked, as far as the outbox has room.
    pub(super) fn unpark(self: &Rc<Self>, connection: &Connection) {
        while connection.has_room() {
            let Some(delivery) = connection.parked.borrow_mut().pop_front() else {
                return;
            };
            self.write_delivery(connection, &delivery);
        }
    }

    fn connection_of(&self, consumer: Consumer) -> Option<Rc<Connection>> {
        let subscriptions = self.subscriptions.borrow();
        let subscription = subscriptions.get(consumer.key as usize)?;
        let connections = self.connections.borrow();
        let connection = connections.get(subscription.connection as usize)?;
        (subscription.serial == consumer.serial).then(|| Rc::clone(connection))
    }

    fn write_delivery(self: &Rc<Self>, connection: &Connection, delivery: &Delivery<Consumer>) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        let subscription = subscriptions.get_mut(delivery.consumer.key as usize);
        let Some(subscription) = subscription.filter(|one| one.serial == delivery.consumer.serial)
        else {
            return;
        };
        if let SubscriptionKind::Queue { written, .. } = &mut subscription.kind {
            *written += 1;
        }
        let message = &*delivery.message;
        let ack = format!("{}-{}", subscription.ordinal, message.id.0);
        let count = delivery.delivery_count.to_string();
        let mut extra = Vec::with_capacity(3);
        let is_auto = subscription.ack == AckMode::Auto;
        if !is_auto && has_ack_header(connection.version()) {
            extra.push(("ack", &*ack));
        }
        if delivery.delivery_count > 1 {
            extra.extend([("redelivered", "true"), ("delivery-count", &*count)]);
        }
        let mut encoder = MessageEncoder::of_queue(message, &self.node.message_ids);
        let encoded = self.encode(
            &mut encoder,
            connection.form(),
            subscription.id.as_deref(),
            &extra,
        );
        drop(subscriptions);
        let Ok(encoded) = encoded else {
            // It counts as delivered: after some clients of this kind it is a dead letter, not in everybody's way. So does
            // what is ahead of it, since deliveries count in their order.
            if let Some(listening) = &connection.listening {
                listening.borrow_mut().take_unheard();
            }
            self.doom(connection, Reason::BinaryOverSockJs);
            return;
        };
        if is_auto {
            connection.delivered_auto(delivery.consumer, message.id);
        }
        if let Some(listening) = &connection.listening {
            listening.borrow_mut().delivered(delivery.consumer);
        }
        self.push(connection.key().slot, encoded);
        self.tally.delivered.set(self.tally.delivered.get() + 1);
        if self.turn.borrow().wants_flush() {
            self.flush();
        }
    }

    fn encode(
        &self,
        encoder: &mut MessageEncoder<'_>,
        form: Form,
        id: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Result<Encoded, NotText> {
        encoder.encode(
            &mut self.turn.borrow_mut(),
            &mut self.deflater.borrow_mut(),
            form,
            id,
            extra,
        )
    }

    /// The link carries only text: its client is told so rather than sent something else.
    fn refuse_binary(&self, slot: u32) {
        if let Some(connection) = self.connections.borrow().get(slot as usize) {
            self.doom(connection, Reason::BinaryOverSockJs);
        }
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
