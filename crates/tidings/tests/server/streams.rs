//! Replies that go on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings::prelude::*;
use tokio::sync::mpsc;

use crate::running::{PATIENCE, Running};

/// What is sent to its other end.
struct Fed {
    items: mpsc::UnboundedReceiver<String>,
    /// Dropped with it.
    _alive: mpsc::Sender<()>,
}

impl Stream for Fed {
    type Item = Result<String, Failure>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<String, Failure>>> {
        self.items
            .poll_recv(context)
            .map(|item| match item?.as_str() {
                "fail" => Some(Err(Failure {
                    reason: Reason::ApplicationFailed,
                    details: "the source has dried up; subscribe again".to_owned(),
                })),
                "panic" => panic!("as the test wants"),
                other => Some(Ok(other.to_owned())),
            })
    }
}

/// Each subscription to `ticks` is a stream, whose other end comes out here, with what ends when it is dropped.
type Feed = (mpsc::UnboundedSender<String>, mpsc::Receiver<()>);

fn router() -> (Router, mpsc::UnboundedReceiver<Feed>) {
    let (opened, feeds) = mpsc::unbounded_channel();
    let ticks = async move || {
        let (sender, items) = mpsc::unbounded_channel();
        let (alive, ended) = mpsc::channel(1);
        let _ = opened.send((sender, ended));
        ReplyStream(Fed {
            items,
            _alive: alive,
        })
    };
    let router = Router::new()
        .subscribe("ticks", ticks.clone())
        .message("ticks", ticks);
    (router, feeds)
}

#[test]
fn a_subscription_hears_each_item_until_it_ends() {
    let (router, mut feeds) = router();
    let server = Running::start(router);
    let mut client = server.client("", &["/app/ticks"]);
    let (feed, mut ended) = feeds.blocking_recv().expect("a stream");
    for tick in ["1", "2"] {
        feed.send(tick.to_owned()).expect("it is open");
        client.is_told(&[
            "MESSAGE\nsubscription:0\n",
            "destination:/app/ticks\n",
            &format!("\n\n{tick}"),
        ]);
    }
    client.send("UNSUBSCRIBE\nid:0\nreceipt:end\n\n");
    client.is_told(&["receipt-id:end\n"]);
    assert_eq!(ended.blocking_recv(), None, "the stream is dropped");
}

#[test]
fn a_stream_ends_with_its_session() {
    let (router, mut feeds) = router();
    let server = Running::start(router);
    let client = server.client("", &["/app/ticks"]);
    let (_feed, mut ended) = feeds.blocking_recv().expect("a stream");
    drop(client);
    assert_eq!(ended.blocking_recv(), None);
}

#[test]
fn a_stream_of_a_message_goes_to_the_default_destination() {
    let (router, mut feeds) = router();
    let server = Running::start(router);
    let mut client = server.client("", &["/topic/ticks"]);
    client.ask("/app/ticks", "");
    client.is_told(&["RECEIPT\n"]);
    let (feed, _) = feeds.blocking_recv().expect("a stream");
    feed.send("1".to_owned()).expect("it is open");
    client.is_told(&["destination:/topic/ticks\n", "\n\n1"]);
}

#[test]
fn an_item_that_fails_or_panics_ends_the_stream_and_is_told() {
    let (router, mut feeds) = router();
    let server = Running::start(router);
    for (item, code) in [("fail", "application-failed"), ("panic", "internal-error")] {
        let mut client = server.client("", &["/user/queue/errors", "/app/ticks"]);
        let (feed, mut ended) = feeds.blocking_recv().expect("a stream");
        feed.send(item.to_owned()).expect("it is open");
        client.is_told(&[
            "destination:/user/queue/errors\n",
            &format!("code:{code}\n"),
            "request-destination:/app/ticks\n",
        ]);
        assert_eq!(ended.blocking_recv(), None);
        client.is_told_no_more();
    }
}

#[test]
fn so_many_streams_and_no_more() {
    let (router, _feeds) = router();
    let server = Running::start_with(router, |config| config.application.max_streams = 1);
    let mut client = server.client("", &["/user/queue/errors", "/app/ticks"]);
    client.ask("/app/ticks", "");
    client.is_told(&["code:too-many-streams\n"]);
    client.send("UNSUBSCRIBE\nid:1\n\n");
    client.ask("/app/ticks", "");
    client.is_told(&["RECEIPT\n"]);
}

/// As many as are asked for.
struct Flood {
    made: Arc<AtomicUsize>,
}

impl Stream for Flood {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        Poll::Ready((made < 3_000).then(|| Bytes::from(vec![b'x'; 10_000])))
    }
}

#[test]
fn a_stream_is_as_fast_as_its_client() {
    let made = Arc::new(AtomicUsize::new(0));
    let source = Arc::clone(&made);
    let flood = async move || {
        ReplyStream(Flood {
            made: Arc::clone(&source),
        })
    };
    let server = Running::start(Router::new().subscribe("flood", flood));
    let mut client = server.client("", &["/app/flood"]);
    // 30 MB would have made it a slow consumer, whose session ends.
    for _ in 0..3_000 {
        client.is_told(&["MESSAGE\nsubscription:0\n"]);
    }
    client.is_told_no_more();
}

