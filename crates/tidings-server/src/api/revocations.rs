//! Revokes users, sessions and tokens, lists what is revoked, and lifts it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidings_core::application::Session as Known;
use tidings_core::disconnect::Reason;

use super::page::{self, Limit};
use super::problem::{Kind, Problem};
use super::sessions::MAX_TEXT_CHARS;
use super::{Answered, Api, Call, encode};
use crate::audit::{Deed, Withdrawn};
use crate::security::{Full, Revocation, Subject};
use crate::worker::Farewell;

/// Longest name of a user, and longest id of a session or token, in bytes: each costs memory until it is over.
pub(super) const MAX_SUBJECT_BYTES: usize = 1_024;

/// What `jwt.leeway` may be at most: so long a token may count after it has expired.
const LEEWAY: Duration = Duration::from_mins(10);

/// When to try again where there is no room, in seconds.
const RETRY_AFTER: u64 = 60;

/// Who is to be revoked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    user: Option<String>,
    session: Option<String>,
    token_id: Option<String>,
    /// Seconds since the epoch, of a user.
    until: Option<u64>,
    /// Seconds since the epoch, of a token.
    expires_at: Option<u64>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct Revoked {
    /// Sessions that were told to go.
    disconnected: usize,
    /// Seconds since the epoch; null where nobody is refused from now on.
    until: Option<u64>,
}

#[derive(Serialize)]
struct Page<'a> {
    revocations: Vec<Described<'a>>,
    /// Of all pages.
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
struct Described<'a> {
    user: Option<&'a str>,
    token_id: Option<&'a str>,
    /// Seconds since the epoch.
    until: u64,
    reason: Option<&'a str>,
    by: &'a str,
    revoked_at_ms: u64,
}

#[derive(Serialize)]
struct Lifted {
    lifted: usize,
}

/// A page's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    limit: Option<Limit>,
    after: Option<String>,
}

/// Ends what is open, and refuses what comes.
pub(super) fn revoke(api: &Api, call: &Call<'_>) -> Answered {
    let wanted: Wanted = page::object(call.body)?;
    let (what, target) = wanted.target()?;
    // Before sessions are looked for: who is on the way in is refused, or is among them.
    let until_ms = match wanted.lasting(what, target) {
        Some((subject, seconds)) => refuse(api, call, subject, seconds, &wanted.reason)?,
        None => None,
    };
    let is_meant = |session: &Known| match what {
        Withdrawn::User => session.user.as_deref() == Some(target),
        Withdrawn::Session => *session.id == *target,
        Withdrawn::Token => session.principal().token_id.as_deref() == Some(target),
    };
    let farewell = Farewell {
        reason: Reason::Revoked,
        close_code: None,
        text: None,
    };
    let disconnected = api.node.disconnect_all(is_meant, &Arc::new(farewell));
    let deed = Deed::Revoked {
        what,
        target,
        sessions: disconnected,
    };
    api.node.audit.record(call.caller.actor(), &deed);
    Ok(encode(&Revoked {
        disconnected,
        until: until_ms.map(seconds),
    }))
}

impl Wanted {
    /// Exactly one.
    fn target(&self) -> Result<(Withdrawn, &str), Problem> {
        let (what, target) = match (&self.user, &self.session, &self.token_id) {
            (Some(user), None, None) => (Withdrawn::User, user),
            (None, Some(session), None) => (Withdrawn::Session, session),
            (None, None, Some(token)) => (Withdrawn::Token, token),
            _ => return Err(invalid("name one of `user`, `session` and `token_id`")),
        };
        if !(1..=MAX_SUBJECT_BYTES).contains(&target.len()) {
            return Err(invalid(&format!(
                "names and ids have 1 to {MAX_SUBJECT_BYTES} bytes"
            )));
        }
        if self.until.is_some() && what != Withdrawn::User {
            return Err(invalid("`until` goes with `user` alone"));
        }
        if self.expires_at.is_some() && what != Withdrawn::Token {
            return Err(invalid("`expires_at` goes with `token_id` alone"));
        }
        let fits = |text: &str| {
            (1..=MAX_TEXT_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control)
        };
        if !self.reason.as_deref().is_none_or(fits) {
            return Err(invalid(&format!(
                "reason has to be 1 to {MAX_TEXT_CHARS} characters, with no control characters"
            )));
        }
        Ok((what, target))
    }

