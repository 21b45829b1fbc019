//! `storm`: what clients cost that come, hear CONNECTED and go, and what they cost a fan-out beside them.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Scenario;
use super::medians::{cell, median, ratio};
use crate::Outcome;
use crate::command::{LoadArgs, StormArgs};
use crate::credentials::{Credentials, Issuers};
use crate::error::BenchError;
use crate::greeting::Greeting;
use crate::histogram::Latency;
use crate::load::Pace;
use crate::plan::Plan;
use crate::process::{CpuSample, CpuTime};
use crate::report::{LoadReport, write_json};
use crate::server::{Pinned, Server};
use crate::storm::{Found, Storm};
use crate::transport::Transport;

/// Clients per second beside a fan-out.
const RATE_BESIDE: f64 = 1_000.0;

/// Bytes of a body of the fan-out.
const BODY_BYTES: u32 = 128;

/// The report of `storm`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StormReport {
    /// Runs behind each median.
    pub runs: u32,
    /// What carries STOMP.
    pub transport: &'static str,
    /// `security.authentication_threads`.
    pub authentication_threads: u32,
    /// For each kind of credentials.
    pub kinds: Vec<StormedCredentials>,
    /// No client was refused, rates were kept, and every delivery was verified.
    pub passed: bool,
}

/// The medians of one kind of credentials, and every run behind them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StormedCredentials {
    /// Which kind.
    pub credentials: Credentials,
    /// Clients per second that heard CONNECTED.
    pub connects_per_second: Option<f64>,
    /// The server's CPU microseconds for each of them, to its end.
    pub server_cpu_us: Option<f64>,
    /// Over the same of the first kind.
    pub cpu_ratio: Option<f64>,
    /// From the moment a client is due to CONNECTED, in microseconds.
    pub p50_us: Option<f64>,
    /// The same, of the slowest hundredth.
    pub p99_us: Option<f64>,
    /// The runs, in order.
    pub runs: Vec<StormRun>,
    /// What it costs a fan-out, where one was asked for.
    pub beside: Option<BesideReport>,
}

/// One storm.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StormRun {
    /// Measured time.
    pub seconds: f64,
    /// Clients that heard CONNECTED.
    pub connected: u64,
    /// Clients that did not.
    pub refused: u64,
    /// Why the first of them did not.
    pub first_refusal: Option<String>,
    /// From the moment a client is due to CONNECTED.
    pub latency: Option<Latency>,
    /// What the server spent.
    pub server: Option<CpuTime>,
    /// Clients came later than they should, since too many were on their way.
    pub falls_behind: bool,
}

/// A fan-out alone and beside storms, in turn.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct BesideReport {
    /// The server's CPU microseconds per delivery, alone.
    pub alone_cpu_us: Option<f64>,
    /// The same beside the storm, less what as many clients cost alone.
    pub beside_cpu_us: Option<f64>,
    /// The second over the first, less one, in percent.
    pub added_percent: Option<f64>,
    /// The slowest hundredth of deliveries, alone, in microseconds.
    pub alone_p99_us: Option<f64>,
    /// The same beside the storm.
    pub beside_p99_us: Option<f64>,
    /// The fan-out alone.
    pub alone: Vec<LoadReport>,
    /// The fan-out beside the storm.
    pub beside: Vec<LoadReport>,
    /// The storm meanwhile.
    pub storms: Vec<StormRun>,
}

/// What all runs share.
struct Setting<'a> {
    args: &'a StormArgs,
    server: &'a Server,
    pace: Pace,
    fan_out: Option<Scenario>,
}

