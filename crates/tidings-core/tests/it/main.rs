//! Behaviour of the domain, seen from outside.

mod destinations;
mod disconnect_codes;
mod messages;
mod named_queues;
mod pattern_map;
mod queue;
mod queue_model;
mod rules;
mod transactions;

use std::sync::Arc;

use bytes::Bytes;
use tidings_core::message::{Message, MessageId};
use tidings_stomp::Headers;

/// A message to `/queue/a` with a body of `bytes`.
fn message(id: u64, bytes: usize) -> Arc<Message> {
    expiring(id, bytes, None)
}

fn expiring(id: u64, bytes: usize, expires_at_ms: Option<u64>) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId(id),
        destination: "/queue/a".into(),
        topic: None,
        headers: Headers::new(),
        body: Bytes::from(vec![b'x'; bytes]),
        expires_at_ms,
    })
}