    /// Who is refused from now on, if somebody is, and until when, if that is said.
    fn lasting(&self, what: Withdrawn, target: &str) -> Option<(Subject, Option<u64>)> {
        match what {
            Withdrawn::Token => Some((Subject::Token(target.into()), self.expires_at)),
            Withdrawn::User if self.until.is_some() => {
                Some((Subject::User(target.into()), self.until))
            }
            Withdrawn::User | Withdrawn::Session => None,
        }
    }
}

/// Remembers it; until when, unless that is over.
fn refuse(
    api: &Api,
    call: &Call<'_>,
    subject: Subject,
    until: Option<u64>,
    reason: &Option<String>,
) -> Result<Option<u64>, Problem> {
    let now_ms = api.node.now_ms();
    let config = api.node.security.config();
    let latest_ms = now_ms.saturating_add(millis(config.revocation_time));
    let until_ms = until.map_or(latest_ms, |until| until.saturating_mul(1_000));
    if until_ms > latest_ms {
        return Err(invalid(
            "it is revoked for longer than security.revocation_time; revoke it for less, or raise that",
        ));
    }
    let leeway = match subject {
        Subject::Token(_) => LEEWAY,
        Subject::User(_) => Duration::ZERO,
    };
    let until_ms = until_ms.saturating_add(millis(leeway));
    if until_ms <= now_ms {
        return Ok(None);
    }
    let revocation = Revocation {
        until_ms,
        reason: reason.as_deref().map(Into::into),
        by: call.caller.name().into(),
        revoked_at_ms: now_ms,
    };
    let mut all = api.node.security.revocations();
    all.add(subject, revocation, config.max_revocations, now_ms)
        .map_err(|Full| {
            api.node.telemetry.limit_reached("security.max_revocations");
            let detail = "nothing was revoked; lift some, or raise security.max_revocations";
            Problem::new(Kind::TooManyRevocations, detail).retry_after(RETRY_AFTER)
        })?;
    Ok(Some(until_ms))
}

/// Tokens by id, then users by name.
pub(super) fn list(api: &Api, call: &Call<'_>) -> Answered {
    let asked: Asked = page::query(call)?;
    let limit = Limit::check(asked.limit)?;
    let after = asked.after.as_deref().map(cursor).transpose()?;
    let now_ms = api.node.now_ms();
    let (mut found, total) = {
        let mut all = api.node.security.revocations();
        (all.after(after, limit + 1, now_ms), all.count(now_ms))
    };
    let has_more = page::cut(&mut found, limit);
    let last = found.last().filter(|_| has_more);
    Ok(encode(&Page {
        next: last.map(|(subject, _)| match subject {
            Subject::Token(id) => format!("token:{id}"),
            Subject::User(name) => format!("user:{name}"),
        }),
        revocations: found.iter().map(described).collect(),
        total,
    }))
}

fn described((subject, revocation): &(Subject, Revocation)) -> Described<'_> {
    let (user, token_id) = match subject {
        Subject::User(name) => (Some(&**name), None),
        Subject::Token(id) => (None, Some(&**id)),
    };
    Described {
        user,
        token_id,
        until: seconds(revocation.until_ms),
        reason: revocation.reason.as_deref(),
        by: &revocation.by,
        revoked_at_ms: revocation.revoked_at_ms,
    }
}

fn cursor(text: &str) -> Result<Subject, Problem> {
    match text.split_once(':') {
        Some(("token", id)) => Ok(Subject::Token(id.into())),
        Some(("user", name)) => Ok(Subject::User(name.into())),
        _ => Err(invalid(
            "after is no `next` of this query; leave it out for the first page",
        )),
    }
}

/// Lets a user connect again.
pub(super) fn lift_user(api: &Api, call: &Call<'_>) -> Answered {
    Ok(lift(api, &Subject::User(call.subject.into())))
}

/// Lets a token count again.
pub(super) fn lift_token(api: &Api, call: &Call<'_>) -> Answered {
    Ok(lift(api, &Subject::Token(call.subject.into())))
}

fn lift(api: &Api, subject: &Subject) -> bytes::Bytes {
    let now_ms = api.node.now_ms();
    let was_there = api.node.security.revocations().lift(subject, now_ms);
    encode(&Lifted {
        lifted: usize::from(was_there),
    })
}

/// Rounded up, so that it is over when the clock says so.
fn seconds(milliseconds: u64) -> u64 {
    milliseconds.div_ceil(1_000)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Kind::InvalidRequest, detail)
}
