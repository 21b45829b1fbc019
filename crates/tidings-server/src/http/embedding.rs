//! What pages of others may embed, where `sockjs.legacy_transports` is on.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, header};

use crate::config::AllowedOrigins;

/// The SHA-256 hash of the script within the iframe page, as policies name it (Content Security Policy 3, section 2.3.1).
const IFRAME_SCRIPT: &str = "'sha256-lYmFXEsqdsgpRcqXPmVFJyV4CiaTNuS5IK/HjT7/fdk='";

/// The policy of the iframe page: it runs its own script and sockjs-client, which asks this origin alone. Only allowed
/// pages may embed it: what runs in it speaks in the name of this origin.
pub(super) fn iframe_policy(allowed: &AllowedOrigins, client_library_url: &str) -> String {
    let library = origin_of(client_library_url).unwrap_or("'self'");
    let ancestors = match allowed {
        AllowedOrigins::Any => String::new(),
        AllowedOrigins::SameOrigin => "; frame-ancestors 'self'".to_owned(),
        AllowedOrigins::List(list) => format!("; frame-ancestors 'self' {}", list.join(" ")),
    };
    format!(
        "default-src 'none'; script-src {library} {IFRAME_SCRIPT}; connect-src 'self'; frame-src 'self'; base-uri 'none'\
         {ancestors}"
    )
}

/// Scheme and authority of a url; a path has none.
fn origin_of(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |end| start + end);
    // What a policy would read as its own syntax is no host.
    Some(&url[..end]).filter(|origin| !origin.contains([';', ',', '\'']))
}

/// Lets an answer come within a frame: a form of `jsonp_send` has its answer there.
pub(super) fn allow_frames(response: &mut Response<Body>) {
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'",
        response,
    );
}

/// Says this, whatever was said before.
pub(super) fn set(name: HeaderName, value: &str, response: &mut Response<Body>) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest, Sha256};
    use tidings_sockjs::{Options, RequestHead, Route, route};

    use super::*;

    #[test]
    fn the_policy_lets_the_script_of_the_page_run() {
        let options = Options {
            legacy_transports: true,
            ..Options::default()
        };
        let head = RequestHead {
            method: Method::GET.as_str(),
            path: "/iframe.html",
            query: "",
            http_1_1: true,
            keep_alive: true,
            origin: None,
            access_control_request_headers: None,
            cookie: None,
            if_none_match: None,
        };
        let Route::Answer(page) = route(&options, &head, || 0) else {
            panic!("it is a page");
        };
        let page = String::from_utf8(page.body.into_owned()).expect("html");
        let mut scripts = page.split("<script>").skip(1);
        let script = scripts
            .next()
            .and_then(|rest| rest.split("</script>").next());
        let hash = BASE64_STANDARD.encode(Sha256::digest(script.expect("a script")));
        assert_eq!(IFRAME_SCRIPT, format!("'sha256-{hash}'"));
        assert_eq!(scripts.next(), None, "there is one");
    }

    #[test]
    fn the_library_comes_from_where_the_page_loads_it() {
        let policy = |url| iframe_policy(&AllowedOrigins::SameOrigin, url);
        assert!(policy("/ws/sockjs.min.js").contains("script-src 'self' "));
        assert!(
            policy("https://cdn.example:8443/a;b.js")
                .contains("script-src https://cdn.example:8443 ")
        );
        assert!(policy("https://a;script-src *").contains("script-src 'self' "));
    }
}
