//! Handlers without a server.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tidings::application::{Application, Request, RequestKind, Session};
use tidings::security::Principal;
use tidings_stomp::Headers;

use crate::outcome::Outcome;

/// The prefix of the destinations of applications, where the configuration names no other.
const PREFIX: &str = "/app/";

/// A router alone: what a client would ask goes in, what the server would be told to do comes out. No broker is there, so
/// nothing is checked that the broker decides: whether a destination exists, whether a user is connected.
///
/// ```
/// use tidings::prelude::*;
/// use tidings_testkit::TestRouter;
///
/// async fn trade(User(user): User, Path(symbol): Path<String>) -> SendTo<String> {
///     SendTo("/topic/trades", format!("{user} buys {symbol}"))
/// }
///
/// let router = TestRouter::new(Router::new().message("trade/{symbol}", trade));
///
/// let answer = router.message("/app/trade/acme").user("ann").call_now();
/// assert_eq!(answer.sent_to("/topic/trades").text(), "ann buys acme");
///
/// let answer = router.message("/app/trade/acme").call_now();
/// assert_eq!(answer.failure().reason, Reason::Unauthenticated, "nobody is logged in");
/// ```
#[derive(Clone)]
pub struct TestRouter {
    application: Arc<dyn Application>,
    prefix: String,
}

/// What a client asks of a [`TestRouter`]: by default with an empty body, in a session of its own that nobody has logged
/// in to.
#[must_use = "it is asked when it is called"]
pub struct Ask {
    application: Arc<dyn Application>,
    request: Request,
}

impl TestRouter {
    /// These handlers.
    pub fn new(application: impl Application) -> Self {
        Self {
            application: Arc::new(application),
            prefix: PREFIX.to_owned(),
        }
    }

    /// Its destinations begin so, in place of `/app/`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// A SEND to this destination.
    ///
    /// # Panics
    /// The destination does not begin with the prefix of applications.
    #[track_caller]
    pub fn message(&self, destination: &str) -> Ask {
        self.ask(RequestKind::Message, destination)
    }

    /// A SUBSCRIBE to this destination.
    ///
    /// # Panics
    /// As [`message`](Self::message).
    #[track_caller]
    pub fn subscription(&self, destination: &str) -> Ask {
        self.ask(RequestKind::Subscribe, destination)
    }

    #[track_caller]
    fn ask(&self, kind: RequestKind, destination: &str) -> Ask {
        let prefix = &self.prefix;
        assert!(
            destination.starts_with(prefix),
            "{destination} is no destination of an application: it does not begin with {prefix}",
        );
        Ask {
            application: Arc::clone(&self.application),
            request: Request {
                kind,
                destination: destination.into(),
                path_at: prefix.len(),
                headers: Headers::new(),
                body: Bytes::new(),
                session: session(None),
            },
        }
    }
}

impl fmt::Debug for TestRouter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestRouter")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Ask {
    /// In a new session of this user.
    pub fn user(self, name: &str) -> Self {
        self.session(session(Some(name)))
    }

    /// In a new session of this one, with its roles and claims.
    pub fn principal(self, principal: Principal) -> Self {
        self.session(Arc::new(Session::of(SESSION.into(), Arc::new(principal))))
    }

    /// In this session: for what handlers keep with one.
    pub fn session(mut self, session: Arc<Session>) -> Self {
        self.request.session = session;
        self
    }

    /// With this header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.push(name, value);
        self
    }

    /// With this body.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.request.body = body.into();
        self
    }

    /// With this body as JSON, and its `content-type`.
    ///
    /// # Panics
    /// It can't be written as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body can be written as JSON");
        self.header("content-type", "application/json").body(body)
    }

    /// Asks.
    pub async fn call(self) -> Outcome {
        Outcome::new(self.application.call(self.request).await)
    }

    /// Asks, without a runtime: for handlers that use none. It blocks the thread until they have answered.
    pub fn call_now(self) -> Outcome {
        pollster::block_on(self.call())
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(formatter)
    }
}

fn session(user: Option<&str>) -> Arc<Session> {
    Arc::new(Session::new(SESSION.into(), user.map(Into::into)))
}

/// What its session is called.
const SESSION: &str = "session";
