//! What a run says: a table for people, JSON for machines.

use std::io::Write;

use serde::Serialize;

use crate::board::Verification;
use crate::error::BenchError;
use crate::histogram::Latency;
use crate::load::{Measured, MemoryCourse};
use crate::process::CpuTime;

/// Above this share of a core, in percent, the generator may be what limits the rate.
const BUSY_PERCENT: f64 = 90.0;

/// Less CPU time of the server than this, in seconds, is a coarse figure.
const ENOUGH_CPU_SECONDS: f64 = 0.3;

/// What was set up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Setup {
    /// Name of the scenario.
    pub scenario: &'static str,
    /// Where the server was.
    pub server: String,
    /// How subscribers receive.
    pub transport: &'static str,
    /// Connections that publish.
    pub publishers: usize,
    /// Connections that subscribe.
    pub subscribers: usize,
    /// Destinations.
    pub destinations: usize,
    /// Messages that each publisher keeps in flight; absent in an open loop.
    pub depth: Option<u64>,
    /// Messages per second; absent in a closed loop.
    pub per_second: Option<f64>,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Each subscriber has another subscription id.
    pub distinct_ids: bool,
}

/// What a process spent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// CPU microseconds per delivery, which is CPU seconds per million deliveries.
    pub cpu_us_per_delivery: Option<f64>,
    /// The time itself.
    #[serde(flatten)]
    pub time: CpuTime,
}

/// The report of a run with messages.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// What was set up.
    #[serde(flatten)]
    pub setup: Setup,
    /// Measured time.
    pub seconds: f64,
    /// Messages that all their subscribers got in it.
    pub messages: u64,
    /// Deliveries in it.
    pub deliveries: u64,
    /// Deliveries per second.
    pub deliveries_per_second: f64,
    /// From the send (or, in an open loop, from the moment it was due) to each subscriber's read.
    pub latency: Option<Latency>,
    /// The server; absent when its process is unknown.
    pub server_cost: Option<Cost>,
    /// The generator.
    pub generator_cost: Cost,
    /// Memory of the server.
    pub memory: Option<MemoryCourse>,
    /// How late the generator itself sent, in an open loop.
    pub generator_lateness: Option<Latency>,
    /// The server could not keep up with an open loop.
    pub falls_behind: Option<bool>,
    /// What became of subscribers that stopped to read.
    pub stalled: Option<StalledFate>,
    /// The check of every message of the run.
    pub verification: Verification,
    /// What to know when reading the figures.
    pub notes: Vec<String>,
    /// The check passed, and an open loop was kept up with.
    pub passed: bool,
}

/// What became of subscribers that stopped to read, seen when they read again after the last message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StalledFate {
    /// How many stopped to read.
    pub subscribers: usize,
    /// Still connected.
    pub open: usize,
    /// Reasons of those that were cut, and how many had it.
    pub endings: Vec<(String, usize)>,
    /// Messages sent to them, all together.
    pub expected: u64,
    /// Of these, how many they did not get in the end.
    pub lost: u64,
}

impl LoadReport {
    pub(crate) fn new(setup: Setup, measured: &Measured) -> Self {
        let cost = |time: CpuTime| Cost {
            cpu_us_per_delivery: (measured.deliveries > 0)
                .then(|| time.cpu_seconds * 1e6 / measured.deliveries as f64),
            time,
        };
        let falls_behind = setup.per_second.is_some().then_some(measured.falls_behind);
        Self {
            setup,
            seconds: measured.seconds,
            messages: measured.messages,
            deliveries: measured.deliveries,
            deliveries_per_second: measured.deliveries as f64 / measured.seconds,
            latency: measured.latency,
            server_cost: measured.server.map(cost),
            generator_cost: cost(measured.generator),
            memory: measured.memory,
            generator_lateness: measured.lateness,
            falls_behind,
            stalled: None,
            verification: measured.verification,
            notes: notes(measured),
            passed: measured.verification.passed()
                && falls_behind != Some(true)
                && measured.deliveries > 0,
        }
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        let mut table = Table::default();
        self.setup_rows(&mut table);
        table.row(
            "measured",
            format!(
                "{:.1} s, {} messages, {} deliveries",
                self.seconds, self.messages, self.deliveries
            ),
        );
        table.row(
            "rate",
            format!("{:.0} deliveries/s", self.deliveries_per_second),
        );
        table.latency("latency", self.latency);
        table.cost("server CPU", self.server_cost);
        table.cost("generator CPU", Some(self.generator_cost));
        if let Some(memory) = self.memory {
            let MemoryCourse {
                before_kib,
                peak_kib,
                after_kib,
            } = memory;
            table.row(
                "server RSS",
                format!("{before_kib} KiB before, {peak_kib} at most, {after_kib} after"),
            );
        }
        if self.generator_lateness.is_some() {
            table.latency("sent late by", self.generator_lateness);
        }
        if let Some(falls_behind) = self.falls_behind {
            table.row(
                "kept up",
                if falls_behind {
                    "no: FALLS BEHIND"
                } else {
                    "yes"
                },
            );
        }
        if let Some(stalled) = &self.stalled {
            table.row(
                "stalled",
                format!("{} of {} still open", stalled.open, stalled.subscribers),
            );
            for (reason, count) in &stalled.endings {
                table.row("", format!("{count} ended: {reason}"));
            }
            table.row(
                "",
                format!(
                    "{} of {} messages did not reach them",
                    stalled.lost, stalled.expected
                ),
            );
        }
        let Verification {
            expected,
            lost,
            duplicated,
            out_of_order,
            corrupt,
            disconnected,
        } = self.verification;
        let order = format!("{duplicated} duplicated, {out_of_order} out of order");
        let broken = format!("{corrupt} corrupt, {disconnected} disconnected");
        let verified = format!("{expected} deliveries: {lost} lost, {order}, {broken}");
        table.row("verified", verified);
        for note in &self.notes {
            table.row("note", note);
        }
        table.row("result", if self.passed { "passed" } else { "FAILED" });
        table.write(out)
    }

