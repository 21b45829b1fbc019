//! Who a session is, and the destinations that are its own.

use std::borrow::Cow;
use std::sync::Arc;

use tidings_core::disconnect::Reason;
use tidings_core::user::{UserTarget, session_topic};

use super::Session;
use super::refusal::Refusal;
use crate::node::{Node, lock};

/// Who a connected session is.
pub(super) struct Identity {
    /// The name that CONNECTED gave to the session.
    session: Arc<str>,
    /// The user, where the client named one.
    user: Option<Box<str>>,
}

impl Session {
    /// Gives the session its name, and to its user another session.
    pub(super) fn identify(&mut self, node: &Node, session: &str, user: Option<&str>) {
        let identity = Identity {
            session: session.into(),
            user: user.map(Into::into),
        };
        lock(&node.users).connect(&identity.session, user);
        self.identity = Some(Box::new(identity));
    }

    /// The topic of what the client calls `destination`: its own where that is a user destination.
    pub(super) fn topic_of<'d>(&self, node: &Node, destination: &'d str) -> Cow<'d, str> {
        let path = destination.strip_prefix(&*node.destinations.user_prefix);
        match (path, &self.identity) {
            (Some(path), Some(identity)) => {
                session_topic(&identity.session, path, node.destinations.separator).into()
            }
            _ => destination.into(),
        }
    }

    /// Whom a SEND to a user destination is for; `path` is what follows the prefix.
    pub(super) fn target(&self, node: &Node, path: &str) -> Result<UserTarget, Refusal> {
        let target = UserTarget::parse(path)?;
        let is_own = self.identity.as_ref().is_some_and(|identity| {
            *target.name == *identity.session
                || identity.user.as_ref() == Some(&target.name)
                    // Who logs in under the name of another's session is not that session.
                    && !lock(&node.users).is_session(&target.name)
        });
        if is_own || node.config.broker.clients_send_to_users {
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

impl Identity {
    /// The session has ended.
    pub(super) fn leave(&self, node: &Node) {
        lock(&node.users).disconnect(&self.session, self.user.as_deref());
    }
}
