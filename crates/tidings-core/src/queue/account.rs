//! Bytes in use against a limit, shared between threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disconnect::Reason;

/// Bytes in use, of a limit; those of a queue also count in the account of all queues.
#[derive(Debug)]
pub struct Account {
    used: AtomicU64,
    limit: u64,
    total: Option<Arc<Self>>,
}

impl Account {
    /// An account of its own.
    pub fn new(limit: u64) -> Self {
        Self {
            used: AtomicU64::new(0),
            limit,
            total: None,
        }
    }

    pub(super) fn within(limit: u64, total: &Arc<Self>) -> Self {
        Self {
            total: Some(total.clone()),
            ..Self::new(limit)
        }
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, bytes: u64) -> Result<(), QueueFull> {
        if !self.take_own(bytes) {
            return Err(QueueFull::Queue { limit: self.limit });
        }
        match &self.total {
            Some(total) if !total.take_own(bytes) => {
                self.used.fetch_sub(bytes, Ordering::Relaxed);
                Err(QueueFull::Total { limit: total.limit })
            }
            _ => Ok(()),
        }
    }

    fn take_own(&self, bytes: u64) -> bool {
        let add = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.limit);
        let order = Ordering::Relaxed;
        self.used.fetch_update(order, order, add).is_ok()
    }

    pub(super) fn give(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(total) = &self.total {
            total.give(bytes);
        }
    }
}

/// Room in a queue that nobody else can take. Dropping it frees what is left.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<Account>,
    bytes: u64,
}

impl Reservation {
    pub(super) fn new(account: &Arc<Account>, bytes: u64) -> Result<Self, QueueFull> {
        account.take(bytes)?;
        Ok(Self {
            account: account.clone(),
            bytes,
        })
    }

    /// Bytes left.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Hands `bytes` over to the holder of `account`; `false` if it is another account or too little is left.
    pub(super) fn spend(&mut self, account: &Arc<Account>, bytes: u64) -> bool {
        let covered = Arc::ptr_eq(account, &self.account) && bytes <= self.bytes;
        if covered {
            self.bytes -= bytes;
        }
        covered
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.give(self.bytes);
    }
}

/// No room for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueueFull {
    /// [`QueueLimits::max_bytes`](super::QueueLimits::max_bytes).
    #[error(
        "the queue would hold more than {limit} bytes: send again when its consumers have caught up"
    )]
    Queue {
        /// The limit.
        limit: u64,
    },
    /// [`QueuesLimits::max_total_bytes`](super::QueuesLimits::max_total_bytes).
    #[error(
        "all queues together would hold more than {limit} bytes: send again when consumers have caught up"
    )]
    Total {
        /// The limit.
        limit: u64,
    },
}

impl QueueFull {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::QueueFull
    }
}