    fn setup_rows(&self, table: &mut Table) {
        let setup = &self.setup;
        table.row(
            "scenario",
            format!(
                "{} over {} on {}",
                setup.scenario, setup.transport, setup.server
            ),
        );
        let pace = match (setup.depth, setup.per_second) {
            (Some(depth), _) => format!("{depth} in flight each"),
            (None, Some(rate)) => format!("{rate} messages/s"),
            (None, None) => String::new(),
        };
        let ids = if setup.distinct_ids {
            ", distinct subscription ids"
        } else {
            ""
        };
        table.row(
            "setup",
            format!(
                "{} publishers, {} subscribers, {} destinations, {pace}, {} bytes{ids}",
                setup.publishers, setup.subscribers, setup.destinations, setup.body_bytes
            ),
        );
    }
}

fn notes(measured: &Measured) -> Vec<String> {
    let mut notes = Vec::new();
    let server_percent = measured.server.map_or(0.0, |server| server.percent_of_core);
    if measured.generator.percent_of_core > BUSY_PERCENT && server_percent < BUSY_PERCENT {
        notes.push("the generator was busy all the time: the rate is its own limit, CPU per delivery still holds".to_owned());
    }
    if measured
        .server
        .is_some_and(|server| server.cpu_seconds < ENOUGH_CPU_SECONDS)
    {
        notes.push(
            "little CPU time was measured; a longer --duration gives a better figure".to_owned(),
        );
    }
    if let Some(ending) = &measured.first_ending {
        notes.push(format!(
            "the run was cut short when a connection ended: {ending}"
        ));
    }
    notes
}

/// Labels and values in two columns.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<(String, String)>,
}

impl Table {
    pub(crate) fn row(&mut self, label: &str, value: impl Into<String>) {
        self.rows.push((label.to_owned(), value.into()));
    }

    pub(crate) fn latency(&mut self, label: &str, latency: Option<Latency>) {
        let value = latency.map_or_else(
            || "nothing arrived".to_owned(),
            |latency| {
                let Latency { p50_us, p95_us, p99_us, max_us } = latency;
                format!("p50 {p50_us:.0}, p95 {p95_us:.0}, p99 {p99_us:.0}, max {max_us:.0} microseconds")
            },
        );
        self.row(label, value);
    }

    fn cost(&mut self, label: &str, cost: Option<Cost>) {
        let Some(cost) = cost else {
            return self.row(label, "unknown: no --pid");
        };
        let each = cost.cpu_us_per_delivery.map_or_else(String::new, |each| {
            format!("{each:.2} microseconds per delivery (seconds per million), ")
        });
        self.row(label, format!("{each}{}", describe(&cost.time)));
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> Result<(), BenchError> {
        let width = self
            .rows
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or(0);
        for (label, value) in &self.rows {
            writeln!(out, "{label:width$}  {value}")?;
        }
        Ok(())
    }
}

/// A CPU time in words.
pub(crate) fn describe(time: &CpuTime) -> String {
    let share = time.user_share.map_or_else(String::new, |share| {
        format!(" ({:.0} % of it user)", share * 100.0)
    });
    format!("{:.1} % of a core{share}", time.percent_of_core)
}

/// Writes a report as JSON, on one line.
pub(crate) fn write_json(out: &mut dyn Write, report: &impl Serialize) -> Result<(), BenchError> {
    serde_json::to_writer(&mut *out, report)?;
    writeln!(out)?;
    Ok(())
}
