//! How many sessions one user may have.

use tidings_core::user::WhenFull;
use tidings_testkit::{Link, TestServer, run};

const LINKS: [Link; 2] = [Link::Tcp, Link::WebSocket];

async fn server(max_per_user: usize, on_too_many: WhenFull) -> TestServer {
    TestServer::builder()
        .config(|config| {
            config.session.max_per_user = max_per_user;
            config.session.on_too_many = on_too_many;
        })
        .start()
        .await
}

#[test]
fn a_user_with_as_many_sessions_as_one_may_have_is_refused_until_one_ends() {
    run(async {
        let server = server(2, WhenFull::Refuse).await;
        for (link, close_code) in [(Link::Tcp, None), (Link::WebSocket, Some(4544))] {
            let ada = || server.dial().login("ada").over(link);
            let mut first = ada().connect().await;
            let second = ada().connect().await;
            let goodbye = ada().refused().await;
            assert_eq!(goodbye.code(), "too-many-sessions");
            assert_eq!(goodbye.close_code, close_code);
            server.connect("bob").await.disconnect().await;
            second.disconnect().await;
            let third = ada().connect().await;
            first.subscribe("/topic/a").await;
            first.disconnect().await;
            third.disconnect().await;
        }
    });
}

#[test]
fn the_oldest_session_makes_room_where_the_operator_says_so() {
    run(async {
        let server = server(2, WhenFull::CloseOldest).await;
        for (link, close_code) in [(Link::Tcp, None), (Link::WebSocket, Some(4545))] {
            let ada = || server.dial().login("ada").over(link);
            let mut first = ada().connect().await;
            let mut second = ada().connect().await;
            let third = ada().connect().await;
            let goodbye = first.error().await;
            assert_eq!(goodbye.code(), "session-replaced");
            assert_eq!(goodbye.close_code, close_code);
            second.subscribe("/topic/a").await;
            let fourth = ada().connect().await;
            assert_eq!(second.error().await.code(), "session-replaced");
            third.disconnect().await;
            fourth.disconnect().await;
        }
    });
}

#[test]
fn who_did_not_log_in_is_not_counted() {
    run(async {
        for on_too_many in [WhenFull::Refuse, WhenFull::CloseOldest] {
            let server = server(1, on_too_many).await;
            let mut all = Vec::new();
            for link in LINKS {
                for _ in 0..5 {
                    all.push(server.dial().over(link).connect().await);
                }
            }
            for peer in &mut all {
                peer.subscribe("/topic/a").await;
            }
        }
    });
}

#[test]
fn a_thousand_may_share_a_login_by_default_and_no_more() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut all = Vec::new();
        for _ in 0..1_000 {
            all.push(server.connect("shared").await);
        }
        let goodbye = server.dial().login("shared").refused().await;
        assert_eq!(goodbye.code(), "too-many-sessions");
    });
}