/// Nothing, and a panic in the end.
struct Fragile;

impl Stream for Fragile {
    type Item = String;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<String>> {
        Poll::Ready(None)
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("as the test wants");
    }
}

#[test]
fn a_stream_that_panics_as_it_is_dropped_has_ended_all_the_same() {
    let fragile = async || ReplyStream(Fragile);
    let server = Running::start_with(Router::new().message("fragile", fragile), |config| {
        config.application.max_streams = 1;
    });
    let mut client = server.client("", &["/user/queue/errors"]);
    for _ in 0..3 {
        client.ask("/app/fragile", "");
        client.is_told(&["RECEIPT\n"]);
        client.is_told_no_more();
    }
}

#[test]
fn a_stream_waits_while_another_worker_has_too_much_to_do() {
    const ITEMS: usize = 10_000;
    let made = Arc::new(AtomicUsize::new(0));
    let source = Arc::clone(&made);
    let (all, all_made) = std::sync::mpsc::channel();
    let flood = async move || {
        ReplyStream(Burst {
            made: Arc::clone(&source),
            all: all.clone(),
        })
    };
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let (entered, inside) = std::sync::mpsc::channel();
    let block = async move || {
        let _ = entered.send(());
        let gate = gate.lock().expect("nobody panics");
        let _ = gate.recv_timeout(PATIENCE);
    };
    let router = Router::new()
        .message("flood", flood)
        .message("block", block);
    let server = Running::start(router);
    // Workers take turns.
    let mut here = server.client("", &[]);
    let mut there = server.client("", &["/topic/flood"]);
    there.ask("/app/block", "");
    inside.recv_timeout(PATIENCE).expect("it blocks");
    here.ask("/app/flood", "");
    here.is_told(&["RECEIPT\n"]);
    // 100 MB would wait for the other worker.
    let waited = all_made.recv_timeout(std::time::Duration::from_millis(500));
    assert!(
        waited.is_err(),
        "{} of {ITEMS}",
        made.load(Ordering::Relaxed)
    );
    go.send(()).expect("it blocks");
    there.is_told(&["RECEIPT\n"]);
    all_made.recv_timeout(PATIENCE).expect("it goes on");
}

/// As much as is asked for, and a word at the end.
struct Burst {
    made: Arc<AtomicUsize>,
    all: std::sync::mpsc::Sender<()>,
}

impl Stream for Burst {
    type Item = SendTo<Bytes>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<SendTo<Bytes>>> {
        if self.made.fetch_add(1, Ordering::Relaxed) < 10_000 {
            let body = Bytes::from_static(&[b'x'; 10_000]);
            return Poll::Ready(Some(SendTo("/topic/flood", body)));
        }
        let _ = self.all.send(());
        Poll::Ready(None)
    }
}

#[test]
fn a_response_brings_its_streams_along() {
    let (router, mut feeds) = router();
    let inner = Arc::new(router);
    let passed_on = async move |message: Message| {
        use tidings::application::{Application, Request, RequestKind};
        let request = Request {
            kind: RequestKind::Subscribe,
            destination: "/app/ticks".into(),
            path_at: "/app/".len(),
            headers: Headers::new(),
            body: Bytes::new(),
            session: Arc::clone(&message.parts.session),
        };
        inner.call(request).await
    };
    let server = Running::start(Router::new().subscribe("outer", passed_on));
    let mut client = server.client("", &["/app/outer"]);
    let (feed, _ended) = feeds.blocking_recv().expect("a stream");
    feed.send("1".to_owned()).expect("it is open");
    client.is_told(&["destination:/app/outer\n", "\n\n1"]);
}

#[test]
fn an_endless_stream_leaves_time_for_others() {
    let made = Arc::new(AtomicUsize::new(0));
    let source = Arc::clone(&made);
    let flood = async move || {
        ReplyStream(Nothing {
            made: Arc::clone(&source),
        })
    };
    let quick = async || SendToUser("/queue/done", "quick").sender_only();
    let router = Router::new()
        .message("flood", flood)
        .message("quick", quick);
    let server = Running::start_with(router, |config| config.server.workers = 1);
    let mut busy = server.client("", &["/user/queue/done"]);
    let mut other = server.client("", &["/user/queue/done"]);
    busy.ask("/app/flood", "");
    busy.is_told(&["RECEIPT\n"]);
    for _ in 0..100 {
        for client in [&mut busy, &mut other] {
            client.ask("/app/quick", "");
            client.is_told(&["\n\nquick"]);
            client.is_told(&["RECEIPT\n"]);
        }
    }
    drop(busy);
    other.is_told_no_more();
    assert!(made.load(Ordering::Relaxed) > 100);
}

/// Always ready, with nothing to say.
struct Nothing {
    made: Arc<AtomicUsize>,
}

impl Stream for Nothing {
    type Item = NoReply;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<NoReply>> {
        self.made.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(NoReply))
    }
}
