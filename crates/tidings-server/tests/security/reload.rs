//! What changes while the server runs.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tidings_server::config::{AuthenticatorKind, JwtIssuer, KeySource, Secret};
use tidings_testkit::{Command, Frame, Link, Peer, TestServer, run};

use crate::world::{PASSCODE, RULES, bearer, lines, of_tokens, secure, token};

/// A file that goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("tidings-security-{name}-{}", std::process::id());
        let file = Self(std::env::temp_dir().join(name));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).expect("the folder can be written");
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // Left behind, it is in nobody's way.
        let _ = fs::remove_file(&self.0);
    }
}

fn refuses(mut server: TestServer, rules: &[&str]) -> TestServer {
    let reloaded = server.reload(|config| config.security.rules = lines(rules));
    reloaded.expect_err("they can't be read");
    server
}

async fn is_refused(peer: &mut Peer, destination: &str) {
    peer.send_frame(
        Frame::new(Command::Send)
            .with_header("destination", destination)
            .with_header("receipt", "r"),
    )
    .await;
    assert_eq!(peer.frame().await.header("code"), Some("forbidden"));
}

#[test]
fn sessions_are_checked_anew_and_end_where_they_may_not_be() {
    for link in Link::ALL {
        run(async {
            let mut server = of_tokens().start().await;
            let dial = |name: &str| bearer(server.dial().over(link), &token(name, &[], &["red"]));
            let (ann, bob) = (dial("ann"), dial("bob").header("error-mode", "continue"));
            let (mut ann, mut bob) = (ann.connect().await, bob.connect().await);
            bob.subscribe("/user/queue/errors").await;
            let ended = bob.subscribe("/topic/team/red/*").await;
            let stays = bob.subscribe("/topic/prices/eur").await;
            let reloaded = server.reload(|config| {
                let rules = ["deny connect if user = ann", "deny any /topic/team/red/b"];
                config.security.rules = lines(&[&rules, RULES].concat());
            });
            reloaded.expect("good rules");
            assert_eq!(ann.error().await.code(), "forbidden");
            let told = bob.message().await;
            assert_eq!(told.header("code"), Some("forbidden"));
            assert_eq!(told.header("ended-subscription"), Some(&*ended));
            for destination in [
                "/topic/team/red/a",
                "/topic/team/red/b",
                "/topic/prices/eur",
            ] {
                let sent = server.broker().send(destination, Default::default());
                sent.expect("a topic");
            }
            assert_eq!(bob.message().await.subscription(), stays);
            is_refused(&mut bob, "/topic/team/red/b").await;
            bob.silence(Duration::from_secs(1)).await;
        });
    }
}

#[test]
fn bad_rules_keep_the_old_ones() {
    run(async {
        let server = of_tokens().start().await;
        let dial = bearer(server.dial(), &token("ann", &[], &["red"]));
        let mut ann = dial.header("error-mode", "continue").connect().await;
        let id = ann.subscribe("/topic/team/red/a").await;
        let server = refuses(server, &["allow any", "allow anything at all"]);
        is_refused(&mut ann, "/topic/elsewhere").await;
        ann.send("/topic/team/red/a", "as before").await;
        assert_eq!(ann.message().await.subscription(), id);
        drop(server);
    });
}

#[test]
fn users_change_and_a_bad_file_keeps_those_that_were() {
    run(async {
        let hash = |passcode| tidings_auth::users::hash(passcode).expect("a hash");
        let file = File::new("reloaded-users", &format!("ann:{}", hash(PASSCODE)));
        let mut server = TestServer::builder()
            .config(|config| {
                secure(config, &[AuthenticatorKind::Users]);
                config.users.file = Some(file.0.clone());
            })
            .start()
            .await;
        let dial = server.dial();
        let log_in = |name: &str, code: &str| dial.clone().login(name).header("passcode", code);
        let mut ann = log_in("ann", PASSCODE).connect().await;
        assert_eq!(
            log_in("bob", "his").refused().await.code(),
            "bad-credentials"
        );

        file.write("bob:no hash");
        server.reload(|_| ()).expect_err("it can't be read");
        drop(log_in("ann", PASSCODE).connect().await);

        file.write(&format!("bob:{}", hash("his")));
        server.reload(|_| ()).expect("a good file");
        drop(log_in("bob", "his").connect().await);
        assert_eq!(
            log_in("ann", PASSCODE).refused().await.code(),
            "bad-credentials"
        );
        // Who is in stays in: what proved it was good then, and says not how long.
        ann.send("/user/ann/queue/notes", "").await;
        ann.silence(Duration::from_secs(1)).await;
    });
}

#[test]
fn keys_change_and_bad_ones_keep_those_that_were() {
    run(async {
        let mut server = of_tokens().start().await;
        let dial = server.dial();
        let old = token("ann", &[], &[]);
        server
            .reload(|config| config.jwt.secret = Some(Secret("too short".to_owned())))
            .expect_err("it is weak");
        let nowhere = File::new("keys", "no keys");
        server
            .reload(|config| {
                config.jwt.issuers = vec![JwtIssuer {
                    issuer: "https://issuer.example".to_owned(),
                    keys: KeySource::File(nowhere.0.clone()),
                }];
            })
            .expect_err("there are none");
        let mut stays = bearer(dial.clone(), &old).connect().await;
        let next = "the next secret, of thirty-two bytes or more";
        server
            .reload(|config| config.jwt.secret = Some(Secret(next.to_owned())))
            .expect("it is long enough");
        assert_eq!(bearer(dial, &old).refused().await.code(), "bad-credentials");
        stays.silence(Duration::from_secs(1)).await;
    });
}

#[test]
fn however_many_there_are_each_is_checked_anew() {
    run(async {
        let builder = of_tokens().config(|config| config.server.workers = 1);
        let mut server = builder.start().await;
        let mut peers = Vec::new();
        // More than are checked at one go.
        for _ in 0..4 {
            let dial = bearer(server.dial(), &token("ann", &[], &[]));
            let mut peer = dial.connect().await;
            peer.subscribe("/user/queue/errors").await;
            for number in 0..500 {
                peer.subscribe(&format!("/topic/prices/{number}")).await;
            }
            peers.push(peer);
        }
        let reloaded = server.reload(|config| {
            let rules = ["deny any /topic/prices/499"];
            config.security.rules = lines(&[&rules, RULES].concat());
        });
        reloaded.expect("good rules");
        for peer in &mut peers {
            let told = peer.message().await;
            assert_eq!(told.header("ended-destination"), Some("/topic/prices/499"));
            peer.silence(Duration::from_secs(1)).await;
        }
    });
}
