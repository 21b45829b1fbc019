//! Who a session is, and the destinations that are its own.

use std::borrow::Cow;
use std::sync::Arc;

use tidings_core::application::{Event, Session as Known};
use tidings_core::disconnect::Reason;
use tidings_core::security::Principal;
use tidings_core::user::{UserTarget, session_topic};

use super::access::{Asker, still_proven};
use super::renewal::deadline;
use super::{Session, crowd};
use crate::node::{Node, lock};
use crate::refusal::Refusal;
use crate::whereabouts::Place;
use crate::worker::{Connection, Subscription, Worker};

impl Session {
    /// The session is let in, as one of the principal's; its name is the answer.
    pub(super) fn arrive(
        &mut self,
        worker: &Worker,
        connection: &Connection,
        principal: Arc<Principal>,
    ) -> Result<Option<Arc<str>>, Refusal> {
        let node = &worker.node;
        let Some(known) = &self.known else {
            return Ok(None);
        };
        let mut known = Arc::clone(known);
        self.prove_until(node, deadline(node, &principal));
        if !Arc::ptr_eq(&known.principal(), &principal) {
            known = Arc::new(known.passed_to(principal));
        }
        if node.keeps_whereabouts() {
            node.whereabouts.arrive(Place {
                worker: worker.id,
                connection: connection.key(),
                session: Arc::clone(&known),
                wire: connection.wire(),
                peer: connection.peer.address,
                connected_at_ms: node.now_ms(),
            });
        }
        let principal = known.principal();
        let asker = Asker {
            principal: &principal,
            session: Some(&known),
            peer: &connection.peer,
        };
        still_proven(node, asker, "connect")?;
        crowd::join(node, &known, &connection.peer)?;
        let id = Arc::clone(&known.id);
        self.known = Some(known);
        Ok(Some(id))
    }

    /// Tells the application that the session is connected.
    pub(super) fn announce(&self, node: &Node) {
        if let Some(session) = &self.known {
            node.notice(|| Event::Connected {
                session: Arc::clone(session),
            });
        }
    }

    /// Tells the application that a subscription is live.
    pub(super) fn announce_subscription(&self, node: &Node, id: Option<&str>, destination: &str) {
        if let Some(session) = &self.known {
            node.notice(|| Event::Subscribed {
                session: Arc::clone(session),
                subscription: id.map(Into::into),
                destination: destination.into(),
            });
        }
    }

    /// Tells the application that a subscription ends, if it was told of its beginning.
    pub(super) fn announce_end(&self, worker: &Worker, key: u32) {
        let is_known = worker.with_subscription(key, Subscription::is_of_broker);
        if let Some(session) = self.known.as_ref().filter(|_| is_known) {
            worker.node.notice(|| Event::Unsubscribed {
                session: Arc::clone(session),
                subscription: worker.with_subscription(key, |one| one.id.clone()),
            });
        }
    }

    /// The topic of what the client calls `destination`: its own where that is a user destination.
    pub(super) fn topic_of<'d>(&self, node: &Node, destination: &'d str) -> Cow<'d, str> {
        let path = destination.strip_prefix(&*node.destinations.user_prefix);
        match (path, &self.known) {
            (Some(path), Some(known)) => {
                session_topic(&known.id, path, node.destinations.separator).into()
            }
            _ => destination.into(),
        }
    }

    /// Whom a SEND to a user destination is for; `path` is what follows the prefix.
    pub(super) fn target(&self, node: &Node, path: &str) -> Result<UserTarget, Refusal> {
        let target = UserTarget::parse(path)?;
        let own_name = self.known.as_ref().and_then(|known| known.user.as_deref());
        let has_name = own_name == Some(&*target.name);
        let is_session = self
            .known
            .as_ref()
            .is_some_and(|known| *target.name == *known.id);
        // Who logs in under the name of another's session is not that session.
        let is_own = is_session || has_name && lock(&node.users).session(&target.name).is_none();
        // Rules that somebody wrote know whom a client may speak to, but not that a session is called like its user.
        let is_allowed = match node.security.is_open() {
            true => node.config.broker.clients_send_to_users,
            false => !has_name,
        };
        if is_own || is_allowed {
            Ok(target)
        } else {
            Err(Refusal::new(
                Reason::Refused,
                "a client may send only to its own user or session; the server's operator can allow more with \
                 broker.clients_send_to_users",
            ))
        }
    }
}

/// The session has ended.
pub(super) fn leave(node: &Node, known: &Known) {
    node.whereabouts.leave(&known.id);
    lock(&node.users).disconnect(&known.id, known.user.as_deref());
}
