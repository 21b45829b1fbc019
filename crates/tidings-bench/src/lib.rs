//! The load generator of Tidings, behind `tidings bench`.
//!
//! It opens connections to a STOMP server, over WebSocket, SockJS or TCP, sends messages, checks that every subscriber gets
//! each of them once, in order and unchanged, and says what that cost the server: CPU time per delivery, memory per
//! connection, latency. Those figures stand beside the ones of the **floor**: the cheapest loop that can do the
//! deliveries at all, and no broker.
//!
//! One thread and one epoll loop; no runtime. The generator must cost less than what it measures, and its own CPU time
//! is in every report. Its codec is its own, small and strict: the product's would not notice its own faults.
//!
//! ```text
//!  command     the arguments            scenario/*   one file per subcommand
//!  server      the child process        plan         who subscribes, who publishes
//!  fleet       all connections, the     load         drives a plan for a time and measures
//!   link       loop; one connection     board        what is on its way; tally: each once, in order
//!    wire/*    its bytes                body, histogram, process, report
//!    storm     clients that come and go; credentials: what they prove themselves with
//!    session   its SockJS session; senders: the connections on which SockJS over HTTP sends
//!  floor/*     the floor
//! ```
//!
//! Start reading at [`run`] and `scenario/fanout.rs`.

use std::io::Write;
use std::process::ExitCode;

mod board;
mod body;
mod command;
mod credentials;
mod endpoint;
mod error;
mod fleet;
mod floor;
mod greeting;
mod histogram;
mod link;
mod load;
mod plan;
mod process;
mod report;
mod scenario;
mod senders;
mod server;
mod session;
mod storm;
mod tally;
mod transport;
mod wire;

pub use board::Verification;
pub use command::{
    BenchCommand, CompareArgs, ConnectArgs, FanoutArgs, FloorArgs, HandlerArgs, LatencyArgs,
    LoadArgs, PairsArgs, RateArgs, StalledArgs, StormArgs, TargetArgs, TransportsArgs,
};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, EndpointError};
pub use error::{BenchError, Ending};
pub use floor::serve as serve_floor;
pub use histogram::Latency;
pub use load::MemoryCourse;
pub use plan::Way;
pub use process::{CpuSource, CpuTime, Memory};
pub use report::{Cost, LoadReport, Setup, StalledFate};
pub use scenario::{
    BesideReport, CompareReport, ComparedScenario, ComparedTransport, ComparedWay, ConnectReport,
    HandlerReport, StormReport, StormRun, StormedCredentials, TransportsReport,
};
pub use transport::Transport;
pub use wire::ScanError;

/// How a run ended that gave figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Everything was verified.
    Passed,
    /// A message was lost, repeated, out of order or changed, a connection ended, or the server fell behind.
    Failed,
}

impl Outcome {
    pub(crate) fn of(passed: bool) -> Self {
        if passed { Self::Passed } else { Self::Failed }
    }
}

impl From<Outcome> for ExitCode {
    /// 0 for [`Outcome::Passed`], 1 for [`Outcome::Failed`].
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::SUCCESS,
            Outcome::Failed => Self::FAILURE,
        }
    }
}

/// Does what the command says and writes its report to `out`. Blocks until it is done; a server that was started for
/// it is killed before this returns.
///
/// # Errors
///
/// When no figures could be had, see [`BenchError`]. Figures with a failed check are [`Outcome::Failed`].
pub fn run(command: BenchCommand, out: &mut dyn Write) -> Result<Outcome, BenchError> {
    match command {
        BenchCommand::Connect(args) => scenario::connect(&args, out),
        BenchCommand::Fanout(args) => scenario::fanout(&args, out),
        BenchCommand::Pairs(args) => scenario::pairs(&args, out),
        BenchCommand::Latency(args) => scenario::latency(&args, out),
        BenchCommand::Rate(args) => scenario::rate(&args, out),
        BenchCommand::Stalled(args) => scenario::stalled(&args, out),
        BenchCommand::Storm(args) => scenario::storm(&args, out),
        BenchCommand::Floor(args) => scenario::floor(&args, out),
        BenchCommand::Transports(args) => scenario::transports(&args, out),
        BenchCommand::Handler(args) => scenario::handler(&args, out),
        BenchCommand::Compare(args) => scenario::compare(&args, out),
    }
}
