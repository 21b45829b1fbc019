//! Destinations: which ones there are, which are well formed, and which patterns match them.

mod pattern;

pub use pattern::{Pattern, PatternError};
pub(crate) use pattern::{character_bytes, is_wildcard, segment_matches, star_match};

use crate::disconnect::Reason;

/// Most segments of a destination or a pattern; those of the prefix count, also the empty one before a leading `/`.
pub const MAX_SEGMENTS: usize = 32;

const TEMP_QUEUE: &str = "/temp-queue/";
const REPLY_QUEUE: &str = "/reply-queue/";

/// The prefixes that every server has, whatever [`Destinations`] says; no other prefix may overlap with one.
pub const FIXED_PREFIXES: [&str; 2] = [TEMP_QUEUE, REPLY_QUEUE];

/// Where a session speaks of itself, see [`SESSION_TOKEN`]; no other prefix may overlap with it, and nothing beneath is a
/// destination of messages.
pub const SESSION_PREFIX: &str = "/session/";

/// A SEND here renews the token of its session; nobody else hears of it.
pub const SESSION_TOKEN: &str = "/session/token";

/// As characters are told apart, but for the most common case, byte by byte: each message is looked at.
fn has_control(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.contains(char::is_control)
    }
}

/// The destination of the reply queue called `name`.
pub fn reply_queue(name: &str) -> String {
    format!("{REPLY_QUEUE}{name}")
}

/// What separates the segments of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Separator {
    /// `/topic/a/b`
    #[default]
    Slash,
    /// `/topic/a.b`: all up to the second `/` is a segment of its own, so that `/topic/**` means all topics.
    Dot,
}

impl Separator {
    /// The character.
    pub fn as_char(self) -> char {
        match self {
            Self::Slash => '/',
            Self::Dot => '.',
        }
    }

    /// The segments of `text`. A leading `/` makes an empty first one.
    pub(crate) fn segments(self, text: &str) -> impl Iterator<Item = &str> {
        let slash = match self {
            Self::Slash => None,
            Self::Dot => text.strip_prefix('/').and_then(|rest| rest.find('/')),
        };
        let (head, rest) = match slash {
            Some(second) => (Some(&text[..second + 2]), &text[second + 2..]),
            None => (None, text),
        };
        head.into_iter().chain(rest.split(self.as_char()))
    }
}

/// Which destinations this server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destinations {
    /// What publish-subscribe destinations start with. Each ends in a separator, or `/topicx` would be a topic too.
    pub topic_prefixes: Vec<String>,
    /// What point-to-point destinations start with. Each ends in a separator; a topic prefix that fits goes first.
    pub queue_prefixes: Vec<String>,
    /// What the destinations that the application answers start with; ends in a separator.
    pub application_prefix: String,
    /// What the destinations of users start with; ends in a separator.
    pub user_prefix: String,
    /// What separates segments after the prefix.
    pub separator: Separator,
    /// Longest destination, in bytes.
    pub max_bytes: usize,
    /// Most segments of a destination, at most [`MAX_SEGMENTS`], which hold for patterns in any case.
    pub max_segments: usize,
}

