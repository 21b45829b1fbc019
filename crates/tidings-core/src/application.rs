//! Applications: who answers what clients send to application destinations, and how they reach clients.
//!
//! The server brings a [`Request`] to the one [`Application`] and does what its [`Response`] asks. At any other time, from
//! any thread, whoever holds a [`Broker`] sends as the server does.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hashbrown::HashMap;
use tidings_stomp::Headers;

use crate::destination::DestinationError;
use crate::disconnect::Reason;

/// Answers requests. One at a time per session, so that order holds; those of different sessions side by side.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no application",
    label = "can't answer requests",
    note = "a `Router<S>` of which state is still missing becomes an application by `with_state`"
)]
pub trait Application: Send + Sync + 'static {
    /// Answers a request. What blocks a thread must be done elsewhere: other sessions wait for it.
    fn call(&self, request: Request) -> ResponseFuture;

    /// Something happened to a session; must return at once.
    fn notice(&self, event: &Event) {
        let _ = event;
    }
}

/// What [`Application::call`] gives.
pub type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

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
    /// A SUBSCRIBE; [`Effect::Reply`] answers it, once.
    Subscribe,
}

/// A client's session as an application sees it, from CONNECTED to its end.
pub struct Session {
    /// The name that CONNECTED gave it.
    pub id: Arc<str>,
    /// Whose it is, where that is known.
    pub user: Option<Arc<str>>,
    attributes: Mutex<HashMap<TypeId, Box<dyn Any + Send + Sync>>>,
}

impl Session {
    /// A session without attributes.
    pub fn new(id: Arc<str>, user: Option<Arc<str>>) -> Self {
        Self {
            id,
            user,
            attributes: Mutex::default(),
        }
    }

    /// Looks at the attribute of this type, or changes it; it is made from its default if it is not there.
    pub fn attribute<T: Default + Send + Sync + 'static, R>(
        &self,
        look: impl FnOnce(&mut T) -> R,
    ) -> R {
        let mut attributes = self
            .attributes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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
            effects: Vec::new(),
            failure: Some(failure),
        }
    }
}

/// Something to send.
#[derive(Debug, Clone)]
pub enum Effect {
    /// To the subscription that asked, past the broker. A SEND has none: then it goes nowhere.
    Reply(Outgoing),
    /// To a destination of the broker.
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

/// Whom a message to a user destination is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// All sessions of a user.
    User(Box<str>),
    /// One session.
    Session(Arc<str>),
}

/// A message that an application sends.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Its headers, `content-type` among them; those that the server writes itself are left out.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
}

/// Sends from outside of any request.
pub trait Broker: Send + Sync + 'static {
    /// Sends to a topic or a queue.
    ///
    /// # Errors
    /// The destination is not well formed or none of the broker's, or its queue is full.
    fn send(&self, destination: &str, message: Outgoing) -> Result<(), SendError>;

    /// Sends to sessions that have subscribed to `path` behind the user prefix; says how many there are on this node.
    ///
    /// # Errors
    /// The path is not well formed.
    fn send_to(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
    ) -> Result<usize, SendError>;
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The destination can't be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The broker does not take it.
    #[error("{details}")]
    Refused {
        /// The code.
        reason: Reason,
        /// The cause.
        details: String,
    },
}

/// What happened to a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// It is connected.
    Connected {
        /// Which one.
        session: Arc<Session>,
    },
    /// A subscription to the broker is live: what is sent from now on reaches it.
    Subscribed {
        /// Whose.
        session: Arc<Session>,
        /// The client's id; absent only with STOMP 1.0.
        subscription: Option<Box<str>>,
        /// As the client wrote it.
        destination: Box<str>,
    },
    /// A subscription has ended, by the client or with its session.
    Unsubscribed {
        /// Whose.
        session: Arc<Session>,
        /// The client's id; absent only with STOMP 1.0.
        subscription: Option<Box<str>>,
    },
    /// It has ended; nothing more happens to it.
    Disconnected {
        /// Which one.
        session: Arc<Session>,
        /// Why.
        reason: Reason,
    },
}
