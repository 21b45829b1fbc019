//! How often something may happen, for all together or for each address.
//!
//! A bucket is told by the one moment at which it will be full again.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

/// Addresses that are remembered; beyond it, that is forgotten which owes the least.
pub(crate) const MAX_ADDRESSES: usize = 4_096;

/// So many in so long, all at once or one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    period: Duration,
    /// What one takes of the period.
    cost: Duration,
}

impl Rate {
    /// None where `count` is zero: there is no limit then.
    pub(crate) fn new(count: u32, period: Duration) -> Option<Self> {
        let cost = period.checked_div(count)?;
        Some(Self { period, cost })
    }

    /// What is owed at `now`, where one more may be.
    ///
    /// # Errors
    /// How long to wait for it.
    fn room(self, full_at: Option<Instant>, now: Instant) -> Result<Room, Duration> {
        let owed = full_at.map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        if owed > self.period - self.cost {
            return Err(owed + self.cost - self.period);
        }
        Ok(Room {
            full_at: now + owed + self.cost,
            is_last: owed + self.cost + self.cost > self.period,
        })
    }
}

/// The right to one more, which counts once it is spent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    full_at: Instant,
    /// After it there is none for now.
    pub(crate) is_last: bool,
}

/// For all together.
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: Rate,
    full_at: Option<Instant>,
}

impl Allowance {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            full_at: None,
        }
    }

    /// # Errors
    /// How long to wait.
    pub(crate) fn room(&self, now: Instant) -> Result<Room, Duration> {
        self.rate.room(self.full_at, now)
    }

    pub(crate) fn spend(&mut self, room: Room) {
        self.full_at = Some(room.full_at);
    }
}

/// For each address, and for as many of these as are remembered.
#[derive(Debug)]
pub(crate) struct Allowances {
    rate: Rate,
    full_at: HashMap<IpAddr, Instant>,
}

impl Allowances {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            full_at: HashMap::new(),
        }
    }

    /// # Errors
    /// How long to wait.
    pub(crate) fn room(&self, address: IpAddr, now: Instant) -> Result<Room, Duration> {
        self.rate
            .room(self.full_at.get(&network(address)).copied(), now)
    }

    /// Makes room, if need be, by forgetting who owes nothing more, or else the one who owes the least.
    pub(crate) fn spend(&mut self, address: IpAddr, room: Room, now: Instant) {
        let (all, address) = (&mut self.full_at, network(address));
        if all.len() >= MAX_ADDRESSES && !all.contains_key(&address) {
            all.retain(|_, at| *at > now);
            if all.len() >= MAX_ADDRESSES {
                let least = all.iter().min_by_key(|(_, at)| **at);
                if let Some(least) = least.map(|(address, _)| *address) {
                    all.remove(&least);
                }
            }
        }
        all.insert(address, room.full_at);
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.full_at.len()
    }
}

/// Who has one address of version 6 has 2^64 of them.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[4..].fill(0);
            Ipv6Addr::from(segments).into()
        }
        address => address,
    }
}

/// Whole seconds for `retry-after`, never too few.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_at_once_and_then_one_after_the_other() {
        let rate = Rate::new(4, Duration::from_secs(1)).expect("a limit");
        let mut all = Allowance::new(rate);
        let mut now = Instant::now();
        for left in (0..4).rev() {
            let room = all.room(now).expect("a burst of one second");
            assert_eq!(room.is_last, left == 0);
            all.spend(room);
        }
        assert_eq!(all.room(now).err(), Some(Duration::from_millis(250)));
        now += Duration::from_millis(250);
        all.spend(all.room(now).expect("one has come back"));
        assert!(all.room(now).is_err());
        assert!(Rate::new(0, Duration::from_secs(1)).is_none());
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
    }
}
