//! Subscribing and unsubscribing on a worker.

use tidings_core::destination::Pattern;
use tidings_core::message::MessageId;
use tidings_core::queue::Settlement;
use tidings_stomp::AckMode;

use super::message_encoder::Form;
use super::subscription::{GroupKey, Member, Subscribers};
use super::{Connection, Consumer, Subscription, SubscriptionKind, Worker};
use crate::node::Node;

/// What every new subscription has, whatever it listens to.
pub(crate) struct NewSubscription<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) ordinal: u32,
    pub(crate) ack: AckMode,
}

impl Worker {
    /// Subscribes to a topic or a pattern of topics. When this returns, every later publish of any worker reaches it.
    pub(crate) fn subscribe_topic(
        &self,
        connection: &Connection,
        new: &NewSubscription<'_>,
        form: Form,
        pattern: Pattern,
    ) -> u32 {
        let key = self.subscriptions.borrow().vacant_key() as u32;
        let group = GroupKey {
            form,
            acknowledges: new.ack != AckMode::Auto,
            id: new.id.map(Into::into),
        };
        let member = Member {
            connection: connection.key().slot,
            subscription: key,
        };
        let mut topics = self.topics.borrow_mut();
        let subscribers = topics.get_or_insert_with(&pattern, Subscribers::default);
        let first = subscribers.is_empty();
        let position = subscribers.add(group, member);
        if first {
            self.node.add_interest(&pattern, self.id);
        }
        drop(topics);
        let kind = SubscriptionKind::Topic {
            pattern,
            form,
            position,
            delivered: 0,
        };
        self.insert(connection, new, kind);
        key
    }

    /// Subscribes to a queue; messages that wait are on their way when this returns.
    pub(crate) fn subscribe_queue(
        &self,
        connection: &Connection,
        new: &NewSubscription<'_>,
        name: &str,
        prefetch: std::num::NonZeroU32,
    ) -> Result<u32, tidings_core::queue::TooManyQueues> {
        let kind = SubscriptionKind::Queue {
            name: name.into(),
            written: 0,
        };
        let key = self.insert(connection, new, kind);
        let consumer = self.consumer(key);
        let subscribed = self
            .node
            .with_queue(name, |queue| queue.subscribe(consumer, prefetch));
        if subscribed.is_err() {
            self.subscriptions.borrow_mut().remove(key as usize);
            self.node.telemetry.subscriptions.dec();
        }
        subscribed.map(|()| key)
    }

    /// Remembers a subscription that the application answers.
    pub(crate) fn subscribe_answered(
        &self,
        connection: &Connection,
        new: &NewSubscription<'_>,
        destination: &str,
    ) -> u32 {
        let destination = destination.into();
        self.insert(connection, new, SubscriptionKind::Answered { destination })
    }

    fn insert(
        &self,
        connection: &Connection,
        new: &NewSubscription<'_>,
        kind: SubscriptionKind,
    ) -> u32 {
        self.node.telemetry.subscriptions.inc();
        self.subscriptions.borrow_mut().insert(Subscription {
            connection: connection.key().slot,
            serial: self.next_serial(),
            id: new.id.map(Into::into),
            ordinal: new.ordinal,
            ack: new.ack,
            kind,
        }) as u32
    }

    fn consumer(&self, key: u32) -> Consumer {
        Consumer {
            worker: self.id,
            key,
            serial: self.subscriptions.borrow()[key as usize].serial,
        }
    }

    /// Ends a subscription; a queue gets back at once what it held. What is in the outbox counts as delivered, and where
    /// delivery is the acknowledgement it does not come back.
    pub(crate) fn unsubscribe(&self, connection: &Connection, key: u32) {
        let consumer = self.consumer(key);
        self.settle_written(connection.take_unwritten(consumer));
        let subscription = self.subscriptions.borrow_mut().remove(key as usize);
        self.node.telemetry.subscriptions.dec();
        match subscription.kind {
            SubscriptionKind::Answered { .. } => {}
            SubscriptionKind::Queue { name, written } => {
                connection.forget_parked(consumer);
                self.node
                    .with_existing_queue(&name, |queue| queue.unsubscribe_after(consumer, written));
            }
            SubscriptionKind::Topic {
                pattern,
                form,
                position,
                ..
            } => {
                let group = GroupKey {
                    form,
                    acknowledges: subscription.ack != AckMode::Auto,
                    id: subscription.id,
                };
                self.leave_topic(&pattern, &group, position);
            }
        }
    }

