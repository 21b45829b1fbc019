//! What takes time, on a clock that stands still while anything can be done.

use std::future::IntoFuture;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::transport::Socket;
use crate::{AckMode, Backoff, Client, Overflow, ReceiptError, SendError, Subscription};

/// Gives the other ends of the sockets that a client opens. Once it is dropped nothing can be reached.
pub(super) type Peers = mpsc::UnboundedReceiver<DuplexStream>;

pub(super) fn network() -> (Dialer, Peers) {
    network_of(Socket::new)
}

fn network_of(
    socket: impl Fn(DuplexStream) -> Socket + Send + Sync + Copy + 'static,
) -> (Dialer, Peers) {
    let (peers, dialed) = mpsc::unbounded_channel();
    let dialer = Dialer::new(move || {
        let (ours, theirs) = duplex(16 * 1024);
        let reached = peers.send(theirs);
        Box::pin(async move {
            let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
            reached
                .map_err(refused)
                .map_err(ConnectError::unreachable)?;
            Ok(socket(ours))
        })
    });
    (dialer, dialed)
}

/// Takes the next connection, with heart-beats of 10 s both ways.
async fn accept(peers: &mut Peers) -> DuplexStream {
    let mut peer = peers.recv().await.expect("a connection");
    frame(&mut peer, "CONNECT").await;
    let connected = b"CONNECTED\nversion:1.2\nheart-beat:10000,10000\n\n\0";
    peer.write_all(connected).await.expect("written");
    peer
}

/// Reads a frame, without the heart-beats before it.
async fn frame(peer: &mut DuplexStream, command: &str) -> String {
    let mut frame = Vec::new();
    loop {
        match peer.read_u8().await.expect("more") {
            0 => break,
            b'\n' if frame.is_empty() => {}
            byte => frame.push(byte),
        }
    }
    let frame = String::from_utf8(frame).expect("text");
    assert!(frame.starts_with(command), "{frame}");
    frame
}

/// The value of a header.
fn header<'a>(frame: &'a str, name: &str) -> &'a str {
    let mut lines = frame.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .expect("the header")
}

async fn confirm(peer: &mut DuplexStream, frame: &str) {
    let receipt = format!("RECEIPT\nreceipt-id:{}\n\n\0", header(frame, "receipt"));
    peer.write_all(receipt.as_bytes()).await.expect("written");
}

