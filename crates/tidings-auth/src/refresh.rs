//! When a published key set is fetched again. One [`Refresh`] per key set; who drives it fetches, parses, and replaces
//! the keys where that went well ([`Keys::replace`](crate::keys::Keys::replace)). Where it did not, the old keys stay.
//!
//! Times are milliseconds of any clock that does not go back.

use std::time::Duration;

/// When to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshConfig {
    /// From one fetch that went well to the next, if nobody asks for a key that is not known.
    pub interval: Duration,
    /// From one fetch to the next that a token with an unknown key may cause: forged tokens cause no more.
    pub min_interval: Duration,
    /// From a failure to the next attempt; doubled with each further failure.
    pub retry_delay: Duration,
    /// The most that it is doubled to.
    pub max_retry_delay: Duration,
}

impl Default for RefreshConfig {
    /// Each 10 min; at most each 30 s for unknown keys; after failures 1 s, up to a minute.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(600),
            min_interval: Duration::from_secs(30),
            retry_delay: Duration::from_secs(1),
            max_retry_delay: Duration::from_secs(60),
        }
    }
}

/// When one key set is fetched.
///
/// ```
/// use tidings_auth::refresh::{Refresh, RefreshConfig};
///
/// let mut refresh = Refresh::new(RefreshConfig::default());
/// assert!(refresh.needs_fetch(0));
/// refresh.started(0);
/// refresh.fetched(20, true);
/// assert_eq!(refresh.next_at_ms(), Some(20 + 600_000));
/// // A token names a key that is not in it: soon, not at once.
/// assert!(!refresh.unknown_kid(5_000));
/// assert_eq!(refresh.next_at_ms(), Some(30_000));
/// ```
#[derive(Debug, Clone)]
pub struct Refresh {
    config: RefreshConfig,
    /// When the next fetch is due; none while one is under way.
    due: Option<u64>,
    /// When the last one started.
    started: Option<u64>,
    /// When the last one that went well ended.
    succeeded: Option<u64>,
    /// How many went wrong since.
    failures: u32,
}

impl Refresh {
    /// A key set that was never fetched: it is due at once.
    pub fn new(config: RefreshConfig) -> Self {
        Self {
            config,
            due: Some(0),
            started: None,
            succeeded: None,
            failures: 0,
        }
    }

    /// Whether to fetch now; then say [`started`](Self::started).
    pub fn needs_fetch(&self, now_ms: u64) -> bool {
        self.due.is_some_and(|due| due <= now_ms)
    }

    /// When to ask [`needs_fetch`](Self::needs_fetch) again. None while a fetch is under way.
    pub fn next_at_ms(&self) -> Option<u64> {
        self.due
    }

    /// A fetch has begun. Each ends with [`fetched`](Self::fetched), at latest after a time limit of its own.
    pub fn started(&mut self, now_ms: u64) {
        self.due = None;
        self.started = Some(now_ms);
    }

    /// A token names a key that is not known. True: fetch now, and say [`started`](Self::started). Else the next fetch may
    /// be due earlier than before, but never within [`min_interval`](RefreshConfig::min_interval) of the last, nor before
    /// a failure's retry is.
    pub fn unknown_kid(&mut self, now_ms: u64) -> bool {
        let Some(due) = self.due else {
            return false;
        };
        if self.failures == 0 {
            let earliest = self
                .started
                .map_or(0, |at| at.saturating_add(millis(self.config.min_interval)));
            self.due = Some(due.min(earliest.max(now_ms)));
        }
        self.needs_fetch(now_ms)
    }

    /// The fetch has ended, and a key set was read or not. Without one the old keys stay, and it is tried again later.
    pub fn fetched(&mut self, now_ms: u64, is_success: bool) {
        let delay = if is_success {
            self.failures = 0;
            self.succeeded = Some(now_ms);
            millis(self.config.interval.max(self.config.min_interval))
        } else {
            let delay = self.retry_delay();
            self.failures = self.failures.saturating_add(1);
            delay
        };
        self.due = Some(now_ms.saturating_add(delay));
    }

    /// When the key set in use was fetched.
    pub fn succeeded_at_ms(&self) -> Option<u64> {
        self.succeeded
    }

    /// How many attempts in a row went wrong.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn retry_delay(&self) -> u64 {
        let doubled = millis(self.config.retry_delay).saturating_mul(1 << self.failures.min(32));
        doubled.min(millis(self.config.max_retry_delay))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
