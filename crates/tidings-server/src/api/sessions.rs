//! Lists sessions, and ends them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tidings_core::disconnect::Reason;

use super::page::{self, Limit};
use super::problem::{Kind, Problem};
use super::subscriptions;
use super::{Answered, Answering, Api, Call, encode};
use crate::node::{Node, lock};
use crate::whereabouts::Place;
use crate::worker::Farewell;

/// Longest text of a farewell, in characters.
pub(super) const MAX_TEXT_CHARS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<Limit>,
    #[serde(default)]
    after: String,
    user: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    sessions: Vec<Described<'a>>,
    /// Of all pages.
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
}

/// A session as it is told of.
#[derive(Serialize)]
struct Described<'a> {
    id: &'a str,
    /// Null of a client that gave no name.
    user: Option<&'a str>,
    link: &'static str,
    /// Null where nobody tells, as behind an application that does not.
    peer: Option<String>,
    connected_at_ms: u64,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    session: Described<'a>,
    subscriptions: usize,
}

impl<'a> Described<'a> {
    fn new(place: &'a Place) -> Self {
        Self {
            id: &place.session.id,
            user: place.session.user.as_deref(),
            link: place.wire.link(),
            peer: place.peer.map(|peer| peer.to_string()),
            connected_at_ms: place.connected_at_ms,
        }
    }
}

/// All sessions, or those of a user, by id.
pub(super) fn list(api: &Api, call: &Call<'_>) -> Answered {
    let wanted: Wanted = page::query(call)?;
    let limit = Limit::check(wanted.limit)?;
    let whereabouts = &api.node.whereabouts;
    let (mut places, total) = match &wanted.user {
        None => (
            whereabouts.after(&wanted.after, limit + 1),
            whereabouts.count(),
        ),
        Some(user) => {
            let (sessions, total) = of_user(&api.node, user, &wanted.after, limit + 1);
            let places = sessions.iter().filter_map(|id| whereabouts.find(id));
            (places.collect(), total)
        }
    };
    let has_more = page::cut(&mut places, limit);
    let last = places.last().filter(|_| has_more);
    Ok(encode(&Page {
        sessions: places.iter().map(Described::new).collect(),
        total,
        next: last.map(|place| &*place.session.id),
    }))
}

/// At most `limit` sessions of a user behind the one called `after`, in the order of their ids, and how many there are.
pub(super) fn of_user(
    node: &Node,
    user: &str,
    after: &str,
    limit: usize,
) -> (Vec<Arc<str>>, usize) {
    let all = lock(&node.users).of_user(user).to_vec();
    let total = all.len();
    let mut behind: Vec<_> = all.into_iter().filter(|id| **id > *after).collect();
    // A user may have many, and only the first ones are wanted.
    if behind.len() > limit {
        behind.select_nth_unstable(limit);
        behind.truncate(limit);
    }
    behind.sort_unstable();
    (behind, total)
}

/// One session, and how much it has subscribed to.
pub(super) fn show<'a>(api: &'a Api, call: &'a Call<'_>) -> Answering<'a> {
    Box::pin(async move {
        let place = api
            .node
            .whereabouts
            .find(call.subject)
            .ok_or_else(unknown)?;
        let subscriptions = subscriptions::count(api, &place).await?;
        Ok(encode(&Shown {
            session: Described::new(&place),
            subscriptions: subscriptions.ok_or_else(unknown)?,
        }))
    })
}

/// In which words to disconnect.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    reason: Option<String>,
    close_code: Option<u16>,
    text: Option<String>,
}

#[derive(Serialize)]
struct Disconnected {
    /// Sessions that were told to go.
    disconnected: usize,
}

/// Ends all sessions of a user.
pub(super) fn end_all(api: &Api, call: &Call<'_>) -> Answered {
    let farewell = farewell(call)?;
    let sessions = lock(&api.node.users).of_user(call.subject).to_vec();
    let told = sessions
        .iter()
        .filter(|session| api.node.disconnect(session, &farewell));
    Ok(encode(&Disconnected {
        disconnected: told.count(),
    }))
}

/// Ends one session.
pub(super) fn end(api: &Api, call: &Call<'_>) -> Answered {
    let farewell = farewell(call)?;
    if !api.node.disconnect(call.subject, &farewell) {
        return Err(unknown());
    }
    Ok(encode(&Disconnected { disconnected: 1 }))
}

/// Whether an application may give this reason: not one that says what is broken beneath STOMP, nor one that no close
/// frame can carry.
pub(super) fn may_be_given(reason: &Reason) -> bool {
    !matches!(reason.close_code(), 1002 | 1006 | 1007 | 1009)
}

fn farewell(call: &Call<'_>) -> Result<Arc<Farewell>, Problem> {
    let invalid = |detail: String| Problem::new(Kind::InvalidRequest, detail);
    let words: Words = page::query(call)?;
    let reason = match &words.reason {
        None => Reason::DisconnectedByApplication,
        Some(name) => Reason::from_name(name)
            .filter(may_be_given)
            .ok_or_else(|| {
                invalid(format!(
                    "reason is {name:?}; write one of those that /api/v1/openapi.json lists"
                ))
            })?,
    };
    if let Some(code) = words.close_code.filter(|code| !(4000..5000).contains(code)) {
        return Err(invalid(format!("close_code is {code}; write 4000 to 4999")));
    }
    let fits = |text: &str| {
        (1..=MAX_TEXT_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control)
    };
    if !words.text.as_deref().is_none_or(fits) {
        return Err(invalid(format!(
            "text has to be 1 to {MAX_TEXT_CHARS} characters, with no control characters"
        )));
    }
    Ok(Arc::new(Farewell {
        reason,
        close_code: words.close_code,
        text: words.text.map(String::into_boxed_str),
    }))
}

/// There is no such session.
pub(super) fn unknown() -> Problem {
    Problem::new(
        Kind::UnknownSession,
        "it has ended, or was never on this node; /api/v1/sessions lists those that there are",
    )
}
