//! Messages of queues, taken and given back.

use tidings_client::{AckMode, Client, SendError, Subscription};

use crate::server::on_each_transport;

async fn consume(client: &Client) -> Subscription {
    let orders = client.subscribe("/queue/orders");
    let orders = orders.ack(AckMode::ClientIndividual).await;
    orders.expect("subscribed")
}

#[tokio::test]
async fn a_rejected_message_comes_again_and_a_consumed_one_does_not() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut orders = consume(&client).await;
        for order in ["one", "two"] {
            client.send("/queue/orders", order).await.expect("sent");
        }
        let one = orders.next().await.expect("a message");
        let two = orders.next().await.expect("a message");
        one.nack().confirmed().await.expect("given back");
        two.ack().confirmed().await.expect("consumed");
        let again = orders.next().await.expect("a message");
        assert_eq!(
            (one.text(), two.text(), again.text()),
            (Ok("one"), Ok("two"), Ok("one"))
        );
        assert_eq!(again.header("redelivered"), Some("true"));
        drop(orders);
        let mut orders = consume(&client).await;
        let third = orders.next().await.expect("a message");
        assert_eq!(third.text(), Ok("one"));
        assert_eq!(third.id(), one.id());
    })
    .await;
}

#[tokio::test]
async fn what_would_end_the_session_is_refused_here() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut orders = consume(&client).await;
        let mut news = client.subscribe("/topic/news").await.expect("subscribed");
        client.send("/queue/orders", "one").await.expect("sent");
        client.send("/topic/news", "new").await.expect("sent");
        let order = orders.next().await.expect("a message");
        order.ack().await.expect("sent");
        assert!(matches!(
            order.nack().await,
            Err(SendError::AlreadyAcknowledged)
        ));
        let new = news.next().await.expect("a message");
        assert!(matches!(
            new.ack().await,
            Err(SendError::NothingToAcknowledge)
        ));
        for header in [
            "receipt",
            "transaction",
            "destination",
            "content-length",
            "",
        ] {
            let refused = client.send("/topic/news", "x").header(header, "1").await;
            assert!(matches!(refused, Err(SendError::Header(name)) if name == header));
        }
        client
            .send("/topic/news", "still here")
            .confirmed()
            .await
            .expect("processed");
    })
    .await;
}

#[tokio::test]
async fn no_more_is_sent_than_the_buffer_holds() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let orders = client.subscribe("/queue/orders");
        let mut orders = orders
            .ack(AckMode::Client)
            .buffer(3)
            .await
            .expect("subscribed");
        for order in 0..30 {
            let order = client.send("/queue/orders", order.to_string());
            order.confirmed().await.expect("processed");
        }
        for batch in 0..10 {
            for order in 0..3 {
                let message = orders.next().await.expect("a message");
                assert_eq!(message.text(), Ok(&*(batch * 3 + order).to_string()));
                if order == 2 {
                    message.ack().await.expect("sent");
                }
            }
        }
        assert_eq!(orders.dropped(), 0);
    })
    .await;
}
