//! What the application does: it lets frames pass, answers requests, and goes on answering by streams.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_core::Stream;
use tidings_core::application::{
    Answer, Application, Effect, Failure, Request, RequestKind, Response, ResponseStream, SendError,
};
use tidings_core::disconnect::Reason;
use tidings_stomp::connection::{ErrorReply, encode_error};
use tidings_stomp::{Command, Frame, encoder};

use super::awaited::{Awaited, panicked};
use super::connect::{CONTINUE, ERROR_MODE};
use super::request::send_receipt;
use super::subscribe::forget_refused;
use super::{Session, consume};
use crate::node::Node;
use crate::outbound::{self, Outbound};
use crate::refusal::Refusal;
use crate::worker::{Connection, Phase, Worker};

/// The user destination on which a client hears of failures, if it wants to go on after them.
pub(super) const ERRORS: &str = "queue/errors";

/// A request that the application answers.
pub(super) struct Asked {
    pub(super) answer: Answer,
    /// Of a SUBSCRIBE: its number in the session.
    pub(super) subscription: Option<u32>,
}

/// Asks the application.
pub(super) fn ask(
    worker: &Worker,
    session: &Session,
    frame: &Frame,
    kind: RequestKind,
    destination: &str,
    path: &str,
) -> Result<Answer, Refusal> {
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
    Ok(answer.unwrap_or_else(|_| Answer::new(std::future::ready(panicked().into()))))
}

/// Takes nothing more from the client until `work` is done.
pub(super) fn hold(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    work: impl Future<Output = ()> + 'static,
) {
    connection.hold();
    let (worker, connection) = (Rc::clone(worker), Rc::clone(connection));
    tokio::task::spawn_local(async move {
        work.await;
        connection.release();
        consume(&worker, &connection, bytes::Bytes::new());
    });
}

/// What stands in the way of frames of this command.
pub(super) fn interceptor(node: &Node, command: Command) -> Option<&Arc<dyn Application>> {
    let application = node.application.get()?;
    application.intercepts(command).then_some(application)
}

/// What became of a frame, as its `act` is told.
pub(super) type Intercepted = Result<Frame, Failure>;

/// A [`Failure`] of an interceptor's own.
struct Passed(Intercepted);

impl From<Failure> for Passed {
    fn from(failure: Failure) -> Self {
        Self(Err(failure))
    }
}

/// Acts on a frame once the application has let it pass or has refused it.
pub(super) fn intercept(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    application: &Arc<dyn Application>,
    frame: Frame,
    session: Arc<tidings_core::application::Session>,
    act: impl FnOnce(&Rc<Worker>, &Rc<Connection>, Intercepted) + 'static,
) {
    let asked = catch_unwind(AssertUnwindSafe(|| application.intercept(frame, session)));
    let mut passed = match asked {
        Ok(asked) => Awaited::new(Box::pin(async move { Passed(asked.await) })),
        Err(_) => return act(worker, connection, Err(panicked())),
    };
    if let Some(Passed(intercepted)) = passed.poll_once() {
        return act(worker, connection, intercepted);
    }
    let (to, on) = (Rc::clone(worker), Rc::clone(connection));
    hold(worker, connection, async move {
        let Passed(intercepted) = passed.in_time(to.node.config.application.timeout).await;
        if on.phase() == Phase::Open {
            act(&to, &on, intercepted);
        }
    });
}

/// Does what the application answers, at once if it has; otherwise when it does. The client's next frame waits for that,
/// unless the handler runs in parallel.
pub(super) fn wait(worker: &Rc<Worker>, connection: &Rc<Connection>, frame: Frame, asked: Asked) {
    let request = Requested {
        frame,
        subscription: asked.subscription,
    };
    let Answer {
        response,
        is_parallel,
    } = asked.answer;
    let mut response = Awaited::new(response);
    if let Some(response) = response.poll_once() {
        return finish(worker, connection, request, response);
    }
    let (to, on) = (Rc::clone(worker), Rc::clone(connection));
    let answered = async move {
        let response = response.in_time(to.node.config.application.timeout).await;
        finish(&to, &on, request, response);
    };
    if !is_parallel {
        return hold(worker, connection, answered);
    }
    connection.begin_parallel(worker.node.config.application.max_parallel);
    let (worker, connection) = (Rc::clone(worker), Rc::clone(connection));
    tokio::task::spawn_local(async move {
        answered.await;
        connection.end_parallel();
        consume(&worker, &connection, bytes::Bytes::new());
    });
}

/// What a response answers.
struct Requested {
    frame: Frame,
    /// Of a SUBSCRIBE: its number in the session.
    subscription: Option<u32>,
}

/// Does what the application wants, then says that it is done, or what was wrong.
fn finish(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: Requested,
    response: Response,
) {
    let mut failure = apply_all(
        worker,
        connection,
        &request,
        response.effects,
        response.failure,
    );
    if connection.phase() != Phase::Open {
        return;
    }
    let limit = worker.node.config.application.max_streams;
    let open = connection.streams();
    if failure.is_none() && open + response.streams.len() > limit {
        failure = Some(Failure {
            reason: Reason::TooManyStreams,
            details: format!(
                "the session has {open} streams of replies open and may have {limit}; end a subscription"
            ),
        });
    }
    if let Some(failure) = failure {
        request.end(worker, connection);
        fail(worker, connection, &request.frame, failure);
        return;
    }
    if let Some(session) = connection.application.borrow_mut().stomp() {
        send_receipt(worker, connection, session, &request.frame, None);
    }
    if request.subscription.is_some() && !request.is_subscribed(worker, connection) {
        // It ended while the handler ran: nothing would end the streams.
        return;
    }
    let request = Rc::new(request);
    for stream in response.streams {
        let (worker, request) = (Rc::clone(worker), Rc::clone(&request));
        let on = Rc::clone(connection);
        connection.begin_stream(request.subscription, |number| {
            let task = tokio::task::spawn_local(async move {
                follow(&worker, &on, &request, stream).await;
                on.end_stream(number);
            });
            task.abort_handle()
        });
    }
}

