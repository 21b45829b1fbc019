//! The audit log: who was refused what, whose rights were withdrawn, and what operators and applications did.
//!
//! It is written through `tracing` with the target `tidings::audit`, one event a line: what writes the log of the server
//! writes this too, in its format. No secret is among the fields.

mod entry;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use crate::bucket::{Bucket, Rate};
use crate::clock;
use crate::config;
use crate::node::lock;
use crate::peer::network;
use crate::telemetry::Telemetry;
pub(crate) use entry::{Actor, Deed, Withdrawn};
use entry::{write, write_suppressed};

/// The time in which so many may be written, and as many at once.
const PERIOD: Duration = Duration::from_mins(1);

/// Whose events are counted one by one; beyond it, those are forgotten that have caused the fewest.
const MAX_CAUSES: usize = 4_096;

/// Writes the audit log, no faster than disks and readers can take it.
pub(crate) struct Audit {
    telemetry: Telemetry,
    /// Events of one kind that one user or address may cause.
    each: Option<Rate>,
    /// Events that all clients may cause together.
    all: Option<Rate>,
    tallies: Mutex<Tallies>,
}

#[derive(Default)]
struct Tallies {
    causes: HashMap<Cause, Tally>,
    all: Tally,
    /// When those that are of no use any more are looked for.
    sweep_at: Option<Instant>,
}

/// Who causes events of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Cause {
    event: &'static str,
    who: Who,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    User(Box<str>),
    Address(IpAddr),
    Unknown,
}

#[derive(Debug, Default)]
struct Tally {
    bucket: Bucket,
    /// Events that were not written, and not told of yet.
    suppressed: u64,
}

impl Audit {
    pub(crate) fn new(config: &config::Audit, telemetry: Telemetry) -> Self {
        Self {
            telemetry,
            each: Rate::new(config.max_per_minute.into(), PERIOD, PERIOD),
            all: Rate::new(config.max_total_per_minute.into(), PERIOD, PERIOD),
            tallies: Mutex::default(),
        }
    }

    /// Writes what somebody did, or was refused. What clients cause is held to the limits of `[audit]`; what is done with a
    /// key of the operator's is always written.
    pub(crate) fn record(&self, actor: Actor<'_>, deed: &Deed<'_>) {
        let event = deed.event();
        self.telemetry.audited(event);
        if deed.is_by_client() {
            let cause = Cause {
                event,
                who: Who::of(actor, deed),
            };
            let may = lock(&self.tallies).may_write(cause, (self.each, self.all), clock::now());
            if !may {
                self.telemetry.audit_suppressed.inc();
                return;
            }
        }
        write(actor, deed);
    }
}

impl Tallies {
    /// Whether one more event may be written. Tells, where one may, how many were not.
    fn may_write(
        &mut self,
        cause: Cause,
        (each, all): (Option<Rate>, Option<Rate>),
        now: Instant,
    ) -> bool {
        self.sweep(now);
        // Before anything is remembered of the cause: who comes from ever new addresses gets no further than here.
        if !all.is_none_or(|rate| self.all.bucket.has(rate, 1, now)) {
            self.all.suppressed += 1;
            return false;
        }
        self.make_room(&cause, now);
        let tally = self.causes.entry(cause.clone()).or_default();
        if !each.is_none_or(|rate| tally.bucket.take(rate, 1, now)) {
            tally.suppressed += 1;
            return false;
        }
        cause.tell(tally);
        if let Some(rate) = all {
            self.all.bucket.take(rate, 1, now);
        }
        let untold = std::mem::take(&mut self.all.suppressed);
        if untold > 0 {
            write_suppressed(Actor::default(), "all", untold);
        }
        true
    }

    /// Forgets, once in a [`PERIOD`], who has caused nothing of late.
    fn sweep(&mut self, now: Instant) {
        if self.sweep_at.is_some_and(|at| now < at) {
            return;
        }
        self.sweep_at = Some(now + PERIOD);
        self.forget(|tally| tally.bucket.is_full(now));
    }

    /// Forgets, if need be, who has caused the fewest.
    fn make_room(&mut self, cause: &Cause, now: Instant) {
        if self.causes.len() < MAX_CAUSES || self.causes.contains_key(cause) {
            return;
        }
        let owed = self.causes.values().map(|tally| tally.bucket.owed(now));
        if let Some(least) = owed.min() {
            self.forget(|tally| tally.bucket.owed(now) <= least);
        }
    }

    fn forget(&mut self, which: impl Fn(&Tally) -> bool) {
        for (cause, mut tally) in self.causes.extract_if(|_, tally| which(tally)) {
            cause.tell(&mut tally);
        }
    }
}

impl Cause {
    /// Writes how many events were not written.
    fn tell(&self, tally: &mut Tally) {
        let suppressed = std::mem::take(&mut tally.suppressed);
        if suppressed > 0 {
            write_suppressed(self.who.actor(), self.event, suppressed);
        }
    }
}

impl Who {
    /// The user where it is known, else where it comes from: who proves nobody may call itself what it likes.
    fn of(actor: Actor<'_>, deed: &Deed<'_>) -> Self {
        let is_proven = !matches!(deed, Deed::AuthenticationFailed { .. });
        match (actor.user.filter(|_| is_proven), actor.address) {
            (Some(user), _) => Self::User(user.into()),
            (None, Some(address)) => Self::Address(network(address)),
            (None, None) => Self::Unknown,
        }
    }

    fn actor(&self) -> Actor<'_> {
        match self {
            Self::User(user) => Actor {
                user: Some(user),
                ..Actor::default()
            },
            Self::Address(address) => Actor {
                address: Some(*address),
                ..Actor::default()
            },
            Self::Unknown => Actor::default(),
        }
    }
}
