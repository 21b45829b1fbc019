//! A session across the many responses by which its client listens.

use std::time::Instant;

use crate::options::Options;
use crate::receiver::{Progress, Receiver};

/// The life of a session over the HTTP transports: opened once, at most one receiver at a time, closed once. Holds no
/// messages: the driver does, and writes them while [`Session::receiver`] is there.
#[derive(Debug)]
pub struct Session {
    // private: state (New, Open, Closed { code, reason }), receiver, times of Options, heartbeat and disconnect deadlines
}

/// What became of a new receiver.
#[derive(Debug)]
pub enum Attached {
    /// It waits for frames.
    Waits,
    /// Its response has ended: with the opening of the session, or with the close frame. The driver has its connection back.
    Ended(Receiver),
    /// Its response has ended since another receiver is there, which stays.
    Refused(Receiver),
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Nothing was sent for the heartbeat time: see [`Session::heartbeat`].
    Heartbeat,
    /// There was no receiver for the disconnect delay: the session is over, and if it was not closed its client is lost.
    Disconnect,
}

impl Session {
    /// A session that no receiver has asked for yet.
    pub fn new(options: &Options, now: Instant) -> Self {
        let _ = (options, now);
        todo!()
    }

    /// A client listens. Writes what it gets at once: the head and prelude, the opening frame to the first, the close
    /// frame to each after the close, the 2010 frame where another one listens.
    pub fn attach(&mut self, now: Instant, receiver: Receiver, out: &mut Vec<u8>) -> Attached {
        let _ = (now, receiver, out);
        todo!()
    }

    /// Who listens.
    pub fn receiver(&mut self) -> Option<&mut Receiver> {
        todo!()
    }

    /// Writes one frame to the receiver; when its response ends with that, gives it back. Nothing is written where nobody
    /// listens.
    pub fn write(&mut self, now: Instant, frame: &[u8], out: &mut Vec<u8>) -> Option<Receiver> {
        let _ = (now, frame, out, Progress::Ended);
        todo!()
    }

    /// The driver has written to the receiver by itself.
    pub fn wrote(&mut self, now: Instant) {
        let _ = now;
        todo!()
    }

    /// Closes the session, once: every later receiver gets this frame. The driver writes what waits, then calls
    /// [`Session::finish`].
    pub fn close(&mut self, code: u16, reason: &str) {
        let _ = (code, reason);
        todo!()
    }

    /// Writes the close frame to the receiver, if one is there, and gives it back: its response has ended.
    pub fn finish(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Receiver> {
        let _ = (now, out);
        todo!()
    }

    /// Whether [`Session::close`] was called.
    pub fn is_closed(&self) -> bool {
        todo!()
    }

    /// No heartbeats from now on: the protocol above has its own.
    pub fn hush(&mut self) {
        todo!()
    }

    /// Writes a heartbeat; a polling response ends with it.
    pub fn heartbeat(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Receiver> {
        let _ = (now, out);
        todo!()
    }

    /// When [`Session::handle_timeout`] has to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        todo!()
    }

    /// What is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Timeout> {
        let _ = now;
        todo!()
    }
}
