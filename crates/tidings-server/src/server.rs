//! A server from its listeners to its end.

mod error;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use tidings_core::application::{Application, Broker};
use tidings_core::security::{AuthenticateFuture, Authenticator, Credentials};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, timeout_at};
use tracing::{info, warn};

use crate::admin;
use crate::api;
use crate::config::Config;
use crate::connector::{Comer, Connector};
use crate::endpoint::Endpoint;
use crate::http::{self, Door, Http};
use crate::listen::{self, Listener, ListenerKind, Speech};
use crate::node::Node;
use crate::outbound::NodeBroker;
use crate::reload::Reloader;
use crate::security::{self, PolicyError};
use crate::tls::{Tls, TlsError};
use crate::webhook::Webhooks;
use crate::worker::{Letter, MAX_WORKERS, Worker};
pub use error::{BindError, RunError};

/// How often queues are searched for messages that have expired.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);

/// A server that has its addresses but does not answer yet.
pub struct Server {
    node: Arc<Node>,
    /// Worker threads.
    workers: usize,
    /// Beside the one for STOMP.
    endpoints: Vec<Endpoint>,
    client_library: Option<Bytes>,
    listeners: Vec<Listener>,
    /// The sockets of `listeners`, in the same order.
    sockets: Vec<TcpListener>,
    /// Why listeners cannot speak TLS as they should.
    tls_fault: Option<TlsError>,
    /// How clients in this process come, and where they are heard.
    connector: Connector,
    comers: mpsc::Receiver<Comer>,
    /// Where requests come in that the application around the server has taken.
    door: Arc<Door>,
}

impl Server {
    /// Takes the addresses that the configuration names. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// An address is taken, or not this machine's.
    pub async fn bind(config: Config) -> Result<Self, BindError> {
        let address = Some(config.http.listen);
        Self::bind_with(config, address)
    }

    /// Takes the addresses that the configuration names but that for HTTP, which the application around the server has:
    /// [`routes`](Self::routes) go into its router. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// An address is taken, or not this machine's.
    pub async fn embed(config: Config) -> Result<Self, BindError> {
        Self::bind_with(config, None)
    }

    fn bind_with(config: Config, http: Option<SocketAddr>) -> Result<Self, BindError> {
        let wanted = [
            (ListenerKind::Http, http, "http.listen, --listen"),
            (ListenerKind::Tcp, config.tcp.listen, "tcp.listen, --tcp"),
            (
                ListenerKind::Admin,
                config.admin.listen,
                "admin.listen, --admin",
            ),
            (
                ListenerKind::Api,
                config.api.listen.filter(|_| config.api.enabled),
                "api.listen",
            ),
        ];
        let (mut listeners, mut sockets) = (Vec::new(), Vec::new());
        for (kind, address, setting) in wanted {
            let Some(address) = address else { continue };
            let fail = |source| BindError {
                address,
                setting,
                source,
            };
            let listener = listen::bind(address).map_err(fail)?;
            let address = listener.local_addr().map_err(fail)?;
            let tls = config.speaks_tls(kind);
            listeners.push(Listener { kind, address, tls });
            sockets.push(listener);
        }
        let mut server = Self {
            listeners,
            sockets,
            ..Self::unbound(config)
        };
        if server.listeners.iter().any(|listener| listener.tls) {
            let node = &server.node;
            server.tls_fault = node.tls.reload(&node.config.tls).err();
        }
        Ok(server)
    }

    /// Takes no address, whatever the configuration names.
    pub fn unbound(config: Config) -> Self {
        let workers = match config.server.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let workers = workers.min(MAX_WORKERS);
        let (connector, comers) = Connector::new();
        Self {
            node: Node::new(config, workers),
            workers,
            endpoints: Vec::new(),
            client_library: None,
            listeners: Vec::new(),
            sockets: Vec::new(),
            tls_fault: None,
            connector,
            comers,
            door: Arc::default(),
        }
    }

    /// Reads what the configuration names (rules, users, keys, certificates), as [`run`](Self::run) does before it lets
    /// clients in, and asks nobody. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The first thing for which `run` would fail.
    pub fn check(config: Config) -> Result<(), RunError> {
        let mut server = Self::unbound(config);
        let node = &server.node;
        if node.config.uses_tls() {
            node.tls.reload(&node.config.tls)?;
        }
        server.prepare().map(drop)
    }

