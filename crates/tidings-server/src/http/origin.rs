//! Which page a request comes from, and whether it may.

use axum::http::{HeaderMap, header};
use tidings_websocket::{is_same_origin, normalize_origin};

use super::forwarded::Scheme;
use super::origin_pattern;
use super::site::Site;
use crate::config::AllowedOrigins;

/// No `Origin`: not a browser, or a script or frame that any page can embed, of which the browser tells otherwise where
/// it comes from. Else a page of this host, or one that the configuration lists. Where nobody tells whether the client
/// came by http or https, since a proxy may have ended TLS, both are this host's.
pub(crate) fn is_allowed(allowed: &AllowedOrigins, headers: &HeaderMap, site: &Site) -> bool {
    if *allowed == AllowedOrigins::Any {
        return true;
    }
    match origin(headers) {
        Claim::One(origin) => is_listed(allowed, headers, site, origin),
        Claim::Unclear => false,
        Claim::None if is_cross_site(headers) => referring_origin(headers)
            .is_some_and(|origin| is_listed(allowed, headers, site, origin)),
        Claim::None => true,
    }
}

/// Whether the request shows that a page of this host sent it, or one that is listed: what it takes where a cookie says
/// who the client is, since browsers add that to requests of every page. `*` lists nobody.
pub(crate) fn is_proven(allowed: &AllowedOrigins, headers: &HeaderMap, site: &Site) -> bool {
    match origin(headers) {
        Claim::One(origin) => is_listed(allowed, headers, site, origin),
        Claim::Unclear => false,
        Claim::None => fetch_site(headers) == Some(b"same-origin"),
    }
}

/// What `Origin` says.
enum Claim<'a> {
    None,
    One(&'a str),
    /// More than one, or no text.
    Unclear,
}

fn origin(headers: &HeaderMap) -> Claim<'_> {
    let mut all = headers.get_all(header::ORIGIN).iter();
    match (all.next().map(|origin| origin.to_str()), all.next()) {
        (None, _) => Claim::None,
        (Some(Ok(origin)), None) => Claim::One(origin),
        _ => Claim::Unclear,
    }
}

fn is_listed(allowed: &AllowedOrigins, headers: &HeaderMap, site: &Site, origin: &str) -> bool {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let host = site.host.as_deref().unwrap_or(host);
    let schemes = [Scheme::Http, Scheme::Https].into_iter();
    let mut schemes = schemes.filter(|scheme| site.scheme.is_none_or(|own| own == *scheme));
    if schemes.any(|scheme| is_same_origin(origin, scheme.name(), host)) {
        return true;
    }
    match allowed {
        AllowedOrigins::Any | AllowedOrigins::SameOrigin => false,
        AllowedOrigins::List(list) => normalize_origin(origin).is_some_and(|origin| {
            list.iter()
                .any(|listed| origin_pattern::matches(listed, &origin))
        }),
    }
}

fn fetch_site(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get("sec-fetch-site").map(|site| site.as_bytes())
}

/// What browsers say of requests that carry no `Origin` (Fetch Metadata, section 2.3). Another origin of the same site
/// is another origin.
fn is_cross_site(headers: &HeaderMap) -> bool {
    matches!(fetch_site(headers), Some(b"cross-site" | b"same-site"))
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
                is_allowed(allowed, &headers, &Site::default()),
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
            assert_eq!(
                is_allowed(&list, &headers, &Site::default()),
                expected,
                "{all:?}"
            );
        }
    }

    #[test]
    fn what_a_trusted_proxy_tells_of_the_site_counts() {
        let headers = headers(&[("host", "inner:8080"), ("origin", "https://app.example")]);
        let site = |scheme, host: Option<&str>| Site {
            scheme,
            host: host.map(Into::into),
        };
        let cases = [
            (site(None, None), false),
            (site(None, Some("app.example")), true),
            (site(Some(Scheme::Https), Some("app.example")), true),
            (site(Some(Scheme::Http), Some("app.example")), false),
            (site(None, Some("app.example:8443")), false),
        ];
        for (site, expected) in cases {
            let allowed = is_allowed(&AllowedOrigins::SameOrigin, &headers, &site);
            assert_eq!(allowed, expected, "{site:?}");
        }
    }

    #[test]
    fn a_cookie_proves_nobody_unless_the_page_is_known() {
        let list = AllowedOrigins::List(vec!["https://app.example".to_owned()]);
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a AllowedOrigins, bool);
        let cases: [Case<'_>; 9] = [
            (&[("origin", "https://a.example")], &list, true),
            (&[("origin", "https://app.example")], &list, true),
            (&[("origin", "https://evil.example")], &list, false),
            (&[("origin", "null")], &list, false),
            (
                &[("origin", "https://evil.example")],
                &AllowedOrigins::Any,
                false,
            ),
            (&[], &AllowedOrigins::Any, false),
            (&[], &list, false),
            (&[("sec-fetch-site", "same-origin")], &list, true),
            (
                &[
                    ("sec-fetch-site", "none"),
                    ("referer", "https://app.example/"),
                ],
                &list,
                false,
            ),
        ];
        for (all, allowed, expected) in cases {
            let mut headers = headers(&[("host", "a.example")]);
            headers.extend(headers_of(all));
            assert_eq!(
                is_proven(allowed, &headers, &Site::default()),
                expected,
                "{all:?}"
            );
        }
    }

    #[test]
    fn two_origins_are_none() {
        let mut headers = headers(&[("host", "a.example"), ("origin", "https://a.example")]);
        headers.append(
            header::ORIGIN,
            HeaderValue::from_static("https://evil.example"),
        );
        let site = Site::default();
        assert!(!is_allowed(&AllowedOrigins::SameOrigin, &headers, &site));
        assert!(!is_proven(&AllowedOrigins::SameOrigin, &headers, &site));
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
