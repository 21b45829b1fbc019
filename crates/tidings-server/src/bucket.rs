//! Token buckets: how much may happen in a time, and how much of it at once; for all together, or for each address.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::peer::network;

/// Addresses that are remembered; beyond it, that is forgotten which owes the least.
pub(crate) const MAX_ADDRESSES: usize = 4_096;

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    count: u64,
    period: Duration,
    burst: Duration,
}

impl Rate {
    /// `count` in each `period`, and at once as many as come in `burst`; none where `count` is zero, which is no limit.
    pub(crate) fn new(count: u64, period: Duration, burst: Duration) -> Option<Self> {
        (count > 0).then_some(Self {
            count,
            period,
            burst,
        })
    }

    /// How long the bucket takes to get `amount` back.
    fn cost(self, amount: u64) -> Duration {
        let nanos = self.period.as_nanos() * u128::from(amount) / u128::from(self.count);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// What is left of a [`Rate`], told by the one moment at which the bucket is full again. 16 bytes: each connection has two.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    /// None before the first use.
    full_at: Option<Instant>,
}

impl Bucket {
    /// Whether `amount` is there.
    pub(crate) fn has(&self, rate: Rate, amount: u64, now: Instant) -> bool {
        self.room(rate, amount, now).is_ok()
    }

    /// As [`has`](Self::has).
    ///
    /// # Errors
    /// How long to wait for it.
    pub(crate) fn room(&self, rate: Rate, amount: u64, now: Instant) -> Result<(), Duration> {
        let owed = self.owed(now).saturating_add(rate.cost(amount));
        match owed.saturating_sub(rate.burst) {
            Duration::ZERO => Ok(()),
            wait => Err(wait),
        }
    }

    /// Takes `amount` if it is there.
    pub(crate) fn take(&mut self, rate: Rate, amount: u64, now: Instant) -> bool {
        let is_there = self.has(rate, amount, now);
        if is_there {
            self.charge(rate, amount, now);
        }
        is_there
    }

    /// Takes `amount`, whether it is there or not; how long it takes until nothing is owed beyond what the bucket holds.
    pub(crate) fn charge(&mut self, rate: Rate, amount: u64, now: Instant) -> Duration {
        let owed = self.owed(now).saturating_add(rate.cost(amount));
        self.full_at = now.checked_add(owed).or(self.full_at);
        owed.saturating_sub(rate.burst)
    }

    /// Whether it holds all that it can.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.owed(now).is_zero()
    }

    /// How long until it is full again.
    pub(crate) fn owed(&self, now: Instant) -> Duration {
        self.full_at
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now))
    }
}

/// A bucket for each address, and for as many of these as are remembered.
#[derive(Debug)]
pub(crate) struct Buckets {
    rate: Rate,
    /// By network.
    buckets: HashMap<IpAddr, Bucket>,
}

impl Buckets {
    pub(crate) fn new(rate: Rate) -> Self {
        let buckets = HashMap::new();
        Self { rate, buckets }
    }

    /// Whether the address may once more.
    ///
    /// # Errors
    /// How long to wait.
    pub(crate) fn room(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let bucket = self.buckets.get(&network(address)).copied();
        bucket.unwrap_or_default().room(self.rate, 1, now)
    }

    /// Takes one of the address, where there is one. Makes room, if need be, by forgetting who owes nothing more, or else
    /// the one who owes the least.
    pub(crate) fn take(&mut self, address: IpAddr, now: Instant) {
        let (all, address) = (&mut self.buckets, network(address));
        if all.len() >= MAX_ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, bucket| !bucket.is_full(now));
            if all.len() >= MAX_ADDRESSES {
                let least = all.iter().min_by_key(|(_, bucket)| bucket.owed(now));
                if let Some(least) = least.map(|(address, _)| *address) {
                    all.remove(&least);
                }
            }
        }
        all.entry(address).or_default().take(self.rate, 1, now);
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.buckets.len()
    }
}

/// Whole seconds for `retry-after`, never too few.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A bucket that is filled drop by drop: one a millisecond, at most `size`; less than none where it was charged.
    struct Model {
        level: i64,
        size: i64,
    }

    impl Model {
        fn pass(&mut self, milliseconds: u64) {
            for _ in 0..milliseconds {
                self.level = (self.level + 1).min(self.size);
            }
        }

        fn take(&mut self, amount: i64) -> bool {
            let is_there = amount <= self.level;
            self.level -= if is_there { amount } else { 0 };
            is_there
        }

        fn charge(&mut self, amount: i64) -> u64 {
            self.level -= amount;
            self.level.min(0).unsigned_abs()
        }
    }

    proptest! {
        #[test]
        fn a_bucket_is_one_that_fills_drop_by_drop(
            size in 1u32..40,
            steps in prop::collection::vec((0u64..30, 0u8..50, any::<bool>()), 0..80),
        ) {
            let rate = Rate::new(1_000, Duration::from_secs(1), MILLISECOND * size);
            let rate = rate.expect("more than none");
            let mut model = Model { level: size.into(), size: size.into() };
            let mut bucket = Bucket::default();
            let mut now = Instant::now();
            for (passed, amount, is_charged) in steps {
                now += Duration::from_millis(passed);
                model.pass(passed);
                let lacks = (i64::from(amount) - model.level).max(0).unsigned_abs();
                let room = match lacks {
                    0 => Ok(()),
                    lacks => Err(Duration::from_millis(lacks)),
                };
                prop_assert_eq!(bucket.room(rate, amount.into(), now), room);
                if is_charged {
                    let wait = bucket.charge(rate, amount.into(), now);
                    prop_assert_eq!(wait, Duration::from_millis(model.charge(amount.into())));
                } else {
                    prop_assert_eq!(bucket.take(rate, amount.into(), now), model.take(amount.into()));
                }
                prop_assert_eq!(bucket.is_full(now), model.level == model.size);
            }
        }
    }

    #[test]
    fn who_is_charged_the_most_there_is_waits_and_nothing_breaks() {
        let rate = Rate::new(1, Duration::from_mins(1), Duration::from_mins(1)).expect("a rate");
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        assert!(bucket.charge(rate, u64::MAX, now) > Duration::from_hours(24));
        assert!(!bucket.take(rate, u64::MAX, now));
    }

    #[test]
    fn zero_is_no_rate() {
        assert_eq!(Rate::new(0, MILLISECOND, MILLISECOND), None);
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    }
}
