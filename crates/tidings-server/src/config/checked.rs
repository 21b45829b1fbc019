//! The checked configuration: every value is in range, every default filled in.
//!
//! A key is one entry of the table below: its doc comment is its text in `docs/configuration.md`, its type and default
//! are those of the struct, and its [`Form`] is what the parser accepts.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tidings_core::disconnect::Reason;

use super::form::{
    Address, AddressOrOff, ApiKeys, AuthenticatorName, ClientCertificatesWord, Count, File, Flag,
    Folder, Form, HookUrl, Key as SecretKey, Origins, OwnAddress, PlainDestination, Policy, Prefix,
    Prefixes, Reasons, Routes, ScriptUrl, Separator, Size, Time, TlsVersionWord, UrlPath,
};
use super::key::{Key, Section, sections};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// How long a peer may be waited for: less than 100 ms cuts honest clients on a bad line, more than ten minutes is never.
const PATIENCE: Time = Time {
    min: Duration::from_millis(100),
    max: Duration::from_mins(10),
    or_zero: false,
};

/// Heart-beats more often than every 100 ms cost more than they tell.
const HEART_BEAT: Time = Time {
    min: Duration::from_millis(100),
    max: Duration::from_hours(1),
    or_zero: true,
};

/// Proxies cut silent connections after a minute or so; more often than every 100 ms costs more than it tells.
const SOCKJS_HEARTBEAT: Time = Time {
    min: Duration::from_millis(100),
    max: Duration::from_hours(1),
    or_zero: false,
};

