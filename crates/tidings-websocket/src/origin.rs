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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_normalized() {
        let table = [
            ("https://example.com", Some("https://example.com")),
            (" HTTPS://Example.COM/ ", Some("https://example.com")),
            ("https://example.com:443", Some("https://example.com")),
            ("http://example.com:80/", Some("http://example.com")),
            ("http://example.com:443", Some("http://example.com:443")),
            ("http://example.com:", Some("http://example.com")),
            ("http://example.com:0080", Some("http://example.com")),
            ("wss://example.com:443", Some("https://example.com")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("http://[2001:DB8::1]:80", Some("http://[2001:db8::1]")),
            ("capacitor://localhost", Some("capacitor://localhost")),
            ("null", Some("null")),
            ("", None),
            ("example.com", None),
            ("https://", None),
            ("https:///", None),
            ("https://example.com/path", None),
            ("https://user@example.com", None),
            ("https://example.com:http", None),
            ("https://example.com:70000", None),
            ("https://example.com:+80", None),
            ("https://a.com, https://b.com", None),
            ("http://[::1", None),
            ("http://[::1]x", None),
            ("http://[no]", None),
            ("://example.com", None),
        ];
        for (origin, expected) in table {
            assert_eq!(normalize_origin(origin).as_deref(), expected, "{origin:?}");
        }
    }

    #[test]
    fn only_the_servers_own_pages_are_of_the_same_origin() {
        let table = [
            ("https://example.com", "https", "example.com", true),
            ("https://example.com", "https", "EXAMPLE.com:443", true),
            ("https://example.com/", "wss", "example.com", true),
            ("http://localhost:8080", "http", "localhost:8080", true),
            ("http://[::1]:8080", "ws", "[::1]:8080", true),
            ("http://example.com", "https", "example.com", false),
            ("https://example.com:8443", "https", "example.com", false),
            ("https://evil.example.com", "https", "example.com", false),
            (
                "https://example.com.evil.org",
                "https",
                "example.com",
                false,
            ),
            ("http://localhost:8080", "http", "127.0.0.1:8080", false),
            ("null", "http", "null", false),
            ("null", "http", "example.com", false),
            ("", "http", "", false),
        ];
        for (origin, scheme, host, expected) in table {
            assert_eq!(
                is_same_origin(origin, scheme, host),
                expected,
                "{origin:?} {scheme} {host:?}"
            );
        }
    }
}
