//! Routes: which handler answers what.

mod application;
mod interceptor;
mod near;
pub(crate) mod pattern;
mod segment;
mod table;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tidings_core::application::{Event, Failure, Outgoing, Response, ResponseStream, Session};
use tidings_core::destination::Separator;
use tidings_stomp::{Command, Frame};

use self::interceptor::{Interceptor, OutgoingInterceptor};
use self::pattern::RoutePattern;
use self::table::Table;
use crate::endpoint::{Endpoint, HandlerEndpoint, Layered, WithState};
use crate::handler::Handler;
use crate::layer::{Layer, Next};
use crate::message::{Message, Parts};
use crate::reply::{IntoReply, Mapped};

/// Brings what clients send to the application to its handlers. `S` is the state that is still to be given with
/// [`with_state`](Self::with_state); a `Router` of which none is missing is an
/// [`Application`](tidings_core::application::Application).
///
/// Patterns are written without the application prefix; a leading `/` counts for nothing. A segment is text, or has in
/// it, or is:
///
/// | wildcard | alone in a segment | beside text | |
/// |---|---|---|---|
/// | `*` | any segment | any characters, or none | `prices/*`, `prices/eur-*` |
/// | `{name}` | any segment | one character or more | [`Path`](crate::extract::Path) gives it |
/// | `**` | any segments, or none | never | stands last |
///
/// Several wildcards in a segment take as little as they can, from left to right, the last one what is left.
///
/// Where several patterns match, the first segment in which they differ decides: text goes before a part, a part with
/// more text before one with less, then `*` and `{name}`, then `**`. The order in which routes were added never counts.
/// An exact route costs one look into a hash, a pattern one step per segment; only routes with different parts at the
/// same place, as `a-*` and `b-*`, are tried one after the other.
///
/// ```
/// use tidings::prelude::*;
///
/// async fn trade(Path(symbol): Path<String>, body: String) -> SendTo<String> {
///     SendTo("/topic/trades/{symbol}", format!("{symbol}: {body}"))
/// }
///
/// async fn positions(User(user): User) -> Json<Vec<String>> {
///     Json(vec![format!("what {user} holds")])
/// }
///
/// let router: Router = Router::new()
///     .message("trade/{symbol}", trade)
///     .subscribe("positions", positions);
/// ```
#[must_use = "a router does nothing until it is given to a server"]
pub struct Router<S = ()> {
    separator: Separator,
    messages: Table<Arc<dyn Endpoint<S>>>,
    subscriptions: Table<Arc<dyn Endpoint<S>>>,
    fallbacks: Table<Arc<dyn Endpoint<S>>>,
    /// Around the default fallback as well; the innermost first.
    layers: Vec<Layer>,
    listeners: Vec<Listener>,
    interceptors: Vec<Interceptor>,
    outgoing_interceptors: Vec<OutgoingInterceptor>,
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl<S: Clone + Send + Sync + 'static> Router<S> {
    /// No routes, and `/` between segments.
    pub fn new() -> Self {
        Self::with_separator(Separator::Slash)
    }

    /// No routes. With [`Separator::Dot`] patterns are written `trade.{symbol}`; the server has to be set so, too.
    pub fn with_separator(separator: Separator) -> Self {
        let character = separator.as_char();
        Self {
            separator,
            messages: Table::new(character),
            subscriptions: Table::new(character),
            fallbacks: Table::new(character),
            layers: Vec::new(),
            listeners: Vec::new(),
            interceptors: Vec::new(),
            outgoing_interceptors: Vec::new(),
        }
    }

