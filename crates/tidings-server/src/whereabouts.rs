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

/// Where sessions are. Costs an entry of a map for each, so it is only kept where somebody may ask: see
/// [`Node::keeps_whereabouts`].
#[derive(Default)]
pub(crate) struct Whereabouts {
    shards: [Mutex<Shard>; SHARDS],
}

/// Ordered, so that pages can be read without looking at all of it.
type Shard = BTreeMap<Arc<str>, Place>;

impl Whereabouts {
    fn shard(&self, session: &str) -> &Mutex<Shard> {
        &self.shards[number(session)]
    }

    /// A session is connected.
    pub(crate) fn arrive(&self, place: Place) {
        let id = Arc::clone(&place.session.id);
        lock(self.shard(&id)).insert(id, place);
    }

    /// A session has ended.
    pub(crate) fn leave(&self, session: &str) {
        lock(self.shard(session)).remove(session);
    }

    /// Where the session is, if it is connected.
    pub(crate) fn find(&self, session: &str) -> Option<Place> {
        lock(self.shard(session)).get(session).cloned()
    }

    /// At most `limit` sessions whose ids come behind `session`, in the order of the ids.
    pub(crate) fn after(&self, session: &str, limit: usize) -> Vec<Place> {
        let mut found = Vec::new();
        for shard in self.shards.iter().skip(number(session)) {
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
        self.shards.iter().map(|shard| lock(shard).len()).sum()
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
    /// Whether it is remembered where sessions are: the API and applications may want to end them, and so may a user who
    /// connects once more than one may.
    pub(crate) fn keeps_whereabouts(&self) -> bool {
        self.config.api.enabled || self.application.get().is_some() || self.replaces_sessions()
    }

    /// Tells a session to go; false where there is none. It counts as gone from now on, so that no second letter
    /// follows.
    pub(crate) fn disconnect(&self, session: &str, farewell: &Arc<Farewell>) -> bool {
        let Some(place) = lock(self.whereabouts.shard(session)).remove(session) else {
            return false;
        };
        self.tell(&place, farewell);
        true
    }

    /// As [`disconnect`](Self::disconnect), all sessions of which `is_meant` is true; how many these are. Looks at every
    /// session, a shard at a time.
    pub(crate) fn disconnect_all(
        &self,
        is_meant: impl Fn(&Known) -> bool,
        farewell: &Arc<Farewell>,
    ) -> usize {
        let mut told = 0;
        for shard in &self.whereabouts.shards {
            let is_meant = |_: &Arc<str>, place: &mut Place| is_meant(&place.session);
            let meant: Vec<_> = lock(shard).extract_if(.., is_meant).collect();
            for (_, place) in &meant {
                self.tell(place, farewell);
            }
            told += meant.len();
        }
        told
    }

    fn tell(&self, place: &Place, farewell: &Arc<Farewell>) {
        let letter = Letter::Disconnect(place.connection, Arc::clone(farewell));
        self.mailboxes[usize::from(place.worker)].post(letter, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidings_core::application::{Answer, Application, Request};

    use super::*;
    use crate::config::{Config, Overrides};

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
            let whereabouts = Whereabouts::default();
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
    fn nothing_is_kept_where_nobody_may_ask() {
        struct Silent;

        impl Application for Silent {
            fn call(&self, _: Request) -> Answer {
                Answer::new(std::future::pending())
            }
        }

        let mut config = Config::development(&Overrides::default()).expect("defaults");
        config.api.enabled = false;
        let node = Node::new(config.clone(), 1);
        assert!(!node.keeps_whereabouts());
        let _ = node.application.set(Arc::new(Silent));
        assert!(node.keeps_whereabouts());
        config.api.enabled = true;
        assert!(Node::new(config, 1).keeps_whereabouts());
    }
}
