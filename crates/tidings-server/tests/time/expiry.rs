//! How long messages wait.

use std::time::Duration;

use tidings_testkit::{Command, Frame, Peer, TestServer, pass, run};

use crate::SECOND;

const MILLISECOND: Duration = Duration::from_millis(1);

async fn work(peer: &mut Peer, body: &str, expiration: Option<&str>) {
    let mut frame = Frame::new(Command::Send)
        .with_header("destination", "/queue/work")
        .with_body(body.to_owned());
    if let Some(expiration) = expiration {
        frame = frame.with_header("expiration", expiration);
    }
    peer.confirm(frame).await;
}

/// What a new consumer gets.
async fn assert_waits(server: &TestServer, bodies: &[&str]) {
    let mut consumer = server.connect("consumer").await;
    consumer.subscribe("/queue/work").await;
    for body in bodies {
        assert_eq!(consumer.message().await.text(), *body);
    }
    consumer.silence(SECOND).await;
}

#[test]
fn a_message_waits_as_long_as_it_says_and_no_longer() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut sender = server.connect("sender").await;
        work(&mut sender, "dies", Some("60000")).await;
        work(&mut sender, "lives", Some("60001")).await;
        work(&mut sender, "stays", None).await;
        pass(60 * SECOND).await;
        assert_waits(&server, &["lives", "stays"]).await;
    });
}

#[test]
fn a_queue_keeps_a_message_for_an_hour_unless_it_says_itself() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut sender = server.connect("sender").await;
        work(&mut sender, "old", None).await;
        work(&mut sender, "says a day", Some("86400000")).await;
        pass(MILLISECOND).await;
        work(&mut sender, "new", None).await;
        pass(3600 * SECOND - MILLISECOND).await;
        assert_waits(&server, &["says a day", "new"]).await;
    });
}

#[test]
fn a_message_that_came_back_expires_too() {
    run(async {
        let server = TestServer::builder().start().await;
        let mut peer = server.connect("ann").await;
        let subscribe = Frame::new(Command::Subscribe)
            .with_header("id", "work")
            .with_header("destination", "/queue/work")
            .with_header("ack", "client-individual");
        peer.confirm(subscribe).await;
        work(&mut peer, "a minute", Some("60000")).await;
        let message = peer.message().await;
        pass(60 * SECOND).await;
        peer.nack(&message).await;
        peer.silence(SECOND).await;
    });
}