    /// Finds out whose these credentials are, as for a client, without letting anybody in: for who explains what the server
    /// decides. What the configuration names is read anew. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// What the configuration names can't be used.
    pub fn authenticate(
        &self,
        credentials: Credentials,
    ) -> Result<AuthenticateFuture, PolicyError> {
        let (node, security) = (&self.node, &self.node.security);
        security.adopt(security.read(node, &node.config)?);
        Ok(security.authenticate(credentials))
    }

    /// Adds an endpoint to that for STOMP which the configuration describes; its path must be its own.
    #[must_use]
    pub fn mount(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Lets `application` answer what clients send to application destinations. The first one stays. Webhooks are an
    /// application too: where they are configured, [`run`](Self::run) refuses a second one.
    #[must_use]
    pub fn application(self, application: Arc<dyn Application>) -> Self {
        // Set already: documented.
        let _ = self.node.application.set(application);
        self
    }

    /// Lets `authenticator` say who clients are, in place of those that the configuration names. The first one stays. It is
    /// asked about everything that a client shows but the [`Identity`](crate::Identity) that the application around the
    /// server has found out: in the handshake of HTTP, in CONNECT, and when a session renews its token. While it is asked
    /// the client waits, for `security.authentication_timeout` at most; then, and where it panics, the client is told to
    /// come back later.
    ///
    /// With an authenticator the access rules decide what clients may do, and what no rule allows is refused: give
    /// [`rules`](Self::rules) too.
    ///
    /// ```
    /// use tidings_core::security::{AuthenticationError, Credential, Credentials, Principal};
    /// use tidings_server::Server;
    /// use tidings_server::config::{Config, Overrides};
    ///
    /// /// Stands for who looks a token up.
    /// async fn look_up(token: &str) -> Option<Principal> {
    ///     (token == "t0k3n").then(|| Principal::user("ann").with_roles(["staff"]))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::development(&Overrides::default())?;
    /// let server = Server::unbound(config).authenticator(|credentials: Credentials| async move {
    ///     match credentials.credential {
    ///         Credential::Token { token, .. } => look_up(&token).await.ok_or_else(|| {
    ///             AuthenticationError::Rejected("the token proves nobody; sign in again".to_owned())
    ///         }),
    ///         _ => Err(AuthenticationError::Missing("send a token".to_owned())),
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        self.node
            .security
            .set_authenticator(Arc::new(authenticator));
        self
    }

    /// Lets these [access rules](tidings_core::security::Rule) say what clients may do, in place of those of the
    /// configuration. The first ones stay. What none of them allows is refused.
    ///
    /// ```
    /// use tidings_server::Server;
    /// use tidings_server::config::{Config, Overrides};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::development(&Overrides::default())?;
    /// let server = Server::unbound(config).rules([
    ///     "allow connect if authenticated",
    ///     "allow subscribe /topic/team/{team} if claim teams contains {team}",
    ///     "allow send /app/** if role staff",
    /// ])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// They are asked what clients connect for, send and subscribe to. What the program itself sends, through
    /// [`broker`](Self::broker) or as the answer of its application, is trusted: no rule is asked about it.
    ///
    /// # Errors
    /// [`PolicyError::Rule`]: one can't be read.
    pub fn rules<R: Into<String>>(
        self,
        rules: impl IntoIterator<Item = R>,
    ) -> Result<Self, PolicyError> {
        let lines: Vec<String> = rules.into_iter().map(Into::into).collect();
        let rules = security::parse(&self.node.destinations, &lines)?;
        self.node.security.set_rules(rules);
        Ok(self)
    }

    /// Takes changes of the configuration over while the server runs.
    pub fn reloader(&self) -> Reloader {
        Reloader::new(&self.node)
    }

