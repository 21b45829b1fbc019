//! One access rule: its text, and what it says of a frame.

mod condition;
mod error;
mod layout;
mod parse;
mod path;
mod unit;
mod words;

use std::fmt;
use std::str::FromStr;

pub(super) use condition::{ClaimName, Requirement};
pub use error::RuleError;
pub(super) use layout::{Escaped, Layout};
pub(super) use path::{Path, Position};
pub(super) use unit::{Unit, contains, meet};

use crate::destination::Destinations;
use crate::security::Principal;
use condition::Clause;
use words::QuotedPattern;

const MAX_BYTES: usize = 4096;
const MAX_VARIABLES: usize = 8;

/// What a client may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// To begin a session: CONNECT or STOMP.
    Connect,
    /// To send to a destination: SEND.
    Send,
    /// To hear what is sent to a destination: SUBSCRIBE.
    Subscribe,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Connect, Self::Send, Self::Subscribe];

    /// As rules write it: in lower case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Send => "send",
            Self::Subscribe => "subscribe",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// A text that names no [`Action`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is nothing that rules know: write connect, send or subscribe")]
pub struct UnknownAction(String);

impl FromStr for Action {
    type Err = UnknownAction;

    /// Reads the name of a frame, in either case: `SUBSCRIBE`, `subscribe`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_named = |action: &Self| text.eq_ignore_ascii_case(action.word());
        let found = Self::ALL.into_iter().find(is_named);
        found.ok_or_else(|| UnknownAction(text.to_owned()))
    }
}

/// One access rule: `allow subscribe /topic/team/{team} if claim teams contains {team}`.
///
/// ```text
/// allow|deny FRAMES [PATTERN] [if [not] CONDITION {and [not] CONDITION}]
///
/// FRAMES     any, or some of connect,send,subscribe
/// PATTERN    ? one character, * characters of one segment, ** segments, {name} a segment to compare with
/// CONDITION  authenticated | anonymous | role VALUE | user = VALUE | claim NAME = VALUE | claim NAME contains VALUE
/// VALUE      word, "quoted string" or {name}
/// ```
///
/// `Display` gives the text back, with single spaces and quotes only where they must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    is_allow: bool,
    frames: Frames,
    pattern: Option<Box<str>>,
    clauses: Vec<Clause>,
    /// By the number of the action.
    paths: [Option<Path>; 3],
}

impl Rule {
    /// Longest text of a rule, in bytes.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Most variables of a rule.
    pub const MAX_VARIABLES: usize = MAX_VARIABLES;

    /// Reads a rule about these destinations. Whether its pattern begins with a prefix that they know is not asked.
    ///
    /// # Errors
    /// The text is no rule: [`RuleError`] says where and what may stand there.
    pub fn parse(text: &str, destinations: &Destinations) -> Result<Self, RuleError> {
        parse::rule(text, &Layout::new(destinations))
    }

    /// Whether it allows; if not, it denies.
    pub fn is_allow(&self) -> bool {
        self.is_allow
    }

    /// The pattern as it applies to this kind of frame; `None` where it does not.
    pub(super) fn path(&self, action: Action) -> Option<&Path> {
        self.paths[action as usize].as_ref()
    }

    /// Something without which it does not apply, whatever it is held against.
    pub(super) fn requirement(&self) -> Option<Requirement<'_>> {
        self.clauses.iter().find_map(Clause::requirement)
    }

    /// Whether its conditions hold; `None` where that depends on a variable that is not known.
    pub(super) fn holds<'t>(
        &self,
        principal: &Principal,
        variable: impl Fn(usize) -> Option<&'t str>,
    ) -> Option<bool> {
        let mut all = Some(true);
        for clause in &self.clauses {
            match clause.holds(principal, &variable) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = if self.is_allow { "allow" } else { "deny" };
        write!(formatter, "{effect} {}", self.frames)?;
        if let Some(pattern) = &self.pattern {
            write!(formatter, " {}", QuotedPattern(pattern))?;
        }
        for (index, clause) in self.clauses.iter().enumerate() {
            let word = if index == 0 { "if" } else { "and" };
            write!(formatter, " {word} {clause}")?;
        }
        Ok(())
    }
}

/// Which frames a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frames {
    actions: [bool; 3],
    /// Written as `any`: with a pattern, those that have a destination.
    is_any: bool,
}

impl Frames {
    const ANY: Self = Self {
        actions: [true; 3],
        is_any: true,
    };
    const NONE: Self = Self {
        actions: [false; 3],
        is_any: false,
    };

    fn has(self, action: Action) -> bool {
        self.actions[action as usize]
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any {
            return formatter.write_str("any");
        }
        let named = Action::ALL.into_iter().filter(|action| self.has(*action));
        for (index, action) in named.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{action}")?;
        }
        Ok(())
    }
}
