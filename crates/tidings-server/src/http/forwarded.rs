//! What proxies say of the client they speak for: `Forwarded` (RFC 7239) and the `X-Forwarded-*` headers before it.
//!
//! Knows texts only. Each proxy adds what it sees at the right, so only what trusted proxies have added counts: from the
//! right, up to the first address that is none of theirs.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The headers, each with all its lines in their order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Headers<'a> {
    pub(crate) forwarded: &'a [&'a str],
    pub(crate) x_for: &'a [&'a str],
    pub(crate) x_proto: &'a [&'a str],
    pub(crate) x_host: &'a [&'a str],
}

/// What trusted proxies tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The client; its port is 0 where nobody says it.
    pub(crate) client: Option<SocketAddr>,
    /// How it asked the first of the proxies.
    pub(crate) scheme: Option<Scheme>,
    /// The host that it asked for, with its port if it named one.
    pub(crate) host: Option<String>,
}

/// How a client has asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// As it stands in an origin.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| text.eq_ignore_ascii_case(scheme.name()))
    }
}

/// `Forwarded` and `X-Forwarded-For` name different clients: a proxy writes one of them and lets the client's own other
/// one through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`forwarded` and `x-forwarded-for` name different clients; let the proxy remove the one that it does not write itself"
)]
pub(crate) struct Contradiction;

/// Reads what a proxy that is trusted has sent.
///
/// # Errors
/// The headers contradict each other.
pub(crate) fn read(
    headers: Headers<'_>,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Result<Told, Contradiction> {
    let standard = read_standard(headers.forwarded, &is_trusted);
    let older = read_older(headers, &is_trusted);
    match (standard.client, older.client) {
        (Some(one), Some(other)) if one.ip() != other.ip() => Err(Contradiction),
        _ => Ok(Told {
            client: standard.client.or(older.client),
            scheme: standard.scheme.or(older.scheme),
            host: standard.host.or(older.host),
        }),
    }
}

fn read_standard(lines: &[&str], is_trusted: &impl Fn(IpAddr) -> bool) -> Told {
    let mut told = Told::default();
    for line in lines.iter().rev() {
        // Where quotes do not match, nobody knows where elements begin.
        let Some(elements) = split(line, ',') else {
            return told;
        };
        for element in elements.into_iter().rev() {
            let Some(hop) = Hop::read(element) else {
                return told;
            };
            let Some(client) = hop.client else {
                return told;
            };
            told = Told {
                client: Some(client),
                scheme: hop.scheme,
                host: hop.host,
            };
            if !is_trusted(client.ip()) {
                return told;
            }
        }
    }
    told
}

/// One element of `Forwarded`.
#[derive(Default)]
struct Hop {
    client: Option<SocketAddr>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

impl Hop {
    /// `for=192.0.2.60;proto=http;by=203.0.113.43` (RFC 7239, section 4): no parameter twice.
    fn read(element: &str) -> Option<Self> {
        let mut hop = Self::default();
        let mut names = Vec::new();
        for pair in split(element, ';')? {
            if pair.is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (name.to_ascii_lowercase(), unquote(value)?);
            if names.contains(&name) {
                return None;
            }
            match &*name {
                "for" => hop.client = node(&value),
                "proto" => hop.scheme = Scheme::read(&value),
                "host" => hop.host = host(&value),
                _ => {}
            }
            names.push(name);
        }
        Some(hop)
    }
}

fn read_older(headers: Headers<'_>, is_trusted: &impl Fn(IpAddr) -> bool) -> Told {
    let mut client = None;
    for hop in headers.x_for.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(address) = node(hop.trim()) else {
            break;
        };
        client = Some(address);
        if !is_trusted(address.ip()) {
            break;
        }
    }
    // The nearest proxy's word: the others stand left of it.
    let last = |lines: &[&'_ str]| Some(lines.last()?.rsplit(',').next()?.trim().to_owned());
    Told {
        client,
        scheme: last(headers.x_proto).and_then(|text| Scheme::read(&text)),
        host: last(headers.x_host).and_then(|text| host(&text)),
    }
}

/// An address, with its port or without. `unknown` and names that hide one are none (RFC 7239, section 6).
fn node(text: &str) -> Option<SocketAddr> {
    let without_port = text.parse::<IpAddr>().ok().or_else(|| {
        text.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
            .map(IpAddr::from)
    });
    let address = match without_port {
        Some(address) => SocketAddr::new(address, 0),
        None => text.parse().ok()?,
    };
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

/// What a `Host` header may be (RFC 9110, section 7.2).
fn host(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]%!$&'()*+;=".contains(&byte);
    (!text.is_empty() && text.bytes().all(fits)).then(|| text.to_owned())
}

/// The parts between `separator`, but for those within quotes; none where a quote is left open.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == separator && !is_quoted => {
                parts.push(text[start..place].trim());
                start = place + character.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    (!is_quoted).then_some(parts)
}

/// A token, or a string in quotes without them (RFC 9110, section 5.6.4).
fn unquote(value: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains('"')).then(|| value.to_owned());
    };
    let mut text = String::new();
    let mut characters = rest.strip_suffix('"')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next()?),
            '"' => return None,
            _ => text.push(character),
        }
    }
    Some(text)
}