pub(crate) fn storm(args: &StormArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    let target = &args.target;
    if target.url.is_some()
        || target.server_command.is_some()
        || target.transport != Transport::Websocket
    {
        return Err(BenchError::Usage(
            "a storm starts its own server, with keys it knows: leave out --url, --server-command and --transport",
        ));
    }
    let _pinned = target.pin.then(Pinned::generator).transpose()?;
    let issuers = Issuers::new(args.authentication_threads)?;
    let server = Server::start_configured(target, &issuers.configuration())?;
    let setting = Setting::new(args, &server);
    let kinds = setting.kinds(&issuers)?;
    let report = StormReport {
        runs: args.runs,
        transport: server.endpoint.transport_name(target.transport),
        authentication_threads: args.authentication_threads,
        passed: kinds.iter().all(StormedCredentials::passed),
        kinds,
    };
    if target.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

impl<'a> Setting<'a> {
    fn new(args: &'a StormArgs, server: &'a Server) -> Self {
        let rate = args.per_second.or(args.beside.map(|_| RATE_BESIDE));
        let pace = match rate {
            Some(per_second) => Pace::Open { per_second },
            None => Pace::Closed {
                depth: args.at_once.into(),
            },
        };
        let load = LoadArgs {
            size: BODY_BYTES,
            duration: args.duration,
            warm_up: args.warm_up,
            messages: None,
        };
        let fan_out = args.beside.map(|subscribers| {
            let plan = Plan::fanout(1, subscribers as usize, 1, false);
            let pace = Pace::Open {
                per_second: args.messages_per_second,
            };
            Scenario::new("rate", plan, pace, &args.target, &load)
        });
        Self {
            args,
            server,
            pace,
            fan_out,
        }
    }

    /// The kinds in turn, so that what the machine does meanwhile is shared among them.
    fn kinds(&self, issuers: &Issuers) -> Result<Vec<StormedCredentials>, BenchError> {
        let mut all = Vec::new();
        for kind in &self.args.credentials {
            let greetings = issuers.greetings(*kind, &self.args.target.greeting())?;
            all.push((*kind, greetings, Vec::new(), BesideRuns::default()));
        }
        for _ in 0..self.args.runs {
            for (_, greetings, runs, beside) in &mut all {
                let alone = self.storm_alone(greetings)?;
                if let Some(fan_out) = &self.fan_out {
                    beside
                        .alone
                        .push(fan_out.measure(self.server, &self.args.target)?);
                    let (load, storm) = self.both(fan_out, greetings)?;
                    beside.less_storm.push(less_storm(&load, &storm, &alone));
                    beside.beside.push(load);
                    beside.storms.push(storm);
                }
                runs.push(alone);
            }
        }
        let mut kinds: Vec<StormedCredentials> = Vec::new();
        for (kind, _, runs, beside) in all {
            let server_cpu_us = median(&runs, StormRun::cpu_us);
            let base = kinds
                .first()
                .map_or(server_cpu_us, |first| first.server_cpu_us);
            kinds.push(StormedCredentials {
                credentials: kind,
                connects_per_second: median(&runs, |run| Some(run.per_second())),
                server_cpu_us,
                cpu_ratio: ratio(server_cpu_us, base),
                p50_us: median(&runs, |run| Some(run.latency?.p50_us)),
                p99_us: median(&runs, |run| Some(run.latency?.p99_us)),
                runs,
                beside: self.fan_out.is_some().then(|| beside.report()),
            });
        }
        Ok(kinds)
    }

    fn storm_alone(&self, greetings: &[Greeting]) -> Result<StormRun, BenchError> {
        let mut storm = Storm::new(&self.server.endpoint, greetings, self.pace)?;
        let until = |end: Instant| move || Instant::now() >= end;
        storm.drive(until(Instant::now() + self.args.warm_up))?;
        storm.found = Found::default();
        let cpu = || self.server.pid.map(CpuSample::of).transpose();
        let (before, start) = (cpu()?, Instant::now());
        storm.drive(until(start + self.args.duration))?;
        let spent = cpu()?
            .zip(before)
            .map(|(after, before)| after.since(&before));
        Ok(StormRun::new(&storm.found, start.elapsed(), spent))
    }

    /// The storm begins before the fan-out's measured time and ends after it.
    fn both(
        &self,
        fan_out: &Scenario,
        greetings: &[Greeting],
    ) -> Result<(LoadReport, StormRun), BenchError> {
        let mut storm = Storm::new(&self.server.endpoint, greetings, self.pace)?;
        let mut load = fan_out.open(self.server, &self.args.target)?;
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let storming = scope.spawn(|| {
                let start = Instant::now();
                storm.drive(|| is_over.load(Ordering::Relaxed))?;
                Ok(StormRun::new(&storm.found, start.elapsed(), None))
            });
            let measured = load.measure();
            is_over.store(true, Ordering::Relaxed);
            let storm = storming
                .join()
                .unwrap_or(Err(BenchError::Usage("the thread of the storm failed")))?;
            Ok((
                LoadReport::new(fan_out.setup(self.server), &measured?),
                storm,
            ))
        })
    }
}