    /// Sends to clients, from any thread and at any time: what is sent before [`run`](Self::run) waits for it. The program
    /// is trusted: no access rule is asked.
    pub fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(NodeBroker(Arc::clone(&self.node)))
    }

    /// The certificate that listeners show, for who renews it while the server runs.
    pub fn tls(&self) -> Arc<Tls> {
        Arc::clone(&self.node.tls)
    }

    /// Connects clients that are in this process.
    pub fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Serves this copy of sockjs-client as `sockjs.min.js` beneath each endpoint of SockJS.
    #[must_use]
    pub fn client_library(mut self, library: impl Into<Bytes>) -> Self {
        self.client_library = Some(library.into());
        self
    }

    /// The listeners with their real addresses.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// The endpoints as they are now ([`mount`](Self::mount) comes first), SockJS beneath them, and the HTTP API where it
    /// is enabled without a listener of its own, for the router of the application around the server. They may be merged,
    /// or nested beneath a path. Whoever comes before the server runs, or after it has stopped, is answered 503.
    ///
    /// What the application's middleware puts into the extensions of a request is heeded: an [`Identity`] is the user of
    /// the session, and a [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo) the address that the log names. The
    /// HTTP library of the application must allow upgrades, as [`axum::serve()`] does.
    ///
    /// [`Identity`]: crate::Identity
    pub fn routes(&self) -> Router {
        let config = &self.node.config;
        let stomp = Endpoint::stomp(config);
        let endpoints = std::iter::once(&stomp).chain(&self.endpoints);
        let endpoints = endpoints.map(|one| (&*one.path, one.sockjs.is_some()));
        let has_api = config.api.enabled && config.api.listen.is_none();
        http::routes(&self.door, endpoints, has_api)
    }

    /// Serves what [`routes`](Self::routes) bring, and the listeners, until `shutdown` is ready, then drains as
    /// [`run`](Self::run) does. Give the same signal to the HTTP library: its connections end when sessions have.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_embedded(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        self.run(Router::new(), shutdown).await
    }

    /// Serves until `shutdown` is ready, then drains: no new connections, every client is told to go, what waits is
    /// flushed, all within `server.shutdown_timeout`. `pages` answers HTTP requests that are not for Tidings. Where the
    /// future is dropped before, all connections are cut.
    ///
    /// # Errors
    /// No worker could be started, the application and `broker.separator` differ, there are an application and webhooks, or
    /// a listener is to speak TLS and its files cannot be used.
    pub async fn run(
        mut self,
        pages: Router,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let node = Arc::clone(&self.node);
        let webhooks = self.prepare()?;
        let (alive, mut ended) = mpsc::channel::<()>(1);
        let reins = Reins(Arc::clone(&node));
        let threads = start_workers(&node, self.workers, &alive)?;
        let lost = async {
            ended.recv().await;
        };
        let rest = self.serve(pages, shutdown, lost, reins).await?;
        let joined = tokio::task::spawn_blocking(move || {
            threads
                .into_iter()
                .map(thread::JoinHandle::join)
                .all(|end| end.is_ok())
        });
        if !joined.await.unwrap_or(false) {
            warn!("a worker had panicked");
        }
        rest.finish(webhooks).await;
        Ok(())
    }

    /// As [`run`](Self::run), with all workers on the thread of the caller, who must be within a runtime of one thread: no
    /// thread is started, and all time is that of the runtime, also where messages expire. For tests and simulations,
    /// which pause that time; one thread serves slower than several.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_in_place(
        mut self,
        pages: Router,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let node = Arc::clone(&self.node);
        node.follow_runtime_clock();
        let webhooks = self.prepare()?;
        let reins = Reins(Arc::clone(&node));
        let served = async {
            let mut workers = JoinSet::new();
            for id in 0..self.workers {
                workers.spawn_local(Worker::new(id as u16, Arc::clone(&node)).run());
            }
            let lost = async {
                workers.join_next().await;
            };
            let rest = self.serve(pages, shutdown, lost, reins).await?;
            while let Some(end) = workers.join_next().await {
                if end.is_err() {
                    warn!("a worker had panicked");
                }
            }
            Ok::<_, RunError>(rest)
        };
        let rest = LocalSet::new().run_until(served).await?;
        rest.finish(webhooks).await;
        Ok(())
    }

    /// Makes sure that TLS can be spoken where it should be, and that the application fits.
    fn prepare(&mut self) -> Result<Option<Arc<Webhooks>>, RunError> {
        if let Some(fault) = self.tls_fault.take() {
            return Err(fault.into());
        }
        let node = &self.node;
        let server = node.destinations.separator;
        let separator = node.application.get().and_then(|one| one.separator());
        match separator.filter(|separator| *separator != server) {
            Some(separator) => Err(RunError::Separator {
                application: separator.as_char(),
                server: server.as_char(),
            }),
            None => {
                let policy = node.security.read(node, &node.config)?;
                node.security.adopt(policy);
                Webhooks::start(node)
            }
        }
    }

    /// Lets clients in until `shutdown` is ready, then waits for them to go and stops the workers. `lost` is ready when a
    /// worker has ended before its time.
    async fn serve(
        self,
        pages: Router,
        shutdown: impl Future<Output = ()>,
        lost: impl Future<Output = ()>,
        reins: Reins,
    ) -> Result<Rest, RunError> {
        let node = Arc::clone(&self.node);
        let mut tasks = JoinSet::new();
        // Ends with this future: what watches the server must see it drain.
        let mut admin = JoinSet::new();
        let http = self.open(pages, &mut tasks, &mut admin);
        tokio::select! {
            () = shutdown => {}
            () = lost => return Err(RunError::Worker),
        }
        info!(connections = node.admitted(), "draining");
        node.drain();
        tasks.abort_all();
        let deadline = Instant::now() + node.config.server.shutdown_timeout;
        if timeout_at(deadline, node.emptied()).await.is_err() {
            warn!(
                connections = node.admitted(),
                "cutting the connections that are left"
            );
        }
        drop(reins);
        Ok(Rest { http, deadline })
    }

    /// Begins to accept.
    fn open(self, pages: Router, tasks: &mut JoinSet<()>, admin: &mut JoinSet<()>) -> Arc<Http> {
        let node = self.node;
        let mut endpoints = vec![Arc::new(Endpoint::stomp(&node.config))];
        endpoints.extend(self.endpoints.into_iter().map(Arc::new));
        let pages = match node.config.api.listen {
            None if node.config.api.enabled => pages.merge(api::router(&node)),
            _ => pages,
        };
        let http = Http::new(&node, &endpoints, self.client_library.as_ref(), pages);
        self.door.open(&http);
        for (listener, socket) in self.listeners.iter().zip(self.sockets) {
            let node = Arc::clone(&node);
            match listener.kind {
                ListenerKind::Tcp => {
                    let speech = Speech {
                        is_tls: listener.tls,
                        is_proxied: node.config.tcp.proxy_protocol,
                    };
                    tasks.spawn(listen::accept_tcp(socket, speech, node))
                }
                ListenerKind::Http => {
                    let speech = Speech {
                        is_tls: listener.tls,
                        is_proxied: node.config.http.proxy_protocol,
                    };
                    tasks.spawn(listen::accept_http(socket, speech, Arc::clone(&http)))
                }
                ListenerKind::Api => {
                    let http = Http::new(&node, &[], None, api::router(&node));
                    let speech = Speech {
                        is_tls: listener.tls,
                        is_proxied: false,
                    };
                    tasks.spawn(listen::accept_http(socket, speech, http))
                }
                ListenerKind::Admin => {
                    let router = admin::router(&node);
                    admin.spawn(listen::accept_admin(socket, router))
                }
            };
        }
        tasks.spawn(listen::accept_local(self.comers, Arc::clone(&http)));
        tasks.spawn(expire(node));
        http
    }
}

