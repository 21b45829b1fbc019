//! All queues of a node, by name, for all threads.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::hash_map::EntryRef;
use hashbrown::{DefaultHashBuilder, HashMap};

use super::{Account, Queue, QueueFull, QueueLimits, Reservation};
use crate::disconnect::Reason;

/// More shards than a large machine has cores, so that workers seldom wait for each other.
const SHARDS: usize = 64;

/// Limits of all queues together, and of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuesLimits {
    /// Queues that exist at the same time.
    pub max_queues: usize,
    /// Bytes of messages in all queues, reserved room included.
    pub max_total_bytes: u64,
    /// Of each queue.
    pub queue: QueueLimits,
}

/// The queues of a node. A queue begins when it is first used and ends when it is idle.
///
/// Each shard of names has one lock, which is held while a closure runs: inside a closure, use no method of the same
/// `Queues`, or the thread may wait for itself.
#[derive(Debug)]
pub struct Queues<C> {
    limits: QueuesLimits,
    total: Arc<Account>,
    count: AtomicUsize,
    expired: AtomicU64,
    hasher: DefaultHashBuilder,
    shards: Box<[Mutex<Shard<C>>]>,
}

type Shard<C> = HashMap<Box<str>, Queue<C>>;

/// What a queue is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStats {
    /// Its destination.
    pub name: Box<str>,
    /// Messages that wait for a consumer.
    pub waiting: usize,
    /// Messages that a consumer holds.
    pub unsettled: usize,
    /// Consumers.
    pub consumers: usize,
    /// Bytes in use.
    pub bytes: u64,
}

impl<C: Copy + Eq + Hash> Queues<C> {
    /// No queue yet.
    pub fn new(limits: QueuesLimits) -> Self {
        Self {
            limits,
            total: Arc::new(Account::new(limits.max_total_bytes)),
            count: AtomicUsize::new(0),
            expired: AtomicU64::new(0),
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }

    /// Runs `use_it` on the queue of this name, made if there is none, under its lock.
    ///
    /// # Errors
    /// [`TooManyQueues`]: it would be one too many, and `use_it` has not run.
    pub fn with<R>(
        &self,
        name: &str,
        use_it: impl FnOnce(&mut Queue<C>) -> R,
    ) -> Result<R, TooManyQueues> {
        let mut shard = self.lock(self.shard(name));
        if !shard.contains_key(name) {
            self.count_one_more()?;
            shard.insert(name.into(), Queue::new(self.limits.queue, &self.total));
        }
        let used = self.use_existing(&mut shard, name, use_it);
        Ok(used.expect("inserted above, under the same lock"))
    }

    /// Runs `use_it` on the queue of this name under its lock; `None` if there is none.
    pub fn with_existing<R>(
        &self,
        name: &str,
        use_it: impl FnOnce(&mut Queue<C>) -> R,
    ) -> Option<R> {
        let mut shard = self.lock(self.shard(name));
        self.use_existing(&mut shard, name, use_it)
    }

    fn use_existing<R>(
        &self,
        shard: &mut Shard<C>,
        name: &str,
        use_it: impl FnOnce(&mut Queue<C>) -> R,
    ) -> Option<R> {
        let EntryRef::Occupied(mut entry) = shard.entry_ref(name) else {
            return None;
        };
        let queue = entry.get_mut();
        let expired = queue.expired();
        let result = use_it(queue);
        let expired = queue.expired() - expired;
        if expired > 0 {
            self.expired.fetch_add(expired, Ordering::Relaxed);
        }
        if queue.is_idle() {
            entry.remove();
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        Some(result)
    }

    /// Sets room aside in the queue of this name, made if there is none, so that a COMMIT can be sure of it before it
    /// does anything. Use it with [`Queue::enqueue_reserved`].
    ///
    /// # Errors
    /// No room, or one queue too many.
    pub fn reserve(&self, name: &str, bytes: u64) -> Result<Reservation, ReserveError> {
        Ok(self.with(name, |queue| queue.reserve(bytes))??)
    }

    /// Drops a queue with all that is in it. Returns whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        let removed = self.lock(self.shard(name)).remove(name).is_some();
        if removed {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
        removed
    }

    /// Drops what has expired in every queue, and the queues that are idle. Returns how many messages.
    pub fn expire_all(&self, now_ms: u64) -> usize {
        let mut expired = 0;
        for shard in &self.shards {
            self.lock(shard).retain(|_, queue| {
                expired += queue.expire(now_ms);
                let keep = !queue.is_idle();
                if !keep {
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
                keep
            });
        }
        self.expired.fetch_add(expired as u64, Ordering::Relaxed);
        expired
    }

    /// Every queue, one shard after the other, in no order.
    pub fn snapshot(&self) -> Vec<QueueStats> {
        let mut all = Vec::with_capacity(self.len());
        for shard in &self.shards {
            all.extend(self.lock(shard).iter().map(|(name, queue)| QueueStats {
                name: name.clone(),
                waiting: queue.waiting(),
                unsettled: queue.unsettled(),
                consumers: queue.consumers(),
                bytes: queue.bytes(),
            }));
        }
        all
    }

    /// How many queues exist.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether no queue exists.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes in use in all queues.
    pub fn bytes(&self) -> u64 {
        self.total.used()
    }

    /// Messages that have expired since the start, in queues that have ended too.
    pub fn expired(&self) -> u64 {
        self.expired.load(Ordering::Relaxed)
    }

    fn count_one_more(&self) -> Result<(), TooManyQueues> {
        let limit = self.limits.max_queues;
        let order = Ordering::Relaxed;
        self.count
            .fetch_update(order, order, |count| (count < limit).then_some(count + 1))
            .map(|_| ())
            .map_err(|_| TooManyQueues { limit })
    }

    fn shard(&self, name: &str) -> &Mutex<Shard<C>> {
        &self.shards[self.hasher.hash_one(name) as usize % SHARDS]
    }

    /// A closure that panicked leaves a queue that is whole: no method of a queue runs a caller's code halfway.
    fn lock<'a>(&self, shard: &'a Mutex<Shard<C>>) -> MutexGuard<'a, Shard<C>> {
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One queue more than [`QueuesLimits::max_queues`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{limit} queues exist, which is the limit: use an existing one, or wait until one is empty and unused"
)]
pub struct TooManyQueues {
    /// The limit.
    pub limit: usize,
}

impl TooManyQueues {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::TooManyQueues
    }
}

/// Why no room could be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReserveError {
    /// No room.
    #[error(transparent)]
    Full(#[from] QueueFull),
    /// No queue of this name, and no more may be made.
    #[error(transparent)]
    TooMany(#[from] TooManyQueues),
}

impl ReserveError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Full(full) => full.reason(),
            Self::TooMany(too_many) => too_many.reason(),
        }
    }
}
