//! Client frames as typed requests, by version.

use tidings_stomp::Version::{V1_0, V1_1, V1_2};
use tidings_stomp::{AckMode, AckTarget, Command, Frame, Request, SubscriptionRef, Version};

fn frame(command: Command, headers: &[(&str, &str)]) -> Frame {
    Frame {
        command,
        headers: headers.iter().copied().collect(),
        body: Default::default(),
    }
}

fn assert_request(frame: &Frame, versions: &[Version], expected: Request<'_>) {
    for &version in versions {
        assert_eq!(frame.request(version), Ok(expected), "{version}");
    }
}

fn assert_refused(frame: &Frame, versions: &[Version], code: &str, message: &str) {
    for &version in versions {
        let error = frame.request(version).expect_err("a bad frame");
        assert_eq!(
            (error.code(), error.to_string()),
            (code, message.replace("{version}", version.as_str()))
        );
    }
}

#[test]
fn send_names_its_destination() {
    let send = frame(
        Command::Send,
        &[("destination", "/a"), ("transaction", "t")],
    );
    assert_request(
        &send,
        &Version::ALL,
        Request::Send {
            destination: "/a",
            transaction: Some("t"),
        },
    );
    let message = "SEND without the header \"destination\"; STOMP {version} requires it";
    assert_refused(
        &frame(Command::Send, &[]),
        &Version::ALL,
        "missing-header",
        message,
    );
}

#[test]
fn subscribe_needs_an_id_since_1_1() {
    let subscribe = frame(
        Command::Subscribe,
        &[("destination", "/a"), ("ack", "client")],
    );
    let request = Request::Subscribe {
        id: None,
        destination: "/a",
        ack: AckMode::Client,
    };
    assert_request(&subscribe, &[V1_0], request);
    let message = "SUBSCRIBE without the header \"id\"; STOMP {version} requires it";
    assert_refused(&subscribe, &[V1_1, V1_2], "missing-header", message);
    let subscribe = frame(
        Command::Subscribe,
        &[
            ("destination", "/a"),
            ("id", "1"),
            ("ack", "client-individual"),
        ],
    );
    let request = Request::Subscribe {
        id: Some("1"),
        destination: "/a",
        ack: AckMode::ClientIndividual,
    };
    assert_request(&subscribe, &Version::ALL, request);
}

#[test]
fn ack_mode_is_auto_by_default_and_one_of_three() {
    let subscribe = frame(Command::Subscribe, &[("destination", "/a"), ("id", "1")]);
    let request = Request::Subscribe {
        id: Some("1"),
        destination: "/a",
        ack: AckMode::Auto,
    };
    assert_request(&subscribe, &Version::ALL, request);
    let message = "SUBSCRIBE with a wrong \"ack\"; write auto, client or client-individual";
    assert_refused(
        &subscribe.with_header("ack", "Client"),
        &Version::ALL,
        "invalid-header",
        message,
    );
}

#[test]
fn unsubscribe_may_name_the_destination_in_1_0() {
    let by_destination = frame(Command::Unsubscribe, &[("destination", "/a")]);
    let target = SubscriptionRef::Destination("/a");
    assert_request(&by_destination, &[V1_0], Request::Unsubscribe { target });
    let message = "UNSUBSCRIBE without the header \"id\"; STOMP {version} requires it";
    assert_refused(&by_destination, &[V1_1, V1_2], "missing-header", message);
    let by_both = by_destination.with_header("id", "1");
    assert_request(
        &by_both,
        &Version::ALL,
        Request::Unsubscribe {
            target: SubscriptionRef::Id("1"),
        },
    );
}

#[test]
fn ack_names_its_message_as_the_version_says() {
    let ack = frame(
        Command::Ack,
        &[
            ("id", "a"),
            ("message-id", "m"),
            ("subscription", "s"),
            ("transaction", "t"),
        ],
    );
    let transaction = Some("t");
    assert_request(
        &ack,
        &[V1_2],
        Request::Ack {
            target: AckTarget::Id("a"),
            transaction,
        },
    );
    let target = AckTarget::Message {
        message_id: "m",
        subscription: Some("s"),
    };
    assert_request(
        &ack,
        &[V1_0, V1_1],
        Request::Ack {
            target,
            transaction,
        },
    );
    let short = frame(Command::Ack, &[("message-id", "m")]);
    let target = AckTarget::Message {
        message_id: "m",
        subscription: None,
    };
    assert_request(
        &short,
        &[V1_0],
        Request::Ack {
            target,
            transaction: None,
        },
    );
    let message = "ACK without the header \"subscription\"; STOMP {version} requires it";
    assert_refused(&short, &[V1_1], "missing-header", message);
    let message = "ACK without the header \"id\"; STOMP {version} requires it";
    assert_refused(&short, &[V1_2], "missing-header", message);
}

#[test]
fn nack_came_with_1_1() {
    let nack = frame(
        Command::Nack,
        &[("id", "a"), ("message-id", "m"), ("subscription", "s")],
    );
    let message = "NACK does not exist in STOMP {version}; connect with a later version";
    assert_refused(&nack, &[V1_0], "not-in-version", message);
    assert_request(
        &nack,
        &[V1_2],
        Request::Nack {
            target: AckTarget::Id("a"),
            transaction: None,
        },
    );
}

#[test]
fn transactions_are_named() {
    let with = |command| frame(command, &[("transaction", "t")]);
    assert_request(
        &with(Command::Begin),
        &Version::ALL,
        Request::Begin { transaction: "t" },
    );
    assert_request(
        &with(Command::Commit),
        &Version::ALL,
        Request::Commit { transaction: "t" },
    );
    assert_request(
        &with(Command::Abort),
        &Version::ALL,
        Request::Abort { transaction: "t" },
    );
    assert_request(
        &frame(Command::Disconnect, &[]),
        &Version::ALL,
        Request::Disconnect,
    );
    let message = "BEGIN without the header \"transaction\"; STOMP {version} requires it";
    assert_refused(
        &frame(Command::Begin, &[]),
        &Version::ALL,
        "missing-header",
        message,
    );
}

#[test]
fn frames_of_servers_are_no_requests() {
    for command in [
        Command::Connect,
        Command::Stomp,
        Command::Connected,
        Command::Message,
        Command::Error,
    ] {
        let message = format!("{command} is no request of an open connection");
        assert_refused(
            &frame(command, &[]),
            &Version::ALL,
            "unexpected-command",
            &message,
        );
    }
}
