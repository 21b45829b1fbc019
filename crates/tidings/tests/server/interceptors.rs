//! What stands in the way of frames and messages.

use std::sync::{Arc, Mutex, mpsc};

use tidings::prelude::*;
use tokio::sync::Semaphore;

use crate::running::{PATIENCE, Running};

fn refused(details: &str) -> Failure {
    Failure {
        reason: Reason::Refused,
        details: details.to_owned(),
    }
}

fn changed(frame: &Frame, header: &str, value: &str) -> Headers {
    let kept = frame.headers.iter().filter(|(name, _)| *name != header);
    let mut headers: Headers = kept.collect();
    headers.push(header, value);
    headers
}

#[test]
fn a_send_to_the_broker_is_changed_refused_or_let_through() {
    let strict = async |mut frame: Frame, _: Arc<Session>| match &*frame.body {
        b"secret" => Err(refused("this is secret: keep it")),
        b"wrong way" => {
            frame.headers = changed(&frame, "destination", "/topic/right");
            Ok(frame)
        }
        _ => {
            // It is ready later, too.
            tokio::task::yield_now().await;
            Ok(frame)
        }
    };
    let server = Running::start(Router::new().interceptor([Command::Send], strict));
    let mut client = server.client("", &["/topic/a", "/topic/right", "/user/queue/errors"]);
    for (body, expected) in [
        ("hello", ["destination:/topic/a\n", "\n\nhello"]),
        ("wrong way", ["destination:/topic/right\n", "\n\nwrong way"]),
    ] {
        client.ask("/topic/a", body);
        client.is_told(&expected);
        client.is_told(&["RECEIPT\n"]);
    }
    client.ask("/topic/a", "secret");
    client.is_told(&[
        "destination:/user/queue/errors\n",
        "code:refused\n",
        "request-receipt:/topic/a\n",
        "\n\nthis is secret",
    ]);
    client.is_told_no_more();
}

#[test]
fn a_subscription_is_refused_and_without_an_errors_queue_the_session_ends() {
    let closed = async |frame: Frame, session: Arc<Session>| {
        let is_open = frame.header("destination") != Some("/topic/closed");
        if is_open || session.user.as_deref() == Some("ann") {
            return Ok(frame);
        }
        Err(refused("only ann may hear this"))
    };
    let server = Running::start(Router::new().interceptor([Command::Subscribe], closed));
    server.client("ann", &["/topic/closed"]);
    let mut bob = server.client("bob", &[]);
    bob.send("SUBSCRIBE\nid:1\ndestination:/topic/closed\nreceipt:r\n\n");
    bob.is_told(&["ERROR\n", "code:refused\n", "receipt-id:r\n", "only ann"]);
    bob.is_gone();
}

#[test]
fn a_client_whose_subscription_was_refused_may_end_it_or_try_again() {
    let router = Router::new()
        .interceptor([Command::Subscribe], async |frame: Frame, _| {
            match frame.header("destination") {
                Some("/topic/closed") => Err(refused("nobody may hear this")),
                _ => Ok(frame),
            }
        })
        .subscribe("closed", async || -> Result<&str, Failure> {
            Err(refused("nobody may ask this"))
        })
        .subscribe("open", async || "come in");
    let server = Running::start(router);
    let mut client = server.client("", &["/user/queue/errors"]);
    let subscribe = |to| format!("SUBSCRIBE\nid:1\ndestination:{to}\nreceipt:s\n\n");
    for closed in ["/topic/closed", "/app/closed", "/app/unknown"] {
        client.send(&subscribe(closed));
        client.is_told(&["destination:/user/queue/errors\n", "request-receipt:s\n"]);
        client.send(&subscribe("/app/open"));
        client.is_told(&["subscription:1\n", "\n\ncome in"]);
        client.is_told(&["RECEIPT\nreceipt-id:s\n"]);
        client.send("UNSUBSCRIBE\nid:1\nreceipt:u\n\n");
        client.is_told(&["RECEIPT\nreceipt-id:u\n"]);

        client.send(&subscribe(closed));
        client.is_told(&["destination:/user/queue/errors\n"]);
        client.send("UNSUBSCRIBE\nid:1\nreceipt:u\n\n");
        client.is_told(&["RECEIPT\nreceipt-id:u\n"]);
    }
}

