//! The known name that is most like an unknown one.

use strsim::damerau_levenshtein;

use super::checked::SECTIONS;
use super::key::VARIABLE_PREFIX;
use super::raw::keys;

/// A key like `name`, which is `section.key` or a bare `key`.
pub(super) fn key(name: &str) -> Option<String> {
    let by_spelling = among(name, keys().map(|key| key.path()));
    // Right key, wrong section.
    let last = name.rsplit('.').next().unwrap_or(name);
    by_spelling.or_else(|| keys().find(|key| key.name == last).map(|key| key.path()))
}

/// A section like `name`.
pub(super) fn section(name: &str) -> Option<String> {
    among(name, SECTIONS.iter().map(|section| section.name.to_owned()))
}

/// A variable like `name`.
pub(super) fn variable(name: &str) -> Option<String> {
    // Without the prefix, which all share and which would make everything alike.
    let tail = |variable: &str| {
        variable
            .strip_prefix(VARIABLE_PREFIX)
            .unwrap_or(variable)
            .to_owned()
    };
    let tail = among(&tail(name), keys().map(|key| tail(&key.variable())))?;
    Some(format!("{VARIABLE_PREFIX}{tail}"))
}

/// The nearest candidate, if at most a third of its letters differ, whatever their case.
fn among(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let lower = name.to_lowercase();
    candidates
        .map(|candidate| {
            (
                damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_its_key() {
        assert_eq!(key("outbox.max_byte").as_deref(), Some("outbox.max_bytes"));
        assert_eq!(key("outbox.Max_Bytes").as_deref(), Some("outbox.max_bytes"));
        assert_eq!(section("outbxo").as_deref(), Some("outbox"));
        assert_eq!(
            variable("TIDINGS__OUTBOX__MAX_BYTE").as_deref(),
            Some("TIDINGS__OUTBOX__MAX_BYTES")
        );
    }

    #[test]
    fn the_right_key_in_the_wrong_section_finds_its_section() {
        assert_eq!(
            key("http.allowed_origins").as_deref(),
            Some("websocket.allowed_origins")
        );
        assert_eq!(key("workers").as_deref(), Some("server.workers"));
    }

    #[test]
    fn what_is_like_nothing_finds_nothing() {
        assert_eq!(key("kafka.brokers_and_more"), None);
        assert_eq!(section("kafka"), None);
    }
}
