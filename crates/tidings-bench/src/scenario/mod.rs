//! One file for each subcommand; here what those with messages share.

mod compare;
mod connect;
mod fanout;
mod handler;
mod medians;
mod stalled;
mod storm;
mod transports;

use std::io::Write;
use std::net::TcpListener;
use std::time::Instant;

pub use compare::{CompareReport, ComparedScenario};
pub use connect::ConnectReport;
pub use handler::{ComparedWay, HandlerReport};
pub use storm::{BesideReport, StormReport, StormRun, StormedCredentials};
pub use transports::{ComparedTransport, TransportsReport};

pub(crate) use compare::compare;
pub(crate) use connect::connect;
pub(crate) use fanout::{fanout, latency, pairs, rate};
pub(crate) use handler::handler;
pub(crate) use stalled::stalled;
pub(crate) use storm::storm;
pub(crate) use transports::transports;

use crate::Outcome;
use crate::command::{FloorArgs, LoadArgs, TargetArgs};
use crate::error::BenchError;
use crate::load::{Load, LoadSettings, Pace};
use crate::plan::Plan;
use crate::report::{LoadReport, Setup, write_json};
use crate::server::{Pinned, Server};
use crate::transport::Transport;

/// A plan with its name and pace.
pub(crate) struct Scenario {
    name: &'static str,
    plan: Plan,
    transport: Transport,
    settings: LoadSettings,
    distinct_ids: bool,
}

impl Scenario {
    fn new(
        name: &'static str,
        plan: Plan,
        pace: Pace,
        target: &TargetArgs,
        load: &LoadArgs,
    ) -> Self {
        Self {
            name,
            plan: plan.over(target.transport),
            transport: target.transport,
            settings: LoadSettings {
                pace,
                body_bytes: load.size as usize,
                warm_up: load.warm_up,
                duration: load.duration,
                messages: load.messages,
                timeout: target.timeout,
            },
            distinct_ids: false,
        }
    }

    fn setup(&self, server: &Server) -> Setup {
        let (depth, per_second) = match self.settings.pace {
            Pace::Closed { depth } => (Some(depth), None),
            Pace::Open { per_second } => (None, Some(per_second)),
        };
        Setup {
            scenario: self.name,
            server: server.endpoint.to_string(),
            transport: server.endpoint.transport_name(self.transport),
            publishers: self.plan.publishers.len(),
            subscribers: self.plan.subscriber_count(),
            destinations: self.plan.destinations,
            depth,
            per_second,
            body_bytes: self.settings.body_bytes,
            distinct_ids: self.distinct_ids,
        }
    }

    fn open<'a>(&'a self, server: &Server, target: &TargetArgs) -> Result<Load<'a>, BenchError> {
        Load::open(server, &target.greeting(), &self.plan, &self.settings)
    }

    /// Runs on a server that is up.
    fn measure(&self, server: &Server, target: &TargetArgs) -> Result<LoadReport, BenchError> {
        let measured = self.open(server, target)?.measure()?;
        Ok(LoadReport::new(self.setup(server), &measured))
    }

    /// Starts the server, runs, and reports.
    fn run(&self, target: &TargetArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
        let _pinned = target.pin.then(Pinned::generator).transpose()?;
        let server = Server::start(target)?;
        let report = self.measure(&server, target)?;
        finish(&report, target, out)
    }
}

fn finish(
    report: &LoadReport,
    target: &TargetArgs,
    out: &mut dyn Write,
) -> Result<Outcome, BenchError> {
    if target.json {
        write_json(out, report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::of(report.passed))
}

/// Runs the floor for its lifetime.
pub(crate) fn floor(args: &FloorArgs, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let listener = TcpListener::bind(args.listen)?;
    let address = listener.local_addr()?;
    writeln!(
        out,
        "listening http://{address} (WebSocket at any path) and tcp://{address}"
    )?;
    out.flush()?;
    let end = Instant::now() + args.lifetime;
    crate::floor::serve(listener, || Instant::now() >= end)?;
    Ok(Outcome::Passed)
}