async fn connect() -> (Client, DuplexStream, Peers) {
    let (dialer, mut peers) = network();
    let builder = Client::builder("tcp://nowhere");
    let (client, peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
    (client.expect("connected"), peer, peers)
}

async fn subscribe(client: &Client, peer: &mut DuplexStream) -> (Subscription, String) {
    let (subscription, id) = tokio::join!(async { client.subscribe("/topic/a").await }, async {
        let subscribe = frame(peer, "SUBSCRIBE").await;
        confirm(peer, &subscribe).await;
        header(&subscribe, "id").to_owned()
    });
    (subscription.expect("subscribed"), id)
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_hears_heart_beats_and_is_left_after_two_intervals() {
    let (client, mut peer, _peers) = connect().await;
    let mut events = client.events();
    let began = Instant::now();
    let mut beats = Vec::new();
    let mut byte = [0];
    while let Ok(1) = peer.read(&mut byte).await {
        assert_eq!(byte, *b"\n");
        beats.push(began.elapsed().as_secs());
    }
    assert_eq!(beats, [5, 10, 15]);
    assert_eq!(began.elapsed().as_secs(), 20);
    let lost = events.next().await;
    let Some(Event::Lost(Ended::Stomp(error))) = lost else {
        panic!("{lost:?}");
    };
    assert_eq!(error.code(), "heart-beat-missed");
    assert!(matches!(
        events.next().await,
        Some(Event::Reconnecting { attempt: 1, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_holds_bytes_back_is_flushed() {
    // As TLS may, whose stream has taken what its socket has not.
    let (dialer, mut peers) = network_of(|ours| {
        let (reader, writer) = tokio::io::split(ours);
        Socket {
            reader: Box::new(reader),
            writer: Box::new(BufWriter::with_capacity(1 << 20, writer)),
        }
    });
    let builder = Client::builder("tcp://nowhere");
    let (client, mut peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
    let client = client.expect("connected");
    let began = Instant::now();
    for body in ["one", "two"] {
        client.send("/topic/a", body).await.expect("queued");
        assert!(frame(&mut peer, "SEND").await.ends_with(body));
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_beats_is_kept() {
    let (client, mut peer, _peers) = connect().await;
    let mut events = client.events();
    for _ in 0..100 {
        sleep(Duration::from_secs(15)).await;
        peer.write_all(b"\n").await.expect("still connected");
    }
    assert!(
        timeout(Duration::from_secs(1), events.next())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_trickles_in_is_a_sign_of_life() {
    let (client, mut peer, _peers) = connect().await;
    let (mut news, id) = subscribe(&client, &mut peer).await;
    let message = format!("MESSAGE\nsubscription:{id}\nmessage-id:1\n\nslow\0");
    let began = Instant::now();
    let trickle = async {
        for byte in message.bytes() {
            sleep(Duration::from_secs(15)).await;
            peer.write_all(&[byte]).await.expect("still connected");
        }
    };
    let (message, ()) = tokio::join!(news.next(), trickle);
    assert_eq!(message.expect("a message").text(), Ok("slow"));
    assert!(began.elapsed() > Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_and_says_nothing_is_left_all_the_same() {
    let (client, _peer, _peers) = connect().await;
    let mut events = client.events();
    let began = Instant::now();
    client
        .send("/topic/a", vec![0; 1 << 20])
        .await
        .expect("queued");
    assert!(matches!(
        events.next().await,
        Some(Event::Lost(Ended::Stomp(_)))
    ));
    assert_eq!(began.elapsed().as_secs(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_reads_nothing_holds_up_neither_heart_beats_nor_receipts() {
    let (client, mut peer, _peers) = connect().await;
    let (mut idle, id) = subscribe(&client, &mut peer).await;
    let message = format!("MESSAGE\nsubscription:{id}\nmessage-id:1\n\nhello\0");
    for _ in 0..3000 {
        peer.write_all(message.as_bytes()).await.expect("taken");
    }
    sleep(Duration::from_secs(6)).await;
    assert_eq!(peer.read_u8().await.expect("a heart-beat"), b'\n');
    let (confirmed, ()) = tokio::join!(client.send("/topic/b", "x").confirmed(), async {
        let send = frame(&mut peer, "SEND").await;
        confirm(&mut peer, &send).await;
    });
    confirmed.expect("processed");
    assert_eq!(idle.dropped(), 3000 - 1024);
    assert_eq!(idle.next().await.expect("a message").text(), Ok("hello"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_connect_is_given_up_in_time() {
    let (dialer, _peers) = network();
    let began = Instant::now();
    let client = Client::builder("tcp://nowhere").connect_by(dialer).await;
    let Err(ConnectError::TimedOut(after)) = client else {
        panic!("{client:?}");
    };
    assert_eq!(
        (after, began.elapsed().as_secs()),
        (Duration::from_secs(10), 10)
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_between_attempts_are_those_that_were_told() {
    let backoff = Backoff::default();
    let (client, peer, peers) = connect().await;
    let mut events = client.events();
    drop((peer, peers));
    assert!(matches!(events.next().await, Some(Event::Lost(_))));
    for expected in 1..=backoff.max_attempts {
        let Some(Event::Reconnecting { attempt, after }) = events.next().await else {
            panic!("no attempt {expected}");
        };
        assert_eq!(attempt, expected);
        let longest = backoff.delay(attempt, u32::MAX).expect("an attempt");
        assert!(
            after <= longest && after >= longest / 2,
            "{after:?} of {longest:?}"
        );
        let began = Instant::now();
        assert!(matches!(events.next().await, Some(Event::Failed(_))));
        let late = began.elapsed().checked_sub(after).expect("not too early");
        assert!(late <= Duration::from_millis(2), "{late:?}");
    }
    assert!(matches!(events.next().await, Some(Event::GivenUp(_))));
    assert!(events.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn only_a_connection_that_lasts_starts_the_pauses_anew() {
    let (client, mut peer, mut peers) = connect().await;
    let mut events = client.events();
    for (lasts, expected) in [(0, 1), (10, 2), (29, 3), (31, 1), (1, 2)] {
        for _ in 0..lasts {
            sleep(Duration::from_secs(1)).await;
            peer.write_all(b"\n").await.expect("still connected");
        }
        drop(peer);
        let attempt = loop {
            match events.next().await {
                Some(Event::Reconnecting { attempt, .. }) => break attempt,
                Some(_) => {}
                None => panic!("given up"),
            }
        };
        assert_eq!(attempt, expected, "after {lasts} s");
        peer = accept(&mut peers).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_while_disconnected_waits_for_so_long() {
    let (client, peer, peers) = connect().await;
    let mut events = client.events();
    drop((peer, peers));
    assert!(matches!(events.next().await, Some(Event::Lost(_))));
    let began = Instant::now();
    for _ in 0..7 {
        client
            .send("/topic/a", vec![0; 1 << 20])
            .await
            .expect("room in the queue");
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    let refused = client.send("/topic/a", vec![0; 1 << 20]).await;
    assert!(
        matches!(refused, Err(SendError::QueueFull(_))),
        "{refused:?}"
    );
    assert_eq!(began.elapsed().as_secs(), 10);
    assert!(matches!(
        client.begin().await,
        Err(SendError::ConnectionLost)
    ));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_hears_that_the_client_has_given_up() {
    let (dialer, mut peers) = network();
    let builder = Client::builder("tcp://nowhere").reconnect(Backoff {
        max_attempts: 0,
        ..Backoff::default()
    });
    let (client, peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
    let client = client.expect("connected");
    let began = Instant::now();
    let fill = async {
        loop {
            if let Err(error) = client.send("/topic/a", vec![0; 1 << 20]).await {
                return error;
            }
        }
    };
    let (error, ()) = tokio::join!(fill, async {
        sleep(Duration::from_secs(1)).await;
        drop(peer);
    });
    assert!(matches!(error, SendError::GivenUp(_)), "{error:?}");
    assert_eq!(began.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_does_not_come_is_not_waited_for_forever() {
    let (client, mut peer, _peers) = connect().await;
    let began = Instant::now();
    let beat = async {
        loop {
            sleep(Duration::from_secs(10)).await;
            peer.write_all(b"\n").await.expect("still connected");
        }
    };
    let fate = tokio::select! {
        fate = client.send("/topic/a", "x").confirmed() => fate,
        () = beat => unreachable!("it goes on"),
    };
    assert!(matches!(fate, Err(ReceiptError::TimedOut(_))), "{fate:?}");
    assert_eq!(began.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_that_is_not_confirmed_ends_the_client_all_the_same() {
    let (client, mut peer, _peers) = connect().await;
    let mut events = client.events();
    let began = Instant::now();
    let beat = async {
        loop {
            sleep(Duration::from_secs(10)).await;
            peer.write_all(b"\n").await.expect("still connected");
        }
    };
    let fate = tokio::select! {
        fate = client.disconnect() => fate,
        () = beat => unreachable!("it goes on"),
    };
    assert!(matches!(fate, Err(ReceiptError::TimedOut(_))), "{fate:?}");
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(matches!(events.next().await, Some(Event::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_between_two_connections_ends_the_client_at_once() {
    let (client, peer, peers) = connect().await;
    let mut events = client.events();
    drop((peer, peers));
    assert!(matches!(events.next().await, Some(Event::Lost(_))));
    let began = Instant::now();
    let waiting = client
        .send("/topic/a", "x")
        .receipt()
        .await
        .expect("queued");
    let fate = client.disconnect().await;
    assert!(
        matches!(fate, Err(ReceiptError::ConnectionLost)),
        "{fate:?}"
    );
    let lost = waiting.await;
    assert!(
        matches!(lost, Err(ReceiptError::NotSent(SendError::Closed))),
        "{lost:?}"
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn times_without_end_are_no_trouble() {
    let (dialer, mut peers) = network();
    let builder = Client::builder("tcp://nowhere")
        .connect_timeout(Duration::MAX)
        .receipt_timeout(Duration::MAX)
        .send_timeout(Duration::MAX)
        .heart_beat(Duration::MAX, Duration::MAX)
        .reconnect(Backoff {
            initial: Duration::MAX,
            max: Duration::MAX,
            max_attempts: u32::MAX,
        });
    let (client, mut peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
    let client = client.expect("connected");
    subscribe(&client, &mut peer).await;
    let mut events = client.events();
    drop(peer);
    assert!(matches!(events.next().await, Some(Event::Lost(_))));
    let waits = events.next().await;
    assert!(matches!(waits, Some(Event::Reconnecting { .. })));
    drop(client);
    assert!(matches!(events.next().await, Some(Event::Closed)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_after_the_goodbye_is_no_reason_to_give_up() {
    let (dialer, mut peers) = network();
    let builder = Client::builder("tcp://nowhere").reconnect(Backoff {
        max_attempts: 0,
        ..Backoff::default()
    });
    let (client, mut peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
    let client = client.expect("connected");
    let mut events = client.events();
    let (fate, ()) = tokio::join!(client.disconnect(), async {
        frame(&mut peer, "DISCONNECT").await;
        drop(peer);
    });
    assert!(
        matches!(fate, Err(ReceiptError::ConnectionLost)),
        "{fate:?}"
    );
    assert!(matches!(events.next().await, Some(Event::Lost(_))));
    assert!(matches!(events.next().await, Some(Event::Closed)));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_said_before_it_hung_up_is_heard() {
    // Which of reading and writing fails first is left to chance.
    for _ in 0..20 {
        let (dialer, mut peers) = network_of(|ours| {
            let (reader, writer) = tokio::io::split(ours);
            Socket {
                reader: Box::new(reader),
                writer: Box::new(BreaksOnceOpen { writer, writes: 0 }),
            }
        });
        let builder = Client::builder("tcp://nowhere");
        let (client, mut peer) = tokio::join!(builder.connect_by(dialer), accept(&mut peers));
        let client = client.expect("connected");
        let mut events = client.events();
        let queued = client.send("/topic/a", "x").receipt();
        let receipt = queued.await.expect("queued");
        peer.write_all(b"RECEIPT\nreceipt-id:1\n\n\0ERROR\ncode:malformed-frame\n\n\0")
            .await
            .expect("written");
        drop(peer);
        receipt.await.expect("it came");
        let lost = events.next().await;
        assert!(
            matches!(lost, Some(Event::Lost(Ended::Refused(_)))),
            "{lost:?}"
        );
    }
}

/// Takes CONNECT, and then nothing.
struct BreaksOnceOpen<W> {
    writer: W,
    writes: u32,
}

impl<W: AsyncWrite + Unpin> AsyncWrite for BreaksOnceOpen<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes += 1;
        match self.writes {
            1 => Pin::new(&mut self.writer).poll_write(cx, bytes),
            _ => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.writer).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn what_waited_for_an_acknowledgement_makes_way_for_what_comes_again() {
    let (client, mut peer, mut peers) = connect().await;
    let orders = client.subscribe("/queue/orders");
    let orders = orders.ack(AckMode::ClientIndividual).buffer(2);
    let orders = orders.overflow(Overflow::DropNewest).into_future();
    let (orders, id) = tokio::join!(orders, async {
        let subscribe = frame(&mut peer, "SUBSCRIBE").await;
        confirm(&mut peer, &subscribe).await;
        header(&subscribe, "id").to_owned()
    });
    let mut orders = orders.expect("subscribed");
    let deliver = async |peer: &mut DuplexStream, connection| {
        for order in 0..2 {
            let message = format!(
                "MESSAGE\nsubscription:{id}\nmessage-id:{order}\nack:{connection}-{order}\n\n\0"
            );
            peer.write_all(message.as_bytes()).await.expect("written");
        }
    };
    deliver(&mut peer, "first").await;
    drop(peer);
    let mut peer = accept(&mut peers).await;
    frame(&mut peer, "SUBSCRIBE").await;
    deliver(&mut peer, "second").await;
    for expected in ["second-0", "second-1"] {
        let order = orders.next().await.expect("a message");
        order.ack().await.expect("of this connection");
        assert_eq!(header(&frame(&mut peer, "ACK").await, "id"), expected);
    }
    assert_eq!(orders.dropped(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_names_no_acknowledgement_is_not_acknowledged() {
    let (client, mut peer, _peers) = connect().await;
    let orders = client.subscribe("/queue/orders").ack(AckMode::Client);
    let (orders, ()) = tokio::join!(orders.into_future(), async {
        let subscribe = frame(&mut peer, "SUBSCRIBE").await;
        confirm(&mut peer, &subscribe).await;
        let message = format!("MESSAGE\nsubscription:{}\n\n\0", header(&subscribe, "id"));
        peer.write_all(message.as_bytes()).await.expect("written");
    });
    let order = orders.expect("subscribed").next().await;
    let settled = order.expect("a message").ack().await;
    assert!(
        matches!(settled, Err(SendError::NothingToAcknowledge)),
        "{settled:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn messages_that_wait_do_not_hold_all_that_was_read_with_them() {
    let (client, mut peer, _peers) = connect().await;
    let (mut idle, id) = subscribe(&client, &mut peer).await;
    let message = format!("MESSAGE\nsubscription:{id}\n\nhello\0").repeat(3);
    peer.write_all(message.as_bytes()).await.expect("taken");
    idle.next().await.expect("a message");
    for _ in 1..3 {
        let message = idle.next().await.expect("a message");
        assert!(message.body().is_unique());
    }
}

#[test]
fn nothing_waits_for_a_runtime_that_is_gone() {
    let build = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build()
    };
    let first = build().expect("a runtime");
    let (client, subscription, _peer) = first.block_on(async {
        let (client, mut peer, peers) = connect().await;
        let (subscription, _) = subscribe(&client, &mut peer).await;
        (client, subscription, (peer, peers))
    });
    drop(first);
    let mut subscription = subscription;
    let second = build().expect("a runtime");
    second.block_on(async {
        assert!(subscription.next().await.is_none());
        let sent = client.send("/topic/a", "x").await;
        assert!(matches!(sent, Err(SendError::Closed)), "{sent:?}");
    });
}
