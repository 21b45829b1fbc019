//! Users: which sessions are theirs, and the destinations that only they hear.
//!
//! A client subscribes to `/user/queue/x` and hears what is sent to its session or its user. It is sent to as
//! `/user/NAME/queue/x`, where NAME is a user, all of whose sessions hear it, or a session. The prefix is
//! [`Destinations::user_prefix`](crate::destination::Destinations::user_prefix).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::destination::{DestinationError, Separator};

/// The sessions of the users that are connected.
#[derive(Debug, Default)]
pub struct Users {
    /// Ordered, so that pages of names can be read without looking at all of them.
    sessions: BTreeMap<Box<str>, Sessions>,
}

/// Most users have one.
type Sessions = SmallVec<[Arc<str>; 1]>;

impl Users {
    /// A session of `user` is connected.
    pub fn connect(&mut self, user: &str, session: &Arc<str>) {
        let sessions = self.sessions.entry(user.into()).or_default();
        if !sessions.contains(session) {
            sessions.push(Arc::clone(session));
        }
    }

    /// A session of `user` has ended.
    pub fn disconnect(&mut self, user: &str, session: &str) {
        let Some(sessions) = self.sessions.get_mut(user) else {
            return;
        };
        sessions.retain(|one| **one != *session);
        if sessions.is_empty() {
            self.sessions.remove(user);
        }
    }

    /// The sessions of `user`, in the order in which they connected; none where the user is offline.
    pub fn sessions(&self, user: &str) -> &[Arc<str>] {
        self.sessions.get(user).map_or(&[], |sessions| sessions)
    }

    /// The users whose names come behind `name`, in the order of the names, with their sessions.
    pub fn after(&self, name: &str) -> impl Iterator<Item = (&str, &[Arc<str>])> {
        let behind = (Bound::Excluded(name), Bound::Unbounded);
        self.sessions
            .range::<str, _>(behind)
            .map(|(name, sessions)| (&**name, &**sessions))
    }

    /// How many users are connected.
    pub fn count(&self) -> usize {
        self.sessions.len()
    }
}

/// Whom a message to a user destination is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserTarget {
    /// The user, or the session.
    pub name: Box<str>,
    /// What the client has subscribed to behind the prefix, as it stands there: `queue/x`.
    pub path: Box<str>,
}

impl UserTarget {
    /// Reads what follows the prefix: `NAME/queue/x`. A NAME that has a `/` in it, or anything else that would be
    /// misread, is written with percent escapes of UTF-8: `a%2Fb`, `100%25`.
    ///
    /// # Errors
    /// There is no NAME, nothing behind it, or an escape that is none.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let (name, path) = text.split_once('/').ok_or(DestinationError::NoUser)?;
        if name.is_empty() || path.is_empty() {
            return Err(DestinationError::NoUser);
        }
        Ok(Self {
            name: unescape(name).ok_or(DestinationError::UserEscape)?.into(),
            path: path.into(),
        })
    }
}

/// `%2F` and its like as the bytes that they stand for.
fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let value = |digit: u8| char::from(digit).to_digit(16);
        let code = value(digits[0])? * 16 + value(digits[1])?;
        bytes.push(u8::try_from(code).ok()?);
        rest = behind;
    }
    String::from_utf8(bytes).ok()
}

/// Where messages for one session go: a topic that no client can name, since it begins with a control character.
pub fn session_topic(session: &str, path: &str, separator: Separator) -> String {
    format!("\u{1}{session}{}{path}", separator.as_char())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_is_a_name_and_a_path() {
        let target = |text| UserTarget::parse(text).map(|one| (one.name, one.path));
        let is = |name: &str, path: &str| Ok((name.into(), path.into()));
        assert_eq!(target("bob/queue/x"), is("bob", "queue/x"));
        assert_eq!(target("a%2Fb/queue/x"), is("a/b", "queue/x"));
        assert_eq!(target("100%25/queue/%41"), is("100%", "queue/%41"));
        assert_eq!(target("%C3%a9/x"), is("é", "x"));
        for no_user in ["bob", "bob/", "/queue/x", ""] {
            assert_eq!(target(no_user), Err(DestinationError::NoUser), "{no_user}");
        }
        for broken in ["%/x", "%4/x", "%zz/x", "%ff/x", "%+1/x"] {
            assert_eq!(
                target(broken),
                Err(DestinationError::UserEscape),
                "{broken}"
            );
        }
    }

    fn escape(name: &str) -> String {
        name.bytes().map(|byte| format!("%{byte:02X}")).collect()
    }

    proptest! {
        #[test]
        fn every_name_can_be_written(name in "\\PC{1,12}", path in "[a-z/]{1,9}") {
            let parsed = UserTarget::parse(&format!("{}/{path}", escape(&name)));
            prop_assert_eq!(parsed, Ok(UserTarget { name: name.into(), path: path.into() }));
        }

        #[test]
        fn a_user_has_the_sessions_that_connected_and_did_not_end(
            steps in prop::collection::vec((0u8..3, 0u8..6, any::<bool>()), 0..60),
        ) {
            let mut users = Users::default();
            let mut model: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
            for (user, session, connects) in steps {
                let id: Arc<str> = session.to_string().into();
                let sessions = model.entry(user).or_default();
                if connects {
                    users.connect(&user.to_string(), &id);
                    if !sessions.contains(&session) {
                        sessions.push(session);
                    }
                } else {
                    users.disconnect(&user.to_string(), &id);
                    sessions.retain(|one| *one != session);
                }
                for (user, sessions) in &model {
                    let found: Vec<_> = users.sessions(&user.to_string()).iter().map(ToString::to_string).collect();
                    let expected: Vec<_> = sessions.iter().map(ToString::to_string).collect();
                    prop_assert_eq!(found, expected);
                }
                let online = |user: &u8| model.get(user).is_some_and(|sessions| !sessions.is_empty());
                for from in 0u8..3 {
                    let name = from.to_string();
                    let found = users.after(&name);
                    let found: Vec<_> = found.map(|(name, sessions)| (name.to_owned(), sessions.len())).collect();
                    let expected = (from + 1..3).filter(online);
                    let expected: Vec<_> = expected.map(|user| (user.to_string(), model[&user].len())).collect();
                    prop_assert_eq!(found, expected);
                }
                prop_assert_eq!(users.count(), model.values().filter(|sessions| !sessions.is_empty()).count());
            }
        }
    }
}
