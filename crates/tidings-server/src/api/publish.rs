//! Sends messages.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use tidings_core::application::{Broker, Outgoing, ReachedFuture, Recipient};
use tidings_core::destination::{Destination, Destinations};
use tidings_core::disconnect::Reason;
use tidings_core::message::RESERVED_HEADERS;
use tidings_core::user::UserTarget;
use tidings_stomp::{Headers, Limits};
use tokio::time::{Instant, timeout_at};

use super::access::Caller;
use super::page::object;
use super::problem::{Kind, Problem};
use super::{Answered, Answering, Api, Call, encode, sessions};
use crate::node::{Node, lock};
use crate::security::Need;
use crate::worker::Mailbox;

/// Most messages of a batch.
pub(super) const MAX_BATCH: usize = 1_000;

/// How long the workers may take to count. They do so within a turn, unless one is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// A message as a request has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message<'a> {
    destination: Option<String>,
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    body_base64: Option<String>,
    /// Null is a body too.
    #[serde(borrow, default, deserialize_with = "present")]
    json: Option<&'a RawValue>,
    content_type: Option<String>,
    ttl_ms: Option<u64>,
    /// Whether to wait until it is known how many sessions a topic's message reached.
    count: Option<bool>,
}

fn present<'de, D: Deserializer<'de>>(source: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(source).map(Some)
}

/// Tells a batch from a message.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct Sent {
    status: u16,
    /// Null where it is not known.
    sessions_reached: Option<usize>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Sent(Sent),
    Failed(Problem),
}

#[derive(Serialize)]
struct Results {
    results: Vec<Outcome>,
}

/// What is known of a message that was sent.
enum Reached {
    Now(Option<usize>),
    /// Workers count.
    Later(ReachedFuture),
}

impl Reached {
    async fn known(self, deadline: Instant) -> Sent {
        let sessions_reached = match self {
            Self::Now(reached) => reached,
            Self::Later(counted) => timeout_at(deadline, counted).await.ok(),
        };
        Sent {
            status: 200,
            sessions_reached,
        }
    }
}

/// Whose the path of a message is.
enum Target<'a> {
    /// Nobody's: the message names a destination.
    Destination,
    User(&'a str),
    Session(&'a str),
}

/// Which way a message goes.
enum Way {
    Destination(String),
    /// What has subscribed to a path.
    Path(Recipient, String),
}

impl Target<'_> {
    fn way(&self, destination: Option<String>, path: Option<String>) -> Result<Way, Problem> {
        match (self, destination, path) {
            (Self::Destination, Some(destination), None) => Ok(Way::Destination(destination)),
            (Self::User(name), None, Some(path)) => {
                Ok(Way::Path(Recipient::User((*name).into()), path))
            }
            (Self::Session(id), None, Some(path)) => {
                Ok(Way::Path(Recipient::Session((*id).into()), path))
            }
            (Self::Destination, ..) => Err(invalid("name a `destination`, and no `path`")),
            _ => Err(invalid(
                "name a `path`, such as queue/x, and no `destination`",
            )),
        }
    }
}

impl Way {
    /// The destination that goes this way, for the scopes of keys.
    fn destination(&self, destinations: &Destinations) -> Cow<'_, str> {
        let (name, path) = match self {
            Self::Destination(destination) => return destination.into(),
            Self::Path(Recipient::User(name), path) => (&**name, path),
            Self::Path(Recipient::Session(name), path) => (&**name, path),
        };
        // As `UserTarget::parse` reads it.
        let name = name.replace('%', "%25").replace('/', "%2F");
        format!("{}{name}/{path}", destinations.user_prefix).into()
    }
}

/// One message to a destination, or many.
pub(super) fn publish<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let outline: Outline<'_> = object(call.body)?;
        match outline.messages {
            None => one(api, call, &Target::Destination).await,
            Some(_) => batch(api, call).await,
        }
    })
}

