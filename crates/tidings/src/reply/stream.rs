//! Many replies, one after the other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings_core::application::{Response, ResponseStream};

use super::IntoReply;
use crate::message::Parts;

/// Replies with each item of a stream, as the client keeps up: of a subscribe handler each goes to that subscription, until
/// it ends. The request counts as done when the handler returns, so its RECEIPT goes before the first item.
///
/// The stream is dropped when the subscription or the session ends, and after an item that failed. A session may have
/// `application.max_streams` of them open.
///
/// ```
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
/// use futures_core::Stream;
/// use tidings::prelude::*;
///
/// struct CountDown(u32);
///
/// impl Stream for CountDown {
///     type Item = Json<u32>;
///
///     fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Json<u32>>> {
///         self.0 = match self.0.checked_sub(1) {
///             Some(left) => left,
///             None => return Poll::Ready(None),
///         };
///         Poll::Ready(Some(Json(self.0)))
///     }
/// }
///
/// async fn count_down(Path(from): Path<u32>) -> ReplyStream<CountDown> {
///     ReplyStream(CountDown(from))
/// }
///
/// let router: Router = Router::new().subscribe("count-down/{from}", count_down);
/// ```
#[derive(Clone)]
#[must_use]
pub struct ReplyStream<S>(pub S);

impl<S> IntoReply for ReplyStream<S>
where
    S: Stream + Send + 'static,
    S::Item: IntoReply,
{
    fn into_reply(self, parts: &Parts, response: &mut Response) {
        let parts = parts.clone();
        let replies = Mapped::new(self.0, move |reply: S::Item| {
            let mut response = Response::default();
            reply.into_reply(&parts, &mut response);
            response
        });
        response.streams.push(ResponseStream::new(replies));
    }
}

impl<S> fmt::Debug for ReplyStream<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ReplyStream")
            .finish_non_exhaustive()
    }
}

/// A stream, each of its items made into another.
pub(crate) struct Mapped<S, F> {
    stream: Pin<Box<S>>,
    map: F,
}

impl<S, F> Mapped<S, F> {
    pub(crate) fn new(stream: S, map: F) -> Self {
        let stream = Box::pin(stream);
        Self { stream, map }
    }
}

impl<S: Stream, T, F: FnMut(S::Item) -> T + Unpin> Stream for Mapped<S, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let next = self.stream.as_mut().poll_next(context);
        next.map(|item| item.map(|item| (self.map)(item)))
    }
}
