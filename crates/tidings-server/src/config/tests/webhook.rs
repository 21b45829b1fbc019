//! What is said about `[webhook]`.

use super::*;

#[test]
fn webhooks_that_cannot_work_are_refused() {
    let secret = "secret = '0123456789abcdef'";
    for (text, expected) in [
        (
            format!("[webhook]\nroutes = ['a -> https://b/#c']\n{secret}"),
            "`webhook.routes` at tidings.toml:2 names `https://b/#c`, which is no url of a back end; write \
             `https://HOST:PORT/PATH`, without `#`",
        ),
        (
            format!("[webhook]\nauthenticate_url = 'https://ada:hunter2@b/c'\n{secret}"),
            "`webhook.authenticate_url` at tidings.toml:2 names a url with a login before its host; write it without",
        ),
        (
            "[webhook]\nauthenticate_url = 'https://b/c'".to_owned(),
            "`webhook.secret` by default is absent, and back ends know by it who asks; set it, best by \
             TIDINGS__WEBHOOK__SECRET",
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
    for (url, warnings) in [
        ("http://127.0.0.1:9000", 0),
        ("http://localhost", 0),
        ("http://[::1]:9000", 0),
        ("http://10.0.0.1", 1),
        ("http://localhost.example.com", 1),
        ("https://10.0.0.1", 0),
    ] {
        let text = format!("[webhook]\nroutes = ['** -> {url}/']\nsecret = '0123456789abcdef'");
        let config = load(&text).expect("accepted");
        assert_eq!(config.warnings().len(), warnings, "{url}");
    }
}

#[test]
fn a_back_end_that_only_authenticates_is_no_application() {
    let load = |key: &str| {
        let text = format!("[webhook]\n{key} = 'https://a'\nsecret = '0123456789abcdef'");
        load(&text).expect("accepted").webhook
    };
    assert!(!load("authenticate_url").is_used());
    assert!(load("events_url").is_used());
}
