//! The arguments of `tidings bench`.

use std::time::Duration;

use clap::{Args, Subcommand, value_parser};

use crate::body::STAMP_BYTES;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::BenchError;
use crate::greeting::{Greeting, Proof};
use crate::server::own_executable;
use crate::transport::Transport;

/// Measure a STOMP server. Each measurement starts the server itself, ends by itself, and exits with 1 when a message
/// was lost, repeated, late in order or changed.
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum BenchCommand {
    /// Open many connections with a subscription each: memory and CPU per connection, CPU of idle heart-beats.
    Connect(ConnectArgs),
    /// Publishers to many subscribers of the same destinations: CPU and latency per delivery.
    Fanout(FanoutArgs),
    /// Users in pairs, each sends to the other's destination.
    Pairs(PairsArgs),
    /// One publisher, one subscriber, one message in flight.
    Latency(LatencyArgs),
    /// A fixed rate whatever the server does; latency counts from the moment a message is due.
    Rate(RateArgs),
    /// Fast subscribers beside some that stop to read: memory, and what happens to both.
    Stalled(StalledArgs),
    /// What SockJS costs: the same fan-out over each of its transports and over WebSocket in turn, medians and ratios.
    Transports(TransportsArgs),
    /// What a message handler costs: round trips through one and through the broker alone in turn, medians and ratios.
    ///
    /// The server is the example `handlers_showcase` of the crate `tidings`, or another with its routes `echo`.
    Handler(HandlerArgs),
    /// Clients that come, hear CONNECTED and go: rate, CPU and time for each kind of credentials, medians and ratios.
    ///
    /// With --beside, what such a storm costs a fan-out: each alone, then both.
    Storm(StormArgs),
    /// Run the floor: the cheapest loop that delivers messages, to compare with. No broker; never expose it.
    Floor(FloorArgs),
    /// The published figures: every scenario on the server and on the floor in turn, medians and ratios.
    Compare(CompareArgs),
}

/// Which server is measured, and how it is reached.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct TargetArgs {
    /// Measure a server that runs already: ws://host:port/path or tcp://host:port. Default: start one.
    #[arg(long, conflicts_with_all = ["server_command", "pin"])]
    pub url: Option<Endpoint>,
    /// Process to read CPU and memory of, with --url. Default: none are shown.
    #[arg(long, requires = "url")]
    pub pid: Option<u32>,
    /// Command that starts the server and prints http://ADDRESS or tcp://ADDRESS when it is ready; split at spaces.
    /// Default: this executable with `--listen 127.0.0.1:0` (and `--tcp 127.0.0.1:0` with --tcp).
    #[arg(long)]
    pub server_command: Option<String>,
    /// STOMP over TCP instead of WebSocket.
    #[arg(long, conflicts_with = "url")]
    pub tcp: bool,
    /// How connections that subscribe receive; with SockJS, those that only publish use sockjs-websocket.
    #[arg(long, value_enum, default_value_t, conflicts_with = "tcp")]
    pub transport: Transport,
    /// Put the server on core 0 and the generator on core 1 (with the command taskset).
    #[arg(long)]
    pub pin: bool,
    /// `login` header of CONNECT. Default: none.
    #[arg(long, requires = "passcode")]
    pub login: Option<String>,
    /// `passcode` header of CONNECT. Default: none.
    #[arg(long, requires = "login")]
    pub passcode: Option<String>,
    /// `host` header of CONNECT.
    #[arg(long, default_value = "localhost")]
    pub virtual_host: String,
    /// Longest time for opening all connections, in seconds.
    #[arg(long, default_value = "120", value_parser = seconds)]
    pub timeout: Duration,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// How long and with what messages.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct LoadArgs {
    /// Bytes of a message body, at least 24.
    #[arg(long, default_value_t = 128, value_parser = value_parser!(u32).range(STAMP_BYTES as i64..=1_048_576))]
    pub size: u32,
    /// Measured time in seconds. CPU figures want 3 or more.
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub duration: Duration,
    /// Time before it, in seconds: verified, not measured.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub warm_up: Duration,
    /// Messages of each publisher after the warm-up; ends before --duration when all are delivered. Default: no limit.
    #[arg(long)]
    pub messages: Option<u64>,
}

/// Arguments of `connect`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct ConnectArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Connections with one subscription each.
    #[arg(long, default_value_t = 10_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub connections: u32,
    /// Each subscribes to a destination of its own. Default: all to the same.
    #[arg(long)]
    pub distinct_destinations: bool,
    /// Heart-beat interval that the generator offers both ways, in seconds; 0: none.
    #[arg(long, default_value = "10", value_parser = seconds)]
    pub heart_beat: Duration,
    /// How long the connections idle while CPU is measured, in seconds.
    #[arg(long, default_value = "30", value_parser = seconds)]
    pub idle: Duration,
}

/// Arguments of `fanout`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct FanoutArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Connections that publish.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=100_000))]
    pub publishers: u32,
    /// Connections that subscribe.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub subscribers: u32,
    /// Messages that each publisher keeps in flight: one is done when every subscriber has it.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=10_000))]
    pub depth: u32,
    /// Destinations; publishers and subscribers are dealt out over them.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=100_000))]
    pub destinations: u32,
    /// Each subscriber has another subscription id. Default: all the same.
    #[arg(long)]
    pub distinct_ids: bool,
}

