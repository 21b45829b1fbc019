//! How the process ends.

use std::process::ExitCode;

use tidings_server::config::ConfigErrors;

/// Why the process ends otherwise than well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong configuration; exit code 2.
    Configuration(ConfigErrors),
    /// Wrong usage; exit code 2.
    Usage(anyhow::Error),
    /// The answer is no, and has been printed; exit code 3.
    Denied,
    /// Failed while starting or running; exit code 1.
    Running(anyhow::Error),
}

/// Says on stderr what went wrong, if anything did.
pub(crate) fn exit_code(outcome: Result<(), Failure>) -> ExitCode {
    let (told, code) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Denied) => return ExitCode::from(3),
        Err(Failure::Running(error)) => (with_causes(&error), 1),
        Err(Failure::Usage(error)) => (with_causes(&error), 2),
        Err(Failure::Configuration(errors)) => (as_list(&errors), 2),
    };
    eprintln!("error: {told}");
    ExitCode::from(code)
}

/// The error and those of its causes that it does not tell itself.
fn with_causes(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn as_list(errors: &ConfigErrors) -> String {
    match errors.iter().len() {
        1 => errors.to_string(),
        count => {
            let items: Vec<_> = errors
                .iter()
                .map(|error| format!("\n  - {error}"))
                .collect();
            format!("{count} problems in the configuration{}", items.concat())
        }
    }
}
