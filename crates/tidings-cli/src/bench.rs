//! `tidings bench`.

use std::io;

use tidings_bench::{BenchCommand, Outcome};

use crate::outcome::Failure;

/// Measures; figures that failed their check are a failure too.
pub(crate) fn run(command: BenchCommand) -> Result<(), Failure> {
    match tidings_bench::run(command, &mut io::stdout()) {
        Ok(Outcome::Passed) => Ok(()),
        Ok(Outcome::Failed) => {
            let cause = "the check failed: messages or connections were lost; see above";
            Err(Failure::Running(anyhow::anyhow!(cause)))
        }
        Err(error) => Err(Failure::Usage(error.into())),
    }
}
