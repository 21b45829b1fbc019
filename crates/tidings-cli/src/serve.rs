//! Development mode and `tidings serve`.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use axum::body::Bytes;
use tidings_server::config::{Config, Overrides};
use tidings_server::{FileWatch, Listener, ListenerKind, Server};

use crate::arguments::Start;
use crate::banner::banner;
use crate::demo;
use crate::demo_application;
use crate::logging;
use crate::outcome::Failure;
use crate::reload::Reload;
use crate::signals::{HangUps, Signals};

/// Whether a person is told what they started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Development,
    Configured,
}

/// Runs in development mode until a signal.
pub(crate) fn development(start: &Start) -> Result<(), Failure> {
    let ignored: Vec<_> = environment()
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("TIDINGS__"))
        .collect();
    if let Some(name) = ignored.first() {
        let cause =
            "is set, but development mode reads no environment; start `tidings serve`, or unset it";
        return Err(Failure::Usage(anyhow::anyhow!("{name} {cause}")));
    }
    let config =
        Config::development(&Overrides::from(&start.listen)).map_err(Failure::Configuration)?;
    run(config, start, Mode::Development, None)
}

/// Runs as `file`, the environment and the flags say until a signal.
pub(crate) fn configured(file: Option<&Path>, start: &Start) -> Result<(), Failure> {
    // Looks at the file before it is read, so that no change goes unseen.
    let reload = Reload::of(file, Overrides::from(&start.listen));
    let config = reload.load().map_err(Failure::Configuration)?;
    run(config, start, Mode::Configured, Some(reload))
}

/// The environment. What is not UTF-8 is replaced, so that a key's variable is refused rather than overlooked.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

fn run(config: Config, start: &Start, mode: Mode, reload: Option<Reload>) -> Result<(), Failure> {
    logging::start(&start.log).map_err(|error| Failure::Usage(error.into()))?;
    // Each connection is an open file; what the system allows at most is what it is for.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit on open files could not be raised");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")
        .map_err(Failure::Running)?;
    runtime
        .block_on(serve(config, mode, reload))
        .map_err(Failure::Running)
}

async fn serve(config: Config, mode: Mode, reload: Option<Reload>) -> anyhow::Result<()> {
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    let signals = Signals::catch().context("signals cannot be caught")?;
    let mut hang_ups = HangUps::catch().context("signals cannot be caught")?;
    let named = FileWatch::new(config.files());
    let mut server = Server::bind(config.clone()).await?;
    if let Some(library) = demo::client_library() {
        server = server.client_library(Bytes::from_owner(library));
    }
    server = demo_application::install(server, &config);
    if mode == Mode::Development {
        eprintln!("{}", banner(&config, server.listeners()));
    }
    announce(&config, server.listeners());
    let pages = demo::pages(&config);
    let reloader = server.reloader();
    let Some(reload) = reload else {
        // The terminal that it was started from may be closed, and there is no configuration to load again.
        let asked = async {
            tokio::select! {
                () = signals.shutdown() => {}
                () = hang_ups.next() => {}
            }
        };
        server.run(pages, asked).await?;
        tracing::info!("stopped");
        return Ok(());
    };
    tokio::select! {
        // The server first: it reads what the configuration names before anything can change.
        biased;
        stopped = server.run(pages, signals.shutdown()) => stopped?,
        never = reload.follow(&reloader, named, hang_ups) => match never {},
    }
    tracing::info!("stopped");
    Ok(())
}

/// One line on stdout for each listener, the only ones there: scripts wait for them and read the port.
fn announce(config: &Config, listeners: &[Listener]) {
    let mut out = io::stdout().lock();
    for listener in listeners {
        let serves = match listener.kind {
            ListenerKind::Http => format!("HTTP, WebSocket at {}", config.websocket.path),
            ListenerKind::Tcp => "STOMP".to_owned(),
            ListenerKind::Admin => "admin".to_owned(),
            ListenerKind::Api => "API".to_owned(),
        };
        // A closed stdout is no reason not to serve.
        let _ = writeln!(out, "listening {} ({serves})", listener.url());
    }
    let _ = out.flush();
}
