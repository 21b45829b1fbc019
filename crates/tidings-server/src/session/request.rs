//! One request of a client: what it asks for is done, then its receipt is sent.

use std::rc::Rc;

use tidings_core::application::Failure;
use tidings_core::disconnect::Reason;
use tidings_core::queue::Settlement;
use tidings_stomp::{Command, Frame, Request, encoder};

use super::application::{self, Asked, Intercepted};
use super::send::Sent;
use super::{Session, acknowledge, renewal, send, subscribe, transaction};
use crate::refusal::Refusal;
use crate::worker::{Connection, Worker};

/// The header of a RECEIPT for a SEND to a user: how many sessions on this node it reached.
const SESSIONS_REACHED: &str = "sessions-reached";

/// Whether the session goes on.
enum Next {
    Continue,
    Disconnect,
    /// Once the application has answered.
    Ask(Asked),
}

/// Acts on a frame, once whoever stands in its way has let it pass.
pub(super) fn take(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: Frame) {
    let interceptor = application::interceptor(&worker.node, frame.command);
    let known = match connection.application.borrow_mut().stomp() {
        Some(session) => session.known.clone(),
        None => return,
    };
    let (Some(interceptor), Some(known)) = (interceptor, known) else {
        return carry_out(worker, connection, frame);
    };
    let original = frame.clone();
    application::intercept(
        worker,
        connection,
        interceptor,
        frame,
        known,
        move |worker, connection, intercepted| match checked(intercepted, &original) {
            Ok(frame) => carry_out(worker, connection, frame),
            // Nothing that comes behind it is read.
            Err(failure) if original.command == Command::Disconnect => {
                application::fail_for_good(worker, connection, &original, failure);
            }
            Err(failure) => application::fail(worker, connection, &original, failure),
        },
    );
}

/// What its client knows the frame by stays as it was: what kind of frame it is, and the receipt.
fn checked(intercepted: Intercepted, original: &Frame) -> Intercepted {
    let mut frame = intercepted?;
    if frame.command != original.command {
        let details = format!(
            "the application made {} of this {}; it may change all but that",
            frame.command, original.command
        );
        let reason = Reason::ApplicationFailed;
        return Err(Failure { reason, details });
    }
    if frame.receipt() != original.receipt() {
        let others = frame.headers.iter().filter(|(name, _)| *name != "receipt");
        frame.headers = others.collect();
        if let Some(receipt) = original.receipt() {
            frame.headers.push("receipt", receipt);
        }
    }
    Ok(frame)
}

fn carry_out(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: Frame) {
    if renewal::is_one(&frame) {
        return renewal::begin(worker, connection, frame);
    }
    if frame.command == Command::Disconnect && connection.has_parallel() {
        // Its RECEIPT says that all before it is done.
        let (to, on) = (Rc::clone(worker), Rc::clone(connection));
        return application::hold(worker, connection, async move {
            on.parallel_answered().await;
            carry_out(&to, &on, frame);
        });
    }
    let outcome = match connection.application.borrow_mut().stomp() {
        Some(session) => handle(worker, connection, session, &frame),
        None => return,
    };
    match outcome {
        Ok(Next::Continue) => {}
        Ok(Next::Ask(asked)) => application::wait(worker, connection, frame, asked),
        Ok(Next::Disconnect) => worker.close(connection, Reason::Normal, None),
        Err(refusal) => match refusal.failure() {
            Some(failure) => application::fail(worker, connection, &frame, failure),
            None => application::refuse_frame(worker, connection, &frame, &refusal),
        },
    }
}

fn handle(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &mut Session,
    frame: &Frame,
) -> Result<Next, Refusal> {
    let request = frame.request(session.version())?;
    let mut reached = None;
    match request {
        Request::Send {
            destination,
            transaction,
        } => match send::handle(worker, connection, session, frame, destination, transaction)? {
            Sent::Done { reached: sessions } => reached = sessions,
            Sent::Asked(answer) => {
                return Ok(Next::Ask(Asked {
                    answer,
                    subscription: None,
                }));
            }
        },
        Request::Subscribe {
            id,
            destination,
            ack,
        } => {
            let asked =
                subscribe::subscribe(worker, connection, session, frame, id, destination, ack)?;
            if let Some(answer) = asked {
                return Ok(Next::Ask(answer));
            }
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
        Request::Commit { transaction } => {
            transaction::commit(worker, connection, session, transaction)?;
        }
        Request::Abort { transaction } => {
            session
                .extras(&worker.node)
                .transactions
                .abort(transaction)?;
        }
        Request::Disconnect => {
            send_receipt(worker, connection, session, frame, None);
            return Ok(Next::Disconnect);
        }
    }
    send_receipt(worker, connection, session, frame, reached);
    Ok(Next::Continue)
}

/// Says that a frame is done, if its client wants to know.
pub(super) fn send_receipt(
    worker: &Rc<Worker>,
    connection: &Connection,
    session: &Session,
    frame: &Frame,
    reached: Option<usize>,
) {
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
}
