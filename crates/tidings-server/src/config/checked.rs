//! The checked configuration: every value is in range, every default filled in.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Everything the server needs to know before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// The process as a whole.
    pub server: Server,
    /// The HTTP listener, which also carries WebSocket.
    pub http: Http,
    /// The WebSocket endpoint.
    pub websocket: WebSocket,
    /// The STOMP-over-TCP listener.
    pub tcp: Tcp,
    /// The private listener for health, metrics and statistics.
    pub admin: Admin,
    /// The STOMP protocol on every link.
    pub stomp: Stomp,
    /// What one client session may hold.
    pub session: Session,
    /// What waits for one client to read it.
    pub outbox: Outbox,
    /// Destination prefixes and separator of the built-in broker.
    pub broker: Broker,
    /// Limits of `/queue` destinations.
    pub queue: Queue,
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Threads that own connections. 0 means one per core.
    pub workers: usize,
    /// Connections open at the same time, all listeners together; more are refused.
    pub max_connections: usize,
    /// How long a shutdown may take before connections are cut.
    pub shutdown_timeout: Duration,
    /// Where durable state lives.
    pub data_dir: PathBuf,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Address of HTTP and WebSocket.
    pub listen: SocketAddr,
    /// Serve the demo page at `/`.
    pub demo: bool,
}

/// `[websocket]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSocket {
    /// Path of the endpoint.
    pub path: String,
    /// Which pages may connect.
    pub allowed_origins: AllowedOrigins,
    /// Accept permessage-deflate when a client offers it.
    pub compression: bool,
    /// Largest WebSocket frame payload accepted, in bytes.
    pub max_frame_bytes: usize,
    /// Largest WebSocket message accepted, all fragments together and inflated, in bytes.
    pub max_message_bytes: usize,
    /// From accept to the end of the HTTP request head.
    pub handshake_timeout: Duration,
}

/// Which `Origin` headers a WebSocket handshake may carry. A request without `Origin` (not a browser) is always allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Scheme, host and port of the request itself.
    SameOrigin,
    /// Same origin, and these, each `scheme://host[:port]` in lower case without a trailing slash.
    List(Vec<String>),
    /// Every origin.
    Any,
}

/// `[tcp]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tcp {
    /// Address of STOMP over TCP; absent = off.
    pub listen: Option<SocketAddr>,
}

/// `[admin]`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Admin {
    /// Address of the private listener; absent = off.
    pub listen: Option<SocketAddr>,
}

/// `[stomp]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stomp {
    /// From the link being ready to a complete CONNECT frame.
    pub connect_timeout: Duration,
    /// Shortest interval at which the server offers to send heart-beats; zero = never.
    pub heart_beat_send: Duration,
    /// Interval at which the server wants heart-beats of the client; zero = never.
    pub heart_beat_receive: Duration,
    /// Largest body, in bytes.
    pub max_body_bytes: usize,
    /// Longest header line, in bytes.
    pub max_header_line_bytes: usize,
    /// Most headers of a frame.
    pub max_headers: usize,
}

/// `[session]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Subscriptions of one session.
    pub max_subscriptions: usize,
    /// Open transactions of one session.
    pub max_transactions: usize,
    /// Frames held by all open transactions of one session.
    pub max_transaction_frames: usize,
    /// Bytes held by all open transactions of one session.
    pub max_transaction_bytes: usize,
}

/// `[outbox]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// Bytes that may wait for one connection after the socket took what it could.
    pub max_bytes: usize,
    /// What happens when more would wait.
    pub policy: SlowConsumerPolicy,
    /// How long a connection may take no byte while some wait.
    pub send_timeout: Duration,
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

/// `[broker]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Prefixes of publish-subscribe destinations.
    pub topic_prefixes: Vec<String>,
    /// Prefixes of point-to-point destinations.
    pub queue_prefixes: Vec<String>,
    /// What separates the segments of a destination: `/` or `.`.
    pub separator: char,
    /// Longest destination, in bytes.
    pub max_destination_bytes: usize,
}

/// `[queue]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Queues that exist at the same time.
    pub max_queues: usize,
    /// Bytes waiting or unacknowledged in one queue.
    pub max_bytes: usize,
    /// Bytes waiting or unacknowledged in all queues together.
    pub max_total_bytes: usize,
    /// How long a message waits when it names no expiry of its own.
    pub max_age: Duration,
    /// Deliveries of one message before it goes to the dead-letter queue.
    pub max_deliveries: u32,
    /// Messages a consumer may hold unacknowledged when it names no `prefetch-count`.
    pub prefetch: u32,
    /// Destination of messages that were delivered too often.
    pub dead_letter: String,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            workers: 0,
            max_connections: 100_000,
            shutdown_timeout: Duration::from_secs(10),
            data_dir: PathBuf::from("tidings-data"),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            demo: false,
        }
    }
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            path: "/ws".to_owned(),
            allowed_origins: AllowedOrigins::SameOrigin,
            compression: false,
            max_frame_bytes: 1_114_112,
            max_message_bytes: 1_114_112,
            handshake_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for Stomp {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            heart_beat_send: Duration::from_secs(10),
            heart_beat_receive: Duration::from_secs(10),
            max_body_bytes: 1_048_576,
            max_header_line_bytes: 8_192,
            max_headers: 128,
        }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            max_subscriptions: 1_000,
            max_transactions: 16,
            max_transaction_frames: 1_024,
            max_transaction_bytes: 4_194_304,
        }
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            max_bytes: 2_097_152,
            policy: SlowConsumerPolicy::Close,
            send_timeout: Duration::from_secs(10),
        }
    }
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            topic_prefixes: vec!["/topic/".to_owned()],
            queue_prefixes: vec!["/queue/".to_owned()],
            separator: '/',
            max_destination_bytes: 1_024,
        }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            max_queues: 10_000,
            max_bytes: 16_777_216,
            max_total_bytes: 268_435_456,
            max_age: Duration::from_secs(3_600),
            max_deliveries: 5,
            prefetch: 100,
            dead_letter: "/queue/dead-letter".to_owned(),
        }
    }
}
