//! What a client may be told before it connects.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tidings_stomp::{ClientConfig, HeartBeat, Limits};
use tokio::sync::Semaphore;

use crate::address::{Address, Scheme};
use crate::backoff::Backoff;
use crate::client::Client;
use crate::connection::Connection;
use crate::credentials::{Credentials, Presented};
use crate::error::ConnectError;
use crate::shared::Shared;
#[cfg(feature = "tls")]
use crate::tls::{Secured, Trust};
use crate::transport::Dialer;

/// A client about to connect; from [`Client::builder`]. Times of more than a year count as a year.
///
/// ```no_run
/// # async fn connect() -> Result<(), tidings_client::ConnectError> {
/// use std::time::Duration;
/// use tidings_client::{Backoff, Client};
///
/// let client = Client::builder("tcp://127.0.0.1:61613")
///     .login("ann", "secret")
///     .heart_beat(Duration::from_secs(5), Duration::from_secs(5))
///     .reconnect(Backoff { max: Duration::from_secs(5), ..Backoff::default() })
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a client connects only when `connect` is awaited"]
pub struct Builder {
    url: String,
    settings: Settings,
}

/// What was told, or its default.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) address: Address,
    host: Option<String>,
    pub(crate) presented: Presented,
    #[cfg(feature = "tls")]
    trust: Trust,
    heart_beat: HeartBeat,
    frame_limits: Limits,
    pub(crate) backoff: Backoff,
    pub(crate) renews: bool,
    continues: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) receipt_timeout: Duration,
    pub(crate) send_timeout: Duration,
    pub(crate) max_outgoing_bytes: usize,
    pub(crate) max_pending_receipts: usize,
    pub(crate) max_subscriptions: usize,
    pub(crate) max_transactions: usize,
    pub(crate) buffer: usize,
    pub(crate) buffer_bytes: usize,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            settings: Settings::default(),
        }
    }

    /// Who connects, and the password: the headers `login` and `passcode` of CONNECT. Default nobody.
    pub fn login(self, login: &str, passcode: &str) -> Self {
        self.presenting(|credentials| credentials.login(login, passcode))
    }

    /// A token that proves its bearer: the header `Authorization: Bearer TOKEN` of CONNECT. Where it expires, give
    /// [`credentials`](Self::credentials).
    pub fn token(self, token: &str) -> Self {
        self.presenting(|credentials| credentials.token(token))
    }

    /// A further header of CONNECT. One that the client itself sets, or that can't be written, makes connecting fail with
    /// [`CredentialsError`](crate::CredentialsError).
    pub fn connect_header(self, name: &str, value: &str) -> Self {
        self.presenting(|credentials| credentials.connect_header(name, value))
    }

    /// A further header of the opening handshake of WebSocket, such as `Authorization`, `Cookie` or `Origin`. One that the
    /// client itself sets, that can't be written, or that has no handshake to go with makes connecting fail with
    /// [`CredentialsError`](crate::CredentialsError).
    pub fn handshake_header(self, name: &str, value: &str) -> Self {
        self.presenting(|credentials| credentials.handshake_header(name, value))
    }

    /// Asked before each attempt to connect, the first one included, for credentials that expire. They win over those that
    /// were given to the builder itself. The time that this takes counts as time of the attempt; an error, or a panic, is
    /// an attempt that failed and may be repeated.
    ///
    /// ```no_run
    /// # async fn token() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// # async fn connect() -> Result<(), tidings_client::ConnectError> {
    /// use tidings_client::{Client, Credentials};
    ///
    /// let client = Client::builder("wss://news.example/ws")
    ///     .credentials(|| async {
    ///         Ok::<_, std::io::Error>(Credentials::new().token(&token().await?))
    ///     })
    ///     .connect()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn credentials<F, Fut, E>(mut self, ask: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Credentials, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.settings.presented.fresh = Some(Arc::new(move || {
            let asked = ask();
            Box::pin(async { asked.await.map_err(Into::into) })
        }));
        self
    }

    /// Renews the session by itself when three quarters of the time are over that its token has, with what
    /// [`credentials`](Self::credentials) give then; without these it does nothing. At most once a second. Where that fails
    /// it tries again, five times in all with growing pauses, until the token expires; each time is told as
    /// [`Event::Renewed`](crate::Event::Renewed) or [`Event::NotRenewed`](crate::Event::NotRenewed). Default off.
    pub fn renew_before_expiry(mut self) -> Self {
        self.settings.renews = true;
        self
    }

    /// Asks the server to go on after it has refused a frame, by the header `error-mode:continue` of CONNECT; STOMP ends
    /// the connection with every ERROR, and so do servers that do not know the header. A refused SUBSCRIBE then fails
    /// alone, as does a frame that asked for a receipt; of any other [`Event::Refused`](crate::Event::Refused) tells.
    /// What breaks the protocol ends the connection all the same. Default off.
    pub fn continue_after_errors(mut self) -> Self {
        self.settings.continues = true;
        self
    }

    fn presenting(mut self, more: impl FnOnce(Credentials) -> Credentials) -> Self {
        let fixed = &mut self.settings.presented.fixed;
        *fixed = more(std::mem::take(fixed));
        self
    }

    /// Trusts servers whose certificate one of these has signed, and no others: one or more certificates in PEM. Default
    /// those that the system trusts, or that the environment names with `SSL_CERT_FILE` or `SSL_CERT_DIR`.
    #[cfg(feature = "tls")]
    pub fn tls_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.settings.trust = Trust::Roots(pem.into());
        self
    }

    /// A configuration of TLS of your own, in place of [`tls_roots`](Self::tls_roots): for client certificates, other
    /// ciphers, another crypto provider. Make it with [`tidings_client::rustls`](crate::rustls).
    #[cfg(feature = "tls")]
    pub fn tls_config(mut self, config: Arc<crate::rustls::ClientConfig>) -> Self {
        self.settings.trust = Trust::Config(config);
        self
    }

    /// The virtual host, for servers that have some: the header `host` of CONNECT. Default the host of the url.
    pub fn host(mut self, host: &str) -> Self {
        self.settings.host = Some(host.to_owned());
        self
    }

    /// How often this client can send a sign of life, and how often it wants one; zero = not at all. The server may ask
    /// for longer intervals. A server that is silent for twice the agreed interval is left. Default 10 s each.
    pub fn heart_beat(mut self, send: Duration, receive: Duration) -> Self {
        self.settings.heart_beat = HeartBeat { send, receive };
        self
    }

    /// How to connect again when the connection is lost.
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = Backoff {
            initial: backoff.initial.min(LONGEST),
            max: backoff.max.min(LONGEST),
            ..backoff
        };
        self
    }

    /// How long an attempt to connect may take, from the name of the host to CONNECTED. Default 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout.min(LONGEST);
        self
    }

    /// How long to wait for a receipt, for the confirmation of a subscription, and for that of the goodbye; also across
    /// lost connections. Default 30 s.
    pub fn receipt_timeout(mut self, timeout: Duration) -> Self {
        self.settings.receipt_timeout = timeout.min(LONGEST);
        self
    }

    /// How long sending waits for room in the queue, or for a place among the pending receipts, before it fails with
    /// [`SendError::QueueFull`](crate::SendError::QueueFull). Default 10 s.
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.settings.send_timeout = timeout.min(LONGEST);
        self
    }

    /// How many bytes of frames may wait for the socket, also while there is none; a frame counts for its headers, its body
    /// and 128 more. At most 4 GiB count. Default 8 MiB.
    pub fn max_outgoing_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_outgoing_bytes = bytes.min(Semaphore::MAX_PERMITS);
        self
    }

    /// How many receipts may be waited for. Default 1024.
    pub fn max_pending_receipts(mut self, receipts: usize) -> Self {
        self.settings.max_pending_receipts = receipts.min(Semaphore::MAX_PERMITS);
        self
    }

    /// How many subscriptions there may be. Default 1000, which is what a Tidings server takes.
    pub fn max_subscriptions(mut self, subscriptions: usize) -> Self {
        self.settings.max_subscriptions = subscriptions.min(Semaphore::MAX_PERMITS);
        self
    }

    /// How many transactions may be open. Default 16, which is what a Tidings server takes.
    pub fn max_transactions(mut self, transactions: usize) -> Self {
        self.settings.max_transactions = transactions.min(Semaphore::MAX_PERMITS);
        self
    }

    /// How many messages of a subscription may wait for the program, unless the subscription says otherwise; at least 1.
    /// Default 1024.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.settings.buffer = messages.max(1);
        self
    }

    /// How many bytes of headers and bodies may wait for the program, per subscription with
    /// [`AckMode::Auto`](crate::AckMode::Auto). One message always may. Default 16 MiB.
    pub fn buffer_bytes(mut self, bytes: usize) -> Self {
        self.settings.buffer_bytes = bytes;
        self
    }

    /// The largest body taken from the server, in bytes. A larger one is the end of the client: it would come again.
    /// Default 1 MiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.frame_limits.max_body_bytes = bytes;
        self
    }

    /// Connects. Call it within a tokio runtime that has I/O and time.
    ///
    /// # Errors
    /// The first attempt failed; [`ConnectError::retry`] tells whether another one, after a pause, may not.
    pub async fn connect(mut self) -> Result<Client, ConnectError> {
        self.settings.address = self.url.parse()?;
        let dialer = self.settings.dialer()?;
        self.connect_by(dialer).await
    }

    pub(crate) async fn connect_by(self, dialer: Dialer) -> Result<Client, ConnectError> {
        let shared = Arc::new(Shared::new(self.settings));
        Connection::start(Arc::clone(&shared), dialer).await?;
        Ok(Client::new(shared))
    }
}