#[test]
fn a_connect_is_refused_or_becomes_another_user_and_keeps_its_attributes() {
    #[derive(Default)]
    struct Badge(Option<&'static str>);

    let door = async |mut frame: Frame, session: Arc<Session>| {
        tokio::task::yield_now().await;
        if frame.header("login") != Some("token-of-ann") {
            return Err(refused("this token is nobody's"));
        }
        session.attribute(|badge: &mut Badge| badge.0 = Some("staff"));
        frame.headers = changed(&frame, "login", "ann");
        Ok(frame)
    };
    let events = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&events);
    let whoami = async |message: Message| {
        let session = &message.parts.session;
        let badge = session.attribute(|badge: &mut Badge| badge.0);
        let user = session.user.as_deref().unwrap_or_default().to_owned();
        SendToUser("/queue/me", format!("{user} {}", badge.unwrap_or_default()))
    };
    let router = Router::new()
        .message("whoami", whoami)
        .interceptor([Command::Connect], door)
        .on_event(move |event| {
            let text = match event {
                Event::Connect { session } => format!("connect {:?}", session.user),
                Event::Connected { session } => format!("connected {:?}", session.user),
                Event::Disconnected { reason, .. } => format!("disconnected {reason}"),
                _ => return,
            };
            heard.lock().expect("nobody panics").push(text);
        });
    let server = Running::start(router);
    let mut client = server.dial();
    client.send("CONNECT\naccept-version:1.2\nhost:x\nlogin:token-of-ann\n\n");
    client.is_told(&["CONNECTED\n", "user-name:ann\n"]);
    client.send("SUBSCRIBE\nid:1\ndestination:/user/queue/me\n\n");
    client.ask("/app/whoami", "");
    client.is_told(&["\n\nann staff"]);
    client.is_told(&["RECEIPT\n"]);
    assert_eq!(
        server
            .template
            .send_to_user("ann", "/queue/me", "told")
            .ok(),
        Some(1)
    );
    client.is_told(&["\n\ntold"]);

    let mut stranger = server.dial();
    stranger.send("STOMP\naccept-version:1.2\nhost:x\nlogin:eve\n\n");
    stranger.is_told(&["ERROR\n", "code:refused\n", "this token is nobody's"]);
    stranger.is_gone();
    drop(server);
    let events = events.lock().expect("nobody panics");
    assert_eq!(
        *events,
        [
            "connect Some(\"token-of-ann\")",
            "connected Some(\"ann\")",
            "connect Some(\"eve\")",
            "disconnected refused",
            "disconnected shutdown",
        ]
    );
}

#[test]
fn an_interceptor_that_panics_fails_its_frame_and_one_that_hangs_is_timed_out() {
    let moody = async |frame: Frame, _: Arc<Session>| match &*frame.body {
        b"panic" => panic!("as the test wants"),
        b"hang" => std::future::pending().await,
        _ => Ok(frame),
    };
    let server = Running::start_with(
        Router::new().interceptor([Command::Send], moody),
        |config| {
            config.application.timeout = std::time::Duration::from_millis(100);
        },
    );
    let mut client = server.client("", &["/user/queue/errors"]);
    for (body, code) in [("panic", "internal-error"), ("hang", "application-timeout")] {
        client.ask("/topic/a", body);
        client.is_told(&[&format!("code:{code}\n")]);
    }
    client.ask("/topic/a", "hello");
    client.is_told(&["RECEIPT\n"]);
}

#[test]
fn a_message_on_its_way_out_is_changed_or_refused_once_for_all() {
    let seen = Arc::new(Mutex::new(0));
    let count = Arc::clone(&seen);
    let router = Router::new().outgoing_interceptor(move |destination, message| {
        if message.body == "refuse" {
            return Err(refused("nobody is to hear this"));
        }
        if destination == "/topic/a" {
            *count.lock().expect("nobody panics") += 1;
            message.headers.push("node", "n1");
        }
        Ok(())
    });
    let server = Running::start(router);
    let topic = &["/topic/a"];
    let mut listeners = [server.client("", topic), server.client("", topic)];
    server.template.send("/topic/a", "one").expect("it is sent");
    for listener in &mut listeners {
        listener.is_told(&["node:n1\n", "\n\none"]);
    }
    assert_eq!(*seen.lock().expect("nobody panics"), 1);
    let refused = server.template.send("/topic/a", "refuse");
    assert!(refused.is_err_and(|error| error.to_string() == "nobody is to hear this"));
    let [client, _] = &mut listeners;
    client.ask("/topic/a", "refuse");
    client.is_told(&["ERROR\n", "code:refused\n", "nobody is to hear this"]);
    let mut listening = server.client("", &["/user/queue/errors"]);
    for _ in 0..2 {
        listening.ask("/topic/a", "refuse");
        listening.is_told(&[
            "destination:/user/queue/errors\n",
            "code:refused\n",
            "request-receipt:/topic/a\n",
            "nobody is to hear this",
        ]);
    }
}

/// Passes frames on, but never at once.
async fn later(frame: Frame, _: Arc<Session>) -> Result<Frame, Failure> {
    tokio::task::yield_now().await;
    Ok(frame)
}

