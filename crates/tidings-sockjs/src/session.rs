//! A session across the many responses by which its client listens.

use std::time::{Duration, Instant};

use crate::frame;
use crate::options::Options;
use crate::receiver::{Progress, Receiver};

/// The life of a session over the HTTP transports: opened once, at most one receiver at a time, closed once. Holds no
/// messages: the driver does, and writes them while [`Session::receiver`] is there.
///
/// A client whose connection is lost while it listens is gone: the driver drops the session.
#[derive(Debug)]
pub struct Session {
    heartbeat_time: Duration,
    disconnect_delay: Duration,
    /// While somebody listens: the last write. Else: since when nobody does.
    since: Instant,
    receiver: Option<Receiver>,
    /// A response that was given back is not out yet: its client still listens.
    ending: bool,
    /// The close frame, once the session is closed.
    closed: Option<Box<[u8]>>,
    /// Whether a receiver has got the opening frame.
    opened: bool,
    hushed: bool,
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
        Self {
            heartbeat_time: options.heartbeat_time,
            disconnect_delay: options.disconnect_delay,
            since: now,
            receiver: None,
            ending: false,
            closed: None,
            opened: false,
            hushed: false,
        }
    }

    /// A client listens. Writes what it gets at once: the head and prelude, the opening frame to the first, the close
    /// frame to each after the close, the 2010 frame where another one listens.
    pub fn attach(&mut self, now: Instant, mut receiver: Receiver, out: &mut Vec<u8>) -> Attached {
        receiver.begin(out);
        if self.receiver.is_some() || self.ending {
            let frame = self.closed.as_deref().unwrap_or(OTHER_RECEIVER);
            write_last(&mut receiver, frame, out);
            return Attached::Refused(receiver);
        }
        self.since = now;
        if !self.opened {
            self.opened = true;
            if receiver.write(frame::OPEN, out) == Progress::Ended {
                return Attached::Ended(receiver);
            }
        }
        if let Some(frame) = &self.closed {
            write_last(&mut receiver, frame, out);
            return Attached::Ended(receiver);
        }
        self.receiver = Some(receiver);
        Attached::Waits
    }

    /// Who listens.
    pub fn receiver(&mut self) -> Option<&mut Receiver> {
        self.receiver.as_mut()
    }

    /// Writes one frame to the receiver; when its response ends with that, gives it back. Nothing is written where nobody
    /// listens.
    pub fn write(&mut self, now: Instant, frame: &[u8], out: &mut Vec<u8>) -> Option<Receiver> {
        let progress = self.receiver.as_mut()?.write(frame, out);
        self.since = now;
        match progress {
            Progress::GoesOn => None,
            Progress::Ended => self.receiver.take(),
        }
    }

    /// The response that was given back last is not out yet. Until [`Session::ended`] its client counts as one that listens:
    /// nobody else may, and the disconnect delay has not begun.
    pub fn ends(&mut self) {
        self.ending = true;
    }

    /// The response is out, and nobody listens from now on.
    pub fn ended(&mut self, now: Instant) {
        self.ending = false;
        self.since = now;
    }

    /// The driver has written to the receiver by itself.
    pub fn wrote(&mut self, now: Instant) {
        if self.receiver.is_some() {
            self.since = now;
        }
    }

    /// Closes the session, once: every later receiver gets this frame. The driver writes what waits, then calls
    /// [`Session::finish`]. While messages wait and nobody listens, the driver waits with the close, else they are lost.
    pub fn close(&mut self, code: u16, reason: &str) {
        self.closed.get_or_insert_with(|| {
            let mut frame = Vec::new();
            frame::write_close(code, reason, &mut frame);
            frame.into()
        });
    }

    /// Writes the close frame to the receiver, if one is there, and gives it back: its response has ended.
    pub fn finish(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Receiver> {
        let frame = self.closed.as_deref()?;
        let mut receiver = self.receiver.take()?;
        self.since = now;
        write_last(&mut receiver, frame, out);
        Some(receiver)
    }

    /// Whether [`Session::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// No heartbeats from now on: the protocol above has its own.
    pub fn hush(&mut self) {
        self.hushed = true;
    }

    /// Writes a heartbeat; a polling response ends with it.
    pub fn heartbeat(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Receiver> {
        self.write(now, frame::HEARTBEAT, out)
    }

    /// When [`Session::handle_timeout`] has to be called next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (&self.receiver, self.hushed) {
            (Some(_), true) => None,
            (Some(_), false) => self.since.checked_add(self.heartbeat_time),
            (None, _) if self.ending => None,
            (None, _) => self.since.checked_add(self.disconnect_delay),
        }
    }

    /// What is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Timeout> {
        self.poll_timeout().filter(|&due| due <= now)?;
        Some(match self.receiver {
            Some(_) => Timeout::Heartbeat,
            None => Timeout::Disconnect,
        })
    }
}

/// Writes the frame after which nothing comes.
fn write_last(receiver: &mut Receiver, frame: &[u8], out: &mut Vec<u8>) {
    if receiver.write(frame, out) == Progress::GoesOn {
        receiver.end(out);
    }
}

/// What a second receiver gets.
const OTHER_RECEIVER: &[u8] = br#"c[2010,"Another connection still open"]"#;
