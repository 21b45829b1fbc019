//! What a token says, once its signature is right.

use std::time::Duration;

use serde_json::Value;
use tidings_core::security::{Claims, Principal};

use super::{VerifierConfig, VerifyError};

/// Whether it is its time (RFC 7519, sections 4.1.4 to 4.1.6). Gives the first millisecond at which it is no more,
/// leeway included.
pub(super) fn check_times(
    claims: &Claims,
    config: &VerifierConfig,
    now_ms: u64,
    is_ticket: bool,
) -> Result<u64, VerifyError> {
    let leeway = millis(config.leeway);
    let ends = date(claims, "exp")?
        .ok_or_else(|| VerifyError::rejected("it has no end (exp); have it issued with one"))?;
    let begins = date(claims, "nbf")?;
    let issued = date(claims, "iat")?;
    if now_ms >= ends.saturating_add(leeway) {
        return Err(VerifyError::Expired);
    }
    let latest = now_ms.saturating_add(leeway);
    if begins.is_some_and(|begins| begins > latest) {
        return Err(VerifyError::rejected(
            "it is not valid yet (nbf); compare the clocks",
        ));
    }
    if issued.is_some_and(|issued| issued > latest) {
        return Err(VerifyError::rejected(
            "it comes from the future (iat); compare the clocks",
        ));
    }
    if is_ticket {
        check_lifetime(issued, ends, config.max_ticket_lifetime)?;
    }
    Ok(ends.saturating_add(leeway))
}

fn check_lifetime(issued: Option<u64>, ends: u64, most: Duration) -> Result<(), VerifyError> {
    let issued = issued
        .ok_or_else(|| VerifyError::rejected("it is a ticket and does not say since when (iat)"))?;
    if ends.saturating_sub(issued) > millis(most) {
        return Err(VerifyError::rejected(
            "it is a ticket and lives longer than jwt.max_ticket_lifetime",
        ));
    }
    Ok(())
}

/// A time in milliseconds. It must be a number: a string, which some libraries took for no time at all, must not pass
/// (CVE-2026-25537).
fn date(claims: &Claims, name: &'static str) -> Result<Option<u64>, VerifyError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(seconds.saturating_mul(1000)));
    }
    match value.as_f64() {
        // Saturates: what is before the epoch is 0.
        Some(seconds) => Ok(Some((seconds * 1000.0) as u64)),
        None => Err(VerifyError::Rejected(
            format!("its time {name} is no number").into(),
        )),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whether it is for us. A token that names somebody is not for others (RFC 7519, section 4.1.3).
pub(super) fn check_audience(claims: &Claims, config: &VerifierConfig) -> Result<(), VerifyError> {
    let audience = claims.get("aud");
    let is_ours = |one: &Value| {
        one.as_str()
            .is_some_and(|one| config.audiences.iter().any(|ours| ours == one))
    };
    match audience {
        None if config.audiences.is_empty() => Ok(()),
        None => Err(VerifyError::rejected(
            "it is for nobody in particular (aud), and jwt.audiences asks for one",
        )),
        Some(Value::Array(all)) if all.iter().any(is_ours) => Ok(()),
        Some(one) if is_ours(one) => Ok(()),
        Some(_) => Err(VerifyError::rejected(
            "it is for somebody else (aud): none of jwt.audiences",
        )),
    }
}

pub(super) fn check_required(claims: &Claims, config: &VerifierConfig) -> Result<(), VerifyError> {
    let is_missing = |name: &&String| claims.get(*name).is_none_or(Value::is_null);
    match config.required_claims.iter().find(is_missing) {
        None => Ok(()),
        Some(name) => Err(VerifyError::Rejected(
            format!("it lacks the claim {name}").into(),
        )),
    }
}

pub(super) fn principal(
    claims: &Claims,
    config: &VerifierConfig,
    expires_at_ms: u64,
) -> Result<Principal, VerifyError> {
    let name = match claims.get(&config.name_claim).and_then(Value::as_str) {
        Some(name) if !name.is_empty() => name,
        _ => {
            let cause = format!("it has no string {} to call the user by", config.name_claim);
            return Err(VerifyError::Rejected(cause.into()));
        }
    };
    let mut principal = Principal::user(name)
        .with_roles(roles(claims, &config.roles_claim)?)
        .expiring_at_ms(expires_at_ms);
    principal.token_id = claims.get("jti").and_then(Value::as_str).map(Into::into);
    principal.claims = claims.clone();
    Ok(principal)
}

/// The roles; none where the claim is missing. One that can't be read is refused, since who wrote it meant something.
fn roles<'a>(claims: &'a Claims, name: &str) -> Result<Vec<&'a str>, VerifyError> {
    let unreadable = || {
        let cause = format!("its claim {name} is neither a list of strings nor a string");
        VerifyError::Rejected(cause.into())
    };
    match find(claims, name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(all)) => Ok(all.split_ascii_whitespace().collect()),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().ok_or_else(unreadable))
            .collect(),
        Some(_) => Err(unreadable()),
    }
}

/// The claim of this name, or at the end of this path.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut steps = name.split('.');
        let first = claims.get(steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(step))
    })
}
