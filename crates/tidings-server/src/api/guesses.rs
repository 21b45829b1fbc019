//! Wrong keys are counted by the address that shows them, and guessing is slowed down.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::access;
use super::problem::{Kind, Problem};
use crate::bucket::{Buckets, Rate, whole_seconds};
use crate::node::lock;

/// The time in which so many may fail.
const PERIOD: Duration = Duration::from_mins(1);

/// Who has shown wrong keys: none where nobody counts them.
pub(super) struct Guesses(Option<Mutex<Buckets>>);

impl Guesses {
    /// `limit`: wrong keys in a minute; zero counts none.
    pub(super) fn new(limit: u32) -> Self {
        let rate = Rate::new(limit.into(), PERIOD, PERIOD);
        Self(rate.map(|rate| Mutex::new(Buckets::new(rate))))
    }

    /// What `find` finds, which is given out only to an address that has not guessed too often: while it has, a right
    /// key is refused like any other, or guessing would go on.
    pub(super) fn judge<T>(
        &self,
        address: IpAddr,
        now: Instant,
        find: impl FnOnce() -> Option<T>,
    ) -> Result<T, Problem> {
        let Some(all) = &self.0 else {
            return find().ok_or_else(access::unauthorized);
        };
        // Held while the key is compared, so that guesses at the same time are not more than the limit.
        let mut all = lock(all);
        all.room(address, now).map_err(too_many)?;
        let found = find();
        if found.is_none() {
            all.take(address, now);
            if all.room(address, now).is_err() {
                tracing::warn!(%address, "too many wrong API keys: no key is taken from there for now");
            }
        }
        found.ok_or_else(access::unauthorized)
    }
}

fn too_many(wait: Duration) -> Problem {
    let detail =
        "too many wrong keys came from this address; wait, or look at api.failed_keys_per_minute";
    Problem::new(Kind::TooManyFailedKeys, detail).retry_after(whole_seconds(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::MAX_ADDRESSES;

    fn remembered(guesses: &Guesses) -> usize {
        guesses.0.as_ref().map_or(0, |all| lock(all).remembered())
    }

    /// The status that a wrong key, or a right one, gets.
    fn ask(guesses: &Guesses, address: &str, is_right: bool, now: Instant) -> u16 {
        let address = address.parse().expect("an address");
        let judged = guesses.judge(address, now, || is_right.then_some(()));
        judged.map_or_else(
            |problem| problem.into_response().status().as_u16(),
            |()| 200,
        )
    }

    #[test]
    fn who_guesses_too_often_waits_even_with_the_right_key_and_nobody_else_does() {
        let guesses = Guesses::new(10);
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(ask(&guesses, "192.0.2.1", false, start), 401);
            assert_eq!(ask(&guesses, "192.0.2.2", true, start), 200);
        }
        assert_eq!(ask(&guesses, "192.0.2.1", false, start), 429);
        assert_eq!(ask(&guesses, "192.0.2.1", true, start), 429);
        assert_eq!(ask(&guesses, "::ffff:192.0.2.1", true, start), 429);
        assert_eq!(ask(&guesses, "192.0.2.2", false, start), 401);
        // One is given back every six seconds; what was refused has cost nothing.
        let later = start + Duration::from_secs(6);
        let just_before = later - Duration::from_nanos(1);
        assert_eq!(ask(&guesses, "192.0.2.1", true, just_before), 429);
        assert_eq!(ask(&guesses, "192.0.2.1", true, later), 200);
        assert_eq!(ask(&guesses, "192.0.2.1", false, later), 401);
        assert_eq!(ask(&guesses, "192.0.2.1", true, later), 429);
        let minutes_later = start + Duration::from_mins(5);
        for _ in 0..10 {
            assert_eq!(ask(&guesses, "192.0.2.1", false, minutes_later), 401);
        }
        assert_eq!(ask(&guesses, "192.0.2.1", false, minutes_later), 429);
    }

    #[test]
    fn the_answer_says_how_long_to_wait() {
        let guesses = Guesses::new(1);
        let start = Instant::now();
        assert_eq!(ask(&guesses, "192.0.2.1", false, start), 401);
        let address = "192.0.2.1".parse().expect("an address");
        let judged = guesses.judge(address, start + Duration::from_millis(500), || Some(()));
        let response = judged.expect_err("it is too early").into_response();
        assert_eq!(response.headers()["retry-after"], "60");
    }

    #[test]
    fn a_network_of_version_6_is_one_address() {
        let guesses = Guesses::new(1);
        let now = Instant::now();
        assert_eq!(ask(&guesses, "2001:db8::1", false, now), 401);
        assert_eq!(ask(&guesses, "2001:db8:0:0:ffff::2", true, now), 429);
        assert_eq!(ask(&guesses, "2001:db8:0:1::1", true, now), 200);
    }

    #[test]
    fn no_more_than_so_many_are_remembered_and_the_worst_stay() {
        let guesses = Guesses::new(2);
        let now = Instant::now();
        let address = |number: usize| format!("10.0.{}.{}", number / 256, number % 256);
        assert_eq!(ask(&guesses, "192.0.2.1", false, now), 401);
        assert_eq!(ask(&guesses, "192.0.2.1", false, now), 401);
        for number in 0..MAX_ADDRESSES + 9 {
            assert_eq!(ask(&guesses, &address(number), false, now), 401);
        }
        assert_eq!(remembered(&guesses), MAX_ADDRESSES);
        assert_eq!(ask(&guesses, "192.0.2.1", false, now), 429);
        let later = now + PERIOD;
        assert_eq!(ask(&guesses, "192.0.2.9", false, later), 401);
        assert_eq!(remembered(&guesses), 1, "the others owe nothing");
    }

    #[test]
    fn zero_counts_nothing() {
        let guesses = Guesses::new(0);
        for _ in 0..100 {
            assert_eq!(ask(&guesses, "192.0.2.1", false, Instant::now()), 401);
        }
        assert!(guesses.0.is_none());
    }
}
