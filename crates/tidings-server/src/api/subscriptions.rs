//! Lists subscriptions, and ends them. Workers have them, and are asked one after the other, a slice at a time.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings_core::disconnect::Reason;
use tidings_stomp::AckMode;
use tokio::sync::oneshot;

use super::page::{self, Limit};
use super::problem::{Kind, Problem};
use super::sessions::{self, of_user};
use super::{Answering, Api, Call, encode};
use crate::whereabouts::Place;
use crate::worker::{Filter, Found, Letter, Scope, Survey, Surveyed};

/// Questions to workers for one request; what is left then is for the next page.
const MAX_QUESTIONS: usize = 64;

/// How long a worker may take to answer. It does so within a turn, unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<Limit>,
    after: Option<String>,
    destination: Option<Box<str>>,
    destination_prefix: Option<Box<str>>,
    session: Option<String>,
    user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfSession {
    limit: Option<Limit>,
    after: Option<String>,
}

/// A request without a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Serialize)]
struct Page<'a> {
    subscriptions: Vec<Described<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Described<'a> {
    session: &'a str,
    user: Option<&'a str>,
    /// Null only with STOMP 1.0.
    id: Option<&'a str>,
    destination: &'a str,
    ack: &'static str,
    link: &'static str,
}

#[derive(Serialize)]
struct Unsubscribed {
    unsubscribed: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// All that the query asks for.
pub(super) fn list<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let wanted: Wanted = page::query(call)?;
        search(api, wanted, false).await.map(Search::into_page)
    })
}

/// Those of one session.
pub(super) fn of_session<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let OfSession { limit, after } = page::query(call)?;
        if api.node.whereabouts.find(call.subject).is_none() {
            return Err(sessions::unknown());
        }
        let wanted = Wanted {
            limit,
            after,
            destination: None,
            destination_prefix: None,
            session: Some(call.subject.into()),
            user: None,
        };
        search(api, wanted, false).await.map(Search::into_page)
    })
}

/// Ends all that the query asks for, which has to name a destination.
pub(super) fn end_all<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let wanted: Wanted = page::query(call)?;
        if wanted.destination.is_none() && wanted.destination_prefix.is_none() {
            let detail =
                "name a `destination` or a `destination_prefix` of the subscriptions to end";
            return Err(Problem::new(Kind::InvalidRequest, detail));
        }
        let search = search(api, wanted, true).await?;
        Ok(encode(&Unsubscribed {
            unsubscribed: search.found.len(),
            next: search.next,
        }))
    })
}

/// Ends one.
pub(super) fn end<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let Nothing {} = page::query(call)?;
        let place = api
            .node
            .whereabouts
            .find(call.subject)
            .ok_or_else(sessions::unknown)?;
        let filter = Filter {
            id: Some(call.part.into()),
            ..Filter::default()
        };
        let mut search = Search::new(api, filter, 1, true);
        let mut after = Some(0);
        while let (Some(behind), true) = (after, search.found.is_empty()) {
            after = search.in_session(&place, behind).await?;
        }
        if search.found.is_empty() {
            return Err(Problem::new(
                Kind::UnknownSubscription,
                "it has ended, or never was; /api/v1/sessions/ID/subscriptions lists those that there are",
            ));
        }
        Ok(encode(&Unsubscribed {
            unsubscribed: 1,
            next: None,
        }))
    })
}

/// How many subscriptions the session has; none where it has just ended.
pub(super) async fn count(api: &Api, place: &Place) -> Result<Option<usize>, Problem> {
    let mut search = Search::new(api, Filter::default(), 0, false);
    let surveyed = search.ask(place.worker, in_connection(place, 0)).await?;
    Ok(surveyed.count)
}

async fn search(api: &Api, wanted: Wanted, ends: bool) -> Result<Search<'_>, Problem> {
    let limit = Limit::check(wanted.limit)?;
    let after = wanted.after.as_deref().map(Cursor::read).transpose()?;
    let filter = Filter {
        id: None,
        destination: wanted.destination,
        prefix: wanted.destination_prefix,
    };
    let mut search = Search::new(api, filter, limit, ends);
    let (first, behind) = after
        .as_ref()
        .map_or(("", 0), |cursor| (cursor.place, cursor.behind));
    let sessions = match (wanted.session, wanted.user) {
        (None, None) => {
            search.everywhere(after.as_ref()).await?;
            return Ok(search);
        }
        (Some(session), None) => vec![session.into()],
        (None, Some(user)) => search.sessions_of(&user, first),
        (Some(session), Some(user)) => {
            let place = api.node.whereabouts.find(&session);
            let is_theirs = |place: &Place| place.session.user.as_deref() == Some(&user);
            place
                .filter(is_theirs)
                .map(|place| Arc::clone(&place.session.id))
                .into_iter()
                .collect()
        }
    };
    let is_cut = sessions.len() > MAX_QUESTIONS;
    for session in &sessions {
        search.next = None;
        if search.is_done() {
            search.next = Some(format!("{session}-0"));
            break;
        }
        let behind = if **session == *first { behind } else { 0 };
        let Some(place) = api.node.whereabouts.find(session) else {
            search.next = is_cut.then(|| format!("{session}-0"));
            continue;
        };
        if let Some(next) = search.in_session(&place, behind).await? {
            search.next = Some(format!("{session}-{next}"));
            break;
        }
    }
    Ok(search)
}

