//! What handlers give, and where it goes.

use std::thread;

use serde::{Deserialize, Serialize};
use tidings::prelude::*;

use crate::running::Running;

#[derive(Deserialize, Serialize)]
struct Order {
    shares: u32,
}

#[test]
fn a_reply_without_a_destination_goes_to_the_topic_of_the_same_path() {
    let double = async |Json(order): Json<Order>| {
        Json(Order {
            shares: 2 * order.shares,
        })
    };
    let server = Running::start(Router::new().message("orders/{symbol}", double));
    let mut listener = server.client("", &["/topic/orders/*"]);
    let mut sender = server.client("", &[]);
    sender.ask("/app/orders/acme", r#"{"shares":3}"#);
    sender.is_told(&["RECEIPT\nreceipt-id:/app/orders/acme\n"]);
    listener.is_told(&[
        "MESSAGE\n",
        "destination:/topic/orders/acme\n",
        "content-type:application/json\n",
        "\n\n{\"shares\":6}",
    ]);
}

#[test]
fn placeholders_are_filled_and_several_replies_are_sent_in_order() {
    let trade = async |Path((market, symbol)): Path<(String, String)>, order: String| {
        let text = format!("{order} of {symbol} in {market}");
        (
            SendTo("/topic/trades/{symbol}/{market}", text.clone()),
            SendTo("/queue/audit", text),
        )
    };
    let server = Running::start(Router::new().message("trade/{market}/{symbol}", trade));
    let mut client = server.client("", &["/topic/trades/acme/lse", "/queue/audit"]);
    client.ask("/app/trade/lse/acme", "3");
    client.is_told(&[
        "destination:/topic/trades/acme/lse\n",
        "\n\n3 of acme in lse",
    ]);
    let frames = [client.frame(), client.frame()];
    let has = |part: &str| frames.iter().any(|frame| frame.contains(part));
    assert!(has("destination:/queue/audit\n"), "{frames:?}");
    assert!(has("RECEIPT\n"), "{frames:?}");
}

#[test]
fn a_reply_to_a_user_reaches_all_sessions_or_the_sender_or_another_user() {
    let tell = async |Path(friend): Path<String>| SendToUser("/queue/news", "told").user(friend);
    let router = Router::new()
        .message("all", async || SendToUser("/queue/news", "all of you"))
        .message("one", async || {
            SendToUser("/queue/news", "you").sender_only()
        })
        .message("tell/{friend}", tell);
    let server = Running::start(router);
    let news = &["/user/queue/news"];
    let mut first = server.client("ada", news);
    let mut second = server.client("ada", news);
    let mut bob = server.client("bob", news);
    let mut nobody = server.client("", news);

    first.ask("/app/all", "");
    first.is_told(&["destination:/user/queue/news\n", "\n\nall of you"]);
    first.is_told(&["RECEIPT\n"]);
    second.is_told(&["\n\nall of you"]);

    first.ask("/app/one", "");
    first.is_told(&["\n\nyou"]);
    first.is_told(&["RECEIPT\n"]);

    first.ask("/app/tell/bob", "");
    first.is_told(&["RECEIPT\n"]);
    bob.is_told(&["\n\ntold"]);

    nobody.ask("/app/all", "");
    nobody.is_told(&["\n\nall of you"]);
    nobody.is_told(&["RECEIPT\n"]);
    for client in [&mut first, &mut second, &mut bob, &mut nobody] {
        client.is_told_no_more();
    }
}

#[test]
fn a_subscription_is_answered_directly_and_once() {
    let holds = async |user: Option<User>| {
        let user = user.map_or("nobody".into(), |User(user)| user);
        Json(format!("what {user} holds"))
    };
    let server = Running::start(Router::new().subscribe("positions", holds));
    let mut other = server.client("bob", &["/topic/positions"]);
    let mut client = server.client("ada", &[]);
    client.send("SUBSCRIBE\nid:p\ndestination:/app/positions\nreceipt:1\n\n");
    client.is_told(&[
        "MESSAGE\nsubscription:p\n",
        "destination:/app/positions\n",
        "content-type:application/json\n",
        "\n\n\"what ada holds\"",
    ]);
    client.is_told(&["RECEIPT\nreceipt-id:1\n"]);
    client.send("UNSUBSCRIBE\nid:p\nreceipt:2\n\n");
    client.is_told(&["RECEIPT\nreceipt-id:2\n"]);
    client.is_told_no_more();
    other.is_told_no_more();
}

/// Each way to fail: where a SEND goes, with which body, and what the client reads then.
const FAILURES: [(&str, &str, &str, &str); 6] = [
    (
        "/app/order",
        r#"{"shares":"x"}"#,
        "invalid-payload",
        "the body does not fit at shares",
    ),
    ("/app/order", "", "invalid-payload", "the body is empty"),
    ("/app/seat/x", "", "invalid-destination", "x"),
    (
        "/app/orders",
        "",
        "unknown-destination",
        "the application has no SEND destination orders",
    ),
    ("/app/panic", "", "internal-error", "the handler panicked"),
    ("/app/refuse", "", "refused", "not today"),
];

fn failing() -> Router {
    Router::new()
        .message("order", async |Json(order): Json<Order>| Json(order.shares))
        .message("seat/{number}", async |Path(number): Path<u32>| {
            Json(number)
        })
        .message("panic", async || -> NoReply { panic!("as the test wants") })
        .message("refuse", async || Failure {
            reason: Reason::Refused,
            details: "not today: come back tomorrow".to_owned(),
        })
}

#[test]
fn a_failure_is_an_error_that_ends_the_session() {
    let server = Running::start(failing());
    for (destination, body, code, details) in FAILURES {
        let mut client = server.client("", &[]);
        client.ask(destination, body);
        client.is_told(&[
            "ERROR\n",
            &format!("code:{code}\n"),
            &format!("receipt-id:{destination}\n"),
            details,
        ]);
        client.is_gone();
    }
}

#[test]
fn who_listens_for_errors_stays_connected() {
    let server = Running::start(failing());
    let mut client = server.client("", &["/user/queue/errors", "/topic/seat/*"]);
    for (destination, body, code, details) in FAILURES {
        client.ask(destination, body);
        client.is_told(&[
            "MESSAGE\nsubscription:0\n",
            "destination:/user/queue/errors\n",
            &format!("code:{code}\n"),
            &format!("request-destination:{destination}\n"),
            &format!("request-receipt:{destination}\n"),
            details,
        ]);
    }
    client.ask("/app/seat/7", "");
    client.is_told(&["MESSAGE\nsubscription:1\n", "\n\n7"]);
    client.is_told(&["RECEIPT\n"]);
}

#[test]
fn an_answer_that_the_broker_does_not_take_is_no_success() {
    let astray = async || {
        (
            SendTo("/nowhere/a", "astray"),
            SendTo("/topic/a", "on its way"),
        )
    };
    let queue = async || SendTo("/queue/{name}", "work");
    let router = Router::new()
        .message("astray", astray)
        .message("queue/{name}", queue);
    let server = Running::start_with(router, |config| config.queue.max_queues = 1);
    let mut client = server.client("", &["/user/queue/errors", "/topic/a"]);
    client.ask("/app/astray", "");
    client.is_told(&["subscription:1\n", "\n\non its way"]);
    client.is_told(&[
        "subscription:0\n",
        "code:application-failed\n",
        "the destination starts with no known prefix",
    ]);
    client.ask("/app/queue/a", "");
    client.is_told(&["RECEIPT\n"]);
    client.ask("/app/queue/b", "");
    client.is_told(&["subscription:0\n", "code:too-many-queues\n"]);
}

#[test]
fn the_template_sends_from_other_threads_and_says_how_many_it_reached() {
    let server = Running::start(Router::new());
    let mut clients = [(); 2].map(|()| server.client("ada", &["/topic/a", "/user/queue/b"]));
    let template = server.template.clone();
    let sender = thread::spawn(move || {
        template.send("/topic/a", Json(1)).expect("a topic");
        let reached = template.send_to_user("ada", "/queue/b", "for you");
        (
            reached.expect("a path"),
            template
                .send_to_user("eve", "/queue/b", "")
                .expect("a path"),
            template.send("/nowhere", "").is_err(),
        )
    });
    assert_eq!(sender.join().expect("no panic"), (2, 0, true));
    for client in &mut clients {
        client.is_told(&["destination:/topic/a\n", "\n\n1"]);
        client.is_told(&["destination:/user/queue/b\n", "\n\nfor you"]);
    }
}

#[test]
fn what_a_session_sends_is_answered_in_its_order() {
    const MESSAGES: u32 = 1_000;
    // Every third answer comes later than at once.
    let echo = async |Json(number): Json<u32>| {
        if number.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
        Json(number)
    };
    let server = Running::start(Router::new().message("echo", echo));
    let mut listener = server.client("", &["/topic/echo"]);
    let mut sender = server.client("", &[]);
    for number in 0..MESSAGES {
        sender.send(&format!("SEND\ndestination:/app/echo\n\n{number}"));
    }
    for number in 0..MESSAGES {
        let frame = listener.frame();
        assert!(frame.ends_with(&format!("\n\n{number}")), "{frame:?}");
    }
}

#[test]
fn what_a_client_writes_into_a_variable_opens_no_other_destination() {
    let note = async |body: String| (SendTo("/topic/notes/{name}", body), NoReply);
    let server = Running::start(Router::new().message("note/{name}", note));
    let mut listener = server.client("", &["/topic/notes/a", "/topic/notes/{x}"]);
    let mut client = server.client("", &[]);
    client.ask("/app/note/*", "to all");
    client.is_told(&["ERROR\n", "code:invalid-destination\n"]);
    let mut client = server.client("", &[]);
    client.ask("/app/note/{x}", "a brace");
    client.is_told(&["RECEIPT\n"]);
    listener.is_told(&["destination:/topic/notes/{x}\n", "\n\na brace"]);
    listener.is_told_no_more();
}
