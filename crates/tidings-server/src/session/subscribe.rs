//! SUBSCRIBE and UNSUBSCRIBE.

use std::num::NonZeroU32;

use tidings_core::application::RequestKind;
use tidings_core::destination::{Destination, DestinationError, Pattern};
use tidings_core::disconnect::Reason;
use tidings_core::security::Action;
use tidings_stomp::{AckMode, Frame, SubscriptionRef};

use super::Session;
use super::application::{Asked, ask};
use crate::refusal::Refusal;
use crate::worker::{Connection, Form, NewSubscription, Subscription, Worker};

/// The most that a `prefetch-count` may ask for.
const MAX_PREFETCH: u32 = 10_000;

/// Ids of ended subscriptions that a session remembers.
const MAX_ENDED: usize = 64;

pub(super) fn subscribe(
    worker: &Worker,
    connection: &Connection,
    session: &mut Session,
    frame: &Frame,
    id: Option<&str>,
    destination: &str,
    ack: AckMode,
) -> Result<Option<Asked>, Refusal> {
    let limit = worker.node.config.session.max_subscriptions;
    if session.subscriptions.len() >= limit {
        return Err(Refusal::new(
            Reason::TooManySubscriptions,
            format!("the session has {limit} subscriptions already; end one, or use a pattern"),
        ));
    }
    let (kind, mut pattern) = worker
        .node
        .destinations
        .classify_subscription(destination)?;
    session.may(worker, connection, Action::Subscribe, destination)?;
    let topic = session.topic_of(&worker.node, destination);
    if let Destination::User(_) = kind {
        pattern = Pattern::parse(&topic, worker.node.destinations.separator)
            .map_err(DestinationError::from)?;
    }
    match kind {
        Destination::TempQueue(name) => session.forget_automatic(worker, connection, name),
        Destination::ReplyQueue => {
            return Err(Refusal::new(
                Reason::InvalidDestination,
                "a reply queue is only sent to; subscribe to /temp-queue/NAME and give that as reply-to",
            ));
        }
        Destination::Topic
        | Destination::User(_)
        | Destination::Queue
        | Destination::Application(_) => {}
    }
    if session
        .find(worker, |one| is_same(one, id, &topic))
        .is_some()
    {
        let name = id.unwrap_or(destination);
        return Err(Refusal::new(
            Reason::SubscriptionExists,
            format!("the session has a subscription {name:?} already; give each its own id"),
        ));
    }
    session.ordinals += 1;
    let new = NewSubscription {
        id,
        ordinal: session.ordinals,
        ack,
    };
    if let Destination::Application(path) = kind {
        let kind = RequestKind::Subscribe;
        let answer = ask(worker, session, frame, kind, destination, path)?;
        let key = worker.subscribe_answered(connection, &new, destination);
        session.subscriptions.push(key);
        return Ok(Some(Asked {
            answer,
            subscription: Some(new.ordinal),
        }));
    }
    let key = match kind {
        Destination::Topic | Destination::User(_) => {
            let form = Form {
                version: session.version(),
                wire: connection.wire(),
            };
            worker.subscribe_topic(connection, &new, form, pattern)
        }
        _ => {
            let prefetch = prefetch(worker, frame)?;
            let name = match kind {
                Destination::TempQueue(name) => session.temporary_queue(worker, name)?.name.clone(),
                _ => destination.into(),
            };
            worker.subscribe_queue(connection, &new, &name, prefetch)?
        }
    };
    session.subscriptions.push(key);
    session.announce_subscription(&worker.node, id, destination);
    Ok(None)
}

fn is_same(one: &Subscription, id: Option<&str>, destination: &str) -> bool {
    match id {
        Some(id) => one.id.as_deref() == Some(id),
        None => one.id.is_none() && one.destination() == destination,
    }
}

/// How many messages of a queue a consumer may hold.
fn prefetch(worker: &Worker, frame: &Frame) -> Result<NonZeroU32, Refusal> {
    let default = NonZeroU32::new(worker.node.config.queue.prefetch).unwrap_or(NonZeroU32::MIN);
    let Some(value) = frame.header("prefetch-count") else {
        return Ok(default);
    };
    value
        .parse()
        .ok()
        .filter(|count: &NonZeroU32| count.get() <= MAX_PREFETCH)
        .ok_or_else(|| {
            Refusal::new(
                Reason::InvalidHeader,
                format!("prefetch-count is {value:?}; write a number from 1 to {MAX_PREFETCH}"),
            )
        })
}

pub(super) fn unsubscribe(
    worker: &Worker,
    connection: &Connection,
    session: &mut Session,
    target: SubscriptionRef<'_>,
) -> Result<(), Refusal> {
    let (name, found) = match target {
        SubscriptionRef::Id(id) => (
            id,
            session.find(worker, |one| one.id.as_deref() == Some(id)),
        ),
        SubscriptionRef::Destination(destination) => (
            destination,
            session.find(worker, |one| {
                is_same(one, None, &session.topic_of(&worker.node, destination))
            }),
        ),
    };
    let Some(key) = found else {
        if session.forgive(name) {
            return Ok(());
        }
        return Err(Refusal::new(
            Reason::UnknownSubscription,
            format!("the session has no subscription {name:?}; name one that SUBSCRIBE made"),
        ));
    };
    session.end_subscription(worker, connection, key, name);
    Ok(())
}

/// The application has refused a SUBSCRIBE, and the session goes on: nothing is left of it. Its client may go on to think that
/// it has a subscription, and end it.
pub(super) fn forget_refused(worker: &Worker, session: &mut Session, frame: &Frame) {
    let (id, destination) = (frame.header("id"), frame.header("destination"));
    let Some(name) = id.or(destination) else {
        return;
    };
    let topic = session.topic_of(&worker.node, destination.unwrap_or_default());
    if session
        .find(worker, |one| is_same(one, id, &topic))
        .is_none()
    {
        remember(&mut session.extras(&worker.node).withdrawn, name);
    }
}

/// Remembers a name among the latest.
pub(super) fn remember(names: &mut Vec<Box<str>>, name: &str) {
    if names.len() == MAX_ENDED {
        names.remove(0);
    }
    names.push(name.into());
}

impl Session {
    /// Ends one of its subscriptions, which its client calls `name`.
    pub(super) fn end_subscription(
        &mut self,
        worker: &Worker,
        connection: &Connection,
        key: u32,
        name: &str,
    ) {
        if worker.with_subscription(key, |one| one.ack != AckMode::Auto) {
            remember(&mut self.extras(&worker.node).ended, name);
        }
        self.subscriptions.retain(|one| *one != key);
        self.no_longer_automatic(key);
        self.announce_end(worker, key);
        connection.stop_streams(Some(worker.with_subscription(key, |one| one.ordinal)));
        worker.unsubscribe(connection, key);
    }

    /// The key of the first of its subscriptions that is the one.
    pub(super) fn find(
        &self,
        worker: &Worker,
        is_it: impl Fn(&Subscription) -> bool,
    ) -> Option<u32> {
        self.subscriptions
            .iter()
            .copied()
            .find(|key| worker.with_subscription(*key, &is_it))
    }
}
