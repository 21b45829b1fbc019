//! Who is connected.

use axum::extract::Query;
use serde::{Deserialize, Serialize};

use super::problem::{Kind, Problem};
use super::{Answered, Api, Call, encode};
use crate::node::lock;

/// Users on a page, unless the request says otherwise.
pub(super) const PAGE: usize = 100;

/// Most users on a page.
pub(super) const MAX_PAGE: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default = "page")]
    limit: usize,
    #[serde(default)]
    after: String,
}

fn page() -> usize {
    PAGE
}

#[derive(Serialize)]
struct Page {
    users: Vec<User>,
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
    sessions: Vec<&'a str>,
}

/// Users by name.
pub(super) fn list(api: &Api, call: &Call<'_>) -> Answered {
    let Query(wanted) = Query::<Wanted>::try_from_uri(call.uri)
        .map_err(|error| Problem::new(Kind::InvalidRequest, error.body_text()))?;
    if !(1..=MAX_PAGE).contains(&wanted.limit) {
        let detail = format!("limit is {}; ask for 1 to {MAX_PAGE}", wanted.limit);
        return Err(Problem::new(Kind::InvalidRequest, detail));
    }
    let mut users: Vec<_> = lock(&api.node.users)
        .after(&wanted.after)
        .take(wanted.limit + 1)
        .map(|(name, sessions)| User {
            name: name.to_owned(),
            sessions: sessions.len(),
        })
        .collect();
    let is_last = users.len() <= wanted.limit;
    users.truncate(wanted.limit);
    let next = users.last().filter(|_| !is_last);
    Ok(encode(&Page {
        next: next.map(|user| user.name.clone()),
        users,
    }))
}

/// The sessions of a user.
pub(super) fn show(api: &Api, call: &Call<'_>) -> Answered {
    let sessions = lock(&api.node.users).sessions(call.subject).to_vec();
    Ok(encode(&Sessions {
        name: call.subject,
        sessions: sessions.iter().map(|session| &**session).collect(),
    }))
}
