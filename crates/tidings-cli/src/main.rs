//! The command `tidings`: arguments, configuration, logging, signals and exit codes around [`tidings_server`].
//!
//! Start reading at [`arguments::Arguments`], then [`serve`].

mod arguments;
mod banner;
mod bench;
mod check_config;
mod demo;
mod demo_application;
mod development_token;
mod explain;
mod hash;
mod logging;
mod outcome;
mod person;
mod reload;
mod serve;
mod signals;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let Arguments { command, start } = Arguments::parse();
    let outcome = match command {
        None => serve::development(&start),
        Some(Command::Serve { config, start }) => serve::configured(config.as_deref(), &start),
        Some(Command::Bench(command)) => bench::run(command),
        Some(Command::CheckConfig { config, listen }) => {
            check_config::run(config.as_deref(), &listen)
        }
        Some(Command::Token(token)) => token::run(&token),
        Some(Command::Hash(hash)) => hash::run(&hash),
        Some(Command::Explain(explain)) => explain::run(&explain),
    };
    outcome::exit_code(outcome)
}
