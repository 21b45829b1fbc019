//! TLS before the real server, and what is wrong with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair};
use tidings_client::rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types};
use tidings_client::{Client, ConnectError, TlsError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::peer::Script;
use crate::server::{RunningServer, within};

/// Takes TLS off what comes, and passes it on to a server without.
struct Front {
    port: u16,
    /// Its certificate, which has signed itself.
    certificate: rcgen::Certificate,
}

impl Front {
    async fn start(name: &str, server: SocketAddr) -> Self {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a good name");
        params.distinguished_name.push(DnType::CommonName, name);
        let signing_key = KeyPair::generate().expect("a key");
        let cert = params.self_signed(&signing_key).expect("a certificate");
        let key = pki_types::PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .expect("a good configuration");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut client = acceptor.accept(client).await?;
                    let mut server = TcpStream::connect(server).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            port,
            certificate: cert,
        }
    }

    fn websocket(&self) -> String {
        format!("wss://localhost:{}/ws", self.port)
    }

    fn tcp(&self) -> String {
        format!("stomp+ssl://localhost:{}", self.port)
    }
}

/// What became of an attempt that must not succeed.
async fn refused(builder: tidings_client::Builder) -> TlsError {
    match builder.connect().await {
        Err(error @ ConnectError::Tls(_)) => {
            assert!(!error.retry(), "{error}");
            let ConnectError::Tls(error) = error else {
                unreachable!("it is matched above")
            };
            error
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("connected"),
    }
}

#[tokio::test]
async fn messages_pass_through_tls() {
    within(async {
        let server = RunningServer::start().await;
        let fronts = [
            Front::start("localhost", server.http()).await,
            Front::start("localhost", server.tcp()).await,
        ];
        for (front, url) in [
            (&fronts[0], fronts[0].websocket()),
            (&fronts[1], fronts[1].tcp()),
        ] {
            let builder = Client::builder(&url).tls_roots(front.certificate.pem());
            let client = builder.connect().await.expect("connected");
            let mut news = client.subscribe("/topic/news").await.expect("subscribed");
            for bytes in [0, 1, 100_000, 1_000_000] {
                let sent = client.send("/topic/news", vec![b'x'; bytes]);
                sent.confirmed().await.expect("confirmed");
                let heard = news.next().await.expect("a message");
                assert_eq!(heard.body().len(), bytes);
            }
            client.disconnect().await.expect("confirmed");
        }
    })
    .await;
}

#[tokio::test]
async fn a_configuration_of_the_program_is_taken() {
    within(async {
        let server = RunningServer::start().await;
        let front = Front::start("localhost", server.tcp()).await;
        let mut roots = RootCertStore::empty();
        let certificate = front.certificate.der().clone();
        roots.add(certificate).expect("a certificate");
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = Client::builder(&front.tcp()).tls_config(Arc::new(config));
        let client = builder.connect().await.expect("connected");
        client.disconnect().await.expect("confirmed");
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused() {
    within(async {
        let server = RunningServer::start().await;
        let front = Front::start("localhost", server.http()).await;
        let other = Front::start("other.example", server.http()).await;
        let builder = Client::builder(&front.websocket()).tls_roots(other.certificate.pem());
        assert_eq!(
            refused(builder).await.to_string(),
            "the server's certificate is refused: invalid peer certificate: UnknownIssuer; connect by a name that it \
             holds, or trust who signed it with tls_roots"
        );
        // Where the system has certificates or has none: it does not know this one.
        refused(Client::builder(&front.websocket())).await;
    })
    .await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    within(async {
        let server = RunningServer::start().await;
        let front = Front::start("other.example", server.http()).await;
        let builder = Client::builder(&front.websocket()).tls_roots(front.certificate.pem());
        assert_eq!(
            refused(builder).await.to_string(),
            "the server's certificate is refused: invalid peer certificate: certificate not valid for name \
             \"localhost\"; certificate is only valid for DnsName(\"other.example\"); connect by a name that it holds, \
             or trust who signed it with tls_roots"
        );
        // The virtual host of STOMP is not the name that TLS asks for.
        let builder = Client::builder(&front.websocket()).tls_roots(front.certificate.pem());
        refused(builder.host("other.example")).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    within(async {
        let server = RunningServer::start().await;
        let front = Front::start("localhost", server.http()).await;
        let plain = format!("wss://{}/ws", server.http());
        let builder = Client::builder(&plain).tls_roots(front.certificate.pem());
        let error = refused(builder).await;
        assert!(matches!(error, TlsError::Protocol(_)), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_server_that_never_answers_tls_is_given_up_in_time() {
    within(async {
        let script = Script::start().await;
        let server = RunningServer::start().await;
        let front = Front::start("localhost", server.http()).await;
        let builder = Client::builder(&format!("wss://{}/ws", script.address()))
            .tls_roots(front.certificate.pem())
            .connect_timeout(Duration::from_millis(50));
        let (client, _peer) = tokio::join!(builder.connect(), script.accept());
        assert!(matches!(client, Err(ConnectError::TimedOut(_))));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_up_on_tls_may_be_tried_again() {
    within(async {
        let script = Script::start().await;
        let server = RunningServer::start().await;
        let front = Front::start("localhost", server.http()).await;
        let builder = Client::builder(&format!("wss://{}/ws", script.address()))
            .tls_roots(front.certificate.pem());
        let hang_up = async { drop(script.accept().await) };
        let (client, ()) = tokio::join!(builder.connect(), hang_up);
        let Err(error @ ConnectError::Tls(TlsError::Broken(_))) = client else {
            panic!("{client:?}");
        };
        assert!(error.retry());
    })
    .await;
}
