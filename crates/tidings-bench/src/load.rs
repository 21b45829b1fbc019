//! Drives publishers and subscribers for a time and measures what that costs.

use std::time::{Duration, Instant};

use crate::board::{Board, MAX_FOLLOWED, Verification};
use crate::error::{BenchError, Ending};
use crate::fleet::Fleet;
use crate::greeting::Greeting;
use crate::histogram::{Histogram, Latency};
use crate::plan::Plan;
use crate::process::{CpuSample, CpuTime, rss_kib};
use crate::server::Server;

/// A run in which nothing arrives for so long, though messages are on their way, is over.
const NO_PROGRESS: Duration = Duration::from_secs(10);

/// How often the server's memory is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(250);

/// A server that has a message of this age on its way at the end of an open loop falls behind.
const BEHIND: Duration = Duration::from_secs(1);

/// The longest wait of the loop, so that it sees its deadlines.
const LONGEST_TURN: Duration = Duration::from_millis(100);

/// When a publisher sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// Whenever fewer than `depth` of its messages are on their way.
    Closed { depth: u64 },
    /// At fixed moments, all publishers together `per_second`, whatever the server does.
    Open { per_second: f64 },
}

/// What a run does.
#[derive(Debug, Clone)]
pub(crate) struct LoadSettings {
    pub(crate) pace: Pace,
    pub(crate) body_bytes: usize,
    /// Not measured, but verified.
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Messages of each publisher after the warm-up; the run ends before `duration` when all are delivered.
    pub(crate) messages: Option<u64>,
    /// For opening the connections.
    pub(crate) timeout: Duration,
}

/// What a run found.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    pub(crate) seconds: f64,
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
    pub(crate) latency: Option<Latency>,
    pub(crate) server: Option<CpuTime>,
    pub(crate) generator: CpuTime,
    pub(crate) memory: Option<MemoryCourse>,
    pub(crate) verification: Verification,
    /// Why the first connection ended that should not have.
    pub(crate) first_ending: Option<Ending>,
    /// At the end of the window a message was over a second late, or so many waited that sending stopped.
    pub(crate) falls_behind: bool,
    /// How late the generator itself sent, in an open loop.
    pub(crate) lateness: Option<Latency>,
}

/// Resident memory of the server during a run, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct MemoryCourse {
    /// With all connections open, before the first message.
    pub before_kib: u64,
    /// The largest seen.
    pub peak_kib: u64,
    /// After the last message.
    pub after_kib: u64,
}

/// A run under way.
pub(crate) struct Load<'a> {
    pub(crate) fleet: Fleet,
    pub(crate) board: Board,
    settings: &'a LoadSettings,
    pid: Option<u32>,
    /// Each publisher sends no message of this number or above.
    limit: u64,
    /// Messages sent in the open loop, and when it began.
    paced: (u64, Instant),
    overloaded: bool,
    lateness: Histogram,
    memory: Option<MemoryCourse>,
    memory_due: Instant,
    /// The deliveries last seen, and when they last changed.
    progress: (u64, Instant),
    body: Vec<u8>,
}

/// The clocks and counters at one moment.
struct Mark {
    at: Instant,
    server: Option<CpuSample>,
    generator: CpuSample,
    deliveries: u64,
    completed: u64,
}

impl<'a> Load<'a> {
    /// Opens all connections of the plan.
    pub(crate) fn open(
        server: &Server,
        greeting: &Greeting,
        plan: &Plan,
        settings: &'a LoadSettings,
    ) -> Result<Self, BenchError> {
        let fleet = Fleet::open(&server.endpoint, greeting, &plan.links, settings.timeout)?;
        let now = Instant::now();
        let before = server.pid.map(rss_kib).transpose()?;
        Ok(Self {
            fleet,
            board: Board::new(plan, settings.body_bytes),
            settings,
            pid: server.pid,
            limit: u64::MAX,
            paced: (0, now),
            overloaded: false,
            lateness: Histogram::new(),
            memory: before.map(|before_kib| MemoryCourse {
                before_kib,
                peak_kib: before_kib,
                after_kib: before_kib,
            }),
            memory_due: now,
            progress: (0, now),
            body: Vec::new(),
        })
    }

    /// Warms up, measures, waits for what is on its way, and verifies.
    pub(crate) fn measure(&mut self) -> Result<Measured, BenchError> {
        self.paced.1 = Instant::now();
        if !self.settings.warm_up.is_zero() {
            self.drive(self.settings.warm_up)?;
        }
        let opening = self.mark()?;
        self.board.histogram.clear();
        self.lateness.clear();
        if let Some(messages) = self.settings.messages {
            let most = self
                .board
                .publishers
                .iter()
                .map(|publisher| publisher.sent)
                .max();
            self.limit = most.unwrap_or(0) + messages;
        }
        self.drive(self.settings.duration)?;
        let closing = self.mark()?;
        let latency = self.board.histogram.latency();
        let oldest = self
            .board
            .oldest()
            .map_or(Duration::ZERO, |oldest| closing.at - oldest);
        self.drain()?;
        self.look_at_memory(true)?;
        let ended = self.fleet.ended();
        Ok(Measured {
            seconds: (closing.at - opening.at).as_secs_f64(),
            messages: closing.completed - opening.completed,
            deliveries: closing.deliveries - opening.deliveries,
            latency,
            server: closing
                .server
                .zip(opening.server)
                .map(|(after, before)| after.since(&before)),
            generator: closing.generator.since(&opening.generator),
            memory: self.memory,
            verification: self.board.verify(false, ended.len() as u64),
            first_ending: ended
                .first()
                .and_then(|&link| self.fleet.links()[link].ending().cloned()),
            falls_behind: self.overloaded || oldest > BEHIND,
            lateness: matches!(self.settings.pace, Pace::Open { .. })
                .then(|| self.lateness.latency())
                .flatten(),
        })
    }

