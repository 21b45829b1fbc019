//! Events as a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings_core::application::Event;
use tokio::sync::mpsc;

/// Events of sessions, for whom they are more than a hook of [`Router::on_event`](crate::Router::on_event) can do at once:
/// what it gives first is such a hook.
///
/// While `capacity` events wait to be taken, new ones are [missed](Self::missed): sessions never wait for their audience.
///
/// ```
/// use tidings::prelude::*;
///
/// let (listener, mut events) = EventStream::new(1024);
/// let router: Router = Router::new().on_event(listener);
/// # let _ = async {
/// while let Some(event) = events.next().await {
///     if let Event::Disconnected { session, reason } = event {
///         println!("{} is gone: {reason}", session.id);
///     }
/// }
/// # };
/// ```
pub struct EventStream {
    events: mpsc::Receiver<Event>,
    missed: Arc<AtomicU64>,
}

impl EventStream {
    /// A listener, and the stream of what it hears. The stream ends when the listener is dropped, with its router.
    ///
    /// # Panics
    /// `capacity` is 0.
    pub fn new(capacity: usize) -> (impl Fn(&Event) + Send + Sync + 'static, Self) {
        let (sender, events) = mpsc::channel(capacity);
        let missed = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&missed);
        let listener = move |event: &Event| {
            if let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(event.clone()) {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        (listener, Self { events, missed })
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// How many events came while too many waited, so far.
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Stream for EventStream {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(context)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("EventStream")
            .field("missed", &self.missed())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tidings_core::application::Session;

    use super::*;

    #[test]
    fn what_nobody_takes_is_missed_and_counted() {
        let (listener, mut events) = EventStream::new(2);
        let connected = |id: &str| Event::Connected {
            session: Arc::new(Session::new(id.into(), None)),
        };
        for id in ["1", "2", "3"] {
            listener(&connected(id));
        }
        assert_eq!(events.missed(), 1);
        drop(listener);
        let mut seen = Vec::new();
        pollster::block_on(async {
            while let Some(Event::Connected { session }) = events.next().await {
                seen.push(session.id.to_string());
            }
        });
        assert_eq!(seen, ["1", "2"]);
    }
}
