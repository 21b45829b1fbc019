//! `compare`: the published figures in one run.

use std::io::Write;

use serde::Serialize;

use super::Scenario;
use super::medians::{cell, median, ratio};
use crate::Outcome;
use crate::command::{CompareArgs, LoadArgs, TargetArgs};
use crate::error::BenchError;
use crate::load::Pace;
use crate::plan::Plan;
use crate::report::{LoadReport, write_json};
use crate::server::{Pinned, Server};
use crate::transport::Transport;

/// Bytes of every body.
const BODY_BYTES: u32 = 128;

/// The report of `compare`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CompareReport {
    /// Runs behind each median.
    pub runs: u32,
    /// One entry for each scenario.
    pub scenarios: Vec<ComparedScenario>,
    /// All runs on the server and the floor passed their check.
    pub passed: bool,
}

/// The medians of one scenario, and every run behind them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedScenario {
    /// What it is.
    pub name: &'static str,
    /// CPU microseconds per delivery of the server; absent when its process is unknown.
    pub server_cpu_us: Option<f64>,
    /// CPU microseconds per delivery of the floor.
    pub floor_cpu_us: Option<f64>,
    /// Server over floor.
    pub cpu_ratio: Option<f64>,
    /// Median latency on the server, microseconds.
    pub server_p50_us: Option<f64>,
    /// Median latency on the floor, microseconds.
    pub floor_p50_us: Option<f64>,
    /// Server over floor.
    pub p50_ratio: Option<f64>,
    /// Runs on the server, in order.
    pub server_runs: Vec<LoadReport>,
    /// Runs on the floor, in order.
    pub floor_runs: Vec<LoadReport>,
}

pub(crate) fn compare(args: &CompareArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    if args.target.transport != Transport::Websocket {
        return Err(BenchError::Usage(
            "the floor speaks no SockJS: leave out --transport, or see `transports`",
        ));
    }
    let mut compared = Vec::new();
    for (scenario, pinned) in scenarios(args) {
        compared.push(compare_one(&scenario, pinned, args)?);
    }
    let all = compared
        .iter()
        .flat_map(|one| one.server_runs.iter().chain(&one.floor_runs));
    let report = CompareReport {
        runs: args.runs,
        passed: all.clone().all(|run| run.passed),
        scenarios: compared.clone(),
    };
    if args.target.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

/// The scenarios, and whether server and generator get a core each: a latency of microseconds is otherwise one of the
/// scheduler.
fn scenarios(args: &CompareArgs) -> Vec<(Scenario, bool)> {
    let load = LoadArgs {
        size: BODY_BYTES,
        duration: args.duration,
        warm_up: args.warm_up,
        messages: None,
    };
    let pin = args.target.pin;
    let own = args.target.url.is_none();
    let rows = [
        (
            "1 publisher to 1000 subscribers, 1 in flight",
            Plan::fanout(1, 1_000, 1, false),
            1,
            pin,
        ),
        (
            "the same, 16 in flight",
            Plan::fanout(1, 1_000, 1, false),
            16,
            pin,
        ),
        (
            "10 publishers to the same 100 subscribers, 1 in flight each",
            Plan::fanout(10, 100, 1, false),
            1,
            pin,
        ),
        (
            "the same, 16 in flight each",
            Plan::fanout(10, 100, 1, false),
            16,
            pin,
        ),
        (
            "10 publishers to 100 subscribers each, 1 in flight each",
            Plan::fanout(10, 1_000, 10, false),
            1,
            pin,
        ),
        (
            "1000 users in pairs, 1 in flight each",
            Plan::pairs(1_000),
            1,
            pin,
        ),
        (
            "1 publisher to 1 subscriber, 1 in flight, a core each",
            Plan::fanout(1, 1, 1, false),
            1,
            own,
        ),
    ];
    let scenario = |(name, plan, depth, pinned)| {
        let pace = Pace::Closed { depth };
        (Scenario::new(name, plan, pace, &args.target, &load), pinned)
    };
    rows.into_iter().map(scenario).collect()
}

fn compare_one(
    scenario: &Scenario,
    pinned: bool,
    args: &CompareArgs,
) -> Result<ComparedScenario, BenchError> {
    let target = TargetArgs {
        pin: pinned,
        ..args.target.clone()
    };
    let _pinned = pinned.then(Pinned::generator).transpose()?;
    let (mut server_runs, mut floor_runs) = (Vec::new(), Vec::new());
    for _ in 0..args.runs {
        server_runs.push(scenario.measure(&Server::start(&target)?, &target)?);
        floor_runs.push(scenario.measure(&Server::start_floor(&target)?, &target)?);
    }
    let cpu = |run: &LoadReport| run.server_cost?.cpu_us_per_delivery;
    let p50 = |run: &LoadReport| Some(run.latency?.p50_us);
    let (server_cpu_us, floor_cpu_us) = (median(&server_runs, cpu), median(&floor_runs, cpu));
    let (server_p50_us, floor_p50_us) = (median(&server_runs, p50), median(&floor_runs, p50));
    Ok(ComparedScenario {
        name: scenario.name,
        server_cpu_us,
        floor_cpu_us,
        cpu_ratio: ratio(server_cpu_us, floor_cpu_us),
        server_p50_us,
        floor_p50_us,
        p50_ratio: ratio(server_p50_us, floor_p50_us),
        server_runs,
        floor_runs,
    })
}

impl CompareReport {
    fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        let width = self
            .scenarios
            .iter()
            .map(|one| one.name.len())
            .max()
            .unwrap_or(0);
        writeln!(
            out,
            "{:width$} | CPU us per delivery    |       | p50 us                 |",
            ""
        )?;
        writeln!(
            out,
            "{:width$} |     server |     floor | ratio |     server |     floor | ratio | check",
            ""
        )?;
        for one in &self.scenarios {
            let failed = one
                .server_runs
                .iter()
                .chain(&one.floor_runs)
                .filter(|run| !run.passed)
                .count();
            let check = if failed == 0 {
                "passed".to_owned()
            } else {
                format!("{failed} runs FAILED")
            };
            writeln!(
                out,
                "{:width$} | {} | {} | {} | {} | {} | {} | {check}",
                one.name,
                cell(one.server_cpu_us, 10, 2),
                cell(one.floor_cpu_us, 9, 2),
                cell(one.cpu_ratio, 5, 1),
                cell(one.server_p50_us, 10, 0),
                cell(one.floor_p50_us, 9, 0),
                cell(one.p50_ratio, 5, 1),
            )?;
        }
        writeln!(
            out,
            "medians of {} runs, server and floor in turn, {BODY_BYTES}-byte bodies",
            self.runs
        )?;
        Ok(())
    }
}