/// Where the page before has ended: with a worker and a place there, or with a session and an ordinal.
struct Cursor<'a> {
    place: &'a str,
    behind: u32,
}

impl<'a> Cursor<'a> {
    fn read(text: &'a str) -> Result<Self, Problem> {
        let parts = text.rsplit_once('-');
        let cursor = parts.and_then(|(place, behind)| {
            let behind = behind.parse().ok()?;
            (!place.is_empty()).then_some(Self { place, behind })
        });
        cursor.ok_or_else(invalid_cursor)
    }
}

fn invalid_cursor() -> Problem {
    let detail = "after is no `next` of this query; leave it out for the first page";
    Problem::new(Kind::InvalidRequest, detail)
}

/// A page that comes about.
struct Search<'a> {
    api: &'a Api,
    filter: Arc<Filter>,
    limit: usize,
    ends: bool,
    questions: usize,
    found: Vec<Found>,
    next: Option<String>,
}

impl<'a> Search<'a> {
    fn new(api: &'a Api, filter: Filter, limit: usize, ends: bool) -> Self {
        Self {
            api,
            filter: Arc::new(filter),
            limit,
            ends,
            questions: 0,
            found: Vec::new(),
            next: None,
        }
    }

    /// The page is full, or has cost enough.
    fn is_done(&self) -> bool {
        self.found.len() >= self.limit || self.questions >= MAX_QUESTIONS
    }

    /// As many sessions of a user as can be asked for, that called `first` included.
    fn sessions_of(&self, user: &str, first: &str) -> Vec<Arc<str>> {
        let node = &self.api.node;
        let (mut behind, _) = of_user(node, user, first, MAX_QUESTIONS + 1);
        let first = node.whereabouts.find(first).map(|place| place.session);
        if let Some(first) = first.filter(|first| first.user.as_deref() == Some(user)) {
            behind.insert(0, Arc::clone(&first.id));
        }
        behind
    }

    /// Looks at every worker from where the page before has ended.
    async fn everywhere(&mut self, after: Option<&Cursor<'_>>) -> Result<(), Problem> {
        let workers = self.api.node.mailboxes.len();
        let (mut worker, mut from) = (0, 0);
        if let Some(cursor) = after {
            let number = cursor
                .place
                .parse()
                .ok()
                .filter(|number| usize::from(*number) < workers);
            worker = number.ok_or_else(invalid_cursor)?;
            from = cursor.behind;
        }
        while usize::from(worker) < workers {
            if self.is_done() {
                self.next = Some(format!("{worker}-{from}"));
                return Ok(());
            }
            let surveyed = self.ask(worker, Scope::Worker { from }).await?;
            self.found.extend(surveyed.found);
            (worker, from) = match surveyed.next {
                Some(next) => (worker, next),
                None => (worker + 1, 0),
            };
        }
        Ok(())
    }

    /// Looks at one session, behind an ordinal. The one to go on behind, unless all has been looked at.
    async fn in_session(&mut self, place: &Place, mut after: u32) -> Result<Option<u32>, Problem> {
        loop {
            let surveyed = self.ask(place.worker, in_connection(place, after)).await?;
            self.found.extend(surveyed.found);
            match surveyed.next {
                Some(next) if !self.is_done() => after = next,
                next => return Ok(next),
            }
        }
    }

    async fn ask(&mut self, worker: u16, scope: Scope) -> Result<Surveyed, Problem> {
        self.questions += 1;
        let (answer, answered) = oneshot::channel();
        let survey = Survey {
            scope,
            filter: Arc::clone(&self.filter),
            limit: self.limit - self.found.len(),
            ends: self.ends,
            answer,
        };
        let mailbox = &self.api.node.mailboxes[usize::from(worker)];
        mailbox.post(Letter::Survey(Box::new(survey)), 0);
        let (reason, detail) = match tokio::time::timeout(PATIENCE, answered).await {
            Ok(Ok(surveyed)) => return Ok(surveyed),
            Ok(Err(_)) => (Reason::Shutdown, "the server is stopping"),
            Err(_) => (Reason::Overloaded, "a worker did not answer in time"),
        };
        Err(Problem::of(reason, detail))
    }

    fn into_page(self) -> bytes::Bytes {
        let described = self.found.iter().map(|found| Described {
            session: &found.session.id,
            user: found.session.user.as_deref(),
            id: found.id.as_deref(),
            destination: &found.destination,
            ack: match found.ack {
                AckMode::Auto => "auto",
                AckMode::Client => "client",
                AckMode::ClientIndividual => "client-individual",
            },
            link: found.wire.link(),
        });
        encode(&Page {
            subscriptions: described.collect(),
            next: self.next,
        })
    }
}

fn in_connection(place: &Place, after: u32) -> Scope {
    Scope::Connection {
        key: place.connection,
        after,
    }
}
