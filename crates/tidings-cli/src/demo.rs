//! The demo page and the client library of SockJS, embedded at build time.

use std::borrow::Cow;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use tidings_server::config::Config;

use crate::development_token;

/// What `npm run build` made of `web/`. A build of the binary without it works.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Assets;

/// The page in place of the demo when the front end was not built.
const NOT_BUILT: &str = include_str!("demo_not_built.html");

/// Everything comes from this server, WebSocket included; nothing is framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page in place of the demo has one style sheet within it, named by its SHA-256 hash.
const POLICY_WHEN_NOT_BUILT: &str = "default-src 'none'; style-src \
     'sha256-x1OFwQ9kWZ8whLXRKnuliCi+deUCIG5D5/hMQFE0h7o='; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// What every answer has that says nothing else.
const PROTECTION: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// The pages beside the endpoint: the demo, or none.
pub(crate) fn pages(config: &Config) -> Router {
    let nothing = || async { (StatusCode::NOT_FOUND, "there is nothing here\n") };
    let mut pages = Router::new();
    if config.http.demo {
        pages = demo_pages();
        if config.security.authenticator.is_empty() {
            pages = pages.merge(development_token::page());
        }
    }
    pages.fallback(nothing).layer(map_response(protect))
}

async fn protect(mut response: Response) -> Response {
    for (name, value) in PROTECTION {
        let headers = response.headers_mut();
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn demo_pages() -> Router {
    Router::new()
        .route(
            "/",
            get(|headers| async move { page("index.html", &headers) }),
        )
        .route(
            "/{*path}",
            get(|Path(path): Path<String>, headers| async move { page(&path, &headers) }),
        )
}

/// The browser build of sockjs-client with its licence, none in a build without the front end.
pub(crate) fn client_library() -> Option<Cow<'static, [u8]>> {
    Assets::get("sockjs.min.js").map(|file| file.data)
}

fn page(path: &str, request: &HeaderMap) -> Response {
    match Assets::get(path) {
        Some(file) => asset(path, file, request),
        None if path == "index.html" => {
            let policy = [(header::CONTENT_SECURITY_POLICY, POLICY_WHEN_NOT_BUILT)];
            (policy, Html(NOT_BUILT)).into_response()
        }
        None => (
            StatusCode::NOT_FOUND,
            "there is nothing here; the demo is at /\n",
        )
            .into_response(),
    }
}

fn asset(path: &str, file: EmbeddedFile, request: &HeaderMap) -> Response {
    let etag = format!("\"{}\"", hex(&file.metadata.sha256_hash()[..16]));
    let cache = if path.starts_with("assets/") {
        // Names of assets have a hash of their content in them.
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, content_type(path)),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, &etag),
    ];
    if request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known == etag.as_str())
    {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let body = match file.data {
        Cow::Borrowed(bytes) => bytes.into_response(),
        Cow::Owned(bytes) => bytes.into_response(),
    };
    (headers, body).into_response()
}

/// The few kinds of file that the build makes.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("webmanifest" | "json") => "application/json",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_front_page_is_the_demo_or_says_how_to_get_it() {
        let response = page("index.html", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::OK);
        let kind = &response.headers()[header::CONTENT_TYPE];
        assert_eq!(kind, "text/html; charset=utf-8");
        assert!(NOT_BUILT.contains("./run") && NOT_BUILT.contains("npm run build"));
    }

    #[test]
    fn pages_have_no_script_or_style_that_their_policy_does_not_name() {
        let style = NOT_BUILT.split("<style>").nth(1);
        let style = style.and_then(|rest| rest.split("</style>").next());
        let hash = BASE64_STANDARD.encode(Sha256::digest(style.expect("it has one")));
        assert!(
            POLICY_WHEN_NOT_BUILT.contains(&format!("'sha256-{hash}'")),
            "{hash}"
        );
        assert!(!NOT_BUILT.contains("<script"));
        let built = Assets::get("index.html").map_or_else(Vec::new, |file| file.data.into_owned());
        let built = String::from_utf8(built).expect("html is text");
        assert!(!built.contains("<style") && !built.contains(" style="));
        let scripts = built.split("<script").skip(1);
        assert!(
            scripts.clone().all(|script| script.contains(" src=")),
            "none inline"
        );
    }

    #[test]
    fn the_client_library_comes_with_its_licence() {
        let page = Assets::get("index.html");
        let library = client_library();
        assert_eq!(page.is_some(), library.is_some());
        if let Some(script) = library {
            let script = String::from_utf8_lossy(&script);
            assert!(script.starts_with("/*!\nThe MIT License (MIT)"));
            assert!(script.contains("sockjs-client v"));
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let response = page("assets/none.js", &HeaderMap::new());
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
    }
}
