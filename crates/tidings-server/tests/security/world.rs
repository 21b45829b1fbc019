//! One server for all: its rules, its users, and what proves them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use tidings::prelude::*;
use tidings_auth::issue::{Issue, issue};
use tidings_server::config::{AuthenticatorKind, Config, Secret};
use tidings_testkit::{Dial, TestServer, TestServerBuilder};

pub(crate) const SECRET: &str = "a secret of thirty-two bytes, or more";

pub(crate) const COOKIE: &str = "session";

pub(crate) const TICKET: &str = "ticket";

pub(crate) const PASSCODE: &str = "the passcode of ann";

pub(crate) const RULES: &[&str] = &[
    "deny any if claim blocked = true",
    "allow connect",
    "deny any /topic/secret/** if not role staff",
    "allow subscribe /topic/team/{team}/** if claim teams contains {team}",
    "allow send /topic/team/{team}/* if claim teams contains {team}",
    "allow subscribe /topic/prices/**",
    "allow subscribe /topic/secret/** if role staff",
    "allow send /queue/jobs if authenticated",
    "allow subscribe /queue/jobs if role staff",
    "allow send /app/** if authenticated",
    "allow subscribe /app/news",
    "allow send /user/{name}/queue/** if user = {name}",
    "allow send /user/*/queue/greetings if authenticated",
    "allow subscribe /user/queue/**",
    "allow any /temp-queue/** if authenticated",
    "allow send /reply-queue/** if authenticated",
];

/// Rules as a configuration has them.
pub(crate) fn lines(rules: &[&str]) -> Vec<String> {
    rules.iter().map(|rule| (*rule).to_owned()).collect()
}

/// Sets rules, and how clients prove who they are: by tokens, and by whatever else `kinds` says.
pub(crate) fn secure(config: &mut Config, kinds: &[AuthenticatorKind]) {
    config.security.rules = lines(RULES);
    config.security.authenticator = kinds.to_vec();
    config.security.anonymous = true;
    config.security.cookie = Some(COOKIE.to_owned());
    config.security.ticket_parameter = Some(TICKET.to_owned());
    config.jwt.secret = Some(Secret(SECRET.to_owned()));
    config.users.file = Some(users_file());
}

/// What the application answers.
pub(crate) fn router() -> Router {
    Router::new()
        .message("echo", async || NoReply)
        .subscribe("news", async || "news")
}

/// A server that takes tokens alone.
pub(crate) fn of_tokens() -> TestServerBuilder {
    TestServer::builder()
        .application(router())
        .config(|config| secure(config, &[AuthenticatorKind::Jwt]))
}

/// Where ann's passcode is.
fn users_file() -> PathBuf {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    let make = || {
        let hash = tidings_auth::users::hash(PASSCODE).expect("a hash");
        let name = format!("tidings-security-users-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let text = format!("ann:{hash}:staff\n");
        std::fs::write(&path, text).expect("the folder can be written");
        path
    };
    FILE.get_or_init(make).clone()
}

pub(crate) fn system_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later").as_millis() as u64
}

/// A token that says so, valid for a minute.
pub(crate) fn token(user: &str, roles: &[&str], teams: &[&str]) -> String {
    token_for(user, roles, teams, Duration::from_secs(60))
}

pub(crate) fn token_for(user: &str, roles: &[&str], teams: &[&str], lifetime: Duration) -> String {
    signed(SECRET, user, roles, teams, lifetime, system_ms())
}

/// A token of ann's that nobody takes any more.
pub(crate) fn expired() -> String {
    let long_ago = system_ms() - 3_600_000;
    signed(SECRET, "ann", &[], &[], Duration::from_secs(60), long_ago)
}

/// A token that somebody else has signed.
pub(crate) fn forged() -> String {
    let secret = "another secret of thirty-two bytes or more";
    signed(
        secret,
        "ann",
        &["staff"],
        &["red"],
        Duration::from_secs(60),
        system_ms(),
    )
}

fn signed(
    secret: &str,
    user: &str,
    roles: &[&str],
    teams: &[&str],
    lifetime: Duration,
    now_ms: u64,
) -> String {
    let claims = json!({ "teams": teams });
    let what = Issue {
        user: user.to_owned(),
        roles: lines(roles),
        claims: claims.as_object().expect("it is one").clone(),
        lifetime,
        ..Issue::default()
    };
    issue(secret.as_bytes(), &what, now_ms).expect("the secret is long enough")
}

pub(crate) fn bearer(dial: Dial, token: &str) -> Dial {
    dial.header("Authorization", &format!("Bearer {token}"))
}