impl Settings {
    /// What STOMP is told.
    pub(crate) fn stomp(&self, credentials: Credentials) -> ClientConfig {
        let (login, passcode) = credentials.login.unzip();
        let mut headers = credentials.connect_headers;
        if self.continues {
            headers.push(("error-mode".to_owned(), "continue".to_owned()));
        }
        ClientConfig {
            limits: self.frame_limits,
            heart_beat: self.heart_beat,
            connect_timeout: self.connect_timeout,
            host: self
                .host
                .clone()
                .unwrap_or_else(|| self.address.host.clone()),
            login,
            passcode,
            headers,
        }
    }

    fn dialer(&self) -> Result<Dialer, ConnectError> {
        let Address { host, port, .. } = &self.address;
        #[cfg(feature = "tls")]
        if self.address.tls {
            let secured = Secured::new(&self.trust, host)?;
            return Ok(Dialer::tls(host, *port, secured));
        }
        Ok(Dialer::tcp(host, *port))
    }
}

impl Default for Settings {
    fn default() -> Self {
        let ten_seconds = Duration::from_secs(10);
        Self {
            address: Address {
                scheme: Scheme::Tcp,
                tls: false,
                host: String::new(),
                port: 0,
                path: String::new(),
            },
            host: None,
            presented: Presented::default(),
            #[cfg(feature = "tls")]
            trust: Trust::System,
            heart_beat: HeartBeat {
                send: ten_seconds,
                receive: ten_seconds,
            },
            frame_limits: Limits::default(),
            backoff: Backoff::default(),
            renews: false,
            continues: false,
            connect_timeout: ten_seconds,
            receipt_timeout: Duration::from_secs(30),
            send_timeout: ten_seconds,
            max_outgoing_bytes: 8 << 20,
            max_pending_receipts: 1024,
            max_subscriptions: 1000,
            max_transactions: 16,
            buffer: 1024,
            buffer_bytes: 16 << 20,
        }
    }
}

/// A time that can be added to any other.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Shows no url, whose query may hold a token.
impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Shows no path, no password and no header.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.address.host)
            .field("port", &self.address.port)
            .field("heart_beat", &self.heart_beat)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        let builder = Builder::new("ws://a.example/ws?access_token=secret")
            .login("ann", "secret")
            .handshake_header("Cookie", "secret");
        assert!(!format!("{builder:?}").contains("secret"));
    }
}
