//! Temporary queues: private to a session, for replies.
//!
//! A client names `/temp-queue/NAME` in `reply-to` or subscribes to it; others see it as `/reply-queue/...` with a name
//! that nobody can guess. It ends with the session.

use std::num::NonZeroU32;

use tidings_core::destination::reply_queue;
use tidings_core::disconnect::Reason;
use tidings_stomp::AckMode;

use super::Session;
use crate::node::random_name;
use crate::refusal::Refusal;
use crate::worker::{Connection, NewSubscription, Worker};

/// A temporary queue of one session.
pub(super) struct TemporaryQueue {
    /// What the client calls it: NAME of `/temp-queue/NAME`.
    pub(super) alias: Box<str>,
    /// The destination that others send to.
    pub(super) name: Box<str>,
    /// The subscription that was made for the client when it only named the queue in `reply-to`.
    automatic: Option<u32>,
}

impl Session {
    /// The temporary queue that the client calls `alias`, made if need be.
    pub(super) fn temporary_queue(
        &mut self,
        worker: &Worker,
        alias: &str,
    ) -> Result<&mut TemporaryQueue, Refusal> {
        let limit = worker.node.config.session.max_subscriptions;
        let queues = &mut self.extras(&worker.node).temporary_queues;
        let found = queues.iter().position(|queue| *queue.alias == *alias);
        let index = match found {
            Some(index) => index,
            None if queues.len() >= limit => {
                return Err(Refusal::new(
                    Reason::TooManySubscriptions,
                    format!(
                        "the session has {limit} temporary queues already; use one for several replies"
                    ),
                ));
            }
            None => {
                queues.push(TemporaryQueue {
                    alias: alias.into(),
                    name: reply_queue(&random_name()).into(),
                    automatic: None,
                });
                queues.len() - 1
            }
        };
        Ok(&mut queues[index])
    }

    /// The destination for replies to `/temp-queue/ALIAS`. A client that has not subscribed to it hears them with
    /// `subscription:/temp-queue/ALIAS`.
    pub(super) fn reply_destination(
        &mut self,
        worker: &Worker,
        connection: &Connection,
        alias: &str,
    ) -> Result<Box<str>, Refusal> {
        let name = self.temporary_queue(worker, alias)?.name.clone();
        if self
            .find(worker, |one| one.destination() == &*name)
            .is_some()
        {
            return Ok(name);
        }
        self.ordinals += 1;
        let new = NewSubscription {
            id: Some(&format!("/temp-queue/{alias}")),
            ordinal: self.ordinals,
            ack: AckMode::Auto,
        };
        let prefetch =
            NonZeroU32::new(worker.node.config.queue.prefetch).unwrap_or(NonZeroU32::MIN);
        let key = worker.subscribe_queue(connection, &new, &name, prefetch)?;
        self.subscriptions.push(key);
        self.temporary_queue(worker, alias)?.automatic = Some(key);
        Ok(name)
    }

    /// The subscription has ended; if it was made for the client, another may be.
    pub(super) fn no_longer_automatic(&mut self, key: u32) {
        let queues = self
            .extras
            .iter_mut()
            .flat_map(|extras| &mut extras.temporary_queues);
        for queue in queues.filter(|queue| queue.automatic == Some(key)) {
            queue.automatic = None;
        }
    }

    /// The client subscribes by itself now: replies go to that subscription only.
    pub(super) fn forget_automatic(
        &mut self,
        worker: &Worker,
        connection: &Connection,
        alias: &str,
    ) {
        let Some(extras) = &mut self.extras else {
            return;
        };
        let queue = extras
            .temporary_queues
            .iter_mut()
            .find(|queue| *queue.alias == *alias);
        if let Some(key) = queue.and_then(|queue| queue.automatic.take()) {
            self.subscriptions.retain(|one| *one != key);
            worker.unsubscribe(connection, key);
        }
    }
}
