//! All or nothing.

use tidings_client::{AckMode, Client, SendError};

use crate::server::on_each_transport;

#[tokio::test]
async fn only_a_committed_transaction_has_an_effect() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut heard = client.subscribe("/topic/heard").await.expect("subscribed");

        let mut dropped = client.begin().await.expect("begun");
        dropped.send("/topic/heard", "dropped").await.expect("sent");
        let mut aborted = client.begin().await.expect("begun");
        let sent = aborted.send("/topic/heard", "aborted");
        sent.confirmed().await.expect("held");
        let mut committed = client.begin().await.expect("begun");
        for text in ["one", "two"] {
            committed.send("/topic/heard", text).await.expect("sent");
        }
        client.send("/topic/heard", "outside").await.expect("sent");
        committed.commit().await.expect("committed");
        drop(dropped);
        aborted.abort().await.expect("aborted");
        client.send("/topic/heard", "last").await.expect("sent");

        let mut texts = Vec::new();
        while texts.last().is_none_or(|text| text != "last") {
            let message = heard.next().await.expect("a message");
            texts.push(message.text().expect("text").to_owned());
        }
        assert_eq!(texts, ["outside", "one", "two", "last"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_may_be_acknowledged_again_after_an_abort() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let orders = client.subscribe("/queue/orders");
        let mut orders = orders
            .ack(AckMode::ClientIndividual)
            .await
            .expect("subscribed");
        client.send("/queue/orders", "one").await.expect("sent");
        let order = orders.next().await.expect("a message");

        let mut transaction = client.begin().await.expect("begun");
        transaction.ack(&order).await.expect("sent");
        assert!(matches!(
            order.ack().await,
            Err(SendError::AlreadyAcknowledged)
        ));
        drop(transaction);
        let mut transaction = client.begin().await.expect("begun");
        transaction.ack(&order).await.expect("sent");
        transaction.commit().await.expect("committed");

        assert!(matches!(
            order.ack().await,
            Err(SendError::AlreadyAcknowledged)
        ));
    })
    .await;
}

#[tokio::test]
async fn open_transactions_are_counted() {
    on_each_transport(async |_server, url| {
        let client = Client::builder(&url).max_transactions(2).connect().await;
        let client = client.expect("connected");
        let first = client.begin().await.expect("begun");
        let second = client.begin().await.expect("begun");
        let third = client.begin().await;
        assert!(matches!(third, Err(SendError::TooManyTransactions(2))));
        first.abort().await.expect("aborted");
        let third = client.begin().await.expect("begun");
        third.commit().await.expect("committed");
        second.commit().await.expect("committed");
    })
    .await;
}

#[tokio::test]
async fn a_dropped_transaction_is_aborted() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        // More than a session may have open.
        for _ in 0..40 {
            drop(client.begin().await.expect("begun"));
            // Comes after ABORT.
            let after = client.send("/topic/a", "x").confirmed().await;
            after.expect("processed");
        }
    })
    .await;
}
