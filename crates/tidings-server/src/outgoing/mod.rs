//! Requests that the server itself makes, to back ends and to whoever publishes keys.
//!
//! `url` says which urls there are, `connector` opens connections to them, `trust` knows whose certificates hold, and
//! [`Fetcher`] gets a document.

mod connector;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "for the sources of keys by url")
)]
mod fetcher;
#[cfg(test)]
#[path = "../../tests/webhook/https.rs"]
pub(crate) mod https;
#[cfg(test)]
#[path = "../../tests/webhook/back_end.rs"]
pub(crate) mod scripted;
mod stream;
mod trust;
mod url;

pub(crate) use connector::{ConnectError, Connector, PlainHttp};
#[expect(unused_imports, reason = "for the sources of keys by url")]
pub(crate) use fetcher::{FetchError, FetchLimits, Fetched, Fetcher};
pub(crate) use trust::Trust;
#[cfg_attr(
    not(test),
    expect(unused_imports, reason = "for the sources of keys by url")
)]
pub(crate) use url::parse_protected;
pub(crate) use url::{UrlError, is_local, parse};
