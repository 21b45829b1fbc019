//! How many sessions one user may have.

use std::sync::Arc;

use tidings_core::application::Session as Known;
use tidings_core::disconnect::Reason;
use tidings_core::user::{SessionLimit, WhenFull};

use crate::audit::{Actor, Deed};
use crate::node::{Node, lock};
use crate::peer::Peer;
use crate::refusal::Refusal;
use crate::worker::Farewell;

const LIMIT: &str = "session.max_per_user";

/// Counts a session among those of its user, and tells the oldest to go if `session.on_too_many` says so.
///
/// Its whereabouts must be known before: from now on another one may make it go.
pub(super) fn join(node: &Node, known: &Known, peer: &Peer) -> Result<(), Refusal> {
    let limit = node.session_limit();
    let admitted = lock(&node.users).admit(&known.id, known.user.as_deref(), limit);
    let replaced = admitted.inspect_err(|error| {
        let reason = error.reason();
        let deed = Deed::LimitReached {
            limit: LIMIT,
            reason,
        };
        node.audit.record(Actor::client(Some(known), peer), &deed);
    })?;
    if let Some(oldest) = replaced {
        let farewell = Farewell {
            reason: Reason::SessionReplaced,
            close_code: None,
            text: None,
        };
        node.disconnect(&oldest, &Arc::new(farewell));
    }
    Ok(())
}

impl Node {
    fn session_limit(&self) -> SessionLimit {
        SessionLimit {
            max: self.config.session.max_per_user,
            when_full: self.config.session.on_too_many,
        }
    }

    /// Whether sessions are told to go for others of the same user.
    pub(crate) fn replaces_sessions(&self) -> bool {
        let SessionLimit { max, when_full } = self.session_limit();
        max > 0 && when_full == WhenFull::CloseOldest
    }
}
