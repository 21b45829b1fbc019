//! How a connection ends: the goodbye is written, our side is shut, and when the peer's is too it is forgotten.

use std::net::Shutdown;
use std::rc::Rc;
use std::time::Duration;

use tidings_core::disconnect::Reason;
use tidings_sockjs::frame;
use tidings_stomp::connection::ErrorReply;
use tidings_websocket::{CloseCode, Opcode, close_payload};

use super::Worker;
use super::connection::{Connection, Phase};
use super::outbox::Outbox;
use crate::clock;
use crate::link::Wire;
use crate::session;
use crate::telemetry::LinkLabel;

/// After its goodbye a connection is read, and what comes is thrown away, until the peer closes too or this is over:
/// closing at once would reset the connection and could take the goodbye with it.
const LINGER: Duration = Duration::from_secs(5);

/// How the application says goodbye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Farewell {
    pub(crate) reason: Reason,
    /// In place of that of the reason.
    pub(crate) close_code: Option<u16>,
    /// For people, in place of the sentence of the reason.
    pub(crate) text: Option<Box<str>>,
}

impl Worker {
    /// Ends a connection in the words of the application.
    pub(super) fn dismiss(self: &Rc<Self>, connection: &Rc<Connection>, farewell: &Farewell) {
        let reason = farewell.reason;
        let mut error = session::goodbye(reason, connection.wire() != Wire::Tcp);
        let mut close_text = reason.name().to_owned();
        if let Some(text) = &farewell.text {
            close_text = format!("{close_text}: {text}");
            if let Some(error) = &mut error {
                (error.message, error.details) = (text, text);
            }
        }
        let close_code = farewell.close_code.unwrap_or(reason.close_code());
        self.close_with(
            connection,
            reason,
            error.as_ref(),
            (close_code, &close_text),
        );
    }

    /// Says goodbye: ends the session, sends the ERROR (where there is something to say) and the close frame, and
    /// shuts our side once they are out. The connection goes when the peer closes its side, or is cut after a while.
    pub(crate) fn close(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        reason: Reason,
        error: Option<&ErrorReply<'_>>,
    ) {
        let own = session::goodbye(reason, connection.wire() != Wire::Tcp);
        let close = (reason.close_code(), reason.name());
        self.close_with(connection, reason, error.or(own.as_ref()), close);
    }

    fn close_with(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        reason: Reason,
        error: Option<&ErrorReply<'_>>,
        (close_code, close_text): (u16, &str),
    ) {
        if connection.phase() != Phase::Open {
            return;
        }
        self.end(connection, reason);
        match reason {
            Reason::Normal | Reason::Shutdown => self.drop_waiting(connection, Outbox::drop_queued),
            _ => self.drop_waiting(connection, Outbox::drop_messages),
        }
        if let Some(error) = error {
            self.send(connection, |out| {
                connection.application.borrow_mut().write_error(error, out)
            });
        }
        match reason {
            Reason::ConnectionReset => {}
            // What stands beneath the frames of SockJS is broken.
            Reason::SockJsProtocol
            | Reason::WebSocketProtocol
            | Reason::WebSocketTooLarge
            | Reason::InvalidUtf8 => self.send_close(connection, close_code, close_text),
            _ => self.say_close(connection, close_code, close_text),
        }
        self.linger(connection);
    }

    /// The client has closed its WebSocket: it gets a close frame in return, and nothing else.
    pub(crate) fn confirm_close(self: &Rc<Self>, connection: &Rc<Connection>) {
        if connection.phase() != Phase::Open {
            return;
        }
        self.end(connection, Reason::Normal);
        self.drop_waiting(connection, Outbox::drop_queued);
        self.send_close(
            connection,
            Reason::Normal.close_code(),
            Reason::Normal.name(),
        );
        self.linger(connection);
    }

    /// Says goodbye as a handler of messages wants it said.
    pub(crate) fn close_as(self: &Rc<Self>, connection: &Rc<Connection>, code: u16, text: &str) {
        if connection.phase() != Phase::Open {
            return;
        }
        self.end(connection, Reason::Normal);
        self.say_close(connection, code, text);
        self.linger(connection);
    }

    /// The last frames of the link.
    fn say_close(self: &Rc<Self>, connection: &Connection, code: u16, text: &str) {
        if let Some(listening) = &connection.listening {
            listening.borrow_mut().set_goodbye(code, text);
        }
        if connection.wire() == Wire::SockJsWebSocket {
            let mut last = Vec::new();
            frame::write_close(code, text, &mut last);
            self.send_control(connection, Opcode::Text, &last);
        }
        self.send_close(connection, code, text);
    }

