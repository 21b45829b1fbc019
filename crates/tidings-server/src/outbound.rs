//! What the application sends: to destinations, to users, to sessions; from a request or from anywhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use smallvec::SmallVec;
use tidings_core::application::{
    Broker, Failure, Outgoing, ReachedFuture, Recipient, ReplyFuture, SendError,
};
use tidings_core::destination::{Destination, DestinationError};
use tidings_core::disconnect::Reason;
use tidings_core::message::{Message, RESERVED_HEADERS, deliverable_headers, expiry};
use tidings_core::user::{UserTarget, session_topic};
use tidings_stomp::{Frame, Headers};
use tokio::sync::oneshot;

use crate::node::{Node, lock};
use crate::refusal::Refusal;
use crate::replies::Pending;
use crate::worker::{Farewell, Letter, Worker};

/// A message that knows its way.
pub(crate) enum Outbound {
    /// To the subscribers of its topic.
    Topic(Message),
    /// To the queue of its destination.
    Queue(Message),
}

/// The sessions of a recipient.
pub(crate) type Sessions = SmallVec<[Arc<str>; 4]>;

/// A message as subscribers will see it.
pub(crate) fn message(
    node: &Node,
    destination: &str,
    outgoing: Outgoing,
) -> Result<Message, SendError> {
    let Outgoing { headers, body } = outgoing;
    let expires_at_ms = expiry(&headers, node.now_ms()).map_err(|error| refused(&error.into()))?;
    let mut message = Message {
        id: node.message_ids.next(),
        destination: destination.into(),
        topic: None,
        headers: deliverable(headers),
        body,
        expires_at_ms,
    };
    node.intercept_outgoing(&mut message)
        .map_err(|refusal| refused(&refusal))?;
    Ok(message)
}

/// Most applications name no reserved header, and a copy is two allocations.
fn deliverable(headers: Headers) -> Headers {
    let reserved = |name: &str| RESERVED_HEADERS.binary_search(&name).is_ok();
    if headers.iter().any(|(name, _)| reserved(name)) {
        deliverable_headers(&headers)
    } else {
        headers
    }
}

/// What goes to a destination as a client would name it; several to one of a user.
pub(crate) fn to_destination(
    node: &Node,
    destination: &str,
    outgoing: Outgoing,
) -> Result<Vec<Outbound>, SendError> {
    match node.destinations.classify(destination)? {
        Destination::Topic => Ok(vec![Outbound::Topic(message(node, destination, outgoing)?)]),
        Destination::Queue => Ok(vec![Outbound::Queue(message(node, destination, outgoing)?)]),
        Destination::User(path) => {
            let target = UserTarget::parse(path)?;
            let sessions: Sessions = lock(&node.users).sessions(&target.name).into();
            let messages = copies(node, &sessions, &target.path, outgoing)?;
            Ok(messages.into_iter().map(Outbound::Topic).collect())
        }
        Destination::Application(_) | Destination::TempQueue(_) | Destination::ReplyQueue => {
            Err(SendError::Refused {
                reason: Reason::InvalidDestination,
                details: format!(
                    "{destination} is none of the broker's: send to a topic, a queue or a user"
                ),
            })
        }
    }
}

/// One message for each session of the recipient.
pub(crate) fn to_sessions(
    node: &Node,
    recipient: &Recipient,
    path: &str,
    outgoing: Outgoing,
) -> Result<Vec<Message>, SendError> {
    copies(node, &sessions(node, recipient), path, outgoing)
}

/// The sessions of a recipient, those that listen and those that do not.
pub(crate) fn sessions(node: &Node, recipient: &Recipient) -> Sessions {
    let users = lock(&node.users);
    match recipient {
        Recipient::User(user) => users.of_user(user).into(),
        Recipient::Session(session) => users.session(session).cloned().into_iter().collect(),
    }
}

