//! Destinations and their prefixes.

use super::super::raw::Raw;
use super::{Form, list_of, quoted, quoted_list};

/// Longest prefix, in bytes; it is part of every destination.
const MAX_PREFIX_BYTES: usize = 64;

/// Prefixes of destinations.
pub(in super::super) struct Prefixes;

impl Form for Prefixes {
    type Value = Vec<String>;

    fn kind(&self) -> &'static str {
        "prefixes"
    }

    fn range(&self) -> String {
        format!(
            "a list such as `[\"/topic/\"]`; each begins with `/`, ends with `/` or the separator, holds no wildcard and \
             is at most {MAX_PREFIX_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Vec<String>> {
        list_of(raw, is_prefix)
    }

    fn show(&self, value: &Vec<String>) -> Option<String> {
        Some(quoted_list(value))
    }
}

/// One prefix of destinations.
pub(in super::super) struct Prefix;

impl Form for Prefix {
    type Value = String;

    fn kind(&self) -> &'static str {
        "prefix"
    }

    fn range(&self) -> String {
        format!(
            "begins with `/`, ends with `/` or the separator, holds no wildcard and is at most {MAX_PREFIX_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<String> {
        let prefix = raw.text()?;
        is_prefix(prefix).then(|| prefix.to_owned())
    }

    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
}

fn is_prefix(text: &str) -> bool {
    text.len() > 2
        && text.len() <= MAX_PREFIX_BYTES
        && text.ends_with(['/', '.'])
        && is_plain_destination(text)
}

/// One destination, without wildcards.
pub(in super::super) struct PlainDestination;

impl Form for PlainDestination {
    type Value = String;

    fn kind(&self) -> &'static str {
        "destination"
    }

    fn range(&self) -> String {
        "begins with one of `broker.queue_prefixes`, holds no wildcard".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<String> {
        let destination = raw.text()?;
        let well_formed = is_plain_destination(destination) && !destination.ends_with(['/', '.']);
        well_formed.then(|| destination.to_owned())
    }

    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
}

fn is_plain_destination(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"*#{}?\"\\,".contains(&byte);
    text.starts_with('/') && !text.contains("//") && text.bytes().all(plain)
}