/// Arguments of `pairs`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct PairsArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Connections, two to a pair.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(2..=100_000))]
    pub users: u32,
    /// Messages that each user keeps in flight.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=10_000))]
    pub depth: u32,
}

/// Arguments of `latency`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct LatencyArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
}

/// Arguments of `rate`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct RateArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Messages per second.
    #[arg(long, default_value_t = 50.0, value_parser = rate)]
    pub per_second: f64,
    /// Connections that subscribe.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub subscribers: u32,
}

/// Arguments of `stalled`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct StalledArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Subscribers that read.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=100_000))]
    pub fast: u32,
    /// Subscribers that stop to read.
    #[arg(long, default_value_t = 10, value_parser = value_parser!(u32).range(0..=100_000))]
    pub stalled: u32,
    /// Messages per second.
    #[arg(long, default_value_t = 100.0, value_parser = rate)]
    pub per_second: f64,
    /// Bytes of a message body, at least 24. Large by custom: the kernel's own buffers hide a small flood for minutes.
    #[arg(long, default_value_t = 16_384, value_parser = value_parser!(u32).range(STAMP_BYTES as i64..=1_048_576))]
    pub size: u32,
    /// How long messages flow, in seconds.
    #[arg(long, default_value = "20", value_parser = seconds)]
    pub duration: Duration,
}

/// Arguments of `floor`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct FloorArgs {
    /// Address to listen on; WebSocket and plain STOMP on the same port.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Ends after so many seconds, so that a forgotten one does not stay.
    #[arg(long, default_value = "3600", value_parser = seconds)]
    pub lifetime: Duration,
}

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct CompareArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// Runs of each scenario on each of the two; the median counts.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=99))]
    pub runs: u32,
    /// Measured time of each run in seconds.
    #[arg(long, default_value = "4", value_parser = seconds)]
    pub duration: Duration,
    /// Time before it, in seconds: verified, not measured.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub warm_up: Duration,
}

/// Arguments of `transports`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct TransportsArgs {
    /// The server; with --transport, only that transport is compared with WebSocket.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Runs of each transport; the median counts.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=99))]
    pub runs: u32,
    /// Connections that subscribe.
    #[arg(long, default_value_t = 1_000, value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub subscribers: u32,
}

/// Arguments of `handler`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct HandlerArgs {
    /// The server.
    #[command(flatten)]
    pub target: TargetArgs,
    /// The messages.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Runs of each way; the median counts.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=99))]
    pub runs: u32,
    /// Connections, each of which hears what it sends.
    #[arg(long, default_value_t = 100, value_parser = value_parser!(u32).range(1..=100_000))]
    pub connections: u32,
}

/// Arguments of `storm`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct StormArgs {
    /// The server; it is always one that this starts, with keys and users of its own.
    #[command(flatten)]
    pub target: TargetArgs,
    /// What clients prove themselves with, measured in turn; the first is what the others are compared with.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "none,hs256,es256,eddsa,rs256"
    )]
    pub credentials: Vec<Credentials>,
    /// Clients per second, whatever the server does. Default: as many as it takes; with --beside 1000.
    #[arg(long, value_parser = rate)]
    pub per_second: Option<f64>,
    /// Clients on their way at the same time, where no rate is given.
    #[arg(long, default_value_t = 64, value_parser = value_parser!(u32).range(1..=512))]
    pub at_once: u32,
    /// `security.authentication_threads` of the server.
    #[arg(long, default_value_t = 1, value_parser = value_parser!(u32).range(1..=64))]
    pub authentication_threads: u32,
    /// Beside a fan-out to so many subscribers. Default: alone.
    #[arg(long, value_parser = value_parser!(u32).range(1..=100_000))]
    pub beside: Option<u32>,
    /// Messages per second of that fan-out.
    #[arg(long, default_value_t = 50.0, value_parser = rate)]
    pub messages_per_second: f64,
    /// Runs of each; the median counts.
    #[arg(long, default_value_t = 3, value_parser = value_parser!(u32).range(1..=99))]
    pub runs: u32,
    /// Measured time of each run in seconds.
    #[arg(long, default_value = "4", value_parser = seconds)]
    pub duration: Duration,
    /// Time before it, in seconds.
    #[arg(long, default_value = "1", value_parser = seconds)]
    pub warm_up: Duration,
}

impl TargetArgs {
    /// The words of the command that starts the server.
    pub(crate) fn server_words(&self) -> Result<Vec<String>, BenchError> {
        if let Some(command) = &self.server_command {
            return Ok(command.split_whitespace().map(str::to_owned).collect());
        }
        let mut words = vec![own_executable()?];
        words.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
        if self.tcp {
            words.extend(["--tcp", "127.0.0.1:0"].map(str::to_owned));
        }
        Ok(words)
    }

    /// What connections say in CONNECT, without heart-beats.
    pub(crate) fn greeting(&self) -> Greeting {
        Greeting {
            virtual_host: self.virtual_host.clone(),
            proof: match self.login.clone().zip(self.passcode.clone()) {
                Some((login, passcode)) => Proof::Login { login, passcode },
                None => Proof::None,
            },
            heart_beat: Duration::ZERO,
        }
    }
}

/// Up to a day, with decimals.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give seconds from 0 to 86400".to_owned()),
    }
}

/// Messages per second.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=1_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("give messages per second from 0.01 to 1000000".to_owned()),
    }
}
