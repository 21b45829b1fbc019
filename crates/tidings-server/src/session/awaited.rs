//! What the session awaits of the application, which may fail in ways that an answer does not: it panics, or never comes.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidings_core::application::Failure;
use tidings_core::disconnect::Reason;

/// An answer to come; a panic as it is asked for is a failure, and as it is dropped nothing.
pub(super) struct Awaited<T>(Option<Pin<Box<dyn Future<Output = T> + Send>>>);

impl<T: From<Failure>> Awaited<T> {
    pub(super) fn new(answer: Pin<Box<dyn Future<Output = T> + Send>>) -> Self {
        Self(Some(answer))
    }

    /// Most are ready when they are first asked. One that is not is asked again by its task.
    pub(super) fn poll_once(&mut self) -> Option<T> {
        match self.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        }
    }

    /// The answer, or that it did not come in time.
    pub(super) async fn in_time(mut self, timeout: Duration) -> T {
        let answered = poll_fn(|context| self.poll(context));
        let answer = tokio::time::timeout(timeout, answered).await;
        answer.unwrap_or_else(|_| too_late().into())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<T> {
        let Some(answer) = &mut self.0 else {
            return Poll::Pending;
        };
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(panicked().into()))
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        let answer = self.0.take();
        // The panic hook has told of it, and the session goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(answer)));
    }
}

pub(super) fn panicked() -> Failure {
    Failure {
        reason: Reason::InternalError,
        details: "the application has panicked; its log says why".to_owned(),
    }
}

fn too_late() -> Failure {
    Failure {
        reason: Reason::ApplicationTimeout,
        details: "the application did not answer in time".to_owned(),
    }
}
