//! One line of the audit log.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use tidings_core::application::Session;
use tidings_core::disconnect::Reason;

use crate::peer::Peer;

/// Of what a client wrote, so much stands in a line at most.
const MAX_FIELD_CHARS: usize = 256;

/// Who did something.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Actor<'a> {
    /// The user; of an authentication that failed, the one that the client claims to be.
    pub(crate) user: Option<&'a str>,
    /// The id of the session.
    pub(crate) session: Option<&'a str>,
    /// What the key of the API is called; never the key.
    pub(crate) api_key: Option<&'a str>,
    /// Where it comes from.
    pub(crate) address: Option<IpAddr>,
}

impl<'a> Actor<'a> {
    /// A client.
    pub(crate) fn client(session: Option<&'a Session>, peer: &Peer) -> Self {
        Self {
            user: session.and_then(|session| session.user.as_deref()),
            session: session.map(|session| &*session.id),
            api_key: None,
            address: peer.address.map(|address| address.ip().to_canonical()),
        }
    }
}

/// What somebody did, or was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'a> {
    /// A rule, or the lack of one, forbids it.
    Denied {
        /// `subscribe`, `send`, ...
        action: &'a str,
        destination: &'a str,
        /// The rule that says so; none where no rule allows it.
        rule: Option<&'a str>,
    },
    /// What the client showed does not let it in.
    AuthenticationFailed {
        reason: Reason,
        /// How it tried: `login`, `token`, ...
        method: &'a str,
    },
    /// The client met a limit that it can only meet by abuse, or by an error.
    LimitReached {
        /// The key of the configuration.
        limit: &'a str,
        reason: Reason,
    },
    /// A right was withdrawn.
    Revoked {
        what: Withdrawn,
        /// The user's name, or the id of the session or of the token.
        target: &'a str,
        /// How many sessions ended by it.
        sessions: usize,
    },
    /// An operator or an application used the API.
    Administered {
        /// The operation as the API calls it.
        operation: &'a str,
        target: &'a str,
    },
}

/// Whose right was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Withdrawn {
    User,
    Session,
    Token,
}

impl Withdrawn {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

impl<'a> Deed<'a> {
    /// What the log and the metrics call it.
    pub(super) fn event(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::AuthenticationFailed { .. } => "authentication-failed",
            Self::LimitReached { .. } => "limit-reached",
            Self::Revoked { .. } => "revoked",
            Self::Administered { .. } => "administered",
        }
    }

    /// Whether clients can cause it as often as they like.
    pub(super) fn is_by_client(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::AuthenticationFailed { .. } | Self::LimitReached { .. } => {
                true
            }
            Self::Revoked { .. } | Self::Administered { .. } => false,
        }
    }

    fn fields(&self) -> Fields<'a> {
        let fields = Fields::default();
        match *self {
            Self::Denied {
                action,
                destination,
                rule,
            } => Fields {
                code: Some(Reason::Forbidden.name()),
                action: Some(action),
                destination: Some(destination),
                rule,
                ..fields
            },
            Self::AuthenticationFailed { reason, method } => Fields {
                code: Some(reason.name()),
                method: Some(method),
                ..fields
            },
            Self::LimitReached { limit, reason } => Fields {
                code: Some(reason.name()),
                limit: Some(limit),
                ..fields
            },
            Self::Revoked {
                what,
                target,
                sessions,
            } => Fields {
                what: Some(what.name()),
                target: Some(target),
                sessions: Some(sessions),
                ..fields
            },
            Self::Administered { operation, target } => Fields {
                operation: Some(operation),
                target: Some(target),
                ..fields
            },
        }
    }
}

/// What is told of a deed.
#[derive(Default)]
struct Fields<'a> {
    code: Option<&'static str>,
    action: Option<&'a str>,
    destination: Option<&'a str>,
    rule: Option<&'a str>,
    method: Option<&'a str>,
    limit: Option<&'a str>,
    what: Option<&'static str>,
    operation: Option<&'a str>,
    target: Option<&'a str>,
    sessions: Option<usize>,
}

/// Writes a line.
pub(super) fn write(actor: Actor<'_>, deed: &Deed<'_>) {
    let Fields {
        code,
        action,
        destination,
        rule,
        method,
        limit,
        what,
        operation,
        target,
        sessions,
    } = deed.fields();
    tracing::info!(
        target: "tidings::audit",
        event = deed.event(),
        user = actor.user.map(clean).as_deref(),
        session = actor.session,
        api_key = actor.api_key,
        address = actor.address.map(tracing::field::display),
        code,
        action,
        destination = destination.map(clean).as_deref(),
        rule,
        method,
        limit,
        what,
        operation,
        target = target.map(clean).as_deref(),
        sessions,
    );
}

/// Writes how many events were not written.
pub(super) fn write_suppressed(actor: Actor<'_>, of: &str, suppressed: u64) {
    tracing::info!(
        target: "tidings::audit",
        event = "suppressed",
        user = actor.user.map(clean).as_deref(),
        address = actor.address.map(tracing::field::display),
        of,
        suppressed,
    );
}

/// What a client wrote, as it may stand in a log that people and programs read: no line can be forged with it, whatever
/// writes the log, and none is endless.
fn clean(text: &str) -> Cow<'_, str> {
    let is_long = text.len() > MAX_FIELD_CHARS;
    if !is_long && !text.contains(is_deceptive) {
        return text.into();
    }
    let mut clean = String::with_capacity(text.len().min(MAX_FIELD_CHARS) + 16);
    for (number, character) in text.chars().enumerate() {
        if number == MAX_FIELD_CHARS {
            let _ = write!(clean, "... ({} bytes)", text.len());
            break;
        }
        match is_deceptive(character) {
            true => clean.extend(character.escape_unicode()),
            false => clean.push(character),
        }
    }
    clean.into()
}

/// Ends a line or drives a terminal, is not seen, or changes the direction of what follows.
fn is_deceptive(character: char) -> bool {
    let unseen = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    character.is_control() || unseen
}
