//! Where each session is: by its id, which worker owns its connection.

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::node::{Node, lock};
use crate::worker::{ConnectionKey, Letter};

/// Sessions come and go on all workers at once; this many locks let them.
const SHARDS: usize = 16;

/// The connection of a session.
#[derive(Clone, Copy)]
struct Place {
    worker: u16,
    connection: ConnectionKey,
}

/// Where sessions are. Costs an entry of a map for each, so it is only kept where the API is on.
pub(crate) struct Whereabouts {
    /// None where it is off.
    shards: Option<Box<[Mutex<Shard>; SHARDS]>>,
    hasher: DefaultHashBuilder,
}

type Shard = HashMap<Arc<str>, Place>;

impl Whereabouts {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            shards: is_kept.then(Box::default),
            hasher: DefaultHashBuilder::default(),
        }
    }

    fn shard(&self, session: &str) -> Option<&Mutex<Shard>> {
        let shards = self.shards.as_deref()?;
        let hash = self.hasher.hash_one(session);
        shards.get(hash as usize % SHARDS)
    }

    /// A session is connected.
    pub(crate) fn arrive(&self, session: &Arc<str>, worker: u16, connection: ConnectionKey) {
        if let Some(shard) = self.shard(session) {
            let place = Place { worker, connection };
            lock(shard).insert(Arc::clone(session), place);
        }
    }

    /// A session has ended.
    pub(crate) fn leave(&self, session: &str) {
        if let Some(shard) = self.shard(session) {
            lock(shard).remove(session);
        }
    }

    /// Whether the session is connected.
    pub(crate) fn knows(&self, session: &str) -> bool {
        self.shard(session)
            .is_some_and(|shard| lock(shard).contains_key(session))
    }
}

impl Node {
    /// Tells a session to go; false where there is none. It counts as gone from now on, so that no second letter
    /// follows.
    pub(crate) fn disconnect(&self, session: &str) -> bool {
        let shard = self.whereabouts.shard(session);
        let place = shard.and_then(|shard| lock(shard).remove(session));
        let Some(Place { worker, connection }) = place else {
            return false;
        };
        self.mailboxes[usize::from(worker)].post(Letter::Disconnect(connection), 0);
        true
    }
}
