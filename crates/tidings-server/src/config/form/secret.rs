//! Secrets, which are never shown again.

use super::super::checked::ApiKey;
use super::super::raw::Raw;
use super::{Form, MAX_LIST};

/// The keys of the HTTP API.
pub(in super::super) struct ApiKeys;

impl Form for ApiKeys {
    type Value = Vec<ApiKey>;

    fn kind(&self) -> &'static str {
        "list of secrets"
    }

    fn range(&self) -> String {
        format!(
            "a list of at most {MAX_LIST}; each {} to {} letters, digits and `-._~+/=`",
            ApiKey::MIN_BYTES,
            ApiKey::MAX_BYTES
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<ApiKey>> {
        let entries = raw.list()?;
        let bounded = entries.len() <= MAX_LIST;
        bounded.then(|| entries.into_iter().map(ApiKey::new).collect())?
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
