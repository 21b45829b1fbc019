//! Messages, there and back.

use tidings_client::{Client, Overflow};

use crate::server::on_each_transport;

#[tokio::test]
async fn two_clients_chat() {
    on_each_transport(async |_server, url| {
        let ann = Client::connect(&url).await.expect("connected");
        let bob = Client::connect(&url).await.expect("connected");
        let mut heard_by_ann = ann.subscribe("/topic/chat").await.expect("subscribed");
        let mut heard_by_bob = bob.subscribe("/topic/*").await.expect("subscribed");
        ann.send("/topic/chat", "hello").await.expect("sent");
        let hello = heard_by_bob.next().await.expect("a message");
        assert_eq!(hello.text(), Ok("hello"));
        assert_eq!(hello.destination(), "/topic/chat");
        bob.send("/topic/chat", "hi").await.expect("sent");
        let mut texts = Vec::new();
        for _ in 0..2 {
            let message = heard_by_ann.next().await.expect("a message");
            texts.push(message.text().expect("text").to_owned());
        }
        assert_eq!(texts, ["hello", "hi"]);
    })
    .await;
}

#[tokio::test]
async fn headers_and_bodies_arrive_as_sent() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut echo = client.subscribe("/topic/echo").await.expect("subscribed");
        let binary = &b"\0\xff\n\r:\0"[..];
        client
            .send("/topic/echo", binary)
            .content_type("application/x-ünï")
            .header("clé:\\\r\n", "värde: \\ \r\n 日本語 🦀")
            .header("empty", "")
            .await
            .expect("sent");
        let message = echo.next().await.expect("a message");
        assert_eq!(&message.body()[..], binary);
        assert_eq!(message.content_type(), Some("application/x-ünï"));
        assert_eq!(
            message.header("clé:\\\r\n"),
            Some("värde: \\ \r\n 日本語 🦀")
        );
        assert_eq!(message.header("empty"), Some(""));
    })
    .await;
}

#[tokio::test]
async fn a_message_of_1_mib_arrives_whole() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let mut large = client.subscribe("/topic/large").await.expect("subscribed");
        let body: Vec<u8> = (0..1 << 20_u32).map(|at| (at % 251) as u8).collect();
        client
            .send("/topic/large", body.clone())
            .await
            .expect("sent");
        let message = large.next().await.expect("a message");
        assert!(message.body()[..] == body[..], "the body has changed");
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_messages_arrive_in_order() {
    const COUNT: usize = 10_000;
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let numbers = client.subscribe("/topic/numbers").buffer(COUNT);
        let mut numbers = numbers
            .overflow(Overflow::DropNewest)
            .await
            .expect("subscribed");
        let sender = client.clone();
        let sending = tokio::spawn(async move {
            for number in 0..COUNT {
                let number = number.to_string();
                sender.send("/topic/numbers", number).await.expect("sent");
            }
        });
        for number in 0..COUNT {
            let message = numbers.next().await.expect("a message");
            assert_eq!(message.text(), Ok(&*number.to_string()));
        }
        sending.await.expect("no panic");
        assert_eq!(numbers.dropped(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_dropped_subscription_hears_no_more() {
    on_each_transport(async |_server, url| {
        let client = Client::connect(&url).await.expect("connected");
        let orders = client.subscribe("/queue/orders").await.expect("subscribed");
        drop(orders);
        // The frames of a client keep their order: this one comes after UNSUBSCRIBE.
        client
            .send("/queue/orders", "one")
            .confirmed()
            .await
            .expect("received");
        let mut orders = client.subscribe("/queue/orders").await.expect("subscribed");
        let order = orders.next().await.expect("it was left in the queue");
        assert_eq!(order.text(), Ok("one"));
        assert_eq!(order.header("redelivered"), None);
    })
    .await;
}

#[tokio::test]
async fn a_reply_queue_is_heard_by_its_subscription() {
    on_each_transport(async |_server, url| {
        let asker = Client::connect(&url).await.expect("connected");
        let answerer = Client::connect(&url).await.expect("connected");
        let mut answers = asker
            .subscribe("/temp-queue/mine")
            .await
            .expect("subscribed");
        let mut questions = answerer
            .subscribe("/queue/questions")
            .await
            .expect("subscribed");
        asker
            .send("/queue/questions", "6 x 7?")
            .header("reply-to", "/temp-queue/mine")
            .await
            .expect("sent");
        let question = questions.next().await.expect("a question");
        let reply_to = question.header("reply-to").expect("somewhere to answer");
        answerer.send(reply_to, "42").await.expect("sent");
        let answer = answers.next().await.expect("an answer");
        assert_eq!(answer.text(), Ok("42"));
    })
    .await;
}