/// Does what a stream of responses wants, as the client keeps up.
async fn follow(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: &Requested,
    mut stream: ResponseStream,
) {
    loop {
        connection.has_taken_enough().await;
        // What it sends may be for others.
        worker.wait_for_space().await;
        let next = poll_fn(|context| {
            catch_unwind(AssertUnwindSafe(|| {
                Pin::new(&mut stream).poll_next(context)
            }))
            .unwrap_or_else(|_| Poll::Ready(Some(panicked().into())))
        });
        let Some(response) = next.await else { return };
        let failure = apply_all(
            worker,
            connection,
            request,
            response.effects,
            response.failure,
        );
        if let Some(failure) = failure {
            fail(worker, connection, &request.frame, failure);
            return;
        }
        // What it sends to other workers goes with the turn, and then counts. Others have their turn, too.
        tokio::task::yield_now().await;
    }
}

/// Does all that can be done, and gives what failed first.
fn apply_all(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    request: &Requested,
    effects: Vec<Effect>,
    mut failure: Option<Failure>,
) -> Option<Failure> {
    for effect in effects {
        if let Err(error) = apply(worker, connection, request, effect) {
            tracing::warn!(%error, request = request.frame.header("destination"), "the application could not send");
            worker.node.telemetry.dropped("application", 1);
            // A RECEIPT would say that it was sent.
            failure.get_or_insert_with(|| unsent(error));
        }
    }
    failure
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
    request: &Requested,
    effect: Effect,
) -> Result<(), SendError> {
    let node = &worker.node;
    match effect {
        Effect::Reply(message) => {
            let frame = &request.frame;
            let Some(id) = frame
                .header("id")
                .filter(|_| request.is_subscribed(worker, connection))
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

impl Requested {
    /// Whether the subscription that asked is still there.
    fn is_subscribed(&self, worker: &Worker, connection: &Connection) -> bool {
        if connection.phase() != Phase::Open {
            return false;
        }
        let mut application = connection.application.borrow_mut();
        let session = application.stomp();
        session.is_some_and(|session| self.subscription_in(worker, session).is_some())
    }

    /// The key of the subscription that asked.
    fn subscription_in(&self, worker: &Worker, session: &Session) -> Option<u32> {
        session.find(worker, |one| Some(one.ordinal) == self.subscription)
    }

    /// Ends the subscription that asked, if one did and it is still there.
    fn end(&self, worker: &Worker, connection: &Connection) {
        let mut application = connection.application.borrow_mut();
        let Some(session) = application.stomp() else {
            return;
        };
        if let Some(key) = self.subscription_in(worker, session) {
            let name = self.frame.header("id").unwrap_or_default();
            session.end_subscription(worker, connection, key, name);
        }
    }
}

/// Tells the client what was wrong: where it has subscribed to its errors it goes on, otherwise by an ERROR; unless the
/// configuration says otherwise of this failure.
pub(super) fn fail(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    failure: Failure,
) {
    let Failure { reason, details } = failure;
    worker.node.telemetry.application_failed(reason);
    tracing::debug!(
        peer = %connection.peer,
        request = frame.header("destination"),
        code = reason.name(),
        details,
        "the application failed"
    );
    let refusal = Refusal::new(reason, details);
    let config = &worker.node.config.application;
    if config.close_on.contains(&reason) {
        return refuse(worker, connection, frame, &refusal);
    }
    let session_id = match connection.application.borrow_mut().stomp() {
        Some(session) => session.known.as_ref().map(|known| Arc::clone(&known.id)),
        None => return,
    };
    let sent = session_id.is_some_and(|id| {
        let errors = outbound::error(&worker.node, &id, ERRORS, &refusal, frame);
        errors.is_ok_and(|message| worker.publish(message))
    });
    if !sent && !config.continue_on.contains(&reason) {
        refuse_frame(worker, connection, frame, &refusal);
    } else if frame.command == Command::Subscribe
        && let Some(session) = connection.application.borrow_mut().stomp()
    {
        forget_refused(worker, session, frame);
    }
}

/// Tells of a failure after which the session can't go on.
pub(super) fn fail_for_good(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    failure: Failure,
) {
    worker.node.telemetry.application_failed(failure.reason);
    let refusal = Refusal::new(failure.reason, failure.details);
    refuse(worker, connection, frame, &refusal);
}

/// Says by an ERROR what was wrong with a frame; the connection ends, unless its client has asked for `error-mode:continue`.
pub(super) fn refuse_frame(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    refusal: &Refusal,
) {
    let mut application = connection.application.borrow_mut();
    let Some(session) = application.stomp().filter(|session| session.continues()) else {
        drop(application);
        return refuse(worker, connection, frame, refusal);
    };
    let reply = ErrorReply {
        headers: &[(ERROR_MODE, CONTINUE)],
        ..refusal.reply(frame.receipt())
    };
    let version = session.version();
    worker.send(connection, |out| encode_error(&reply, version, out));
    if frame.command == Command::Subscribe {
        forget_refused(worker, session, frame);
    }
}

/// Says by an ERROR what was wrong; the connection ends.
pub(super) fn refuse(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    frame: &Frame,
    refusal: &Refusal,
) {
    let reply = refusal.reply(frame.receipt());
    worker.close(connection, refusal.reason, Some(&reply));
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