#[derive(Default)]
struct BesideRuns {
    alone: Vec<LoadReport>,
    beside: Vec<LoadReport>,
    storms: Vec<StormRun>,
    less_storm: Vec<Option<f64>>,
}

impl BesideRuns {
    fn report(self) -> BesideReport {
        let cpu = |run: &LoadReport| run.server_cost?.cpu_us_per_delivery;
        let p99 = |run: &LoadReport| Some(run.latency?.p99_us);
        let alone_cpu_us = median(&self.alone, cpu);
        let beside_cpu_us = median(&self.less_storm, |run| *run);
        BesideReport {
            alone_cpu_us,
            beside_cpu_us,
            added_percent: ratio(beside_cpu_us, alone_cpu_us).map(|ratio| (ratio - 1.0) * 100.0),
            alone_p99_us: median(&self.alone, p99),
            beside_p99_us: median(&self.beside, p99),
            alone: self.alone,
            beside: self.beside,
            storms: self.storms,
        }
    }
}

/// CPU microseconds per delivery of a fan-out beside a storm, less what as many clients cost `alone`.
fn less_storm(load: &LoadReport, storm: &StormRun, alone: &StormRun) -> Option<f64> {
    let cpu_us = load.server_cost?.time.cpu_seconds * 1e6;
    let clients = storm.per_second() * load.seconds;
    Some((cpu_us - clients * alone.cpu_us()?) / load.deliveries as f64)
}

impl StormRun {
    fn new(found: &Found, time: Duration, server: Option<CpuTime>) -> Self {
        Self {
            seconds: time.as_secs_f64(),
            connected: found.connected,
            refused: found.refused,
            first_refusal: found.first_refusal.as_ref().map(ToString::to_string),
            latency: found.histogram.latency(),
            server,
            falls_behind: found.falls_behind,
        }
    }

    fn per_second(&self) -> f64 {
        self.connected as f64 / self.seconds
    }

    fn cpu_us(&self) -> Option<f64> {
        (self.connected > 0).then_some(self.server?.cpu_seconds * 1e6 / self.connected as f64)
    }

    fn passed(&self) -> bool {
        self.connected > 0 && self.refused == 0 && !self.falls_behind
    }
}

impl StormedCredentials {
    fn passed(&self) -> bool {
        let beside = self.beside.iter();
        let mut loads = beside
            .clone()
            .flat_map(|one| one.alone.iter().chain(&one.beside));
        let mut storms = self.runs.iter().chain(beside.flat_map(|one| &one.storms));
        loads.all(|run| run.passed) && storms.all(StormRun::passed)
    }
}

impl StormReport {
    fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        writeln!(
            out,
            "credentials | connects/s | CPU us each | to first | p50 us | p99 us | check"
        )?;
        for one in &self.kinds {
            let refusal = one.runs.iter().find_map(|run| run.first_refusal.as_deref());
            let check = match (one.passed(), refusal) {
                (true, _) => "passed",
                (false, Some(refusal)) => refusal,
                (false, None) => "FAILED",
            };
            writeln!(
                out,
                "{:11} | {} | {} | {} | {} | {} | {check}",
                one.credentials.name(),
                cell(one.connects_per_second, 10, 0),
                cell(one.server_cpu_us, 11, 1),
                cell(one.cpu_ratio, 8, 2),
                cell(one.p50_us, 6, 0),
                cell(one.p99_us, 6, 0),
            )?;
        }
        for one in &self.kinds {
            if let Some(beside) = &one.beside {
                writeln!(
                    out,
                    "fan-out beside {}: CPU us per delivery {} alone, {} with the storm less its own ({} %); p99 us {} alone, {} beside",
                    one.credentials.name(),
                    cell(beside.alone_cpu_us, 1, 2),
                    cell(beside.beside_cpu_us, 1, 2),
                    cell(beside.added_percent, 1, 1),
                    cell(beside.alone_p99_us, 1, 0),
                    cell(beside.beside_p99_us, 1, 0),
                )?;
            }
        }
        writeln!(
            out,
            "medians of {} runs in turn, over {}, authentication_threads = {}",
            self.runs, self.transport, self.authentication_threads
        )?;
        Ok(())
    }
}
