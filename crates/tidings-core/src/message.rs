//! What is carried: a message, its identity, and which headers of its sender reach a subscriber.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tidings_stomp::Headers;

use crate::disconnect::Reason;

/// Headers of a SEND that never reach a MESSAGE as the sender wrote them, sorted.
///
/// The server writes most of them itself on a MESSAGE, so that a subscriber can trust them (`subscription`,
/// `message-id`, `ack`, `destination`, `content-length`, `redelivered`, `delivery-count`, and on a dead letter
/// `original-destination` and `dead-letter-reason`); the others concern only the sender and the server (`receipt`,
/// `receipt-id`, `transaction`), or are secrets (`login`, `passcode`).
/// Every other header is passed on (STOMP 1.2, "SEND"), `content-type`, `expires` and `reply-to` among them.
pub const RESERVED_HEADERS: &[&str] = &[
    "ack",
    "content-length",
    "dead-letter-reason",
    "delivery-count",
    "destination",
    "login",
    "message-id",
    "original-destination",
    "passcode",
    "receipt",
    "receipt-id",
    "redelivered",
    "subscription",
    "transaction",
];

/// Headers by which pages prove who they are, also where a client sends them with every frame. They never reach a MESSAGE,
/// in capitals or not.
pub const SECRET_HEADERS: [&str; 3] = ["authorization", "x-csrf-token", "x-xsrf-token"];

/// The headers of a SEND that reach its MESSAGE: all but [`RESERVED_HEADERS`] and [`SECRET_HEADERS`], in order.
pub fn deliverable_headers(send: &Headers) -> Headers {
    let is_reserved = |name: &str| RESERVED_HEADERS.binary_search(&name).is_ok();
    let is_secret = |name: &str| {
        SECRET_HEADERS
            .iter()
            .any(|one| one.eq_ignore_ascii_case(name))
    };
    send.iter()
        .filter(|(name, _)| !is_reserved(name) && !is_secret(name))
        .collect()
}

/// When a message expires, in milliseconds since the Unix epoch; `None` = it names no time.
///
/// Reads `expires` (absolute, as ActiveMQ and Artemis do) and `expiration` (milliseconds from now, as RabbitMQ does);
/// 0 means never, and of two times the earlier counts.
///
/// # Errors
/// A value that is not a plain decimal number of at most 64 bits.
pub fn expiry(send: &Headers, now_ms: u64) -> Result<Option<u64>, ExpiryError> {
    let absolute = milliseconds(send, "expires")?;
    let relative = milliseconds(send, "expiration")?.map(|after| now_ms.saturating_add(after));
    Ok(absolute.into_iter().chain(relative).min())
}

fn milliseconds(headers: &Headers, name: &'static str) -> Result<Option<u64>, ExpiryError> {
    match headers.get(name) {
        None => Ok(None),
        Some(value) => match decimal(value) {
            Some(0) => Ok(None),
            Some(number) => Ok(Some(number)),
            None => Err(ExpiryError { header: name }),
        },
    }
}

/// `str::parse` alone would take a leading `+`.
fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// The header says no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the header {header} is not a number of milliseconds: write decimal digits only, or 0 for never"
)]
pub struct ExpiryError {
    /// Which header.
    pub header: &'static str,
}

impl ExpiryError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::InvalidHeader
    }
}

/// Identity of a message on this node. Later messages have greater ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u64);

/// Makes message ids and their text form `prefix-number`, which is unique across nodes and restarts.
#[derive(Debug)]
pub struct MessageIds {
    prefix: Box<str>,
    next: AtomicU64,
}

impl MessageIds {
    /// Ids with this prefix. The caller makes it unguessable and new at each start of the node, of characters that
    /// no STOMP version escapes.
    pub fn new(prefix: impl Into<Box<str>>) -> Self {
        Self {
            prefix: prefix.into(),
            next: AtomicU64::new(1),
        }
    }

    /// A new id, from any thread.
    pub fn next(&self) -> MessageId {
        MessageId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Appends the text of `id`.
    pub fn write(&self, id: MessageId, out: &mut Vec<u8>) {
        const MAX_DIGITS: usize = 20;
        let mut digits = [0; MAX_DIGITS];
        let mut start = MAX_DIGITS;
        let mut rest = id.0;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        out.extend_from_slice(self.prefix.as_bytes());
        out.push(b'-');
        out.extend_from_slice(&digits[start..]);
    }

    /// The text of `id`.
    pub fn text(&self, id: MessageId) -> String {
        format!("{}-{}", self.prefix, id.0)
    }

    /// The id in a text that this node wrote; `None` for any other text, that of another node included.
    pub fn parse(&self, text: &str) -> Option<MessageId> {
        let number = text.strip_prefix(&*self.prefix)?.strip_prefix('-')?;
        let canonical = number == "0" || !number.starts_with('0');
        canonical.then(|| decimal(number).map(MessageId))?
    }
}

/// One message on its way.
#[derive(Debug, Clone)]
pub struct Message {
    /// Identity; the MESSAGE frame carries its text.
    pub id: MessageId,
    /// Where it was sent to.
    pub destination: Arc<str>,
    /// The topic by which subscribers are found, where that is not the destination that they see.
    pub topic: Option<Arc<str>>,
    /// What subscribers may see: see [`deliverable_headers`].
    pub headers: Headers,
    /// The payload.
    pub body: Bytes,
    /// When it stops being worth delivering, in milliseconds since the Unix epoch: see [`expiry`].
    pub expires_at_ms: Option<u64>,
}

impl Message {
    /// A copy whose headers and body pin no larger buffer, such as the one that its frame was read into: what is
    /// stored for long should be detached.
    pub fn detached(&self) -> Self {
        Self {
            id: self.id,
            destination: self.destination.clone(),
            topic: self.topic.clone(),
            headers: self.headers.iter().collect(),
            body: Bytes::copy_from_slice(&self.body),
            expires_at_ms: self.expires_at_ms,
        }
    }

    /// The topic by which subscribers are found.
    pub fn topic(&self) -> &str {
        self.topic.as_deref().unwrap_or(&self.destination)
    }

    /// Bytes that this message costs in memory: body, headers, destination, itself and its place in a queue.
    pub fn weight(&self) -> usize {
        /// Two nodes of ordered maps, a hash entry, and the counters of two shared pointers.
        const PLACE_IN_QUEUE: usize = 144;
        const HEADER_OVERHEAD: usize = 16;
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|(name, value)| name.len() + value.len() + HEADER_OVERHEAD)
            .sum();
        let names = self.destination.len() + self.topic.as_ref().map_or(0, |topic| topic.len());
        size_of::<Self>() + PLACE_IN_QUEUE + names + headers + self.body.len()
    }
}
