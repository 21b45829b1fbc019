//! Requests of the application to clients, and how many it reaches.

use std::sync::Arc;
use std::time::Duration;

use tidings::prelude::*;
use tidings::template::RequestError;
use tidings_core::application::ReplyError;
use tokio::runtime::Runtime;

use crate::running::{Client, PATIENCE, Running};

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// The value of a header of a frame.
fn header(frame: &str, name: &str) -> String {
    let mut lines = frame.lines();
    let value = lines.find_map(|line| line.strip_prefix(&format!("{name}:")));
    value.expect("the header").to_owned()
}

fn reply(client: &mut Client, body: &str) {
    let question = client.frame();
    let to = header(&question, "reply-to");
    client.send(&format!(
        "SEND\ndestination:{to}\nmood:good\nreceipt:replied\n\n{body}"
    ));
    client.is_told(&["RECEIPT\nreceipt-id:replied\n"]);
}

#[test]
fn a_user_is_asked_and_the_first_reply_counts() {
    let server = Running::start(Router::new());
    let mut sessions = [
        server.client("ann", &["/user/queue/questions"]),
        server.client("ann", &["/user/queue/questions"]),
    ];
    let template = server.template.clone();
    let runtime = runtime();
    let asked = runtime.spawn(async move {
        let question = template.request_user("ann", "/queue/questions", "shall we?", PATIENCE);
        question.await
    });
    for (client, answer) in sessions.iter_mut().zip(["yes", "no"]) {
        reply(client, answer);
    }
    let reply = runtime.block_on(asked).expect("it ran").expect("a reply");
    assert_eq!(
        (&*reply.body, reply.headers.get("mood")),
        (&b"yes"[..], Some("good"))
    );
}

#[test]
fn only_who_was_asked_may_reply() {
    let server = Running::start(Router::new());
    let mut ann = server.client("ann", &["/user/queue/questions"]);
    let mut eve = server.client("eve", &[]);
    let template = server.template.clone();
    let runtime = runtime();
    let asked = runtime.spawn(async move {
        let question = template.request_user("ann", "/queue/questions", "shall we?", PATIENCE);
        question.await
    });
    let question = ann.frame();
    let to = header(&question, "reply-to");
    eve.send(&format!("SEND\ndestination:{to}\nreceipt:1\n\nno"));
    eve.is_told(&["RECEIPT\n"]);
    ann.send(&format!("SEND\ndestination:{to}\n\nyes"));
    let reply = runtime.block_on(asked).expect("it ran").expect("a reply");
    assert_eq!(reply.body, "yes");
}

#[test]
fn who_does_not_listen_or_reply_is_not_waited_for_longer() {
    let server = Running::start_with(Router::new(), |config| {
        config.application.max_pending_replies = 1;
    });
    let _ann = server.client("ann", &["/user/queue/questions"]);
    let template = server.template.clone();
    let ask = |user: &'static str, deadline| {
        let template = template.clone();
        async move {
            let question = template.request_user(user, "/queue/questions", "?", deadline);
            match question.await {
                Err(RequestError::Reply(error)) => error,
                other => panic!("no such thing as {other:?}"),
            }
        }
    };
    let short = Duration::from_millis(50);
    let runtime = runtime();
    assert_eq!(
        runtime.block_on(ask("bob", PATIENCE)),
        ReplyError::NobodyReached
    );
    assert_eq!(
        runtime.block_on(ask("ann", short)),
        ReplyError::TimedOut(short)
    );
    // The one that timed out is forgotten; while one waits, there is room for no other.
    let waiting = ask("ann", short);
    runtime.block_on(async {
        let mut waiting = std::pin::pin!(waiting);
        let first = std::future::poll_fn(|context| {
            std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
        });
        assert!(first.await);
        assert_eq!(ask("ann", PATIENCE).await, ReplyError::TooMany(1));
        assert_eq!(waiting.await, ReplyError::TimedOut(short));
    });
}

