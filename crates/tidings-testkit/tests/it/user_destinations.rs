//! Who hears what is sent to a user destination, against a model of three lines.

use std::time::Duration;

use proptest::prelude::*;
use tidings_testkit::{Command, Frame, Peer, TestServer, run};

/// Some hold what has a meaning in a destination; one is what others look like when they are escaped.
const USERS: [&str; 6] = ["ann", "a/b", "a%2Fb", "100%", "queue", "雪 雪"];
/// What clients subscribe to behind `/user/`, and whether a message to `queue/x`, `queue/y`, `news` comes there.
const SUBSCRIPTIONS: [(&str, [bool; 3]); 5] = [
    ("queue/x", [true, false, false]),
    ("queue/y", [false, true, false]),
    ("news", [false, false, true]),
    ("queue/*", [true, true, false]),
    ("**", [true, true, true]),
];
const PATHS: [&str; 3] = ["queue/x", "queue/y", "news"];

/// A client: whose it is, if anybody's, and what it has subscribed to.
#[derive(Debug, Clone)]
struct Session {
    user: Option<usize>,
    subscriptions: Vec<usize>,
}

#[derive(Debug, Clone)]
enum Whom {
    User(usize),
    /// One of the clients, by its number.
    Session(prop::sample::Index),
}

fn session() -> impl Strategy<Value = Session> {
    let user = prop::option::of(0..USERS.len());
    let all: Vec<_> = (0..SUBSCRIPTIONS.len()).collect();
    let subscriptions = prop::sample::subsequence(all, 0..=3);
    (user, subscriptions).prop_map(|(user, subscriptions)| Session {
        user,
        subscriptions,
    })
}

fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![
        3 => (0..USERS.len()).prop_map(Whom::User),
        1 => any::<prop::sample::Index>().prop_map(Whom::Session),
    ]
}

fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

async fn connected(server: &TestServer, session: &Session) -> Peer {
    let dial = server.dial();
    let dial = match session.user {
        Some(user) => dial.login(USERS[user]),
        None => dial,
    };
    let mut peer = dial.connect().await;
    for at in &session.subscriptions {
        let (path, _) = SUBSCRIPTIONS[*at];
        peer.subscribe(&format!("/user/{path}")).await;
    }
    peer
}

/// Sends, and tells how many sessions the RECEIPT says it reached.
async fn reached(sender: &mut Peer, destination: &str, body: usize) -> usize {
    let frame = Frame::new(Command::Send)
        .with_header("destination", destination)
        .with_header("receipt", "r")
        .with_body(body.to_string());
    sender.send_frame(frame).await;
    let receipt = sender.frame().await;
    let reached = receipt.header("sessions-reached");
    reached.expect("a number").parse().expect("a number")
}

/// What a client heard: the destination that it saw, and the number of the message.
async fn heard(peer: &mut Peer, count: usize) -> Vec<(String, usize)> {
    let mut heard = Vec::new();
    for _ in 0..count {
        let message = peer.message().await;
        let number = message.text().parse().expect("a number");
        heard.push((message.destination().to_owned(), number));
    }
    peer.silence(Duration::from_secs(1)).await;
    heard
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sessions_hear_what_is_for_them_and_see_what_they_subscribed_to(
        sessions in prop::collection::vec(session(), 1..6),
        messages in prop::collection::vec((whom(), 0..PATHS.len()), 0..16),
    ) {
        run(async move {
            let builder = TestServer::builder().config(|config| {
                config.server.workers = 2;
                config.broker.clients_send_to_users = true;
            });
            let server = builder.start().await;
            let mut peers = Vec::new();
            for session in &sessions {
                peers.push(connected(&server, session).await);
            }
            let mut expected = vec![Vec::new(); sessions.len()];
            let mut sender = server.connect("sender").await;
            for (number, (whom, path)) in messages.iter().enumerate() {
                let (name, is_meant): (_, Vec<bool>) = match whom {
                    Whom::User(user) => (
                        escaped(USERS[*user]),
                        sessions.iter().map(|one| one.user == Some(*user)).collect(),
                    ),
                    Whom::Session(index) => {
                        let at = index.index(sessions.len());
                        let is_meant = (0..sessions.len()).map(|one| one == at).collect();
                        (peers[at].session().to_owned(), is_meant)
                    }
                };
                let mut count = 0;
                for (at, session) in sessions.iter().enumerate() {
                    let comes = session.subscriptions.iter().filter(|one| SUBSCRIPTIONS[**one].1[*path]);
                    let comes = if is_meant[at] { comes.count() } else { 0 };
                    let seen = (format!("/user/{}", PATHS[*path]), number);
                    expected[at].extend(vec![seen; comes]);
                    count += usize::from(comes > 0);
                }
                let destination = format!("/user/{name}/{}", PATHS[*path]);
                assert_eq!(reached(&mut sender, &destination, number).await, count, "{destination}");
            }
            for (peer, expected) in peers.iter_mut().zip(expected) {
                assert_eq!(heard(peer, expected.len()).await, expected);
            }
            server.shutdown().await;
        });
    }
}
