//! Comparing web origins (RFC 6454), which is how a server keeps foreign pages from opening connections in a user's name.

/// Brings an origin to the form `scheme://host` or `scheme://host:port` in lower case, without the scheme's own port and
/// without a slash at the end.
///
/// `null`, which browsers send for sandboxed frames and files, stays `null` and equals no other origin. `None` if
/// `origin` is no origin: no scheme, no host, a path, a user, or a port that is no number.
pub fn normalize_origin(origin: &str) -> Option<String> {
    let origin = origin.trim();
    if origin.eq_ignore_ascii_case("null") {
        return Some("null".to_owned());
    }
    let (scheme, authority) = origin.split_once("://")?;
    normalize(scheme, authority.strip_suffix('/').unwrap_or(authority))
}

/// Whether a page of this `origin` comes from the very server that it talks to: same scheme, host and port.
///
/// `scheme` is the request's (`http` or `https`; `ws` and `wss` count as these), `host` the value of its `Host` header.
pub fn is_same_origin(origin: &str, scheme: &str, host: &str) -> bool {
    match (normalize_origin(origin), normalize(scheme, host.trim())) {
        (Some(origin), Some(own)) => origin == own,
        _ => false,
    }
}

fn normalize(scheme: &str, authority: &str) -> Option<String> {
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" => "http".to_owned(),
        "wss" => "https".to_owned(),
        other => other.to_owned(),
    };
    let scheme_is_valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (host, port) = split_port(authority)?;
    let host_is_valid = !host.is_empty() && !host.contains(['/', '@', '?', '#', '\\', ',', ' ']);
    if !scheme_is_valid || !host_is_valid {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    Some(match port {
        Some(port) if Some(port) != own_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

/// Splits `host:port`; an IPv6 address stands in brackets. `None` if the port is no number or the brackets do not match.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']')? + 1;
        let (address, rest) = authority.split_at(end);
        address[1..end - 1].parse::<std::net::Ipv6Addr>().ok()?;
        match rest.strip_prefix(':') {
            Some(port) => (address, port),
            None if rest.is_empty() => (address, ""),
            None => return None,
        }
    } else {
        authority.split_once(':').unwrap_or((authority, ""))
    };
    match port {
        "" => Some((host, None)),
        port if port.bytes().all(|b| b.is_ascii_digit()) => Some((host, Some(port.parse().ok()?))),
        _ => None,
    }
}