fn copies(
    node: &Node,
    sessions: &[Arc<str>],
    path: &str,
    outgoing: Outgoing,
) -> Result<Vec<Message>, SendError> {
    let shown = format!("{}{path}", node.destinations.user_prefix);
    let Destination::User(path) = node.destinations.classify(&shown)? else {
        return Err(DestinationError::NoUser.into());
    };
    let message = message(node, &shown, outgoing)?;
    let Some((last, others)) = sessions.split_last() else {
        return Ok(Vec::new());
    };
    // Most recipients are one session, and a copy clones the headers.
    let mut messages = Vec::with_capacity(sessions.len());
    messages.extend(for_sessions(node, others, path, &message));
    messages.push(Message {
        topic: Some(topic(node, last, path)),
        ..message
    });
    Ok(messages)
}

fn topic(node: &Node, session: &str, path: &str) -> Arc<str> {
    session_topic(session, path, node.destinations.separator).into()
}

/// The message as each session hears it. The sessions are those that [`Users`](tidings_core::user::Users) knows: a name that
/// was made up might be cut into session and path elsewhere.
pub(crate) fn for_sessions(
    node: &Node,
    sessions: &[Arc<str>],
    path: &str,
    message: &Message,
) -> impl Iterator<Item = Message> {
    sessions.iter().map(move |session| Message {
        topic: Some(topic(node, session, path)),
        ..message.clone()
    })
}

/// What tells a session that one of its requests failed.
pub(crate) fn error(
    node: &Node,
    session: &str,
    path: &str,
    refusal: &Refusal,
    frame: &Frame,
) -> Result<Message, SendError> {
    let reply = refusal.reply(frame.receipt());
    let mut headers = Headers::new();
    headers.push("code", reply.code);
    headers.push("message", reply.message);
    headers.push(
        "request-destination",
        frame.header("destination").unwrap_or_default(),
    );
    if let Some(receipt) = frame.receipt() {
        headers.push("request-receipt", receipt);
    }
    headers.push("content-type", "text/plain");
    let outgoing = Outgoing {
        headers,
        body: reply.details.to_owned().into(),
    };
    let recipient = Recipient::Session(session.into());
    let mut messages = to_sessions(node, &recipient, path, outgoing)?;
    messages
        .pop()
        .ok_or_else(|| DestinationError::NoUser.into())
}

fn refused(refusal: &Refusal) -> SendError {
    SendError::Refused {
        reason: refusal.reason,
        details: refusal.details().to_owned(),
    }
}

impl Worker {
    /// Brings what the application sends to its subscribers or its queue.
    pub(crate) fn deliver(self: &Rc<Self>, outbound: Outbound) -> Result<(), SendError> {
        match outbound {
            Outbound::Topic(message) => {
                self.publish(message);
                Ok(())
            }
            Outbound::Queue(message) => self.node.enqueue(&message),
        }
    }
}

impl Node {
    /// Lets whoever stands in the way of messages change one, or refuse it.
    pub(crate) fn intercept_outgoing(&self, message: &mut Message) -> Result<(), Refusal> {
        let application = self.application.get();
        let Some(application) = application.filter(|one| one.intercepts_outgoing()) else {
            return Ok(());
        };
        let mut outgoing = Outgoing {
            headers: std::mem::take(&mut message.headers),
            body: std::mem::take(&mut message.body),
        };
        let intercepted = catch_unwind(AssertUnwindSafe(|| {
            application.intercept_outgoing(&message.destination, &mut outgoing)
        }));
        match intercepted {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => return Err(Refusal::by_application(failure)),
            Err(_) => {
                return Err(Refusal::by_application(Failure {
                    reason: Reason::InternalError,
                    details: "the application has panicked; its log says why".to_owned(),
                }));
            }
        }
        message.headers = deliverable_headers(&outgoing.headers);
        message.body = outgoing.body;
        Ok(())
    }

    fn enqueue(&self, message: &Message) -> Result<(), SendError> {
        let detached = Arc::new(message.detached());
        let enqueued = self
            .with_queue(&message.destination, |queue| {
                queue.enqueue(self.now_ms(), detached)
            })
            .map_err(Refusal::from)
            .and_then(|enqueued| enqueued.map_err(Refusal::from));
        enqueued.map_err(|refusal| refused(&refusal))
    }

