//! A session: what one client has connected, subscribed to and begun.

mod access;
mod acknowledge;
mod application;
mod authenticate;
mod awaited;
mod connect;
mod crowd;
mod identity;
mod oversight;
mod renewal;
mod request;
mod send;
mod subscribe;
mod temporary_queue;
mod transaction;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tidings_core::application::{Event as AppEvent, Session as Known};
use tidings_core::disconnect::Reason;
use tidings_core::transaction::Transactions;
use tidings_stomp::connection::{ErrorReply, Event, Timeout};
use tidings_stomp::{Connection as Stomp, Version};

use crate::application::Application;
use crate::clock;
use crate::node::Node;
use crate::worker::{Connection, Phase, Worker};
pub(crate) use authenticate::bearer;
pub(crate) use oversight::EndedBy;
use temporary_queue::TemporaryQueue;
use transaction::Action;

/// What one client holds. Small while it does little: see [`Extras`].
pub(crate) struct Session {
    stomp: Stomp,
    /// Keys of its subscriptions on the worker.
    subscriptions: Vec<u32>,
    /// SUBSCRIBEs so far; each numbers its subscription.
    ordinals: u32,
    /// Who it is, once connected.
    known: Option<Arc<Known>>,
    /// What few sessions need.
    extras: Option<Box<Extras>>,
}

/// The parts of a session that most clients never use.
struct Extras {
    /// When what proves the session expires.
    expires_at: Option<Instant>,
    /// It goes on after errors that its frames have caused.
    continues: bool,
    transactions: Transactions<Action>,
    temporary_queues: Vec<TemporaryQueue>,
    /// Ids of ended subscriptions that took acknowledgements, latest last; a late ACK for them is no error.
    ended: Vec<Box<str>>,
    /// Names of subscriptions that the application ended, latest last; an UNSUBSCRIBE of them is no error.
    withdrawn: Vec<Box<str>>,
}

impl Session {
    pub(crate) fn new(node: &Node, ready_at: Instant) -> Self {
        Self {
            stomp: Stomp::server(&node.stomp, ready_at),
            subscriptions: Vec::new(),
            ordinals: 0,
            known: None,
            extras: None,
        }
    }

    /// The version agreed on; before that the one whose frames any client reads.
    pub(crate) fn version(&self) -> Version {
        self.stomp.version().unwrap_or(Version::V1_0)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        [self.stomp.poll_timeout(), self.expires_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether heart-beats of STOMP keep the link alive.
    pub(crate) fn sends_heart_beats(&self) -> bool {
        self.stomp.sends_heart_beats()
    }

    /// A sign of life of the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.stomp.handle_input(now, Bytes::new());
    }

    pub(crate) fn handle_timeout(&mut self, written_at: Instant, now: Instant) -> Option<Timeout> {
        self.stomp.handle_output(written_at);
        self.stomp.handle_timeout(now)
    }

    pub(crate) fn write_error(&mut self, error: &ErrorReply<'_>, out: &mut Vec<u8>) {
        self.stomp.error(error, out);
    }

    /// Whether it goes on after errors that its frames have caused.
    fn continues(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.continues)
    }

    fn extras(&mut self, node: &Node) -> &mut Extras {
        self.extras.get_or_insert_with(|| {
            Box::new(Extras {
                expires_at: None,
                continues: false,
                transactions: Transactions::new(transaction::limits(&node.config.session)),
                temporary_queues: Vec::new(),
                ended: Vec::new(),
                withdrawn: Vec::new(),
            })
        })
    }
}

/// Acts on bytes of STOMP.
pub(crate) fn consume(worker: &Rc<Worker>, connection: &Rc<Connection>, bytes: Bytes) {
    let now = clock::now();
    // Also while an answer is awaited: one read may hold several messages of the link.
    if let Some(session) = connection.application.borrow_mut().stomp() {
        session.stomp.handle_input(now, bytes);
    }
    while connection.phase() == Phase::Open && !connection.is_asking() {
        let mut application = connection.application.borrow_mut();
        let Some(session) = application.stomp() else {
            return;
        };
        let Some(event) = session.stomp.poll_event() else {
            return;
        };
        connection.pace.count_frame();
        match event {
            Event::Connect(request) => {
                drop(application);
                connect::ask(worker, connection, request);
            }
            Event::Request(frame) => {
                drop(application);
                request::take(worker, connection, frame);
            }
            Event::Failed(error) => {
                let reason = Reason::from_name(error.code()).unwrap_or(Reason::InternalError);
                let mut reply = Vec::new();
                session.stomp.fail(&error, &mut reply);
                drop(application);
                worker.send(connection, |out| out.extend_from_slice(&reply));
                worker.close(connection, reason, None);
            }
        }
    }
}

/// The ERROR for a goodbye that no frame of the client caused. Where the link has a close code of its own, that alone
/// tells of a shutdown, so that clients reconnect without alarming anybody, and of what broke the WebSocket beneath STOMP.
pub(crate) fn goodbye(reason: Reason, has_close_code: bool) -> Option<ErrorReply<'static>> {
    match reason {
        Reason::Normal
        | Reason::ConnectionReset
        | Reason::WebSocketProtocol
        | Reason::WebSocketTooLarge
        | Reason::SockJsProtocol => None,
        Reason::Shutdown | Reason::InvalidUtf8 if has_close_code => None,
        _ => Some(ErrorReply {
            code: reason.name(),
            message: reason.sentence(),
            details: reason.sentence(),
            ..ErrorReply::default()
        }),
    }
}

impl Worker {
    /// Ends a session: its subscriptions go, its transactions are aborted, its temporary queues end.
    pub(crate) fn end_session(&self, connection: &Connection, reason: Reason) {
        let mut application = connection.application.borrow_mut();
        let session = match &mut *application {
            Application::Stomp(session) => session,
            Application::Messages(handler) => {
                // A handler is not ours: the connection ends, whether that panics or not.
                let _ = catch_unwind(AssertUnwindSafe(|| handler.closed()));
                return;
            }
        };
        connection.stop_streams(None);
        for key in std::mem::take(&mut session.subscriptions) {
            session.announce_end(self, key);
            self.unsubscribe(connection, key);
        }
        if let Some(known) = session.known.take() {
            identity::leave(&self.node, &known);
            self.node.notice(|| AppEvent::Disconnected {
                session: known,
                reason,
            });
        }
        if let Some(extras) = session.extras.take() {
            for queue in &extras.temporary_queues {
                self.node.queues.remove(&queue.name);
            }
        }
    }
}
