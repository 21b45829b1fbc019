//! Back ends that are asked before clients connect and subscribe.

use std::sync::mpsc;

use tidings_server::config::Webhook;

use crate::back_end::{self, Reply, Seen, answer};
use crate::server::{Client, Running, routed};

/// One back end for all.
fn asking(script: impl Fn(Seen) -> Reply + Send + Sync + 'static) -> Webhook {
    let back_end = back_end::start(script);
    Webhook {
        connect_url: Some(format!("http://{back_end}/connect")),
        subscribe_url: Some(format!("http://{back_end}/subscribe")),
        ..routed(back_end)
    }
}

fn connect(client: &mut Client, headers: &str) {
    client.send(&format!("CONNECT\naccept-version:1.2\nhost:x\n{headers}\n"));
}

fn forbidden(detail: &str) -> Reply {
    let problem = format!(r#"{{"detail":"{detail}"}}"#);
    answer(
        "403 Forbidden",
        "content-type: application/problem+json\r\n",
        &problem,
    )
}

#[test]
fn a_client_connects_as_whom_the_back_end_says() {
    let (tell, told) = mpsc::channel();
    let server = Running::start(asking(move |seen| {
        let is_right = seen.is_genuine()
            && seen.header("tidings-kind") == "may-connect"
            && seen.path == "/connect";
        tell.send((is_right, seen.header("tidings-stomp-headers").to_owned()))
            .expect("the test listens");
        match seen
            .header("tidings-stomp-headers")
            .contains("passcode=token")
        {
            true => answer("204 No Content", "tidings-user: an%C3%A9\r\n", ""),
            false => forbidden("this token is nobody's: log in again"),
        }
    }));
    let mut client = server.dial();
    connect(&mut client, "login:x\npasscode:token\n");
    client.is_told(&["CONNECTED\n", "user-name:ané\n"]);
    let (is_right, headers) = told.recv().expect("it was asked");
    assert!(is_right && headers.contains("login=x&"), "{headers}");

    let mut stranger = server.dial();
    connect(&mut stranger, "");
    stranger.is_told(&[
        "ERROR\n",
        "code:refused\n",
        "message:this token is nobody's\n",
        "log in again",
    ]);
    stranger.is_gone();
}

#[test]
fn a_subscription_to_the_broker_is_asked_about_and_one_to_the_application_only_answered() {
    let server = Running::start(asking(|seen| {
        match (
            seen.header("tidings-kind"),
            seen.header("tidings-destination"),
        ) {
            ("may-subscribe", "/topic/closed") => forbidden("closed to you"),
            ("may-subscribe", "/app/answer") => forbidden("nobody is asked about this"),
            ("subscribe", _) => answer("200 OK", "", "answered"),
            _ => answer("204 No Content", "", ""),
        }
    }));
    let mut client = server.client("ada");
    client.subscribe("e", "/user/queue/errors");
    client.subscribe("o", "/topic/open");
    client.send("SUBSCRIBE\nid:c\ndestination:/topic/closed\nreceipt:c\n\n");
    client.is_told(&[
        "destination:/user/queue/errors\n",
        "code:refused\n",
        "request-destination:/topic/closed\n",
        "request-receipt:c\n",
        "closed to you",
    ]);
    client.send("SUBSCRIBE\nid:a\ndestination:/app/answer\n\n");
    client.is_told(&["subscription:a\n", "\n\nanswered"]);
}

#[test]
fn a_back_end_that_is_out_of_order_lets_nobody_in_and_says_come_back() {
    let server = Running::start(asking(|_| answer("500 Internal Server Error", "", "oh")));
    let mut client = server.dial();
    connect(&mut client, "login:ada\n");
    client.is_told(&["ERROR\n", "code:application-unavailable\n"]);
    client.is_gone();

    let back_end = back_end::start(|_| Reply::Then(Vec::new()));
    let server = Running::start(Webhook {
        connect_url: Some(format!("http://{back_end}/connect")),
        retries: 0,
        ..routed(back_end)
    });
    let mut client = server.dial();
    connect(&mut client, "login:ada\n");
    client.is_told(&["ERROR\n", "code:application-unavailable\n"]);
    client.is_gone();
}