    fn send_close(self: &Rc<Self>, connection: &Connection, code: u16, text: &str) {
        if !connection.wire().is_websocket() {
            return;
        }
        let payload = close_payload(Some(CloseCode(code)), text);
        self.send_control(connection, Opcode::Close, &payload);
    }

    /// The goodbye may take a while to go out and to be heard.
    fn linger(self: &Rc<Self>, connection: &Rc<Connection>) {
        let linger = match &connection.listening {
            Some(listening) => listening.borrow().disconnect_delay(),
            None => LINGER,
        };
        let cut_at = clock::now() + linger;
        connection.cut_at.set(Some(cut_at));
        self.schedule(connection, cut_at);
        // Even with nothing to send the flush has to come by, to shut our side.
        self.mark_dirty(connection.key.slot);
    }

    /// The connection counts as ended, whatever is still to be written.
    fn end(self: &Rc<Self>, connection: &Rc<Connection>, reason: Reason) {
        connection.phase.set(Phase::Closing);
        self.node.telemetry.disconnected(reason);
        tracing::debug!(peer = %connection.peer, reason = reason.name(), "disconnected");
        // Behind a free socket they are as good as out. Behind a full one their queues get them back, marked redelivered,
        // but not what no response of SockJS has taken.
        let unwritten = connection.unwritten.take();
        let listening = connection.listening.as_ref();
        let is_heard = listening.is_none_or(|listening| listening.borrow().is_attached());
        if is_heard && !connection.is_blocked() {
            self.settle_written(unwritten);
        } else if let Some(listening) = listening {
            self.uncount(listening.borrow_mut().take_unheard());
        }
        self.end_session(connection, reason);
    }

    /// The peer's side ended, or the socket failed. What is still to be written has until the linger is over.
    pub(super) fn reader_ended(self: &Rc<Self>, connection: &Rc<Connection>) {
        connection.peer_ended.set(true);
        match connection.phase() {
            Phase::Open if std::thread::panicking() => self.doom(connection, Reason::InternalError),
            Phase::Open => self.close(connection, Reason::ConnectionReset, None),
            Phase::Closing => {}
            Phase::Shut => self.remove(connection),
        }
    }

    /// Both sides have ended: forgets the connection. Reader, writer and timer may each find that out.
    pub(super) fn remove(&self, connection: &Rc<Connection>) {
        if self.connection(connection.key).is_none() {
            return;
        }
        connection.phase.set(Phase::Shut);
        self.drop_waiting(connection, Outbox::drop_waiting);
        connection.shut(Shutdown::Both);
        if let Some(listening) = &connection.listening {
            self.forget_session(&mut listening.borrow_mut());
        }
        let wire = connection.wire();
        // Whoever sees that there is one less may come at once.
        drop(connection.ticket.take());
        self.node
            .telemetry
            .connections
            .get_or_create(&LinkLabel { link: wire.link() })
            .dec();
        self.connections
            .borrow_mut()
            .remove(connection.key.slot as usize);
    }

    /// All that was in the outbox is out.
    pub(super) fn written_all(self: &Rc<Self>, connection: &Rc<Connection>) {
        if connection.phase() == Phase::Closing && connection.listening.is_some() {
            self.finish_session(connection);
            return;
        }
        if connection.phase() == Phase::Closing {
            connection.phase.set(Phase::Shut);
            connection.shut(Shutdown::Write);
            if connection.peer_ended.get() {
                self.remove(connection);
            }
            return;
        }
        if !connection.unwritten.borrow().is_empty() {
            self.settle_written(connection.unwritten.take());
        }
        connection.wake_streams();
        if !connection.parked.borrow().is_empty() {
            self.relieved.borrow_mut().push(connection.key);
            self.mailbox().nudge();
        }
    }

    /// The socket takes no more. The reader sees its end too, and ends the session; where there is none, the turn does:
    /// what is being delivered may be borrowed now.
    pub(super) fn failed(self: &Rc<Self>, connection: &Rc<Connection>) {
        // What was not written is not acknowledged either: its queues get it back when the session ends.
        connection.unwritten.take();
        if connection.listening.is_some() {
            self.doom(connection, Reason::ConnectionReset);
            return;
        }
        connection.shut(Shutdown::Both);
        self.drop_waiting(connection, Outbox::drop_waiting);
        if connection.phase() == Phase::Closing {
            connection.phase.set(Phase::Shut);
        }
        if connection.peer_ended.get() && connection.phase() == Phase::Shut {
            self.remove(connection);
        }
    }
}
