//! Which page a request comes from, and whether it may.

use axum::http::{HeaderMap, header};
use tidings_websocket::{is_same_origin, normalize_origin};

use crate::config::AllowedOrigins;

/// No `Origin`: not a browser, or a script or frame that any page can embed, of which the browser tells otherwise where
/// it comes from. Else a page of this host, whichever of http and https it came by (a proxy may have ended TLS), or one
/// that the configuration lists.
pub(super) fn is_allowed(allowed: &AllowedOrigins, headers: &HeaderMap) -> bool {
    if *allowed == AllowedOrigins::Any {
        return true;
    }
    match headers.get(header::ORIGIN) {
        Some(origin) => origin
            .to_str()
            .is_ok_and(|origin| is_listed(allowed, headers, origin)),
        None if is_cross_site(headers) => {
            referring_origin(headers).is_some_and(|origin| is_listed(allowed, headers, origin))
        }
        None => true,
    }
}

/// As [`is_allowed`], for a request that a cookie proves: who sends it must say that a page that may connect has asked, as
/// browsers do.
pub(super) fn is_proven(allowed: &AllowedOrigins, headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => origin.to_str().is_ok_and(|origin| {
            *allowed != AllowedOrigins::Any && is_listed(allowed, headers, origin)
        }),
        None => headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "same-origin"),
    }
}

fn is_listed(allowed: &AllowedOrigins, headers: &HeaderMap, origin: &str) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if is_same_origin(origin, "http", host) || is_same_origin(origin, "https", host) {
        return true;
    }
    match allowed {
        AllowedOrigins::Any => true,
        AllowedOrigins::SameOrigin => false,
        AllowedOrigins::List(list) => {
            normalize_origin(origin).is_some_and(|origin| list.contains(&origin))
        }
    }
}

/// What browsers say of requests that carry no `Origin` (Fetch Metadata, section 2.3). Another origin of the same site
/// is another origin.
fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    matches!(site, Some(b"cross-site" | b"same-site"))
}

/// Scheme, host and port of `Referer`.
fn referring_origin(headers: &HeaderMap) -> Option<&str> {
    let referrer = headers.get(header::REFERER)?.to_str().ok()?;
    let host = referrer.find("://")? + 3;
    let end = referrer[host..]
        .find('/')
        .map_or(referrer.len(), |end| host + end);
    Some(&referrer[..end])
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn an_origin_is_the_hosts_own_or_listed() {
        let list = AllowedOrigins::List(vec!["https://app.example".to_owned()]);
        let cases = [
            (&AllowedOrigins::SameOrigin, "http://a.example:8080", true),
            (&AllowedOrigins::SameOrigin, "https://a.example:8080", true),
            (&AllowedOrigins::SameOrigin, "https://app.example", false),
            (&AllowedOrigins::SameOrigin, "null", false),
            (&list, "https://app.example", true),
            (&list, "https://APP.example:443", true),
            (&list, "null", false),
            (&AllowedOrigins::Any, "null", true),
        ];
        for (allowed, origin, expected) in cases {
            let headers = headers(&[("host", "a.example:8080"), ("origin", origin)]);
            assert_eq!(
                is_allowed(allowed, &headers),
                expected,
                "{allowed:?} {origin}"
            );
        }
    }

    #[test]
    fn a_script_of_another_site_comes_from_where_its_referrer_says() {
        let list = AllowedOrigins::List(vec!["https://app.example".to_owned()]);
        let cases: [(&[(&str, &str)], bool); 6] = [
            (&[], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("referer", "https://app.example/page"),
                ],
                true,
            ),
            (
                &[
                    ("sec-fetch-site", "same-site"),
                    ("referer", "https://evil.example"),
                ],
                false,
            ),
        ];
        for (all, expected) in cases {
            let mut headers = headers(&[("host", "a.example")]);
            headers.extend(self::headers_of(all));
            assert_eq!(is_allowed(&list, &headers), expected, "{all:?}");
        }
    }

    fn headers_of(all: &[(&str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(name, value)| {
                (
                    header::HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                    HeaderValue::from_str(value).expect("a value"),
                )
            })
            .collect()
    }
}
