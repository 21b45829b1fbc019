//! Requests that the server itself makes, to back ends and to whoever publishes keys.
//!
//! `url` says which urls there are, `connector` opens connections to them, `trust` knows whose certificates hold, and
//! [`Fetcher`] gets a document.

mod connector;
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
pub(crate) use fetcher::{FetchLimits, Fetcher};
pub(crate) use trust::{Trust, TrustError};
pub(crate) use url::{UrlError, is_local, parse, parse_protected};
