//! Queues: competing consumers, each message to exactly one of them until it is settled.

mod account;
mod held;
mod named;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;

use hashbrown::HashMap;

pub use account::{Account, QueueFull, Reservation};
pub use named::{QueueStats, Queues, QueuesLimits, ReserveError, TooManyQueues};

use crate::disconnect::Reason;
use crate::message::{Message, MessageId};
use held::Held;

/// Limits of one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Bytes of messages ([`Message::weight`]), waiting, unsettled or dead and not yet fetched, reserved room included.
    pub max_bytes: u64,
    /// How long a message that names no expiry of its own lives, in milliseconds.
    pub max_age_ms: u64,
    /// Deliveries of one message. When one comes back after its last, it is dead.
    pub max_deliveries: NonZeroU32,
}

/// One queue.
///
/// Messages leave in the order in which they came. What comes back (NACK, or its consumer left) takes its old place
/// again, which is in front of all that was never delivered, and goes to the consumer whose turn is next: another one
/// than before, if another one has credit. A consumer has credit while it holds fewer unsettled messages than its
/// prefetch, and those with credit take turns.
///
/// Message ids are unique within a queue.
#[derive(Debug)]
pub struct Queue<C> {
    limits: QueueLimits,
    account: Arc<Account>,
    next_place: u64,
    waiting: BTreeMap<u64, Entry>,
    /// Expiry and place of all that waits.
    expiries: BTreeSet<(u64, u64)>,
    consumers: HashMap<C, Consumer>,
    /// Consumers with credit; the first one is next.
    turns: BTreeMap<u64, C>,
    next_turn: u64,
    dead: VecDeque<DeadLetter>,
    unsettled: usize,
    expired: u64,
}

/// A message and what the queue knows about it.
#[derive(Debug)]
struct Entry {
    message: Arc<Message>,
    /// Its place in the order of arrival, for good.
    place: u64,
    expires_at_ms: u64,
    deliveries: u32,
    weight: u64,
}

#[derive(Debug)]
struct Consumer {
    prefetch: NonZeroU32,
    held: Held,
    /// Its key in [`Queue::turns`], while it has credit.
    turn: Option<u64>,
}

/// A message for a consumer, which holds it until it is settled.
#[derive(Debug, Clone)]
pub struct Delivery<C> {
    /// Who gets it.
    pub consumer: C,
    /// What it gets.
    pub message: Arc<Message>,
    /// 1 for the first delivery; from 2 on the message is marked redelivered.
    pub delivery_count: u32,
}

/// A message that was delivered as often as it may.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The message.
    pub message: Arc<Message>,
    /// What became of its last delivery.
    pub reason: DeadLetterReason,
    /// How often it was delivered.
    pub delivery_count: u32,
}

/// What became of the last delivery of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadLetterReason {
    /// The consumer refused it: NACK.
    Rejected,
    /// The consumer left without an answer.
    Abandoned,
}

impl DeadLetterReason {
    /// For the header `dead-letter-reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What a consumer says about a message it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It is done: forget it.
    Ack,
    /// It is refused: deliver it again, or bury it after [`QueueLimits::max_deliveries`].
    Nack,
}

/// The consumer does not hold this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this message is not waiting for an acknowledgement: acknowledge each message once, after it was delivered"
)]
pub struct NotOutstanding;

impl NotOutstanding {
    /// The code of this error.
    pub fn reason(self) -> Reason {
        Reason::UnknownAck
    }
}

impl<C: Copy + Eq + Hash> Queue<C> {
    /// An empty queue, whose bytes are also charged to `total`.
    pub fn new(limits: QueueLimits, total: &Arc<Account>) -> Self {
        Self {
            limits,
            account: Arc::new(Account::within(limits.max_bytes, total)),
            next_place: 0,
            waiting: BTreeMap::new(),
            expiries: BTreeSet::new(),
            consumers: HashMap::new(),
            turns: BTreeMap::new(),
            next_turn: 0,
            dead: VecDeque::new(),
            unsettled: 0,
            expired: 0,
        }
    }

