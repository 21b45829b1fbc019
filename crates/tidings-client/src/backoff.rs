//! How long to wait before connecting again.

use std::time::Duration;

/// Pauses between attempts to connect again: each is twice the one before, up to a limit, and shortened at random by up
/// to half, so that the clients of a server that was restarted do not come back all at once.
///
/// ```
/// use std::time::Duration;
/// use tidings_client::Backoff;
///
/// let backoff = Backoff { max_attempts: 5, ..Backoff::default() };
/// assert_eq!(backoff.initial, Duration::from_millis(500));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause. Default 500 ms.
    pub initial: Duration,
    /// The longest pause. A connection that has lasted this long starts the pauses anew. Default 30 s.
    pub max: Duration,
    /// Attempts in a row before the client gives up; zero = a lost connection is the end. Default 100, which is more
    /// than half an hour.
    pub max_attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(500),
            max: Duration::from_secs(30),
            max_attempts: 100,
        }
    }
}

impl Backoff {
    /// The pause before this attempt, counted from 1; `random` spreads it between half and all. `None` when there were
    /// enough attempts.
    pub(crate) fn delay(&self, attempt: u32, random: u32) -> Option<Duration> {
        if attempt > self.max_attempts {
            return None;
        }
        let factor = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let longest = self.initial.saturating_mul(factor).min(self.max);
        let share = f64::from(random) / f64::from(u32::MAX);
        Some(longest.mul_f64(0.5 + share / 2.0).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pauses_double_up_to_the_limit() {
        let backoff = Backoff {
            max_attempts: 8,
            ..Backoff::default()
        };
        let longest = |attempt| backoff.delay(attempt, u32::MAX).map(|d| d.as_millis());
        let pauses: Vec<_> = (1..=9).map(longest).collect();
        let expected = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000].map(Some);
        assert_eq!(pauses[..8], expected);
        assert_eq!(pauses[8], None);
        assert_eq!(backoff.delay(2, 0), Some(Duration::from_millis(500)));
    }

    proptest! {
        #[test]
        fn a_pause_is_between_half_and_all_of_its_step(
            initial in 0_u64..u64::MAX / 4,
            max in 0_u64..u64::MAX / 4,
            max_attempts: u32,
            attempt in 1_u32..,
            random: u32,
        ) {
            let backoff = Backoff {
                initial: Duration::from_nanos(initial),
                max: Duration::from_nanos(max),
                max_attempts,
            };
            let Some(delay) = backoff.delay(attempt, random) else {
                prop_assert!(attempt > max_attempts);
                return Ok(());
            };
            prop_assert!(attempt <= max_attempts);
            let doubled = u128::from(initial) << (attempt - 1).min(64);
            let step = doubled.min(u128::from(max));
            prop_assert!(delay.as_nanos() <= step);
            // f64 keeps 53 bits.
            prop_assert!(delay.as_nanos() + 1 + (step >> 50) >= step / 2);
        }
    }
}
