//! What the API does is what clients see.

use serde_json::json;

use crate::server::{KEY, Place, Running, WebSocketClient, ask};

#[test]
fn a_message_arrives_with_its_headers_and_its_body() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, _) = server.client("ada");
    client.subscribe("t", "/topic/a");
    let send = |body: &str| {
        let answer = server.ask("POST", "/api/v1/messages", Some(body));
        assert_eq!(
            answer,
            (200, json!({"status": 200, "sessions_reached": null}))
        );
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
fn who_asks_for_it_learns_how_many_sessions_a_topic_has() {
    let server = Running::start(Place::BeneathHttp);
    let mut clients: Vec<_> = (0..5).map(|_| server.client("ada").0).collect();
    for client in &mut clients {
        client.subscribe("t", "/topic/all");
    }
    for client in &mut clients[..2] {
        client.subscribe("s", "/topic/*");
    }
    let answer = server.ask(
        "POST",
        "/api/v1/messages",
        Some(r#"{"destination":"/topic/all","body":"hello","count":true}"#),
    );
    assert_eq!(answer, (200, json!({"status": 200, "sessions_reached": 5})));
    clients[4].is_told(&["subscription:t\n", "\n\nhello"]);
    let (status, answer) = server.ask(
        "POST",
        "/api/v1/messages",
        Some(
            r#"{"messages":[{"destination":"/topic/other","count":true},{"destination":"/topic/all"},
                {"destination":"/queue/a","count":true},{"destination":"/nowhere","count":true},
                {"destination":"/topic/none/such","count":true}]}"#,
        ),
    );
    assert_eq!(status, 200);
    let reached = |place: usize| &answer["results"][place]["sessions_reached"];
    assert_eq!([reached(0), reached(4)], [&json!(2), &json!(0)]);
    assert_eq!([reached(1), reached(2)], [&json!(null); 2]);
    assert_eq!(answer["results"][3]["status"], 422);
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
    let (status, page) = ask(server.http, KEY, "GET", "/api/v1/users", None);
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
        (
            200,
            json!({"users": [{"name": "bob", "sessions": 1}], "total": 1})
        )
    );
}

#[test]
fn sessions_come_in_pages_those_of_nobody_too() {
    let server = Running::start(Place::BeneathHttp);
    let (_first, ada) = server.client("ada");
    let (_second, also_ada) = server.client("ada");
    let (_third, nobody) = server.nobody();
    let _fourth = WebSocketClient::connect(&server, "bob");
    let (status, all) = server.ask("GET", "/api/v1/sessions", None);
    assert_eq!((status, &all["total"]), (200, &json!(4)));
    let sessions = all["sessions"].as_array().expect("a list");
    let named = |id: &str| {
        let mut named = sessions.iter().filter(|one| one["id"] == *id);
        named.next().expect("it is listed")
    };
    let told = named(&nobody);
    assert_eq!(
        (&told["user"], &told["link"]),
        (&json!(null), &json!("tcp"))
    );
    let peer = told["peer"].as_str().expect("a text");
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    assert!(told["connected_at_ms"].as_u64() > Some(1_700_000_000_000));
    assert_eq!(named(&ada)["user"], "ada");
    let of_bob = sessions.iter().find(|one| one["user"] == "bob");
    assert_eq!(of_bob.expect("it is listed")["link"], "websocket");

    let walk = |query: &str| {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/sessions?limit=1{query}&after={after}");
            let (_, page) = server.ask("GET", &path, None);
            let ids = page["sessions"].as_array().into_iter().flatten();
            found.extend(ids.map(|one| one["id"].as_str().expect("an id").to_owned()));
            match page["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => return (found, page["total"].clone()),
            }
        }
    };
    let ids = |all: &mut dyn Iterator<Item = &serde_json::Value>| {
        let mut ids: Vec<_> = all
            .map(|one| one["id"].as_str().expect("an id").to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(walk(""), (ids(&mut sessions.iter()), json!(4)));
    let mut of_ada = vec![ada.clone(), also_ada];
    of_ada.sort();
    assert_eq!(walk("&user=ada"), (of_ada, json!(2)));
    assert_eq!(walk("&user=eve"), (vec![], json!(0)));

    let (mut client, id) = server.client("cy");
    client.subscribe("a", "/topic/a");
    let (status, shown) = server.ask("GET", &format!("/api/v1/sessions/{id}"), None);
    assert_eq!((status, &shown["subscriptions"]), (200, &json!(1)));
    assert_eq!((&shown["id"], &shown["user"]), (&json!(id), &json!("cy")));
}
