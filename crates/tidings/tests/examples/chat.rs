//! `examples/chat.rs`.

#[expect(dead_code, reason = "its main function is for cargo to run")]
#[path = "../../examples/chat.rs"]
mod program;

use serde_json::json;

use crate::running::{Running, config, hears_no_more, next, next_json, send, subscribe};

#[tokio::test]
async fn a_room_hears_what_is_said_and_who_comes_later_gets_it() {
    let server = Running::start(program::bind(config()).await.expect("a free port"));
    let ada = server.client("ada").await;
    let bob = server.client("bob").await;
    let mut heard = subscribe(&bob, "/topic/rooms/tea").await;
    send(&ada, "/app/rooms/tea", r#"{"text":"hello"}"#).await;
    let line = json!({"from": "ada", "text": "hello"});
    assert_eq!(next_json(&mut heard).await, line);
    let mut said = subscribe(&bob, "/app/rooms/tea").await;
    assert_eq!(next_json(&mut said).await, json!([line]));
    let mut count = subscribe(&bob, "/topic/said").await;
    assert_eq!(next_json(&mut count).await, json!(1));
    server.stop().await;
}

#[tokio::test]
async fn only_the_sender_hears_what_was_wrong() {
    let server = Running::start(program::bind(config()).await.expect("a free port"));
    let ada = server.client("ada").await;
    let elsewhere = server.client("ada").await;
    let mut errors = subscribe(&ada, "/user/queue/errors").await;
    let mut others = subscribe(&elsewhere, "/user/queue/errors").await;
    send(&ada, "/app/rooms/tea", r#"{"text":" "}"#).await;
    let error = next(&mut errors).await;
    assert_eq!(error.text(), Ok("you said nothing: send a text"));
    hears_no_more(&elsewhere, &mut others).await;
    server.stop().await;
}
