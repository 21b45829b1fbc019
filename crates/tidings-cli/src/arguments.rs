//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand};
use serde_json::Value;
use tidings_core::security::Action;
use tidings_server::config::Overrides;

use crate::logging::{LogFormat, LogLevel};
use crate::person::{claim, lifetime};

/// Version and target, as `--version` prints them.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("TIDINGS_TARGET"), ")");

const AFTER_HELP: &str = "\
Examples:
  tidings                                     try it out on this machine
  tidings --listen 127.0.0.1:0                the same on a free port
  tidings check-config --config tidings.toml  say everything that is wrong with a file
  tidings serve --config tidings.toml         run a server
  tidings token --user ann                    a token with which ann signs in to development mode

Environment:
  TIDINGS__SECTION__KEY  sets a key of the configuration for `serve` and whatever else takes
                         --config, for example TIDINGS__OUTBOX__MAX_BYTES=4MiB
  TIDINGS_LOG            what is logged, for example info,tidings_server=debug
  NO_COLOR               no colours, also on a terminal

Exit codes:
  0  done, or drained after SIGTERM or SIGINT
  1  failed while starting or running, or stopped by a second signal
  2  wrong usage or configuration
  3  `explain` says that it is denied";

const TOKEN_HELP: &str = "\
Examples:
  tidings token --user ann --roles staff,admin --claim teams=red,blue
  tidings token --user ann --expires 15m --config tidings.toml

The token alone goes to stdout. Only a server without authentication, which listens on loopback
addresses alone, takes one that no file has signed.";

const HASH_HELP: &str = "\
Examples:
  tidings hash --user ann --roles staff >> users
  printf '%s\\n' \"$PASSCODE\" | tidings hash";

const EXPLAIN_HELP: &str = "\
Examples:
  tidings explain --config tidings.toml --user ann --roles staff SUBSCRIBE /topic/staff/news
  tidings explain --config tidings.toml --user ann --claim teams=red,blue SEND /app/team/red
  tidings explain --config tidings.toml --anonymous CONNECT

Exit codes:
  0  allowed
  2  wrong usage or configuration, or a token that proves nobody
  3  denied";

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
    /// Print a signed token, for development and tests, or for a server whose secret you have
    #[command(after_help = TOKEN_HELP)]
    Token(Token),
    /// Print the hash of a passcode for a users file; the passcode is typed unseen, or is the first line of a pipe
    #[command(after_help = HASH_HELP)]
    Hash(Hash),
    /// Say whether the access rules let somebody do something, and which rule decides
    #[command(after_help = EXPLAIN_HELP)]
    Explain(Explain),
}

/// What a token is to say.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Whose it is
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,

    #[command(flatten)]
    pub(crate) traits: Traits,

    /// How long it is valid, such as 30s, 15m or 8h
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = lifetime)]
    pub(crate) expires: Duration,

    /// Configuration file with the secret that signs it; without it the token is one for development mode
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Who issues it (iss) [default: the issuer of `jwt.secret` in the file]
    #[arg(long, value_name = "NAME")]
    pub(crate) issuer: Option<String>,

    /// Whom it is for (aud) [default: the first of `jwt.audiences` in the file]
    #[arg(long, value_name = "NAME")]
    pub(crate) audience: Option<String>,

    /// By what it may be revoked (jti)
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
}

/// Whose passcode it is, if the line of a users file is wanted.
#[derive(Debug, Args)]
pub(crate) struct Hash {
    /// Print the line of a users file for this user
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// The user's roles, with commas between
    #[arg(long, value_name = "ROLES", value_delimiter = ',', requires = "user")]
    pub(crate) roles: Vec<String>,
}

/// Who wants to do what.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("who").required(true).args(["user", "anonymous", "token"]))]
pub(crate) struct Explain {
    /// What: CONNECT, SEND or SUBSCRIBE
    #[arg(value_name = "FRAME")]
    pub(crate) action: Action,

    /// Where; CONNECT has none
    #[arg(value_name = "DESTINATION")]
    pub(crate) destination: Option<String>,

    /// Somebody of this name, authenticated
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,

    /// Somebody without credentials
    #[arg(long, conflicts_with_all = ["roles", "claims"])]
    pub(crate) anonymous: bool,

    /// Whose token this is, checked as the server checks it
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["roles", "claims"])]
    pub(crate) token: Option<String>,

    #[command(flatten)]
    pub(crate) traits: Traits,

    /// Configuration file; without it the defaults hold, and the environment
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What is known of a user besides the name.
#[derive(Debug, Args)]
pub(crate) struct Traits {
    /// Roles, with commas between
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    pub(crate) roles: Vec<String>,

    /// A claim, NAME=VALUE; NAME=ONE,TWO is a list; may be given again
    #[arg(id = "claims", long = "claim", value_name = "CLAIM", value_parser = claim)]
    pub(crate) claims: Vec<(String, Value)>,
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
