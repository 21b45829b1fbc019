//! A session that outlives its first token: a SEND to `/session/token` brings the next one.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidings_core::destination::SESSION_TOKEN;
use tidings_core::disconnect::Reason;
use tidings_core::security::{Action, Credentials, Principal, TokenSource};
use tidings_stomp::{Command, Frame, encoder};

use super::access::{Asker, allow, still_proven};
use super::connect::EXPIRES_IN;
use super::{Session, application, authenticate};
use crate::clock;
use crate::node::Node;
use crate::refusal::Refusal;
use crate::worker::{Connection, Worker};

/// Whether a frame brings a token.
pub(super) fn is_one(frame: &Frame) -> bool {
    frame.command == Command::Send && frame.header("destination") == Some(SESSION_TOKEN)
}

/// Finds out what the new token proves.
pub(super) fn begin(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: Frame) {
    if connection.peer.identity.is_some() {
        // Or a token would outweigh what it says of roles and claims: in development one that anybody can sign.
        let refusal = Refusal::new(
            Reason::TokenMismatch,
            "the application around the server says who this session is, and no token changes that; connect anew",
        );
        authenticate::record(worker, connection, &frame, refusal.reason);
        return application::refuse_frame(worker, connection, &frame, &refusal);
    }
    let Some(credential) = authenticate::token(&frame, TokenSource::Renewal) else {
        let refusal = Refusal::new(
            Reason::MissingHeader,
            "a renewal brings no token; send it as the header Authorization: Bearer TOKEN",
        );
        return application::refuse_frame(worker, connection, &frame, &refusal);
    };
    let address = connection.peer.address.map(|address| address.ip());
    let credentials = Credentials::new(credential, address);
    let act = move |worker: &Rc<Worker>, connection: &Rc<Connection>, proven| match proven {
        Ok(principal) => go_on(worker, connection, &frame, Arc::new(principal)),
        Err(error) => authenticate::fail(worker, connection, &frame, &error),
    };
    authenticate::ask(worker, connection, credentials, act);
}

fn go_on(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    principal: Arc<Principal>,
) {
    let asker = Asker {
        principal: &principal,
        session: None,
        peer: &connection.peer,
    };
    let renewed = still_proven(&worker.node, asker, "renewal")
        .and_then(|()| allow(worker, asker, Action::Connect, ""))
        .and_then(|()| renew(worker, connection, principal));
    if let Err(refusal) = renewed {
        if refusal.reason == Reason::TokenMismatch {
            authenticate::record(worker, connection, frame, refusal.reason);
        }
        return application::refuse_frame(worker, connection, frame, &refusal);
    }
    worker.recheck(connection);
    if let Some(session) = connection.application.borrow_mut().stomp() {
        send_receipt(worker, connection, session, frame);
    }
    worker.schedule_next(connection);
}

fn renew(
    worker: &Worker,
    connection: &Connection,
    principal: Arc<Principal>,
) -> Result<(), Refusal> {
    let mut application = connection.application.borrow_mut();
    let Some(session) = application.stomp() else {
        return Ok(());
    };
    let is_same = session
        .known
        .as_ref()
        .is_some_and(|known| known.renew(Arc::clone(&principal)));
    if !is_same {
        return Err(Refusal::new(
            Reason::TokenMismatch,
            "the token is another user's; renew with one of the same user, or connect anew",
        ));
    }
    session.prove_until(&worker.node, deadline(&worker.node, &principal));
    Ok(())
}

fn send_receipt(worker: &Rc<Worker>, connection: &Connection, session: &Session, frame: &Frame) {
    if let Some(receipt) = frame.receipt() {
        let left = session
            .expires_in(clock::now())
            .map(|left| left.to_string());
        let headers = left.as_deref().map(|left| (EXPIRES_IN, left));
        let version = session.version();
        worker.send(connection, |out| {
            encoder::encode_receipt(receipt, headers.as_slice(), version, out)
        });
    }
}

/// When a session ends by what proves it; not where that is further than any process runs.
pub(super) fn deadline(node: &Node, principal: &Principal) -> Option<Instant> {
    let left = principal.expires_at_ms?.saturating_sub(node.now_ms());
    clock::now().checked_add(Duration::from_millis(left))
}

impl Session {
    /// When what proves it expires.
    pub(super) fn expires_at(&self) -> Option<Instant> {
        self.extras.as_ref()?.expires_at
    }

    /// Sets that.
    pub(super) fn prove_until(&mut self, node: &Node, at: Option<Instant>) {
        if at != self.expires_at() {
            self.extras(node).expires_at = at;
        }
    }

    /// How many milliseconds are left until its token expires.
    pub(super) fn expires_in(&self, now: Instant) -> Option<u128> {
        let at = self.expires_at()?;
        Some(at.saturating_duration_since(now).as_millis())
    }

    /// Whether its token has expired.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }
}
