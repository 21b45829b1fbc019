//! What a file, the environment and flags become, and what is said about a wrong one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::raw;
use super::*;

mod reach;
mod tls;
mod webhook;

/// A configuration file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        let name = format!(
            "tidings-{}-{:?}.toml",
            std::process::id(),
            std::thread::current().id()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("the temporary folder can be written");
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect::<Vec<_>>().into_iter()
}

fn load(text: &str) -> Result<Config, ConfigErrors> {
    Config::load(
        Some(&File::new(text).0),
        environment(&[]),
        &Overrides::default(),
    )
}

/// What is said about `text`, with the file called `tidings.toml`.
fn complaints(text: &str) -> String {
    let file = File::new(text);
    let errors =
        Config::load(Some(&file.0), environment(&[]), &Overrides::default()).expect_err(text);
    errors
        .to_string()
        .replace(&file.0.display().to_string(), "tidings.toml")
}

fn flags(listen: &str) -> Overrides {
    Overrides {
        listen: Some(listen.to_owned()),
        ..Overrides::default()
    }
}

#[test]
fn nothing_written_is_every_default() {
    assert_eq!(
        load("").expect("an empty file is accepted"),
        Config::default()
    );
    assert_eq!(
        Config::load(None, environment(&[]), &Overrides::default()).expect("no file is accepted"),
        Config::default()
    );
}

