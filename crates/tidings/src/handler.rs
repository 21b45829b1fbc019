//! Handlers: async functions of extractors that give a reply.
//!
//! When the compiler says that a function is no handler, `#[debug_handler]` on the function lets it say why:
//!
//! ```
//! use tidings::prelude::*;
//!
//! # #[cfg(feature = "macros")]
//! #[debug_handler]
//! async fn greet(User(user): User, name: String) -> String {
//!     format!("{user} greets {name}")
//! }
//! ```

use std::future::Future;

use tidings_core::application::Response;

use crate::extract::{FromMessage, FromMessageParts};
use crate::message::Message;
use crate::reply::IntoReply;

/// An async function that answers messages; users write the function and never name this trait.
///
/// It has up to 8 arguments. All but the last implement [`FromMessageParts`], the last one that or [`FromMessage`]; what it
/// gives implements [`IntoReply`]; and its future is [`Send`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no message handler",
    label = "not an async function that can answer messages",
    note = "`#[debug_handler]` on the function lets the compiler say which of these it does not meet",
    note = "a handler is an `async fn` of at most 8 arguments, and `Clone + Send + Sync + 'static` if it is a closure",
    note = "all its arguments but the last implement `FromMessageParts`; the last may take the body, as `Json<T>`, `String`, `Bytes` and `Message` do: `FromMessage`",
    note = "what it returns implements `IntoReply`: `()`, `Json<T>`, `String`, `SendTo`, `SendToUser`, `Option`, `Result`, tuples of them",
    note = "its future is `Send`: no `Rc`, `RefCell` borrow or std lock guard lives across an `.await`",
    note = "the state that `State<T>` takes is the router's `S` or implements `FromRef<S>`"
)]
pub trait Handler<A, S>: Clone + Send + Sync + 'static {
    /// Whether the session goes on with its next frame before this one is answered: see [`parallel`].
    const IS_PARALLEL: bool = false;

    /// Answers a message.
    fn call(self, message: Message, state: S) -> impl Future<Output = Response> + Send;
}

/// Lets a handler run in parallel: what the client sends next is done meanwhile, and answers come in the order in which
/// they are ready. For what takes long and does not depend on what was sent before it. A session may have
/// `application.max_parallel` such requests open; its next frame waits for one of them to end. DISCONNECT waits for all.
///
/// ```
/// use tidings::prelude::*;
///
/// async fn report(Path(year): Path<u16>) -> SendToUser<String> {
///     SendToUser("/queue/reports", format!("the report of {year}, after a while"))
/// }
///
/// let router: Router = Router::new().message("report/{year}", parallel(report));
/// ```
pub fn parallel<H>(handler: H) -> Parallel<H> {
    Parallel(handler)
}

/// What [`parallel`] gives.
#[derive(Debug, Clone)]
pub struct Parallel<H>(H);

impl<A, S, H: Handler<A, S>> Handler<A, S> for Parallel<H> {
    const IS_PARALLEL: bool = true;

    fn call(self, message: Message, state: S) -> impl Future<Output = Response> + Send {
        self.0.call(message, state)
    }
}

impl<F, Fut, S> Handler<((),), S> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send,
    Fut::Output: IntoReply,
    S: Send,
{
    async fn call(self, message: Message, _: S) -> Response {
        let mut response = Response::default();
        self().await.into_reply(&message.parts, &mut response);
        response
    }
}

macro_rules! handler {
    ($($part:ident)* ; $last:ident) => {
        #[expect(non_snake_case, reason = "an argument is called as its type")]
        impl<F, Fut, S, M, $($part,)* $last> Handler<(M, $($part,)* $last,), S> for F
        where
            F: FnOnce($($part,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future + Send,
            Fut::Output: IntoReply,
            S: Send + Sync,
            $($part: FromMessageParts<S> + Send,)*
            $last: FromMessage<S, M> + Send,
        {
            async fn call(self, message: Message, state: S) -> Response {
                let Message { mut parts, body } = message;
                let mut response = Response::default();
                $(let $part = match $part::from_message_parts(&mut parts, &state).await {
                    Ok(extracted) => extracted,
                    Err(rejection) => {
                        rejection.into_reply(&parts, &mut response);
                        return response;
                    }
                };)*
                let $last = match $last::from_message(&mut parts, body, &state).await {
                    Ok(extracted) => extracted,
                    Err(rejection) => {
                        rejection.into_reply(&parts, &mut response);
                        return response;
                    }
                };
                self($($part,)* $last).await.into_reply(&parts, &mut response);
                response
            }
        }
    };
}

handler!(; T1);
handler!(T1; T2);
handler!(T1 T2; T3);
handler!(T1 T2 T3; T4);
handler!(T1 T2 T3 T4; T5);
handler!(T1 T2 T3 T4 T5; T6);
handler!(T1 T2 T3 T4 T5 T6; T7);
handler!(T1 T2 T3 T4 T5 T6 T7; T8);

/// What `#[debug_handler]` calls, once for each thing that may be wrong: the bounds of [`Handler`], one at a time.
#[doc(hidden)]
pub mod check {
    use std::future::Future;

    use crate::extract::{FromMessage, FromMessageParts};
    use crate::reply::IntoReply;

    pub fn state<S: Clone + Send + Sync + 'static>() {}

    pub fn argument<T: FromMessageParts<S> + Send, S>() {}

    pub fn last_argument<T: FromMessage<S, M> + Send, S, M>() {}

    pub fn reply<T: IntoReply>() {}

    pub fn future(_: impl Future + Send) {}

    pub fn replying_future(_: impl Future<Output: IntoReply> + Send) {}
}