    /// Adds a message at the end. Store it [detached](Message::detached).
    ///
    /// # Errors
    /// [`QueueFull`]: no room, even after what expired by `now_ms` was dropped.
    pub fn enqueue(&mut self, now_ms: u64, message: Arc<Message>) -> Result<(), QueueFull> {
        self.expire(now_ms);
        let weight = message.weight() as u64;
        self.account.take(weight)?;
        self.append(now_ms, message, weight);
        Ok(())
    }

    /// As [`enqueue`](Self::enqueue), with room from `reservation`; what it does not cover is taken as usual.
    ///
    /// # Errors
    /// [`QueueFull`]: never, if the reservation is of this queue and has enough left.
    pub fn enqueue_reserved(
        &mut self,
        now_ms: u64,
        message: Arc<Message>,
        reservation: &mut Reservation,
    ) -> Result<(), QueueFull> {
        let weight = message.weight() as u64;
        if !reservation.spend(&self.account, weight) {
            return self.enqueue(now_ms, message);
        }
        self.append(now_ms, message, weight);
        Ok(())
    }

    /// Sets room aside; dropping the reservation frees what is left of it. It knows no time, so call
    /// [`expire`](Self::expire) first where stale messages may fill the queue.
    ///
    /// # Errors
    /// [`QueueFull`].
    pub fn reserve(&self, bytes: u64) -> Result<Reservation, QueueFull> {
        Reservation::new(&self.account, bytes)
    }

    fn append(&mut self, now_ms: u64, message: Arc<Message>, weight: u64) {
        let max_age = now_ms.saturating_add(self.limits.max_age_ms);
        let entry = Entry {
            expires_at_ms: message.expires_at_ms.unwrap_or(max_age),
            message,
            place: self.next_place,
            deliveries: 0,
            weight,
        };
        self.next_place += 1;
        self.put(entry);
    }

    /// Adds a consumer that may hold up to `prefetch` unsettled messages, or changes the prefetch of one.
    pub fn subscribe(&mut self, consumer: C, prefetch: NonZeroU32) {
        self.consumers
            .entry(consumer)
            .or_insert_with(|| Consumer {
                prefetch,
                held: Held::default(),
                turn: None,
            })
            .prefetch = prefetch;
        self.update_turn(consumer);
    }

    /// Removes a consumer. All it holds comes back at once, each delivery counted, and what was delivered as often as
    /// it may is dead. Returns how many messages it held; 0 for a stranger.
    pub fn unsubscribe(&mut self, consumer: C) -> usize {
        self.unsubscribe_after(consumer, u64::MAX)
    }

    /// As [`unsubscribe`](Self::unsubscribe) of a consumer to which only the first `written` of its deliveries were
    /// written: the later ones don't count.
    pub fn unsubscribe_after(&mut self, consumer: C, written: u64) -> usize {
        let Some(mut gone) = self.consumers.remove(&consumer) else {
            return 0;
        };
        if let Some(turn) = gone.turn {
            self.turns.remove(&turn);
        }
        let held = gone.held.take_all();
        self.unsettled -= held.len();
        let count = held.len();
        for (delivery, mut entry) in held {
            if delivery >= written {
                entry.deliveries -= 1;
                self.put(entry);
            } else {
                self.give_back(entry, DeadLetterReason::Abandoned);
            }
        }
        count
    }

    /// Settles a message that `consumer` holds, with `cumulative` also all that were delivered to it before.
    /// Returns how many.
    ///
    /// # Errors
    /// [`NotOutstanding`], and nothing has changed.
    pub fn settle(
        &mut self,
        consumer: C,
        id: MessageId,
        settlement: Settlement,
        cumulative: bool,
    ) -> Result<usize, NotOutstanding> {
        let holder = self.consumers.get_mut(&consumer).ok_or(NotOutstanding)?;
        let settled = holder.held.take(id, cumulative).ok_or(NotOutstanding)?;
        let count = settled.len();
        self.unsettled -= count;
        for entry in settled {
            match settlement {
                Settlement::Ack => self.account.give(entry.weight),
                Settlement::Nack => self.give_back(entry, DeadLetterReason::Rejected),
            }
        }
        self.update_turn(consumer);
        Ok(count)
    }

    /// Whether `consumer` holds this message, so that [`settle`](Self::settle) would find it.
    pub fn is_outstanding(&self, consumer: C, id: MessageId) -> bool {
        let holder = self.consumers.get(&consumer);
        holder.is_some_and(|holder| holder.held.contains(id))
    }

