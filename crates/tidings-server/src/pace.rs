//! How fast a client may send: who is faster is not read for a while, so nothing is lost, and who is much faster goes.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tidings_core::disconnect::Reason;

use crate::audit::{Actor, Deed};
use crate::bucket::{Bucket, Rate};
use crate::clock;
use crate::config;
use crate::worker::{Connection, Phase, Worker};

/// Who was quiet may send as much at once as comes in this time.
pub(crate) const BURST: Duration = Duration::from_secs(5);

/// Within one read, so much is acted on before it is looked whether that was too much: the clock is not asked for each
/// frame.
const MAX_UNSETTLED_FRAMES: u32 = 1_024;
const MAX_UNSETTLED_BYTES: u64 = 64 * 1024;

/// Requests of one SockJS session that wait until it may send again. A client sends the next when the last is answered; who
/// sends them side by side wants to get past the limit.
const MAX_HELD: u8 = 8;

/// How fast each session may send.
pub(crate) struct Rates {
    frames: Option<Rate>,
    bytes: Option<Rate>,
    patience: Duration,
}

impl Rates {
    pub(crate) fn new(config: &config::Session) -> Self {
        let a_second = |count: u64| Rate::new(count, Duration::from_secs(1), BURST);
        Self {
            frames: a_second(config.max_frames_per_second.into()),
            bytes: a_second(config.max_bytes_per_second as u64),
            patience: config.rate_patience,
        }
    }
}

/// What one client has sent of late.
#[derive(Default)]
pub(crate) struct Pace {
    frames: Cell<Bucket>,
    bytes: Cell<Bucket>,
    unsettled: Cell<Sent>,
    /// Until then nothing is taken.
    until: Cell<Option<Instant>>,
    /// Requests of SockJS that wait for it.
    held: Cell<u8>,
}

#[derive(Clone, Copy, Default)]
struct Sent {
    /// Frames of STOMP.
    frames: u32,
    /// What they came in: frames of WebSocket, messages and requests of SockJS.
    pieces: u32,
    bytes: u64,
}

impl Pace {
    /// A frame of STOMP.
    pub(crate) fn count_frame(&self) {
        self.count(|sent| sent.frames += 1);
    }

    /// Bytes, as they are once unpacked.
    pub(crate) fn count_bytes(&self, bytes: usize) {
        self.count(|sent| sent.bytes += bytes as u64);
    }

    /// What frames come in: one frame cut into a thousand pieces is as much work as a thousand.
    pub(crate) fn count_pieces(&self, pieces: u32) {
        self.count(|sent| sent.pieces = sent.pieces.saturating_add(pieces));
    }

    fn count(&self, add: impl FnOnce(&mut Sent)) {
        let mut sent = self.unsettled.get();
        add(&mut sent);
        self.unsettled.set(sent);
    }

    /// Whether so much came that it is time to look whether it is too much.
    fn is_due(&self) -> bool {
        let sent = self.unsettled.get();
        sent.frames.max(sent.pieces) >= MAX_UNSETTLED_FRAMES || sent.bytes >= MAX_UNSETTLED_BYTES
    }

    /// Whether nothing is to be taken from the client for now.
    pub(crate) fn is_resting(&self, now: Instant) -> bool {
        self.until.get().is_some_and(|until| now < until)
    }

    /// Charges what has come; which limit it is beyond, if it is, and how long it takes to come back.
    fn charge(&self, rates: &Rates, now: Instant) -> Option<(&'static str, Duration)> {
        let sent = self.unsettled.take();
        let charge = |bucket: &Cell<Bucket>, rate: Option<Rate>, amount: u64| {
            rate.map_or(Duration::ZERO, |rate| {
                let mut changed = bucket.get();
                let wait = changed.charge(rate, amount, now);
                bucket.set(changed);
                wait
            })
        };
        // A frame that came in one piece is one, not two.
        let frames = sent.frames.max(sent.pieces);
        let frames = charge(&self.frames, rates.frames, frames.into());
        let bytes = charge(&self.bytes, rates.bytes, sent.bytes);
        let (limit, wait) = if bytes > frames {
            ("session.max_bytes_per_second", bytes)
        } else {
            ("session.max_frames_per_second", frames)
        };
        (!wait.is_zero()).then_some((limit, wait))
    }
}

impl Connection {
    /// Returns once the client may send again.
    pub(crate) async fn rested(&self) {
        while let Some(until) = self.pace.until.get() {
            if until <= clock::now() {
                self.pace.until.set(None);
                return;
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// Holds one more request of SockJS; false where too many are held.
    pub(crate) fn hold_request(&self) -> bool {
        let held = self.pace.held.get();
        let may = held < MAX_HELD;
        self.pace.held.set(held + u8::from(may));
        may
    }

    /// A request of SockJS is held no longer.
    pub(crate) fn release_request(&self) {
        self.pace.held.set(self.pace.held.get() - 1);
    }
}

impl Worker {
    /// Within a read: whether the client has sent too much already.
    pub(crate) fn is_overrun(self: &Rc<Self>, connection: &Rc<Connection>) -> bool {
        connection.pace.is_due() && self.settle_pace(connection)
    }

    /// Looks whether the client has sent too much, and if so lets it rest, or go.
    pub(crate) fn settle_pace(self: &Rc<Self>, connection: &Rc<Connection>) -> bool {
        let now = clock::now();
        let Some((limit, wait)) = connection.pace.charge(&self.node.rates, now) else {
            return false;
        };
        if connection.phase() != Phase::Open {
            return false;
        }
        if wait > self.node.rates.patience {
            self.expel(connection, limit);
        } else {
            self.node.telemetry.limit_reached(limit);
            connection.pace.until.set(Some(now + wait));
        }
        true
    }

    /// The client has sent more than it may get away with.
    pub(crate) fn expel(self: &Rc<Self>, connection: &Rc<Connection>, limit: &'static str) {
        let reason = Reason::RateExceeded;
        self.node.telemetry.limit_reached(limit);
        {
            let application = connection.application.borrow();
            let session = application
                .session()
                .and_then(|session| session.known().map(|known| &**known));
            let actor = Actor::client(session, &connection.peer);
            self.node
                .audit
                .record(actor, &Deed::LimitReached { limit, reason });
        }
        self.close(connection, reason, None);
    }
}
