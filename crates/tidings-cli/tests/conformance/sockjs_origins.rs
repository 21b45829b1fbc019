//! Which pages may use SockJS.

use crate::peer::{Server, WebSocket, fresh_url};

const LISTED: &str = "https://app.example";
const TABLES: &str = "[websocket]\nallowed_origins = [\"https://app.example\"]\n\
                      [sockjs]\nlegacy_transports = true\n";

/// Every url beneath the endpoint, and how it is asked for.
fn requests() -> Vec<(&'static str, String)> {
    let session = |last: &str| format!("{}/{last}", fresh_url());
    vec![
        ("GET", "/ws".into()),
        ("GET", "/ws/".into()),
        ("GET", "/ws/info".into()),
        ("OPTIONS", "/ws/info".into()),
        ("GET", "/ws/iframe.html".into()),
        ("GET", "/ws/sockjs.min.js".into()),
        ("GET", "/ws/nowhere".into()),
        ("POST", session("xhr")),
        ("OPTIONS", session("xhr")),
        ("POST", session("xhr_send")),
        ("POST", session("xhr_streaming")),
        ("GET", session("eventsource")),
        ("GET", session("htmlfile?c=x")),
        ("GET", session("jsonp?c=x")),
        ("POST", session("jsonp_send")),
        ("GET", session("websocket")),
        ("GET", "/ws/websocket".into()),
    ]
}

#[test]
fn a_page_of_another_origin_gets_403_whatever_it_asks_for() {
    let server = Server::configured(TABLES);
    let mut http = server.http();
    for origin in ["https://evil.example", "http://app.example", "null"] {
        for (method, path) in requests() {
            let answer = http.ask(method, &path, &[("Origin", origin)], b"");
            assert_eq!(answer.status, 403, "{method} {path} of {origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None);
        }
    }
    let connections = server.metric("tidings_connections{link=\"sockjs-http\"}");
    assert_eq!(connections, 0, "no session is made");
}

#[test]
fn a_handshake_of_another_origin_gets_403() {
    let server = Server::configured(TABLES);
    for path in [fresh_url() + "/websocket", "/ws/websocket".into()] {
        let headers = [("Origin", "https://evil.example")];
        let refusal = WebSocket::open_at(server.http, &path, &headers);
        assert_eq!(refusal.expect_err("it is refused").status, 403);
        let listed = WebSocket::open_at(server.http, &path, &[("Origin", LISTED)]);
        assert_eq!(listed.expect("it opens").response.status, 101);
    }
}

#[test]
fn a_listed_origin_may_and_sees_the_answers() {
    let server = Server::configured(TABLES);
    let mut http = server.http();
    let url = fresh_url();
    for (method, path) in [
        ("GET", "/ws/info".to_owned()),
        ("OPTIONS", "/ws/info".into()),
        ("POST", format!("{url}/xhr")),
        ("OPTIONS", format!("{url}/xhr_send")),
        ("POST", format!("{url}/xhr_send")),
    ] {
        let answer = http.ask(method, &path, &[("Origin", LISTED)], b"");
        assert_ne!(answer.status, 403, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
    }
}

#[test]
fn the_own_origin_may_over_http_and_https_and_null_may_not() {
    let server = Server::start();
    let mut http = server.http();
    for (origin, status) in [
        ("http://a.example:81", 200),
        ("https://a.example:81", 200),
        ("http://a.example", 403),
        ("https://b.example:81", 403),
        ("null", 403),
    ] {
        let headers = [("Host", "a.example:81"), ("Origin", origin)];
        assert_eq!(http.get("/ws/info", &headers).status, status, "{origin}");
    }
}

#[test]
fn with_any_origin_allowed_null_may_too() {
    let server = Server::configured("[websocket]\nallowed_origins = \"*\"\n");
    let mut http = server.http();
    for origin in ["null", "https://evil.example"] {
        let answer = http.get("/ws/info", &[("Origin", origin)]);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    let answer = http.get("/ws/info", &[("Sec-Fetch-Site", "cross-site")]);
    assert_eq!(answer.status, 200);
}

#[test]
fn a_request_without_origin_is_allowed_unless_the_browser_says_it_is_of_another_site() {
    let server = Server::configured(TABLES);
    let mut http = server.http();
    let cases: [(&[(&str, &str)], u16); 8] = [
        (&[], 200),
        (&[("Sec-Fetch-Site", "same-origin")], 200),
        (&[("Sec-Fetch-Site", "none")], 200),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (&[("Sec-Fetch-Site", "same-site")], 403),
        (
            &[
                ("Sec-Fetch-Site", "cross-site"),
                ("Referer", "https://app.example/page?q"),
            ],
            200,
        ),
        (
            &[
                ("Sec-Fetch-Site", "cross-site"),
                ("Referer", "https://app.example.evil/"),
            ],
            403,
        ),
        (
            &[
                ("Sec-Fetch-Site", "cross-site"),
                ("Referer", "https://evil.example/https://app.example/"),
            ],
            403,
        ),
    ];
    for (headers, status) in cases {
        assert_eq!(http.get("/ws/info", headers).status, status, "{headers:?}");
        let jsonp = format!("{}/jsonp?c=x", fresh_url());
        assert_eq!(http.get(&jsonp, headers).status, status, "{headers:?}");
    }
}

#[test]
fn only_allowed_pages_may_embed_the_iframe() {
    let policies = [
        ("\"same-origin\"", Some("frame-ancestors 'self'")),
        (
            "[\"https://app.example\", \"http://b.example:81\"]",
            Some("frame-ancestors 'self' https://app.example http://b.example:81"),
        ),
        ("\"*\"", None),
    ];
    for (origins, policy) in policies {
        let server = Server::configured(&format!(
            "[websocket]\nallowed_origins = {origins}\n[sockjs]\nlegacy_transports = true\n"
        ));
        for page in ["/ws/iframe.html", "/ws/iframe-1.6.1.html?t=1"] {
            let answer = server.http().get(page, &[]);
            assert_eq!(answer.status, 200);
            let said = answer.header("content-security-policy").expect("a policy");
            let ancestors = said
                .split("; ")
                .find(|one| one.starts_with("frame-ancestors"));
            assert_eq!(ancestors, policy);
            assert!(said.contains("; script-src 'self' 'sha256-"), "{said}");
            assert_eq!(answer.header("x-frame-options"), None);
        }
    }
}
