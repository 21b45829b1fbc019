//! What the API does is what clients see.

use serde_json::json;

use crate::server::{Place, Running, ask};

#[test]
fn a_message_arrives_with_its_headers_and_its_body() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, _) = server.client("ada");
    client.subscribe("t", "/topic/a");
    let send = |body: &str| {
        let answer = server.ask("POST", "/api/v1/messages", Some(body));
        assert_eq!(answer, (200, json!({"status": 200})));
    };
    send(r#"{"destination":"/topic/a","body":"hello","headers":{"x-a":"1:2"}}"#);
    client.is_told(&[
        "MESSAGE\n",
        "destination:/topic/a\n",
        "x-a:1\\c2\n",
        "content-type:text/plain;charset=utf-8\n",
        "\n\nhello",
    ]);
    send(r#"{"destination":"/topic/a","json":{"b": 1.0, "a":[null]}}"#);
    client.is_told(&[
        "content-type:application/json\n",
        "\n\n{\"b\": 1.0, \"a\":[null]}",
    ]);
    send(r#"{"destination":"/topic/a","json":null}"#);
    client.is_told(&["\n\nnull"]);
    send(
        r#"{"destination":"/topic/a","body_base64":"aGk=","content_type":"text/x","ttl_ms":60000}"#,
    );
    client.is_told(&["content-type:text/x\n", "\nexpires:", "\n\nhi"]);
    send(r#"{"destination":"/topic/a"}"#);
    client.is_told(&["content-length:0\n"]);
    // A queue keeps it until somebody comes.
    send(r#"{"destination":"/queue/a","body":"kept"}"#);
    client.subscribe("q", "/queue/a");
    client.is_told(&["destination:/queue/a\n", "\n\nkept"]);
}

#[test]
fn users_and_sessions_are_reached_and_counted() {
    let server = Running::start(Place::OwnListener);
    let (mut first, id) = server.client("ada");
    let (mut second, _) = server.client("ada");
    let (_silent, _) = server.client("ada");
    for client in [&mut first, &mut second] {
        client.subscribe("n", "/user/queue/news");
    }
    let reached = |path: &str, body: &str, count: usize| {
        let answer = server.ask("POST", path, Some(body));
        assert_eq!(
            answer,
            (200, json!({"status": 200, "sessions_reached": count}))
        );
    };
    let news = r#"{"path":"queue/news","body":"news"}"#;
    reached("/api/v1/users/ada/messages", news, 2);
    reached(
        "/api/v1/messages",
        r#"{"destination":"/user/ada/queue/news","body":"news"}"#,
        2,
    );
    reached("/api/v1/users/eve/messages", news, 0);
    reached(&format!("/api/v1/sessions/{id}/messages"), news, 1);
    let to_session = format!(r#"{{"destination":"/user/{id}/queue/news","body":"news"}}"#);
    reached("/api/v1/messages", &to_session, 1);
    for (client, count) in [(&mut first, 4), (&mut second, 2)] {
        for _ in 0..count {
            client.is_told(&["destination:/user/queue/news\n", "\n\nnews"]);
        }
    }
    let (status, page) = ask(server.http, "GET", "/api/v1/users", None);
    assert_eq!((status, page), (200, json!("a page")), "it is elsewhere");
}

#[test]
fn who_is_disconnected_is_told_so_and_is_gone() {
    let server = Running::start(Place::BeneathHttp);
    let (mut first, id) = server.client("ada");
    let (mut second, _) = server.client("ada");
    let (mut other, _) = server.client("bob");
    let ended = |path: &str, count: usize| {
        let answer = server.ask("DELETE", path, None);
        assert_eq!(answer, (200, json!({"disconnected": count})));
    };
    let path = format!("/api/v1/sessions/{id}");
    ended(&path, 1);
    first.is_told(&["ERROR\n", "code:disconnected-by-application\n"]);
    first.has_ended();
    assert_eq!(server.ask("DELETE", &path, None).0, 404, "it is gone");

    ended("/api/v1/users/ada/sessions", 1);
    second.is_told(&["ERROR\n", "code:disconnected-by-application\n"]);
    second.has_ended();
    ended("/api/v1/users/ada/sessions", 0);

    other.subscribe("t", "/topic/a");
    let (mut leaving, id) = server.client("cy");
    leaving.disconnect();
    leaving.has_ended();
    let path = format!("/api/v1/sessions/{id}");
    assert_eq!(server.ask("DELETE", &path, None).0, 404, "it has left");

    let users = server.ask("GET", "/api/v1/users", None);
    assert_eq!(
        users,
        (200, json!({"users": [{"name": "bob", "sessions": 1}]}))
    );
}
