//! Which pages may connect.

use tidings_server::config::{AllowedOrigins, Config, Overrides};

use crate::server::{Client, Running};

fn listed(origins: &[&str]) -> AllowedOrigins {
    AllowedOrigins::List(origins.iter().map(|&origin| origin.to_owned()).collect())
}

#[test]
fn patterns_stand_for_labels_of_hosts() {
    let server = Running::start(|config| {
        config.websocket.allowed_origins = listed(&["https://*.example.com", "http://localhost:*"]);
    });
    let cases = [
        ("https://a.example.com", 101),
        ("https://b.a.example.com", 101),
        ("http://localhost:5173", 101),
        ("http://x", 101),
        ("https://example.com", 403),
        ("https://evil-example.com", 403),
        ("https://a.example.com.evil.com", 403),
        ("https://a.example.com@evil.com", 403),
        ("https://a.example.com:8443", 403),
        ("http://a.example.com", 403),
        ("null", 403),
    ];
    for (origin, expected) in cases {
        let headers = format!("origin: {origin}\r\n");
        assert_eq!(server.handshake(&headers).status(), expected, "{origin}");
        let mut client = Client::connect(server.http);
        client.get("/ws/info", &headers);
        let expected = if expected == 101 { 200 } else { expected };
        assert_eq!(client.status(), expected, "SockJS, {origin}");
    }
    let two = "origin: https://a.example.com\r\norigin: https://evil.com\r\n";
    assert_eq!(server.handshake(two).status(), 403);
}

fn load(setting: (&str, &str)) -> Result<Config, String> {
    let environment = [(setting.0.to_owned(), setting.1.to_owned())];
    let config = Config::load(None, environment.into_iter(), &Overrides::default());
    config.map_err(|errors| errors.to_string())
}

#[test]
fn a_pattern_is_checked_when_it_is_read() {
    let accepted = |origin: &str| load(("TIDINGS__WEBSOCKET__ALLOWED_ORIGINS", origin)).is_ok();
    for origin in [
        "https://*.example.com",
        "https://*.example.com:*",
        "https://*.example.com:8443",
        "http://localhost:*",
        "http://[::1]:*",
    ] {
        assert!(accepted(origin), "{origin}");
    }
    for origin in [
        "https://*",
        "https://*.com",
        "https://*example.com",
        "https://a.*.example.com",
        "https://*.*.example.com",
        "https://*..example.com",
        "https://*.example.com.",
        "https://*.192.0.2.1",
        "https://*.[::1]",
        "*://a.example.com",
        "https://*.Example.com",
        "https://a.example.com:**",
    ] {
        assert!(!accepted(origin), "{origin}");
    }
}

#[test]
fn a_proxy_that_nobody_trusts_is_a_contradiction() {
    for key in [
        "TIDINGS__HTTP__PROXY_PROTOCOL",
        "TIDINGS__TCP__PROXY_PROTOCOL",
    ] {
        let refused = load((key, "true")).expect_err("nobody could connect");
        assert!(refused.contains("server.trusted_proxies"), "{refused}");
    }
    let refused = load(("TIDINGS__SERVER__TRUSTED_PROXIES", "10.0.0.1/8"));
    assert!(
        refused
            .expect_err("which one is meant?")
            .contains("server.trusted_proxies")
    );
    let config = load(("TIDINGS__SERVER__TRUSTED_PROXIES", "10.0.0.0/8,::1"));
    assert_eq!(
        config.expect("two networks").server.trusted_proxies.len(),
        2
    );
}
