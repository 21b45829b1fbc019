//! Logging to stderr.

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::arguments::Log;

/// The variable that says what is logged, as directives: `info,tidings_server=debug`.
const VARIABLE: &str = "TIDINGS_LOG";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, for log collectors
    Json,
}

/// Least level that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// What stops or breaks something
    Error,
    /// What somebody should look at
    Warn,
    /// Start, stop and changes
    Info,
    /// Every connection
    Debug,
    /// Every frame
    Trace,
}

/// The log cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "{VARIABLE} is `{directives}`: {source}; write a level, or directives such as info,tidings_server=debug"
)]
pub(crate) struct LogError {
    directives: String,
    source: ParseError,
}

/// Sends every event from now on to stderr.
pub(crate) fn start(log: &Log) -> Result<(), LogError> {
    let directives = match log.log_level {
        Some(level) => level
            .to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned()),
        None => std::env::var(VARIABLE).unwrap_or_else(|_| "info".to_owned()),
    };
    let filter = EnvFilter::builder()
        .parse(&directives)
        .map_err(|source| LogError { directives, source })?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.log_format {
        LogFormat::Text => subscriber.with_ansi(colour()).init(),
        LogFormat::Json => subscriber.json().init(),
    }
    Ok(())
}

/// Colour is for terminals, and not where `NO_COLOR` says anything (no-color.org).
fn colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !refused
}
