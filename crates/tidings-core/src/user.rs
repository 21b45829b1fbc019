//! Users: which sessions are theirs, and the destinations that only they hear.
//!
//! A client subscribes to `/user/queue/x` and hears what is sent to its session or its user. It is sent to as
//! `/user/NAME/queue/x`, where NAME is a user, all of whose sessions hear it, or a session. The prefix is
//! [`Destinations::user_prefix`](crate::destination::Destinations::user_prefix).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::slice;
use std::sync::Arc;

use hashbrown::HashMap;
use smallvec::SmallVec;

use crate::destination::{DestinationError, Separator};
use crate::disconnect::Reason;

/// The sessions that are connected, and whose they are. All but [`sessions`](Self::sessions) costs the same however many
/// sessions a user has: a login that everybody shares is no rarity.
#[derive(Debug, Default)]
pub struct Users {
    /// Every session, with its place among those of its user.
    places: HashMap<Arc<str>, Place>,
    /// How many have connected: each has its number.
    connected: u64,
    /// Ordered, so that pages of names can be read without looking at all of them.
    sessions: BTreeMap<Box<str>, Sessions>,
}

/// Most users have one.
type Sessions = SmallVec<[Arc<str>; 1]>;

#[derive(Debug, Clone, Copy)]
struct Place {
    index: usize,
    /// The lower, the longer it is connected.
    number: u64,
}

/// How many sessions one user may have, and what happens when one more connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimit {
    /// Sessions of one user; zero is no limit.
    pub max: usize,
    /// What happens when one more connects.
    pub when_full: WhenFull,
}

/// What happens when a user who has as many sessions as one may connects once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The new session is refused.
    Refuse,
    /// The oldest session ends.
    CloseOldest,
}

/// The user has as many sessions as one user may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the user has {0} sessions, as many as one may have: end one of them first")]
pub struct TooManySessions(pub usize);

impl TooManySessions {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        Reason::TooManySessions
    }
}

impl Users {
    /// As [`connect`](Self::connect), unless the user has as many sessions as one may. The answer is the session that has to
    /// go for it; it counts as gone already. Who did not log in is not counted.
    ///
    /// Where the limit is met, that costs a look at each session of the user.
    ///
    /// # Errors
    /// The user has too many, and the limit says that the new one is to go.
    pub fn admit(
        &mut self,
        session: &Arc<str>,
        user: Option<&str>,
        limit: SessionLimit,
    ) -> Result<Option<Arc<str>>, TooManySessions> {
        let has = user.map_or(0, |user| self.of_user(user).len());
        let is_full = limit.max > 0 && has >= limit.max;
        if is_full && limit.when_full == WhenFull::Refuse {
            return Err(TooManySessions(has));
        }
        let oldest = user.filter(|_| is_full).and_then(|user| self.oldest(user));
        if let Some(oldest) = &oldest {
            self.disconnect(oldest, user);
        }
        self.connect(session, user);
        Ok(oldest)
    }

    fn oldest(&self, user: &str) -> Option<Arc<str>> {
        let sessions = self.of_user(user).iter();
        let number = |session: &&Arc<str>| self.places.get(*session).map(|place| place.number);
        sessions.min_by_key(number).cloned()
    }

    /// A session is connected, under a name that no other session has; `user` is who logged in, if anybody.
    pub fn connect(&mut self, session: &Arc<str>, user: Option<&str>) {
        let mut index = 0;
        if let Some(user) = user {
            let sessions = self.sessions.entry(user.into()).or_default();
            index = sessions.len();
            sessions.push(Arc::clone(session));
        }
        self.connected += 1;
        let number = self.connected;
        let place = Place { index, number };
        self.places.insert(Arc::clone(session), place);
    }

    /// A session that was connected with this `user` has ended.
    pub fn disconnect(&mut self, session: &str, user: Option<&str>) {
        let Some(place) = self.places.remove(session) else {
            return;
        };
        let Some((user, sessions)) =
            user.and_then(|user| Some((user, self.sessions.get_mut(user)?)))
        else {
            return;
        };
        sessions.swap_remove(place.index);
        let moved = sessions.get(place.index);
        if let Some(moved) = moved.and_then(|moved| self.places.get_mut(moved)) {
            moved.index = place.index;
        }
        if sessions.is_empty() {
            self.sessions.remove(user);
        }
    }

    /// The session called `name`, else the sessions of the user called so; none where neither is connected.
    ///
    /// A session goes first, so that nobody hears what is meant for a session by logging in under its name.
    pub fn sessions(&self, name: &str) -> &[Arc<str>] {
        match self.session(name) {
            Some(session) => slice::from_ref(session),
            None => self.of_user(name),
        }
    }

