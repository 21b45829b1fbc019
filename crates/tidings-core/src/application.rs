//! Applications: who answers what clients send to application destinations, and how they reach clients.
//!
//! The server brings a [`Request`] to the one [`Application`] and does what its [`Response`] asks. At any other time, from
//! any thread, whoever holds a [`Broker`] sends as the server does.

mod broker;
mod event;

use std::any::{Any, TypeId};
use std::fmt;
use std::future::{Future, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use hashbrown::HashMap;
use tidings_stomp::{Command, Frame, Headers};

use crate::destination::Separator;
use crate::disconnect::Reason;
use crate::security::Principal;

pub use self::broker::{
    Broker, Outgoing, ReachedFuture, Recipient, Reply, ReplyError, ReplyFuture, SendError,
};
pub use self::event::Event;

/// Answers requests, and stands in the way of frames where it wants to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no application",
    label = "can't answer requests",
    note = "a `Router<S>` of which state is still missing becomes an application by `with_state`"
)]
pub trait Application: Send + Sync + 'static {
    /// Answers a request. What blocks a thread must be done elsewhere: other sessions wait for it.
    fn call(&self, request: Request) -> Answer;

    /// What separates the segments of the destinations that it knows, if it minds. A server with another one does not
    /// start.
    fn separator(&self) -> Option<Separator> {
        None
    }

    /// Whether [`intercept`](Self::intercept) wants to see frames of this command. Asked for each frame.
    fn intercepts(&self, command: Command) -> bool {
        let _ = command;
        false
    }

    /// Lets a frame pass, as it is or changed, before the server acts on it; or refuses it. The next frame of the session
    /// waits until then. Of a CONNECT the header `login` says who the session is from then on; the session that is given
    /// with it has the login as it came.
    fn intercept(&self, frame: Frame, session: Arc<Session>) -> InterceptFuture {
        let _ = session;
        Box::pin(ready(Ok(frame)))
    }

    /// Whether [`intercept_outgoing`](Self::intercept_outgoing) wants to see messages. Asked for each message.
    fn intercepts_outgoing(&self) -> bool {
        false
    }

    /// Lets a message pass on its way to subscribers, as it is or changed, or refuses it: once per message, not per
    /// subscriber, from whomever it comes. Must return at once.
    ///
    /// # Errors
    /// The message is refused; who sent it is told.
    fn intercept_outgoing(&self, destination: &str, message: &mut Outgoing) -> Result<(), Failure> {
        let _ = (destination, message);
        Ok(())
    }

    /// Something happened to a session; must return at once.
    fn notice(&self, event: &Event) {
        let _ = event;
    }
}

/// What [`Application::intercept`] gives: the frame that the server is to act on, or why it is not to.
pub type InterceptFuture = Pin<Box<dyn Future<Output = Result<Frame, Failure>> + Send>>;

/// The response to come.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// What [`Application::call`] gives: a future of its response, and what holds until then.
#[must_use = "nothing is answered until it is awaited"]
pub struct Answer {
    /// The response to come.
    pub response: ResponseFuture,
    /// The session does not wait for it: what the client sends next is done meanwhile, up to `application.max_parallel`
    /// requests of a session at a time.
    pub is_parallel: bool,
}

impl Answer {
    /// One that the session waits for.
    pub fn new(response: impl Future<Output = Response> + Send + 'static) -> Self {
        Self {
            response: Box::pin(response),
            is_parallel: false,
        }
    }
}

impl From<ResponseFuture> for Answer {
    fn from(response: ResponseFuture) -> Self {
        Self {
            response,
            is_parallel: false,
        }
    }
}

impl Future for Answer {
    type Output = Response;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        self.response.as_mut().poll(context)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Answer")
            .field("is_parallel", &self.is_parallel)
            .finish_non_exhaustive()
    }
}

/// What a client asks of the application.
#[derive(Debug, Clone)]
pub struct Request {
    /// SEND or SUBSCRIBE.
    pub kind: RequestKind,
    /// The destination as the client wrote it: `/app/trade/acme`.
    pub destination: Arc<str>,
    /// Where in `destination` that begins which follows the application prefix; the separator before it is part of the
    /// prefix.
    pub path_at: usize,
    /// All headers of the frame.
    pub headers: Headers,
    /// The body of a SEND.
    pub body: Bytes,
    /// Who asks.
    pub session: Arc<Session>,
}

impl Request {
    /// What follows the application prefix: `trade/acme`.
    pub fn path(&self) -> &str {
        self.destination.get(self.path_at..).unwrap_or_default()
    }
}

/// What kind of frame a [`Request`] was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// A SEND.
    Message,
    /// A SUBSCRIBE; [`Effect::Reply`] answers it.
    Subscribe,
}

