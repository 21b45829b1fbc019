//! What a session may do: each frame is decided here, and decided anew where rules or rights change.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::Session as Known;
use tidings_core::disconnect::Reason;
use tidings_core::security::{Action, AuthenticationError, Principal};

use super::Session;
use super::oversight::EndedBy;
use crate::audit::{Actor, Deed};
use crate::node::Node;
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::worker::{Connection, Letter, Phase, Worker};

/// Sessions and subscriptions decided on for one letter; nothing else of the worker goes on meanwhile.
const DECISIONS: usize = 1_024;

/// Who asks.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) principal: &'a Principal,
    /// Its session, once it has one.
    pub(super) session: Option<&'a Known>,
    pub(super) peer: &'a Peer,
}

/// Refuses what the rules do not allow.
pub(super) fn allow(
    worker: &Worker,
    asker: Asker<'_>,
    action: Action,
    destination: &str,
) -> Result<(), Refusal> {
    let Asker {
        principal,
        session,
        peer,
    } = asker;
    let security = &worker.node.security;
    if security.allows(principal, action, destination) {
        return Ok(());
    }
    let rule = security.deciding_rule(principal, action, destination);
    let actor = Actor {
        user: principal.name.as_deref(),
        ..Actor::client(session, peer)
    };
    let deed = Deed::Denied {
        action: &action.to_string(),
        destination,
        rule: rule.as_deref(),
    };
    worker.node.audit.record(actor, &deed);
    let details = match action {
        Action::Connect => "the access rules let nobody in like this client".to_owned(),
        _ => format!("the access rules do not allow {action} to {destination}"),
    };
    Err(Refusal::new(Reason::Forbidden, details))
}

/// Refuses who is revoked, or whose token is, and what has expired since it was proven: the proof may be that of a request
/// long before, or have waited for somebody's answer. Where the session arrives, or goes on with another token, this is
/// asked behind that: so no revocation misses it.
pub(super) fn still_proven(node: &Node, asker: Asker<'_>, method: &str) -> Result<(), Refusal> {
    let now_ms = node.now_ms();
    let ends_ms = asker.principal.expires_at_ms;
    let error = if node.security.refuses(asker.principal, now_ms) {
        AuthenticationError::Revoked
    } else if ends_ms.is_some_and(|ends_ms| ends_ms <= now_ms) {
        AuthenticationError::Expired
    } else {
        return Ok(());
    };
    let actor = Actor {
        user: asker.principal.name.as_deref(),
        ..Actor::client(asker.session, asker.peer)
    };
    let deed = Deed::AuthenticationFailed {
        reason: error.reason(),
        method,
    };
    node.audit.record(actor, &deed);
    Err(Refusal::new(error.reason(), error.to_string()))
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
        let asker = |known| Asker {
            principal: known,
            session: self.known.as_deref(),
            peer: &connection.peer,
        };
        let principal = self.known.as_ref().map(|known| known.principal());
        match &principal {
            Some(principal) => allow(worker, asker(principal), action, destination),
            None => Err(Refusal::new(
                Reason::NotConnected,
                "the session is not connected",
            )),
        }
    }
}

/// A subscription by its key, and its destination as its client wrote it.
type Held = (u32, String);

impl Worker {
    /// Decides anew what the sessions of this worker have been allowed, from this place on: rules have changed. Where they
    /// are many it goes on behind what else the worker has to do.
    pub(crate) fn recheck_from(self: &Rc<Self>, from: u32) {
        let mut decisions = 0;
        let mut place = from;
        while let Some((at, connection)) = self.first_from(place) {
            if decisions >= DECISIONS {
                let rest = Letter::Recheck { from: at };
                self.node.mailboxes[usize::from(self.id)].post(rest, 0);
                return;
            }
            decisions += 1 + self.recheck(&connection);
            place = at.saturating_add(1);
        }
    }

    /// Decides anew what a session has been allowed; gives how many subscriptions it has. It ends where it may not be
    /// connected any more, and subscriptions end that it may not have.
    pub(crate) fn recheck(self: &Rc<Self>, connection: &Rc<Connection>) -> usize {
        if connection.phase() != Phase::Open {
            return 0;
        }
        let Some((known, subscriptions)) = self.allowed_before(connection) else {
            return 0;
        };
        let count = subscriptions.len();
        let principal = known.principal();
        let asker = Asker {
            principal: &principal,
            session: Some(&known),
            peer: &connection.peer,
        };
        let may = still_proven(&self.node, asker, "recheck")
            .and_then(|()| allow(self, asker, Action::Connect, ""));
        if let Err(refusal) = may {
            self.close(connection, refusal.reason, Some(&refusal.reply(None)));
            return count;
        }
        let mut withdrawn = Vec::new();
        for (key, destination) in subscriptions {
            if allow(self, asker, Action::Subscribe, &destination).is_err() {
                withdrawn.extend(self.end_unasked(connection, key));
            }
        }
        // All have ended by then: that of the errors may be one of them.
        for one in withdrawn {
            self.tell_of_end(&one, EndedBy::Rules);
        }
        count
    }

    /// Who a session is, and its subscriptions.
    fn allowed_before(&self, connection: &Connection) -> Option<(Arc<Known>, Vec<Held>)> {
        let application = connection.application.borrow();
        let session = application.session()?;
        let known = Arc::clone(session.known()?);
        let destination = |key: u32| {
            let text = self.with_subscription(key, |one| {
                session.destination_of(&self.node, one).into_owned()
            });
            (key, text)
        };
        let subscriptions = session.subscriptions().iter().copied().map(destination);
        Some((known, subscriptions.collect()))
    }
}
