//! `tidings token`.

use std::io::Write as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use tidings_auth::Algorithm;
use tidings_auth::issue::{DEVELOPMENT_SECRET, Issue, issue};
use tidings_server::config::{Config, Jwt, KeySource, Overrides};

use crate::arguments::Token;
use crate::outcome::Failure;
use crate::person;
use crate::serve::environment;

/// Prints a token to stdout, or says why no server would take it.
pub(crate) fn run(arguments: &Token) -> Result<(), Failure> {
    let (secret, issue) = match &arguments.config {
        None => (DEVELOPMENT_SECRET.to_owned(), said(arguments)),
        Some(file) => {
            let config = Config::load(Some(file), environment(), &Overrides::default())
                .map_err(Failure::Configuration)?;
            signed_by(&config.jwt, file, arguments).map_err(Failure::Usage)?
        }
    };
    let token = self::issue(secret.as_bytes(), &issue, now_ms())
        .context("the token can't be signed")
        .map_err(Failure::Usage)?;
    writeln!(std::io::stdout(), "{token}")
        .context("stdout cannot be written")
        .map_err(Failure::Running)
}

/// Milliseconds since the epoch.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

fn said(arguments: &Token) -> Issue {
    Issue {
        user: arguments.user.clone(),
        roles: arguments.traits.roles.clone(),
        claims: person::claims(&arguments.traits.claims),
        issuer: arguments.issuer.clone(),
        audience: arguments.audience.clone(),
        lifetime: arguments.expires,
        token_id: arguments.id.clone(),
    }
}

/// The secret of the file, and a token as that file asks for.
fn signed_by(jwt: &Jwt, file: &Path, arguments: &Token) -> anyhow::Result<(String, Issue)> {
    let file = file.display();
    let secret = jwt.secret.as_ref().ok_or_else(|| {
        anyhow!(
            "{file} has no `jwt.secret` to sign with; write one (and `security.authenticator = \"jwt\"`), or ask those \
             who issue the tokens of that server"
        )
    })?;
    let is_taken = |name: &String| name == Algorithm::HS256.name();
    if !jwt.algorithms.is_empty() && !jwt.algorithms.iter().any(is_taken) {
        return Err(anyhow!(
            "`jwt.algorithms` in {file} has no `HS256`, which signs these tokens; add it"
        ));
    }
    let mut issue = said(arguments);
    let mut issuers = jwt.issuers.iter();
    let issuer = issuers.find(|one| one.keys == KeySource::Secret);
    issue.issuer = issue.issuer.or(issuer.map(|one| one.issuer.clone()));
    issue.audience = issue.audience.or(jwt.audiences.first().cloned());
    issue
        .claims
        .insert(jwt.name_claim.clone(), issue.user.clone().into());
    if !issue.roles.is_empty() {
        let roles = issue.roles.clone().into();
        issue.claims.insert(jwt.roles_claim.clone(), roles);
    }
    match jwt.required_claims.iter().find(|name| !has(&issue, name)) {
        None => Ok((secret.0.clone(), issue)),
        Some(name) => Err(anyhow!(
            "`jwt.required_claims` in {file} asks for `{name}`; add --claim {name}=VALUE"
        )),
    }
}

/// Whether the token will have the claim.
fn has(issue: &Issue, name: &str) -> bool {
    match name {
        "sub" | "iat" | "exp" => true,
        "iss" => issue.issuer.is_some(),
        "aud" => issue.audience.is_some(),
        "jti" => issue.token_id.is_some(),
        "roles" => !issue.roles.is_empty(),
        name => issue.claims.contains_key(name),
    }
}