/// A client's session as an application sees it, from its CONNECT to its end.
pub struct Session {
    /// The name that CONNECTED gives it.
    pub id: Arc<str>,
    /// Whose it is, where that is known.
    pub user: Option<Arc<str>>,
    /// What is known of the user; of the same name always.
    principal: Mutex<Arc<Principal>>,
    attributes: Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>,
}

impl Session {
    /// A session without attributes, of a user of whom only the name is known.
    pub fn new(id: Arc<str>, user: Option<Arc<str>>) -> Self {
        let principal = match user {
            Some(user) => Principal::user(user),
            None => Principal::anonymous(),
        };
        Self::of(id, Arc::new(principal))
    }

    /// A session without attributes.
    pub fn of(id: Arc<str>, principal: Arc<Principal>) -> Self {
        Self {
            id,
            user: principal.name.clone(),
            principal: Mutex::new(principal),
            attributes: Mutex::default(),
        }
    }

    /// The same session, its attributes included, now of another. The old one is left without them.
    #[must_use]
    pub fn passed_to(&self, principal: Arc<Principal>) -> Self {
        let attributes = std::mem::take(&mut *locked(&self.attributes));
        Self {
            attributes: Mutex::new(attributes),
            ..Self::of(Arc::clone(&self.id), principal)
        }
    }

    /// What is known of its user now: a renewed token may say something else than the one before.
    pub fn principal(&self) -> Arc<Principal> {
        Arc::clone(&locked(&self.principal))
    }

    /// Goes on with what a renewed token says of the same user; of another one it stays as it is, and says no.
    pub fn renew(&self, principal: Arc<Principal>) -> bool {
        let is_same = principal.name == self.user;
        if is_same {
            *locked(&self.principal) = principal;
        }
        is_same
    }

    /// Looks at the attribute of this type, or changes it; it is made from its default if it is not there.
    pub fn attribute<T: Default + Send + Sync + 'static, R>(
        &self,
        look: impl FnOnce(&mut T) -> R,
    ) -> R {
        let mut attributes = locked(&self.attributes);
        let attribute = attributes
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(T::default()));
        look(
            attribute
                .downcast_mut()
                .expect("an attribute stands under its own type"),
        )
    }
}

/// What it guards is whole after every step, so a panic in between spoils nothing.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("id", &self.id)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What the server is to do for a [`Request`], in order. The RECEIPT follows when all is done.
#[derive(Debug, Default)]
pub struct Response {
    /// What to send.
    pub effects: Vec<Effect>,
    /// The request failed: the client is told.
    pub failure: Option<Failure>,
    /// What follows in time. It is asked for while the client keeps up with it, until it ends, fails, or the session does;
    /// of a SUBSCRIBE until the subscription ends. Nobody waits for it.
    pub streams: Vec<ResponseStream>,
}

/// Responses to one request, one after the other. It may panic as it is dropped: nobody else comes to harm.
pub struct ResponseStream(Option<Pin<Box<dyn Stream<Item = Response> + Send>>>);

impl ResponseStream {
    /// These responses; one that has streams of its own does not bring them along.
    pub fn new(responses: impl Stream<Item = Response> + Send + 'static) -> Self {
        Self(Some(Box::pin(responses)))
    }
}

impl Stream for ResponseStream {
    type Item = Response;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Response>> {
        match &mut self.0 {
            Some(responses) => responses.as_mut().poll_next(context),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for ResponseStream {
    fn drop(&mut self) {
        let responses = self.0.take();
        // The panic hook has told of it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(responses)));
    }
}

impl fmt::Debug for ResponseStream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ResponseStream")
            .finish_non_exhaustive()
    }
}

/// Why a request failed, as the client will read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub reason: Reason,
    /// The cause, then what to do, split by a colon or semicolon where there is both.
    pub details: String,
}

impl From<Failure> for Response {
    fn from(failure: Failure) -> Self {
        Self {
            failure: Some(failure),
            ..Self::default()
        }
    }
}

/// Something to send.
#[derive(Debug, Clone)]
pub enum Effect {
    /// To the subscription that asked, past the broker. A SEND has none: then it goes nowhere.
    Reply(Outgoing),
    /// To a destination of the broker. The application is trusted: no access rule is asked, of [`SendTo`](Self::SendTo)
    /// neither.
    Send {
        /// A topic or a queue.
        destination: Box<str>,
        /// What.
        message: Outgoing,
    },
    /// To sessions.
    SendTo {
        /// Whose.
        recipient: Recipient,
        /// What they have subscribed to behind the user prefix: `queue/x`.
        path: Box<str>,
        /// What.
        message: Outgoing,
    },
}
