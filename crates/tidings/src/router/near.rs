//! What a client hears that asked for what is not there.

use std::borrow::Cow;

use tidings_core::application::{Failure, Request, RequestKind};
use tidings_core::disconnect::Reason;

use super::table::Table;
use crate::rejection::failure;

/// Names that are longer are not compared, since that costs their product.
const MAX_COMPARED_BYTES: usize = 64;
/// How many routes are compared, so that a client which asks for nonsense costs little.
const MAX_COMPARED_ROUTES: usize = 128;
const MAX_NAMED: usize = 3;

/// Says that no route takes `request`, and which ones look alike.
pub(super) fn unknown<V>(
    request: &Request,
    messages: &Table<V>,
    subscriptions: &Table<V>,
) -> Failure {
    let path = request.path();
    let (verb, table, other_verb, other) = match request.kind {
        RequestKind::Message => ("SEND", messages, "SUBSCRIBE", subscriptions),
        RequestKind::Subscribe => ("SUBSCRIBE", subscriptions, "SEND", messages),
    };
    let what_to_do = if other.find(path).is_some() {
        format!("it takes {other_verb}")
    } else {
        match near(path, table) {
            near if near.is_empty() => "use one that it has".to_owned(),
            near => format!("did you mean {}", near.join(", ")),
        }
    };
    let details = format!("the application has no {verb} destination {path}: {what_to_do}");
    failure(Reason::UnknownDestination, &details)
}

fn near<'a, V>(path: &str, table: &'a Table<V>) -> Vec<&'a str> {
    if path.len() > MAX_COMPARED_BYTES {
        return Vec::new();
    }
    let most = path.len().div_ceil(3);
    let comparable = table
        .patterns()
        .map(|pattern| (asked_by(pattern, path, table.separator()), pattern))
        .filter(|(asked, _)| asked.len().abs_diff(path.len()) <= most)
        .take(MAX_COMPARED_ROUTES);
    let mut near: Vec<_> = comparable
        .map(|(asked, pattern)| {
            // Of two that are as near, the one that has all of its text to compare is likelier meant.
            let is_guess = matches!(asked, Cow::Owned(_));
            (strsim::levenshtein(&asked, path), is_guess, pattern)
        })
        .filter(|(distance, ..)| *distance <= most)
        .collect();
    near.sort_unstable();
    near.into_iter()
        .map(|(.., pattern)| pattern)
        .take(MAX_NAMED)
        .collect()
}

/// The pattern with the path's own text where any would do: `rooms/{room}` for `room/tea` is `rooms/tea`.
fn asked_by<'a>(pattern: &'a str, path: &str, separator: char) -> Cow<'a, str> {
    let is_open =
        |segment: &str| segment == "*" || segment.starts_with('{') && segment.ends_with('}');
    if !pattern.split(separator).any(is_open)
        || pattern.split(separator).count() != path.split(separator).count()
    {
        return pattern.into();
    }
    let both = pattern.split(separator).zip(path.split(separator));
    let mut asked = String::with_capacity(path.len());
    for (at, (pattern, path)) in both.enumerate() {
        if at > 0 {
            asked.push(separator);
        }
        asked.push_str(if is_open(pattern) { path } else { pattern });
    }
    asked.into()
}
