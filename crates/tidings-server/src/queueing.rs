//! Queues on a node: what changes one dispatches from it, and what it gives up becomes a dead letter.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tidings_core::message::Message;
use tidings_core::queue::{DeadLetter, Queue, TooManyQueues};

use crate::node::Node;
use crate::worker::{Consumer, Letter};

impl Node {
    /// Changes a queue, made if need be, and sends what it can deliver then on its way.
    ///
    /// Deliveries are posted under the lock of the queue, so that two workers that change it can't swap the order.
    pub(crate) fn with_queue<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Queue<Consumer>) -> T,
    ) -> Result<T, TooManyQueues> {
        let mut dead = Vec::new();
        let result = self.queues.with(name, |queue| {
            let result = change(queue);
            self.dispatch(queue, &mut dead);
            result
        });
        self.bury(dead);
        result
    }

    /// As [`Node::with_queue`], but `None` where there is no such queue.
    pub(crate) fn with_existing_queue<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Queue<Consumer>) -> T,
    ) -> Option<T> {
        let mut dead = Vec::new();
        let result = self.queues.with_existing(name, |queue| {
            let result = change(queue);
            self.dispatch(queue, &mut dead);
            result
        });
        self.bury(dead);
        result
    }

    fn dispatch(&self, queue: &mut Queue<Consumer>, dead: &mut Vec<DeadLetter>) {
        while let Some(delivery) = queue.poll_delivery(self.now_ms()) {
            let weight = delivery.message.weight();
            let worker = usize::from(delivery.consumer.worker);
            self.mailboxes[worker].post(Letter::Deliver(delivery), weight);
        }
        while let Some(letter) = queue.poll_dead_letter() {
            dead.push(letter);
        }
    }

    /// Moves what was delivered too often to the dead-letter queue. What fails there too is lost, and counted.
    fn bury(&self, dead: Vec<DeadLetter>) {
        let name = &self.config.queue.dead_letter;
        for letter in dead {
            let message = &*letter.message;
            if *message.destination == **name {
                self.telemetry.dropped("dead-letter-rejected", 1);
                continue;
            }
            let mut copy = Message {
                id: self.message_ids.next(),
                destination: name.as_str().into(),
                expires_at_ms: None,
                ..message.clone()
            };
            copy.headers
                .push("original-destination", &message.destination);
            copy.headers
                .push("dead-letter-reason", letter.reason.name());
            copy.headers
                .push("delivery-count", &letter.delivery_count.to_string());
            let buried =
                self.with_queue(name, |queue| queue.enqueue(self.now_ms(), Arc::new(copy)));
            if matches!(buried, Ok(Ok(()))) {
                self.telemetry.dead_letters.inc();
            } else {
                self.telemetry.dropped("dead-letter-queue-full", 1);
            }
        }
    }

    /// Drops what has expired, everywhere.
    pub(crate) fn expire(&self) {
        self.queues.expire_all(self.now_ms());
        let expired = self.queues.expired();
        let counted = self.expired_counted.swap(expired, Ordering::Relaxed);
        self.telemetry
            .dropped("expired", expired.saturating_sub(counted) as usize);
    }
}
