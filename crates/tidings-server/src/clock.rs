//! What time it is. Nothing else in the server asks the system for it, so that whoever governs the clock of the runtime
//! (tokio's `test-util`: pause, advance) governs the server.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Now, by the clock of the runtime; without `test-util` in the build that is `Instant::now()`.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Milliseconds since the epoch, by the system: what other machines compare with their own.
pub(crate) fn system_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}

/// A time of day that goes on as the clock of the runtime does, which may be paused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RuntimeDay {
    began: Instant,
    began_ms: u64,
}

impl RuntimeDay {
    /// Begins with the time of day that the system knows.
    pub(crate) fn begin() -> Self {
        Self {
            began: now(),
            began_ms: system_ms(),
        }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(self) -> u64 {
        let passed = now().saturating_duration_since(self.began).as_millis();
        self.began_ms
            .saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}
