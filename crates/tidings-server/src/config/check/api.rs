//! The HTTP API: it needs keys, and a path that is nobody else's.

use super::super::api_key::ApiKey;
use super::super::checked::Config;
use super::Report;
use crate::api::API_PATH;
use crate::security::compile;

pub(super) fn check(config: &Config, report: &mut Report<'_>) {
    let (api, path) = (&config.api, &config.websocket.path);
    if !api.enabled {
        return;
    }
    report.require(!api.keys.is_empty(), "api.enabled", &["api.keys"], || {
        "is true, and there is no key that an application could show; write `api.keys`, each of at least 16 random \
         characters"
            .to_owned()
    });
    let keys = &api.keys;
    let is_twice =
        |(place, key): (usize, &ApiKey)| keys[..place].iter().any(|other| key.is_secret_of(other));
    let twice = keys.iter().enumerate().any(is_twice);
    report.require(!twice, "api.keys", &[], || {
        "has one secret twice, so that nobody can tell whose it is; draw another".to_owned()
    });
    if let Err(error) = compile(keys, &config.destinations()) {
        report.require(false, "api.keys", &["broker.separator"], || {
            error.to_string()
        });
    }
    let beneath = |path: &str, other: &str| format!("{path}/").starts_with(&format!("{other}/"));
    let apart = !beneath(path, API_PATH) && !beneath(API_PATH, path);
    report.require(
        api.listen.is_some() || apart,
        "websocket.path",
        &["api.enabled", "api.listen"],
        || {
            format!(
                "is `{path}`, which overlaps with `{API_PATH}`, the path of the API; choose another, or give the API a \
                 listener of its own by `api.listen`"
            )
        },
    );
}
