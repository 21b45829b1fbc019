//! Origins of pages.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::super::checked::AllowedOrigins;
use super::super::raw::Raw;
use super::{Form, list_of, quoted, quoted_list};

/// Which pages may connect.
pub(in super::super) struct Origins;

impl Form for Origins {
    type Value = AllowedOrigins;

    fn kind(&self) -> &'static str {
        "origins"
    }

    fn range(&self) -> String {
        "`same-origin`, `*` (every page), or a list such as `[\"https://app.example.com\"]`: `scheme://host[:port]` in \
         lower case, no path, no `:80` after http, no `:443` after https; the host may begin with `*.` where two labels \
         follow, the port may be `*`"
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
    let is_port = |port| port == "*" || is_explicit_port(scheme, port);
    let is_host = match host.strip_prefix("*.") {
        Some(parent) => is_parent(parent),
        None => is_host(host),
    };
    is_scheme(scheme) && is_host && port.is_none_or(is_port)
}

/// A domain whose subdomains are one owner's: `*.com` would be everybody, and addresses have no subdomains.
fn is_parent(text: &str) -> bool {
    let is_address = text.parse::<Ipv4Addr>().is_ok();
    let mut labels = text.split('.');
    is_host(text)
        && !is_address
        && labels.clone().count() > 1
        && labels.all(|label| !label.is_empty())
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