    fn mark(&self) -> Result<Mark, BenchError> {
        Ok(Mark {
            server: self.pid.map(CpuSample::of).transpose()?,
            generator: CpuSample::of(std::process::id())?,
            deliveries: self.board.deliveries,
            completed: self.board.completed,
            at: Instant::now(),
        })
    }

    /// Sends and receives for `duration`, or until the limit is reached or the run can't go on.
    fn drive(&mut self, duration: Duration) -> Result<(), BenchError> {
        let end = Instant::now() + duration;
        if matches!(self.settings.pace, Pace::Closed { .. }) {
            for publisher in 0..self.board.publishers.len() {
                self.fill(publisher);
            }
        }
        loop {
            let now = Instant::now();
            if now >= end || self.is_over(now) {
                return Ok(());
            }
            let wait = match self.settings.pace {
                Pace::Closed { .. } => {
                    while let Some(publisher) = self.board.next_ready() {
                        self.fill(publisher);
                    }
                    LONGEST_TURN
                }
                Pace::Open { per_second } => self.send_due(per_second, now),
            };
            self.turn(wait.min(end - now))?;
            self.look_at_memory(false)?;
        }
    }

    /// One turn of the loop over the sockets.
    pub(crate) fn turn(&mut self, wait: Duration) -> Result<(), BenchError> {
        let board = &mut self.board;
        self.fleet
            .turn(wait, &mut |link, frame, subscription, now| {
                board.on_message(link, frame, subscription, now);
            })?;
        Ok(())
    }

    /// Receives until nothing is on its way.
    fn drain(&mut self) -> Result<(), BenchError> {
        self.limit = 0;
        while !self.is_over(Instant::now()) {
            self.turn(LONGEST_TURN)?;
        }
        Ok(())
    }

    /// All messages are sent and delivered, a connection is lost, or nothing arrives any more.
    fn is_over(&mut self, now: Instant) -> bool {
        let in_flight = self.board.in_flight;
        if self.progress.0 != self.board.deliveries || in_flight == 0 {
            self.progress = (self.board.deliveries, now);
        }
        let limit = self.limit;
        let sent = limit < u64::MAX
            && self
                .board
                .publishers
                .iter()
                .all(|publisher| publisher.sent >= limit);
        (sent && in_flight == 0)
            || !self.fleet.ended().is_empty()
            || now - self.progress.1 > NO_PROGRESS
    }

    /// Sends what the depth allows for one publisher, in one write.
    fn fill(&mut self, publisher: usize) {
        let Pace::Closed { depth } = self.settings.pace else {
            return;
        };
        let now = Instant::now();
        let state = &self.board.publishers[publisher];
        let link = state.link;
        let room = depth
            .saturating_sub(state.in_flight)
            .min(self.limit.saturating_sub(state.sent));
        for _ in 0..room {
            self.send(publisher, now);
        }
        self.fleet.flush(link);
    }

    /// Sends what is due, and says how long nothing will be.
    fn send_due(&mut self, per_second: f64, now: Instant) -> Duration {
        let publishers = self.board.publishers.len();
        let wait = loop {
            let (sent, begin) = self.paced;
            let due = begin + Duration::from_secs_f64(sent as f64 / per_second);
            if due > now {
                break due - now;
            }
            let publisher = (sent % publishers as u64) as usize;
            self.overloaded |= self.board.in_flight >= (MAX_FOLLOWED * publishers) as u64;
            if self.overloaded || self.board.publishers[publisher].sent >= self.limit {
                break LONGEST_TURN;
            }
            self.lateness.record(now - due);
            self.send(publisher, due);
            self.paced.0 += 1;
        };
        for publisher in 0..publishers {
            self.fleet.flush(self.board.publishers[publisher].link);
        }
        wait
    }

    fn send(&mut self, publisher: usize, since: Instant) {
        let sequence = self.board.on_send(publisher, since);
        self.board
            .bodies
            .write(&mut self.body, publisher as u32, sequence);
        let publisher = &self.board.publishers[publisher];
        self.fleet
            .push(publisher.link, &[&publisher.head, &self.body, b"\0"]);
    }

    fn look_at_memory(&mut self, now_too: bool) -> Result<(), BenchError> {
        let (Some(pid), Some(memory)) = (self.pid, &mut self.memory) else {
            return Ok(());
        };
        let now = Instant::now();
        if now_too || now >= self.memory_due {
            self.memory_due = now + MEMORY_INTERVAL;
            memory.after_kib = rss_kib(pid)?;
            memory.peak_kib = memory.peak_kib.max(memory.after_kib);
        }
        Ok(())
    }
}
