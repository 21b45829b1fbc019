//! What a route leads to, its types erased.

use std::future::{Future, poll_fn, ready};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use tidings_core::application::{Answer, Failure, Response, ResponseFuture};
use tidings_core::disconnect::Reason;

use crate::handler::Handler;
use crate::layer::{Layer, Next};
use crate::message::Message;

/// Answers messages with the state that it is given.
pub(crate) trait Endpoint<S>: Send + Sync {
    fn call(&self, message: Message, state: S) -> ResponseFuture;

    /// Whether the session goes on meanwhile.
    fn is_parallel(&self) -> bool;
}

/// A handler of some type.
pub(crate) struct HandlerEndpoint<H, A> {
    handler: H,
    arguments: PhantomData<fn() -> A>,
}

impl<H, A> HandlerEndpoint<H, A> {
    pub(crate) fn new(handler: H) -> Self {
        Self {
            handler,
            arguments: PhantomData,
        }
    }
}

impl<H: Handler<A, S>, A: 'static, S: Send + 'static> Endpoint<S> for HandlerEndpoint<H, A> {
    fn call(&self, message: Message, state: S) -> ResponseFuture {
        let handler = self.handler.clone();
        unwound(handler.call(message, state))
    }

    fn is_parallel(&self) -> bool {
        H::IS_PARALLEL
    }
}

/// An endpoint behind a layer.
pub(crate) struct Layered<S> {
    pub(crate) layer: Layer,
    pub(crate) inner: Arc<dyn Endpoint<S>>,
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> for Layered<S> {
    fn call(&self, message: Message, state: S) -> ResponseFuture {
        let layer = Arc::clone(&self.layer);
        let inner = Arc::clone(&self.inner);
        let next = Next::new(move |message| inner.call(message, state));
        unwound(async move { layer(message, next).await })
    }

    fn is_parallel(&self) -> bool {
        self.inner.is_parallel()
    }
}

/// An endpoint that knows its state, among those with another one.
pub(crate) struct WithState<S> {
    pub(crate) state: S,
    pub(crate) inner: Arc<dyn Endpoint<S>>,
}

impl<S: Clone + Send + Sync + 'static, T> Endpoint<T> for WithState<S> {
    fn call(&self, message: Message, _: T) -> ResponseFuture {
        self.inner.call(message, self.state.clone())
    }

    fn is_parallel(&self) -> bool {
        self.inner.is_parallel()
    }
}

/// A panic in `answer` becomes a failure, so that it costs neither the thread nor the other sessions on it. The panic
/// hook has told of it, on standard error by custom; the client is told no more than that it happened.
///
/// The answer has a box of its own: pinned within this future it would lie there twice, and a message is some hundreds of
/// bytes to move.
fn unwound(answer: impl Future<Output = Response> + Send + 'static) -> ResponseFuture {
    let mut answer = Box::pin(answer);
    Box::pin(poll_fn(move |context| {
        // What is half changed is dropped with the future, or behind a lock that knows it is poisoned.
        let polled = catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(panicked()))
    }))
}

/// The same for what happens before there is a future: the state or the handler is cloned.
pub(crate) fn unwound_at_once(call: impl FnOnce() -> Answer) -> Answer {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Answer::new(ready(panicked())))
}

fn panicked() -> Response {
    let details = "the handler panicked: the server's log says where".to_owned();
    let reason = Reason::InternalError;
    Failure { reason, details }.into()
}
