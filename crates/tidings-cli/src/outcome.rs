//! How the process ends.

use std::process::ExitCode;

/// Why the process ends otherwise than well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Wrong usage or configuration; exit code 2.
    #[error(transparent)]
    Usage(anyhow::Error),
    /// Failed while starting or running; exit code 1.
    #[error(transparent)]
    Running(anyhow::Error),
}

/// Says on stderr what went wrong, if anything did.
pub(crate) fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    let (error, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Running(error)) => (error, 1),
        Err(Failure::Usage(error)) => (error, 2),
    };
    eprintln!("error: {error:#}");
    ExitCode::from(code)
}
