//! Limits of SockJS: places, sizes, and that nothing is left of sessions that nobody comes back to.

use std::time::Instant;

use crate::peer::{
    Http, Opcode, PATIENCE, Response, Server, SockFrame, Transport, array, frame_of, fresh_url,
};

const SESSIONS: &str = "tidings_connections{link=\"sockjs-http\"}";

fn open(http: &mut Http) -> Response {
    http.post(&format!("{}/xhr", fresh_url()), &[], "")
}

fn assert_full(answer: &Response) {
    assert_eq!(answer.status, 503);
    let seconds = answer
        .header("retry-after")
        .expect("it says when to come back");
    assert!(
        seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0),
        "{seconds}"
    );
}

#[test]
fn a_session_counts_as_a_connection_and_so_does_that_by_which_it_came() {
    let server =
        Server::configured("[server]\nmax_connections = 3\n[sockjs]\ndisconnect_delay = \"10m\"\n");
    let mut http = server.http();
    assert_eq!(frame_of(&open(&mut http).rest), SockFrame::Open);
    let url = format!("{}/xhr", fresh_url());
    assert_eq!(frame_of(&http.post(&url, &[], "").rest), SockFrame::Open);
    for _ in 0..3 {
        assert_full(&open(&mut http));
    }
    assert_eq!(server.disconnects("too-many-connections"), 3);
    // Requests of the sessions that are there, and pages, need no place.
    let send = url.clone() + "_send";
    assert_eq!(http.post(&send, &[], "[\"\\n\"]").status, 204);
    assert_eq!(http.get("/ws/info", &[]).status, 200);
    // A new connection has no place either.
    assert_full(&server.http().get("/ws/info", &[]));
    // The end of a session frees its place.
    assert_eq!(
        http.post(&send, &[], "[\"NOSUCH\\n\\n\\u0000\"]").status,
        204
    );
    assert_eq!(http.post(&url, &[], "").status, 200);
    http.send("POST", &url, &[], b"").expect("it is written");
    drop(http);
    server.await_metric(SESSIONS, |count| count <= 2);
}

#[test]
fn the_place_of_a_session_that_ends_is_free() {
    let server = Server::configured(
        "[server]\nmax_connections = 2\n[sockjs]\ndisconnect_delay = \"200ms\"\n",
    );
    let mut http = server.http();
    assert_eq!(frame_of(&open(&mut http).rest), SockFrame::Open);
    assert_full(&open(&mut http));
    server.await_metric(SESSIONS, |count| count == 0);
    assert_eq!(frame_of(&open(&mut http).rest), SockFrame::Open);
}

#[test]
fn a_payload_that_is_too_large_is_refused_and_the_session_goes_on() {
    let server = Server::configured(
        "[stomp]\nmax_body_bytes = 4096\n[sockjs]\nmax_payload_bytes = \"72KiB\"\n",
    );
    for transport in Transport::HTTP {
        let mut peer = server.sockjs_session(transport);
        let exchange = peer.sockjs().exchange();
        let fits = array(&[&"\n".repeat(12_000)]);
        assert!(fits.len() <= 73_728);
        let answer = exchange
            .post("xhr_send", &[], &fits)
            .expect("it is answered");
        assert_eq!(answer.status, 204);
        let url = exchange.url.clone() + "/xhr_send";
        let larger = format!("{fits}{}", " ".repeat(73_729 - fits.len()));
        let answer = server.http().post(&url, &[], &larger);
        assert_eq!(answer.status, 413);
        assert!(answer.text().contains("73728"), "{}", answer.text());
        peer.expect_nothing();
    }
}

#[test]
fn a_frame_that_is_too_large_over_framed_websocket_is_closed_with_1009() {
    let server = Server::configured(
        "[stomp]\nmax_body_bytes = 4096\n[sockjs]\nmax_payload_bytes = \"72KiB\"\n",
    );
    let mut peer = server.sockjs_session(Transport::WebSocket);
    let websocket = peer.sockjs().websocket();
    let fits = format!("[\"\\n\"]{}", " ".repeat(73_728 - 6));
    let sent = websocket.send_message(Opcode::TEXT, fits.as_bytes());
    sent.expect("it is written");
    peer.expect_nothing();
    let websocket = peer.sockjs().websocket();
    let sent = websocket.send_message(Opcode::TEXT, format!("{fits} ").as_bytes());
    sent.expect("it is written");
    let end = websocket.read(Instant::now() + PATIENCE).expect("it ends");
    assert_eq!(end.close_code(), Some(1009));
    assert_eq!(&end.payload[2..], b"websocket-too-large");
    server.await_disconnects("websocket-too-large", 1);
}

#[test]
fn a_body_on_a_request_that_listens_is_read_over_and_one_too_large_refused() {
    let server = Server::start();
    let mut http = server.http();
    let url = format!("{}/xhr", fresh_url());
    let opened = http.post(&url, &[], &"x".repeat(60_000));
    assert_eq!(frame_of(&opened.rest), SockFrame::Open);
    assert_eq!(
        server.http().post(&url, &[], &"x".repeat(70_000)).status,
        413
    );
}

#[test]
fn nothing_is_left_of_sessions_that_nobody_comes_back_to() {
    let server = Server::configured("[sockjs]\ndisconnect_delay = \"1s\"\n");
    let frames = "[\"CONNECT\\naccept-version:1.2\\nhost:h\\n\\n\\u0000\",\
                  \"SUBSCRIBE\\nid:s\\ndestination:/topic/a\\n\\n\\u0000\",\
                  \"SUBSCRIBE\\nid:q\\ndestination:/queue/a\\n\\n\\u0000\",\
                  \"BEGIN\\ntransaction:t\\n\\n\\u0000\",\"SEND\\ndest\"]";
    let mut http = server.http();
    for _ in 0..300 {
        let url = fresh_url();
        let opened = http.post(&format!("{url}/xhr"), &[], "");
        assert_eq!(frame_of(&opened.rest), SockFrame::Open);
        let taken = http.post(&format!("{url}/xhr_send"), &[], frames);
        assert_eq!(taken.status, 204);
    }
    let mut sender = server.session();
    sender.publish("/topic/a", "nobody fetches it");
    sender.publish("/queue/a", "somebody else does");
    server.await_metric(SESSIONS, |count| count == 0);
    server.await_metric("tidings_subscriptions", |count| count == 0);
    server.await_metric("tidings_outbox_bytes", |bytes| bytes == 0);
    assert_eq!(server.disconnects("connection-reset"), 300);
    sender.subscribe("s", "/queue/a", &[]);
    sender.expect_message("somebody else does");
}
