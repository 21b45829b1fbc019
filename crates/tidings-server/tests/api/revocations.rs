//! Who is revoked goes, and does not come back.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_stomp::{Command, Frame};
use tidings_testkit::{Link, Peer, TestServer, run};

use crate::local::{Http, ask, bearer, now_ms, revoke, sockjs, start};

async fn client(server: &TestServer, link: Link, user: &str, token: &str) -> Peer {
    let dial = server.dial().over(link);
    dial.header("Authorization", &bearer(user, token))
        .connect()
        .await
}

/// The code by which nobody comes in with this token.
async fn refused(server: &TestServer, user: &str, token: &str) -> String {
    let dial = server.dial().header("Authorization", &bearer(user, token));
    dial.refused().await.code().to_owned()
}

fn disconnected(count: usize, until: &Value) -> (u16, Value) {
    (200, json!({"disconnected": count, "until": until}))
}

#[test]
fn a_user_a_session_and_a_token_are_revoked_on_every_link() {
    run(async {
        let server = start(|_| {}).await;
        for link in [Link::Tcp, Link::WebSocket] {
            for by in ["user", "session", "token_id"] {
                let mut other = client(&server, link, "bob", "other").await;
                let token = format!("{link:?}-{by}");
                let mut peer = client(&server, link, "ada", &token).await;
                let target = match by {
                    "user" => "ada",
                    "session" => peer.session(),
                    _ => &token,
                };
                let (status, answer) = revoke(&server, json!({by: target})).await;
                assert_eq!(
                    (status, &answer["disconnected"]),
                    (200, &json!(1)),
                    "{token}"
                );
                let goodbye = peer.error().await;
                let close_code = (link == Link::WebSocket).then_some(4543);
                assert_eq!(
                    (goodbye.code(), goodbye.close_code),
                    ("revoked", close_code)
                );
                other.subscribe("/topic/others/go/on").await;
            }
        }
    });
}

#[test]
fn a_user_a_session_and_a_token_are_revoked_over_sockjs() {
    run(async {
        let server = start(|_| {}).await;
        for by in ["user", "session", "token_id"] {
            let (mut listener, connected) = sockjs(&server, by, &bearer("ada", by)).await;
            let session = connected.split("session:").nth(1).expect("it has a name");
            let target = match by {
                "user" => "ada",
                "session" => &session[..32],
                token => token,
            };
            let (status, answer) = revoke(&server, json!({by: target})).await;
            assert_eq!((status, &answer["disconnected"]), (200, &json!(1)), "{by}");
            let end = listener.until("c[4543,\"revoked").await;
            assert!(end.contains("code:revoked"), "{end}");
        }
    });
}

#[test]
fn a_revoked_token_is_refused_at_connect_at_handshakes_and_at_renewal() {
    run(async {
        let server = start(|_| {}).await;
        let answer = revoke(&server, json!({"token_id": "lost"})).await;
        assert_eq!((answer.0, &answer.1["disconnected"]), (200, &json!(0)));
        assert_eq!(refused(&server, "ada", "lost").await, "revoked");

        let headers = format!("authorization: {}\r\n", bearer("ada", "lost"));
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        for (method, path, headers) in [
            ("GET", "/ws", format!("{headers}{upgrade}")),
            ("POST", "/ws/000/a/xhr_streaming", headers.clone()),
            ("POST", "/ws/000/b/xhr", headers),
        ] {
            let mut http = Http::open(&server).await;
            http.request(method, path, &headers, "").await;
            let head = http.until("\r\n\r\n").await;
            assert!(head.starts_with("HTTP/1.1 401"), "{path}: {head}");
        }

        let mut peer = client(&server, Link::Tcp, "ada", "good").await;
        peer.send_frame(renewal("lost")).await;
        assert_eq!(peer.error().await.code(), "revoked");
        client(&server, Link::Tcp, "ada", "good").await;
    });
}

fn renewal(token: &str) -> Frame {
    Frame::new(Command::Send)
        .with_header("destination", "/session/token")
        .with_header("Authorization", &bearer("ada", token))
}

#[test]
fn a_renewed_session_counts_by_its_newest_token_alone() {
    run(async {
        let server = start(|_| {}).await;
        let mut peer = client(&server, Link::Tcp, "ada", "first").await;
        peer.confirm(renewal("second")).await;
        let count = |answer: (u16, Value)| answer.1["disconnected"].clone();
        assert_eq!(
            count(revoke(&server, json!({"token_id": "first"})).await),
            0
        );
        peer.subscribe("/topic/a").await;
        assert_eq!(
            count(revoke(&server, json!({"token_id": "second"})).await),
            1
        );
        assert_eq!(peer.error().await.code(), "revoked");
    });
}

