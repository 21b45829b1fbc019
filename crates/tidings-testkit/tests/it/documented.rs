//! What `docs/testing.md` shows.

use std::time::Duration;

use tidings::prelude::*;
use tidings_testkit::{TestRouter, TestServer};

#[rustfmt::skip]
async fn trade(User(user): User, Path(symbol): Path<String>, Json(shares): Json<u32>) -> SendTo<String> {
    SendTo("/topic/trades", format!("{user} buys {shares} of {symbol}"))
}

#[test]
#[rustfmt::skip]
fn a_trade_is_told_to_all() {
    let router = TestRouter::new(Router::new().message("trade/{symbol}", trade));

    let outcome = router.message("/app/trade/acme").user("ann").json(&3).call_now();
    assert_eq!(outcome.sent_to("/topic/trades").text(), "ann buys 3 of acme");

    let outcome = router.message("/app/trade/acme").json(&3).call_now();
    assert_eq!(outcome.failure().reason, Reason::Unauthenticated);
}

#[test]
fn bob_hears_what_ann_trades() {
    tidings_testkit::run(async {
        let router: Router = Router::new().message("trade/{symbol}", trade);
        let server = TestServer::start(router).await;
        let mut ann = server.connect("ann").await;
        let mut bob = server.connect("bob").await;
        bob.subscribe("/topic/trades").await;

        ann.send_json("/app/trade/acme", &3).await;

        assert_eq!(bob.message().await.text(), "ann buys 3 of acme");
        bob.silence(Duration::from_secs(3600)).await;
        server.shutdown().await;
    });
}

#[test]
#[rustfmt::skip]
fn ann_breaks_her_promise() {
tidings_testkit::run(async {
    let server = TestServer::builder().start().await;
    let ten = Duration::from_secs(10);
    let mut ann = server.dial().login("ann").heart_beat(ten, Duration::ZERO).connect().await;
    let began = tidings_testkit::now();
    // She promised a heart-beat each 10 s, and says nothing.
    assert_eq!(ann.error().await.code(), "heart-beat-missed");
    assert!(tidings_testkit::now() - began >= 2 * ten);
});
}

/// Each block of Rust on the page stands in this file, line by line, but for its imports.
#[test]
fn the_page_shows_what_is_tested_here() {
    let page = include_str!("../../../../docs/testing.md");
    let here: Vec<_> = include_str!("documented.rs").lines().collect();
    let mut blocks = 0;
    for block in page.split("```rust\n").skip(1) {
        let code = block.split("```").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.starts_with("use ")) {
            assert!(here.contains(&line), "{line}");
        }
        blocks += 1;
    }
    assert_eq!(blocks, 3);
}
