//! One wheel of coarse timers per worker, in place of a timer per connection.

use std::time::{Duration, Instant};

/// How exact a deadline is: it fires at most this much late.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// Deadlines farther away fire here first and are set again by their owner.
const SLOTS: usize = 256;

/// A hashed timer wheel. An entry is only a key and a tick: its owner decides, when it fires, whether anything is due.
pub(crate) struct TimerWheel {
    /// Tick zero.
    start: Instant,
    /// The next tick to fire.
    current: u64,
    /// Entries by tick modulo the number of slots.
    slots: Vec<Vec<Entry>>,
    /// Entries in all slots, so that an empty wheel needs no scan.
    len: usize,
}

/// What fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The owner's key.
    pub(crate) key: u32,
    /// The tick at which it fires; the owner compares it with the one that it set last.
    pub(crate) tick: u64,
}

impl TimerWheel {
    pub(crate) fn new(start: Instant) -> Self {
        Self {
            start,
            current: 0,
            slots: (0..SLOTS).map(|_| Vec::new()).collect(),
            len: 0,
        }
    }

    /// The tick at which a deadline fires, no later than one turn of the wheel from now.
    pub(crate) fn tick_of(&self, deadline: Instant) -> u64 {
        let elapsed = deadline.saturating_duration_since(self.start);
        let tick = elapsed.as_nanos().div_ceil(TICK.as_nanos()) as u64;
        tick.clamp(self.current, self.current + SLOTS as u64 - 1)
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.slots[(entry.tick % SLOTS as u64) as usize].push(entry);
        self.len += 1;
    }

    /// When the next entry fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        if self.len == 0 {
            return None;
        }
        (self.current..self.current + SLOTS as u64)
            .find(|tick| !self.slots[(tick % SLOTS as u64) as usize].is_empty())
            .map(|tick| self.start + TICK * u32::try_from(tick).unwrap_or(u32::MAX))
    }

    /// Moves what is due at `now` into `due`.
    pub(crate) fn advance(&mut self, now: Instant, due: &mut Vec<Entry>) {
        let elapsed = now.saturating_duration_since(self.start).as_nanos() / TICK.as_nanos();
        let last = elapsed as u64;
        if last < self.current {
            return;
        }
        if last >= self.current + SLOTS as u64 {
            // The process slept for more than a turn: everything is due.
            self.slots.iter_mut().for_each(|slot| due.append(slot));
            self.current = last + 1;
        }
        while self.current <= last {
            due.append(&mut self.slots[(self.current % SLOTS as u64) as usize]);
            self.current += 1;
        }
        self.len = self.slots.iter().map(Vec::len).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut TimerWheel, now: Instant) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(now, &mut due);
        due.iter().map(|entry| entry.key).collect()
    }

    fn set(wheel: &mut TimerWheel, key: u32, deadline: Instant) {
        let tick = wheel.tick_of(deadline);
        wheel.insert(Entry { key, tick });
    }

    #[test]
    fn a_deadline_fires_never_early_and_at_most_a_tick_late() {
        let start = Instant::now();
        for millis in [0, 1, 49, 50, 51, 999, 12_000] {
            let deadline = start + Duration::from_millis(millis);
            let mut wheel = TimerWheel::new(start);
            set(&mut wheel, 7, deadline);
            let next = wheel.next().expect("one entry waits");
            assert!(next >= deadline && next < deadline + TICK);
            if next > start {
                assert!(fired(&mut wheel, next - Duration::from_nanos(1)).is_empty());
            }
            assert_eq!(fired(&mut wheel, next), [7]);
            assert_eq!(wheel.next(), None);
        }
    }

    #[test]
    fn a_far_deadline_fires_within_one_turn_so_that_its_owner_sets_it_again() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        set(&mut wheel, 1, start + Duration::from_secs(3_600));
        assert_eq!(fired(&mut wheel, start + TICK * SLOTS as u32), [1]);
    }

    #[test]
    fn a_long_sleep_loses_nothing() {
        let start = Instant::now();
        let mut wheel = TimerWheel::new(start);
        for key in 0..100 {
            set(
                &mut wheel,
                key,
                start + Duration::from_millis(u64::from(key) * 100),
            );
        }
        let mut keys = fired(&mut wheel, start + Duration::from_secs(1_000));
        keys.sort_unstable();
        assert_eq!(keys, (0..100).collect::<Vec<_>>());
        set(&mut wheel, 5, start + Duration::from_secs(1_001));
        assert_eq!(fired(&mut wheel, start + Duration::from_secs(1_001)), [5]);
    }
}
