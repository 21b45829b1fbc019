//! Issuers that are out of order.

use std::time::Instant;

use crate::client::Client;
use crate::issuer::{Issuer, Key};
use crate::rotation::connect_in_the_end;
use crate::server::{MIN_REFRESH, Running};

/// Comes with an unknown key until the server has asked once more.
async fn is_asked_again(server: &Running, issuer: &Issuer) {
    let (before, stranger) = (issuer.asked(), Key::new("unknown"));
    let began = Instant::now();
    while issuer.asked() == before {
        let refused = Client::connect(server.address, &stranger.token(&issuer.name, "x")).await;
        assert!(refused.is_err());
        assert!(began.elapsed() < 20 * MIN_REFRESH, "nobody asks");
    }
}

#[tokio::test]
async fn what_an_issuer_says_wrongly_takes_no_key_away() {
    let key = Key::new("1");
    let issuer = Issuer::start("accounts", &[&key]);
    let server = Running::start(&[&issuer]);
    let good = key.token(&issuer.name, "ann");
    let mut session = Client::connect(server.address, &good)
        .await
        .expect("a good token");
    let answers = [(500, "{}"), (200, "<html>"), (200, r#"{"keys": []}"#)];
    for (status, body) in answers {
        issuer.says(status, body);
        is_asked_again(&server, &issuer).await;
        session.hears_itself().await;
        let newcomer = Client::connect(server.address, &good).await;
        newcomer.expect("the old key stays").hears_itself().await;
    }
    let next = Key::new("2");
    issuer.publish(&[&key, &next]);
    let token = next.token(&issuer.name, "ann");
    let mut recovered = connect_in_the_end(server.address, &token).await;
    recovered.hears_itself().await;
}

#[tokio::test]
async fn a_slow_issuer_holds_up_only_who_needs_it() {
    let (key, next) = (Key::new("1"), Key::new("2"));
    let issuer = Issuer::start("accounts", &[&key]);
    let server = Running::start(&[&issuer]);
    let good = key.token(&issuer.name, "ann");
    let mut session = Client::connect(server.address, &good)
        .await
        .expect("a good token");
    issuer.hesitates();
    let token = next.token(&issuer.name, "bob");
    let address = server.address;
    let waiting = tokio::spawn(async move { connect_in_the_end(address, &token).await });
    let began = Instant::now();
    while issuer.asked() == 1 {
        assert!(began.elapsed() < 20 * MIN_REFRESH, "nobody asks");
        session.hears_itself().await;
    }
    for _ in 0..10 {
        session.hears_itself().await;
        let newcomer = Client::connect(server.address, &good).await;
        newcomer.expect("the old key stays").hears_itself().await;
    }
    assert!(!waiting.is_finished());
    issuer.publish(&[&next]);
    waiting.await.expect("no panic").hears_itself().await;
}

#[tokio::test]
async fn before_any_key_is_known_clients_are_told_to_come_back() {
    let key = Key::new("1");
    let issuer = Issuer::start("accounts", &[]);
    issuer.says(503, "");
    let server = Running::start(&[&issuer]);
    let good = key.token(&issuer.name, "ann");
    let refused = Client::connect(server.address, &good).await;
    assert_eq!(refused.err().as_deref(), Some("authentication-unavailable"));
    issuer.publish(&[&key]);
    let mut client = connect_in_the_end(server.address, &good).await;
    client.hears_itself().await;
}
