//! Layers: what stands around handlers and sees messages come in and responses go out.

use std::fmt;
use std::sync::Arc;

use tidings_core::application::{Response, ResponseFuture};

use crate::message::Message;

pub(crate) type Layer = Arc<dyn Fn(Message, Next) -> ResponseFuture + Send + Sync>;

/// The rest of the way of a message: the layers further in, then the handler. See [`Router::layer`](crate::Router::layer).
pub struct Next {
    inner: Box<dyn FnOnce(Message) -> ResponseFuture + Send>,
}

impl Next {
    pub(crate) fn new(inner: impl FnOnce(Message) -> ResponseFuture + Send + 'static) -> Self {
        Self {
            inner: Box::new(inner),
        }
    }

    /// Lets the message go on, and gives what came of it.
    pub async fn run(self, message: Message) -> Response {
        (self.inner)(message).await
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}
