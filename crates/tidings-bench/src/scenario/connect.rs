//! `connect`: what connections cost that do nothing.

use std::collections::VecDeque;
use std::io::Write;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::Outcome;
use crate::command::ConnectArgs;
use crate::error::BenchError;
use crate::fleet::{Fleet, LinkPlan};
use crate::link::Subscription;
use crate::plan::destination_name;
use crate::process::{CpuSample, CpuTime, Memory};
use crate::report::{Table, describe, write_json};
use crate::server::{Pinned, Server};

/// Between the last receipt and the look at memory: buffers of the handshakes are given back meanwhile.
const SETTLE: Duration = Duration::from_secs(1);

/// We beat a little more often than agreed: a beat that is due must not be late for the wait of a loop.
const OUR_SHARE: f64 = 0.9;

/// A server that is silent for this many of its intervals has missed a beat (STOMP 1.2 leaves the margin open).
const MISSED: u32 = 2;

/// Longest wait of the loop.
const LONGEST_TURN: Duration = Duration::from_millis(50);

/// What connections cost that do nothing.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ConnectReport {
    /// Where the server was.
    pub server: String,
    /// How they receive.
    pub transport: &'static str,
    /// Connections with one subscription each.
    pub connections: usize,
    /// From the first connection to the last receipt of a subscription.
    pub open_seconds: f64,
    /// The server's CPU for that, milliseconds per connection.
    pub open_cpu_ms_each: Option<f64>,
    /// The server before the first connection.
    pub memory_before: Option<Memory>,
    /// The server with all connections, before they idled.
    pub memory_open: Option<Memory>,
    /// The server with all connections, after they idled.
    pub memory_idle: Option<Memory>,
    /// Growth of the resident set per connection from before to after the idling, in bytes.
    pub rss_bytes_each: Option<f64>,
    /// The same of the anonymous pages: heap and stacks.
    pub anonymous_bytes_each: Option<f64>,
    /// The server's CPU while they idled.
    pub idle_cpu: Option<CpuTime>,
    /// The generator's CPU while they idled.
    pub generator_idle_cpu: CpuTime,
    /// Interval of the server's heart-beats as agreed, in seconds; 0: none.
    pub server_beats_every_seconds: f64,
    /// Interval of the generator's.
    pub our_beats_every_seconds: f64,
    /// Connections alive at the end.
    pub alive: usize,
    /// Connections on which the server was silent for two of its intervals.
    pub missed_beats: usize,
    /// Why the first of the others ended.
    pub first_ending: Option<String>,
    /// All are alive and no beat was missed.
    pub passed: bool,
}

