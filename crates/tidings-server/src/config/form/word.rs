//! Booleans, words of a fixed set and paths of the file system.

use std::path::PathBuf;

use tidings_core::disconnect::Reason;
use tidings_core::user::WhenFull;

use super::super::checked::SlowConsumerPolicy;
use super::super::raw::Raw;
use super::{Form, MAX_LIST, quoted, quoted_list};

/// Yes or no.
pub(in super::super) struct Flag;

impl Form for Flag {
    type Value = bool;

    fn kind(&self) -> &'static str {
        "boolean"
    }

    fn range(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<bool> {
        raw.flag()
    }

    fn show(&self, value: &bool) -> Option<String> {
        Some(value.to_string())
    }
}

/// A folder of the file system; a relative one counts from where the process was started.
pub(in super::super) struct Folder;

impl Form for Folder {
    type Value = PathBuf;

    fn kind(&self) -> &'static str {
        "folder"
    }

    fn range(&self) -> String {
        "a path; a relative one counts from the working directory".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<PathBuf> {
        let text = raw.text()?;
        (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
    }

    fn show(&self, value: &PathBuf) -> Option<String> {
        Some(quoted(&value.to_string_lossy()))
    }
}

/// What separates the segments of a destination.
pub(in super::super) struct Separator;

impl Form for Separator {
    type Value = char;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        "`/` or `.`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<char> {
        match raw.text()? {
            "/" => Some('/'),
            "." => Some('.'),
            _ => None,
        }
    }

    fn show(&self, value: &char) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
}

/// What happens to a slow consumer.
pub(in super::super) struct Policy;

impl Form for Policy {
    type Value = SlowConsumerPolicy;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        "`close`, `drop-oldest` or `keep-latest`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<SlowConsumerPolicy> {
        match raw.text()? {
            "close" => Some(SlowConsumerPolicy::Close),
            "drop-oldest" => Some(SlowConsumerPolicy::DropOldest),
            "keep-latest" => Some(SlowConsumerPolicy::KeepLatest),
            _ => None,
        }
    }

    fn show(&self, value: &SlowConsumerPolicy) -> Option<String> {
        Some(quoted(match value {
            SlowConsumerPolicy::Close => "close",
            SlowConsumerPolicy::DropOldest => "drop-oldest",
            SlowConsumerPolicy::KeepLatest => "keep-latest",
        }))
    }
}

/// What happens when a user has too many sessions.
pub(in super::super) struct TooMany;

impl Form for TooMany {
    type Value = WhenFull;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        "`refuse` or `close-oldest`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<WhenFull> {
        match raw.text()? {
            "refuse" => Some(WhenFull::Refuse),
            "close-oldest" => Some(WhenFull::CloseOldest),
            _ => None,
        }
    }

    fn show(&self, value: &WhenFull) -> Option<String> {
        Some(quoted(match value {
            WhenFull::Refuse => "refuse",
            WhenFull::CloseOldest => "close-oldest",
        }))
    }
}

/// Codes of failures.
pub(in super::super) struct Reasons;

impl Form for Reasons {
    type Value = Vec<Reason>;

    fn kind(&self) -> &'static str {
        "list of words"
    }

    fn range(&self) -> String {
        format!("up to {MAX_LIST} codes, such as `application-timeout`")
    }

    fn read(&self, raw: &Raw) -> Option<Vec<Reason>> {
        let codes = raw.list()?;
        let bounded = codes.len() <= MAX_LIST;
        bounded
            .then(|| codes.into_iter().map(Reason::from_name).collect())
            .flatten()
    }

    fn show(&self, value: &Vec<Reason>) -> Option<String> {
        let names: Vec<_> = value.iter().map(|one| one.name().to_owned()).collect();
        Some(quoted_list(&names))
    }
}
