//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tidings_server::config::Overrides;

use crate::logging::{LogFormat, LogLevel};

/// Version and target, as `--version` prints them.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("TIDINGS_TARGET"), ")");

const AFTER_HELP: &str = "\
Examples:
  tidings                                     try it out on this machine
  tidings --listen 127.0.0.1:0                the same on a free port
  tidings check-config --config tidings.toml  say everything that is wrong with a file
  tidings serve --config tidings.toml         run a server

Environment:
  TIDINGS__SECTION__KEY  sets a key of the configuration for `serve` and `check-config`,
                         for example TIDINGS__OUTBOX__MAX_BYTES=4MiB
  TIDINGS_LOG            what is logged, for example info,tidings_server=debug
  NO_COLOR               no colours, also on a terminal

Exit codes:
  0  done, or drained after SIGTERM or SIGINT
  1  failed while starting or running, or stopped by a second signal
  2  wrong usage or configuration";

const ABOUT: &str = "\
A STOMP messaging server over WebSocket and TCP

Without a command it starts in development mode: reachable from this machine only, demo page on,
any login taken as that user's name, nothing kept after exit.";

/// The command line as a whole.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version = VERSION,
    about = ABOUT,
    long_about = None,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
)]
pub(crate) struct Arguments {
    /// Absent in development mode.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// How development mode starts.
    #[command(flatten)]
    pub(crate) start: Start,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a server from a configuration file, the environment and flags
    Serve {
        /// Configuration file; without it the defaults hold, and the environment
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,

        #[command(flatten)]
        start: Start,
    },
    /// Measure a server: idle connections, fan-out, latency, beside the cheapest possible loop
    #[command(subcommand)]
    Bench(tidings_bench::BenchCommand),
    /// Check a configuration: what `serve` would do with it, or all that is wrong
    CheckConfig {
        /// Configuration file; without it the defaults hold, and the environment
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,

        #[command(flatten)]
        listen: Listen,
    },
}

/// What starts a server, configured or not.
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) listen: Listen,

    #[command(flatten)]
    pub(crate) log: Log,
}

/// Flags that win over file and environment. Text, not addresses: the configuration reports a wrong one with the rest.
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Address of HTTP and WebSocket; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Address of STOMP over TCP, or `off`
    #[arg(long, value_name = "ADDRESS")]
    tcp: Option<String>,

    /// Address of the private listener for health and metrics, or `off`
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,

    /// Where durable state will live; this version keeps none
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<String>,
}

impl From<&Listen> for Overrides {
    fn from(flags: &Listen) -> Self {
        let Listen {
            listen,
            tcp,
            admin,
            data_dir,
        } = flags;
        Self {
            listen: listen.clone(),
            tcp: tcp.clone(),
            admin: admin.clone(),
            data_dir: data_dir.clone(),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// How the log on stderr is written: text or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text, hide_possible_values = true)]
    pub(crate) log_format: LogFormat,

    /// Least level that is logged: error, warn, info, debug or trace [default: TIDINGS_LOG, else info]
    #[arg(long, value_enum, value_name = "LEVEL", hide_possible_values = true)]
    pub(crate) log_level: Option<LogLevel>,
}