pub(crate) fn connect(args: &ConnectArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let target = &args.target;
    let _pinned = target.pin.then(Pinned::generator).transpose()?;
    let server = Server::start(target)?;
    let report = measure(args, &server)?;
    if target.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

fn measure(args: &ConnectArgs, server: &Server) -> Result<ConnectReport, BenchError> {
    let mut greeting = args.target.greeting();
    greeting.heart_beat = args.heart_beat;
    let memory = || server.pid.map(Memory::of).transpose();
    let cpu = || server.pid.map(CpuSample::of).transpose();
    let spent = |before: Option<CpuSample>, after: Option<CpuSample>| {
        after
            .zip(before)
            .map(|(after, before)| after.since(&before))
    };

    let memory_before = memory()?;
    let (cpu_before, start) = (cpu()?, Instant::now());
    let mut fleet = Fleet::open(
        &server.endpoint,
        &greeting,
        &plans(args),
        args.target.timeout,
    )?;
    let open_seconds = start.elapsed().as_secs_f64();
    let open_cpu = spent(cpu_before, cpu()?);

    let mut beats = Beating::new(&fleet);
    beats.idle(&mut fleet, SETTLE)?;
    let memory_open = memory()?;
    let (cpu_before, own_before) = (cpu()?, CpuSample::of(std::process::id())?);
    beats.idle(&mut fleet, args.idle)?;
    let idle_cpu = spent(cpu_before, cpu()?);
    let generator_idle_cpu = CpuSample::of(std::process::id())?.since(&own_before);
    let memory_idle = memory()?;

    let connections = args.connections as usize;
    let each = |field: fn(Memory) -> u64| {
        let (before, after) = memory_before.zip(memory_idle)?;
        Some((field(after) as f64 - field(before) as f64) * 1024.0 / connections as f64)
    };
    let alive = connections - fleet.ended().len();
    let missed_beats = missed_beats(&fleet);
    let agreed = fleet.links()[0].beats();
    Ok(ConnectReport {
        server: server.endpoint.to_string(),
        transport: server.endpoint.transport_name(args.target.transport),
        connections,
        open_seconds,
        open_cpu_ms_each: open_cpu.map(|cpu| cpu.cpu_seconds * 1e3 / connections as f64),
        memory_before,
        memory_open,
        memory_idle,
        rss_bytes_each: each(|memory| memory.rss_kib),
        anonymous_bytes_each: each(|memory| memory.anonymous_kib),
        idle_cpu,
        generator_idle_cpu,
        server_beats_every_seconds: agreed.theirs.as_secs_f64(),
        our_beats_every_seconds: agreed.ours.as_secs_f64(),
        alive,
        missed_beats,
        first_ending: fleet
            .ended()
            .first()
            .and_then(|&link| Some(fleet.links()[link].ending()?.to_string())),
        passed: alive == connections && missed_beats == 0,
    })
}

fn plans(args: &ConnectArgs) -> Vec<LinkPlan> {
    let plan = |number: u32| LinkPlan {
        subscription: Some(Subscription {
            id: "0".to_owned(),
            destination: destination_name(if args.distinct_destinations {
                number as usize
            } else {
                0
            }),
        }),
        transport: args.target.transport,
        stalls: false,
    };
    (0..args.connections).map(plan).collect()
}

fn missed_beats(fleet: &Fleet) -> usize {
    let now = Instant::now();
    let missed = fleet.links().iter().filter(|link| {
        let theirs = link.beats().theirs;
        link.ending().is_none() && !theirs.is_zero() && link.longest_silence(now) > theirs * MISSED
    });
    missed.count()
}

/// Sends our heart-beats, spread evenly over their interval.
struct Beating {
    /// Connections in the order in which their next beat is due: all have the same interval.
    due: VecDeque<(Instant, usize)>,
    interval: Duration,
}

impl Beating {
    fn new(fleet: &Fleet) -> Self {
        let count = fleet.links().len();
        let interval = fleet.links()[0].beats().ours.mul_f64(OUR_SHARE);
        let now = Instant::now();
        let due = (0..count).map(|link| (now + interval.mul_f64(link as f64 / count as f64), link));
        Self {
            due: if interval.is_zero() {
                VecDeque::new()
            } else {
                due.collect()
            },
            interval,
        }
    }

    fn idle(&mut self, fleet: &mut Fleet, duration: Duration) -> Result<(), BenchError> {
        let end = Instant::now() + duration;
        loop {
            let now = Instant::now();
            if now >= end {
                return Ok(());
            }
            while let Some(&(due, link)) = self.due.front().filter(|(due, _)| *due <= now) {
                self.due.pop_front();
                self.due.push_back((due + self.interval, link));
                fleet.push(link, &[b"\n"]);
                fleet.flush(link);
            }
            fleet.turn(LONGEST_TURN.min(end - now), &mut |_, _, _, _| {})?;
        }
    }
}

impl ConnectReport {
    fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        let mut table = Table::default();
        table.row(
            "scenario",
            format!("connect over {} on {}", self.transport, self.server),
        );
        let each = self.open_cpu_ms_each.map_or_else(String::new, |each| {
            format!(", {each:.3} ms of server CPU each")
        });
        table.row(
            "opened",
            format!(
                "{} connections with a subscription in {:.2} s{each}",
                self.connections, self.open_seconds
            ),
        );
        for (label, memory) in [
            ("memory before", self.memory_before),
            ("memory open", self.memory_open),
            ("memory idle", self.memory_idle),
        ] {
            if let Some(Memory {
                rss_kib,
                pss_kib,
                anonymous_kib,
            }) = memory
            {
                table.row(
                    label,
                    format!("{rss_kib} KiB RSS, {pss_kib} Pss, {anonymous_kib} anonymous"),
                );
            }
        }
        if let (Some(rss), Some(anonymous)) = (self.rss_bytes_each, self.anonymous_bytes_each) {
            table.row(
                "per connection",
                format!("{rss:.0} bytes of RSS, {anonymous:.0} anonymous"),
            );
        }
        table.row(
            "heart-beats",
            format!(
                "server every {} s, generator every {} s; {} connections missed one",
                self.server_beats_every_seconds, self.our_beats_every_seconds, self.missed_beats
            ),
        );
        if let Some(cpu) = self.idle_cpu {
            table.row(
                "idle CPU",
                format!("{} over {:.0} s", describe(&cpu), cpu.wall_seconds),
            );
        }
        table.row("generator CPU", describe(&self.generator_idle_cpu));
        table.row("alive", format!("{} of {}", self.alive, self.connections));
        if let Some(ending) = &self.first_ending {
            table.row("", format!("first ended: {ending}"));
        }
        table.row("result", if self.passed { "passed" } else { "FAILED" });
        table.write(out)
    }
}
