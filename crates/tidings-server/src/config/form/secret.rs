//! Secrets, which are never shown again.

use super::super::api_key::ApiKey;
use super::super::raw::Raw;
use super::{Form, MAX_LIST};

/// The keys of the HTTP API.
pub(in super::super) struct ApiKeys;

impl Form for ApiKeys {
    type Value = Vec<ApiKey>;

    fn kind(&self) -> &'static str {
        "list of keys"
    }

    fn range(&self) -> String {
        format!(
            "a list of at most {MAX_LIST} such as `[\"shop read,publish:/topic/shop/** SECRET\"]`; a secret has {} to {} \
             letters, digits and `-._~+/=`",
            ApiKey::MIN_BYTES,
            ApiKey::MAX_BYTES
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<ApiKey>> {
        let entries = match raw {
            Raw::Untyped(text) => apart(text)?,
            _ => raw.list()?.into_iter().map(str::to_owned).collect(),
        };
        let bounded = entries.len() <= MAX_LIST;
        bounded.then(|| entries.iter().map(|entry| ApiKey::new(entry)).collect())?
    }

    fn is_secret(&self) -> bool {
        true
    }

    fn show(&self, value: &Vec<ApiKey>) -> Option<String> {
        Some(format!(
            "[{}]",
            vec!["\"(hidden)\""; value.len()].join(", ")
        ))
    }
}

/// Outside of a file commas stand between keys, and between scopes of one key too. Of those a key has `NAME SCOPE` ahead of
/// its first comma and `SCOPE SECRET` behind its last one.
fn apart(text: &str) -> Option<Vec<String>> {
    let mut entries: Vec<String> = Vec::new();
    let mut is_begun = false;
    for piece in text.split(',').map(str::trim) {
        let spaces = piece.split_ascii_whitespace().count().saturating_sub(1);
        match entries.last_mut() {
            Some(entry) if is_begun => {
                entry.push(',');
                entry.push_str(piece);
            }
            _ => entries.push(piece.to_owned()),
        }
        is_begun ^= spaces == 1;
    }
    (!is_begun).then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_environment_may_have_several_scopes() {
        let text = "0123456789abcdef, shop read,publish:/topic/a,administer fedcba9876543210,ops read 0123456789fedcba";
        let keys = ApiKeys.read(&Raw::Untyped(text.to_owned()));
        let keys = keys.expect("three keys");
        let known: Vec<_> = keys
            .iter()
            .map(|key| (key.name(), key.scopes().len()))
            .collect();
        assert_eq!(known, [(None, 3), (Some("shop"), 3), (Some("ops"), 1)]);
        assert!(keys[1].is(b"fedcba9876543210"));
        for wrong in ["shop read,publish", "shop read,,x 0123456789abcdef"] {
            assert_eq!(
                ApiKeys.read(&Raw::Untyped(wrong.to_owned())),
                None,
                "{wrong}"
            );
        }
    }
}