    /// Answers each SEND to a destination that matches `pattern`.
    ///
    /// # Panics
    /// The pattern is not well formed, or there is a route for the same.
    #[track_caller]
    pub fn message<A: 'static>(mut self, pattern: &str, handler: impl Handler<A, S>) -> Self {
        let pattern = parse(pattern, self.separator);
        insert(&mut self.messages, pattern, endpoint(handler));
        self
    }

    /// Answers each SUBSCRIBE to a destination that matches `pattern`: once, directly to that subscription.
    ///
    /// # Panics
    /// The pattern is not well formed, or there is a route for the same.
    #[track_caller]
    pub fn subscribe<A: 'static>(mut self, pattern: &str, handler: impl Handler<A, S>) -> Self {
        let pattern = parse(pattern, self.separator);
        insert(&mut self.subscriptions, pattern, endpoint(handler));
        self
    }

    /// Answers what no route takes, SEND and SUBSCRIBE; in a router that is [nested](Self::nest), what is under its
    /// prefix. Without it the client is told
    /// [`unknown-destination`](tidings_core::disconnect::Reason::UnknownDestination), and routes that look alike.
    ///
    /// # Panics
    /// There is one already.
    #[track_caller]
    pub fn fallback<A: 'static>(mut self, handler: impl Handler<A, S>) -> Self {
        let pattern = parse("**", self.separator);
        insert(&mut self.fallbacks, pattern, endpoint(handler));
        self
    }

    /// Adds the routes of `other` under a prefix, which may have wildcards but `**`.
    ///
    /// # Panics
    /// As [`message`](Self::message); or the separators differ.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, other: Self) -> Self {
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix);
        let separator = self.separator.as_char();
        let prefix = prefix.strip_suffix(separator).unwrap_or(prefix);
        assert!(
            !prefix.is_empty(),
            "the prefix of a nested router is empty: use `merge`"
        );
        self.take(prefix, other);
        self
    }

    /// Adds the routes of `other`.
    ///
    /// # Panics
    /// As [`message`](Self::message); or the separators differ.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        self.take("", other);
        self
    }

    /// Stands around all routes and the fallback that are there by now, of nested routers too; what is added later is not
    /// behind it. The layer that was added last sees messages first and responses last.
    ///
    /// It may change the message, observe, or answer itself, and it may change the response. It comes after the choice of
    /// a route and before the extractors.
    ///
    /// ```
    /// use tidings::prelude::*;
    ///
    /// async fn only_known(message: Message, next: Next) -> Response {
    ///     if message.parts.session.user.is_none() {
    ///         let details = "nobody is logged in: log in first".to_owned();
    ///         return Failure { reason: Reason::Refused, details }.into();
    ///     }
    ///     next.run(message).await
    /// }
    ///
    /// let router: Router = Router::new()
    ///     .message("news", async |news: String| news)
    ///     .layer(only_known);
    /// ```
    pub fn layer<F, Fut>(mut self, layer: F) -> Self
    where
        F: Fn(Message, Next) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Response> + Send + 'static,
    {
        let layer: Layer = Arc::new(move |message, next| Box::pin(layer(message, next)));
        let wrap = |inner: Arc<dyn Endpoint<S>>| layered(&layer, inner);
        self.messages = self.messages.map(wrap);
        self.subscriptions = self.subscriptions.map(wrap);
        self.fallbacks = self.fallbacks.map(wrap);
        self.layers.push(layer);
        self
    }

    /// Answers in place of every failure of the routes that are there by now: rejections of extractors, errors of
    /// handlers, panics, unknown destinations. A [`Failure`] that `answer` gives is told to the client as any other.
    ///
    /// ```
    /// use tidings::prelude::*;
    ///
    /// let router: Router = Router::new()
    ///     .message("count", async |Json(count): Json<u32>| Json(count + 1))
    ///     .on_error(|failure, _| SendToUser("/queue/errors", failure.details).sender_only());
    /// ```
    pub fn on_error<R: IntoReply>(
        self,
        answer: impl Fn(Failure, &Parts) -> R + Send + Sync + 'static,
    ) -> Self {
        let answer = Arc::new(answer);
        self.layer(move |message, next| {
            let answer = Arc::clone(&answer);
            async move {
                let parts = message.parts.clone();
                let mut response = next.run(message).await;
                answer_failure(&*answer, &parts, &mut response);
                let streams = std::mem::take(&mut response.streams);
                response.streams = streams
                    .into_iter()
                    .map(|stream| answered(stream, Arc::clone(&answer), parts.clone()))
                    .collect();
                response
            }
        })
    }

    /// Stands in the way of frames of these commands, wherever they go, before the server acts on them: CONNECT, and SEND
    /// and SUBSCRIBE to destinations of the broker, too. It gives the frame, changed if it likes, or refuses it; the client
    /// is told as of any failure, and a CONNECT that is refused ends the connection. Those that were added first see frames
    /// first. The next frame of the session waits until then, up to `application.timeout`. CONNECT stands for STOMP as well.
    /// The command and the header `receipt` stay as they are; a DISCONNECT ends the session, whatever becomes of it.
    ///
    /// ```
    /// use tidings::prelude::*;
    ///
    /// async fn no_shouting(frame: Frame, _: Arc<Session>) -> Result<Frame, Failure> {
    ///     if frame.body.iter().any(u8::is_ascii_lowercase) {
    ///         return Ok(frame);
    ///     }
    ///     let details = "this was all in capitals; write more quietly".to_owned();
    ///     Err(Failure { reason: Reason::Refused, details })
    /// }
    ///
    /// # use std::sync::Arc;
    /// let router: Router = Router::new().interceptor([Command::Send], no_shouting);
    /// ```
    ///
    /// # Panics
    /// One of the commands is for servers to send.
    #[track_caller]
    pub fn interceptor<F, Fut>(
        mut self,
        commands: impl IntoIterator<Item = Command>,
        interceptor: F,
    ) -> Self
    where
        F: Fn(Frame, Arc<Session>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Frame, Failure>> + Send + 'static,
    {
        self.interceptors
            .push(Interceptor::new(commands, interceptor));
        self
    }

    /// Stands in the way of messages to subscribers, from whomever they come: once per message and before it is copied
    /// for each of them. It may change the message, or refuse it; who sent it is told. It must return at once.
    ///
    /// ```
    /// use tidings::prelude::*;
    ///
    /// let router: Router = Router::new().outgoing_interceptor(|_destination, message| {
    ///     message.headers.push("node", "berlin-1");
    ///     Ok(())
    /// });
    /// ```
    pub fn outgoing_interceptor(
        mut self,
        interceptor: impl Fn(&str, &mut Outgoing) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        self.outgoing_interceptors.push(Arc::new(interceptor));
        self
    }

    /// Hears what happens to sessions. It must return at once.
    pub fn on_event(mut self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// Gives the state that [`State`](crate::extract::State) takes; it is cloned for each message, so let it be cheap to
    /// clone. The type of the new router says what is missing then: nothing, or another state for what is added later.
    pub fn with_state<T>(self, state: S) -> Router<T> {
        let give = |inner| -> Arc<dyn Endpoint<T>> {
            let state = state.clone();
            Arc::new(WithState { state, inner })
        };
        Router {
            separator: self.separator,
            messages: self.messages.map(give),
            subscriptions: self.subscriptions.map(give),
            fallbacks: self.fallbacks.map(give),
            layers: self.layers,
            listeners: self.listeners,
            interceptors: self.interceptors,
            outgoing_interceptors: self.outgoing_interceptors,
        }
    }

    #[track_caller]
    fn take(&mut self, prefix: &str, other: Self) {
        assert!(
            self.separator == other.separator,
            "the routers have different separators: build both with the same one"
        );
        let tables = [
            (&mut self.messages, other.messages),
            (&mut self.subscriptions, other.subscriptions),
            (&mut self.fallbacks, other.fallbacks),
        ];
        for (table, others) in tables {
            for route in others.into_routes() {
                let text = join(prefix, route.pattern.text(), self.separator);
                insert(table, parse(&text, self.separator), route.value);
            }
        }
        self.listeners.extend(other.listeners);
        self.interceptors.extend(other.interceptors);
        self.outgoing_interceptors
            .extend(other.outgoing_interceptors);
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Router<S> {
    fn default() -> Self {
        Self::new()
    }
}

fn answer_failure<R: IntoReply>(
    answer: &impl Fn(Failure, &Parts) -> R,
    parts: &Parts,
    response: &mut Response,
) {
    if let Some(failure) = response.failure.take() {
        answer(failure, parts).into_reply(parts, response);
    }
}

/// The same stream, its failures answered.
fn answered<R: IntoReply>(
    stream: ResponseStream,
    answer: Arc<impl Fn(Failure, &Parts) -> R + Send + Sync + 'static>,
    parts: Parts,
) -> ResponseStream {
    ResponseStream::new(Mapped::new(stream, move |mut response| {
        answer_failure(&*answer, &parts, &mut response);
        response
    }))
}

/// Shows the patterns.
impl<S> fmt::Debug for Router<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Router")
            .field("messages", &self.messages.patterns().collect::<Vec<_>>())
            .field(
                "subscriptions",
                &self.subscriptions.patterns().collect::<Vec<_>>(),
            )
            .finish_non_exhaustive()
    }
}

fn endpoint<A: 'static, S: Send + 'static>(handler: impl Handler<A, S>) -> Arc<dyn Endpoint<S>> {
    Arc::new(HandlerEndpoint::new(handler))
}

fn layered<S: Clone + Send + Sync + 'static>(
    layer: &Layer,
    inner: Arc<dyn Endpoint<S>>,
) -> Arc<dyn Endpoint<S>> {
    let layer = Arc::clone(layer);
    Arc::new(Layered { layer, inner })
}

fn join(prefix: &str, path: &str, separator: Separator) -> String {
    match (prefix, path) {
        ("", one) | (one, "") => one.to_owned(),
        _ => format!("{prefix}{}{path}", separator.as_char()),
    }
}

#[track_caller]
fn parse(text: &str, separator: Separator) -> Arc<RoutePattern> {
    match RoutePattern::parse(text, separator) {
        Ok(pattern) => Arc::new(pattern),
        Err(error) => panic!("the route `{text}` is not well formed: {error}"),
    }
}

#[track_caller]
fn insert<V>(table: &mut Table<V>, pattern: Arc<RoutePattern>, value: V) {
    let text = Arc::clone(&pattern);
    if let Err(taken) = table.insert(pattern, value) {
        panic!(
            "the routes `{}` and `{}` match the same destinations: keep one",
            taken.text(),
            text.text()
        );
    }
}
