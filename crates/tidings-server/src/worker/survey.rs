//! What subscriptions there are: asked from other threads, looked up and answered in slices.

use std::rc::Rc;
use std::sync::Arc;

use tidings_core::application::Session as Known;
use tidings_stomp::AckMode;
use tokio::sync::oneshot;

use super::{Connection, ConnectionKey, Subscription, Worker};
use crate::link::Wire;
use crate::session::EndedBy;

/// Subscriptions looked at for one letter; nothing else of the worker goes on meanwhile.
const SLICE: usize = 1_024;

/// A question about subscriptions of this worker.
pub(crate) struct Survey {
    pub(crate) scope: Scope,
    pub(crate) filter: Arc<Filter>,
    /// Most that are found.
    pub(crate) limit: usize,
    /// Those that are found are ended.
    pub(crate) ends: bool,
    pub(crate) answer: oneshot::Sender<Surveyed>,
}

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of this worker, from this place on. They keep their places.
    Worker { from: u32 },
    /// Those of one connection whose ordinals are greater than `after`; they are in this order.
    Connection { key: ConnectionKey, after: u32 },
}

/// What to look for; what is absent does not matter.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) id: Option<Box<str>>,
    /// As the client wrote it.
    pub(crate) destination: Option<Box<str>>,
    /// The beginning of the destination.
    pub(crate) prefix: Option<Box<str>>,
}

/// What was found.
pub(crate) struct Surveyed {
    pub(crate) found: Vec<Found>,
    /// Where to go on; none at the end.
    pub(crate) next: Option<u32>,
    /// Of [`Scope::Connection`]: how many subscriptions it has. None where it is gone.
    pub(crate) count: Option<usize>,
}

/// A subscription as it is told of.
pub(crate) struct Found {
    pub(crate) session: Arc<Known>,
    pub(crate) id: Option<Box<str>>,
    /// As the client wrote it.
    pub(crate) destination: Box<str>,
    pub(crate) ack: AckMode,
    pub(crate) wire: Wire,
}

impl Filter {
    fn takes(&self, id: Option<&str>, destination: &str) -> bool {
        self.id.as_deref().is_none_or(|wanted| id == Some(wanted))
            && self
                .destination
                .as_deref()
                .is_none_or(|wanted| destination == wanted)
            && self
                .prefix
                .as_deref()
                .is_none_or(|wanted| destination.starts_with(wanted))
    }
}

impl Worker {
    /// Answers a question. Who asked may have gone.
    pub(super) fn survey(self: &Rc<Self>, survey: Survey) {
        let (surveyed, keys) = match survey.scope {
            Scope::Worker { from } => self.survey_all(from, &survey),
            Scope::Connection { key, after } => self.survey_connection(key, after, &survey),
        };
        if survey.ends {
            for (connection, key) in keys {
                self.withdraw(&connection, key, EndedBy::Application);
            }
        }
        let _ = survey.answer.send(surveyed);
    }

    fn survey_all(&self, from: u32, survey: &Survey) -> (Surveyed, Keys) {
        let end = self.subscriptions.borrow().capacity();
        let places = (from as usize..end).take(SLICE).map(|key| key as u32);
        let mut slice = Slice::new(self, survey);
        let rest = slice.look(places.map(|key| (key, key)));
        let looked_at = (from as usize).saturating_add(SLICE);
        let next = rest.or((looked_at < end).then_some(looked_at as u32));
        slice.finish(next, None)
    }

    fn survey_connection(
        &self,
        connection: ConnectionKey,
        after: u32,
        survey: &Survey,
    ) -> (Surveyed, Keys) {
        let mut slice = Slice::new(self, survey);
        let Some(behind) = self.behind(connection, after) else {
            return slice.finish(None, None);
        };
        let rest = slice.look(behind.places.iter().copied());
        let last = behind.places.last().filter(|_| behind.is_cut);
        let next = match rest {
            Some(ordinal) => Some(ordinal - 1),
            None => last.map(|(ordinal, _)| *ordinal),
        };
        slice.finish(next, Some(behind.count))
    }

    fn behind(&self, connection: ConnectionKey, after: u32) -> Option<Behind> {
        let connection = self.connection(connection)?;
        let application = connection.application.borrow();
        let keys = application.session()?.subscriptions();
        let ordinal = |key: u32| self.with_subscription(key, |one| one.ordinal);
        let behind = &keys[keys.partition_point(|key| ordinal(*key) <= after)..];
        let places = behind.iter().take(SLICE).map(|key| (ordinal(*key), *key));
        Some(Behind {
            places: places.collect(),
            is_cut: behind.len() > SLICE,
            count: keys.len(),
        })
    }
}

/// Subscriptions of a connection behind an ordinal.
struct Behind {
    /// By ordinal and key.
    places: Vec<(u32, u32)>,
    /// There are more.
    is_cut: bool,
    /// All that the connection has.
    count: usize,
}

/// Subscriptions by connection and key.
type Keys = Vec<(Rc<Connection>, u32)>;

/// The look at one slice.
struct Slice<'a> {
    worker: &'a Worker,
    survey: &'a Survey,
    found: Vec<Found>,
    keys: Keys,
}

impl<'a> Slice<'a> {
    fn new(worker: &'a Worker, survey: &'a Survey) -> Self {
        Self {
            worker,
            survey,
            found: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Looks at subscriptions, each with its place; the place of the first one for which there was no room.
    fn look(&mut self, places: impl Iterator<Item = (u32, u32)>) -> Option<u32> {
        let subscriptions = self.worker.subscriptions.borrow();
        for (place, key) in places {
            if self.found.len() >= self.survey.limit {
                return Some(place);
            }
            if let Some(subscription) = subscriptions.get(key as usize) {
                self.consider(key, subscription);
            }
        }
        None
    }

    fn consider(&mut self, key: u32, subscription: &Subscription) {
        let connections = self.worker.connections.borrow();
        let Some(connection) = connections.get(subscription.connection as usize) else {
            return;
        };
        let application = connection.application.borrow();
        let Some((session, known)) = application
            .session()
            .and_then(|session| Some((session, session.known()?)))
        else {
            return;
        };
        let destination = session.destination_of(&self.worker.node, subscription);
        let id = subscription.id.as_deref();
        if self.survey.filter.takes(id, &destination) {
            self.found.push(Found {
                session: Arc::clone(known),
                id: id.map(Into::into),
                destination: destination.into(),
                ack: subscription.ack,
                wire: connection.wire(),
            });
            if self.survey.ends {
                self.keys.push((Rc::clone(connection), key));
            }
        }
    }

    fn finish(self, next: Option<u32>, count: Option<usize>) -> (Surveyed, Keys) {
        let surveyed = Surveyed {
            found: self.found,
            next,
            count,
        };
        (surveyed, self.keys)
    }
}
