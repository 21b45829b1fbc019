//! Tokens that development mode issues to its page.

use crate::peer::Server;

const PATH: &str = "/development/token";

#[test]
fn the_page_of_development_mode_gets_tokens_that_connect() {
    let server = Server::start();
    let origin = format!("http://{}", server.http);
    let body = r#"{"user":"ann","lifetime":60}"#;
    let answer = server.http().post(PATH, &[("origin", &origin)], body);
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.rest).expect("JSON is text");
    let token = text.split('"').nth(3).expect("a token");
    let mut peer = server.tcp();
    let bearer = format!("Bearer {token}");
    let headers = [
        ("accept-version", "1.2"),
        ("host", "localhost"),
        ("Authorization", &bearer),
    ];
    peer.send("CONNECT", &headers, b"");
    let connected = peer.expect("CONNECTED");
    assert_eq!(connected.get("user-name"), "ann");
    let left: u64 = connected
        .get("session-expires-in")
        .parse()
        .expect("a number");
    // The server adds its leeway.
    assert!((60_000..=90_000).contains(&left), "{left}");
}

#[test]
fn other_pages_other_wishes_and_other_servers_get_none() {
    let server = Server::start();
    let origin = format!("http://{}", server.http);
    let good = r#"{"user":"ann","lifetime":60}"#;
    let elsewhere = [("origin", "http://elsewhere")];
    for headers in [&[][..], &elsewhere] {
        assert_eq!(server.http().post(PATH, headers, good).status, 403);
    }
    for body in [
        "",
        r#"{"user":"","lifetime":60}"#,
        r#"{"user":"ann","lifetime":0}"#,
        r#"{"user":"ann","lifetime":86401}"#,
        r#"{"user":"ann","lifetime":60,"roles":["admin"]}"#,
    ] {
        let answer = server.http().post(PATH, &[("origin", &origin)], body);
        assert_eq!(answer.status, 400, "{body}");
    }
    for tables in [
        "",
        "http.demo = true\n[security]\nauthenticator = 'trust-login'\n",
    ] {
        let server = Server::configured(tables);
        let origin = format!("http://{}", server.http);
        let answer = server.http().post(PATH, &[("origin", &origin)], good);
        assert!(matches!(answer.status, 404 | 405), "{}", answer.status);
    }
}
