//! The load generator as a program of its own, for measuring a server without having Tidings' own at hand.
//!
//! `tidings-bench fanout --url ws://127.0.0.1:15674/ws --pid 4711`

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tidings_bench::{BenchCommand, run};

#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
enum Program {
    #[command(flatten)]
    Direct(BenchCommand),
    /// The same commands, spelled as in `tidings bench`.
    #[command(subcommand, hide = true)]
    Bench(BenchCommand),
}

fn main() -> ExitCode {
    let (Program::Direct(command) | Program::Bench(command)) = Program::parse();
    match run(command, &mut io::stdout()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            eprintln!("tidings-bench: {error}");
            ExitCode::from(2)
        }
    }
}
