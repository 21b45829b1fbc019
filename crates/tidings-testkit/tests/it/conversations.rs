//! Clients, handlers and templates, end to end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tidings::prelude::*;
use tidings_testkit::{Command, Frame, Link, TestServer, run};

const LINKS: [Link; 2] = [Link::Tcp, Link::WebSocket];

async fn trade(
    User(user): User,
    Path(symbol): Path<String>,
    Json(shares): Json<u32>,
) -> SendTo<Json<(String, u32, String)>> {
    SendTo("/topic/trades", Json((user.to_string(), shares, symbol)))
}

#[test]
fn a_trade_is_told_to_all() {
    run(async {
        let router: Router = Router::new().message("trade/{symbol}", trade);
        let server = TestServer::start(router).await;
        for link in LINKS {
            let mut ann = server.dial().login("ann").over(link).connect().await;
            let mut bob = server.dial().login("bob").over(link).connect().await;
            let id = bob.subscribe("/topic/trades").await;

            ann.send_json("/app/trade/acme", &3).await;

            let message = bob.message().await;
            let (user, shares, symbol): (String, u32, String) = message.json();
            assert_eq!((&*user, shares, &*symbol), ("ann", 3, "acme"));
            assert_eq!(message.destination(), "/topic/trades");
            assert_eq!(message.subscription(), id);
            assert_eq!(message.header("content-type"), Some("application/json"));
            bob.unsubscribe(&id).await;
            ann.send_json("/app/trade/acme", &4).await;
            bob.silence(Duration::from_secs(3600)).await;
            ann.disconnect().await;
        }
        server.shutdown().await;
    });
}

#[test]
fn the_same_holds_with_clients_on_different_workers() {
    run(async {
        let server = TestServer::builder()
            .application(Router::new().message("trade/{symbol}", trade))
            .config(|config| config.server.workers = 3)
            .start()
            .await;
        let mut listeners = Vec::new();
        for name in ["bob", "cleo", "dan"] {
            let mut listener = server.connect(name).await;
            listener.subscribe("/topic/trades").await;
            listeners.push(listener);
        }
        let mut ann = server.connect("ann").await;
        for shares in 0..100 {
            ann.send_json("/app/trade/acme", &shares).await;
        }
        for listener in &mut listeners {
            for awaited in 0..100 {
                let (_, shares, _): (String, u32, String) = listener.message().await.json();
                assert_eq!(shares, awaited);
            }
        }
        server.shutdown().await;
    });
}

#[test]
fn a_template_reaches_topics_users_and_sessions() {
    run(async {
        let server = TestServer::builder().start().await;
        let template = server.template();
        let mut first = server.connect("ann").await;
        let mut second = server.connect("ann").await;
        for ann in [&mut first, &mut second] {
            ann.subscribe("/user/queue/news").await;
        }
        let to_user = template.send_to_user("ann", "/queue/news", "both");
        assert_eq!(to_user.expect("a destination"), 2);
        let to_session = template.send_to_session(first.session(), "/queue/news", "one");
        assert_eq!(to_session.expect("a destination"), 1);
        assert_eq!(first.message().await.text(), "both");
        assert_eq!(first.message().await.text(), "one");
        assert_eq!(second.message().await.text(), "both");
        second.silence(Duration::from_secs(60)).await;

        let sessions = |user| BTreeSet::from_iter(template.sessions_of(user));
        let both = [first.session(), second.session()].map(Arc::from);
        assert_eq!(sessions("ann"), BTreeSet::from(both));
        let left: Arc<str> = second.session().into();
        first.disconnect().await;
        assert_eq!(sessions("ann"), BTreeSet::from([left]));
        assert_eq!(sessions("bob"), BTreeSet::new());
        server.shutdown().await;
    });
}

#[test]
fn the_template_lists_users_and_ends_sessions() {
    run(async {
        let server = TestServer::start(Router::new()).await;
        let template = server.template();
        let mut ann = server.connect("ann").await;
        let _bob = server.connect("bob").await;
        let _cleo = server.connect("cleo").await;
        let _nobody = server.connect("").await;
        assert_eq!(template.users("", 2), ["ann".into(), "bob".into()]);
        assert_eq!(template.users("bob", 2), ["cleo".into()]);
        let session = ann.session().to_owned();
        assert!(template.disconnect(&session, Reason::DisconnectedByApplication));
        let goodbye = ann.error().await;
        assert_eq!(goodbye.code(), "disconnected-by-application");
        assert!(
            !template.disconnect(&session, Reason::Refused),
            "it has gone"
        );
        assert!(!template.disconnect("nobody's", Reason::Refused));
        server.shutdown().await;
    });
}

#[test]
fn what_comes_before_a_receipt_is_not_lost() {
    run(async {
        let router: Router = Router::new().subscribe("greeting", async || "hello");
        let server = TestServer::start(router).await;
        let mut ann = server.connect("ann").await;
        let id = ann.subscribe("/app/greeting").await;
        let greeting = ann.message().await;
        assert_eq!((greeting.text(), greeting.subscription()), ("hello", &*id));
        ann.silence(Duration::from_secs(1)).await;
        server.shutdown().await;
    });
}

#[test]
fn messages_of_a_queue_are_settled_by_hand() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut ann = server.connect("ann").await;
        let subscribe = Frame::new(Command::Subscribe)
            .with_header("id", "work")
            .with_header("destination", "/queue/work")
            .with_header("ack", "client-individual");
        ann.confirm(subscribe).await;
        for body in ["one", "two"] {
            ann.send("/queue/work", body).await;
        }
        let (one, two) = (ann.message().await, ann.message().await);
        ann.ack(&one).await;
        ann.nack(&two).await;
        let again = ann.message().await;
        assert_eq!(
            (again.text(), again.header("redelivered")),
            ("two", Some("true"))
        );
        ann.ack(&again).await;
        ann.silence(Duration::from_secs(1)).await;
        server.shutdown().await;
    });
}

#[test]
fn who_leaves_without_a_word_is_noticed() {
    run(async {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let router: Router = Router::new().on_event(move |event| {
            if let Event::Disconnected { reason, .. } = event {
                // The test may have ended.
                let _ = tell.send(*reason);
            }
        });
        let server = TestServer::start(router).await;
        for link in LINKS {
            drop(server.dial().over(link).connect().await);
            assert_eq!(told.recv().await, Some(Reason::ConnectionReset));
            server.dial().over(link).connect().await.disconnect().await;
            assert_eq!(told.recv().await, Some(Reason::Normal));
        }
        server.shutdown().await;
    });
}
