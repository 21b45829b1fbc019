//! `handler`: a SEND through a message handler and back to its sender, beside one through the broker alone.

use std::io::Write;

use serde::Serialize;

use super::Scenario;
use super::medians::{cell, median, ratio};
use crate::Outcome;
use crate::command::HandlerArgs;
use crate::error::BenchError;
use crate::load::Pace;
use crate::plan::{Plan, Way};
use crate::report::{LoadReport, write_json};
use crate::server::{Pinned, Server};

/// Messages in flight of each connection: each round trip alone, and many that share reads and writes.
const DEPTHS: [u64; 2] = [1, 16];

/// The first is what the others are compared with.
const WAYS: [Way; 3] = [Way::Broker, Way::HandlerToTopic, Way::HandlerToSender];

/// The report of `handler`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HandlerReport {
    /// Runs behind each median.
    pub runs: u32,
    /// Connections, each of which hears what it sends.
    pub connections: u32,
    /// Bytes of a body.
    pub body_bytes: u32,
    /// For each number of messages in flight, the broker first.
    pub ways: Vec<ComparedWay>,
    /// All runs passed their check.
    pub passed: bool,
}

/// The medians of one way, and every run behind them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedWay {
    /// How messages come back.
    pub way: Way,
    /// Messages that each connection keeps in flight.
    pub depth: u64,
    /// The server's CPU microseconds per round trip; absent when its process is unknown.
    pub server_cpu_us: Option<f64>,
    /// Over the same by the broker alone.
    pub cpu_ratio: Option<f64>,
    /// The generator's CPU microseconds per round trip.
    pub generator_cpu_us: Option<f64>,
    /// Median latency in microseconds.
    pub p50_us: Option<f64>,
    /// The runs, in order.
    pub runs: Vec<LoadReport>,
}

pub(crate) fn handler(args: &HandlerArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    if args.target.url.is_none() && args.target.server_command.is_none() {
        return Err(BenchError::Usage(
            "this program has no handlers: give the server with --server-command or --url",
        ));
    }
    let _pinned = args.target.pin.then(Pinned::generator).transpose()?;
    let mut compared = Vec::new();
    for depth in DEPTHS {
        compared.append(&mut compare_at(depth, args)?);
    }
    let mut runs = compared.iter().flat_map(|one| &one.runs);
    let report = HandlerReport {
        runs: args.runs,
        connections: args.connections,
        body_bytes: args.load.size,
        passed: runs.all(|run| run.passed),
        ways: compared,
    };
    if args.target.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

/// The ways in turn, so that what the machine does meanwhile is shared among them.
fn compare_at(depth: u64, args: &HandlerArgs) -> Result<Vec<ComparedWay>, BenchError> {
    let mut all = WAYS.map(|way| (way, Vec::new()));
    for _ in 0..args.runs {
        for (way, runs) in &mut all {
            runs.push(measure(*way, depth, args)?);
        }
    }
    let cpu = |run: &LoadReport| run.server_cost?.cpu_us_per_delivery;
    let broker_cpu_us = median(&all[0].1, cpu);
    let compared = all.into_iter().map(|(way, runs)| {
        let server_cpu_us = median(&runs, cpu);
        ComparedWay {
            way,
            depth,
            server_cpu_us,
            cpu_ratio: ratio(server_cpu_us, broker_cpu_us),
            generator_cpu_us: median(&runs, |run| run.generator_cost.cpu_us_per_delivery),
            p50_us: median(&runs, |run| Some(run.latency?.p50_us)),
            runs,
        }
    });
    Ok(compared.collect())
}

fn measure(way: Way, depth: u64, args: &HandlerArgs) -> Result<LoadReport, BenchError> {
    let target = &args.target;
    let plan = Plan::echo(args.connections as usize, way);
    let pace = Pace::Closed { depth };
    let scenario = Scenario::new("handler", plan, pace, target, &args.load);
    scenario.measure(&Server::start(target)?, target)
}

impl HandlerReport {
    fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        writeln!(
            out,
            "in flight | way               | CPU us per round trip | to broker | generator | p50 us | check"
        )?;
        for one in &self.ways {
            let failed = one.runs.iter().filter(|run| !run.passed).count();
            let check = if failed == 0 {
                "passed".to_owned()
            } else {
                format!("{failed} runs FAILED")
            };
            writeln!(
                out,
                "{:>9} | {:17} | {} | {} | {} | {} | {check}",
                one.depth,
                one.way.name(),
                cell(one.server_cpu_us, 21, 2),
                cell(one.cpu_ratio, 9, 2),
                cell(one.generator_cpu_us, 9, 2),
                cell(one.p50_us, 6, 0),
            )?;
        }
        writeln!(
            out,
            "medians of {} runs in turn, {} connections, {}-byte bodies",
            self.runs, self.connections, self.body_bytes
        )?;
        Ok(())
    }
}
