//! Events as a stream.

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
