//! STOMP over SockJS: every frame, over polls, streams and framed WebSocket.

use std::time::Instant;

use crate::peer::{PATIENCE, Peer, Server, SockFrame, SockJs, Transport, Version, fresh_url};

/// Waits for the first `count` messages of the session, as they stand in its frames.
fn messages(peer: &mut Peer, count: usize) -> Vec<String> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let deadline = Instant::now() + PATIENCE;
        match peer.sockjs().read(deadline).expect("a frame comes") {
            SockFrame::Messages(more) => messages.extend(more),
            other => assert_eq!(other, SockFrame::Open),
        }
    }
    messages
}

#[test]
fn a_session_goes_from_connect_to_disconnect() {
    let server = Server::start();
    for transport in Transport::ALL {
        for version in Version::ALL {
            let mut peer = server.sockjs(transport);
            peer.connect(version);
            peer.subscribed("s", "/topic/a", &[]);
            server.session().publish("/topic/a", "hello");
            let message = peer.expect_message("hello");
            assert_eq!(message.get("subscription"), "s");
            peer.done("UNSUBSCRIBE", &[("id", "s")], b"");
            server.session().publish("/topic/a", "nobody hears");
            peer.done("DISCONNECT", &[], b"");
            peer.expect_close(1000, "normal");
        }
    }
}

#[test]
fn what_one_says_others_hear_on_every_link() {
    let server = Server::start();
    let mut peers: Vec<_> = Transport::ALL
        .map(|transport| server.sockjs_session(transport))
        .into_iter()
        .chain([server.session(), server.websocket_session()])
        .collect();
    for peer in &mut peers {
        peer.subscribed("s", "/topic/a", &[]);
    }
    // What JSON, a chunk and a line of text could each take for their own.
    let body = "\u{0}\u{1}\t\r\n\"\\/<\u{7f}\u{2028}\u{fff0}é\u{1f600}\0a[\"";
    for sender in 0..peers.len() {
        peers[sender].send("SEND", &[("destination", "/topic/a")], body.as_bytes());
        for peer in &mut peers {
            peer.expect_message(body);
        }
    }
}

#[test]
fn the_session_of_connected_is_a_name_of_the_server() {
    let server = Server::start();
    let headers = [("accept-version", "1.2"), ("host", "h")];
    for transport in Transport::HTTP {
        let mut peer = server.sockjs(transport);
        let name = peer.sockjs().exchange().url.clone();
        let connected = peer.connect_with(Version::V12, &headers);
        let own = name.rsplit('/').next().expect("a url has parts");
        assert!(!connected.get("session").contains(own));
    }
}

#[test]
fn each_frame_to_the_client_is_one_message_and_what_waits_leaves_together() {
    // One worker: the sender's receipt says that the message waits for the listener.
    let server = Server::with_workers(1);
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        let before = peer.sockjs().bunches;
        let mut sender = server.session();
        for number in 0..20 {
            sender.publish("/topic/a", number.to_string());
        }
        for number in 0..20 {
            // That each message is one frame of STOMP is checked of all that a peer hears.
            peer.expect_message(number.to_string());
        }
        if transport == Transport::Xhr {
            assert_eq!(peer.sockjs().bunches - before, 1);
        }
    }
}

#[test]
fn a_frame_of_the_client_may_span_messages_and_requests() {
    let server = Server::start();
    let frame = "SEND\ndestination:/topic/é\nreceipt:r\n\nbody \u{1f600}\0";
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        let cuts = frame
            .char_indices()
            .map(|(at, _)| at)
            .chain([frame.len()])
            .collect::<Vec<_>>();
        for &at in &cuts {
            let (head, tail) = frame.split_at(at);
            peer.sockjs().say(&[head, tail]).expect("it is taken");
            peer.expect_receipt("r");
            peer.sockjs().say(&[head]).expect("it is taken");
            peer.sockjs().say(&[tail]).expect("it is taken");
            peer.expect_receipt("r");
        }
        let letters: Vec<_> = cuts
            .windows(2)
            .map(|pair| &frame[pair[0]..pair[1]])
            .collect();
        peer.sockjs().say(&letters).expect("it is taken");
        peer.expect_receipt("r");
    }
}

#[test]
fn one_message_may_hold_several_frames_and_one_request_several_messages() {
    let server = Server::start();
    let send = |receipt: u32| format!("SEND\ndestination:/topic/a\nreceipt:{receipt}\n\n\0\n");
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        let connect = "CONNECT\naccept-version:1.2\nhost:h\n\n\0";
        let first = format!("{connect}{}{}", send(0), send(1));
        peer.sockjs()
            .say(&[&first, "", &send(2), &send(3)])
            .expect("it is taken");
        peer.sockjs().say(&[]).expect("nothing is taken too");
        peer.expect("CONNECTED");
        for receipt in 0..4 {
            peer.expect_receipt(&receipt.to_string());
        }
    }
}

#[test]
fn a_stream_that_has_ended_goes_on_in_the_next_one() {
    let server = Server::configured("[sockjs]\nstream_bytes_limit = \"1KiB\"\n");
    let mut peer = server.sockjs_session(Transport::XhrStreaming);
    peer.subscribed("s", "/topic/a", &[]);
    let mut sender = server.session();
    for number in 0..100 {
        sender.publish("/topic/a", number.to_string());
        peer.expect_message(number.to_string());
    }
    assert!(peer.sockjs().exchange().streams > 1);
}

#[test]
fn a_message_larger_than_any_buffer_of_the_kernel_arrives_whole() {
    let server = Server::configured(
        "[outbox]\nmax_bytes = 67108864\n[sockjs]\nmessage_cache_bytes = 67108864\n",
    );
    let body = "é".repeat(500_000);
    for transport in Transport::ALL {
        let mut peer = server.sockjs_session(transport);
        peer.subscribed("s", "/topic/a", &[]);
        let mut sender = server.session();
        for _ in 0..4 {
            sender.publish("/topic/a", &body);
        }
        for _ in 0..4 {
            peer.expect_message(&body);
        }
        // As much in the other direction.
        peer.publish("/topic/b", &body);
    }
}

#[test]
fn a_second_listener_is_refused_and_the_first_goes_on() {
    let server = Server::start();
    let mut peer = server.sockjs_session(Transport::Xhr);
    peer.subscribed("s", "/topic/a", &[]);
    // Of two polls one is refused with 2010.
    peer.sockjs().exchange().park();
    server.session().publish("/topic/a", "still here");
    peer.expect_message("still here");
}

#[test]
fn two_websockets_of_one_name_are_two_sessions() {
    let server = Server::start();
    let url = fresh_url();
    let mut peers = [(); 2].map(|()| Peer::over_sockjs(SockJs::open_websocket(server.http, &url)));
    for peer in &mut peers {
        peer.connect(Version::V12);
    }
    let [mut first, mut second] = peers;
    first.done("DISCONNECT", &[], b"");
    first.expect_close(1000, "normal");
    second.expect_nothing();
}

#[test]
fn messages_come_in_one_message_each() {
    let server = Server::start();
    for transport in Transport::ALL {
        let mut peer = server.sockjs(transport);
        peer.sockjs()
            .say(&["CONNECT\naccept-version:1.1\nhost:h\n\n\0"])
            .expect("it is taken");
        let [connected] = messages(&mut peer, 1).try_into().expect("it is one");
        assert!(connected.starts_with("CONNECTED\n"));
        assert!(connected.ends_with('\0'));
    }
}
