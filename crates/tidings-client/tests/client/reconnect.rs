//! The server goes and comes back.

use std::future::IntoFuture;

use tidings_client::{AckMode, Event, SendError};

use crate::server::{hasty, on_each_transport};

#[tokio::test]
async fn subscriptions_are_renewed_when_the_server_is_back() {
    on_each_transport(async |server, url| {
        let client = hasty(&url).connect().await.expect("connected");
        let mut events = client.events();
        let mut first = client.subscribe("/topic/first").await.expect("subscribed");
        let gone = client.subscribe("/topic/gone").await.expect("subscribed");
        let orders = client.subscribe("/queue/orders");
        let mut orders = orders.ack(AckMode::Client).await.expect("subscribed");
        client.send("/queue/orders", "one").await.expect("sent");
        let order = orders.next().await.expect("a message");
        let transaction = client.begin().await.expect("begun");

        let addresses = server.stop().await;
        assert!(matches!(events.next().await, Some(Event::Lost(_))));
        assert!(matches!(order.ack().await, Err(SendError::ConnectionLost)));
        assert!(transaction.commit().await.is_err());
        drop(gone);
        // Waits in the client.
        client
            .send("/topic/first", "offline")
            .await
            .expect("queued");
        let late = client.subscribe("/topic/late");

        let (mut late, server) = tokio::join!(late.into_future(), addresses.start());
        let late = late.as_mut().expect("subscribed");
        loop {
            match events.next().await {
                Some(Event::Connected { .. }) => break,
                Some(Event::Reconnecting { .. } | Event::Failed(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        let message = first.next().await.expect("a message");
        assert_eq!(message.text(), Ok("offline"));
        client.send("/topic/late", "online").await.expect("sent");
        assert_eq!(late.next().await.expect("a message").text(), Ok("online"));
        assert!(matches!(order.ack().await, Err(SendError::ConnectionLost)));
        let mut transaction = client.begin().await.expect("begun");
        let mixed = transaction.ack(&order).await;
        assert!(matches!(mixed, Err(SendError::ConnectionLost)));
        transaction.commit().await.expect("committed");
        client.disconnect().await.expect("confirmed");
        server.stop().await;
    })
    .await;
}