    /// Hands the next message to the next consumer with credit. `None`: no such message or no such consumer.
    pub fn poll_delivery(&mut self, now_ms: u64) -> Option<Delivery<C>> {
        self.expire(now_ms);
        let first_turn = self.turns.first_entry()?;
        let (_, mut entry) = self.waiting.pop_first()?;
        let consumer = first_turn.remove();
        self.expiries.remove(&(entry.expires_at_ms, entry.place));
        entry.deliveries += 1;
        let delivery = Delivery {
            consumer,
            message: entry.message.clone(),
            delivery_count: entry.deliveries,
        };
        self.unsettled += 1;
        if let Some(holder) = self.consumers.get_mut(&consumer) {
            holder.turn = None;
            holder.held.push(entry);
        }
        self.update_turn(consumer);
        Some(delivery)
    }

    /// Takes out a dead letter. Until then it counts in [`bytes`](Self::bytes).
    ///
    /// Where it goes is for the caller; one that died in the dead-letter queue itself should go nowhere.
    pub fn poll_dead_letter(&mut self) -> Option<DeadLetter> {
        let dead = self.dead.pop_front()?;
        self.account.give(dead.message.weight() as u64);
        Some(dead)
    }

    /// Drops what waits and has expired by `now_ms`; returns how many. What a consumer holds does not expire.
    pub fn expire(&mut self, now_ms: u64) -> usize {
        let before = self.expiries.len();
        while let Some(&(expiry, place)) = self.expiries.first() {
            if expiry > now_ms {
                break;
            }
            self.expiries.pop_first();
            if let Some(entry) = self.waiting.remove(&place) {
                self.account.give(entry.weight);
            }
        }
        let count = before - self.expiries.len();
        self.expired += count as u64;
        count
    }

    /// When the next waiting message expires, in milliseconds since the Unix epoch.
    pub fn next_expiry(&self) -> Option<u64> {
        self.expiries.first().map(|(expiry, _)| *expiry)
    }

    /// Whether it holds no message, no consumer and no reservation: then nobody notices when it is dropped.
    pub fn is_idle(&self) -> bool {
        self.consumers.is_empty() && self.account.used() == 0
    }

    /// Messages that wait for a consumer.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Messages that a consumer holds.
    pub fn unsettled(&self) -> usize {
        self.unsettled
    }

    /// How many consumers there are.
    pub fn consumers(&self) -> usize {
        self.consumers.len()
    }

    /// Bytes in use, of [`QueueLimits::max_bytes`].
    pub fn bytes(&self) -> u64 {
        self.account.used()
    }

    /// Messages that have expired since the queue began.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    fn give_back(&mut self, entry: Entry, reason: DeadLetterReason) {
        if entry.deliveries < self.limits.max_deliveries.get() {
            self.put(entry);
            return;
        }
        self.dead.push_back(DeadLetter {
            message: entry.message,
            reason,
            delivery_count: entry.deliveries,
        });
    }

    fn put(&mut self, entry: Entry) {
        self.expiries.insert((entry.expires_at_ms, entry.place));
        self.waiting.insert(entry.place, entry);
    }

    /// Gives a consumer a turn behind the others when it has credit and none, and takes it away without.
    fn update_turn(&mut self, consumer: C) {
        let Some(holder) = self.consumers.get_mut(&consumer) else {
            return;
        };
        let credit = holder.held.len() < holder.prefetch.get() as usize;
        match holder.turn {
            None if credit => {
                self.turns.insert(self.next_turn, consumer);
                holder.turn = Some(self.next_turn);
                self.next_turn += 1;
            }
            Some(turn) if !credit => {
                self.turns.remove(&turn);
                holder.turn = None;
            }
            _ => {}
        }
    }
}

impl<C> Drop for Queue<C> {
    /// Gives back what it held of the total.
    fn drop(&mut self) {
        let waiting = self.waiting.values().map(|entry| entry.weight);
        let held = self
            .consumers
            .values()
            .map(|consumer| consumer.held.weight());
        let dead = self.dead.iter().map(|dead| dead.message.weight() as u64);
        self.account.give(waiting.chain(held).chain(dead).sum());
    }
}
