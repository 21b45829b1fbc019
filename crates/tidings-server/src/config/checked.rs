//! The checked configuration: every value is in range, every default filled in.
//!
//! A key is one entry of the table below: its doc comment is its text in `docs/configuration.md`, its type and default
//! are those of the struct, and its [`Form`] is what the parser accepts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tidings_core::destination::{self, Destinations, MAX_SEGMENTS};
use tidings_core::disconnect::Reason;
use tidings_core::user::WhenFull;

use super::api_key::ApiKey;
use super::form::{
    Address, AddressOrOff, ApiKeys, Authenticators, CaFile, ClientCertificatesWord, Count, File,
    Flag, Folder, Form, HookUrl, Issuers, Key as SecretKey, Networks, Origins, OwnAddress,
    PlainDestination, Policy, Prefix, Prefixes, Reasons, Routes, RuleLines, ScriptUrl, Separator,
    Size, Time, TlsVersionWord, Token, TooMany, UrlPath, Word, Words,
};
use super::key::{Key, Section, sections};
use super::network::Network;
pub use super::values::{
    AllowedOrigins, AuthenticatorKind, ClientCertificates, JwtIssuer, KeySource, Secret,
    SlowConsumerPolicy, TlsVersion, WebhookRoute,
};

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

        /// Connections that one address (of IPv6: one network of 64 bits) may have open at the same time; more are
        /// refused with `too-many-from-address`. A tenth of `server.max_connections` by default: a large office behind
        /// one address fits in, and no address fills the server alone. Connections from this machine are not counted,
        /// nor are those of `server.trusted_proxies`, but the clients behind them are. Zero is no limit.
        max_connections_per_address: usize = 10_000, Count { min: 0, max: 10_000_000 };

        /// Clients that may begin in a second, all together: WebSockets, SockJS sessions, connections of STOMP over TCP.
        /// As many again may come at once after a quiet second; more are refused with `too-many-handshakes`. Those from
        /// this machine are not counted. By default a full server's clients are back within two minutes. Zero is no
        /// limit.
        max_handshakes_per_second: u32 = 1_000, Count { min: 0, max: 1_000_000 };

        /// The same for one address (of IPv6: one network of 64 bits). Zero is no limit.
        max_handshakes_per_second_per_address: u32 = 100, Count { min: 0, max: 1_000_000 };

        /// Proxies whose word on their clients is taken: `Forwarded`, `X-Forwarded-For`, `X-Forwarded-Proto` and
        /// `X-Forwarded-Host`, and the PROXY protocol. What others say there is ignored. See [proxies.md](proxies.md).
        trusted_proxies: Vec<Network> = Vec::new(), Networks;

        /// How long a shutdown may take before connections are cut.
        shutdown_timeout: Duration = Duration::from_secs(10),
            Time { min: Duration::ZERO, max: Duration::from_hours(1), or_zero: false };

        /// Where durable state will live. This version keeps none and writes nothing there.
        data_dir: PathBuf = PathBuf::from("tidings-data"), Folder, flag "--data-dir";
    }

    /// Who says who a client is, and what it may do; see [security.md](security.md).
    [security] Security {
        /// Absent: there is no authentication, so only loopback addresses are listened on. `jwt`: tokens, see `[jwt]`.
        /// `users`: names and passcodes, see `[users]`. `webhook`: `webhook.authenticate_url` is asked. Of several the
        /// first that takes a kind of credential is asked. `trust-login`: every `login` of a client is taken as that
        /// user's name, unproven, also on addresses that others can reach.
        authenticator: Vec<AuthenticatorKind> = Vec::new(), Authenticators;

        /// Let clients in that show no credentials. What they may do the rules say.
        anonymous: bool = false, Flag;

        /// What clients may do, see [access-rules.md](access-rules.md): the first rule that applies decides, and what none
        /// allows is refused. Without any, everything is allowed where there is no authentication or `trust-login`, and
        /// nothing where there is.
        rules: Vec<String> = Vec::new(), RuleLines;

        /// The cookie of the HTTP request that holds a token. Absent: cookies prove nothing. With it a page has to come
        /// from this site or from `websocket.allowed_origins`, which may not be `*`.
        cookie: Option<String> = None, Token;

        /// The cookie whose value CONNECT has to repeat in a header `X-CSRF-TOKEN` or `X-XSRF-TOKEN` where
        /// `security.cookie` is the proof. Absent: the origin of the page is what protects.
        csrf_cookie: Option<String> = None, Token;

        /// The parameter in the query of a WebSocket handshake that holds a ticket: a token that lives no longer than
        /// `jwt.max_ticket_lifetime`, since urls stand in logs. Absent: none.
        ticket_parameter: Option<String> = None, Token;

        /// How long it may take to find out who a client is.
        authentication_timeout: Duration = Duration::from_secs(10), PATIENCE;

        /// Threads that check signatures and passcodes, so that messages need not wait for that.
        authentication_threads: usize = 1, Count { min: 1, max: 64 };

        /// Signatures and passcodes that may wait to be checked; who comes then hears `authentication-unavailable`.
        max_pending_authentications: usize = 4_096, Count { min: 1, max: 1_000_000 };

        /// How long a revocation lasts that does not say until when, and the longest that one may last; see
        /// [http-api.md](http-api.md#revoke). Make it as long as your longest token lives: a token that outlives its
        /// revocation counts again.
        revocation_time: Duration = Duration::from_hours(24),
            Time { min: Duration::from_mins(1), max: Duration::from_hours(8_784), or_zero: false };

        /// Revocations of tokens and users that last at the same time. When there are more, new ones are refused until
        /// old ones end; none is forgotten before its time.
        max_revocations: usize = 100_000, Count { min: 1, max: 10_000_000 };
    }

    /// Users with passcodes, for `security.authenticator = "users"`.
    [users] Users {
        /// The file: a line `NAME:HASH` or `NAME:HASH:ROLE,ROLE` for each, with what `tidings hash` prints.
        file: Option<PathBuf> = None, File;
    }

    /// Signed tokens (JWT, RFC 7519), for `security.authenticator = "jwt"`.
    [jwt] Jwt {
        /// The secret of HS256, HS384 and HS512, at least as long as the hash: 32, 48 or 64 bytes. Better given by the
        /// environment than by a file.
        secret: Option<Secret> = None, SecretKey;

        /// Whose tokens are taken (`iss`), each `ISSUER -> KEYS`; the keys of one issuer
        /// verify no token of another. `secret` for KEYS: those that `jwt.secret` signs. Empty: tokens that `jwt.secret`
        /// signs, whatever their issuer.
        issuers: Vec<JwtIssuer> = Vec::new(), Issuers;

        /// Certificates (PEM) of authorities that urls of keys are trusted by, besides those of the system.
        ca: Option<PathBuf> = None, CaFile;

        /// A token must be for one of these (`aud`). Empty: only tokens that are for nobody in particular are taken.
        audiences: Vec<String> = Vec::new(), Words;

        /// Algorithms that are taken. Empty: those that fit the keys.
        algorithms: Vec<String> = Vec::new(), Words;

        /// How far the clocks of issuers may be off.
        leeway: Duration = Duration::from_secs(30),
            Time { min: Duration::ZERO, max: Duration::from_mins(10), or_zero: true };

        /// Claims that a token must have.
        required_claims: Vec<String> = Vec::new(), Words;

        /// The claim that holds the user's name.
        name_claim: String = "sub".to_owned(), Word;

        /// The claim that holds the roles: a list, or words in one text. `realm_access.roles` is one within another.
        roles_claim: String = "roles".to_owned(), Word;

        /// Longest time between `iat` and `exp` of a token that comes in a query.
        max_ticket_lifetime: Duration = Duration::from_mins(1),
            Time { min: Duration::from_secs(1), max: Duration::from_hours(1), or_zero: false };

        /// How often keys are fetched again from urls.
        refresh_interval: Duration = Duration::from_mins(10),
            Time { min: Duration::from_secs(1), max: Duration::from_hours(24), or_zero: false };

        /// At most this often they are fetched because a token names a key that is not known, whatever tokens come.
        min_refresh_interval: Duration = Duration::from_secs(30),
            Time { min: Duration::from_millis(100), max: Duration::from_hours(1), or_zero: false };
    }

    /// The audit log: who was refused what, and what operators did; see [audit.md](audit.md).
    [audit] Audit {
        /// Events of one kind that one user, or one address where no user is known, may cause in a minute, and as many
        /// at once. Further ones are counted instead of written. What operators do is always written. Zero: as many as
        /// there are.
        max_per_minute: u32 = 60, Count { min: 0, max: 1_000_000 };

        /// Events that all clients together may cause in a minute. Zero: as many as there are.
        max_total_per_minute: u32 = 3_000, Count { min: 0, max: 100_000_000 };
    }

    /// The HTTP listener, which also carries WebSocket and SockJS.
    [http] Http {
        /// Address of HTTP, WebSocket and SockJS.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), Address, flag "--listen";

        /// Every connection begins with a header of the PROXY protocol, version 1 or 2; whoever is none of
        /// `server.trusted_proxies` is cut.
        proxy_protocol: bool = false, Flag;

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
        /// `sockjs.legacy_transports`. `*.` before a host stands for one label or more, never for none:
        /// `https://*.example.com` is not `https://example.com`. `:*` stands for every port.
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

        /// As `http.proxy_protocol`.
        proxy_protocol: bool = false, Flag;

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

        /// One for each application: `NAME SCOPE,SCOPE SECRET`, or a secret alone, which has every scope. A request shows
        /// the secret as `Authorization: Bearer SECRET`; the audit log has the name. Scopes: `read`, `administer`
        /// (disconnect, unsubscribe, revoke), `publish`, and `publish:PATTERN` for destinations alone that match, as in
        /// [access-rules.md](access-rules.md). Changes count at once.
        keys: Vec<ApiKey> = Vec::new(), ApiKeys;

        /// Wrong keys that one address (of IPv6: one network of 64 bits) may show in a minute; then every key from there
        /// is answered with 429 until time has passed. Zero: as many as it likes. Behind a proxy that is not in
        /// `server.trusted_proxies` all have its address.
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
        /// Frames that a client may send in a second; at once, if it was quiet, as many as in five seconds. A frame of
        /// WebSocket and a message of SockJS count too, where they hold less than a frame of STOMP; heart-beats over TCP
        /// do not. Who sends more is read no faster; zero is no limit. A person's client sends a few in a second: this
        /// leaves room for applications that publish over STOMP.
        max_frames_per_second: u32 = 10_000, Count { min: 0, max: 100_000_000 };

        /// Bytes that a client may send in a second, inflated; at once, if it was quiet, as many as in five seconds. Who
        /// sends more is read no faster; zero is no limit.
        max_bytes_per_second: usize = 67_108_864, Size { min: 0, max: 64 * GIB };

        /// For how long a client that has sent more than it may is not read. Where it would have to be longer, the
        /// connection is closed with the reason `rate-exceeded`.
        rate_patience: Duration = Duration::from_secs(10),
            Time { min: Duration::from_millis(100), max: Duration::from_mins(10), or_zero: true };

        /// Sessions that one user may have on this server at the same time; zero is no limit. Who did not log in is not
        /// counted. The default stops a runaway and nobody else, since whole applications share a login; where each user
        /// is a person, 10 is enough for their tabs and devices.
        max_per_user: usize = 1_000, Count { min: 0, max: 1_000_000 };

        /// What happens when a user who has `max_per_user` sessions connects once more. `refuse`: the new session gets
        /// the code `too-many-sessions`. `close-oldest`: the oldest session ends with the code `session-replaced`.
        on_too_many: WhenFull = WhenFull::Refuse, TooMany;

        /// Subscriptions of one session. Guides say 5 for the page of one person; dashboards that follow a destination for
        /// each row have hundreds.
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

        /// Who is asked whose the credentials are that a client shows, where a webhook authenticates. Absent: nobody.
        /// A program may answer the application itself beside it.
        authenticate_url: Option<String> = None, HookUrl;

        /// Where the beginnings and ends of sessions and subscriptions are told. Absent: nowhere.
        events_url: Option<String> = None, HookUrl;

        /// What requests are signed with, by HMAC-SHA256, so that a back end knows whose they are. Better given by the
        /// environment than by a file.
        secret: Option<Secret> = None, SecretKey;

        /// A PEM file with the certificates of further authorities that may vouch for back ends with `https://`, beside
        /// those that the system trusts. Read when the server starts.
        ca: Option<PathBuf> = None, CaFile;

        /// How long a back end may take to answer one request, connecting, TLS and retries included. Before that a request may wait as
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

        /// Most segments of a destination; those of the prefix count.
        max_destination_segments: usize = MAX_SEGMENTS, Count { min: 4, max: MAX_SEGMENTS };
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

impl Config {
    /// Which destinations there are.
    pub fn destinations(&self) -> Destinations {
        let broker = &self.broker;
        Destinations {
            topic_prefixes: broker.topic_prefixes.clone(),
            queue_prefixes: broker.queue_prefixes.clone(),
            application_prefix: broker.application_prefix.clone(),
            user_prefix: broker.user_prefix.clone(),
            separator: match broker.separator {
                '.' => destination::Separator::Dot,
                _ => destination::Separator::Slash,
            },
            max_bytes: broker.max_destination_bytes,
            max_segments: broker.max_destination_segments,
        }
    }
}
