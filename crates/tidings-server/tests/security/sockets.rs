//! The table through sockets: TCP, TLS, a certificate as proof, and the application around the server.

use std::future::IntoFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tidings_core::security::Principal;
use tidings_server::config::{AuthenticatorKind, ClientCertificates, Config, Overrides};
use tidings_server::{Identity, ListenerKind, Server};
use tidings_testkit::{Door, Link, Speech};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use crate::certificates::{Authority, Folder};
use crate::table::{Known, Proof, check};
use crate::world::{router, secure};

const WAYS: [(Proof, Known); 3] = [
    (Proof::Nobody, Known::Nothing),
    (Proof::Connect, Known::Claims),
    (Proof::Cookie, Known::Claims),
];

fn config() -> Config {
    let any = || Some("127.0.0.1:0".to_owned());
    let config = Config::development(&Overrides {
        listen: any(),
        tcp: any(),
        ..Overrides::default()
    });
    let mut config = config.expect("defaults");
    config.server.workers = 2;
    secure(&mut config, &[AuthenticatorKind::Jwt]);
    config
}

/// A server until the sender is dropped.
struct Running {
    tcp: SocketAddr,
    http: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(config: Config) -> Self {
        let server = Server::bind(config).await.expect("a free port");
        let server = server.application(Arc::new(router()));
        let of = |kind| server.listeners().iter().find(|one| one.kind == kind);
        let [tcp, http] =
            [ListenerKind::Tcp, ListenerKind::Http].map(|kind| of(kind).expect("it is on").address);
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            server
                .run(Router::new(), stopped)
                .await
                .expect("it ends well");
        });
        Self {
            tcp,
            http,
            stop,
            ended,
        }
    }

    fn address(&self) -> impl Fn(Speech) -> SocketAddr + use<> {
        let (tcp, http) = (self.tcp, self.http);
        move |speech| match speech {
            Speech::Stomp => tcp,
            Speech::Http => http,
        }
    }

    fn secured(&self, trust: Arc<ClientConfig>) -> Door {
        let address = self.address();
        Door::new(move |speech| {
            let (address, connector) = (address(speech), TlsConnector::from(trust.clone()));
            async move {
                let name = ServerName::try_from("localhost").expect("a name");
                connector
                    .connect(name, TcpStream::connect(address).await?)
                    .await
            }
        })
    }

    async fn stop(self) {
        drop(self.stop);
        self.ended.await.expect("no panic");
    }
}

#[tokio::test]
async fn the_table_holds_through_sockets() {
    let running = Running::start(config()).await;
    let address = running.address();
    let door = Door::new(move |speech| TcpStream::connect(address(speech)));
    check(&door, "/ws", &Link::ALL, &WAYS).await;
    running.stop().await;
}

#[tokio::test]
async fn the_table_holds_through_tls_and_a_certificate_is_a_proof() {
    let (authority, folder) = (Authority::new("the authority"), Folder::new());
    folder.put(&authority.sign("the server"));
    let mut config = config();
    config.tls.certificate = Some(folder.path("server.pem"));
    config.tls.key = Some(folder.path("server.key"));
    config.tls.client_certificates = ClientCertificates::Optional;
    config.tls.client_ca = Some(folder.write("clients.pem", &authority.pem()));
    config.http.tls = true;
    config.tcp.tls = true;
    // Where the client says by which scheme it came.
    config.websocket.allowed_origins =
        tidings_server::config::AllowedOrigins::List(vec!["http://localhost".to_owned()]);
    let running = Running::start(config).await;
    let links = [Link::Tcp, Link::WebSocket, Link::XhrPolling];
    check(
        &running.secured(authority.client(None)),
        "/ws",
        &links,
        &WAYS,
    )
    .await;
    // Bob, against whom it is checked, has a token, which counts more than her certificate.
    let own = authority.client(Some(&authority.sign("ann")));
    let ways = [(Proof::Link, Known::Name), (Proof::Connect, Known::Claims)];
    check(&running.secured(own), "/ws", &links, &ways).await;
    running.stop().await;
}

#[tokio::test]
async fn the_table_holds_within_an_application_that_knows_who_asks() {
    let mut config = config();
    config.tcp.listen = None;
    let server = Server::embed(config).await.expect("no port is needed");
    let server = server.application(Arc::new(router()));
    let identify = |mut request: Request, next: Next| {
        let ann = Principal::user("ann").with_roles(["staff"]);
        let ann = ann.with_claim("teams", vec!["red"]);
        let is_known = request.uri().query() == Some("known");
        if is_known {
            request.extensions_mut().insert(Identity::of(ann));
        }
        next.run(request)
    };
    let app = Router::new()
        .nest("/messaging", server.routes())
        .layer(from_fn(identify));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(axum::serve(listener, app).into_future());
    let messaging = tokio::spawn(server.run_embedded(async { drop(stopped.await) }));
    let door = Door::new(move |_| TcpStream::connect(address));
    while tidings_testkit::Dial::new(door.clone(), "/messaging/ws")
        .over(Link::WebSocket)
        .http_header("origin", "https://elsewhere.example")
        .turned_away()
        .await
        == 503
    {
        tokio::task::yield_now().await;
    }
    let links = [
        Link::WebSocket,
        Link::SockJsWebSocket,
        Link::XhrPolling,
        Link::XhrStreaming,
    ];
    crate::table::check_over(&door, "/messaging/ws", &links, &WAYS, Link::WebSocket, "").await;
    let ways = [(Proof::Link, Known::Claims)];
    crate::table::check_over(
        &door,
        "/messaging/ws",
        &links,
        &ways,
        Link::WebSocket,
        "known",
    )
    .await;
    drop(stop);
    messaging.await.expect("no panic").expect("it ends well");
    serving.abort();
}
