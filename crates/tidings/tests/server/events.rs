//! Events as hooks and as a stream.

use std::sync::{Arc, OnceLock};

use tidings::prelude::*;

use crate::running::Running;

#[test]
fn a_session_is_heard_from_its_connect_to_its_end() {
    let (listener, mut events) = EventStream::new(100);
    let router = Router::new().subscribe("news", async || "none");
    let server = Running::start(router.on_event(listener));
    let mut client = server.client("ann", &["/topic/a"]);
    // What the application answers itself is no subscription to the broker, and no event.
    for id in ["news", "more"] {
        client.send(&format!("SUBSCRIBE\nid:{id}\ndestination:/app/news\n\n"));
        client.is_told(&["\n\nnone"]);
    }
    for id in ["news", "0"] {
        client.send(&format!("UNSUBSCRIBE\nid:{id}\n\n"));
    }
    client.send("DISCONNECT\n\n");
    client.is_gone();
    drop(server);
    let mut heard = Vec::new();
    pollster::block_on(async {
        while let Some(event) = events.next().await {
            heard.push(match event {
                Event::Connect { .. } => "connect",
                Event::Connected { .. } => "connected",
                Event::Subscribed { .. } => "subscribed",
                Event::Unsubscribed { .. } => "unsubscribed",
                Event::Disconnected { .. } => "disconnected",
                _ => "another",
            });
        }
    });
    assert_eq!(
        heard,
        [
            "connect",
            "connected",
            "subscribed",
            "unsubscribed",
            "disconnected"
        ]
    );
    assert_eq!(events.missed(), 0);
}

#[test]
fn what_is_sent_when_a_subscription_is_heard_of_reaches_it() {
    let template = Arc::new(OnceLock::<MessagingTemplate>::new());
    let known = Arc::clone(&template);
    let greet = move |event: &Event| {
        let (
            Event::Subscribed {
                session,
                destination,
                ..
            },
            Some(template),
        ) = (event, known.get())
        else {
            return;
        };
        match destination.strip_prefix("/user") {
            Some(path) => {
                let reached = template.send_to_session(&session.id, path, "for you");
                assert_eq!(reached.expect("a path"), 1);
            }
            None => template.send(destination, "for all").expect("a topic"),
        }
    };
    let server = Running::start(Router::new().on_event(greet));
    assert!(template.set(server.template.clone()).is_ok());
    let mut client = server.client("", &[]);
    for (destination, body) in [("/user/queue/a", "for you"), ("/topic/a", "for all")] {
        client.send(&format!("SUBSCRIBE\nid:1\ndestination:{destination}\n\n"));
        client.is_told(&["MESSAGE\n", "subscription:1\n", body]);
        client.send("UNSUBSCRIBE\nid:1\n\n");
    }
}
