//! Requests to the application: asked, waited for, and what they bring about.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tidings_core::application::{
    Effect, Failure, Request, RequestKind, Response, ResponseFuture, SendError,
};
use tidings_core::disconnect::Reason;
use tidings_stomp::{Frame, encoder};
use tokio::sync::Notify;

use super::Session;
use super::request::send_receipt;
use crate::outbound::{self, Outbound};
use crate::refusal::Refusal;
use crate::worker::{Connection, Phase, Worker};

/// The user destination on which a client hears of failures, if it wants to go on after them.
pub(super) const ERRORS: &str = "queue/errors";

/// Asks the application.
pub(super) fn ask(
    worker: &Worker,
    session: &Session,
    frame: &Frame,
    kind: RequestKind,
    destination: &str,
    path: &str,
) -> Result<ResponseFuture, Refusal> {
    let (Some(application), Some(known)) = (worker.node.application.get(), &session.known) else {
        return Err(Refusal::new(
            Reason::UnknownDestination,
            "no application is there to answer this destination; send to one of the broker's",
        ));
    };
    worker.node.telemetry.messages_received.inc();
    let request = Request {
        kind,
        destination: destination.into(),
        path_at: destination.len() - path.len(),
        headers: frame.headers.clone(),
        body: frame.body.clone(),
        session: Arc::clone(known),
    };
    let answer = catch_unwind(AssertUnwindSafe(|| application.call(request)));
    Ok(answer.unwrap_or_else(|_| Box::pin(std::future::ready(panicked()))))
}

fn panicked() -> Response {
    failed(
        Reason::InternalError,
        "the application has panicked; its log says why",
    )
}

/// Does what the application answers, at once if it has; otherwise nothing more is taken from the client until then.
pub(super) fn wait(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: Frame,
    mut answer: ResponseFuture,
) {
    // Most are ready when they are first asked. One that is not is asked again by its task.
    match poll(&mut answer, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => finish(worker, connection, &frame, response),
        Poll::Pending => {
            connection.asking.replace(Some(Rc::new(Notify::new())));
            let (worker, connection) = (Rc::clone(worker), Rc::clone(connection));
            tokio::task::spawn_local(async move {
                let timeout = worker.node.config.application.timeout;
                let answered = std::future::poll_fn(|context| poll(&mut answer, context));
                let response = match tokio::time::timeout(timeout, answered).await {
                    Ok(response) => response,
                    Err(_) => failed(
                        Reason::ApplicationTimeout,
                        "the application did not answer in time",
                    ),
                };
                finish(&worker, &connection, &frame, response);
                if let Some(waiting) = connection.asking.take() {
                    waiting.notify_waiters();
                }
                super::consume(&worker, &connection, bytes::Bytes::new());
            });
        }
    }
}

fn poll(answer: &mut ResponseFuture, context: &mut Context<'_>) -> Poll<Response> {
    catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
        .unwrap_or_else(|_| Poll::Ready(panicked()))
}

fn failed(reason: Reason, details: &str) -> Response {
    Response {
        effects: Vec::new(),
        failure: Some(Failure {
            reason,
            details: details.to_owned(),
        }),
    }
}

/// Does what the application wants, then says that it is done, or what was wrong.
fn finish(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: &Frame, response: Response) {
    let mut failure = response.failure;
    for effect in response.effects {
        if let Err(error) = apply(worker, connection, frame, effect) {
            tracing::warn!(%error, request = frame.header("destination"), "the application could not send");
            worker.node.telemetry.dropped("application", 1);
            // A RECEIPT would say that it was sent.
            failure.get_or_insert_with(|| unsent(error));
        }
    }
    if connection.phase() != Phase::Open {
        return;
    }
    if let Some(failure) = failure {
        fail(worker, connection, frame, failure);
        return;
    }
    if let Some(session) = connection.application.borrow_mut().stomp() {
        send_receipt(worker, connection, session, frame, None);
    }
}

/// A wrong destination is the application's fault, so its code would mislead the client; a full queue is nobody's.
fn unsent(error: SendError) -> Failure {
    let reason = match &error {
        SendError::Refused { reason, .. } => *reason,
        _ => Reason::ApplicationFailed,
    };
    Failure {
        reason,
        details: format!("the application's answer was not sent: {error}"),
    }
}

fn apply(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    effect: Effect,
) -> Result<(), SendError> {
    let node = &worker.node;
    match effect {
        Effect::Reply(message) => {
            let Some(id) = frame
                .header("id")
                .filter(|_| connection.phase() == Phase::Open)
            else {
                return Ok(());
            };
            let destination = frame.header("destination").unwrap_or_default();
            let message = outbound::message(node, destination, message)?;
            if connection.wire().is_sockjs() && std::str::from_utf8(&message.body).is_err() {
                worker.close(connection, Reason::BinaryOverSockJs, None);
            } else {
                worker.reply(connection, id, &message);
            }
        }
        Effect::Send {
            destination,
            message,
        } => {
            for one in outbound::to_destination(node, &destination, message)? {
                worker.deliver(one)?;
            }
        }
        Effect::SendTo {
            recipient,
            path,
            message,
        } => {
            for one in outbound::to_sessions(node, &recipient, &path, message)? {
                worker.deliver(Outbound::Topic(one))?;
            }
        }
    }
    Ok(())
}

/// Tells the client what was wrong: where it has subscribed to its errors it goes on, otherwise by an ERROR.
fn fail(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: &Frame, failure: Failure) {
    worker.node.telemetry.application_failed(failure.reason);
    let refusal = Refusal::new(failure.reason, failure.details);
    let session_id = match connection.application.borrow_mut().stomp() {
        Some(session) => session.known.as_ref().map(|known| Arc::clone(&known.id)),
        None => return,
    };
    let sent = session_id.is_some_and(|id| {
        let errors = outbound::error(&worker.node, &id, ERRORS, &refusal, frame);
        errors.is_ok_and(|message| worker.publish(message))
    });
    if !sent {
        let reply = refusal.reply(frame.receipt());
        worker.close(connection, refusal.reason, Some(&reply));
    }
}

impl Worker {
    /// Sends a MESSAGE to one subscription, past the broker.
    fn reply(
        self: &Rc<Self>,
        connection: &Connection,
        id: &str,
        message: &tidings_core::message::Message,
    ) {
        let version = connection.version();
        let ids = &self.node.message_ids;
        self.send(connection, |out| {
            encoder::write_command(out, tidings_stomp::Command::Message);
            encoder::write_header(out, "subscription", id, version);
            encoder::write_header(out, "message-id", &ids.text(message.id), version);
            encoder::write_header(out, "destination", &message.destination, version);
            for (name, value) in message.headers.iter() {
                encoder::write_header(out, name, value, version);
            }
            encoder::write_body(out, &message.body);
        });
    }
}
