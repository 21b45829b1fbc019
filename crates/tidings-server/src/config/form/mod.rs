//! Forms: what a key accepts, how its value is written, and how both are told to people.

mod destination;
mod network;
mod origin;
mod quantity;
mod secret;
mod security;
mod tls;
mod webhook;
mod word;

pub(super) use destination::{PlainDestination, Prefix, Prefixes};
pub(super) use network::{Address, AddressOrOff, Networks, OwnAddress, ScriptUrl, UrlPath};
pub(super) use origin::Origins;
pub(super) use quantity::{Count, Size, Time};
pub(super) use secret::ApiKeys;
pub(super) use security::{Authenticators, File, Issuers, RuleLines, Token, Word, Words};
pub(super) use tls::{ClientCertificatesWord, TlsVersionWord};
pub(super) use webhook::{CaFile, HookUrl, Key, Routes};
pub(super) use word::{Flag, Folder, Policy, Reasons, Separator, TooMany};

use super::raw::Raw;

/// Most entries of a list. Each is compared with every CONNECT or SEND, so a list stays short.
const MAX_LIST: usize = 64;

/// What a key accepts.
pub(super) trait Form {
    /// The type of the checked value.
    type Value;

    /// Name of the type, for people.
    fn kind(&self) -> &'static str;

    /// Which values of that type are accepted, for people.
    fn range(&self) -> String;

    /// Type and values in one phrase, for people.
    fn allowed(&self) -> String {
        self.range()
    }

    /// Whether what was written may not be repeated, not even where it is wrong.
    fn is_secret(&self) -> bool {
        false
    }

    /// The checked value, if `raw` is of the type and in the range.
    fn read(&self, raw: &Raw) -> Option<Self::Value>;

    /// The value as it is written in a file; none where an absent key says it.
    fn show(&self, value: &Self::Value) -> Option<String>;
}

/// All entries of a list, if there is at least one, at most [`MAX_LIST`], and each is accepted.
fn list_of(raw: &Raw, accepts: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    let entries = raw.list()?;
    let bounded = !entries.is_empty() && entries.len() <= MAX_LIST;
    (bounded && entries.iter().all(|entry| accepts(entry)))
        .then(|| entries.into_iter().map(str::to_owned).collect())
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn quoted_list(entries: &[String]) -> String {
    let quoted: Vec<_> = entries.iter().map(|entry| quoted(entry)).collect();
    format!("[{}]", quoted.join(", "))
}