#[test]
fn a_frame_behind_a_slow_interceptor_waits_for_the_slow_handler_of_the_one_before_it() {
    let go = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go);
    let (entered, inside) = mpsc::channel();
    let slow = async move || {
        let _ = entered.send(());
        if let Ok(permit) = gate.acquire().await {
            permit.forget();
        }
        SendTo("/topic/seen", "slow")
    };
    let router = Router::new()
        .message("slow", slow)
        .interceptor([Command::Send], later);
    let server = Running::start(router);
    let mut client = server.client("", &[]);
    let mut other = server.client("", &["/topic/seen"]);
    let sends = (0..10)
        .map(|number| format!("\0SEND\ndestination:/topic/seen\nreceipt:/topic/seen\n\n{number}"));
    let all: String = sends.collect();
    client.send(&format!(
        "SEND\ndestination:/app/slow\nreceipt:/app/slow\n\n{all}"
    ));
    inside.recv_timeout(PATIENCE).expect("it is asked");
    other.is_told_no_more();
    go.add_permits(1);
    other.is_told(&["\n\nslow"]);
    client.is_told(&["receipt-id:/app/slow\n"]);
    for number in 0..10 {
        other.is_told(&[&format!("\n\n{number}")]);
        client.is_told(&["receipt-id:/topic/seen\n"]);
    }
}

#[test]
fn hundreds_of_frames_in_one_write_are_done_in_order_and_then_the_client_goes() {
    let commands = [
        Command::Send,
        Command::Subscribe,
        Command::Begin,
        Command::Disconnect,
    ];
    let server = Running::start(Router::new().interceptor(commands, later));
    let mut client = server.client("", &["/topic/a"]);
    let sends = (0..500)
        .map(|number| format!("SEND\ndestination:/topic/a\nreceipt:r{number}\n\n{number}\0"));
    let all: String = sends.collect();
    client.send(&format!("{all}DISCONNECT\nreceipt:bye\n\n"));
    let ended = client.stream.get_ref().shutdown(std::net::Shutdown::Write);
    ended.expect("it is open");
    for number in 0..500 {
        client.is_told(&["MESSAGE\n", &format!("\n\n{number}")]);
        client.is_told(&["RECEIPT\n", &format!("receipt-id:r{number}\n")]);
    }
    client.is_told(&["receipt-id:bye\n"]);
    client.is_gone();
}

#[test]
fn a_disconnect_may_be_delayed_but_ends_the_session_whatever_becomes_of_it() {
    let stubborn = async |frame: Frame, session: Arc<Session>| match session.user.as_deref() {
        Some("refused") => Err(refused("stay a while")),
        Some("changed") => Ok(Frame::new(Command::Send)
            .with_header("destination", "/topic/a")
            .with_header("receipt", "bye")),
        _ => later(frame, session).await,
    };
    let server = Running::start(Router::new().interceptor([Command::Disconnect], stubborn));
    for (login, answer) in [
        ("refused", ["ERROR\n", "code:refused\n", "receipt-id:bye\n"]),
        (
            "changed",
            ["ERROR\n", "code:application-failed\n", "receipt-id:bye\n"],
        ),
        ("delayed", ["RECEIPT\n", "receipt-id:bye\n", ""]),
    ] {
        let mut client = server.client(login, &["/user/queue/errors"]);
        client.send("DISCONNECT\nreceipt:bye\n\n");
        client.is_told(&answer);
        client.is_gone();
    }
}

#[test]
fn a_frame_keeps_its_command_and_its_receipt() {
    let careless = async |frame: Frame, _: Arc<Session>| match &*frame.body {
        b"command" => Ok(Frame::new(Command::Abort).with_header("transaction", "t")),
        b"bare" => Ok(Frame::new(Command::Send)),
        _ => Ok(Frame::new(Command::Send)
            .with_header("destination", "/topic/a")
            .with_header("receipt", "another")
            .with_body(frame.body)),
    };
    let server = Running::start(Router::new().interceptor([Command::Send], careless));
    let mut client = server.client("", &["/user/queue/errors"]);
    client.ask("/topic/a", "anew");
    client.is_told(&["RECEIPT\nreceipt-id:/topic/a\n"]);
    client.ask("/topic/a", "command");
    client.is_told(&["code:application-failed\n", "request-receipt:/topic/a\n"]);
    client.ask("/topic/a", "bare");
    client.is_told(&["ERROR\n", "code:missing-header\n", "receipt-id:/topic/a\n"]);
    client.is_gone();
}

#[test]
fn what_stands_before_stomp_stands_before_connect() {
    for command in [Command::Stomp, Command::Connect] {
        let closed = async |_, _| Err(refused("nobody comes in"));
        let server = Running::start(Router::new().interceptor([command], closed));
        for opening in ["CONNECT", "STOMP"] {
            let mut client = server.dial();
            client.send(&format!("{opening}\naccept-version:1.2\nhost:x\n\n"));
            client.is_told(&["ERROR\n", "nobody comes in"]);
            client.is_gone();
        }
    }
}

#[test]
#[should_panic(expected = "MESSAGE is a command of servers")]
fn no_client_sends_what_servers_send() {
    let _: Router = Router::new().interceptor([Command::Message], later);
}