    fn leave_topic(&self, pattern: &Pattern, group: &GroupKey, left: u32) {
        let mut topics = self.topics.borrow_mut();
        let Some(subscribers) = topics.get_mut(pattern) else {
            return;
        };
        let moved = subscribers.remove(group, left);
        if subscribers.is_empty() {
            topics.remove(pattern);
            self.node.remove_interest(pattern, self.id);
        }
        drop(topics);
        if let Some(moved) = moved {
            let subscription = &mut self.subscriptions.borrow_mut()[moved.subscription as usize];
            if let SubscriptionKind::Topic { position, .. } = &mut subscription.kind {
                *position = left;
            }
        }
    }

    /// Looks at a subscription of this worker.
    pub(crate) fn with_subscription<T>(
        &self,
        key: u32,
        look: impl FnOnce(&Subscription) -> T,
    ) -> T {
        look(&self.subscriptions.borrow()[key as usize])
    }

    /// Acknowledges (or not) what a subscription got. `false` when the message does not wait for it.
    pub(crate) fn settle(&self, key: u32, message: MessageId, settlement: Settlement) -> bool {
        let consumer = self.consumer(key);
        let (name, cumulative) = {
            let subscriptions = self.subscriptions.borrow();
            let subscription = &subscriptions[key as usize];
            match &subscription.kind {
                SubscriptionKind::Topic { delivered, .. } => {
                    return subscription.ack != AckMode::Auto && message.0 <= *delivered;
                }
                SubscriptionKind::Answered { .. } => return false,
                SubscriptionKind::Queue { .. } if subscription.ack == AckMode::Auto => {
                    return false;
                }
                SubscriptionKind::Queue { name, .. } => {
                    (name.clone(), subscription.ack == AckMode::Client)
                }
            }
        };
        self.node
            .with_existing_queue(&name, |queue| {
                queue
                    .settle(consumer, message, settlement, cumulative)
                    .is_ok()
            })
            .unwrap_or(false)
    }

    /// Whether [`Worker::settle`] would find the message.
    pub(crate) fn is_outstanding(&self, key: u32, message: MessageId) -> bool {
        let consumer = self.consumer(key);
        let subscriptions = self.subscriptions.borrow();
        let subscription = &subscriptions[key as usize];
        if subscription.ack == AckMode::Auto {
            return false;
        }
        match &subscription.kind {
            SubscriptionKind::Answered { .. } => false,
            SubscriptionKind::Topic { delivered, .. } => message.0 <= *delivered,
            SubscriptionKind::Queue { name, .. } => self
                .node
                .with_existing_queue(name, |queue| queue.is_outstanding(consumer, message))
                .unwrap_or(false),
        }
    }

    /// Messages of `ack:auto` subscriptions are out: that is their acknowledgement.
    pub(super) fn settle_written(&self, messages: Vec<(Consumer, MessageId)>) {
        for (consumer, message) in messages {
            let Some(name) = self.queue_of(consumer) else {
                continue;
            };
            // It is outstanding unless the subscription has just ended; then its queue has it back.
            self.node.with_existing_queue(&name, |queue| {
                let _ = queue.settle(consumer, message, Settlement::Ack, false);
            });
        }
    }

    /// These deliveries, the last ones of each subscription, were not written after all.
    pub(super) fn uncount(&self, deliveries: Vec<Consumer>) {
        let mut subscriptions = self.subscriptions.borrow_mut();
        for consumer in deliveries {
            let subscription = subscriptions.get_mut(consumer.key as usize);
            let subscription = subscription.filter(|one| one.serial == consumer.serial);
            if let Some(SubscriptionKind::Queue { written, .. }) =
                subscription.map(|subscription| &mut subscription.kind)
            {
                *written = written.saturating_sub(1);
            }
        }
    }

    fn queue_of(&self, consumer: Consumer) -> Option<Box<str>> {
        let subscriptions = self.subscriptions.borrow();
        let subscription = subscriptions.get(consumer.key as usize)?;
        match &subscription.kind {
            SubscriptionKind::Queue { name, .. } if subscription.serial == consumer.serial => {
                Some(name.clone())
            }
            _ => None,
        }
    }
}

impl Node {
    pub(crate) fn add_interest(&self, pattern: &Pattern, worker: u16) {
        let mut interest = self
            .interest
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        interest
            .get_or_insert_with(pattern, Default::default)
            .add(worker);
    }

    fn remove_interest(&self, pattern: &Pattern, worker: u16) {
        let mut interest = self
            .interest
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if interest
            .get_mut(pattern)
            .is_some_and(|workers| workers.remove(worker))
        {
            interest.remove(pattern);
        }
    }

    /// The workers that have a subscriber for `destination`.
    pub(crate) fn interest_in(&self, destination: &str) -> super::Interest {
        let mut all = super::Interest::default();
        let interest = self
            .interest
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        interest.visit(destination, |workers| all.merge(workers));
        all
    }
}
