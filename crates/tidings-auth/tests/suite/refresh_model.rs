//! When key sets are fetched, against what is promised of it.

use std::time::Duration;

use proptest::prelude::*;
use tidings_auth::refresh::{Refresh, RefreshConfig};

const CONFIG: RefreshConfig = RefreshConfig {
    interval: Duration::from_millis(1000),
    min_interval: Duration::from_millis(100),
    retry_delay: Duration::from_millis(10),
    max_retry_delay: Duration::from_millis(300),
};

#[test]
fn a_key_set_is_fetched_at_once_and_then_at_its_interval() {
    let mut refresh = Refresh::new(CONFIG);
    assert!(refresh.needs_fetch(0));
    refresh.started(5);
    assert_eq!(
        (refresh.needs_fetch(10_000), refresh.next_at_ms()),
        (false, None)
    );
    refresh.fetched(20, true);
    assert_eq!(
        (refresh.next_at_ms(), refresh.succeeded_at_ms()),
        (Some(1020), Some(20))
    );
    assert!(!refresh.needs_fetch(1019) && refresh.needs_fetch(1020));
}

#[test]
fn unknown_keys_cause_one_fetch_per_interval_whatever_they_are() {
    let mut refresh = Refresh::new(CONFIG);
    refresh.started(0);
    refresh.fetched(1, true);
    assert!((1..100).all(|now| !refresh.unknown_kid(now)));
    assert_eq!(
        refresh.next_at_ms(),
        Some(100),
        "the key may have come just after the fetch"
    );
    assert!(refresh.unknown_kid(100));
    refresh.started(100);
    assert!(!refresh.unknown_kid(150), "one is under way");
    refresh.fetched(160, true);
    assert!(!refresh.unknown_kid(199) && refresh.unknown_kid(200));
}

#[test]
fn failures_are_retried_later_and_later_and_forgotten_with_a_success() {
    let mut refresh = Refresh::new(CONFIG);
    let mut now = 0;
    let mut delays = Vec::new();
    for _ in 0..8 {
        refresh.started(now);
        refresh.fetched(now, false);
        assert!(!refresh.unknown_kid(now), "an unknown key hurries no retry");
        let next = refresh.next_at_ms().expect("a retry");
        delays.push(next - now);
        now = next;
    }
    assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300, 300]);
    assert_eq!((refresh.failures(), refresh.succeeded_at_ms()), (8, None));
    refresh.started(now);
    refresh.fetched(now, true);
    assert_eq!(
        (refresh.failures(), refresh.next_at_ms()),
        (0, Some(now + 1000))
    );
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    UnknownKid,
    Fetch { lasts: u64, is_success: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u64..200).prop_map(Step::Wait),
        Just(Step::UnknownKid),
        (0_u64..150, any::<bool>())
            .prop_map(|(lasts, is_success)| Step::Fetch { lasts, is_success }),
    ]
}

proptest! {
    #[test]
    fn promises_hold_whatever_happens(steps in proptest::collection::vec(step(), 1..200)) {
        let mut refresh = Refresh::new(CONFIG);
        let (mut now, mut last, mut failures) = (0, None, 0);
        for step in steps {
            match step {
                Step::Wait(time) => now += time,
                Step::UnknownKid => {
                    let fetch_now = refresh.unknown_kid(now);
                    prop_assert_eq!(fetch_now, refresh.needs_fetch(now));
                }
                Step::Fetch { lasts, is_success } => {
                    if !refresh.needs_fetch(now) {
                        let next = refresh.next_at_ms().expect("none is under way");
                        prop_assert!(next > now && next <= now + 1000, "it always comes again");
                        continue;
                    }
                    // After a success never within min_interval of the last start; after failures never hurried.
                    if let Some((start, end)) = last {
                        let earliest = if failures == 0 { start + 100 } else { end + (10 << (failures - 1)).min(300) };
                        prop_assert!(now >= earliest, "at {}, earliest {}", now, earliest);
                    }
                    refresh.started(now);
                    prop_assert!(!refresh.unknown_kid(now + lasts) && !refresh.needs_fetch(u64::MAX));
                    let start = now;
                    now += lasts;
                    refresh.fetched(now, is_success);
                    failures = if is_success { 0 } else { failures + 1 };
                    last = Some((start, now));
                    prop_assert_eq!(refresh.failures(), failures);
                }
            }
        }
    }

    #[test]
    fn no_time_overflows(times in proptest::collection::vec((any::<u64>(), any::<bool>()), 1..80)) {
        let mut refresh = Refresh::new(RefreshConfig { interval: Duration::MAX, max_retry_delay: Duration::MAX, ..CONFIG });
        for (now, is_success) in times {
            refresh.unknown_kid(now);
            refresh.started(now);
            refresh.fetched(now, is_success);
            prop_assert!(refresh.next_at_ms() >= Some(now));
        }
    }
}
