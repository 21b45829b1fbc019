//! SEND.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;
use tidings_core::application::{Answer, RequestKind};
use tidings_core::destination::Destination;
use tidings_core::disconnect::Reason;
use tidings_core::message::{Message, deliverable_headers, expiry};
use tidings_core::queue::Reservation;
use tidings_core::security;
use tidings_core::user::UserTarget;
use tidings_stomp::{Frame, Headers};

use super::Session;
use super::application::ask;
use super::transaction::Action;
use crate::node::{Node, lock};
use crate::outbound;
use crate::refusal::Refusal;
use crate::worker::{Connection, Worker};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Topic,
    /// A queue, made if need be.
    Queue(Box<str>),
    /// All sessions of a user, or one session.
    User(Box<UserTarget>),
    /// A reply queue; where it has ended with its session, the message is lost and counted. Or a reply to the application.
    Reply {
        name: Box<str>,
        /// Who sends it.
        session: Option<Arc<str>>,
    },
}

/// What became of a SEND.
pub(super) enum Sent {
    /// It is done; for a user, that many sessions were reached.
    Done { reached: Option<usize> },
    /// The application answers.
    Asked(Answer),
}

pub(super) fn handle(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &mut Session,
    frame: &Frame,
    destination: &str,
    transaction: Option<&str>,
) -> Result<Sent, Refusal> {
    let kind = worker.node.destinations.classify(destination)?;
    session.may(worker, connection, security::Action::Send, destination)?;
    let route = match kind {
        Destination::Topic => Route::Topic,
        Destination::Queue => Route::Queue(destination.into()),
        Destination::Application(_) if transaction.is_some() => {
            return Err(Refusal::new(
                Reason::InvalidDestination,
                "the application takes no part in transactions; send to it without the header transaction",
            ));
        }
        Destination::Application(path) => {
            let kind = RequestKind::Message;
            return Ok(Sent::Asked(ask(
                worker,
                session,
                frame,
                kind,
                destination,
                path,
            )?));
        }
        Destination::User(path) => Route::User(Box::new(session.target(&worker.node, path)?)),
        Destination::TempQueue(alias) => {
            Route::Queue(session.temporary_queue(worker, alias)?.name.clone())
        }
        Destination::ReplyQueue => Route::Reply {
            name: destination.into(),
            session: session.known.as_ref().map(|known| Arc::clone(&known.id)),
        },
    };
    let mut message = Message {
        id: worker.node.message_ids.next(),
        destination: shown_destination(&worker.node, &route, destination),
        topic: None,
        headers: headers(worker, connection, session, frame)?,
        body: frame.body.clone(),
        expires_at_ms: expiry(&frame.headers, worker.node.now_ms())?,
    };
    worker.node.intercept_outgoing(&mut message)?;
    worker.node.telemetry.messages_received.inc();
    match transaction {
        None => Ok(Sent::Done {
            reached: deliver(worker, &route, message)?,
        }),
        Some(transaction) => {
            let bytes = message.weight() + destination.len();
            let action = Action::Send {
                destination: destination.into(),
                route,
                message: Box::new(message.detached()),
            };
            session
                .extras(&worker.node)
                .transactions
                .push(transaction, action, bytes)?;
            Ok(Sent::Done { reached: None })
        }
    }
}

/// What subscribers see: of a user destination what they subscribed to.
fn shown_destination(node: &Node, route: &Route, destination: &str) -> Arc<str> {
    match route {
        Route::User(target) => format!("{}{}", node.destinations.user_prefix, target.path).into(),
        _ => destination.into(),
    }
}

/// The headers that reach the MESSAGE; `reply-to` names the reply queue as others know it.
fn headers(
    worker: &Worker,
    connection: &Connection,
    session: &mut Session,
    frame: &Frame,
) -> Result<Headers, Refusal> {
    let headers = deliverable_headers(&frame.headers);
    let Some(alias) = headers
        .get("reply-to")
        .and_then(|to| to.strip_prefix("/temp-queue/"))
    else {
        return Ok(headers);
    };
    let queue = format!("/temp-queue/{alias}");
    worker.node.destinations.classify(&queue)?;
    // It subscribes without a SUBSCRIBE.
    session.may(worker, connection, security::Action::Subscribe, &queue)?;
    let name = session.reply_destination(worker, connection, alias)?;
    let rewritten = headers.iter().map(|(header, value)| match header {
        "reply-to" => (header, &*name),
        _ => (header, value),
    });
    Ok(rewritten.collect())
}

/// Brings a message to its subscribers or its queue. For a user, says how many sessions it reached.
pub(super) fn deliver(
    worker: &Rc<Worker>,
    route: &Route,
    message: Message,
) -> Result<Option<usize>, Refusal> {
    let node = &worker.node;
    let now = worker.node.now_ms();
    if message.expires_at_ms.is_some_and(|expires| expires <= now) {
        node.telemetry.dropped("expired", 1);
        return Ok(matches!(route, Route::User(_)).then_some(0));
    }
    match route {
        Route::Topic => {
            worker.publish(message);
        }
        Route::User(target) => return Ok(Some(deliver_to_user(worker, target, &message))),
        Route::Queue(name) => {
            let message = Arc::new(message.detached());
            node.with_queue(name, |queue| queue.enqueue(now, message))??;
        }
        Route::Reply { name, session } => {
            if node.replies.take(name, session.as_ref(), &message) {
                return Ok(None);
            }
            let message = Arc::new(message.detached());
            match node.with_existing_queue(name, |queue| queue.enqueue(now, message)) {
                Some(result) => result?,
                None => node.telemetry.dropped("reply-queue-gone", 1),
            }
        }
    }
    Ok(None)
}

/// Brings a message to all sessions of a user that have subscribed, or to the one session of that name.
fn deliver_to_user(worker: &Rc<Worker>, target: &UserTarget, message: &Message) -> usize {
    let node = &worker.node;
    let sessions: SmallVec<[Arc<str>; 4]> = lock(&node.users).sessions(&target.name).into();
    let reached = outbound::for_sessions(node, &sessions, &target.path, message)
        .map(|message| worker.publish(message))
        .filter(|reached| *reached)
        .count();
    if reached == 0 {
        node.telemetry.dropped("user-offline", 1);
    }
    reached
}

/// As [`deliver`], into room that was set aside.
pub(super) fn deliver_reserved(
    worker: &Rc<Worker>,
    route: &Route,
    message: Message,
    room: Option<Reservation>,
) {
    let (Route::Queue(name), Some(mut room)) = (route, room) else {
        // A topic, a user or a reply queue: none can be refused for lack of a queue, and room for replies is not promised.
        if deliver(worker, route, message).is_err() {
            worker.node.telemetry.dropped("reply-queue-full", 1);
        }
        return;
    };
    let message = Arc::new(message);
    let enqueued = worker.node.with_queue(name, |queue| {
        queue.enqueue_reserved(worker.node.now_ms(), message, &mut room)
    });
    debug_assert!(matches!(enqueued, Ok(Ok(()))), "room was reserved");
}
