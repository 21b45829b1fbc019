//! What the server does when time has passed, by the defaults of its configuration, in virtual time.

mod deadlines;
mod expiry;
mod heart_beats;

use std::time::{Duration, Instant};

use tidings_testkit::now;

const SECOND: Duration = Duration::from_secs(1);

/// How late a timer may fire: a tick of the wheel, and the one that has begun.
const LATE: Duration = Duration::from_millis(100);

/// It is `time` since then, and hardly more.
#[track_caller]
fn assert_passed(since: Instant, time: Duration) {
    let passed = now() - since;
    assert!((time..=time + LATE).contains(&passed), "{passed:?}");
}
