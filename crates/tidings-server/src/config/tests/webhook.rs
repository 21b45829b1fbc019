//! What is said about `[webhook]`.

use super::*;

#[test]
fn webhooks_that_cannot_work_are_refused() {
    let secret = "secret = '0123456789abcdef'";
    for (text, expected) in [
        (
            format!("[webhook]\nroutes = ['a -> https://b/c']\n{secret}"),
            "`webhook.routes` at tidings.toml:2 names `https://b/c`, and this version speaks no TLS to back ends; use \
             `http://`, over a network that you trust",
        ),
        (
            format!("[webhook]\nroutes = ['/a -> http://b/c']\n{secret}"),
            "`webhook.routes` at tidings.toml:2 holds the pattern `/a`, which has an empty segment; write it without the \
             prefix, as `trade/*`",
        ),
        (
            "[webhook]\nroutes = ['a -> http://b/c']".to_owned(),
            "`webhook.secret` by default is absent, and back ends know by it who asks; set it, best by \
             TIDINGS__WEBHOOK__SECRET",
        ),
        (
            "[webhook]\nsecret = 'hunter2'".to_owned(),
            "`webhook.secret` at tidings.toml:2 is not shown; allowed: 16 to 1024 printable ASCII characters without \
             spaces, such as `what-openssl-rand-hex-32-prints`",
        ),
        (
            format!("[webhook]\nevents_url = 'http://b'\ntimeout = '20s'\n{secret}"),
            "`webhook.timeout` at tidings.toml:3 is 20s, more than half of `application.timeout`, which holds for waiting \
             and answering together; lower the one or raise the other",
        ),
    ] {
        assert_eq!(complaints(&text), expected);
    }
}

#[test]
fn the_secret_of_webhooks_is_shown_to_nobody() {
    let text = "[webhook]\nroutes = ['a/{b} -> http://c/d', '** -> http://e']\nsecret = '0123456789abcdef'";
    let config = load(text).expect("accepted");
    assert_eq!(
        config.settings(),
        [
            Setting {
                key: "webhook.routes".to_owned(),
                value: "[\"a/{b} -> http://c/d\", \"** -> http://e\"]".to_owned(),
            },
            Setting {
                key: "webhook.secret".to_owned(),
                value: "\"(not shown)\"".to_owned(),
            },
        ]
    );
    assert!(!format!("{config:?}").contains("0123456789abcdef"));
}

#[test]
fn back_ends_elsewhere_deserve_a_word() {
    for (host, warnings) in [
        ("127.0.0.1:9000", 0),
        ("localhost", 0),
        ("[::1]:9000", 0),
        ("10.0.0.1", 1),
        ("localhost.example.com", 1),
    ] {
        let text =
            format!("[webhook]\nroutes = ['** -> http://{host}/']\nsecret = '0123456789abcdef'");
        let config = load(&text).expect("accepted");
        assert_eq!(config.warnings().len(), warnings, "{host}");
    }
}
