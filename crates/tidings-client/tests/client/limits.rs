//! What fills up, and what happens then.

use std::time::Duration;

use tidings_client::{Client, Overflow, ReceiptError, SendError, SubscribeError, Version};
use tidings_stomp::Command;

use crate::peer::{Script, message};
use crate::server::{RunningServer, within};

const SHORT: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_full_queue_makes_senders_wait_and_then_refuses() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url()).send_timeout(SHORT);
        let builder = builder.max_outgoing_bytes(1 << 20);
        let (client, _peer) =
            tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
        let client = client.expect("connected");
        let too_large = client.send("/topic/a", vec![0; 2 << 20]).await;
        assert!(matches!(
            too_large,
            Err(SendError::TooLarge {
                limit: 1_048_576,
                ..
            })
        ));
        // The peer reads nothing; what the system takes is a few MiB.
        let mut sent = 0;
        let refused = loop {
            match client.send("/topic/a", vec![0; 100_000]).await {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
            assert!(sent < 10_000, "it is never full");
        };
        assert!(matches!(refused, SendError::QueueFull(SHORT)), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn places_for_receipts_are_given_back() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url()).max_pending_receipts(2);
        let builder = builder.send_timeout(SHORT).receipt_timeout(SHORT);
        let (client, mut peer) =
            tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
        let client = client.expect("connected");
        let first = client.send("/topic/a", "1").receipt().await.expect("sent");
        let second = client.send("/topic/a", "2").receipt().await.expect("sent");
        let third = client.send("/topic/a", "3").receipt().await;
        assert!(matches!(third, Err(SendError::QueueFull(SHORT))));
        drop(first);
        assert!(matches!(second.await, Err(ReceiptError::TimedOut(SHORT))));
        for _ in 0..2 {
            peer.expect(Command::Send).await;
        }
        let (sent, ()) = tokio::join!(client.send("/topic/a", "4").confirmed(), async {
            let frame = peer.expect(Command::Send).await;
            peer.confirm(&frame).await;
        });
        sent.expect("processed");
    })
    .await;
}

#[tokio::test]
async fn subscriptions_are_counted_until_the_server_knows_of_their_end() {
    within(async {
        let server = RunningServer::start().await;
        let [url, _] = server.urls();
        let builder = Client::builder(&url).max_subscriptions(1);
        let client = builder.connect().await.expect("connected");
        let first = client.subscribe("/topic/a").await.expect("subscribed");
        let second = client.subscribe("/topic/b").await;
        assert!(matches!(second, Err(SubscribeError::TooMany(1))));
        drop(first);
        // Comes after UNSUBSCRIBE.
        let after = client.send("/topic/a", "x").confirmed().await;
        after.expect("processed");
        client.subscribe("/topic/b").await.expect("subscribed");
    })
    .await;
}

#[tokio::test]
async fn a_slow_listener_misses_messages_and_nobody_else_does() {
    within(async {
        let server = RunningServer::start().await;
        let [_, url] = server.urls();
        let client = Client::connect(&url).await.expect("connected");
        let slow = client.subscribe("/topic/a").buffer(10);
        let mut slow = slow.await.expect("subscribed");
        let first = client.subscribe("/topic/a").buffer(10);
        let first = first.overflow(Overflow::DropNewest);
        let mut first = first.await.expect("subscribed");
        let mut quick = client.subscribe("/topic/a").await.expect("subscribed");
        for number in 0..100 {
            let number = number.to_string();
            client.send("/topic/a", number).await.expect("sent");
        }
        for number in 0..100 {
            let message = quick.next().await.expect("a message");
            assert_eq!(message.text(), Ok(&*number.to_string()));
        }
        // Behind the last message, whatever the order of the three subscriptions.
        let behind = client.send("/topic/none", "x").confirmed().await;
        behind.expect("processed");
        assert_eq!((slow.dropped(), first.dropped()), (90, 90));
        let message = slow.next().await.expect("a message");
        assert_eq!(message.text(), Ok("90"));
        let message = first.next().await.expect("a message");
        assert_eq!(message.text(), Ok("0"));
    })
    .await;
}

#[tokio::test]
async fn messages_of_an_ended_subscription_are_passed_over() {
    within(async {
        let script = Script::start().await;
        let builder = Client::builder(&script.url());
        let (client, mut peer) =
            tokio::join!(builder.connect(), script.connected(Version::V1_2, "0,0"));
        let client = client.expect("connected");
        let subscribe = async { client.subscribe("/topic/a").await };
        let (gone, gone_id) = tokio::join!(subscribe, peer.subscribed());
        drop(gone);
        let unsubscribe = peer.expect(Command::Unsubscribe).await;
        assert_eq!(unsubscribe.header("id"), Some(&*gone_id));
        peer.send(&message(&gone_id, "late")).await;
        peer.send(&message("nobody's", "strange")).await;
        let subscribe = async { client.subscribe("/topic/a").await };
        let (next, next_id) = tokio::join!(subscribe, peer.subscribed());
        peer.send(&message(&next_id, "mine")).await;
        let message = next.expect("subscribed").next().await;
        assert_eq!(message.expect("a message").text(), Ok("mine"));
    })
    .await;
}
