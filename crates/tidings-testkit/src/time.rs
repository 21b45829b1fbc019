//! Virtual time.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

/// How long, in virtual time, a test waits for what it awaits, before it fails. Longer than any default of the server:
/// heart-beats that fail take 20 s, a handler that never answers 30 s.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a test on this thread, in virtual time: the clock stands still while anything has something to do, and when all
/// wait it jumps to the next moment at which one of them wakes. So timeouts and heart-beats take no time, and come in
/// the same order each time.
///
/// What waits for another thread, or for a socket, is not seen to be busy: the clock may jump meanwhile.
/// `tokio::task::spawn_blocking` is waited for.
///
/// # Panics
/// As the test does, or if the system gives no event queue.
pub fn run<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("the system gives an event queue");
    LocalSet::new().block_on(&runtime, test)
}

/// Lets so much time pass; all that is due meanwhile is done.
pub async fn pass(time: Duration) {
    // Nobody waits: the clock of `run` is paused, and goes from one deadline to the next as soon as all have nothing to do.
    // `advance` would jump over the deadlines between.
    tokio::time::sleep(time).await;
}

/// What time it is, within [`run`].
pub fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
