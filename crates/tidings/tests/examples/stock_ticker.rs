//! `examples/stock_ticker`.

#[expect(dead_code, reason = "its main function is for cargo to run")]
#[path = "../../examples/stock_ticker/main.rs"]
mod program;

use serde_json::{Value, json};
use tidings_client::Client;

use crate::running::{Running, config, hears_no_more, next, next_json, send, subscribe};

async fn start() -> Running {
    Running::start(program::bind(config()).await.expect("a free port"))
}

/// What the user has, by the answer to a subscription.
async fn positions(client: &Client) -> Value {
    let mut answer = subscribe(client, "/app/positions").await;
    let account = next_json(&mut answer).await;
    hears_no_more(client, &mut answer).await;
    account
}

#[tokio::test]
async fn prices_come_by_themselves_and_continue_those_of_the_list() {
    let server = start().await;
    let ada = server.client("ada").await;
    let mut ticker = subscribe(&ada, "/topic/price/*").await;
    let mut list = subscribe(&ada, "/app/stocks").await;
    let stocks = next_json(&mut list).await;
    let stocks = stocks.as_array().expect("a list");
    assert_eq!(stocks.len(), 8);
    for stock in stocks {
        assert_eq!(stock["prices"].as_array().map(Vec::len), Some(40));
        assert!(stock["name"].is_string());
    }
    for _ in 0..2 {
        let message = next(&mut ticker).await;
        let price: Value = serde_json::from_slice(message.body()).expect("JSON");
        let symbol = price["symbol"].as_str().expect("a symbol");
        assert_eq!(message.destination(), format!("/topic/price/{symbol}"));
        assert!(stocks.iter().any(|stock| stock["symbol"] == symbol));
        assert!(price["price"].as_u64().is_some_and(|cents| cents >= 100));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_trade_is_told_to_all_sessions_of_its_user_and_to_nobody_else() {
    let server = start().await;
    let ada = server.client("ada").await;
    let elsewhere = server.client("ada").await;
    let bob = server.client("bob").await;
    let before = json!({"trades": 0, "cash": 1_000_000, "positions": {}});
    assert_eq!(positions(&ada).await, before);
    let mut updates = subscribe(&ada, "/user/queue/position-updates").await;
    let mut there = subscribe(&elsewhere, "/user/queue/position-updates").await;
    let mut bobs = subscribe(&bob, "/user/queue/position-updates").await;

    send(&ada, "/app/trade/TIDE", r#"{"side":"buy","shares":5}"#).await;
    let bought = next_json(&mut updates).await;
    let position = &bought["positions"]["TIDE"];
    let paid = position["paid"].as_u64().expect("a price");
    assert_eq!(position["shares"], 5);
    assert!(paid > 0 && bought["cash"] == 1_000_000 - paid);
    assert_eq!(next_json(&mut there).await, bought);
    assert_eq!(positions(&elsewhere).await, bought);

    send(&ada, "/app/trade/TIDE", r#"{"side":"sell","shares":5}"#).await;
    let sold = next_json(&mut updates).await;
    assert_eq!(
        (&sold["trades"], &sold["positions"]),
        (&json!(2), &json!({}))
    );
    assert!(sold["cash"].as_u64() > bought["cash"].as_u64());

    hears_no_more(&bob, &mut bobs).await;
    assert_eq!(positions(&bob).await, before);
    server.stop().await;
}

/// An order, and how the error reads that it causes.
const REFUSED: [(&str, &str, &str, &str); 6] = [
    (
        "KITE",
        r#"{"side":"buy","shares":9999}"#,
        "no-funds",
        "and you have 10000.00",
    ),
    (
        "NONE",
        r#"{"side":"buy","shares":1}"#,
        "unknown-symbol",
        "nothing of that name",
    ),
    (
        "TIDE",
        r#"{"side":"sell","shares":1}"#,
        "too-few-shares",
        "you hold none",
    ),
    (
        "TIDE",
        r#"{"side":"buy","shares":0}"#,
        "invalid-payload",
        "shares is 0",
    ),
    (
        "TIDE",
        r#"{"side":"hold","shares":1}"#,
        "invalid-payload",
        "side",
    ),
    ("TIDE", "two, please", "invalid-payload", "does not fit"),
];

#[tokio::test]
async fn what_is_wrong_with_an_order_only_its_sender_hears() {
    let server = start().await;
    let ada = server.client("ada").await;
    let elsewhere = server.client("ada").await;
    let mut errors = subscribe(&ada, "/user/queue/errors").await;
    let mut others = subscribe(&elsewhere, "/user/queue/errors").await;
    for (symbol, order, code, words) in REFUSED {
        let destination = format!("/app/trade/{symbol}");
        let sent = ada.send(&destination, order).await;
        sent.expect("it is connected");
        let error = next(&mut errors).await;
        assert_eq!(error.header("code"), Some(code), "{order}");
        let text = error.text().expect("text");
        assert!(text.contains(words), "{text:?}");
    }
    hears_no_more(&elsewhere, &mut others).await;
    assert_eq!(positions(&ada).await["trades"], 0);
    server.stop().await;
}

#[tokio::test]
async fn nobody_in_particular_cannot_trade() {
    let server = start().await;
    let nobody = server.client("").await;
    let mut errors = subscribe(&nobody, "/user/queue/errors").await;
    let order = r#"{"side":"buy","shares":1}"#;
    let sent = nobody.send("/app/trade/TIDE", order).await;
    sent.expect("it is connected");
    let error = next(&mut errors).await;
    assert_eq!(error.header("code"), Some("unauthenticated"));
    server.stop().await;
}
