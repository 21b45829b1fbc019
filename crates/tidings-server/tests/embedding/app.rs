//! The application around the server.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use tidings_server::config::{AllowedOrigins, Config, Overrides};
use tidings_server::{
    Endpoint, Identity, MessageHandler, Payload, Replies, RunError, Server, Service, SockJsOptions,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::{Client, handshake};

/// Longer than anything takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("it comes in time")
}

/// Sends back what it gets, and tells when its client is gone.
struct Echo(mpsc::UnboundedSender<()>);

impl MessageHandler for Echo {
    fn received(&mut self, message: Payload, replies: &mut Replies) {
        replies.send(message);
    }

    fn closed(&mut self) {
        // The test may not listen.
        let _ = self.0.send(());
    }
}

/// An application with everything in it, and the server not yet started.
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) server: Server,
    /// Requests that its middleware has seen.
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) closed: mpsc::UnboundedReceiver<()>,
}

impl App {
    /// All of Tidings is beneath `/messaging`.
    pub(crate) async fn new(set: impl FnOnce(&mut Config)) -> Self {
        let off = || Some("off".to_owned());
        let config = Config::development(&Overrides {
            tcp: off(),
            admin: off(),
            ..Overrides::default()
        });
        let mut config = config.expect("defaults");
        config.server.workers = 2;
        set(&mut config);
        let (closes, closed) = mpsc::unbounded_channel();
        let echo = Endpoint {
            path: "/echo".to_owned(),
            allowed_origins: AllowedOrigins::Any,
            sockjs: Some(SockJsOptions {
                // The end of the server does not wait for it.
                disconnect_delay: 10 * PATIENCE,
                ..SockJsOptions::default()
            }),
            bind_sessions: true,
            service: Service::Messages(Arc::new(move || Box::new(Echo(closes.clone())))),
        };
        let server = Server::embed(config).await.expect("no port is needed");
        let server = server.mount(echo);
        let requests = Arc::<AtomicUsize>::default();
        let seen = Arc::clone(&requests);
        let count = move |request: Request, next: Next| {
            seen.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        };
        let router = Router::new()
            .route("/hello", get(async || "hello"))
            .nest("/messaging", server.routes())
            .layer(from_fn(identify))
            .layer(from_fn(count));
        Self {
            router,
            server,
            requests,
            closed,
        }
    }

    pub(crate) async fn run(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = watch::channel(());
        let router = self.router.clone();
        let serving = axum::serve(
            listener,
            router.into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(ended(stopped.clone()));
        let messaging = tokio::spawn(self.server.run_embedded(ended(stopped)));
        let running = Running {
            address,
            router: self.router,
            requests: self.requests,
            closed: self.closed,
            stop,
            serving: tokio::spawn(serving.into_future()),
            messaging,
        };
        running.is_ready().await;
        running
    }
}

/// What the middleware knows of a user.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Badge(pub(crate) String);

async fn identify(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-user").cloned();
    if let Some(user) = user {
        let user = user.to_str().expect("tests send text");
        let identity = Identity::new(user).with_attribute(Badge(format!("badge of {user}")));
        request.extensions_mut().insert(identity);
    }
    next.run(request).await
}

async fn ended(mut stopped: watch::Receiver<()>) {
    // The other end is dropped.
    let _ = stopped.changed().await;
}

/// An application that serves.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) router: Router,
    pub(crate) requests: Arc<AtomicUsize>,
    pub(crate) closed: mpsc::UnboundedReceiver<()>,
    stop: watch::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
    messaging: JoinHandle<Result<(), RunError>>,
}

impl Running {
    pub(crate) async fn start() -> Self {
        App::new(|_| ()).await.run().await
    }

    pub(crate) async fn client(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.address).await;
        Client::new(stream.expect("it listens"))
    }

    async fn is_ready(&self) {
        soon(async {
            let mut client = self.client().await;
            // A handshake that is refused leaves nothing behind.
            let elsewhere = handshake("/messaging/ws", "origin: http://elsewhere.example\r\n");
            loop {
                client.send(&elsewhere).await;
                if client.response().await.0.starts_with("HTTP/1.1 403") {
                    break;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.requests.store(0, Ordering::Relaxed);
    }

    /// Stops the application and the server with one signal; both end, whoever is connected.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let messaging = soon(self.messaging).await.expect("no panic");
        messaging.expect("it ends well");
        let serving = soon(self.serving).await.expect("no panic");
        serving.expect("it ends well");
    }

    /// Drops the server while it runs.
    pub(crate) async fn drop_server(self) {
        self.messaging.abort();
        let ended = soon(self.messaging).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()));
        self.serving.abort();
    }
}
