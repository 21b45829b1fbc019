//! Users and tokens that are not let in any more until a time. They live in the memory of this node.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use tidings_core::security::Principal;

/// Who is revoked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The id of a token (`jti`, RFC 7519, section 4.1.7).
    Token(Arc<str>),
    /// The name of a user.
    User(Arc<str>),
}

/// What is told of a revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// Milliseconds since the epoch.
    pub(crate) until_ms: u64,
    /// Why, in the words of who revoked.
    pub(crate) reason: Option<Box<str>>,
    /// What the key of the API is called.
    pub(crate) by: Box<str>,
    /// Milliseconds since the epoch.
    pub(crate) revoked_at_ms: u64,
}

/// There are as many revocations as there may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// All that last.
#[derive(Debug, Default)]
pub(crate) struct Revocations {
    by_subject: BTreeMap<Subject, Revocation>,
    by_end: BTreeSet<(u64, Subject)>,
}

impl Revocations {
    /// Refuses the subject from now on. One that is revoked already stays so until the later of both times.
    ///
    /// # Errors
    /// There are `max` that last; nothing is forgotten for a new one.
    pub(crate) fn add(
        &mut self,
        subject: Subject,
        mut revocation: Revocation,
        max: usize,
        now_ms: u64,
    ) -> Result<(), Full> {
        self.forget(now_ms);
        if let Some(before) = self.by_subject.get(&subject) {
            revocation.until_ms = revocation.until_ms.max(before.until_ms);
            self.by_end.remove(&(before.until_ms, subject.clone()));
        } else if self.by_subject.len() >= max {
            return Err(Full);
        }
        self.by_end.insert((revocation.until_ms, subject.clone()));
        self.by_subject.insert(subject, revocation);
        Ok(())
    }

    /// Lets the subject in again; false where it is not revoked.
    pub(crate) fn lift(&mut self, subject: &Subject, now_ms: u64) -> bool {
        self.forget(now_ms);
        let Some(revocation) = self.by_subject.remove(subject) else {
            return false;
        };
        self.by_end.remove(&(revocation.until_ms, subject.clone()));
        true
    }

    /// Whether the user, or the token that proves it, is revoked.
    pub(crate) fn refuses(&mut self, principal: &Principal, now_ms: u64) -> bool {
        self.forget(now_ms);
        let is_revoked = |subject: Subject| self.by_subject.contains_key(&subject);
        let token = principal.token_id.clone().map(Subject::Token);
        let user = principal.name.clone().map(Subject::User);
        token.into_iter().chain(user).any(is_revoked)
    }

    /// At most `limit` that come behind `after`, in their order.
    pub(crate) fn after(
        &mut self,
        after: Option<Subject>,
        limit: usize,
        now_ms: u64,
    ) -> Vec<(Subject, Revocation)> {
        self.forget(now_ms);
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = self
            .by_subject
            .range((behind, Bound::Unbounded))
            .take(limit);
        found.map(|(one, why)| (one.clone(), why.clone())).collect()
    }

    /// How many last.
    pub(crate) fn count(&mut self, now_ms: u64) -> usize {
        self.forget(now_ms);
        self.by_subject.len()
    }

    /// Forgets those whose time is over.
    fn forget(&mut self, now_ms: u64) {
        while let Some((until_ms, _)) = self.by_end.first()
            && *until_ms <= now_ms
            && let Some((_, subject)) = self.by_end.pop_first()
        {
            self.by_subject.remove(&subject);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(number: u8) -> Subject {
        let name = |number: u8| format!("{number}").into();
        match number % 2 {
            0 => Subject::Token(name(number)),
            _ => Subject::User(name(number)),
        }
    }

    fn principal(number: u8) -> Principal {
        match subject(number) {
            Subject::Token(id) => Principal::user("somebody").with_token_id(id),
            Subject::User(name) => Principal::user(name).with_token_id("a token"),
        }
    }

    fn until(until_ms: u64) -> Revocation {
        Revocation {
            until_ms,
            reason: None,
            by: "key-1".into(),
            revoked_at_ms: 0,
        }
    }

    proptest! {
        /// The model is a list that is looked through.
        #[test]
        fn who_is_refused_is_revoked_and_none_is_forgotten_before_its_time(
            steps in prop::collection::vec((0u8..8, 0u64..20, 0u64..4, any::<bool>()), 0..80),
        ) {
            const MAX: usize = 4;
            let (mut all, mut now_ms) = (Revocations::default(), 0);
            let mut model: Vec<(u8, u64)> = Vec::new();
            for (number, lasts, passed, is_added) in steps {
                now_ms += passed;
                model.retain(|(_, until)| *until > now_ms);
                let held = model.iter().position(|(one, _)| *one == number);
                if is_added {
                    let until_ms = now_ms + 1 + lasts;
                    let added = all.add(subject(number), until(until_ms), MAX, now_ms);
                    match held {
                        Some(at) => model[at].1 = model[at].1.max(until_ms),
                        None if model.len() < MAX => model.push((number, until_ms)),
                        None => prop_assert_eq!(added, Err(Full)),
                    }
                } else {
                    prop_assert_eq!(all.lift(&subject(number), now_ms), held.is_some());
                    model.retain(|(one, _)| *one != number);
                }
                for one in 0..8 {
                    let is_held = model.iter().any(|(held, _)| *held == one);
                    prop_assert_eq!(all.refuses(&principal(one), now_ms), is_held);
                }
                prop_assert_eq!(all.count(now_ms), model.len());
                prop_assert_eq!(all.by_end.len(), model.len());
                let mut listed = Vec::new();
                while let Some((subject, _)) = all.after(listed.last().cloned(), 1, now_ms).pop() {
                    listed.push(subject);
                }
                let mut expected: Vec<_> = model.iter().map(|(one, _)| subject(*one)).collect();
                expected.sort();
                prop_assert_eq!(listed, expected);
            }
        }
    }

    #[test]
    fn a_token_and_a_user_of_one_name_are_two() {
        let mut all = Revocations::default();
        let added = all.add(Subject::Token("ada".into()), until(9), 9, 0);
        assert_eq!(added, Ok(()));
        assert!(!all.refuses(&Principal::user("ada"), 1));
        assert!(all.refuses(&Principal::user("bob").with_token_id("ada"), 1));
    }
}
