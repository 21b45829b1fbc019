//! Signals: SIGTERM and SIGINT, which ask the process to end (Ctrl-C where there are no signals), and SIGHUP, which asks
//! for the configuration to be loaded again.

use std::io;

/// Both signals, caught from the moment this exists.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Starts catching. Needs a runtime around it.
    pub(crate) fn catch() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for the first signal. The one after it ends the process at once with exit code 1: whoever asks twice
    /// does not want to wait for the drain.
    pub(crate) async fn shutdown(mut self) {
        let name = self.next().await;
        tracing::info!(signal = name, "draining; a second signal stops at once");
        tokio::spawn(async move {
            let name = self.next().await;
            tracing::warn!(signal = name, "stopped before the drain was done");
            std::process::exit(1);
        });
    }

    #[cfg(unix)]
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> &'static str {
        if tokio::signal::ctrl_c().await.is_err() {
            // Nothing will ever ask again.
            std::future::pending::<()>().await;
        }
        "Ctrl-C"
    }
}

/// SIGHUP, caught from the moment this exists.
pub(crate) struct HangUps {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl HangUps {
    /// Starts catching. Needs a runtime around it.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?,
        })
    }

    /// Waits for one; those that come at once are one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }

    /// There are none.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        std::future::pending().await
    }
}
