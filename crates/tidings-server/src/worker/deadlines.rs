//! Deadlines of connections: CONNECT in time, heart-beats both ways, a socket that takes nothing, the end of a linger.

use std::rc::Rc;
use std::time::Instant;

use tidings_core::disconnect::Reason;
use tidings_sockjs::frame;
use tidings_stomp::connection::Timeout;
use tidings_websocket::Opcode;

use super::Worker;
use super::connection::{Connection, Phase};
use super::timer_wheel::Entry;

impl Worker {
    pub(super) fn fire_timers(self: &Rc<Self>, now: Instant) {
        let mut due = Vec::new();
        self.wheel.borrow_mut().advance(now, &mut due);
        for Entry { key, tick } in due {
            let connection = self.connections.borrow().get(key as usize).map(Rc::clone);
            if let Some(connection) = connection.filter(|connection| connection.is_timed_at(tick)) {
                self.check_deadlines(&connection, now);
            }
        }
    }

    /// Sets the connection's timer to its earliest deadline, unless an earlier one is set already.
    pub(crate) fn schedule(&self, connection: &Connection, deadline: Instant) {
        let mut wheel = self.wheel.borrow_mut();
        let tick = wheel.tick_of(deadline);
        if connection.set_timer(tick) {
            wheel.insert(Entry {
                key: connection.key().slot,
                tick,
            });
            if self
                .sleeping_until
                .get()
                .is_none_or(|until| deadline < until)
            {
                self.mailbox().nudge();
            }
        }
    }

    /// Looks at every deadline of a connection and sets the timer to the next.
    pub(super) fn check_deadlines(self: &Rc<Self>, connection: &Rc<Connection>, now: Instant) {
        if let Some(cut_at) = connection.cut_at.get() {
            if cut_at > now {
                self.schedule(connection, cut_at);
            } else {
                self.remove(connection);
            }
            return;
        }
        let is_resting = connection.pace.is_resting(now);
        if connection.paused.get() || connection.is_asking() || is_resting {
            // It may have sent in time: it is we who do not read it now, and what SockJS brings waits, too.
            connection.application.borrow_mut().heard(now);
        }
        let send_timeout = self.node.config.outbox.send_timeout;
        if connection
            .stalled_since
            .get()
            .is_some_and(|since| since + send_timeout <= now)
        {
            self.close(connection, Reason::SendTimeout, None);
            return;
        }
        if connection.application.borrow().has_expired(now) {
            self.close(connection, Reason::TokenExpired, None);
            return;
        }
        let due = connection
            .application
            .borrow_mut()
            .handle_timeout(connection.written_at.get(), now);
        match due {
            Some(Timeout::SendHeartBeat) => self.send(connection, |out| out.push(b'\n')),
            Some(Timeout::HeartBeatMissed) => self.close(connection, Reason::HeartBeatMissed, None),
            Some(Timeout::ConnectTimedOut) => self.close(connection, Reason::ConnectTimeout, None),
            None => {}
        }
        if connection.listening.is_some() {
            self.check_session(connection, now);
        } else if connection.phase() == Phase::Open
            && connection.next_beat().is_some_and(|at| at <= now)
        {
            self.send_control(connection, Opcode::Text, frame::HEARTBEAT);
            connection.written_at.set(now);
        }
        if connection.phase() == Phase::Open {
            self.schedule_next(connection);
        }
    }

    /// Sets the timer to the session's next deadline.
    pub(crate) fn schedule_next(&self, connection: &Connection) {
        let application = connection.application.borrow().next_timeout();
        let stalled = connection.stalled_since.get();
        let send = stalled.map(|since| since + self.node.config.outbox.send_timeout);
        let sockjs = connection.next_sockjs_timeout();
        if let Some(deadline) = [application, send, sockjs].into_iter().flatten().min() {
            self.schedule(connection, deadline);
        }
    }
}