#[test]
fn a_message_tells_how_many_sessions_it_reached() {
    let server = Running::start(Router::new());
    let _clients = [
        server.client("", &["/topic/a", "/topic/*"]),
        server.client("", &["/topic/a"]),
        server.client("", &["/topic/b"]),
    ];
    let reached = |destination: &str| {
        let sent = server.template.send_counted(destination, "hello");
        pollster::block_on(sent).expect("it is sent")
    };
    assert_eq!(reached("/topic/a"), 2);
    assert_eq!(reached("/topic/b"), 2);
    assert_eq!(reached("/topic/c"), 1);
    assert_eq!(reached("/queue/a"), 0);
}

#[test]
fn the_template_works_within_a_handler() {
    let (sender, template) = std::sync::mpsc::channel::<MessagingTemplate>();
    let template = Arc::new(std::sync::Mutex::new(template));
    let ask = async move |session: SessionId| {
        let template = template
            .lock()
            .expect("nobody panics")
            .recv()
            .expect("it is sent");
        let asked = template.request_session(&session.0, "/queue/questions", "sure?", PATIENCE);
        match asked.await {
            Ok(reply) => SendToUser("/queue/done", reply.body).sender_only(),
            Err(_) => SendToUser("/queue/done", Bytes::from_static(b"no reply")).sender_only(),
        }
    };
    let server = Running::start(Router::new().message("ask", parallel(ask)));
    sender.send(server.template.clone()).expect("it listens");
    let mut client = server.client("", &["/user/queue/questions", "/user/queue/done"]);
    client.ask("/app/ask", "");
    reply(&mut client, "sure");
    client.is_told(&["destination:/user/queue/done\n", "\n\nsure"]);
}

/// What becomes of a request whose client does what it is told: `to` is where it replies.
fn replied(act: impl FnOnce(&mut Client, &str)) -> Result<Bytes, RequestError> {
    let server = Running::start(Router::new());
    let mut client = server.client("ann", &["/user/queue/questions"]);
    let template = server.template.clone();
    let runtime = runtime();
    let asked = runtime.spawn(async move {
        let deadline = Duration::from_secs(1);
        let question = template.request_user("ann", "/queue/questions", "?", deadline);
        question.await.map(|reply| reply.body)
    });
    let to = header(&client.frame(), "reply-to");
    act(&mut client, &to);
    runtime.block_on(asked).expect("it ran")
}

#[test]
fn a_reply_in_a_transaction_counts_when_that_is_committed() {
    let send = |client: &mut Client, to: &str, end: &str| {
        client.send("BEGIN\ntransaction:t\n\n");
        client.send(&format!("SEND\ndestination:{to}\ntransaction:t\n\nyes"));
        client.send(&format!("{end}\ntransaction:t\nreceipt:{end}\n\n"));
        client.is_told(&["RECEIPT\n"]);
    };
    let committed = replied(|client, to| send(client, to, "COMMIT"));
    assert_eq!(committed.expect("a reply"), "yes");
    let aborted = replied(|client, to| send(client, to, "ABORT"));
    assert!(aborted.is_err());
}

#[test]
fn a_reply_may_be_large_and_a_second_one_is_lost_and_harms_nobody() {
    let large = "x".repeat(1 << 20);
    let got = replied(|client, to| {
        client.send(&format!("SEND\ndestination:{to}\nreceipt:1\n\n{large}"));
        client.send(&format!("SEND\ndestination:{to}\nreceipt:2\n\nagain"));
        for receipt in ["1", "2"] {
            client.is_told(&[&format!("RECEIPT\nreceipt-id:{receipt}\n")]);
        }
    });
    assert_eq!(got.expect("a reply").len(), large.len());
}

#[test]
fn who_goes_before_it_replies_is_waited_for_no_longer_than_the_deadline() {
    let gone = replied(|client, _| {
        client.send("DISCONNECT\nreceipt:bye\n\n");
        client.is_told(&["receipt-id:bye\n"]);
    });
    let expected = ReplyError::TimedOut(Duration::from_secs(1));
    assert!(matches!(gone, Err(RequestError::Reply(error)) if error == expected));
}

#[test]
fn nothing_is_reached_or_waited_for_once_the_server_has_ended() {
    let server = Running::start(Router::new());
    let template = server.template.clone();
    let _client = server.client("", &["/topic/a"]);
    drop(server);
    let sent = template.send_counted("/topic/a", "hello");
    assert_eq!(pollster::block_on(sent).ok(), Some(0));
}