async fn batch(api: &Api, call: &Call<'_>) -> Answered {
    let Batch { messages } = object(call.body)?;
    if messages.len() > MAX_BATCH {
        let detail = format!("a batch of {}; send at most {MAX_BATCH}", messages.len());
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let has_no_destination = |message: &Message<'_>| message.destination.is_none();
    if let Some(place) = messages.iter().position(has_no_destination) {
        let detail = format!(
            "message {place} of the batch, counted from 0, names no `destination`; nothing was sent"
        );
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let send = |message| api.send(call.caller, message, &Target::Destination);
    // All are sent before one is waited for.
    let sent: Vec<_> = messages.into_iter().map(send).collect();
    let deadline = Instant::now() + PATIENCE;
    let mut results = Vec::with_capacity(sent.len());
    for sent in sent {
        results.push(match sent {
            Ok(reached) => Outcome::Sent(reached.known(deadline).await),
            Err(problem) => Outcome::Failed(problem),
        });
    }
    Ok(encode(&Results { results }))
}

/// A message to all sessions of a user.
pub(super) fn to_user<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move { one(api, call, &Target::User(call.subject)).await })
}

/// A message to one session.
pub(super) fn to_session<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        if api.node.whereabouts.find(call.subject).is_none() {
            return Err(sessions::unknown());
        }
        one(api, call, &Target::Session(call.subject)).await
    })
}

async fn one(api: &Api, call: &Call<'_>, target: &Target<'_>) -> Answered {
    let reached = api.send(call.caller, object(call.body)?, target)?;
    let sent = reached.known(Instant::now() + PATIENCE).await;
    Ok(encode(&sent))
}

impl Api {
    fn send(
        &self,
        caller: &Caller,
        mut message: Message<'_>,
        target: &Target<'_>,
    ) -> Result<Reached, Problem> {
        if self.node.is_draining() {
            return Err(refused(Reason::Shutdown));
        }
        // All of them, since a message to several sessions that goes only half the way could not be repeated.
        if !self.node.mailboxes.iter().all(Mailbox::has_space) {
            return Err(refused(Reason::Overloaded));
        }
        let way = target.way(message.destination.take(), message.path.take())?;
        let destination = way.destination(&self.node.destinations);
        caller.may(
            &self.node.audit,
            Need::PublishTo(&destination),
            &destination,
        )?;
        let count = message.count.unwrap_or(false);
        let outgoing = outgoing(&self.node, message)?;
        let reached = match &way {
            Way::Destination(destination) => {
                self.send_to_destination(destination, outgoing, count)?
            }
            Way::Path(recipient, path) => {
                Reached::Now(Some(self.broker.send_to(recipient, path, outgoing)?))
            }
        };
        self.node.telemetry.api_messages.inc();
        Ok(reached)
    }

    fn send_to_destination(
        &self,
        destination: &str,
        outgoing: Outgoing,
        count: bool,
    ) -> Result<Reached, Problem> {
        let invalid = |error| Problem::from(tidings_core::application::SendError::from(error));
        let kind = self.node.destinations.classify(destination);
        match kind.map_err(invalid)? {
            Destination::User(rest) => {
                let target = UserTarget::parse(rest).map_err(invalid)?;
                let is_session = lock(&self.node.users).session(&target.name).is_some();
                let recipient = if is_session {
                    Recipient::Session(target.name.into())
                } else {
                    Recipient::User(target.name)
                };
                let reached = self.broker.send_to(&recipient, &target.path, outgoing)?;
                Ok(Reached::Now(Some(reached)))
            }
            // Consumers of a queue take a message when they can, so only of a topic there is something to count.
            Destination::Topic if count => {
                let counted = self.broker.send_counted(destination, outgoing)?;
                Ok(Reached::Later(counted))
            }
            _ => {
                self.broker.send(destination, outgoing)?;
                Ok(Reached::Now(None))
            }
        }
    }
}

