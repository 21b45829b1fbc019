//! Where signatures and passcodes are checked: on threads of their own, a few at a time, so that messages need not wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidings_core::security::AuthenticationError;
use tokio::sync::Semaphore;

use crate::config;

/// Does costly work, a bounded amount at a time; who finds too many waiting is sent away.
pub(super) struct Desk {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
}

impl Desk {
    pub(super) fn new(config: &config::Security) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(config.authentication_threads)),
            waiting: AtomicUsize::new(0),
            max_waiting: config.max_pending_authentications,
        })
    }

    /// Does the work elsewhere.
    ///
    /// # Errors
    /// Too much waits already, or the work has panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AuthenticationError> {
        let _queued = self.queue()?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also where nobody waits for it any more.
            let _place = place;
            work()
        });
        done.await
            .map_err(|_| unavailable("the check of the credentials has failed"))
    }

    fn queue(&self) -> Result<Queued<'_>, AuthenticationError> {
        let queued = Queued(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before < self.max_waiting {
            Ok(queued)
        } else {
            Err(unavailable(
                "too many clients wait for their credentials to be checked",
            ))
        }
    }
}

fn unavailable(text: &str) -> AuthenticationError {
    AuthenticationError::Unavailable(text.to_owned())
}

/// One that waits, until dropped.
struct Queued<'a>(&'a AtomicUsize);

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::pin::pin;
    use std::sync::mpsc;

    use super::*;

    fn desk(max_waiting: usize) -> Arc<Desk> {
        Desk::new(&config::Security {
            max_pending_authentications: max_waiting,
            ..config::Security::default()
        })
    }

    #[tokio::test]
    async fn who_finds_too_many_waiting_is_sent_away_and_a_place_comes_back() {
        let desk = desk(2);
        let (finish, held) = mpsc::channel::<()>();
        let mut first = pin!(desk.run(move || held.recv().is_ok()));
        let mut second = pin!(desk.run(|| 2));
        assert!(futures(&mut first).await.is_none());
        assert!(futures(&mut second).await.is_none());
        let third = desk.run(|| 3).await;
        assert!(
            matches!(third, Err(AuthenticationError::Unavailable(_))),
            "{third:?}"
        );
        finish.send(()).expect("the first one waits");
        assert_eq!(first.await, Ok(true));
        assert_eq!(second.await, Ok(2));
        assert_eq!(desk.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn work_that_panics_harms_nobody() {
        let desk = desk(2);
        let lost = desk.run(|| -> u8 { panic!("on purpose") }).await;
        assert!(
            matches!(lost, Err(AuthenticationError::Unavailable(_))),
            "{lost:?}"
        );
        assert_eq!(desk.run(|| 1).await, Ok(1));
    }

    /// What is there after one look.
    async fn futures<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        tokio::select! {
            biased;
            done = future => Some(done),
            () = async {} => None,
            never = pending() => never,
        }
    }
}
