//! A configuration that changes while the server runs: by SIGHUP, and because a file has changed.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use tidings_server::config::{Config, ConfigErrors, Overrides};
use tidings_server::{FileWatch, Reloader};
use tracing::{error, info, warn};

use crate::serve::environment;
use crate::signals::HangUps;

/// Where the configuration comes from.
pub(crate) struct Reload {
    file: Option<PathBuf>,
    flags: Overrides,
    /// Looks at the file of the configuration itself, from before it was first read.
    own: FileWatch,
}

impl Reload {
    /// From this file, the environment and flags.
    pub(crate) fn of(file: Option<&Path>, flags: Overrides) -> Self {
        let file = file.map(Path::to_owned);
        Self {
            own: FileWatch::new(file.clone()),
            file,
            flags,
        }
    }

    /// What they say now.
    pub(crate) fn load(&self) -> Result<Config, ConfigErrors> {
        Config::load(self.file.as_deref(), environment(), &self.flags)
    }

    /// Takes each change over; `named` looks at the files that the configuration names. Must run beside the server.
    pub(crate) async fn follow(
        mut self,
        reloader: &Reloader,
        mut named: FileWatch,
        mut hang_ups: HangUps,
    ) -> Infallible {
        loop {
            // What is cut short here is no loss: whichever comes first, everything is read again.
            let cause = tokio::select! {
                () = hang_ups.next() => "SIGHUP",
                () = self.own.changed() => "the file of the configuration has changed",
                () = named.changed() => "a file that the configuration names has changed",
            };
            info!(cause, "loading the configuration again");
            if let Some(files) = self.reload(reloader) {
                named = files;
            }
        }
    }

    /// Gives what looks at the files that count from now on; nothing where those from before do.
    fn reload(&self, reloader: &Reloader) -> Option<FileWatch> {
        let config = match self.load() {
            Ok(config) => config,
            Err(errors) => {
                let problems: Vec<_> = errors.iter().map(ToString::to_string).collect();
                error!(
                    problems = problems.join("; "),
                    "the configuration is wrong; all stays as it was"
                );
                return None;
            }
        };
        // Before they are read, so that no change goes unseen.
        let named = FileWatch::new(config.files());
        match reloader.reload(&config) {
            Ok(_) => {
                for warning in config.warnings() {
                    warn!("{warning}");
                }
            }
            Err(problem) => {
                error!(%problem, "the configuration can't be used; all stays as it was")
            }
        }
        // Also where they can't be used: who mends one must not have to ask.
        Some(named)
    }
}
