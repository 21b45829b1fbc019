//! A circuit breaker: a back end that fails again and again is left alone for a while.

use std::time::{Duration, Instant};

/// What is known of one back end.
#[derive(Debug)]
pub(super) struct Breaker {
    /// Failures in a row until it opens.
    failures: u32,
    /// How long it stays open.
    rest: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Requests go through; so many have failed in a row.
    Closed(u32),
    /// None goes through before this.
    Open(Instant),
    /// One is trying; should nothing be heard of it, another may after this.
    Trying(Instant),
}

/// What a result has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// From now on requests are refused.
    Opened,
    /// They go through again.
    Closed,
}

impl Breaker {
    pub(super) fn new(failures: u32, rest: Duration) -> Self {
        Self {
            failures,
            rest,
            state: State::Closed(0),
        }
    }

    /// Whether a request would be refused.
    pub(super) fn refuses(&self, now: Instant) -> bool {
        match self.state {
            State::Closed(_) => false,
            State::Open(until) | State::Trying(until) => now < until,
        }
    }

    /// Lets a request through, or not.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let admitted = !self.refuses(now);
        if admitted && !matches!(self.state, State::Closed(_)) {
            self.state = State::Trying(now + self.rest);
        }
        admitted
    }

    /// How a request ended that was let through.
    pub(super) fn settle(&mut self, well: bool, now: Instant) -> Option<Change> {
        match (self.state, well) {
            (State::Closed(_), true) => self.state = State::Closed(0),
            (State::Closed(failed), false) if failed + 1 < self.failures => {
                self.state = State::Closed(failed + 1);
            }
            (State::Closed(_), false) => {
                self.state = State::Open(now + self.rest);
                return Some(Change::Opened);
            }
            // Asked before it opened: the one that tries decides.
            (State::Open(_), _) => {}
            (State::Trying(_), true) => {
                self.state = State::Closed(0);
                return Some(Change::Closed);
            }
            (State::Trying(_), false) => self.state = State::Open(now + self.rest),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(5);

    #[test]
    fn failures_in_a_row_open_it_and_a_success_between_them_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::new(3, REST);
        for well in [false, false, true, false, false] {
            assert!(breaker.admit(now));
            assert_eq!(breaker.settle(well, now), None);
        }
        assert_eq!(breaker.settle(false, now), Some(Change::Opened));
        assert!(!breaker.admit(now));
    }

    #[test]
    fn after_its_rest_one_request_tries() {
        let now = Instant::now();
        let mut breaker = Breaker::new(1, REST);
        assert_eq!(breaker.settle(false, now), Some(Change::Opened));
        assert_eq!(breaker.settle(true, now), None, "a late one");
        assert!(!breaker.admit(now + REST - Duration::from_millis(1)));
        assert!(breaker.admit(now + REST));
        assert!(!breaker.admit(now + REST), "one tries already");
        assert_eq!(breaker.settle(false, now + REST), None);
        assert!(!breaker.admit(now + REST));
        assert!(breaker.admit(now + REST * 2));
        assert_eq!(breaker.settle(true, now + REST * 2), Some(Change::Closed));
        assert!(breaker.admit(now + REST * 2));
        assert!(breaker.admit(now + REST * 2));
    }

    #[test]
    fn one_that_tries_and_is_never_heard_of_does_not_close_the_door() {
        let now = Instant::now();
        let mut breaker = Breaker::new(1, REST);
        breaker.settle(false, now);
        assert!(breaker.admit(now + REST));
        assert!(breaker.admit(now + REST * 2));
    }
}
