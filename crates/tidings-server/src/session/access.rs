//! What a session may do: each frame is decided here, and decided anew where rules or rights change.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::disconnect::Reason;
use tidings_core::security::{Action, Principal};

use super::Session;
use super::oversight::Withdrawn;
use crate::refusal::Refusal;
use crate::worker::{Connection, Phase, Worker};

/// Refuses what the rules do not allow.
pub(super) fn allow(
    worker: &Worker,
    connection: &Connection,
    principal: &Principal,
    action: Action,
    destination: &str,
) -> Result<(), Refusal> {
    let security = &worker.node.security;
    if security.decide(principal, action, destination).is_allowed() {
        return Ok(());
    }
    security.denied(connection, principal, action, destination);
    let details = match action {
        Action::Connect => "the access rules let nobody in like this client".to_owned(),
        _ => format!("the access rules do not allow {action} to {destination}"),
    };
    Err(Refusal::new(Reason::Forbidden, details))
}

impl Session {
    /// As [`allow`], for what this session asks.
    pub(super) fn may(
        &self,
        worker: &Worker,
        connection: &Connection,
        action: Action,
        destination: &str,
    ) -> Result<(), Refusal> {
        match &self.known {
            Some(known) => allow(worker, connection, &known.principal(), action, destination),
            None => Err(Refusal::new(Reason::NotConnected, "the session is not connected")),
        }
    }
}

impl Worker {
    /// Decides anew what every session of this worker has been allowed: rules have changed.
    pub(crate) fn recheck_all(self: &Rc<Self>) {
        for connection in self.all() {
            self.recheck(&connection);
        }
    }

    /// Decides anew what a session has been allowed. It ends where it may not be connected any more, and subscriptions end
    /// that it may not have.
    pub(crate) fn recheck(self: &Rc<Self>, connection: &Rc<Connection>) {
        if connection.phase() != Phase::Open {
            return;
        }
        let Some((principal, subscriptions)) = self.allowed_before(connection) else {
            return;
        };
        if let Err(refusal) = allow(self, connection, &principal, Action::Connect, "") {
            self.close(connection, refusal.reason, Some(&refusal.reply(None)));
            return;
        }
        for (key, destination) in subscriptions {
            if allow(self, connection, &principal, Action::Subscribe, &destination).is_err() {
                self.withdraw(connection, key, Withdrawn::ByRules);
            }
        }
    }

    /// Who a session is, and its subscriptions.
    fn allowed_before(
        &self,
        connection: &Connection,
    ) -> Option<(Arc<Principal>, Vec<(u32, String)>)> {
        let application = connection.application.borrow();
        let session = application.session()?;
        let principal = session.known()?.principal();
        let destination = |key: u32| {
            let text = self.with_subscription(key, |one| {
                session.destination_of(&self.node, one).into_owned()
            });
            (key, text)
        };
        let subscriptions = session.subscriptions().iter().copied().map(destination);
        Some((principal, subscriptions.collect()))
    }
}
