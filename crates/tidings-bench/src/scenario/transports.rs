//! `transports`: the same fan-out over SockJS and over WebSocket in one run.

use std::io::Write;

use serde::Serialize;

use super::Scenario;
use super::medians::{cell, median, ratio};
use crate::Outcome;
use crate::command::{TargetArgs, TransportsArgs};
use crate::error::BenchError;
use crate::load::Pace;
use crate::plan::Plan;
use crate::report::{LoadReport, write_json};
use crate::server::{Pinned, Server};
use crate::transport::Transport;

/// Messages in flight: one, where each delivery is a write of its own, and so many that several share one.
const DEPTHS: [u64; 2] = [1, 16];

/// What is compared with WebSocket.
const SOCKJS: [Transport; 3] = [
    Transport::SockjsWebsocket,
    Transport::XhrStreaming,
    Transport::XhrPolling,
];

/// The report of `transports`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TransportsReport {
    /// Runs behind each median.
    pub runs: u32,
    /// Connections that subscribe.
    pub subscribers: u32,
    /// Bytes of a body.
    pub body_bytes: u32,
    /// For each number of messages in flight, WebSocket first.
    pub transports: Vec<ComparedTransport>,
    /// All runs passed their check.
    pub passed: bool,
}

/// The medians of one transport, and every run behind them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedTransport {
    /// How subscribers receive.
    pub transport: Transport,
    /// Messages that the publisher keeps in flight.
    pub depth: u64,
    /// The server's CPU microseconds per delivery; absent when its process is unknown.
    pub server_cpu_us: Option<f64>,
    /// Over the same of WebSocket.
    pub cpu_ratio: Option<f64>,
    /// The generator's CPU microseconds per delivery.
    pub generator_cpu_us: Option<f64>,
    /// Median latency in microseconds.
    pub p50_us: Option<f64>,
    /// The runs, in order.
    pub runs: Vec<LoadReport>,
}

pub(crate) fn transports(
    args: &TransportsArgs,
    out: &mut dyn Write,
) -> Result<Outcome, BenchError> {
    let _pinned = args.target.pin.then(Pinned::generator).transpose()?;
    let mut compared = Vec::new();
    for depth in DEPTHS {
        compared.append(&mut compare_at(depth, args)?);
    }
    let mut runs = compared.iter().flat_map(|one| &one.runs);
    let report = TransportsReport {
        runs: args.runs,
        subscribers: args.subscribers,
        body_bytes: args.load.size,
        passed: runs.all(|run| run.passed),
        transports: compared,
    };
    if args.target.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

/// WebSocket and the others in turn, so that what the machine does meanwhile is shared among them.
fn compare_at(depth: u64, args: &TransportsArgs) -> Result<Vec<ComparedTransport>, BenchError> {
    let mut all: Vec<(Transport, Vec<LoadReport>)> = wanted(args)
        .into_iter()
        .map(|transport| (transport, Vec::new()))
        .collect();
    for _ in 0..args.runs {
        for (transport, runs) in &mut all {
            runs.push(measure(*transport, depth, args)?);
        }
    }
    let cpu = |run: &LoadReport| run.server_cost?.cpu_us_per_delivery;
    let websocket_cpu_us = median(&all[0].1, cpu);
    let compared = all.into_iter().map(|(transport, runs)| {
        let server_cpu_us = median(&runs, cpu);
        ComparedTransport {
            transport,
            depth,
            server_cpu_us,
            cpu_ratio: ratio(server_cpu_us, websocket_cpu_us),
            generator_cpu_us: median(&runs, |run| run.generator_cost.cpu_us_per_delivery),
            p50_us: median(&runs, |run| Some(run.latency?.p50_us)),
            runs,
        }
    });
    Ok(compared.collect())
}

/// WebSocket, and what is compared with it.
fn wanted(args: &TransportsArgs) -> Vec<Transport> {
    let asked = args.target.transport;
    let others = SOCKJS
        .into_iter()
        .filter(|other| asked == Transport::Websocket || *other == asked);
    [Transport::Websocket].into_iter().chain(others).collect()
}

fn measure(
    transport: Transport,
    depth: u64,
    args: &TransportsArgs,
) -> Result<LoadReport, BenchError> {
    let target = TargetArgs {
        transport,
        ..args.target.clone()
    };
    let plan = Plan::fanout(1, args.subscribers as usize, 1, false);
    let scenario = Scenario::new(
        "transports",
        plan,
        Pace::Closed { depth },
        &target,
        &args.load,
    );
    scenario.measure(&Server::start(&target)?, &target)
}

impl TransportsReport {
    fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        writeln!(
            out,
            "in flight | transport        | CPU us per delivery | to websocket | generator | p50 us | check"
        )?;
        for one in &self.transports {
            let failed = one.runs.iter().filter(|run| !run.passed).count();
            let check = if failed == 0 {
                "passed".to_owned()
            } else {
                format!("{failed} runs FAILED")
            };
            writeln!(
                out,
                "{:>9} | {:16} | {} | {} | {} | {} | {check}",
                one.depth,
                one.transport.name(),
                cell(one.server_cpu_us, 19, 2),
                cell(one.cpu_ratio, 12, 2),
                cell(one.generator_cpu_us, 9, 2),
                cell(one.p50_us, 6, 0),
            )?;
        }
        writeln!(
            out,
            "medians of {} runs in turn, 1 publisher to {} subscribers, {}-byte bodies",
            self.runs, self.subscribers, self.body_bytes
        )?;
        Ok(())
    }
}
