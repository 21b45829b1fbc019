//! How destinations are divided for rules.

use smallvec::SmallVec;

use super::Action;
use crate::destination::{Destinations, Separator};
use crate::user::unescape;

/// How destinations are divided for rules: as for patterns, but that in a SEND the name of a user ends where
/// [`UserTarget::parse`](crate::user::UserTarget::parse) ends it, and means what that reads in it.
#[derive(Debug, Clone, Default)]
pub(in crate::security) struct Layout {
    separator: Separator,
    user_prefix: Box<str>,
    /// Segments of the prefix: the name is the one behind them.
    name_at: usize,
    /// Whether patterns have the name as a segment too; if not, a SUBSCRIBE knows no name.
    is_aligned: bool,
}

pub(in crate::security) type Segments<'t> = SmallVec<[&'t str; 16]>;

/// The name of a user that is written with escapes, where it stands; `None` where they are broken.
pub(in crate::security) type Escaped = Option<(usize, Option<String>)>;

impl Layout {
    pub(in crate::security) fn new(destinations: &Destinations) -> Self {
        let prefix = &destinations.user_prefix;
        let segments = destinations.separator.segments(prefix).count();
        let is_aligned = destinations.separator.segments(prefix).last() == Some("");
        Self {
            separator: destinations.separator,
            user_prefix: prefix.as_str().into(),
            name_at: segments - usize::from(is_aligned),
            is_aligned,
        }
    }

    pub(in crate::security) fn segments<'t>(&self, action: Action, text: &'t str) -> Segments<'t> {
        match text.strip_prefix(&*self.user_prefix) {
            Some(rest) if action == Action::Send && self.separator != Separator::Slash => {
                let (prefix, _) = text.split_at(self.user_prefix.len());
                let head = self.separator.segments(prefix).take(self.name_at);
                let (name, path) = match rest.split_once('/') {
                    Some((name, path)) => (Some(name), path),
                    None => (None, rest),
                };
                let path = path.split(self.separator.as_char());
                head.chain(name).chain(path).collect()
            }
            _ => self.separator.segments(text).collect(),
        }
    }

    /// Which segment is the name of a user, if one is.
    pub(super) fn name_at(&self, action: Action, text: &str) -> Option<usize> {
        let has_name = self.is_aligned || action == Action::Send;
        (has_name && text.starts_with(&*self.user_prefix)).then_some(self.name_at)
    }

    /// The name of a user, unescaped, where it has an escape.
    pub(in crate::security) fn escaped(
        &self,
        action: Action,
        text: &str,
        segments: &[&str],
    ) -> Escaped {
        let at = self.name_at(action, text)?;
        let name = segments.get(at).filter(|name| name.contains('%'))?;
        Some((at, unescape(name)))
    }

    /// Whether the pattern begins otherwise than the destinations of users, and yet may match one.
    pub(in crate::security) fn strays_to_users(
        &self,
        pattern: &str,
        first_wildcard: usize,
    ) -> bool {
        first_wildcard < self.user_prefix.len()
            && self.user_prefix.as_bytes()[..first_wildcard] == pattern.as_bytes()[..first_wildcard]
    }
}