    /// Hands a topic message to every worker that has a subscriber for it, from any thread; false where none has.
    pub(crate) fn publish(&self, message: Message) -> Result<bool, SendError> {
        self.post(message, |message| Letter::Publish(Arc::clone(message)))
    }

    /// As [`publish`](Self::publish), with each worker's letter about the message from `letter`.
    fn post(
        &self,
        message: Message,
        letter: impl Fn(&Arc<Message>) -> Letter,
    ) -> Result<bool, SendError> {
        let interest = self.interest_in(message.topic());
        let workers: SmallVec<[usize; 8]> = (0..self.mailboxes.len())
            .filter(|worker| interest.contains(*worker))
            .collect();
        if workers
            .iter()
            .any(|worker| !self.mailboxes[*worker].has_space())
        {
            return Err(SendError::Refused {
                reason: Reason::Overloaded,
                details: Reason::Overloaded.sentence().to_owned(),
            });
        }
        let weight = message.weight();
        let message = Arc::new(message);
        for worker in &workers {
            self.mailboxes[*worker].post(letter(&message), weight);
        }
        Ok(!workers.is_empty())
    }
}

/// Counts the sessions that a message is brought to, on all workers; tells when the last one has counted.
pub(crate) struct Census {
    sessions: AtomicUsize,
    done: Option<oneshot::Sender<usize>>,
}

impl Census {
    fn begin() -> (Arc<Self>, oneshot::Receiver<usize>) {
        let (done, counted) = oneshot::channel();
        let census = Self {
            sessions: AtomicUsize::new(0),
            done: Some(done),
        };
        (Arc::new(census), counted)
    }

    pub(crate) fn add(&self, sessions: usize) {
        self.sessions.fetch_add(sessions, Ordering::Relaxed);
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        if let Some(done) = self.done.take() {
            // Nobody waits for it any more: fine.
            let _ = done.send(*self.sessions.get_mut());
        }
    }
}

/// Sends from any thread.
pub(crate) struct NodeBroker(pub(crate) Arc<Node>);

impl Broker for NodeBroker {
    fn send(&self, destination: &str, message: Outgoing) -> Result<(), SendError> {
        for outbound in to_destination(&self.0, destination, message)? {
            match outbound {
                Outbound::Topic(message) => {
                    self.0.publish(message)?;
                }
                Outbound::Queue(message) => self.0.enqueue(&message)?,
            }
        }
        Ok(())
    }

    fn send_counted(
        &self,
        destination: &str,
        message: Outgoing,
    ) -> Result<ReachedFuture, SendError> {
        let (census, counted) = Census::begin();
        for outbound in to_destination(&self.0, destination, message)? {
            match outbound {
                Outbound::Topic(message) => {
                    self.0.post(message, |message| {
                        Letter::PublishCounted(Arc::clone(message), Arc::clone(&census))
                    })?;
                }
                Outbound::Queue(message) => self.0.enqueue(&message)?,
            }
        }
        // A server that stops drops its letters: then it is what was counted by then.
        Ok(Box::pin(async move { counted.await.unwrap_or(0) }))
    }

    fn send_to(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
    ) -> Result<usize, SendError> {
        let mut reached = 0;
        for message in to_sessions(&self.0, recipient, path, message)? {
            reached += usize::from(self.0.publish(message)?);
        }
        Ok(reached)
    }

    fn sessions_of(&self, user: &str) -> Vec<Arc<str>> {
        lock(&self.0.users).of_user(user).to_vec()
    }

    fn users(&self, after: &str, limit: usize) -> Vec<Box<str>> {
        let users = lock(&self.0.users);
        let behind = users.after(after).take(limit);
        behind.map(|(user, _)| user.into()).collect()
    }

    fn disconnect(&self, session: &str, reason: Reason) -> bool {
        let farewell = Farewell {
            reason,
            close_code: None,
            text: None,
        };
        self.0.disconnect(session, &Arc::new(farewell))
    }

    fn request(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
        deadline: Duration,
    ) -> ReplyFuture {
        let begun = Pending::begin(&self.0, recipient, path, message);
        Box::pin(async move { begun?.reply(deadline).await })
    }
}
