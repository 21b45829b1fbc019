//! Open transactions of one session (STOMP 1.2, "BEGIN", "COMMIT", "ABORT").

use hashbrown::HashMap;

use crate::disconnect::Reason;

/// What all open transactions of one session may hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLimits {
    /// Transactions open at the same time.
    pub max_open: usize,
    /// Actions (SEND, ACK, NACK).
    pub max_actions: usize,
    /// Bytes, as [`Transactions::push`] is told.
    pub max_bytes: usize,
}

/// The open transactions of one session: actions held back until COMMIT. Dropping it aborts them all.
#[derive(Debug)]
pub struct Transactions<A> {
    limits: TransactionLimits,
    open: HashMap<Box<str>, Transaction<A>>,
    actions: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Transaction<A> {
    actions: Vec<A>,
    bytes: usize,
}

impl<A> Transactions<A> {
    /// No transaction yet; nothing is allocated before the first.
    pub fn new(limits: TransactionLimits) -> Self {
        Self {
            limits,
            open: HashMap::new(),
            actions: 0,
            bytes: 0,
        }
    }

    /// Opens a transaction. An id may be used again once its transaction has ended.
    ///
    /// # Errors
    /// [`TransactionError::Exists`], [`TransactionError::TooMany`].
    pub fn begin(&mut self, id: &str) -> Result<(), TransactionError> {
        if self.open.contains_key(id) {
            return Err(TransactionError::Exists);
        }
        if self.open.len() >= self.limits.max_open {
            return Err(TransactionError::TooMany {
                limit: self.limits.max_open,
            });
        }
        let transaction = Transaction {
            actions: Vec::new(),
            bytes: 0,
        };
        self.open.insert(id.into(), transaction);
        Ok(())
    }

    /// Whether a transaction of this id is open.
    pub fn contains(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }

    /// Adds an action that costs `bytes` of memory while it is held.
    ///
    /// # Errors
    /// [`TransactionError::Unknown`]; [`TransactionError::TooLarge`], which leaves the transaction as it was.
    pub fn push(&mut self, id: &str, action: A, bytes: usize) -> Result<(), TransactionError> {
        let transaction = self.open.get_mut(id).ok_or(TransactionError::Unknown)?;
        let total = self.bytes.saturating_add(bytes);
        if self.actions >= self.limits.max_actions || total > self.limits.max_bytes {
            return Err(TransactionError::TooLarge {
                max_actions: self.limits.max_actions,
                max_bytes: self.limits.max_bytes,
            });
        }
        transaction.actions.push(action);
        transaction.bytes += bytes;
        self.actions += 1;
        self.bytes = total;
        Ok(())
    }

    /// Ends a transaction; its actions, in order, are now to be carried out.
    ///
    /// # Errors
    /// [`TransactionError::Unknown`].
    pub fn commit(&mut self, id: &str) -> Result<Vec<A>, TransactionError> {
        let transaction = self.open.remove(id).ok_or(TransactionError::Unknown)?;
        self.actions -= transaction.actions.len();
        self.bytes -= transaction.bytes;
        Ok(transaction.actions)
    }

    /// Ends a transaction; its actions, in order, are not to be carried out, so that what they claimed can be freed.
    ///
    /// # Errors
    /// [`TransactionError::Unknown`].
    pub fn abort(&mut self, id: &str) -> Result<Vec<A>, TransactionError> {
        self.commit(id)
    }

    /// How many transactions are open.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// Why a transaction frame can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// No transaction of this id is open.
    #[error("no such transaction is open: send BEGIN first")]
    Unknown,
    /// The id is in use.
    #[error("this transaction is already open: COMMIT or ABORT it, or use another id")]
    Exists,
    /// [`TransactionLimits::max_open`].
    #[error("{limit} transactions are open, which is the limit: COMMIT or ABORT one")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// [`TransactionLimits::max_actions`] or [`TransactionLimits::max_bytes`].
    #[error(
        "the open transactions would hold more than {max_actions} frames or {max_bytes} bytes: COMMIT more often"
    )]
    TooLarge {
        /// The limit in frames.
        max_actions: usize,
        /// The limit in bytes.
        max_bytes: usize,
    },
}

impl TransactionError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unknown => Reason::UnknownTransaction,
            Self::Exists => Reason::TransactionExists,
            Self::TooMany { .. } => Reason::TooManyTransactions,
            Self::TooLarge { .. } => Reason::TransactionTooLarge,
        }
    }
}