/// The message within the limits of STOMP, as one that came from a client is.
fn outgoing(node: &Node, message: Message<'_>) -> Result<Outgoing, Problem> {
    let (body, custom) = body(message.body, message.body_base64, message.json)?;
    let limits = &node.stomp.limits;
    if body.len() > limits.max_body_bytes {
        let detail = format!("the body is longer than {} bytes", limits.max_body_bytes);
        return Err(Problem::of(Reason::BodyTooLarge, detail));
    }
    let mut headers = Headers::new();
    for (name, value) in &message.headers {
        check_header(name, value)?;
        headers.push(name, value);
    }
    push_content_type(&mut headers, message.content_type.as_deref(), custom)?;
    if let Some(ttl_ms) = message.ttl_ms {
        push_expiry(&mut headers, node.now_ms(), ttl_ms)?;
    }
    check_size(&headers, limits)?;
    Ok(Outgoing { headers, body })
}

/// The bytes of the body and the content type that goes without saying.
fn body(
    text: Option<String>,
    base64: Option<String>,
    json: Option<&RawValue>,
) -> Result<(Bytes, Option<&'static str>), Problem> {
    match (text, base64, json) {
        (None, None, None) => Ok((Bytes::new(), None)),
        (Some(text), None, None) => Ok((text.into(), Some("text/plain;charset=utf-8"))),
        (None, Some(text), None) => match STANDARD.decode(text) {
            Ok(bytes) => Ok((bytes.into(), Some("application/octet-stream"))),
            Err(error) => Err(invalid(&format!("`body_base64` can't be read: {error}"))),
        },
        (None, None, Some(json)) => {
            let bytes = Bytes::copy_from_slice(json.get().as_bytes());
            Ok((bytes, Some("application/json")))
        }
        _ => Err(invalid(
            "write only one of `body`, `body_base64` and `json`",
        )),
    }
}

/// Where neither the message nor its headers say one, the one that goes without saying.
fn push_content_type(
    headers: &mut Headers,
    given: Option<&str>,
    custom: Option<&str>,
) -> Result<(), Problem> {
    let is_there = headers.get("content-type").is_some();
    if is_there && given.is_some() {
        return Err(invalid(
            "`content_type` and the header `content-type` are one too many",
        ));
    }
    if let Some(kind) = given.or(custom).filter(|_| !is_there) {
        check_header("content-type", kind)?;
        headers.push("content-type", kind);
    }
    Ok(())
}

fn push_expiry(headers: &mut Headers, now_ms: u64, ttl_ms: u64) -> Result<(), Problem> {
    let is_there = |name: &&str| headers.get(name).is_some();
    if ttl_ms == 0 || ["expires", "expiration"].iter().any(is_there) {
        return Err(invalid(
            "`ttl_ms` is at least 1, and goes with neither of the headers `expires` and `expiration`",
        ));
    }
    let expires = now_ms.saturating_add(ttl_ms);
    headers.push("expires", &expires.to_string());
    Ok(())
}

fn check_size(headers: &Headers, limits: &Limits) -> Result<(), Problem> {
    if headers.len() > limits.max_headers {
        let detail = format!("the message has more than {} headers", limits.max_headers);
        return Err(Problem::of(Reason::TooManyHeaders, detail));
    }
    let longest = headers
        .iter()
        .map(|(name, value)| name.len() + ":".len() + value.len());
    if longest.max().unwrap_or_default() > limits.max_header_line_bytes {
        let detail = format!(
            "a header is longer than {} bytes",
            limits.max_header_line_bytes
        );
        return Err(Problem::of(Reason::HeaderTooLong, detail));
    }
    Ok(())
}

fn check_header(name: &str, value: &str) -> Result<(), Problem> {
    let detail = if RESERVED_HEADERS.binary_search(&name).is_ok() {
        format!("the header {name} is the server's to write; leave it out")
    } else if name.is_empty() || name.contains(char::is_control) || value.contains('\0') {
        "a header has no name, a control character in its name, or a NUL in its value".to_owned()
    } else {
        return Ok(());
    };
    Err(Problem::of(Reason::InvalidHeader, detail))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Kind::InvalidRequest, detail)
}

fn refused(reason: Reason) -> Problem {
    Problem::of(reason, "nothing was sent; ask again a little later")
}
