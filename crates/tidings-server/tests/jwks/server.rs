//! A server that takes the tokens of issuers.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tidings_server::config::{AuthenticatorKind, Config, Overrides};
use tidings_server::{ListenerKind, Reloader, Server};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::issuer::Issuer;

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often tokens with unknown keys may let it ask.
pub(crate) const MIN_REFRESH: Duration = Duration::from_secs(1);

/// A server until it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) config: Config,
    reloader: Reloader,
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    /// One that trusts these, and has asked each of them once.
    pub(crate) fn start(issuers: &[&Issuer]) -> Self {
        Self::start_with(issuers, |_| {})
    }

    pub(crate) fn start_with(issuers: &[&Issuer], set: impl FnOnce(&mut Config)) -> Self {
        let any = || Some("127.0.0.1:0".to_owned());
        let config = Config::development(&Overrides {
            listen: any(),
            tcp: any(),
            ..Overrides::default()
        });
        let mut config = config.expect("defaults");
        config.server.workers = 2;
        config.security.authenticator = vec![AuthenticatorKind::Jwt];
        config.security.authentication_timeout = PATIENCE;
        config.security.rules = ["allow connect if authenticated", "allow any /topic/**"]
            .map(str::to_owned)
            .to_vec();
        config.jwt.issuers = issuers.iter().map(|issuer| issuer.source()).collect();
        config.jwt.min_refresh_interval = MIN_REFRESH;
        set(&mut config);
        let its = config.clone();
        let (started, running) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async move {
                let server = Server::bind(its).await.expect("a free port");
                let mut listeners = server.listeners().iter();
                let tcp = listeners.find(|one| one.kind == ListenerKind::Tcp);
                let address = tcp.expect("it is on").address;
                let reached = (address, server.reloader(), Handle::current());
                started.send(reached).expect("the test waits");
                let stopped = async { drop(stopped.await) };
                let ended = server.run(axum::Router::new(), stopped).await;
                ended.expect("it ends as it should");
            });
        });
        let (address, reloader, runtime) = running.recv().expect("it starts");
        let server = Self {
            address,
            config,
            reloader,
            runtime,
            stop: Some(stop),
            thread: Some(thread),
        };
        for issuer in issuers {
            issuer.await_asked(1);
        }
        server
    }

    /// Takes over a configuration.
    pub(crate) fn reload(&self, config: &Config) {
        let _runtime = self.runtime.enter();
        let reloaded = self.reloader.reload(config);
        assert_eq!(reloaded.expect("it is good").left, Vec::<String>::new());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || thread::panicking());
        }
    }
}