sections! {
    /// The process as a whole.
    [server] Server {
        /// Threads that own connections. 0 means one per core.
        workers: usize = 0, Count { min: 0, max: 256 };

        /// Connections open at the same time, all listeners together; more are refused. A SockJS session counts as one,
        /// and so does each HTTP connection by which its client asks.
        max_connections: usize = 100_000, Count { min: 1, max: 10_000_000 };

        /// How long a shutdown may take before connections are cut.
        shutdown_timeout: Duration = Duration::from_secs(10),
            Time { min: Duration::ZERO, max: Duration::from_hours(1), or_zero: false };

        /// Where durable state will live. This version keeps none and writes nothing there.
        data_dir: PathBuf = PathBuf::from("tidings-data"), Folder, flag "--data-dir";
    }

    /// Who says which user a client is.
    [security] Security {
        /// Absent: there is no authentication, so only loopback addresses are listened on. `trust-login`: every `login`
        /// of a client is taken as that user's name, unproven, also on addresses that others can reach.
        authenticator: Option<Authenticator> = None, AuthenticatorName;
    }

    /// The HTTP listener, which also carries WebSocket and SockJS.
    [http] Http {
        /// Address of HTTP, WebSocket and SockJS.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), Address, flag "--listen";

        /// Speak TLS there, as `[tls]` says: `https` and `wss`. `api.listen` does as this listener does.
        tls: bool = false, Flag;

        /// Serve the demo page at `/`.
        demo: bool = false, Flag;
    }

    /// The WebSocket endpoint, which is the base of SockJS too.
    [websocket] WebSocket {
        /// Path of the endpoint; SockJS answers here and beneath it.
        path: String = "/ws".to_owned(), UrlPath;

        /// Which pages may connect, over WebSocket and over SockJS. A request without `Origin` is allowed, unless
        /// the browser says that another origin asks and `Referer` names none that may. For SockJS see also
        /// `sockjs.legacy_transports`.
        allowed_origins: AllowedOrigins = AllowedOrigins::SameOrigin, Origins;

        /// Accept permessage-deflate when a client offers it.
        compression: bool = false, Flag;

        /// Largest payload of one WebSocket frame accepted.
        max_frame_bytes: usize = 1_114_112, Size { min: KIB, max: 2 * GIB };

        /// Largest WebSocket message accepted, all fragments together and inflated. Holds a STOMP frame with the
        /// largest body and its headers.
        max_message_bytes: usize = 1_114_112, Size { min: KIB, max: 2 * GIB };

        /// From accept to the end of the HTTP request head.
        handshake_timeout: Duration = Duration::from_secs(10), PATIENCE;
    }

    /// SockJS, for clients whose network lets no WebSocket through, under the path and the origins of `[websocket]`.
    [sockjs] SockJs {
        /// Offer SockJS under `websocket.path`. When off, only the WebSocket endpoint itself is there.
        enabled: bool = true, Flag;

        /// A client that listens gets a heartbeat after this long without a message, so that no proxy takes the
        /// connection for a dead one. Silent once STOMP heart-beats from the server are agreed.
        heartbeat_time: Duration = Duration::from_secs(25), SOCKJS_HEARTBEAT;

        /// How long a session over HTTP may have nobody listening before it ends. A polling client is away between two
        /// polls, so this is longer than the worst of its round trips.
        disconnect_delay: Duration = Duration::from_secs(5), PATIENCE;

        /// Bytes of frames after which a streaming response ends and the client asks for the next one. Browsers keep
        /// what a response has brought until it ends, so this is what a session costs them.
        stream_bytes_limit: usize = 131_072, Size { min: KIB, max: GIB };

        /// Set the cookie `JSESSIONID`, by which load balancers keep a client on one server. It proves nothing: the
        /// server sends back the value that it is shown, else `dummy`.
        session_cookie_needed: bool = false, Flag;

        /// Offer WebSocket as a transport of SockJS, framed and raw. The endpoint at `websocket.path` itself stays.
        websocket_enabled: bool = true, Flag;

        /// Offer `jsonp`, `htmlfile` and the iframe page, for browsers without cross-origin requests. Through them any
        /// page can connect, whatever `websocket.allowed_origins` says: their requests carry no `Origin` of the page,
        /// and what they answer runs as a script of whoever embeds it.
        legacy_transports: bool = false, Flag;

        /// Where the iframe page loads sockjs-client from; its version must be the one that the outer page uses.
        /// Absent: the server's own copy, `sockjs.min.js` under `websocket.path`.
        client_library_url: Option<String> = None, ScriptUrl;

        /// Bytes of messages that may wait in one session until its client listens again; when more would wait,
        /// `outbox.policy` says what happens. Holds one message of the largest size, with every header as long as it
        /// may be.
        message_cache_bytes: usize = 2_097_152, Size { min: KIB, max: 4 * GIB };

        /// Largest body of an `xhr_send` or `jsonp_send` request; a larger one is answered with 413. Twice
        /// `websocket.max_message_bytes` by default, since escapes make a payload longer than its messages.
        max_payload_bytes: usize = 2_228_224, Size { min: KIB, max: 4 * GIB };
    }

    /// The listener for STOMP over TCP.
    [tcp] Tcp {
        /// Address of STOMP over TCP.
        listen: Option<SocketAddr> = None, AddressOrOff, flag "--tcp";

        /// Speak TLS there, as `[tls]` says.
        tls: bool = false, Flag;
    }

    /// The certificate of listeners that speak TLS, and which clients they let in; see [tls.md](tls.md).
    [tls] Tls {
        /// Certificate of the server in PEM, followed by those that lead to one that clients trust.
        certificate: Option<PathBuf> = None, File;

        /// Private key of the certificate in PEM (PKCS #8, PKCS #1 or SEC 1), without a passphrase.
        key: Option<PathBuf> = None, File;

        /// Whether clients show a certificate of their own: `off` does not ask for one, `optional` verifies one that is
        /// shown, `required` lets nobody in without.
        client_certificates: ClientCertificates = ClientCertificates::Off, ClientCertificatesWord;

        /// Certificates in PEM of who signs those of clients.
        client_ca: Option<PathBuf> = None, File;

        /// Oldest version of TLS spoken: `1.2` or `1.3`.
        min_version: TlsVersion = TlsVersion::Tls12, TlsVersionWord;

        /// From accept to the end of the handshake of TLS.
        handshake_timeout: Duration = Duration::from_secs(10), PATIENCE;
    }

    /// The private listener for health, metrics and statistics. It speaks no TLS.
    [admin] Admin {
        /// Address of the private listener.
        listen: Option<SocketAddr> = None, AddressOrOff, flag "--admin";
    }

    /// The HTTP API for applications in other languages, see [http-api.md](http-api.md).
    [api] Api {
        /// Offer the API. Needs `api.keys`.
        enabled: bool = false, Flag;

        /// Address of a listener of its own. Absent: the API is beneath `/api/v1` of the HTTP listener.
        listen: Option<SocketAddr> = None, OwnAddress;

        /// Secrets, one for each application; each request shows one of them as `Authorization: Bearer KEY`. Whoever has
        /// one may send to every destination and disconnect every session.
        keys: Vec<ApiKey> = Vec::new(), ApiKeys;

        /// Wrong keys that one address (of IPv6: one network of 64 bits) may show in a minute; then every key from there
        /// is answered with 429 until time has passed. Zero: as many as it likes; for a server behind a proxy, where
        /// all have one address and the proxy holds the limit.
        failed_keys_per_minute: u32 = 10, Count { min: 0, max: 6_000 };

        /// Largest body of a request; a larger one is answered with 413. A message in it is also held to the limits of
        /// `[stomp]`.
        max_body_bytes: usize = 2_097_152, Size { min: KIB, max: GIB };

        /// How long an answer is kept for who asks again with the same `Idempotency-Key`.
        idempotency_time: Duration = Duration::from_mins(10),
            Time { min: Duration::from_secs(1), max: Duration::from_hours(24), or_zero: false };

        /// Bytes of answers that are kept; when there are more, the oldest go before their time. Zero keeps none.
        idempotency_bytes: usize = 4_194_304, Size { min: 0, max: GIB };
    }

    /// The STOMP protocol on every link.
    [stomp] Stomp {
        /// From the link being ready to a complete CONNECT frame.
        connect_timeout: Duration = Duration::from_secs(10), PATIENCE;

        /// Shortest interval at which the server offers to send heart-beats; zero means never.
        heart_beat_send: Duration = Duration::from_secs(10), HEART_BEAT;

        /// Interval at which the server wants heart-beats of the client; zero means never.
        heart_beat_receive: Duration = Duration::from_secs(10), HEART_BEAT;

        /// Largest body of a frame.
        max_body_bytes: usize = 1_048_576, Size { min: 1, max: GIB };

        /// Longest header line.
        max_header_line_bytes: usize = 8_192, Size { min: 128, max: MIB };

        /// Most headers of a frame.
        max_headers: usize = 128, Count { min: 16, max: 10_000 };
    }

    /// What one client session may hold.
    [session] Session {
        /// Subscriptions of one session.
        max_subscriptions: usize = 1_000, Count { min: 1, max: 1_000_000 };

        /// Open transactions of one session; 0 refuses BEGIN.
        max_transactions: usize = 16, Count { min: 0, max: 100_000 };

        /// Frames held by all open transactions of one session.
        max_transaction_frames: usize = 1_024, Count { min: 1, max: 1_000_000 };

        /// Bytes held by all open transactions of one session.
        max_transaction_bytes: usize = 4_194_304, Size { min: KIB, max: GIB };
    }

    /// The application that answers what is sent to `broker.application_prefix`.
    [application] Application {
        /// How long it may take to answer. A client's next frame waits until then.
        timeout: Duration = Duration::from_secs(30), PATIENCE;

        /// Requests of one session that handlers which run in parallel answer at a time; the next frame waits.
        max_parallel: usize = 16, Count { min: 1, max: 10_000 };

        /// Streams of replies that one session may have open; a request for one more fails with `too-many-streams`.
        max_streams: usize = 32, Count { min: 0, max: 100_000 };

        /// Requests of the application to clients that wait for a reply; more are refused.
        max_pending_replies: usize = 10_000, Count { min: 0, max: 10_000_000 };

        /// Failures that end the session even where its client listens to its errors: codes of
        /// [disconnect-codes.md](disconnect-codes.md).
        close_on: Vec<Reason> = Vec::new(), Reasons;

        /// Failures after which the session goes on even where its client does not listen to its errors, and so never
        /// hears of them: codes of [disconnect-codes.md](disconnect-codes.md).
        continue_on: Vec<Reason> = Vec::new(), Reasons;
    }

    /// Back ends that answer over HTTP what is sent to `broker.application_prefix`; see `webhooks.md`.
    [webhook] Webhook {
        /// Which destinations go to which url, each `PATTERN -> URL`; the first that matches counts. A pattern stands
        /// for what follows `broker.application_prefix`: `*` is one segment, `{name}` one that is told by its name,
        /// `**` at the end any number of them.
        routes: Vec<WebhookRoute> = Vec::new(), Routes;

        /// Who is asked whether a client may connect, and as whom. Absent: nobody.
        connect_url: Option<String> = None, HookUrl;

        /// Who is asked whether a client may subscribe to a destination of the broker. Absent: nobody.
        subscribe_url: Option<String> = None, HookUrl;

        /// Where the beginnings and ends of sessions and subscriptions are told. Absent: nowhere.
        events_url: Option<String> = None, HookUrl;

        /// What requests are signed with, by HMAC-SHA256, so that a back end knows whose they are. Better given by the
        /// environment than by a file.
        secret: Option<Secret> = None, SecretKey;

        /// How long a back end may take to answer one request, retries included. Before that a request may wait as
        /// long for one of `webhook.max_concurrency` to be free.
        timeout: Duration = Duration::from_secs(5), PATIENCE;

        /// Requests that back ends work on at the same time, all together.
        max_concurrency: usize = 64, Count { min: 1, max: 65_536 };

        /// Largest body of an answer.
        max_response_bytes: usize = 1_048_576, Size { min: KIB, max: GIB };

        /// How often a request is sent again when the connection was refused, or broke before the answer began. It has
        /// the same `Tidings-Request-Id` then.
        retries: u32 = 2, Count { min: 0, max: 10 };

        /// How long after the first of them; twice as long after each further one.
        retry_delay: Duration = Duration::from_millis(100),
            Time { min: Duration::from_millis(1), max: Duration::from_mins(1), or_zero: false };

        /// Requests in a row that a back end (a host and port) does not answer, or answers with 502, 503 or 504, until
        /// it is left alone.
        breaker_failures: u32 = 10, Count { min: 1, max: 1_000_000 };

        /// How long it is left alone, its requests failing at once; then one request tries whether it is back.
        breaker_rest: Duration = Duration::from_secs(5), PATIENCE;

        /// Events that may wait to be told; further ones are dropped and counted.
        max_events: usize = 1_024, Count { min: 1, max: 1_000_000 };
    }

    /// What waits for one client to read it.
    [outbox] Outbox {
        /// Bytes that may wait for one connection after the socket took what it could. Holds one message of the
        /// largest size, with every header as long as it may be. What waits for a SockJS session to listen again is
        /// counted by `sockjs.message_cache_bytes`.
        max_bytes: usize = 2_097_152, Size { min: KIB, max: 4 * GIB };

        /// What happens when more would wait. `close`: the connection is closed with the reason `slow-consumer`.
        /// `drop-oldest`: the oldest waiting messages are dropped. `keep-latest`: of each destination only the latest
        /// waiting message is kept, and the connection is closed if that is still too much.
        policy: SlowConsumerPolicy = SlowConsumerPolicy::Close, Policy;

        /// How long a connection may take no byte while some wait.
        send_timeout: Duration = Duration::from_secs(10), PATIENCE;
    }

    /// Destination prefixes and separator of the built-in broker.
    [broker] Broker {
        /// Prefixes of publish-subscribe destinations.
        topic_prefixes: Vec<String> = vec!["/topic/".to_owned()], Prefixes;

        /// Prefixes of point-to-point destinations.
        queue_prefixes: Vec<String> = vec!["/queue/".to_owned()], Prefixes;

        /// Prefix of the destinations that the application answers, where there is one.
        application_prefix: String = "/app/".to_owned(), Prefix;

        /// Prefix of the destinations of users: `/user/queue/x` is each session's own, `/user/NAME/queue/x` reaches all
        /// sessions of a user.
        user_prefix: String = "/user/".to_owned(), Prefix;

        /// Let every client send to the destinations of other users. Off, a client reaches only itself.
        clients_send_to_users: bool = false, Flag;

        /// What separates the segments of a destination after its prefix.
        separator: char = '/', Separator;

        /// Longest destination.
        max_destination_bytes: usize = 1_024, Size { min: 64, max: 64 * KIB };
    }

    /// Limits of point-to-point destinations.
    [queue] Queue {
        /// Queues that exist at the same time.
        max_queues: usize = 10_000, Count { min: 1, max: 10_000_000 };

        /// Bytes waiting or unacknowledged in one queue.
        max_bytes: usize = 16_777_216, Size { min: KIB, max: 1_024 * GIB };

        /// Bytes waiting or unacknowledged in all queues together.
        max_total_bytes: usize = 268_435_456, Size { min: KIB, max: 1_024 * GIB };

        /// How long a message waits when it names no expiry of its own.
        max_age: Duration = Duration::from_hours(1),
            Time { min: Duration::from_secs(1), max: Duration::from_hours(365 * 24), or_zero: false };

        /// Deliveries of one message before it goes to the dead-letter queue.
        max_deliveries: u32 = 5, Count { min: 1, max: 1_000_000 };

        /// Messages a consumer may hold unacknowledged when it names no `prefetch-count`.
        prefetch: u32 = 100, Count { min: 1, max: 65_535 };

        /// Destination of messages that were delivered too often.
        dead_letter: String = "/queue/dead-letter".to_owned(), PlainDestination;
    }
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// None is asked for.
    Off,
    /// One that is shown must be good.
    Optional,
    /// Nobody comes in without.
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// Which `Origin` headers a WebSocket handshake or a SockJS request may carry. One without it is allowed,
/// unless its `Sec-Fetch-Site` says that another origin asks and its `Referer` names none that may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Scheme, host and port of the request itself.
    SameOrigin,
    /// Same origin, and these, each `scheme://host[:port]` in lower case without a trailing slash.
    List(Vec<String>),
    /// Every origin.
    Any,
}