/// Who holds the workers. Dropped, it stops them, also where a server fails or is dropped in the middle: their threads and
/// connections would outlive it.
struct Reins(Arc<Node>);

impl Drop for Reins {
    fn drop(&mut self) {
        if !self.0.is_draining() {
            self.0.drain();
        }
        for mailbox in &self.0.mailboxes {
            mailbox.post(Letter::Stop, 0);
        }
    }
}

/// What is left of a server when its workers are told to stop.
struct Rest {
    http: Arc<Http>,
    /// Until when the drain may last.
    deadline: Instant,
}

impl Rest {
    /// After the last worker.
    async fn finish(self, webhooks: Option<Arc<Webhooks>>) {
        if timeout_at(self.deadline, self.http.bridged())
            .await
            .is_err()
        {
            warn!("cutting connections that the application serves");
        }
        if let Some(webhooks) = webhooks {
            webhooks.finish().await;
        }
    }
}

async fn expire(node: Arc<Node>) {
    let mut interval = tokio::time::interval(EXPIRY_INTERVAL);
    loop {
        interval.tick().await;
        node.expire();
    }
}

/// A worker's sign of life: dropped by a panic, it tells so.
struct Alive(mpsc::Sender<()>);

impl Drop for Alive {
    fn drop(&mut self) {
        if thread::panicking() {
            // Full: another one has told already.
            let _ = self.0.try_send(());
        }
    }
}

fn start_workers(
    node: &Arc<Node>,
    workers: usize,
    alive: &mpsc::Sender<()>,
) -> io::Result<Vec<thread::JoinHandle<()>>> {
    (0..workers)
        .map(|id| {
            let node = Arc::clone(node);
            let alive = Alive(alive.clone());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            thread::Builder::new()
                .name(format!("worker-{id}"))
                .spawn(move || {
                    let _alive = alive;
                    let worker = Worker::new(id as u16, node);
                    LocalSet::new().block_on(&runtime, worker.run());
                })
        })
        .collect()
}
