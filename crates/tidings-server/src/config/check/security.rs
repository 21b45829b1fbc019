//! Who says who a client is: what that needs, and what it rules out.

use tidings_core::security::Rule;

use super::super::checked::{AllowedOrigins, AuthenticatorKind, Config, KeySource};
use super::Report;

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    check_credentials(config, report);
    check_back_end(config, report);
    check_cookies(config, report);
    check_rules(config, report);
}

fn check_credentials(config: &Config, report: &mut Report<'_>) {
    let (security, jwt) = (&config.security, &config.jwt);
    let has = |kind| security.authenticator.contains(&kind);
    let key = "security.authenticator";
    report.require(
        !has(AuthenticatorKind::Users) || config.users.file.is_some(),
        key,
        &["users.file"],
        || {
            "names `users`, and there is no file of them; write `[users] file`, with what `tidings hash` prints"
                .to_owned()
        },
    );
    report.require(
        !has(AuthenticatorKind::Jwt) || jwt.secret.is_some() || !jwt.issuers.is_empty(),
        key,
        &["jwt.secret", "jwt.issuers"],
        || {
            "names `jwt`, and there is no key to check tokens with; write `jwt.issuers` or `jwt.secret`"
                .to_owned()
        },
    );
    report.require(
        jwt.secret.is_none() || jwt.issuers.is_empty() || of_secret(config),
        "jwt.secret",
        &["jwt.issuers"],
        || {
            "is set, and no issuer of `jwt.issuers` signs with it; add `ISSUER -> secret`, or remove one of both"
                .to_owned()
        },
    );
    report.require(
        !of_secret(config) || jwt.secret.is_some(),
        "jwt.issuers",
        &["jwt.secret"],
        || "names `secret`, and `jwt.secret` is not set; write it".to_owned(),
    );
    report.require(
        !security.anonymous || !security.authenticator.is_empty(),
        "security.anonymous",
        &[key],
        || {
            "is on, and there is no authentication that could be left out; write `security.authenticator`"
                .to_owned()
        },
    );
}

fn of_secret(config: &Config) -> bool {
    let mut issuers = config.jwt.issuers.iter();
    issuers.any(|one| one.keys == KeySource::Secret)
}

/// The back end is asked at `webhook.authenticate_url`, and for nothing else.
fn check_back_end(config: &Config, report: &mut Report<'_>) {
    let has = config
        .security
        .authenticator
        .contains(&AuthenticatorKind::Webhook);
    report.require(
        !has || config.webhook.authenticate_url.is_some(),
        "security.authenticator",
        &["webhook.authenticate_url"],
        || {
            "names `webhook`, and there is no url to ask; write `webhook.authenticate_url`"
                .to_owned()
        },
    );
}

fn check_cookies(config: &Config, report: &mut Report<'_>) {
    let security = &config.security;
    let has_cookie = security.cookie.is_some();
    report.require(
        !has_cookie || config.websocket.allowed_origins != AllowedOrigins::Any,
        "websocket.allowed_origins",
        &["security.cookie"],
        || {
            "is `*`, and a cookie proves who a client is: every page could act as whoever looks at it; list the origins \
             of your pages"
                .to_owned()
        },
    );
    let legacy = config.sockjs.enabled && config.sockjs.legacy_transports;
    report.require(
        !has_cookie || !legacy,
        "sockjs.legacy_transports",
        &["security.cookie"],
        || {
            "is on, and a cookie proves who a client is: every page could act as whoever looks at it; leave it off"
                .to_owned()
        },
    );
    report.require(
        security.csrf_cookie.is_none() || has_cookie,
        "security.csrf_cookie",
        &["security.cookie"],
        || {
            "is set, and no cookie proves who a client is; set `security.cookie`, or remove it"
                .to_owned()
        },
    );
}

fn check_rules(config: &Config, report: &mut Report<'_>) {
    let destinations = config.destinations();
    for (place, rule) in config.security.rules.iter().enumerate() {
        if let Err(error) = Rule::parse(rule, &destinations) {
            let number = place + 1;
            report.require(false, "security.rules", &["broker.separator"], || {
                format!("has a rule that can't be read, number {number}, `{rule}`: {error}")
            });
        }
    }
}

/// What is allowed and deserves a word, a sentence each.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let security = &config.security;
    let mut warnings = Vec::new();
    let proves = !security.authenticator.is_empty()
        && security.authenticator != [AuthenticatorKind::TrustLogin];
    if proves && security.rules.is_empty() {
        warnings.push(
            "`security.rules` is empty: clients are known, and may do nothing, not even connect"
                .to_owned(),
        );
    }
    let unused = [
        (
            AuthenticatorKind::Users,
            "users.file",
            config.users.file.is_some(),
        ),
        (
            AuthenticatorKind::Webhook,
            "webhook.authenticate_url",
            config.webhook.authenticate_url.is_some(),
        ),
        (
            AuthenticatorKind::Jwt,
            "jwt",
            config.jwt != super::super::checked::Jwt::default(),
        ),
    ];
    for (kind, key, is_set) in unused {
        if is_set && !security.authenticator.contains(&kind) {
            let name = kind.name();
            warnings.push(format!(
                "`{key}` is set, and `security.authenticator` does not name `{name}`: it is not used"
            ));
        }
    }
    warnings
}