    /// The sessions of the user called `user`, whatever sessions are called.
    pub fn of_user(&self, user: &str) -> &[Arc<str>] {
        self.sessions.get(user).map_or(&[], |sessions| sessions)
    }

    /// The session called `name`, if it is connected.
    pub fn session(&self, name: &str) -> Option<&Arc<str>> {
        self.places.get_key_value(name).map(|(session, _)| session)
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
pub(crate) fn unescape(text: &str) -> Option<String> {
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
    use std::collections::{BTreeMap, BTreeSet};

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

    const NEWEST_STAY: SessionLimit = SessionLimit {
        max: 2,
        when_full: WhenFull::CloseOldest,
    };

    #[test]
    fn who_did_not_log_in_is_not_counted_and_zero_is_no_limit() {
        let mut users = Users::default();
        let refuse = |max| SessionLimit {
            max,
            when_full: WhenFull::Refuse,
        };
        for number in 0..9 {
            let id: Arc<str> = format!("anonymous {number}").into();
            assert_eq!(users.admit(&id, None, refuse(1)), Ok(None));
            let id: Arc<str> = format!("ada's {number}").into();
            assert_eq!(users.admit(&id, Some("ada"), refuse(0)), Ok(None));
        }
        let id: Arc<str> = "one more".into();
        assert_eq!(
            users.admit(&id, Some("ada"), refuse(9)),
            Err(TooManySessions(9))
        );
        assert_eq!(users.session("one more"), None);
        assert_eq!(users.admit(&id, Some("ada"), refuse(10)), Ok(None));
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

        /// The model: the sessions of each user in the order in which they came.
        #[test]
        fn a_user_has_no_more_sessions_than_one_may_and_the_oldest_goes(
            steps in prop::collection::vec((0u8..3, 0u8..8, any::<bool>()), 0..60),
        ) {
            let mut users = Users::default();
            let mut model: BTreeMap<u8, Vec<Arc<str>>> = BTreeMap::new();
            for (number, (user, which, comes)) in steps.into_iter().enumerate() {
                let sessions = model.entry(user).or_default();
                let name = user.to_string();
                if comes {
                    let id: Arc<str> = format!("session {number}").into();
                    let oldest = (sessions.len() == NEWEST_STAY.max).then(|| sessions.remove(0));
                    sessions.push(Arc::clone(&id));
                    prop_assert_eq!(users.admit(&id, Some(&name), NEWEST_STAY), Ok(oldest));
                } else if !sessions.is_empty() {
                    let gone = sessions.remove(usize::from(which) % sessions.len());
                    users.disconnect(&gone, Some(&name));
                }
                for (user, sessions) in &model {
                    let found: BTreeSet<_> = users.of_user(&user.to_string()).iter().cloned().collect();
                    prop_assert_eq!(found, sessions.iter().cloned().collect());
                }
            }
        }

        /// Users and sessions are called alike here, so that names meet.
        #[test]
        fn a_name_is_a_session_or_a_user_with_the_sessions_that_connected_and_did_not_end(
            steps in prop::collection::vec((0u8..6, prop::option::of(0u8..3)), 0..60),
        ) {
            let mut users = Users::default();
            let mut model: BTreeMap<u8, Option<u8>> = BTreeMap::new();
            let named = |user: Option<u8>| user.map(|user| user.to_string());
            for (session, user) in steps {
                let id: Arc<str> = session.to_string().into();
                if let Some(user) = model.remove(&session) {
                    users.disconnect(&id, named(user).as_deref());
                } else {
                    model.insert(session, user);
                    users.connect(&id, named(user).as_deref());
                }
                for name in 0..6 {
                    let found: BTreeSet<_> = users.sessions(&name.to_string()).iter().map(ToString::to_string).collect();
                    let of_user = model.iter().filter(|(_, user)| **user == Some(name)).map(|(session, _)| *session);
                    let expected: BTreeSet<_> = if model.contains_key(&name) {
                        BTreeSet::from([name.to_string()])
                    } else {
                        of_user.map(|session| session.to_string()).collect()
                    };
                    prop_assert_eq!(users.sessions(&name.to_string()).len(), expected.len());
                    prop_assert_eq!(found, expected);
                    prop_assert_eq!(users.session(&name.to_string()).is_some(), model.contains_key(&name));
                }
                let connected: BTreeSet<_> = model.values().flatten().copied().collect();
                for from in 0u8..3 {
                    let found: Vec<_> = users.after(&from.to_string()).map(|(name, sessions)| (name.to_owned(), sessions.len())).collect();
                    let of_user = |user: u8| model.values().filter(|one| **one == Some(user)).count();
                    let expected: Vec<_> = connected.range(from + 1..).map(|user| (user.to_string(), of_user(*user))).collect();
                    prop_assert_eq!(found, expected);
                }
                prop_assert_eq!(users.count(), connected.len());
            }
        }
    }
}
