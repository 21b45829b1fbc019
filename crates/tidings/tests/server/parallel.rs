//! Handlers that run in parallel.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings::prelude::*;
use tokio::sync::{Semaphore, mpsc};

use crate::running::{PATIENCE, Running};

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

#[test]
fn no_answer_and_no_stream_comes_to_a_subscription_that_has_ended_or_to_the_next_of_its_name() {
    let go = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go);
    let (streams, ends) = std::sync::mpsc::channel();
    let slow = async move |Path(name): Path<String>| {
        if let Ok(permit) = gate.acquire().await {
            permit.forget();
        }
        let (alive, ended) = std::sync::mpsc::channel::<()>();
        let _ = streams.send(ended);
        let endless = Endless {
            text: name.clone(),
            _alive: alive,
        };
        (name, ReplyStream(endless))
    };
    let router = Router::new().subscribe("slow/{name}", parallel(slow));
    let server = Running::start(router);
    let mut client = server.client("", &[]);
    for name in ["a", "b"] {
        client.send(&format!(
            "SUBSCRIBE\nid:1\ndestination:/app/slow/{name}\nreceipt:{name}\n\n"
        ));
        client.send(&format!("UNSUBSCRIBE\nid:1\nreceipt:{name}-ended\n\n"));
        client.is_told(&[&format!("receipt-id:{name}-ended\n")]);
    }
    client.send("SUBSCRIBE\nid:1\ndestination:/topic/a\nreceipt:last\n\n");
    client.is_told(&["receipt-id:last\n"]);
    go.add_permits(2);
    for name in ["a", "b"] {
        client.is_told(&[&format!("RECEIPT\nreceipt-id:{name}\n")]);
        let end = ends.recv_timeout(PATIENCE).expect("a stream");
        let ended = end.recv_timeout(PATIENCE);
        assert_eq!(ended, Err(RecvTimeoutError::Disconnected), "it is dropped");
    }
    client.is_told_no_more();
}

/// Ready whenever it is asked.
struct Endless {
    text: String,
    /// Dropped with it.
    _alive: std::sync::mpsc::Sender<()>,
}

impl Stream for Endless {
    type Item = String;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<String>> {
        Poll::Ready(Some(self.text.clone()))
    }
}

#[test]
fn the_server_ends_though_handlers_do_not() {
    let (started, _keep) = mpsc::channel(4);
    let hang = async move || {
        let _ = started.send(()).await;
        std::future::pending::<NoReply>().await
    };
    let router = Router::new()
        .message("hang", parallel(hang.clone()))
        .subscribe("hang", hang);
    let server = Running::start_with(router, |config| {
        config.server.shutdown_timeout = std::time::Duration::from_millis(200);
    });
    let mut client = server.client("", &[]);
    client.ask("/app/hang", "");
    client.send("SUBSCRIBE\nid:1\ndestination:/app/hang\n\n");
    client.send("SEND\ndestination:/topic/a\n\nnever read");
    let mut gone = server.client("", &[]);
    gone.ask("/app/hang", "");
    drop(gone);
    drop(server);
}
