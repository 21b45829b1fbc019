//! Every answer says what browsers may do with it.

use crate::server::{Client, KEY, Running, status, value};

const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

fn ask(address: std::net::SocketAddr, request: &str) -> String {
    let mut client = Client::connect(address);
    let (method, path) = request.split_once(' ').expect("a method and a path");
    // Elsewhere it would be a token, and none that is good.
    let key = match path.starts_with("/api") {
        true => format!("authorization: Bearer {KEY}\r\n"),
        false => String::new(),
    };
    client.send(format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n{key}connection: close\r\n\r\n"
    ));
    client.head()
}

/// The paths of the API's own description.
fn api_paths(server: &Running) -> Vec<String> {
    let mut client = Client::connect(server.http);
    client.get("/api/v1/openapi.json", "");
    let (_, document) = client.response();
    let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, methods)| {
            let path = path.replace(['{', '}'], "");
            let methods = methods.as_object().expect("methods");
            methods
                .keys()
                .map(move |method| format!("{} /api/v1{path}", method.to_uppercase()))
        })
        .collect()
}

fn is_protected(request: &str, head: &str) {
    assert_eq!(
        value(head, "x-content-type-options"),
        Some("nosniff"),
        "{request}: {head}"
    );
    assert_eq!(
        value(head, "referrer-policy"),
        Some("same-origin"),
        "{request}: {head}"
    );
    assert_eq!(
        value(head, "content-security-policy"),
        Some(POLICY),
        "{request}: {head}"
    );
    assert_eq!(
        value(head, "x-frame-options"),
        Some("deny"),
        "{request}: {head}"
    );
    assert!(
        value(head, "cross-origin-resource-policy").is_some(),
        "{request}: {head}"
    );
    assert_eq!(value(head, "server"), None, "{request}: {head}");
}

#[test]
fn every_route_says_so() {
    let server = Running::start(|_| {});
    let mut requests: Vec<_> = [
        "GET /ws",
        "POST /ws",
        "GET /ws/",
        "GET /ws/info",
        "OPTIONS /ws/info",
        "PUT /ws/info",
        "GET /ws/sockjs.min.js",
        "GET /ws/iframe.html",
        "GET /ws/websocket",
        "GET /ws/000/abc/websocket",
        "GET /ws/000/abc/jsonp",
        "POST /ws/000/abc/xhr_send",
        "GET /ws/nowhere",
        "GET /api/v1",
        "GET /api/v1/nowhere",
        "PUT /api/v1/messages",
    ]
    .map(str::to_owned)
    .into();
    let paths = api_paths(&server);
    assert!(paths.len() > 5, "{paths:?}");
    requests.extend(paths);
    for request in requests {
        is_protected(&request, &ask(server.http, &request));
    }
    for request in [
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "GET /stats",
    ] {
        let head = ask(server.admin, request);
        assert_eq!(status(&head), 200, "{request}");
        is_protected(request, &head);
    }
}

#[test]
fn refusals_say_so() {
    let server = Running::start(|config| config.server.max_connections = 1);
    let mut inside = server.handshake("origin: https://evil.example\r\n");
    is_protected("a forbidden origin", &inside.head());
    is_protected("a full server", &Client::connect(server.http).head());
    let server = Running::behind_proxy(|_| {});
    let both = "forwarded: for=198.51.100.66\r\nx-forwarded-for: 192.0.2.1\r\n";
    is_protected("two clients", &server.handshake(both).head());
}

#[test]
fn responses_that_workers_write_are_what_they_say() {
    let server = Running::start(|config| config.sockjs.legacy_transports = true);
    for request in [
        "POST /ws/000/a/xhr",
        "POST /ws/000/b/xhr_streaming",
        "GET /ws/000/c/eventsource",
        "GET /ws/000/d/htmlfile?c=x",
        "GET /ws/000/e/jsonp?c=x",
    ] {
        let head = ask(server.http, request);
        assert_eq!(status(&head), 200, "{request}");
        assert_eq!(
            value(&head, "x-content-type-options"),
            Some("nosniff"),
            "{request}: {head}"
        );
        assert_eq!(value(&head, "server"), None, "{request}: {head}");
    }
}

#[test]
fn pages_of_others_may_embed_what_legacy_transports_are_for() {
    let server = Running::start(|config| config.sockjs.legacy_transports = true);
    let page = ask(server.http, "GET /ws/iframe.html");
    let policy = value(&page, "content-security-policy").expect("a policy");
    assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(value(&page, "x-frame-options"), None);
    let sent = ask(server.http, "POST /ws/000/abc/jsonp_send");
    assert_eq!(
        value(&sent, "content-security-policy"),
        Some("default-src 'none'")
    );
    assert_eq!(value(&sent, "x-frame-options"), None);
}
