//! What queries and bodies say, and pages: who is connected.

use axum::extract::Query;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::problem::{Kind, Problem};
use super::{Answered, Api, Call, encode};
use crate::node::lock;

/// Entries of a page, unless the request says otherwise.
pub(super) const PAGE: usize = 100;

/// Most entries of a page.
pub(super) const MAX_PAGE: usize = 1_000;

/// How many, and from where.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    limit: Option<Limit>,
    #[serde(default)]
    after: String,
}

/// How many entries a page has at most.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct Limit(usize);

impl Limit {
    /// As wanted, or what goes without saying.
    pub(super) fn check(wanted: Option<Self>) -> Result<usize, Problem> {
        let Self(limit) = wanted.unwrap_or(Self(PAGE));
        if (1..=MAX_PAGE).contains(&limit) {
            return Ok(limit);
        }
        let detail = format!("limit is {limit}; ask for 1 to {MAX_PAGE}");
        Err(Problem::new(Kind::InvalidRequest, detail))
    }
}

/// The query of a request, which has no other members.
pub(super) fn query<T: DeserializeOwned>(call: &Call<'_>) -> Result<T, Problem> {
    Query::try_from_uri(call.uri)
        .map(|Query(wanted)| wanted)
        .map_err(|error| Problem::new(Kind::InvalidRequest, error.body_text()))
}

/// Reads an object; the library would take an array of its values for one.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    if body.trim_ascii_start().starts_with(b"[") {
        let detail = "the body is no object; /api/v1/openapi.json describes it";
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    Ok(serde_json::from_slice(body)?)
}

/// Cuts `entries`, of which one more than the limit was looked up, and says whether there are more.
pub(super) fn cut<T>(entries: &mut Vec<T>, limit: usize) -> bool {
    let has_more = entries.len() > limit;
    entries.truncate(limit);
    has_more
}

#[derive(Serialize)]
struct Page {
    users: Vec<User>,
    /// Of all pages.
    total: usize,
    /// What the next page is to be asked for with; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct User {
    name: String,
    sessions: usize,
}

#[derive(Serialize)]
struct Sessions<'a> {
    name: &'a str,
    /// The first ones.
    sessions: Vec<&'a str>,
    total: usize,
}

/// Users by name.
pub(super) fn list(api: &Api, call: &Call<'_>) -> Answered {
    let wanted: Wanted = query(call)?;
    let limit = Limit::check(wanted.limit)?;
    let (mut users, total) = {
        let users = lock(&api.node.users);
        let found = users.after(&wanted.after).take(limit + 1);
        let found = found.map(|(name, sessions)| User {
            name: name.to_owned(),
            sessions: sessions.len(),
        });
        (found.collect::<Vec<_>>(), users.count())
    };
    let next = cut(&mut users, limit).then(|| users.last());
    Ok(encode(&Page {
        next: next.flatten().map(|user| user.name.clone()),
        users,
        total,
    }))
}

/// The sessions of a user.
pub(super) fn show(api: &Api, call: &Call<'_>) -> Answered {
    let (sessions, total) = {
        let users = lock(&api.node.users);
        let sessions = users.of_user(call.subject);
        let first = sessions.iter().take(MAX_PAGE).cloned();
        (first.collect::<Vec<_>>(), sessions.len())
    };
    Ok(encode(&Sessions {
        name: call.subject,
        sessions: sessions.iter().map(|session| &**session).collect(),
        total,
    }))
}
