//! Handlers that run in parallel.

use std::sync::Arc;

use tidings::prelude::*;
use tokio::sync::Semaphore;

use crate::running::Running;

/// Answers when it may.
fn router(go: &Arc<Semaphore>) -> Router {
    let go = Arc::clone(go);
    let slow = async move |Path(name): Path<String>| {
        if let Ok(permit) = go.acquire().await {
            permit.forget();
        }
        SendToUser("/queue/done", name).sender_only()
    };
    Router::new()
        .message("slow/{name}", parallel(slow))
        .message("quick", async || {
            SendToUser("/queue/done", "quick").sender_only()
        })
}

#[test]
fn the_session_goes_on_and_answers_come_as_they_are_ready() {
    let go = Arc::new(Semaphore::new(0));
    let server = Running::start(router(&go));
    let mut client = server.client("", &["/user/queue/done"]);
    client.ask("/app/slow/a", "");
    client.ask("/app/quick", "");
    client.is_told(&["\n\nquick"]);
    client.is_told(&["RECEIPT\nreceipt-id:/app/quick\n"]);
    go.add_permits(1);
    client.is_told(&["\n\na"]);
    client.is_told(&["RECEIPT\nreceipt-id:/app/slow/a\n"]);
}

#[test]
fn at_the_limit_the_next_frame_waits_for_one_to_end() {
    let go = Arc::new(Semaphore::new(0));
    let server = Running::start_with(router(&go), |config| config.application.max_parallel = 2);
    let mut client = server.client("", &["/user/queue/done"]);
    let mut other = server.client("", &["/topic/seen"]);
    client.ask("/app/slow/a", "");
    client.ask("/topic/seen", "second");
    client.is_told(&["receipt-id:/topic/seen\n"]);
    client.ask("/app/slow/b", "");
    client.ask("/topic/seen", "third");
    other.is_told(&["\n\nsecond"]);
    other.is_told_no_more();
    go.add_permits(1);
    client.is_told(&["\n\na"]);
    client.is_told(&["receipt-id:/app/slow/a\n"]);
    client.is_told(&["receipt-id:/topic/seen\n"]);
    other.is_told(&["\n\nthird"]);
}

#[test]
fn disconnect_waits_for_all_that_came_before_it() {
    let go = Arc::new(Semaphore::new(0));
    let server = Running::start(router(&go));
    let mut client = server.client("", &["/user/queue/done"]);
    for name in ["a", "b"] {
        client.ask(&format!("/app/slow/{name}"), "");
    }
    client.send("DISCONNECT\nreceipt:bye\n\n");
    go.add_permits(2);
    let frames: Vec<_> = (0..4).map(|_| client.frame()).collect();
    for receipt in ["receipt-id:/app/slow/a", "receipt-id:/app/slow/b"] {
        assert!(
            frames.iter().any(|frame| frame.contains(receipt)),
            "{frames:?}"
        );
    }
    client.is_told(&["receipt-id:bye\n"]);
    client.is_gone();
}
