//! Where each session is: by its id, which worker owns its connection, and what is told of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use tidings_core::application::Session as Known;

use crate::link::Wire;
use crate::node::{Node, lock};
use crate::worker::{ConnectionKey, Farewell, Letter};

/// Sessions come and go on all workers at once; this many locks let them. One for each digit that an id may begin with,
/// so that shard after shard is in the order of the ids.
const SHARDS: usize = 16;

/// A session that is connected.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) worker: u16,
    pub(crate) connection: ConnectionKey,
    pub(crate) session: Arc<Known>,
    pub(crate) wire: Wire,
    pub(crate) peer: Option<SocketAddr>,
    /// Milliseconds since the epoch.
    pub(crate) connected_at_ms: u64,
}

/// Where sessions are. Costs an entry of a map for each, so it is only kept where the API is on.
pub(crate) struct Whereabouts {
    /// None where it is off.
    shards: Option<Box<[Mutex<Shard>; SHARDS]>>,
}

/// Ordered, so that pages can be read without looking at all of it.
type Shard = BTreeMap<Arc<str>, Place>;

impl Whereabouts {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            shards: is_kept.then(Box::default),
        }
    }

    fn shard(&self, session: &str) -> Option<&Mutex<Shard>> {
        self.shards.as_deref()?.get(number(session))
    }

    /// A session is connected.
    pub(crate) fn arrive(&self, place: Place) {
        if let Some(shard) = self.shard(&place.session.id) {
            lock(shard).insert(Arc::clone(&place.session.id), place);
        }
    }

    /// A session has ended.
    pub(crate) fn leave(&self, session: &str) {
        if let Some(shard) = self.shard(session) {
            lock(shard).remove(session);
        }
    }

    /// Where the session is, if it is connected.
    pub(crate) fn find(&self, session: &str) -> Option<Place> {
        lock(self.shard(session)?).get(session).cloned()
    }

    /// At most `limit` sessions whose ids come behind `session`, in the order of the ids.
    pub(crate) fn after(&self, session: &str, limit: usize) -> Vec<Place> {
        let mut found = Vec::new();
        let shards = self.shards.as_deref().map_or(&[][..], |shards| shards);
        for shard in shards.iter().skip(number(session)) {
            let behind = (Bound::Excluded(session), Bound::Unbounded);
            let left = limit - found.len();
            let shard = lock(shard);
            found.extend(
                shard
                    .range::<str, _>(behind)
                    .take(left)
                    .map(|(_, place)| place.clone()),
            );
        }
        found
    }

    /// How many sessions are connected.
    pub(crate) fn count(&self) -> usize {
        let shards = self.shards.as_deref().map_or(&[][..], |shards| shards);
        shards.iter().map(|shard| lock(shard).len()).sum()
    }
}

/// The shard of a session: grows with the id, whatever that is.
fn number(session: &str) -> usize {
    match session.as_bytes().first() {
        None | Some(..b'0') => 0,
        Some(digit @ b'0'..=b'9') => usize::from(digit - b'0'),
        Some(b':'..b'a') => 10,
        Some(digit @ b'a'..=b'f') => usize::from(digit - b'a') + 10,
        Some(b'g'..) => SHARDS - 1,
    }
}

impl Node {
    /// Tells a session to go; false where there is none. It counts as gone from now on, so that no second letter
    /// follows.
    pub(crate) fn disconnect(&self, session: &str, farewell: &Arc<Farewell>) -> bool {
        let shard = self.whereabouts.shard(session);
        let place = shard.and_then(|shard| lock(shard).remove(session));
        let Some(place) = place else {
            return false;
        };
        let letter = Letter::Disconnect(place.connection, Arc::clone(farewell));
        self.mailboxes[usize::from(place.worker)].post(letter, 0);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(id: &str) -> Place {
        Place {
            worker: 0,
            connection: ConnectionKey::default(),
            session: Arc::new(Known::new(id.into(), None)),
            wire: Wire::Tcp,
            peer: None,
            connected_at_ms: 0,
        }
    }

    proptest! {
        /// The model is one ordered set.
        #[test]
        fn pages_have_every_session_once_in_the_order_of_the_ids(
            steps in prop::collection::vec(("[ -~é]{0,2}|[0-9a-f]{1,3}", any::<bool>()), 0..60),
            limit in 1usize..8,
        ) {
            let whereabouts = Whereabouts::new(true);
            let mut model = std::collections::BTreeSet::new();
            for (id, comes) in steps.iter().filter(|(id, _)| !id.is_empty()) {
                if *comes {
                    whereabouts.arrive(place(id));
                    model.insert(id.clone());
                } else {
                    whereabouts.leave(id);
                    model.remove(id);
                }
                prop_assert_eq!(whereabouts.find(id).is_some(), *comes);
            }
            prop_assert_eq!(whereabouts.count(), model.len());
            let mut found = Vec::new();
            let mut after = String::new();
            loop {
                let page = whereabouts.after(&after, limit);
                prop_assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                after = last.session.id.to_string();
                found.extend(page.iter().map(|place| place.session.id.to_string()));
            }
            prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn without_the_api_nothing_is_kept() {
        let whereabouts = Whereabouts::new(false);
        whereabouts.arrive(place("a"));
        assert!(whereabouts.find("a").is_none() && whereabouts.after("", 9).is_empty());
        assert_eq!(whereabouts.count(), 0);
    }
}
