//! Subscriptions that the application ends.

use serde_json::json;
use tidings_core::application::Event;

use crate::server::{Client, Place, Running};

fn end(server: &Running, session: &str, subscription: &str) {
    let path = format!("/api/v1/sessions/{session}/subscriptions/{subscription}");
    let answer = server.ask("DELETE", &path, None);
    assert_eq!(answer, (200, json!({"unsubscribed": 1})));
    let (status, problem) = server.ask("DELETE", &path, None);
    assert_eq!(
        (status, &problem["code"]),
        (404, &json!("unknown-subscription")),
        "it is gone"
    );
}

/// Nothing else comes before what comes now.
fn hears_nothing(client: &mut Client) {
    client.send("SEND\ndestination:/topic/nobody\nreceipt:quiet\n\n");
    client.is_told(&["RECEIPT\n", "receipt-id:quiet\n"]);
}

fn publish(server: &Running, destination: &str, body: &str) {
    let message = json!({"destination": destination, "body": body}).to_string();
    let (status, answer) = server.ask("POST", "/api/v1/messages", Some(&message));
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn nothing_more_comes_and_who_listens_to_errors_is_told_why() {
    let server = Running::start(Place::BeneathHttp);
    let (mut told, told_id) = server.client("ada");
    told.subscribe("e", "/user/queue/errors");
    let (mut silent, silent_id) = server.client("bob");
    for (client, id) in [(&mut told, &told_id), (&mut silent, &silent_id)] {
        client.subscribe("a/b", "/topic/a");
        client.subscribe("other", "/topic/a");
        end(&server, id, "a%2Fb");
    }
    told.is_told(&[
        "MESSAGE\n",
        "subscription:e\n",
        "destination:/user/queue/errors\n",
        "code:unsubscribed\n",
        "ended-subscription:a/b\n",
        "ended-destination:/topic/a\n",
    ]);
    publish(&server, "/topic/a", "news");
    for client in [&mut told, &mut silent] {
        client.is_told(&["MESSAGE\n", "subscription:other\n", "\n\nnews"]);
        hears_nothing(client);
    }
    // Who is not told any more of errors hears nothing of it.
    end(&server, &told_id, "e");
    hears_nothing(&mut told);
}

#[test]
fn a_client_that_did_not_hear_of_it_may_still_unsubscribe_and_acknowledge_once() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, id) = server.client("ada");
    client.subscribe("q", "/queue/a\nack:client-individual");
    publish(&server, "/queue/a", "held");
    let message = client.frame();
    let ack = message.lines().find_map(|line| line.strip_prefix("ack:"));
    let ack = ack.expect("it wants an acknowledgement");
    end(&server, &id, "q");
    client.send(&format!("ACK\nid:{ack}\nreceipt:late\n\n"));
    client.is_told(&["RECEIPT\n", "receipt-id:late\n"]);
    client.send("UNSUBSCRIBE\nid:q\nreceipt:u\n\n");
    client.is_told(&["RECEIPT\n", "receipt-id:u\n"]);
    // The id is free, and what was held is there again: the late ACK was for nothing.
    client.subscribe("q", "/queue/a");
    client.is_told(&["MESSAGE\n", "redelivered:true\n", "\n\nheld"]);
    client.send("UNSUBSCRIBE\nid:q\n\n");
    client.send("UNSUBSCRIBE\nid:q\n\n");
    client.is_told(&["ERROR\n", "code:unknown-subscription\n"]);
}

#[test]
fn what_the_subscription_held_goes_to_another_consumer() {
    let server = Running::start(Place::BeneathHttp);
    let (mut first, id) = server.client("ada");
    first.subscribe("q", "/queue/a\nack:client");
    publish(&server, "/queue/a", "held");
    first.is_told(&["MESSAGE\n", "\n\nheld"]);
    let (mut second, _) = server.client("bob");
    second.subscribe("q", "/queue/a");
    end(&server, &id, "q");
    second.is_told(&["MESSAGE\n", "redelivered:true\n", "\n\nheld"]);
}

#[test]
fn the_application_is_told_once() {
    let server = Running::start(Place::BeneathHttp);
    let (mut client, id) = server.client("ada");
    client.subscribe("a", "/topic/a");
    end(&server, &id, "a");
    client.send("UNSUBSCRIBE\nid:a\nreceipt:u\n\n");
    client.is_told(&["RECEIPT\n"]);
    client.disconnect();
    client.has_ended();
    let mut ended = 0;
    server.event(|event| match event {
        Event::Unsubscribed { subscription, .. } => {
            assert_eq!(subscription.as_deref(), Some("a"));
            ended += 1;
            None
        }
        Event::Disconnected { .. } => Some(()),
        _ => None,
    });
    assert_eq!(ended, 1);
}

#[test]
fn all_that_have_subscribed_to_a_destination_are_unsubscribed() {
    let server = Running::start(Place::BeneathHttp);
    let mut clients = Vec::new();
    for login in ["ada", "bob", "ada", "cy", "dan"] {
        let (mut client, _) = server.client(login);
        client.subscribe("a", "/topic/a");
        client.subscribe("b", "/topic/b");
        clients.push(client);
    }
    let ended = |query: &str| {
        let (mut ended, mut after) = (0, String::new());
        loop {
            let path = format!("/api/v1/subscriptions?{query}{after}");
            let (status, answer) = server.ask("DELETE", &path, None);
            assert_eq!(status, 200, "{answer}");
            ended += answer["unsubscribed"].as_u64().expect("a number");
            match answer["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return ended,
            }
        }
    };
    assert_eq!(ended("destination=/topic/a&user=ada&limit=1"), 2);
    assert_eq!(ended("destination=/topic/a&limit=1"), 3);
    assert_eq!(ended("destination=/topic/a"), 0);
    publish(&server, "/topic/a", "lost");
    publish(&server, "/topic/b", "heard");
    for client in &mut clients {
        client.is_told(&["subscription:b\n", "\n\nheard"]);
    }
    assert_eq!(ended("destination_prefix=/topic/"), 5);
}
