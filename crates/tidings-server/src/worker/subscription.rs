//! Who listens to what on one worker.

use hashbrown::HashMap;
use smallvec::SmallVec;
use tidings_core::destination::Pattern;
use tidings_stomp::AckMode;

use super::message_encoder::Form;

/// A subscription of one session.
pub(crate) struct Subscription {
    /// Slot of the connection on this worker.
    pub(crate) connection: u32,
    /// Tells it from an earlier one in the same place.
    pub(crate) serial: u32,
    /// The client's id; absent only with STOMP 1.0.
    pub(crate) id: Option<Box<str>>,
    /// Its number among the SUBSCRIBEs of the session, part of its `ack` ids.
    pub(crate) ordinal: u32,
    pub(crate) ack: AckMode,
    pub(crate) kind: SubscriptionKind,
}

impl Subscription {
    /// Whether it listens to the broker, and not to the application, which has answered it.
    pub(crate) fn is_of_broker(&self) -> bool {
        !matches!(self.kind, SubscriptionKind::Answered { .. })
    }

    /// The destination, as the server knows it.
    pub(crate) fn destination(&self) -> &str {
        match &self.kind {
            SubscriptionKind::Topic { pattern, .. } => pattern.as_str(),
            SubscriptionKind::Answered { destination: name }
            | SubscriptionKind::Queue { name, .. } => name,
        }
    }
}

/// What a subscription listens to.
pub(crate) enum SubscriptionKind {
    /// A topic, or a pattern of topics.
    Topic {
        pattern: Pattern,
        form: Form,
        /// Place among the members of its group, so that it leaves in constant time.
        position: u32,
        /// Highest message id delivered, to tell an `ack` id that was given out from one that was not.
        delivered: u64,
    },
    /// The application, which answered once; there is nothing more to hear.
    Answered {
        /// As the client wrote it.
        destination: Box<str>,
    },
    /// A queue.
    Queue {
        name: Box<str>,
        /// Deliveries that went into the outbox; they do so in the order in which the queue made them.
        written: u64,
    },
}

/// Names a queue subscription from any thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Consumer {
    pub(crate) worker: u16,
    /// Key among the worker's subscriptions.
    pub(crate) key: u32,
    pub(crate) serial: u32,
}

/// Which workers have subscribers under one pattern; a bit each.
#[derive(Default)]
pub(crate) struct Interest {
    workers: [u64; WORKER_WORDS],
}

impl Interest {
    pub(crate) fn add(&mut self, worker: u16) {
        self.workers[usize::from(worker) / 64] |= 1 << (worker % 64);
    }

    /// True when nobody is left.
    pub(crate) fn remove(&mut self, worker: u16) -> bool {
        self.workers[usize::from(worker) / 64] &= !(1 << (worker % 64));
        self.workers == [0; WORKER_WORDS]
    }

    /// Adds everybody who is interested in `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.workers.iter_mut().zip(other.workers) {
            *mine |= theirs;
        }
    }

    pub(crate) fn contains(&self, worker: usize) -> bool {
        self.workers[worker / 64] & (1 << (worker % 64)) != 0
    }
}

/// Those who get the very same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GroupKey {
    pub(crate) form: Form,
    /// They acknowledge, so each frame has an `ack` header of its own after all.
    pub(crate) acknowledges: bool,
    pub(crate) id: Option<Box<str>>,
}

/// One subscription in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// Slot of the connection.
    pub(crate) connection: u32,
    /// Key of the subscription.
    pub(crate) subscription: u32,
}

/// More threads than this gain nothing; the sets of interested workers are made for it.
pub(crate) const MAX_WORKERS: usize = 256;

const WORKER_WORDS: usize = MAX_WORKERS / 64;

type Members = SmallVec<[Member; 2]>;

/// The subscribers of one pattern on one worker, grouped. Most patterns have one group, since most clients of a kind
/// choose the same id.
#[derive(Default)]
pub(crate) enum Subscribers {
    #[default]
    None,
    One(GroupKey, Members),
    Many(HashMap<GroupKey, Members>),
}

impl Subscribers {
    /// Adds a member and tells its position.
    pub(crate) fn add(&mut self, key: GroupKey, member: Member) -> u32 {
        let members = self.group_mut(key);
        members.push(member);
        (members.len() - 1) as u32
    }

    fn group_mut(&mut self, key: GroupKey) -> &mut Members {
        match self {
            Self::None => *self = Self::One(key.clone(), Members::new()),
            Self::One(only, _) if *only == key => {}
            Self::One(..) => {
                if let Self::One(only, members) = std::mem::take(self) {
                    *self = Self::Many(HashMap::from_iter([(only, members)]));
                }
            }
            Self::Many(_) => {}
        }
        match self {
            Self::None => unreachable!("a group was put in above"),
            Self::One(_, members) => members,
            Self::Many(groups) => groups.entry(key).or_default(),
        }
    }

    /// Takes the member at `position` out; the answer is the one that moved there, if any.
    pub(crate) fn remove(&mut self, key: &GroupKey, position: u32) -> Option<Member> {
        let members = match self {
            Self::One(only, members) if only == key => members,
            Self::Many(groups) => groups.get_mut(key)?,
            _ => return None,
        };
        members.swap_remove(position as usize);
        let moved = members.get(position as usize).copied();
        if members.is_empty() {
            self.remove_group(key);
        }
        moved
    }

    fn remove_group(&mut self, key: &GroupKey) {
        match self {
            Self::Many(groups) if groups.len() > 1 => {
                groups.remove(key);
            }
            _ => *self = Self::None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(crate) fn for_each_group(&self, mut visit: impl FnMut(&GroupKey, &[Member])) {
        match self {
            Self::None => {}
            Self::One(key, members) => visit(key, members),
            Self::Many(groups) => groups.iter().for_each(|(key, members)| visit(key, members)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap as Model;

    use proptest::prelude::*;

    use super::*;
    use crate::link::Wire;

    fn key(id: u8) -> GroupKey {
        GroupKey {
            form: Form {
                version: tidings_stomp::Version::V1_2,
                wire: Wire::Tcp,
            },
            acknowledges: false,
            id: Some(format!("sub-{id}").into()),
        }
    }

    proptest! {
        /// The model: group of each member, and its position as the callers are told.
        #[test]
        fn members_are_where_their_subscription_believes(steps in prop::collection::vec((0u8..4, 0u32..24), 1..200)) {
            let mut subscribers = Subscribers::default();
            let mut positions: Model<u32, (u8, u32)> = Model::new();
            for (group, name) in steps {
                match positions.remove(&name) {
                    None => {
                        let member = Member { connection: name, subscription: name };
                        let position = subscribers.add(key(group), member);
                        positions.insert(name, (group, position));
                    }
                    Some((group, position)) => {
                        if let Some(moved) = subscribers.remove(&key(group), position) {
                            positions.get_mut(&moved.subscription).expect("it is a member").1 = position;
                        }
                    }
                }
                let mut found = Model::new();
                subscribers.for_each_group(|key, members| {
                    for (position, member) in members.iter().enumerate() {
                        found.insert(member.subscription, (key.clone(), position as u32));
                    }
                });
                let expected: Model<_, _> =
                    positions.iter().map(|(name, (group, position))| (*name, (key(*group), *position))).collect();
                prop_assert_eq!(found, expected);
                prop_assert_eq!(subscribers.is_empty(), positions.is_empty());
            }
        }
    }
}
