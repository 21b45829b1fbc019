//! Replies that go on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings::prelude::*;
use tokio::sync::mpsc;

use crate::running::Running;

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
