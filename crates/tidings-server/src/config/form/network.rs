//! Addresses, paths and origins.

use std::net::{Ipv6Addr, SocketAddr};

use super::super::checked::AllowedOrigins;
use super::super::raw::Raw;
use super::{Form, list_of, quoted, quoted_list};

/// Longest path of an endpoint, in bytes.
const MAX_PATH_BYTES: usize = 256;

/// Longest url of a script, in bytes.
const MAX_URL_BYTES: usize = 1_024;

/// Where a listener that cannot be off listens.
pub(in super::super) struct Address;

impl Form for Address {
    type Value = SocketAddr;

    fn kind(&self) -> &'static str {
        "address"
    }

    fn range(&self) -> String {
        "IP address and port, such as `127.0.0.1:8080` or `[::1]:8080`; port 0 takes a free one"
            .to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<SocketAddr> {
        raw.text()?.parse().ok()
    }

    fn show(&self, value: &SocketAddr) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
}

/// Where a listener listens that may be off.
pub(in super::super) struct AddressOrOff;

impl Form for AddressOrOff {
    type Value = Option<SocketAddr>;

    fn kind(&self) -> &'static str {
        "address"
    }

    fn range(&self) -> String {
        "`off`, or an IP address and port, such as `127.0.0.1:61613`; port 0 takes a free one"
            .to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<Option<SocketAddr>> {
        match raw.text()? {
            "off" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }

    fn show(&self, value: &Option<SocketAddr>) -> Option<String> {
        Some(value.map_or_else(|| quoted("off"), |address| quoted(&address.to_string())))
    }
}

/// Where something listens that is otherwise beneath the HTTP listener.
pub(in super::super) struct OwnAddress;

impl Form for OwnAddress {
    type Value = Option<SocketAddr>;

    fn kind(&self) -> &'static str {
        Address.kind()
    }

    fn range(&self) -> String {
        Address.range()
    }

    fn read(&self, raw: &Raw) -> Option<Option<SocketAddr>> {
        Address.read(raw).map(Some)
    }

    fn show(&self, value: &Option<SocketAddr>) -> Option<String> {
        value.and_then(|address| Address.show(&address))
    }
}

/// The path of an endpoint.
pub(in super::super) struct UrlPath;

impl Form for UrlPath {
    type Value = String;

    fn kind(&self) -> &'static str {
        "path"
    }

    fn range(&self) -> String {
        format!(
            "begins with `/`, does not end with it; letters, digits, `/`, `-`, `_`, `.`, `~`; at most {MAX_PATH_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<String> {
        let path = raw.text()?;
        let well_formed = path.len() > 1
            && path.len() <= MAX_PATH_BYTES
            && path.starts_with('/')
            && !path.ends_with('/')
            && !path.contains("//")
            && path
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        well_formed.then(|| path.to_owned())
    }

    fn show(&self, value: &String) -> Option<String> {
        Some(quoted(value))
    }
}

/// Where a page loads a script from, if from elsewhere than by custom. Written into html as it is, so nothing that
/// could end an attribute or begin an entity is accepted.
pub(in super::super) struct ScriptUrl;

impl Form for ScriptUrl {
    type Value = Option<String>;

    fn kind(&self) -> &'static str {
        "url"
    }

    fn range(&self) -> String {
        format!(
            "a url such as `https://cdn.example.com/sockjs.min.js`, or a path; begins with `https://`, `http://` or one \
             `/`; letters, digits, `/:?#[]@!$()*+,;=%-._~`; at most {MAX_URL_BYTES} bytes"
        )
    }

    fn read(&self, raw: &Raw) -> Option<Option<String>> {
        let text = raw.text()?;
        is_script_url(text).then(|| Some(text.to_owned()))
    }

    fn show(&self, value: &Option<String>) -> Option<String> {
        value.as_deref().map(quoted)
    }
}

fn is_script_url(text: &str) -> bool {
    let rest = ["https://", "http://", "/"]
        .into_iter()
        .find_map(|start| text.strip_prefix(start));
    let harmless =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/:?#[]@!$()*+,;=%-._~".contains(&byte);
    text.len() <= MAX_URL_BYTES
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.bytes().all(harmless)
}

/// Which pages may connect.
pub(in super::super) struct Origins;

impl Form for Origins {
    type Value = AllowedOrigins;

    fn kind(&self) -> &'static str {
        "origins"
    }

    fn range(&self) -> String {
        "`same-origin`, `*` (every page), or a list such as `[\"https://app.example.com\"]`: `scheme://host[:port]` in \
         lower case, no path, no `:80` after http, no `:443` after https"
            .to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<AllowedOrigins> {
        match raw.text() {
            Some("same-origin") => return Some(AllowedOrigins::SameOrigin),
            Some("*") => return Some(AllowedOrigins::Any),
            _ => {}
        }
        list_of(raw, is_origin).map(AllowedOrigins::List)
    }

    fn show(&self, value: &AllowedOrigins) -> Option<String> {
        Some(match value {
            AllowedOrigins::SameOrigin => quoted("same-origin"),
            AllowedOrigins::Any => quoted("*"),
            AllowedOrigins::List(origins) => quoted_list(origins),
        })
    }
}

/// Compared byte by byte with what a browser sends (RFC 6454, section 6.1), so what a browser never sends is refused.
fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    is_scheme(scheme) && is_host(host) && port.is_none_or(|port| is_explicit_port(scheme, port))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
        })
}

fn is_host(text: &str) -> bool {
    let name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte);
    match text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.bytes().all(name),
    }
}

fn is_explicit_port(scheme: &str, port: &str) -> bool {
    let implied = matches!((scheme, port), ("http", "80") | ("https", "443"));
    !implied && !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok()
}
