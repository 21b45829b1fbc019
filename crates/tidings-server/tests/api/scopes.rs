//! What may be done with a key.

use serde_json::{Value, json};
use tidings_server::config::{ApiKey, Config};

use crate::server::{KEY, Place, Running, config};

const READER: &str = "reader-reader-reader";
const ADMIN: &str = "admin-admin-admin-admin";
const SENDER: &str = "sender-sender-sender";
const SHOP: &str = "shop-shop-shop-shop";
const ALL: [&str; 5] = [KEY, READER, ADMIN, SENDER, SHOP];

fn with_keys(keys: &[&str]) -> Config {
    let mut config = config(Place::BeneathHttp);
    let keys = keys.iter().map(|key| ApiKey::new(key).expect(key));
    config.api.keys = keys.collect();
    config
}

fn server() -> Running {
    let keys = [
        KEY.to_owned(),
        format!("reader read {READER}"),
        format!("admin administer {ADMIN}"),
        format!("sender publish {SENDER}"),
        format!(
            "shop publish:/topic/shop/**,read,publish:/user/bob/queue/*,publish:/queue/a?c {SHOP}"
        ),
    ];
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    Running::start_with(with_keys(&keys), |server| server)
}

/// The statuses of all keys, in their order.
fn statuses(server: &Running, method: &str, path: &str, body: Option<&Value>) -> [u16; 5] {
    let body = body.map(Value::to_string);
    ALL.map(|key| {
        let (status, answer) = server.ask_with(key, method, path, body.as_deref());
        if status == 403 {
            assert_eq!(answer["code"], "missing-scope");
            let detail = answer["detail"].as_str().expect("a sentence");
            assert!(
                detail.contains("scope") && !detail.contains(key),
                "{detail}"
            );
        }
        status
    })
}

#[test]
fn a_key_does_what_its_scopes_say() {
    let server = server();
    let is = |method: &str, path: &str, body: Option<Value>, expected: [u16; 5]| {
        let path = format!("/api/v1{path}");
        let found = statuses(&server, method, &path, body.as_ref());
        assert_eq!(found, expected, "{method} {path} {body:?}");
    };
    for path in [
        "/users",
        "/users/ada",
        "/sessions",
        "/subscriptions",
        "/revocations",
    ] {
        is("GET", path, None, [200, 200, 403, 403, 200]);
    }
    for path in [
        "/users/ada/sessions",
        "/subscriptions?destination=/topic/a",
        "/revocations/users/ada",
        "/revocations/tokens/x",
    ] {
        is("DELETE", path, None, [200, 403, 200, 403, 403]);
    }
    is("DELETE", "/sessions/none", None, [404, 403, 404, 403, 403]);
    is(
        "POST",
        "/revocations",
        Some(json!({"user": "x"})),
        [200, 403, 200, 403, 403],
    );
    for (destination, shop) in [
        ("/topic/shop/a", 200),
        ("/topic/shop/a/b", 200),
        ("/topic/shopping", 403),
        ("/topic/a", 403),
        ("/queue/abc", 200),
        ("/queue/abbc", 403),
        ("/user/bob/queue/x", 200),
        ("/user/b%6Fb/queue/x", 200),
        ("/user/bob/queue/x/y", 403),
        ("/user/ada/queue/x", 403),
        ("/user/bob%2Fqueue/x", 403),
    ] {
        let body = json!({"destination": destination, "body": "x"});
        is("POST", "/messages", Some(body), [200, 403, 403, 200, shop]);
    }
    for (path, body, shop) in [
        ("/users/bob/messages", "queue/x", 200),
        ("/users/bob/messages", "topic/x", 403),
        ("/users/ada/messages", "queue/x", 403),
        ("/users/bob%2Fqueue/messages", "x", 403),
        ("/users/..%2Fbob/messages", "queue/x", 403),
    ] {
        let body = json!({"path": body, "body": "x"});
        is("POST", path, Some(body), [200, 403, 403, 200, shop]);
    }
    let (_client, session) = server.client("bob");
    let body = json!({"path": "queue/x", "body": "x"});
    let path = format!("/sessions/{session}/messages");
    is("POST", &path, Some(body), [200, 403, 403, 200, 403]);
}

#[test]
fn a_batch_has_the_refusal_of_each_message() {
    let server = server();
    let messages = json!({"messages": [
        {"destination": "/topic/shop/a", "body": "x"},
        {"destination": "/topic/a", "body": "x"},
    ]});
    let body = messages.to_string();
    let (status, answer) = server.ask_with(SHOP, "POST", "/api/v1/messages", Some(&body));
    assert_eq!(status, 200);
    let results = &answer["results"];
    assert_eq!(
        [
            &results[0]["status"],
            &results[1]["status"],
            &results[1]["code"]
        ],
        [&json!(200), &json!(403), &json!("missing-scope")]
    );
    let detail = "the key `shop` has no scope `publish` for /topic/a; show one that has, or add it to the key in api.keys";
    assert_eq!(results[1]["detail"], detail);
}

#[test]
fn keys_and_their_scopes_change_while_the_server_runs() {
    let server = Running::start_with(with_keys(&[KEY]), |server| server);
    let status = |key: &str, method: &str| server.ask_with(key, method, "/api/v1/users", None).0;
    assert_eq!((status(KEY, "GET"), status(READER, "GET")), (200, 401));
    let entry = format!("reader read {READER}");
    let reload = |keys: &[&str]| {
        let _runtime = server.handle.enter();
        server.reloader.reload(&with_keys(keys))
    };
    let reloaded = reload(&[&entry]).expect("it is good");
    assert_eq!(reloaded.left, Vec::<String>::new());
    assert_eq!((status(KEY, "GET"), status(READER, "GET")), (401, 200));
    let entry = format!("reader administer {READER}");
    let reloaded = reload(&[&entry, KEY]).expect("it is good");
    assert_eq!(reloaded.left, Vec::<String>::new());
    assert_eq!((status(KEY, "GET"), status(READER, "GET")), (200, 403));
    let entry = format!("reader publish:/topic/a**b {READER}");
    let error = reload(&[&entry])
        .expect_err("the pattern is none")
        .to_string();
    assert!(
        error.contains("publish:/topic/a**b") && !error.contains(READER),
        "{error}"
    );
    assert_eq!((status(KEY, "GET"), status(READER, "GET")), (200, 403));
}
