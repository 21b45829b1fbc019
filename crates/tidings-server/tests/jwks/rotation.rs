//! A key gives way to the next while everybody talks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::issuer::{Issuer, Key};
use crate::server::{MIN_REFRESH, Running};

const SESSIONS: usize = 200;
/// Sessions that hear each other.
const TEAM: usize = 10;

/// Sessions that publish and receive without a pause.
struct Load {
    sessions: JoinSet<u64>,
    is_over: Arc<AtomicBool>,
    progress: watch::Receiver<u64>,
}

impl Load {
    async fn start(address: SocketAddr, issuer: &Issuer, key: &Key) -> Self {
        let mut clients = Vec::new();
        for number in 0..SESSIONS {
            let token = key.token(&issuer.name, &format!("user-{number}"));
            let mut client = Client::connect(address, &token)
                .await
                .expect("a good token");
            client.subscribe(&topic(number)).await;
            clients.push(client);
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let (said, progress) = watch::channel(0);
        let mut sessions = JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            let said = (number == 0).then(|| said.clone());
            sessions.spawn(talk(client, number, Arc::clone(&is_over), said));
        }
        Self {
            sessions,
            is_over,
            progress,
        }
    }

    /// Goes on until this holds.
    async fn goes_on_until(&mut self, holds: impl Fn() -> bool) {
        while !holds() {
            self.progress.changed().await.expect("it talks");
        }
    }

    /// How many messages each session was sent; none was lost.
    async fn ends(self) -> Vec<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        self.sessions.join_all().await
    }
}

fn topic(number: usize) -> String {
    format!("/topic/team/{}", number / TEAM)
}

/// Says the next number when it hears its last one, and checks that it hears every number of everybody in its team.
async fn talk(
    mut client: Client,
    number: usize,
    is_over: Arc<AtomicBool>,
    said: Option<watch::Sender<u64>>,
) -> u64 {
    let (topic, me) = (topic(number), number % TEAM);
    let mut next = [0; TEAM];
    let (mut talking, mut is_last) = (TEAM, false);
    client.publish(&topic, &format!("{me} 0")).await;
    while talking > 0 {
        let message = client.message().await;
        let (who, word) = message.split_once(' ').expect("two words");
        let who: usize = who.parse().expect("a number");
        if word == "end" {
            talking -= 1;
            continue;
        }
        assert_eq!(word, next[who].to_string(), "of {who}");
        next[who] += 1;
        if who != me || is_last {
            continue;
        }
        if let Some(said) = &said {
            said.send_replace(next[me]);
        }
        is_last = is_over.load(Ordering::Relaxed);
        let word = match is_last {
            true => "end".to_owned(),
            false => next[me].to_string(),
        };
        client.publish(&topic, &format!("{me} {word}")).await;
    }
    next.iter().sum()
}

/// As many as are connected in the end.
async fn all_connect(address: SocketAddr, tokens: Vec<String>) -> Vec<Result<Client, String>> {
    let mut clients = JoinSet::new();
    for token in tokens {
        clients.spawn(async move { Client::connect(address, &token).await });
    }
    clients.join_all().await
}

#[tokio::test]
async fn a_rotation_under_load_loses_no_session_and_no_message() {
    let (first, second) = (Key::new("1"), Key::new("2"));
    let issuer = Issuer::start("accounts", &[&first]);
    let began = Instant::now();
    let server = Running::start(&[&issuer]);
    let mut load = Load::start(server.address, &issuer, &first).await;
    load.goes_on_until(|| began.elapsed() > MIN_REFRESH).await;
    assert_eq!(issuer.asked(), 1);

    issuer.hesitates();
    let tokens: Vec<_> = (0..50)
        .map(|number| second.token(&issuer.name, &format!("new-{number}")))
        .collect();
    let newcomers = tokio::spawn(all_connect(server.address, tokens));
    load.goes_on_until(|| issuer.asked() == 2).await;
    issuer.publish(&[&second]);
    for newcomer in newcomers.await.expect("no panic") {
        newcomer.expect("the new key is known").hears_itself().await;
    }
    assert_eq!(issuer.asked(), 2, "one question for all of them");

    let late = Client::connect(server.address, &first.token(&issuer.name, "late")).await;
    // Its key is gone; until the issuer may be asked again, it could be a new one as well.
    let codes = [Some("bad-credentials"), Some("authentication-unavailable")];
    let late = late.err();
    assert!(codes.contains(&late.as_deref()), "{late:?}");
    for sent in load.ends().await {
        assert!(sent > 0);
    }
}

#[tokio::test]
async fn forged_keys_let_the_server_ask_no_more_often_than_it_may() {
    let (key, forger) = (Key::new("1"), Key::new("forged"));
    let issuer = Issuer::start("accounts", &[&key]);
    let began = Instant::now();
    let server = Running::start(&[&issuer]);
    let mut load = Load::start(server.address, &issuer, &key).await;
    let mut refused = 0;
    while began.elapsed() < 3 * MIN_REFRESH {
        let forged = (0..50)
            .map(|_| forger.token(&issuer.name, "root"))
            .collect();
        for answer in all_connect(server.address, forged).await {
            // Until it was fetched again, the key may be a newer one.
            let code = answer.err();
            let codes = [Some("bad-credentials"), Some("authentication-unavailable")];
            assert!(codes.contains(&code.as_deref()), "{code:?}");
            refused += 1;
        }
        let good = key.token(&issuer.name, "ann");
        let mut good = Client::connect(server.address, &good)
            .await
            .expect("a good token");
        good.hears_itself().await;
        load.progress.changed().await.expect("it talks");
    }
    let most = 1 + began.elapsed().as_millis() / MIN_REFRESH.as_millis();
    let asked = issuer.asked();
    assert!(asked > 1 && asked as u128 <= most, "{asked} for {refused}");
    load.ends().await;
}

#[tokio::test]
async fn the_same_kid_of_two_issuers_is_two_keys() {
    let (ours, theirs) = (Key::new("1"), Key::new("1"));
    let ourselves = Issuer::start("ours", &[&ours]);
    let others = Issuer::start("theirs", &[&theirs]);
    let server = Running::start(&[&ourselves, &others]);
    for (key, issuer) in [(&ours, "ours"), (&theirs, "theirs")] {
        let connected = Client::connect(server.address, &key.token(issuer, "ann")).await;
        connected.expect("its own key").hears_itself().await;
    }
    for (key, issuer) in [(&ours, "theirs"), (&theirs, "ours"), (&ours, "nobody")] {
        let refused = Client::connect(server.address, &key.token(issuer, "ann")).await;
        assert_eq!(
            refused.err().as_deref(),
            Some("bad-credentials"),
            "{issuer}"
        );
    }
    // The one changes, and the other stays as it is.
    let next = Key::new("2");
    ourselves.publish(&[&next]);
    let newcomer = connect_in_the_end(server.address, &next.token("ours", "ann")).await;
    let stays = Client::connect(server.address, &theirs.token("theirs", "bob")).await;
    for mut client in [newcomer, stays.expect("its own key")] {
        client.hears_itself().await;
    }
    let stranger = Client::connect(server.address, &next.token("theirs", "ann")).await;
    assert_eq!(stranger.err().as_deref(), Some("bad-credentials"));
}

/// Comes again until it is let in.
pub(crate) async fn connect_in_the_end(address: SocketAddr, token: &str) -> Client {
    let began = Instant::now();
    loop {
        match Client::connect(address, token).await {
            Ok(client) => return client,
            Err(code) => assert!(began.elapsed() < crate::server::PATIENCE, "{code}"),
        }
    }
}