/// What happens to a client that reads slower than it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowConsumerPolicy {
    /// Close the connection with the reason `slow-consumer`.
    Close,
    /// Drop the oldest waiting messages.
    DropOldest,
    /// Keep only the latest waiting message of each destination; close if that is still too much.
    KeepLatest,
}

impl Webhook {
    /// Whether any back end is named: then webhooks are the application of the server.
    pub fn is_used(&self) -> bool {
        !self.routes.is_empty() || self.urls().next().is_some()
    }

    /// The keys that name one back end, those that are there.
    pub(crate) fn urls(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let urls = [
            ("webhook.connect_url", &self.connect_url),
            ("webhook.subscribe_url", &self.subscribe_url),
            ("webhook.events_url", &self.events_url),
        ];
        urls.into_iter()
            .filter_map(|(key, url)| Some((key, url.as_deref()?)))
    }
}

/// Destinations of the application that a back end answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRoute {
    /// What follows the application prefix: `trade/{symbol}`.
    pub pattern: String,
    /// Where requests go: `http://127.0.0.1:9000/trade`.
    pub url: String,
}

/// What nobody else may know: it shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(..)")
    }
}

/// Who says which user a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authenticator {
    /// The `login` header is the user's name; nothing is proven.
    TrustLogin,
}

/// A secret by which an application proves itself to the HTTP API. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Least bytes of a key: too many to guess, where they were drawn at random.
    pub const MIN_BYTES: usize = 16;

    /// Most bytes of a key.
    pub const MAX_BYTES: usize = 256;

    /// A key, if it has from [`MIN_BYTES`](Self::MIN_BYTES) to [`MAX_BYTES`](Self::MAX_BYTES) of the characters that a
    /// bearer token may have (RFC 6750, section 2.1).
    pub fn new(secret: &str) -> Option<Self> {
        let fits = (Self::MIN_BYTES..=Self::MAX_BYTES).contains(&secret.len());
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        (fits && secret.bytes().all(token)).then(|| Self(secret.to_owned()))
    }

    /// Whether `shown` is this key. Takes as long for a wrong guess as for one that is nearly right; only its length
    /// shows.
    pub fn is(&self, shown: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let difference = own.iter().zip(shown).fold(0, |all, (own, shown)| {
            std::hint::black_box(all | (own ^ shown))
        });
        own.len() == shown.len() && difference == 0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(hidden)")
    }
}
