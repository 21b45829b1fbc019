//! ACK and NACK.

use std::rc::Rc;

use tidings_core::disconnect::Reason;
use tidings_core::message::MessageId;
use tidings_core::queue::Settlement;
use tidings_stomp::{AckMode, AckTarget};

use super::Session;
use super::transaction::Action;
use crate::refusal::Refusal;
use crate::worker::Worker;

/// What an ACK names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A message of this subscription.
    Outstanding {
        subscription: u32,
        message: MessageId,
    },
    /// Something of a subscription that has ended, which has it back already.
    Late,
}

pub(super) fn handle(
    worker: &Rc<Worker>,
    session: &mut Session,
    target: AckTarget<'_>,
    transaction: Option<&str>,
    settlement: Settlement,
) -> Result<(), Refusal> {
    let found = find(worker, session, target)?;
    match (found, transaction) {
        (Found::Late, None) => Ok(()),
        (Found::Late, Some(transaction)) => {
            let open = session
                .extras(&worker.node)
                .transactions
                .contains(transaction);
            if open {
                Ok(())
            } else {
                Err(tidings_core::transaction::TransactionError::Unknown.into())
            }
        }
        (
            Found::Outstanding {
                subscription,
                message,
            },
            None,
        ) => {
            if worker.settle(subscription, message, settlement) {
                Ok(())
            } else {
                Err(unknown(target))
            }
        }
        (
            Found::Outstanding {
                subscription,
                message,
            },
            Some(transaction),
        ) => {
            let action = Action::Settle {
                ordinal: worker.with_subscription(subscription, |one| one.ordinal),
                message,
                settlement,
            };
            let transactions = &mut session.extras(&worker.node).transactions;
            Ok(transactions.push(transaction, action, size_of::<Action>())?)
        }
    }
}

fn find(worker: &Worker, session: &Session, target: AckTarget<'_>) -> Result<Found, Refusal> {
    match target {
        AckTarget::Id(id) => find_by_ack(worker, session, id),
        AckTarget::Message {
            message_id,
            subscription,
        } => find_by_message(worker, session, message_id, subscription),
    }
    .ok_or_else(|| unknown(target))
}

/// An `ack` id is the number of the subscription and that of the message.
fn find_by_ack(worker: &Worker, session: &Session, id: &str) -> Option<Found> {
    let (ordinal, message) = id.split_once('-')?;
    let (ordinal, message) = (
        ordinal.parse::<u32>().ok()?,
        MessageId(message.parse().ok()?),
    );
    if ordinal == 0 || ordinal > session.ordinals {
        return None;
    }
    match session.find(worker, |one| one.ordinal == ordinal) {
        None => Some(Found::Late),
        Some(subscription) => outstanding(worker, subscription, message),
    }
}

fn find_by_message(
    worker: &Worker,
    session: &Session,
    message: &str,
    subscription: Option<&str>,
) -> Option<Found> {
    let message = worker.node.message_ids.parse(message)?;
    let ended = |id: &str| {
        session
            .extras
            .as_ref()
            .is_some_and(|extras| extras.ended.iter().any(|one| **one == *id))
    };
    match subscription {
        Some(id) => match session.find(worker, |one| one.id.as_deref() == Some(id)) {
            Some(subscription) => outstanding(worker, subscription, message),
            None => ended(id).then_some(Found::Late),
        },
        None => {
            let mut acknowledged = session.subscriptions.iter().copied();
            let found =
                acknowledged.find_map(|subscription| outstanding(worker, subscription, message));
            let any_ended = session
                .extras
                .as_ref()
                .is_some_and(|extras| !extras.ended.is_empty());
            found.or(any_ended.then_some(Found::Late))
        }
    }
}

fn outstanding(worker: &Worker, subscription: u32, message: MessageId) -> Option<Found> {
    let acknowledges = worker.with_subscription(subscription, |one| one.ack != AckMode::Auto);
    (acknowledges && worker.is_outstanding(subscription, message)).then_some(Found::Outstanding {
        subscription,
        message,
    })
}

fn unknown(target: AckTarget<'_>) -> Refusal {
    let name = match target {
        AckTarget::Id(id) => id,
        AckTarget::Message { message_id, .. } => message_id,
    };
    Refusal::new(
        Reason::UnknownAck,
        format!(
            "no message {name:?} waits for an acknowledgement of this session; acknowledge each once, after it came"
        ),
    )
}
