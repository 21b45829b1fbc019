//! What one client may do, and what it is told when that is too much, in virtual time.

mod http;
mod metrics;
mod rate;
mod sessions;
mod sockjs;

use std::time::{Duration, Instant};

use tidings_testkit::now;

const SECOND: Duration = Duration::from_secs(1);

/// How late what waits may be: the timer of the runtime has ticks of a millisecond.
const LATE: Duration = Duration::from_millis(10);

/// It is `time` since then, and hardly more.
#[track_caller]
fn assert_passed(since: Instant, time: Duration) {
    let passed = now() - since;
    assert!((time..=time + LATE).contains(&passed), "{passed:?}");
}
