//! A server in the thread of the test.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;

use tidings::MessagingTemplate;
use tidings::application::{Application, Broker};
use tidings::security::{Authenticator, Principal};
use tidings_server::config::{Config, Overrides};
use tidings_server::{
    Connector, Endpoint, Identity, ReloadError, Reloaded, Reloader, RunError, Server,
};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_local, yield_now};

use crate::dial::Dial;
use crate::peer::Peer;

/// A whole server within [`run`](crate::run): everything is real but sockets, threads and time.
///
/// Dropped, or when the test ends, it ends without waiting for its clients.
pub struct TestServer {
    connector: Connector,
    broker: Arc<dyn Broker>,
    reloader: Reloader,
    /// Its configuration as it is now.
    config: Config,
    /// Path of WebSocket.
    path: String,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), RunError>>,
}

/// What a [`TestServer`] is to be.
#[must_use = "it starts when it is told to"]
pub struct TestServerBuilder {
    config: Config,
    application: Option<Arc<dyn Application>>,
    authenticator: Option<Arc<dyn Authenticator>>,
    endpoints: Vec<Endpoint>,
    pages: axum::Router,
}

impl TestServer {
    /// A server with the defaults, whose `/app/**` this application answers: a `Router`.
    ///
    /// # Panics
    /// Not within [`run`](crate::run).
    pub async fn start(application: impl Application) -> Self {
        Self::builder().application(application).start().await
    }

    /// A server to describe. Its configuration is that of development mode, where any `login` is taken as the user's name,
    /// with one worker.
    pub fn builder() -> TestServerBuilder {
        let config = Config::development(&Overrides::default());
        let mut config = config.expect("the defaults are a configuration");
        config.server.workers = 1;
        TestServerBuilder {
            config,
            application: None,
            authenticator: None,
            endpoints: Vec::new(),
            pages: axum::Router::new(),
        }
    }

    /// A client with this `login`, connected.
    ///
    /// # Panics
    /// Something else than CONNECTED came.
    #[track_caller]
    pub fn connect(&self, login: &str) -> impl Future<Output = Peer> + use<> {
        self.dial().login(login).connect()
    }

    /// A client to describe that is this one, with its roles and claims: as if the program around the server had found out
    /// who it is, whatever the server's authenticator says.
    pub fn dial_as(&self, principal: Principal) -> Dial {
        let name = principal.name.clone();
        let connector = self.connector.clone();
        let connector = connector.with_identity(Identity::of(principal));
        Dial::new(connector, self.path.clone()).named(name.as_deref().unwrap_or("nobody"))
    }

    /// A client that is this one, with its roles and claims, connected: see [`dial_as`](Self::dial_as).
    ///
    /// # Panics
    /// Something else than CONNECTED came.
    #[track_caller]
    pub fn connect_as(&self, principal: Principal) -> impl Future<Output = Peer> + use<> {
        self.dial_as(principal).connect()
    }

    /// A client to describe.
    pub fn dial(&self) -> Dial {
        Dial::new(self.connector.clone(), self.path.clone())
    }

    /// Sends as the application does unasked.
    pub fn template(&self) -> MessagingTemplate {
        MessagingTemplate::new(self.broker())
    }

    /// What a template sends through.
    pub fn broker(&self) -> Arc<dyn Broker> {
        Arc::clone(&self.broker)
    }

    /// Changes the configuration while the server runs, as a signal does to one of its own process; what it names in files
    /// is read again.
    ///
    /// # Errors
    /// Something is bad about it: then all stays as it was.
    pub fn reload(&mut self, change: impl FnOnce(&mut Config)) -> Result<Reloaded, ReloadError> {
        let mut config = self.config.clone();
        change(&mut config);
        let reloaded = self.reloader.reload(&config)?;
        self.config = config;
        Ok(reloaded)
    }

    /// Connects what is no [`Peer`]: an HTTP client, say.
    pub fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Tells every client to go, waits for them as the server does, and ends.
    ///
    /// # Panics
    /// The server had ended by an error, or by a panic of its own.
    pub async fn shutdown(self) {
        // Ended already: its end says why.
        let _ = self.stop.send(());
        match self.running.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("the server ended by an error: {error}"),
            Err(error) => resume_unwind(error.into_panic()),
        }
    }
}

impl TestServerBuilder {
    /// This application answers `/app/**`: a `Router`.
    pub fn application(mut self, application: impl Application) -> Self {
        self.application = Some(Arc::new(application));
        self
    }

    /// These access rules say what clients may do; what none allows is refused. Without any, everything is allowed.
    ///
    /// ```
    /// use tidings::prelude::*;
    /// use tidings_testkit::TestServer;
    ///
    /// tidings_testkit::run(async {
    ///     let rules = ["allow connect", "allow subscribe /topic/staff/** if role staff"];
    ///     let server = TestServer::builder().rules(rules).start().await;
    ///     let mut ann = server.connect_as(Principal::user("ann").with_roles(["staff"])).await;
    ///     ann.subscribe("/topic/staff/news").await;
    /// });
    /// ```
    pub fn rules<R: Into<String>>(mut self, rules: impl IntoIterator<Item = R>) -> Self {
        self.config.security.rules = rules.into_iter().map(Into::into).collect();
        self
    }

    /// Says who clients are, in place of any `login` being taken as the user's name: a closure, or an authenticator of the
    /// program's. Then [`rules`](Self::rules) are needed, or nobody may do anything.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// Changes the configuration. Addresses in it are not taken, whatever they are.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// One more endpoint beside that of STOMP.
    pub fn mount(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// These pages answer HTTP requests that are not for Tidings.
    pub fn pages(mut self, pages: axum::Router) -> Self {
        self.pages = pages;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// Not within [`run`](crate::run), or the server refuses to start.
    pub async fn start(self) -> TestServer {
        let path = self.config.websocket.path.clone();
        let mut server = Server::unbound(self.config.clone());
        if let Some(authenticator) = self.authenticator {
            server =
                server.authenticator(move |credentials| authenticator.authenticate(credentials));
        }
        if let Some(application) = self.application {
            server = server.application(application);
        }
        for endpoint in self.endpoints {
            server = server.mount(endpoint);
        }
        let (stop, stopped) = oneshot::channel();
        let (connector, broker) = (server.connector(), server.broker());
        let reloader = server.reloader();
        let stopped = async {
            // The server was dropped: that stops it too.
            let _: Result<(), _> = stopped.await;
        };
        let server = TestServer {
            connector,
            broker,
            reloader,
            config: self.config,
            path,
            stop,
            running: spawn_local(server.run_in_place(self.pages, stopped)),
        };
        // What keeps it from starting shows at once.
        yield_now().await;
        if server.running.is_finished() {
            server.shutdown().await;
            panic!("the server has ended as it started");
        }
        server
    }
}