#[test]
fn a_user_is_refused_until_then_and_comes_back() {
    run(async {
        let server = start(|_| {}).await;
        let until = now_ms() / 1_000 + 3_600;
        let answer = revoke(&server, json!({"user": "ada", "until": until})).await;
        assert_eq!(answer, disconnected(0, &json!(until)));
        assert_eq!(refused(&server, "ada", "any").await, "revoked");
        client(&server, Link::Tcp, "bob", "any").await;
        tokio::time::advance(Duration::from_secs(3_601)).await;
        client(&server, Link::Tcp, "ada", "any").await;
    });
}

#[test]
fn revocations_are_listed_page_by_page_and_lifted() {
    run(async {
        let server = start(|_| {}).await;
        let until = now_ms() / 1_000 + 60;
        for whom in [
            json!({"token_id": "b/c", "expires_at": until, "reason": "lost"}),
            json!({"user": "ada", "until": until}),
        ] {
            assert_eq!(revoke(&server, whom).await.0, 200);
        }
        let nothing = Value::Null;
        let (_, page) = ask(&server, "GET", "/revocations?limit=1", &nothing).await;
        let first = &page["revocations"][0];
        assert_eq!(
            (&page["total"], &page["next"]),
            (&json!(2), &json!("token:b/c"))
        );
        assert_eq!(
            [
                &first["token_id"],
                &first["user"],
                &first["reason"],
                &first["by"]
            ],
            [&json!("b/c"), &nothing, &json!("lost"), &json!("key-1")]
        );
        let (_, page) = ask(&server, "GET", "/revocations?after=token:b/c", &nothing).await;
        assert_eq!(page["revocations"][0]["user"], "ada");
        assert_eq!(page.get("next"), None);
        for (path, lifted) in [("tokens/b%2Fc", 1), ("tokens/b%2Fc", 0), ("users/ada", 1)] {
            let path = format!("/revocations/{path}");
            let answer = ask(&server, "DELETE", &path, &nothing).await;
            assert_eq!(answer, (200, json!({"lifted": lifted})), "{path}");
        }
        client(&server, Link::Tcp, "ada", "b/c").await;
    });
}

#[test]
fn a_full_store_refuses_new_ones_and_forgets_none_before_its_time() {
    run(async {
        let server = start(|config| config.security.max_revocations = 2).await;
        let soon = now_ms() / 1_000 + 60;
        assert_eq!(revoke(&server, json!({"token_id": "long"})).await.0, 200);
        assert_eq!(
            revoke(&server, json!({"user": "eve", "until": soon}))
                .await
                .0,
            200
        );
        let mut peer = client(&server, Link::Tcp, "ada", "late").await;
        let (status, answer) = revoke(&server, json!({"token_id": "late"})).await;
        assert_eq!(
            (status, &answer["code"]),
            (503, &json!("too-many-revocations"))
        );
        peer.subscribe("/topic/nothing/was/done").await;
        let again = revoke(&server, json!({"token_id": "long"})).await;
        assert_eq!(again.0, 200, "it is there already");
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(revoke(&server, json!({"token_id": "late"})).await.0, 200);
        for token in ["long", "late"] {
            assert_eq!(refused(&server, "ada", token).await, "revoked");
        }
    });
}

#[test]
fn what_is_no_revocation_is_refused() {
    run(async {
        let server = start(|_| {}).await;
        let late = now_ms() / 1_000 + 25 * 3_600;
        for wrong in [
            json!({}),
            json!({"user": "ada", "session": "x"}),
            json!({"user": ""}),
            json!({"user": "ada", "expires_at": 1}),
            json!({"session": "x", "until": 1}),
            json!({"token_id": "x", "until": 1}),
            json!({"user": "ada", "until": late}),
            json!({"token_id": "x", "expires_at": late}),
            json!({"user": "ada", "reason": "a\nb"}),
            json!({"token_id": "x".repeat(1_025)}),
        ] {
            let (status, answer) = revoke(&server, wrong.clone()).await;
            assert_eq!(
                (status, &answer["code"]),
                (422, &json!("invalid-request")),
                "{wrong}"
            );
        }
        let past = json!({"user": "ada", "until": 1});
        assert_eq!(revoke(&server, past).await, disconnected(0, &Value::Null));
    });
}
