//! What the application may see of a session, and end, though its client did not ask for it.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::{Outgoing, Recipient, Session as Known};
use tidings_core::disconnect::Reason;
use tidings_stomp::Headers;

use super::Session;
use super::application::ERRORS;
use super::subscribe::remember;
use crate::node::Node;
use crate::outbound;
use crate::worker::{Connection, Subscription, Worker};

/// Who ended a subscription that its client did not end.
#[derive(Clone, Copy)]
pub(crate) enum EndedBy {
    Application,
    Rules,
}

impl EndedBy {
    /// What the client hears on its errors. That the application did it is no reason of disconnect-codes.md, since nothing
    /// is disconnected.
    fn code(self) -> &'static str {
        match self {
            Self::Application => "unsubscribed",
            Self::Rules => Reason::Forbidden.name(),
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Application => "The application ended a subscription.",
            Self::Rules => "The access rules do not allow a subscription any more.",
        }
    }
}

impl Session {
    /// Who it is, once connected.
    pub(crate) fn known(&self) -> Option<&Arc<Known>> {
        self.known.as_ref()
    }

    /// Keys of its subscriptions on the worker, in the order of their ordinals.
    pub(crate) fn subscriptions(&self) -> &[u32] {
        &self.subscriptions
    }

    /// The destination of one of its subscriptions as its client wrote it.
    pub(crate) fn destination_of<'s>(
        &self,
        node: &Node,
        subscription: &'s Subscription,
    ) -> Cow<'s, str> {
        let destination = subscription.destination();
        if let Some(path) = self.path_of(node, destination) {
            return format!("{}{path}", node.destinations.user_prefix).into();
        }
        let queues = self
            .extras
            .iter()
            .flat_map(|extras| &extras.temporary_queues);
        let mut queues = queues.filter(|queue| *queue.name == *destination);
        match queues.next() {
            Some(queue) => format!("/temp-queue/{}", queue.alias).into(),
            None => destination.into(),
        }
    }

    /// What follows the user prefix, where the topic is the session's own.
    fn path_of<'d>(&self, node: &Node, topic: &'d str) -> Option<&'d str> {
        let behind = topic.strip_prefix('\u{1}')?;
        let path = behind.strip_prefix(&*self.known.as_ref()?.id)?;
        path.strip_prefix(node.destinations.separator.as_char())
    }

    /// Whether the application has ended the subscription that the client calls `name`; it may be told so once.
    pub(super) fn forgive(&mut self, name: &str) -> bool {
        let Some(extras) = &mut self.extras else {
            return false;
        };
        let found = extras.withdrawn.iter().position(|one| **one == *name);
        found.map(|place| extras.withdrawn.remove(place)).is_some()
    }
}

/// A subscription that its client did not end.
pub(crate) struct Withdrawn {
    session: Arc<Known>,
    id: Option<Box<str>>,
    destination: String,
}

impl Worker {
    /// Ends a subscription, and tells of it. Its client may go on to think that it has one, and end it too.
    pub(crate) fn withdraw(self: &Rc<Self>, connection: &Connection, key: u32, by: EndedBy) {
        if let Some(withdrawn) = self.end_unasked(connection, key) {
            self.tell_of_end(&withdrawn, by);
        }
    }

    /// Ends a subscription, and tells nobody yet.
    pub(super) fn end_unasked(&self, connection: &Connection, key: u32) -> Option<Withdrawn> {
        let mut application = connection.application.borrow_mut();
        let session = application.stomp()?;
        let (id, destination) = self.with_subscription(key, |one| {
            let destination = session.destination_of(&self.node, one).into_owned();
            (one.id.clone(), destination)
        });
        let name = id.as_deref().unwrap_or(&destination);
        session.end_subscription(self, connection, key, name);
        remember(&mut session.extras(&self.node).withdrawn, name);
        Some(Withdrawn {
            session: session.known.clone()?,
            id,
            destination,
        })
    }

    /// STOMP has no frame for it: who has subscribed to its errors hears of it there.
    pub(super) fn tell_of_end(self: &Rc<Self>, withdrawn: &Withdrawn, by: EndedBy) {
        let Withdrawn {
            session,
            id,
            destination,
        } = withdrawn;
        let mut headers = Headers::new();
        headers.push("code", by.code());
        headers.push("message", by.sentence());
        if let Some(id) = id {
            headers.push("ended-subscription", id);
        }
        headers.push("ended-destination", destination);
        headers.push("content-type", "text/plain");
        let message = Outgoing {
            headers,
            body: bytes::Bytes::from_static(by.sentence().as_bytes()),
        };
        let recipient = Recipient::Session(Arc::clone(&session.id));
        for message in
            outbound::to_sessions(&self.node, &recipient, ERRORS, message).unwrap_or_default()
        {
            self.publish(message);
        }
    }
}
