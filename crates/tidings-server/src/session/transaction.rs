//! COMMIT: what a transaction held is done, all of it or nothing.

use std::rc::Rc;

use tidings_core::disconnect::Reason;
use tidings_core::message::{Message, MessageId};
use tidings_core::queue::{Reservation, Settlement};
use tidings_core::security;
use tidings_core::transaction::TransactionLimits;

use super::Session;
use super::send::{Route, deliver_reserved};
use crate::config;
use crate::refusal::Refusal;
use crate::worker::{Connection, Worker};

/// What a transaction holds.
pub(super) enum Action {
    Send {
        /// As its client wrote it: by COMMIT the session may have lost the right to send there.
        destination: Box<str>,
        route: Route,
        message: Box<Message>,
    },
    Settle {
        /// Number of the subscription in the session; it may have ended by COMMIT.
        ordinal: u32,
        message: MessageId,
        settlement: Settlement,
    },
}

pub(super) fn limits(session: &config::Session) -> TransactionLimits {
    TransactionLimits {
        max_open: session.max_transactions,
        max_actions: session.max_transaction_frames,
        max_bytes: session.max_transaction_bytes,
    }
}

pub(super) fn commit(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &mut Session,
    transaction: &str,
) -> Result<(), Refusal> {
    let actions = session
        .extras(&worker.node)
        .transactions
        .commit(transaction)?;
    for action in &actions {
        if let Action::Send { destination, .. } = action {
            session.may(worker, connection, security::Action::Send, destination)?;
        }
    }
    let rooms = actions
        .iter()
        .map(|action| prepare(worker, session, action))
        .collect::<Result<Vec<_>, _>>()?;
    for (action, room) in actions.into_iter().zip(rooms) {
        match action {
            Action::Send { route, message, .. } => {
                deliver_reserved(worker, &route, *message, room);
            }
            Action::Settle {
                ordinal,
                message,
                settlement,
            } => {
                if let Some(subscription) = session.find(worker, |one| one.ordinal == ordinal) {
                    // False only where an earlier action of this transaction settled it too.
                    worker.settle(subscription, message, settlement);
                }
            }
        }
    }
    Ok(())
}

/// Room for one message, after what expired there is gone.
fn reserve(worker: &Worker, name: &str, message: &Message) -> Result<Reservation, Refusal> {
    let room = worker.node.queues.with(name, |queue| {
        queue.expire(worker.node.now_ms());
        queue.reserve(message.weight() as u64)
    })?;
    Ok(room?)
}

/// Makes sure that an action can't fail: sets room aside in its queue, or finds its message.
fn prepare(
    worker: &Rc<Worker>,
    session: &Session,
    action: &Action,
) -> Result<Option<Reservation>, Refusal> {
    match action {
        Action::Send {
            route: Route::Queue(name),
            message,
            ..
        } => Ok(Some(reserve(worker, name, message)?)),
        Action::Send { .. } => Ok(None),
        Action::Settle {
            ordinal, message, ..
        } => {
            let subscription = session.find(worker, |one| one.ordinal == *ordinal);
            match subscription {
                Some(subscription) if !worker.is_outstanding(subscription, *message) => {
                    Err(Refusal::new(
                        Reason::UnknownAck,
                        "a message acknowledged in the transaction was acknowledged outside it too; nothing was committed",
                    ))
                }
                _ => Ok(None),
            }
        }
    }
}
