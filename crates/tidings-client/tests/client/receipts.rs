//! What the server has processed, and what it refuses.

use tidings_client::{Client, Event, Reason, ReceiptError, SendError, SubscribeError};

use crate::server::{hasty, on_each_transport};

#[tokio::test]
async fn many_receipts_are_awaited_at_a_time() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut receipts = Vec::new();
        for _ in 0..100 {
            let sent = client.send("/topic/a", "x").receipt().await;
            receipts.push(sent.expect("sent"));
        }
        for receipt in receipts {
            receipt.await.expect("processed");
        }
    })
    .await;
}

#[tokio::test]
async fn what_the_server_will_refuse_again_is_the_end() {
    on_each_transport(async |_server, url| {
        let client = hasty(&url).connect().await.expect("connected");
        let mut events = client.events();
        let mut news = client.subscribe("/topic/news").await.expect("subscribed");
        let refused = client.send("/nowhere", "x").confirmed().await;
        let Err(ReceiptError::Refused(error)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.reason(), Some(Reason::UnknownDestination));
        assert!(matches!(events.next().await, Some(Event::Lost(_))));
        assert!(matches!(events.next().await, Some(Event::GivenUp(_))));
        assert!(events.next().await.is_none());
        assert!(news.next().await.is_none());
        let late = client.send("/topic/news", "x").await;
        assert!(matches!(late, Err(SendError::GivenUp(_))));
        assert!(client.events().next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_refused_subscription_says_why() {
    on_each_transport(async |_server, url| {
        let client = hasty(&url).connect().await.expect("connected");
        let refused = client.subscribe("/nowhere").await;
        let Err(SubscribeError::Refused(error)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(error.reason(), Some(Reason::UnknownDestination));
    })
    .await;
}

#[tokio::test]
async fn disconnect_waits_for_all_that_was_sent() {
    on_each_transport(async |_server, url| {
        let listener = Client::connect(&url).await.expect("connected");
        let mut heard = listener.subscribe("/queue/a").await.expect("subscribed");
        let client = Client::connect(&url).await.expect("connected");
        let mut events = client.events();
        let mut silent = client.subscribe("/topic/silent").await.expect("subscribed");
        for number in 0..100 {
            let number = number.to_string();
            client.send("/queue/a", number).await.expect("sent");
        }
        client.disconnect().await.expect("confirmed");
        for number in 0..100 {
            let message = heard.next().await.expect("a message");
            assert_eq!(message.text(), Ok(&*number.to_string()));
        }
        assert!(matches!(events.next().await, Some(Event::Closed)));
        assert!(events.next().await.is_none());
        assert!(silent.next().await.is_none());
        assert!(matches!(
            client.send("/queue/a", "x").await,
            Err(SendError::Closed)
        ));
        let again = client.disconnect().await;
        assert!(matches!(
            again,
            Err(ReceiptError::NotSent(SendError::Closed))
        ));
    })
    .await;
}

#[tokio::test]
async fn a_dropped_client_says_what_it_had_to_say_and_goes() {
    on_each_transport(async |_server, url| {
        let listener = Client::connect(&url).await.expect("connected");
        let mut heard = listener.subscribe("/queue/a").await.expect("subscribed");
        let client = Client::connect(&url).await.expect("connected");
        let mut events = client.events();
        let mut silent = client.subscribe("/topic/silent").await.expect("subscribed");
        client.send("/queue/a", "last words").await.expect("sent");
        drop(client);
        let message = heard.next().await.expect("a message");
        assert_eq!(message.text(), Ok("last words"));
        assert!(matches!(events.next().await, Some(Event::Closed)));
        assert!(silent.next().await.is_none());
    })
    .await;
}