/// What a destination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// Publish-subscribe: every subscriber gets each message.
    Topic,
    /// Point-to-point: one consumer gets each message.
    Queue,
    /// `/app/...`: the application answers; this is what follows the prefix.
    Application(&'a str),
    /// `/user/...`: private to a user or a session; this is what follows the prefix, see [`crate::user`].
    User(&'a str),
    /// `/temp-queue/NAME`: a queue that only its session sees; this is NAME.
    TempQueue(&'a str),
    /// `/reply-queue/...`: the name that the server gave to some session's temporary queue.
    ReplyQueue,
}

impl Destinations {
    /// What a SEND to `destination` is for.
    ///
    /// `*` and `?` are refused in it, always: a name with a `?` could not be subscribed to without hearing others.
    ///
    /// # Errors
    /// It starts with no known prefix, or it is not well formed.
    pub fn classify<'a>(&self, destination: &'a str) -> Result<Destination<'a>, DestinationError> {
        if destination.contains(is_wildcard) {
            return Err(DestinationError::Wildcard);
        }
        self.classify_shape(destination)
    }

    /// What a SUBSCRIBE to `destination` is for. Where it is a topic or a user's it may be a pattern, yet its prefix may
    /// not, so that a pattern never reaches from topics into something else.
    ///
    /// # Errors
    /// As [`classify`](Self::classify), and a pattern that is neither a topic's nor a user's, or that
    /// [`Pattern::parse`] refuses.
    pub fn classify_subscription<'a>(
        &self,
        destination: &'a str,
    ) -> Result<(Destination<'a>, Pattern), DestinationError> {
        let kind = self.classify_shape(destination)?;
        let pattern = Pattern::parse(destination, self.separator)?;
        let takes_patterns = matches!(kind, Destination::Topic | Destination::User(_));
        if !takes_patterns && !pattern.is_exact() {
            return Err(DestinationError::Wildcard);
        }
        Ok((kind, pattern))
    }

    fn classify_shape<'a>(
        &self,
        destination: &'a str,
    ) -> Result<Destination<'a>, DestinationError> {
        if destination.is_empty() {
            return Err(DestinationError::Empty);
        }
        if destination.len() > self.max_bytes {
            return Err(DestinationError::TooLong {
                limit: self.max_bytes,
            });
        }
        if has_control(destination) {
            return Err(DestinationError::ControlCharacter);
        }
        let (kind, name) = self.split(destination)?;
        self.check_segments(destination, name)?;
        Ok(kind)
    }

    /// The kind and what follows the prefix.
    fn split<'a>(
        &self,
        destination: &'a str,
    ) -> Result<(Destination<'a>, &'a str), DestinationError> {
        let after = |prefixes: &[String]| {
            let mut names = prefixes
                .iter()
                .filter_map(|p| destination.strip_prefix(&**p));
            names.next()
        };
        if let Some(name) = destination.strip_prefix(&*self.application_prefix) {
            Ok((Destination::Application(name), name))
        } else if let Some(name) = after(&self.topic_prefixes) {
            Ok((Destination::Topic, name))
        } else if let Some(name) = after(&self.queue_prefixes) {
            Ok((Destination::Queue, name))
        } else if let Some(name) = destination.strip_prefix(&*self.user_prefix) {
            Ok((Destination::User(name), name))
        } else if let Some(name) = destination.strip_prefix(TEMP_QUEUE) {
            Ok((Destination::TempQueue(name), name))
        } else if let Some(name) = destination.strip_prefix(REPLY_QUEUE) {
            Ok((Destination::ReplyQueue, name))
        } else {
            Err(DestinationError::Unknown {
                known: self.prefixes().join(", "),
            })
        }
    }

    fn prefixes(&self) -> Vec<&str> {
        let configured = self.topic_prefixes.iter().chain(&self.queue_prefixes);
        configured
            .chain([&self.user_prefix])
            .map(|p| &**p)
            .chain(FIXED_PREFIXES)
            .collect()
    }

    fn check_segments(&self, destination: &str, name: &str) -> Result<(), DestinationError> {
        if name.is_empty() {
            return Err(DestinationError::NoName);
        }
        let separator = self.separator.as_char();
        if name.split(separator).any(str::is_empty) {
            return Err(DestinationError::EmptySegment { separator });
        }
        if self.separator.segments(destination).count() > self.max_segments {
            let limit = self.max_segments;
            return Err(DestinationError::TooDeep { limit });
        }
        Ok(())
    }
}

/// Why a destination can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// No known prefix.
    #[error("the destination starts with no known prefix: use one of {known}")]
    Unknown {
        /// The known prefixes, for people.
        known: String,
    },
    /// No character at all.
    #[error("the destination is empty: write a prefix and a name")]
    Empty,
    /// A prefix alone.
    #[error("the destination ends after its prefix: write a name behind it")]
    NoName,
    /// Two separators in a row, or one at the end.
    #[error(
        "the destination has an empty segment: write one {separator:?} between two names and none at the end"
    )]
    EmptySegment {
        /// The separator.
        separator: char,
    },
    /// A line break, a NUL or their like.
    #[error("the destination has a control character: use printable ones")]
    ControlCharacter,
    /// [`Destinations::max_bytes`].
    #[error("the destination is longer than {limit} bytes: shorten it")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// [`Destinations::max_segments`].
    #[error("the destination has more than {limit} segments: use fewer")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A user destination that does not say whose, or nothing behind that.
    #[error(
        "the destination names no user, or nothing of theirs: write the prefix, the user's name, / and the rest"
    )]
    NoUser,
    /// A user's name with a percent sign that begins no escape of UTF-8.
    #[error("the name of the user has a broken escape: write % as %25 and / as %2F")]
    UserEscape,
    /// A pattern where only an exact name may stand.
    #[error(
        "only a subscription to topics or user destinations may have the wildcards * and ?: write the exact name"
    )]
    Wildcard,
    /// A pattern that is not well formed.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl DestinationError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unknown { .. } => Reason::UnknownDestination,
            _ => Reason::InvalidDestination,
        }
    }
}
