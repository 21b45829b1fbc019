//! What one consumer holds, in the order in which it was delivered.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::Entry;
use crate::message::MessageId;

/// The unsettled messages of one consumer. Allocates nothing while there are none.
///
/// Delivery order is not id order once a message came back, hence the two maps; both are needed so that a consumer with
/// a large prefetch that acknowledges in the worst order costs no more than another.
#[derive(Debug, Default)]
pub(super) struct Held {
    next: u64,
    by_delivery: BTreeMap<u64, Entry>,
    deliveries: HashMap<MessageId, u64>,
}

impl Held {
    pub(super) fn push(&mut self, entry: Entry) {
        self.deliveries.insert(entry.message.id, self.next);
        self.by_delivery.insert(self.next, entry);
        self.next += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.by_delivery.len()
    }

    pub(super) fn contains(&self, id: MessageId) -> bool {
        self.deliveries.contains_key(&id)
    }

    pub(super) fn weight(&self) -> u64 {
        self.by_delivery.values().map(|entry| entry.weight).sum()
    }

    /// Takes out the message, with `earlier` also all that were delivered before it. `None` if it is not here.
    pub(super) fn take(&mut self, id: MessageId, earlier: bool) -> Option<Vec<Entry>> {
        let delivery = *self.deliveries.get(&id)?;
        let mut taken = Vec::new();
        if earlier {
            let later = self.by_delivery.split_off(&(delivery + 1));
            taken.extend(std::mem::replace(&mut self.by_delivery, later).into_values());
        } else {
            taken.extend(self.by_delivery.remove(&delivery));
        }
        for entry in &taken {
            self.deliveries.remove(&entry.message.id);
        }
        Some(taken)
    }

    /// All, each with its number among the deliveries to this consumer, from 0.
    pub(super) fn take_all(&mut self) -> Vec<(u64, Entry)> {
        self.deliveries.clear();
        std::mem::take(&mut self.by_delivery).into_iter().collect()
    }
}
