//! Every goodbye: why a connection ended, whether to come back, and how that is said on each wire.
//!
//! One table serves the `code` header of ERROR frames, the close code of WebSocket and SockJS, the label of the
//! metrics, and the page `docs/disconnect-codes.md`.

use std::fmt;

macro_rules! reasons {
    ($($variant:ident $name:literal $code:literal $retry:ident $sentence:literal)*) => {
        /// Why a connection ended, or a frame was refused (which ends the connection, STOMP 1.2, "ERROR").
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $sentence] $variant,)*
        }

        /// One row per [`Reason`], in the order of its variants.
        const TABLE: &[Row] = &[
            $(Row {
                reason: Reason::$variant,
                name: $name,
                close_code: $code,
                retry: retry::$retry,
                sentence: $sentence,
            },)*
        ];
    };
}

mod retry {
    pub(super) const RETRY: bool = true;
    pub(super) const STAY: bool = false;
}

struct Row {
    reason: Reason,
    name: &'static str,
    close_code: u16,
    retry: bool,
    sentence: &'static str,
}

reasons! {
    Normal "normal" 1000 STAY "The client said goodbye."
    Shutdown "shutdown" 1001 RETRY "The server is shutting down; another node, or this one restarted, takes you."
    WebSocketProtocol "websocket-protocol" 1002 STAY "The client broke the WebSocket protocol (RFC 6455)."
    SockJsProtocol "sockjs-protocol" 1002 STAY "The client broke SockJS: what it sent is no JSON array of strings."
    ConnectionReset "connection-reset" 1006 RETRY "The connection broke without a goodbye."
    HandshakeFailed "handshake-failed" 1006 STAY "The HTTP request did not become a WebSocket: wrong path, origin, version or subprotocol."
    InvalidUtf8 "invalid-utf8" 1007 STAY "Text was not valid UTF-8."
    Refused "refused" 1008 STAY "The server refused the login, or what it was asked to do."
    BodyTooLarge "body-too-large" 1009 STAY "The body of a frame is larger than the server takes."
    WebSocketTooLarge "websocket-too-large" 1009 STAY "A WebSocket frame or message is larger than the server takes."
    InternalError "internal-error" 1011 RETRY "The server failed; its log says why."

    ConnectTimeout "connect-timeout" 4000 RETRY "No complete CONNECT frame came in time."
    HeartBeatMissed "heart-beat-missed" 4001 RETRY "The client was silent for longer than the heart-beat it promised."
    SlowConsumer "slow-consumer" 4002 RETRY "The client read slower than it was sent to, and too much was waiting."
    SendTimeout "send-timeout" 4003 RETRY "The client took no bytes for too long."
    TooManyConnections "too-many-connections" 4004 RETRY "The server has as many connections as it may; wait before you come back."
    QueueFull "queue-full" 4005 RETRY "The queue holds as many bytes as it may; wait until its consumers have caught up."
    TooManyQueues "too-many-queues" 4006 RETRY "The server has as many queues as it may; use fewer, or wait until one is empty."

    Overloaded "overloaded" 4007 RETRY "The server has more to deliver than it can at the moment."
    ApplicationTimeout "application-timeout" 4008 RETRY "The application did not answer in time."
    ApplicationUnavailable "application-unavailable" 4009 RETRY "The application cannot be reached at the moment."

    TokenExpired "token-expired" 4010 RETRY "The proof of who the session is has expired; come back with a new token."
    AuthenticationUnavailable "authentication-unavailable" 4011 RETRY "Whoever says who a client is cannot be asked at the moment."
    RateExceeded "rate-exceeded" 4012 RETRY "The session sent more frames or bytes a second than it may; send less."
    TooManyHandshakes "too-many-handshakes" 4013 RETRY "More clients connect a second than the server takes; wait before you come back."
    TooManyFromAddress "too-many-from-address" 4014 RETRY "The address has as many connections as it may."

    UnknownCommand "unknown-command" 4500 STAY "STOMP has no such command for clients; commands are upper case."
    HeaderTooLong "header-too-long" 4501 STAY "A header line is longer than the server takes."
    TooManyHeaders "too-many-headers" 4502 STAY "A frame has more headers than the server takes."
    InvalidContentLength "invalid-content-length" 4503 STAY "The content-length header is not a plain decimal number."
    MissingNul "missing-nul" 4504 STAY "No NUL follows the body; content-length counts octets, not characters."
    InvalidEscape "invalid-escape" 4505 STAY "A header has an escape that the STOMP version in use does not define."
    InvalidHeader "invalid-header" 4506 STAY "A header line has no colon, an empty name, or a value that makes no sense."
    UnexpectedBody "unexpected-body" 4507 STAY "Only SEND may carry a body."
    NotConnected "not-connected" 4508 STAY "The first frame must be CONNECT or STOMP."
    AlreadyConnected "already-connected" 4509 STAY "A second CONNECT came on a connected session."
    UnsupportedVersion "unsupported-version" 4510 STAY "No version in accept-version is spoken here; 1.0, 1.1 and 1.2 are."
    MissingHeader "missing-header" 4511 STAY "The frame lacks a header that its command requires."
    NotInVersion "not-in-version" 4512 STAY "The STOMP version in use has no such frame or header value."
    InvalidHeartBeat "invalid-heart-beat" 4513 STAY "The heart-beat header is not two numbers of milliseconds."
    UnexpectedCommand "unexpected-command" 4514 STAY "The command is for servers to send."
    CommandTooLong "command-too-long" 4515 STAY "The first line of a frame is longer than any command."
    UnexpectedNul "unexpected-nul" 4516 STAY "A NUL stands in the head of a frame, before the empty line that ends it."

    UnknownDestination "unknown-destination" 4520 STAY "The destination starts with no prefix that the server knows, or the application has no such."
    InvalidDestination "invalid-destination" 4521 STAY "The destination is not well formed, or has wildcards where none may be."
    UnknownSubscription "unknown-subscription" 4522 STAY "The session has no subscription with this id."
    SubscriptionExists "subscription-exists" 4523 STAY "The session already has a subscription with this id."
    TooManySubscriptions "too-many-subscriptions" 4524 STAY "The session has as many subscriptions as it may."
    UnknownAck "unknown-ack" 4525 STAY "ACK or NACK names a message that is not waiting for it."
    UnknownTransaction "unknown-transaction" 4526 STAY "The session has no open transaction with this name."
    TransactionExists "transaction-exists" 4527 STAY "The session already has an open transaction with this name."
    TooManyTransactions "too-many-transactions" 4528 STAY "The session has as many open transactions as it may."
    TransactionTooLarge "transaction-too-large" 4529 STAY "The open transactions of the session hold as many frames or bytes as they may."
    ApplicationFailed "application-failed" 4532 STAY "The application could not do what it was asked."
    DisconnectedByApplication "disconnected-by-application" 4533 STAY "The application ended the connection."
    TooManyStreams "too-many-streams" 4534 STAY "The session has as many streams of replies open as it may."
    BinaryOverSockJs "binary-over-sockjs" 4530 STAY "A message has a body that is not text, which SockJS cannot carry; subscribe over WebSocket or TCP."
    InvalidPayload "invalid-payload" 4531 STAY "The body is not what the application takes at this destination."

    Unauthenticated "unauthenticated" 4540 STAY "The client showed no credentials, and the server lets nobody in without."
    BadCredentials "bad-credentials" 4541 STAY "The credentials prove nobody."
    Forbidden "forbidden" 4542 STAY "The access rules do not allow it."
    Revoked "revoked" 4543 STAY "The session, its user or its token was revoked."
    TooManySessions "too-many-sessions" 4544 STAY "The user has as many sessions as one user may."
    SessionReplaced "session-replaced" 4545 STAY "The user connected once more than one user may; this was the oldest session."
    TokenMismatch "token-mismatch" 4546 STAY "A token for renewal proves another user than the session's."
}

impl Reason {
    /// Every reason, in the order of the table.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(|row| row.reason)
    }

    /// The reason with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.reason)
    }

    /// Kebab-case name: the `code` header of an ERROR, the label of a metric.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Close code of WebSocket, and of the close frame of SockJS: RFC 6455, section 7.4.1 where it has one that fits, else
    /// 4000-4499 where connecting again may help and 4500-4999 where it will not.
    ///
    /// 1006 is what a client reports when no close frame came; a server never sends it.
    pub fn close_code(self) -> u16 {
        self.row().close_code
    }

    /// Whether a client should connect again by itself (with back-off), without changing what it does.
    pub fn retry(self) -> bool {
        self.row().retry
    }

    /// One sentence for people.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
