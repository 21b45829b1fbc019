//! What was allowed once is asked for again: rights may be lost between a frame and what comes of it.

use std::time::Duration;

use tidings_testkit::{Command, Frame, Peer, TestServer, run};

use crate::world::{bearer, of_tokens, token};

const SECOND: Duration = Duration::from_secs(1);

fn in_transaction(destination: &str) -> Frame {
    Frame::new(Command::Send)
        .with_header("destination", destination)
        .with_header("transaction", "t")
}

fn of_transaction(command: Command) -> Frame {
    Frame::new(command).with_header("transaction", "t")
}

async fn member(server: &TestServer, name: &str) -> Peer {
    let dial = server.dial().header("error-mode", "continue");
    bearer(dial, &token(name, &["staff"], &["red"]))
        .connect()
        .await
}

async fn renew(peer: &mut Peer, token: &str) {
    let frame = Frame::new(Command::Send)
        .with_header("destination", "/session/token")
        .with_header("Authorization", &format!("Bearer {token}"));
    peer.confirm(frame).await;
}

#[test]
fn a_commit_sends_nothing_where_the_right_to_one_of_its_frames_was_lost() {
    run(async {
        let server = of_tokens().start().await;
        let mut reader = member(&server, "bob").await;
        reader.subscribe("/topic/team/red/chat").await;
        reader.subscribe("/queue/jobs").await;
        let mut sender = member(&server, "ann").await;
        sender.confirm(of_transaction(Command::Begin)).await;
        for destination in ["/queue/jobs", "/topic/team/red/chat"] {
            sender.confirm(in_transaction(destination)).await;
        }
        renew(&mut sender, &token("ann", &[], &[])).await;
        let commit = of_transaction(Command::Commit).with_header("receipt", "c");
        sender.send_frame(commit.clone()).await;
        let error = sender.frame().await;
        assert_eq!(error.header("code"), Some("forbidden"));
        assert_eq!(error.header("receipt-id"), Some("c"));
        reader.silence(SECOND).await;
        // It is gone, with all that it held.
        sender.send_frame(commit).await;
        assert_eq!(
            sender.frame().await.header("code"),
            Some("unknown-transaction")
        );
    });
}

#[test]
fn a_commit_asks_the_rules_of_its_own_time() {
    run(async {
        let mut server = of_tokens().start().await;
        let mut reader = member(&server, "bob").await;
        reader.subscribe("/topic/team/red/chat").await;
        let mut sender = server.dial();
        sender = bearer(sender, &token("ann", &[], &["red"]));
        let mut sender = sender.connect().await;
        sender.confirm(of_transaction(Command::Begin)).await;
        sender.confirm(in_transaction("/topic/team/red/chat")).await;
        let reloaded = server.reload(|config| {
            config
                .security
                .rules
                .insert(0, "deny send if user = ann".to_owned());
        });
        reloaded.expect("good rules");
        sender.send_frame(of_transaction(Command::Commit)).await;
        assert_eq!(sender.error().await.code(), "forbidden");
        reader.silence(SECOND).await;
    });
}

#[test]
fn a_commit_to_another_user_is_asked_for_under_the_name_that_was_written() {
    run(async {
        let mut server = of_tokens().start().await;
        let mut bob = member(&server, "bob").await;
        bob.subscribe("/user/queue/greetings").await;
        let mut ann = member(&server, "ann").await;
        ann.confirm(of_transaction(Command::Begin)).await;
        ann.confirm(in_transaction("/user/bob/queue/greetings"))
            .await;
        let denied = server.reload(|config| {
            config
                .security
                .rules
                .insert(0, "deny send /user/bob/**".to_owned());
        });
        denied.expect("good rules");
        let commit = of_transaction(Command::Commit).with_header("receipt", "c");
        ann.send_frame(commit).await;
        assert_eq!(ann.frame().await.header("code"), Some("forbidden"));
        bob.silence(SECOND).await;
    });
}

/// A SEND with `reply-to` subscribes its client to a queue of replies, without a SUBSCRIBE.
#[test]
fn reply_to_is_no_way_around_the_rules_of_subscribe() {
    run(async {
        let server = of_tokens()
            .config(|config| {
                let deny = "deny subscribe /temp-queue/**".to_owned();
                config.security.rules.insert(0, deny);
            })
            .start()
            .await;
        let mut ann = member(&server, "ann").await;
        let send = Frame::new(Command::Send)
            .with_header("destination", "/topic/team/red/chat")
            .with_header("reply-to", "/temp-queue/mine");
        ann.send_frame(send).await;
        assert_eq!(ann.frame().await.header("code"), Some("forbidden"));
        let subscribe = Frame::new(Command::Subscribe)
            .with_header("id", "1")
            .with_header("destination", "/temp-queue/mine");
        ann.send_frame(subscribe).await;
        assert_eq!(ann.frame().await.header("code"), Some("forbidden"));
    });
}