#[test]
fn a_file_sets_every_type_of_value() {
    let config = load(
        r#"
        server.workers = 0x04
        server.data_dir = 'C:\tidings "data"'
        [websocket]
        allowed_origins = ["https://app.example.com", "http://[::1]:3000"]
        compression = true
        max_frame_bytes = 65_536
        [sockjs]
        heartbeat_time = "10s"
        client_library_url = "/js/sockjs.js?v=1.6.1"
        [tcp]
        listen = "127.0.0.1:61613"
        [stomp]
        heart_beat_send = 0
        heart_beat_receive = "500ms"
        [outbox]
        policy = "keep-latest"
        max_bytes = "4MiB"
        [broker]
        separator = "."
        topic_prefixes = ["/topic/", "/exchange."]
        "#,
    )
    .expect("the file is accepted");

    let mut expected = Config::default();
    expected.server.workers = 4;
    expected.server.data_dir = PathBuf::from(r#"C:\tidings "data""#);
    expected.websocket.allowed_origins = AllowedOrigins::List(vec![
        "https://app.example.com".to_owned(),
        "http://[::1]:3000".to_owned(),
    ]);
    expected.websocket.compression = true;
    expected.websocket.max_frame_bytes = 65_536;
    expected.sockjs.heartbeat_time = Duration::from_secs(10);
    expected.sockjs.client_library_url = Some("/js/sockjs.js?v=1.6.1".to_owned());
    expected.tcp.listen = Some(([127, 0, 0, 1], 61613).into());
    expected.stomp.heart_beat_send = Duration::ZERO;
    expected.stomp.heart_beat_receive = Duration::from_millis(500);
    expected.outbox.policy = SlowConsumerPolicy::KeepLatest;
    expected.outbox.max_bytes = 4 << 20;
    expected.broker.separator = '.';
    expected.broker.topic_prefixes = vec!["/topic/".to_owned(), "/exchange.".to_owned()];
    assert_eq!(config, expected);
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let file = File::new(
        "[http]\nlisten = \"127.0.0.1:1\"\n[tcp]\nlisten = \"127.0.0.1:2\"\n[server]\nworkers = 3\n",
    );
    let env = [
        ("TIDINGS__HTTP__LISTEN", "127.0.0.1:11"),
        ("TIDINGS__TCP__LISTEN", "off"),
    ];
    let config =
        Config::load(Some(&file.0), environment(&env), &flags("127.0.0.1:21")).expect("accepted");
    assert_eq!(config.http.listen.port(), 21, "flag");
    assert_eq!(config.tcp.listen, None, "environment");
    assert_eq!(config.server.workers, 3, "file");

    let config =
        Config::load(Some(&file.0), environment(&env), &Overrides::default()).expect("accepted");
    assert_eq!(config.http.listen.port(), 11, "environment");
}

#[test]
fn the_environment_sets_every_type_of_value() {
    let config = Config::load(
        None,
        environment(&[
            ("TIDINGS_LOG", "debug"),
            ("PATH", "/bin"),
            ("TIDINGS__SERVER__WORKERS", "2"),
            ("TIDINGS__HTTP__DEMO", "true"),
            ("TIDINGS__OUTBOX__SEND_TIMEOUT", "5s"),
            ("TIDINGS__OUTBOX__MAX_BYTES", "4194304"),
            (
                "TIDINGS__WEBSOCKET__ALLOWED_ORIGINS",
                "https://a.example, https://b.example",
            ),
            ("TIDINGS__BROKER__TOPIC_PREFIXES", "/topic/,/events/"),
        ]),
        &Overrides::default(),
    )
    .expect("the environment is accepted");

    let mut expected = Config::default();
    expected.server.workers = 2;
    expected.http.demo = true;
    expected.outbox.send_timeout = Duration::from_secs(5);
    expected.outbox.max_bytes = 4 << 20;
    expected.websocket.allowed_origins = AllowedOrigins::List(vec![
        "https://a.example".to_owned(),
        "https://b.example".to_owned(),
    ]);
    expected.broker.topic_prefixes = vec!["/topic/".to_owned(), "/events/".to_owned()];
    assert_eq!(config, expected);
}

#[test]
fn all_problems_of_all_sources_are_reported_at_once() {
    let file = File::new(
        "[outbox]\nmax_byte = 1\npolicy = 'drop'\n[sever]\nworkers = 1\n[server]\nworkers = 300\n",
    );
    let env = [
        ("TIDINGS__OUTBOX__POLICI", "close"),
        ("TIDINGS__SERVER__WORKERS", "many"),
    ];
    let errors = Config::load(Some(&file.0), environment(&env), &flags("localhost:8080"))
        .expect_err("wrong");
    let path = file.0.display();
    let expected = format!(
        "unknown key `outbox.max_byte` at {path}:2; did you mean `outbox.max_bytes`?\n\
         unknown section `sever` at {path}:4; did you mean `server`?\n\
         unknown variable `TIDINGS__OUTBOX__POLICI` in the environment; did you mean `TIDINGS__OUTBOX__POLICY`?\n\
         `outbox.policy` at {path}:3 is 'drop'; allowed: `close`, `drop-oldest` or `keep-latest`\n\
         `server.workers` at {path}:7 is 300; allowed: a whole number from 0 to 256\n\
         `server.workers` given by TIDINGS__SERVER__WORKERS is \"many\"; allowed: a whole number from 0 to 256\n\
         `http.listen` given by --listen is \"localhost:8080\"; allowed: IP address and port, such as \
         `127.0.0.1:8080` or `[::1]:8080`; port 0 takes a free one"
    );
    assert_eq!(errors.to_string(), expected);
    assert_eq!(errors.iter().len(), 7);
}

#[test]
fn a_wrong_value_says_what_was_found_and_what_is_allowed() {
    let allowed = |key: &str| {
        let key = raw::keys()
            .find(|candidate| candidate.path() == key)
            .expect(key);
        (key.allowed)()
    };
    for (key, value) in [
        ("server.workers", "257"),
        ("server.workers", "-1"),
        ("server.workers", "1.5"),
        ("server.workers", "'4'"),
        (
            "server.workers",
            "99999999999999999999999999999999999999999",
        ),
        ("server.shutdown_timeout", "10"),
        ("server.shutdown_timeout", "\"2h\""),
        ("server.data_dir", "''"),
        ("http.demo", "\"yes\""),
        ("http.demo", "1"),
        ("http.listen", "8080"),
        ("http.listen", "\"off\""),
        ("tcp.listen", "\":61613\""),
        ("websocket.path", "\"ws\""),
        ("websocket.path", "\"/\""),
        ("websocket.path", "\"/ws/\""),
        ("websocket.path", "\"/a//b\""),
        ("websocket.path", "\"/ws?a=b\""),
        ("websocket.allowed_origins", "[]"),
        ("websocket.allowed_origins", "[\"*\"]"),
        ("websocket.allowed_origins", "[\"example.com\"]"),
        ("websocket.allowed_origins", "[\"https://Example.com\"]"),
        ("websocket.allowed_origins", "[\"https://example.com/\"]"),
        ("websocket.allowed_origins", "[\"https://example.com:443\"]"),
        ("websocket.allowed_origins", "[\"http://example.com:80\"]"),
        (
            "websocket.allowed_origins",
            "[\"https://example.com:70000\"]",
        ),
        ("websocket.allowed_origins", "[\"https://[::1\"]"),
        ("websocket.allowed_origins", "[1]"),
        ("websocket.max_frame_bytes", "\"1MB\""),
        ("websocket.max_frame_bytes", "0"),
        ("websocket.handshake_timeout", "\"0s\""),
        ("sockjs.heartbeat_time", "0"),
        ("sockjs.disconnect_delay", "\"0s\""),
        ("sockjs.stream_bytes_limit", "1_023"),
        ("sockjs.client_library_url", "\"\""),
        ("sockjs.client_library_url", "\"/\""),
        ("sockjs.client_library_url", "\"https://\""),
        ("sockjs.client_library_url", "\"sockjs.min.js\""),
        ("sockjs.client_library_url", "\"javascript:alert(1)\""),
        ("sockjs.client_library_url", "\"//cdn.example.com/a.js\""),
        ("sockjs.client_library_url", "'/a\"b.js'"),
        ("sockjs.client_library_url", "\"/a'b.js\""),
        ("sockjs.client_library_url", "\"/a>b.js\""),
        ("sockjs.client_library_url", "\"/a&b.js\""),
        ("sockjs.client_library_url", "\"/a b.js\""),
        ("sockjs.client_library_url", "\"/\u{e4}.js\""),
        ("sockjs.client_library_url", "true"),
        ("stomp.heart_beat_send", "\"99ms\""),
        ("stomp.heart_beat_send", "\"61m\""),
        ("outbox.policy", "\"Close\""),
        ("broker.separator", "\"-\""),
        ("broker.topic_prefixes", "[\"topic/\"]"),
        ("broker.topic_prefixes", "[\"/topic\"]"),
        ("broker.topic_prefixes", "[\"/*/\"]"),
        ("broker.topic_prefixes", "\"/topic/\""),
        ("broker.topic_prefixes", "[\"/\"]"),
        ("queue.max_deliveries", "0"),
        ("queue.dead_letter", "\"/queue/\""),
        ("queue.dead_letter", "\"/queue/a b\""),
        ("security.authenticator", "\"none\""),
        ("admin.listen", "{ port = 1 }"),
    ] {
        let found = complaints(&format!("\n{key} = {value}\n"));
        assert_eq!(
            found,
            format!(
                "`{key}` at tidings.toml:2 is {value}; allowed: {}",
                allowed(key)
            )
        );
    }
}

#[test]
fn a_long_wrong_value_is_repeated_in_part() {
    let found = complaints(&format!("outbox.policy = '{}'\n", "x".repeat(1_000)));
    assert!(
        found.contains(&format!("is '{}...; allowed", "x".repeat(59))),
        "{found}"
    );
}

#[test]
fn what_is_no_toml_is_told_by_line() {
    assert_eq!(
        complaints("[http]\nlisten = \"127.0.0.1:8080\ndemo = true\n"),
        "not TOML at tidings.toml:2: invalid basic string, expected `\"`"
    );
    assert_eq!(
        complaints("[http]\ndemo = true\ndemo = true\n"),
        "not TOML at tidings.toml:3: duplicate key"
    );
    assert_eq!(
        complaints("http = 3\n"),
        "`http` at tidings.toml:1 is 3; allowed: a section, written `[http]`"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = Path::new("no-such-folder/tidings.toml");
    let errors =
        Config::load(Some(missing), environment(&[]), &Overrides::default()).expect_err("missing");
    assert!(
        errors
            .to_string()
            .starts_with("cannot read no-such-folder/tidings.toml: "),
        "{errors}"
    );
}

#[test]
fn values_that_contradict_are_refused() {
    for (text, expected) in [
        (
            "outbox.max_bytes = '2047KiB'",
            "`outbox.max_bytes` at tidings.toml:1 is 2047KiB, too little for one largest message; allow at least 2MiB, \
             which is `stomp.max_body_bytes` + `stomp.max_headers` x `stomp.max_header_line_bytes`, or lower one of these",
        ),
        (
            "websocket.max_message_bytes = '1MiB'\nwebsocket.max_frame_bytes = '1MiB'",
            "`websocket.max_message_bytes` at tidings.toml:1 is 1MiB, too little for a STOMP frame with the largest body; \
             allow at least 1088KiB, which is `stomp.max_body_bytes` + 64KiB of headers, or lower `stomp.max_body_bytes`",
        ),
        (
            "session.max_bytes_per_second = '72KiB'",
            "`session.max_bytes_per_second` at tidings.toml:1 is 72KiB a second, too little for a STOMP frame with the \
             largest body, which is 1088KiB: a client may be ahead of it by 1080KiB, which is what comes in 5 s + \
             `session.rate_patience`; raise it, or lower `stomp.max_body_bytes`",
        ),
        (
            "websocket.max_frame_bytes = '2MiB'",
            "`websocket.max_frame_bytes` at tidings.toml:1 is 2MiB, more than `websocket.max_message_bytes`, which is \
             1088KiB; lower the one or raise the other",
        ),
        (
            "sockjs.message_cache_bytes = '2047KiB'",
            "`sockjs.message_cache_bytes` at tidings.toml:1 is 2047KiB, too little for one largest message; allow at \
             least 2MiB, which is `stomp.max_body_bytes` + `stomp.max_headers` x `stomp.max_header_line_bytes`, or lower \
             one of these",
        ),
        (
            "sockjs.max_payload_bytes = '1MiB'",
            "`sockjs.max_payload_bytes` at tidings.toml:1 is 1MiB, too little for a STOMP frame with the largest body; \
             allow at least 1088KiB, which is `stomp.max_body_bytes` + 64KiB of headers, and more for escapes, or lower \
             `stomp.max_body_bytes`",
        ),
        (
            "queue.max_bytes = '1GiB'",
            "`queue.max_bytes` at tidings.toml:1 is 1GiB, more than `queue.max_total_bytes`, which is 256MiB; lower the \
             one or raise the other",
        ),
        (
            "session.max_transaction_bytes = '64KiB'",
            "`stomp.max_body_bytes` by default is 1MiB, more than `session.max_transaction_bytes`, which is 64KiB; lower \
             the one or raise the other",
        ),
        (
            "broker.topic_prefixes = ['/topic/', '/queue/a/']",
            "`broker.queue_prefixes` by default holds `/queue/`, which overlaps with `/queue/a/` of \
             `broker.topic_prefixes`; let no prefix begin another",
        ),
        (
            "broker.user_prefix = '/topic/user/'",
            "`broker.user_prefix` at tidings.toml:1 holds `/topic/user/`, which overlaps with `/topic/` of \
             `broker.topic_prefixes`; let no prefix begin another",
        ),
        (
            "broker.user_prefix = '/temp-queue/'",
            "`broker.user_prefix` at tidings.toml:1 holds `/temp-queue/`, which overlaps with `/temp-queue/` of reply \
             queues; choose another",
        ),
        (
            "broker.topic_prefixes = ['/topic.']",
            "`broker.topic_prefixes` at tidings.toml:1 holds `/topic.`, which ends neither with `/` nor with \
             `broker.separator`; end it with one of them",
        ),
        (
            "queue.dead_letter = '/topic/dead'",
            "`queue.dead_letter` at tidings.toml:1 is `/topic/dead`, which is no queue; begin it with `/queue/`",
        ),
        (
            "admin.listen = '127.0.0.1:8080'",
            "`admin.listen` at tidings.toml:1 is 127.0.0.1:8080, the address of `http.listen` too; give each listener \
             its own",
        ),
    ] {
        assert_eq!(complaints(text), expected);
    }
}

#[test]
fn what_is_off_contradicts_nothing() {
    let config = load(
        "[sockjs]\nenabled = false\nmessage_cache_bytes = '1KiB'\nmax_payload_bytes = '1KiB'\nlegacy_transports = true",
    );
    assert_eq!(config.expect("accepted").warnings(), Vec::<String>::new());
}

#[test]
fn a_refused_value_is_not_compared_with_others() {
    let found = complaints(
        "stomp.max_body_bytes = '8MiB'\noutbox.max_bytes = 'much'\nwebsocket.max_message_bytes = 0\n\
         sockjs.message_cache_bytes = 0\nsockjs.max_payload_bytes = 0\n",
    );
    assert_eq!(found.lines().count(), 5, "{found}");
    assert!(
        found.ends_with("which is 4MiB; lower the one or raise the other"),
        "{found}"
    );
}

#[test]
fn free_ports_are_not_the_same_address() {
    let config = load(
        "http.listen = '127.0.0.1:0'\ntcp.listen = '127.0.0.1:0'\nadmin.listen = '127.0.0.1:0'\n",
    );
    assert!(config.is_ok());
}

#[test]
fn what_is_allowed_and_deserves_a_word_is_warned_of() {
    let config = load(
        "websocket.allowed_origins = '*'\nstomp.heart_beat_receive = 0\nwebsocket.max_frame_bytes = '64KiB'\n\
         sockjs.legacy_transports = true",
    );
    assert_eq!(config.expect("accepted").warnings().len(), 4);
    assert_eq!(Config::default().warnings(), Vec::<String>::new());
}

#[test]
fn development_mode_is_the_defaults_with_the_demo_and_tcp() {
    let mut expected = Config::default();
    expected.http.demo = true;
    expected.tcp.listen = Some(([127, 0, 0, 1], 61613).into());
    assert_eq!(
        Config::development(&Overrides::default()).expect("accepted"),
        expected
    );

    let moved = Config::development(&flags("127.0.0.1:9000")).expect("accepted");
    assert_eq!(
        (moved.http.listen.port(), moved.tcp.listen),
        (9000, expected.tcp.listen)
    );

    let free = Config::development(&flags("127.0.0.1:0")).expect("accepted");
    assert_eq!((free.http.listen.port(), free.tcp.listen), (0, None));

    let asked = Overrides {
        tcp: Some("127.0.0.1:0".to_owned()),
        ..flags("127.0.0.1:0")
    };
    assert_eq!(
        Config::development(&asked).expect("accepted").tcp.listen,
        Some(([127, 0, 0, 1], 0).into())
    );

    let off = Overrides {
        tcp: Some("off".to_owned()),
        ..Overrides::default()
    };
    assert_eq!(
        Config::development(&off).expect("accepted").tcp.listen,
        None
    );
}

#[test]
fn nobody_else_can_reach_development_mode() {
    let everywhere = Overrides {
        listen: Some("0.0.0.0:8080".to_owned()),
        tcp: Some("[::]:61613".to_owned()),
        admin: Some("192.0.2.1:9".to_owned()),
        data_dir: None,
    };
    let errors = Config::development(&everywhere)
        .expect_err("refused")
        .to_string();
    assert_eq!(errors.lines().count(), 3, "{errors}");
    assert_eq!(
        errors.lines().next(),
        Some(
            "`http.listen` given by --listen is 0.0.0.0:8080, which others can reach; development mode takes any login as that \
             user's name, so it listens on this machine only. Listen on 127.0.0.1, or write a configuration file with \
             `[security] authenticator = \"trust-login\"` and start `tidings serve --config FILE`"
        )
    );
}

#[test]
fn settings_are_what_differs_from_the_defaults() {
    let config = load("server.workers = 2\noutbox.policy = 'close'\nqueue.max_age = '2h'")
        .expect("accepted");
    let setting = |key: &str, value: &str| Setting {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    assert_eq!(
        config.settings(),
        [
            setting("server.workers", "2"),
            setting("queue.max_age", "\"2h\"")
        ]
    );
}

#[test]
fn the_api_needs_keys_that_are_never_shown_and_a_path_of_its_own() {
    let key = "s3cret-s3cret-s3cret";
    let on = format!("[api]\nenabled = true\nkeys = [\"{key}\"]\n");
    let config = load(&on).expect("it has a key");
    assert!(config.api.keys[0].is(key.as_bytes()));
    let shown = format!("{config:?}{:?}", config.settings());
    assert!(!shown.contains(key) && shown.contains("hidden"), "{shown}");

    let none = complaints("[api]\nenabled = true\n");
    assert!(
        none.contains("`api.enabled` at tidings.toml:2 is true, and there is no key"),
        "{none}"
    );
    let short = complaints("[api]\nkeys = [\"s3cret-s3cret\"]\n");
    assert!(
        short.contains("a secret has 16 to 256") && !short.contains("s3cret"),
        "{short}"
    );
    let two = |keys: &str| complaints(&format!("[api]\nenabled = true\nkeys = [{keys}]\n"));
    let twice = two(&format!("\"{key}\", \"shop read {key}\""));
    assert!(
        twice.contains("has one secret twice") && !twice.contains(key),
        "{twice}"
    );
    let broken = two(&format!("\"shop publish:/topic/a**b {key}\""));
    assert!(
        broken.contains("`shop` has a scope `publish:/topic/a**b`") && !broken.contains(key),
        "{broken}"
    );

    for path in ["/api", "/api/v1", "/api/v1/ws"] {
        let said = complaints(&format!("{on}[websocket]\npath = \"{path}\"\n"));
        assert!(said.contains("which overlaps with `/api/v1`"), "{said}");
        let apart = format!("{on}listen = \"127.0.0.1:8081\"\n[websocket]\npath = \"{path}\"\n");
        assert!(load(&apart).is_ok(), "{path}");
    }
    assert!(load(&format!("{on}[websocket]\npath = \"/api/v10\"\n")).is_ok());
    let same = complaints(&format!("{on}listen = \"127.0.0.1:8080\"\n"));
    assert!(same.contains("the address of `http.listen` too"), "{same}");
    let public = load(&format!("{on}listen = \"0.0.0.0:8081\"\n")).expect("keys guard it");
    assert!(
        public.warnings()[0].contains("unencrypted"),
        "{:?}",
        public.warnings()
    );
}
