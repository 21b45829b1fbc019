//! One request of a client: what it asks for is done, then its receipt is sent.

use std::rc::Rc;

use tidings_core::queue::Settlement;
use tidings_stomp::{Frame, Request, encoder};

use super::refusal::Refusal;
use super::{Session, acknowledge, send, subscribe, transaction};
use crate::worker::{Connection, Worker};

/// The header of a RECEIPT for a SEND to a user: how many sessions on this node it reached.
const SESSIONS_REACHED: &str = "sessions-reached";

/// Whether the session goes on.
pub(super) enum Next {
    Continue,
    Disconnect,
}

pub(super) fn handle(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &mut Session,
    frame: &Frame,
) -> Result<Next, Refusal> {
    let request = frame.request(session.version())?;
    let mut next = Next::Continue;
    let mut reached = None;
    match request {
        Request::Send {
            destination,
            transaction,
        } => {
            reached = send::handle(worker, connection, session, frame, destination, transaction)?;
        }
        Request::Subscribe {
            id,
            destination,
            ack,
        } => {
            subscribe::subscribe(worker, connection, session, frame, id, destination, ack)?;
        }
        Request::Unsubscribe { target } => {
            subscribe::unsubscribe(worker, connection, session, target)?
        }
        Request::Ack {
            target,
            transaction,
        } => {
            acknowledge::handle(worker, session, target, transaction, Settlement::Ack)?;
        }
        Request::Nack {
            target,
            transaction,
        } => {
            acknowledge::handle(worker, session, target, transaction, Settlement::Nack)?;
        }
        Request::Begin { transaction } => session
            .extras(&worker.node)
            .transactions
            .begin(transaction)?,
        Request::Commit { transaction } => transaction::commit(worker, session, transaction)?,
        Request::Abort { transaction } => {
            session
                .extras(&worker.node)
                .transactions
                .abort(transaction)?;
        }
        Request::Disconnect => next = Next::Disconnect,
    }
    if let Some(receipt) = frame.receipt() {
        let version = session.version();
        let reached = reached.map(|sessions| sessions.to_string());
        let headers = reached
            .as_ref()
            .map(|sessions| (SESSIONS_REACHED, &**sessions));
        worker.send(connection, |out| {
            encoder::encode_receipt(receipt, headers.as_slice(), version, out)
        });
    }
    Ok(next)
}
