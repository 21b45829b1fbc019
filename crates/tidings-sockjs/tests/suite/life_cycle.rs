//! The life of a session.

use std::time::{Duration, Instant};

use tidings_sockjs::{Attached, Options, Session, Timeout};

use super::ask::{chunks, options, receiver_named, split_head};

const GO_AWAY: &str = r#"c[3000,"Go away!"]"#;

/// A session whose responses are read.
struct Client {
    session: Session,
    now: Instant,
}

impl Client {
    fn new() -> Self {
        let now = Instant::now();
        let session = Session::new(&options(), now);
        Self { session, now }
    }

    fn wait(&mut self, time: Duration) -> Option<Timeout> {
        self.now += time;
        self.session.handle_timeout(self.now)
    }

    /// How a receiver fares, and the lines of its response so far.
    fn listen(&mut self, transport: &str) -> (&'static str, Vec<String>) {
        let mut out = Vec::new();
        let receiver = receiver_named(&options(), transport);
        let attached = match self.session.attach(self.now, receiver, &mut out) {
            Attached::Waits => "waits",
            Attached::Ended(_) => "ended",
            Attached::Refused(_) => "refused",
        };
        (attached, body(&out))
    }

    fn write(&mut self, frame: &str) -> (bool, String) {
        let mut out = Vec::new();
        let ended = self.session.write(self.now, frame.as_bytes(), &mut out);
        (ended.is_some(), String::from_utf8(out).expect("text"))
    }

    fn finish(&mut self) -> (bool, String) {
        let mut out = Vec::new();
        let ended = self.session.finish(self.now, &mut out);
        (ended.is_some(), String::from_utf8(out).expect("text"))
    }
}

/// The frames of a response to `xhr`, or the chunks of one to `xhr_streaming` with `prelude` and `end` for those.
fn body(out: &[u8]) -> Vec<String> {
    let response = std::str::from_utf8(out).expect("text");
    if response.is_empty() {
        return Vec::new();
    }
    let (head, body) = split_head(response);
    let lines = if head.contains("chunked") {
        chunks(body)
    } else {
        vec![body]
    };
    let prelude = "h".repeat(2048);
    let lines = lines.into_iter().map(|line| match line.trim_end() {
        "" => "end".to_owned(),
        line if line == prelude => "prelude".to_owned(),
        line => line.to_owned(),
    });
    lines.collect()
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).into()
}

#[test]
fn the_first_receiver_opens_the_session_and_later_ones_do_not() {
    let mut polling = Client::new();
    assert_eq!(polling.listen("xhr"), ("ended", lines(["o"])));
    assert_eq!(polling.listen("xhr"), ("waits", lines([])));
    let (ended, response) = polling.write("a[\"x\"]");
    assert!(ended && response.ends_with("\r\n\r\na[\"x\"]\n"));
    assert_eq!(
        polling.listen("xhr_streaming"),
        ("waits", lines(["prelude"]))
    );

    let mut streaming = Client::new();
    assert_eq!(
        streaming.listen("xhr_streaming"),
        ("waits", lines(["prelude", "o"]))
    );
    assert_eq!(
        streaming.write("a[\"x\"]"),
        (false, "7\r\na[\"x\"]\n\r\n".to_owned())
    );
}

#[test]
fn a_second_receiver_is_refused_and_the_first_stays() {
    let other = r#"c[2010,"Another connection still open"]"#;
    let mut client = Client::new();
    client.listen("xhr_streaming");
    assert_eq!(
        client.listen("xhr_streaming"),
        ("refused", lines(["prelude", other, "end"]))
    );
    assert_eq!(client.listen("xhr"), ("refused", lines([other])));
    assert_eq!(client.write("a[\"x\"]").1, "7\r\na[\"x\"]\n\r\n");
}

#[test]
fn a_closed_session_says_so_to_every_receiver() {
    let mut client = Client::new();
    client.listen("xhr_streaming");
    assert_eq!(client.finish(), (false, String::new()));
    assert!(!client.session.is_closed());
    client.session.close(3000, "Go away!");
    client.session.close(3001, "Too late");
    assert!(client.session.is_closed());
    assert_eq!(client.listen("xhr"), ("refused", lines([GO_AWAY])));
    assert_eq!(client.write("a[\"x\"]").1, "7\r\na[\"x\"]\n\r\n");
    assert_eq!(
        client.finish(),
        (true, format!("13\r\n{GO_AWAY}\n\r\n0\r\n\r\n"))
    );
    assert_eq!(client.finish(), (false, String::new()));
    assert_eq!(client.write("a[\"y\"]"), (false, String::new()));
    for _ in 0..2 {
        assert_eq!(client.listen("xhr"), ("ended", lines([GO_AWAY])));
        assert_eq!(
            client.listen("xhr_streaming"),
            ("ended", lines(["prelude", GO_AWAY, "end"]))
        );
    }
}

#[test]
fn a_session_closed_before_it_was_asked_for_opens_first() {
    let mut client = Client::new();
    client.session.close(3000, "Go away!");
    assert_eq!(
        client.listen("xhr_streaming"),
        ("ended", lines(["prelude", "o", GO_AWAY, "end"]))
    );

    let mut client = Client::new();
    client.session.close(3000, "Go away!");
    assert_eq!(client.listen("xhr"), ("ended", lines(["o"])));
    assert_eq!(client.listen("xhr"), ("ended", lines([GO_AWAY])));
}

#[test]
fn a_session_ends_when_nobody_has_listened_for_the_disconnect_delay() {
    let Options {
        disconnect_delay, ..
    } = options();
    let short = Duration::from_millis(1);
    let mut client = Client::new();
    assert_eq!(client.wait(disconnect_delay - short), None);
    client.listen("xhr");
    assert_eq!(client.wait(disconnect_delay - short), None);
    client.listen("xhr");
    assert_eq!(client.wait(disconnect_delay), None);
    client.write("a[\"x\"]");
    // nobody listens: neither prolongs
    assert_eq!(client.wait(disconnect_delay - short), None);
    client.write("a[\"y\"]");
    client.session.wrote(client.now);
    assert_eq!(client.wait(short), Some(Timeout::Disconnect));
}

#[test]
fn a_receiver_that_hears_nothing_gets_heartbeats() {
    let Options { heartbeat_time, .. } = options();
    let short = Duration::from_millis(1);
    let mut client = Client::new();
    client.listen("xhr_streaming");
    assert_eq!(
        client.session.poll_timeout(),
        Some(client.now + heartbeat_time)
    );
    assert_eq!(client.wait(heartbeat_time - short), None);
    client.session.wrote(client.now);
    assert_eq!(client.wait(heartbeat_time - short), None);
    assert_eq!(client.wait(short), Some(Timeout::Heartbeat));
    let mut out = Vec::new();
    assert!(client.session.heartbeat(client.now, &mut out).is_none());
    assert_eq!(out, b"2\r\nh\n\r\n");
    assert_eq!(
        client.session.poll_timeout(),
        Some(client.now + heartbeat_time)
    );
}

#[test]
fn a_heartbeat_ends_a_poll() {
    let mut client = Client::new();
    client.listen("xhr");
    client.listen("xhr");
    assert_eq!(
        client.wait(options().heartbeat_time),
        Some(Timeout::Heartbeat)
    );
    let mut out = Vec::new();
    assert!(client.session.heartbeat(client.now, &mut out).is_some());
    assert_eq!(body(&out), ["h"]);
    assert!(client.session.receiver().is_none());
}

#[test]
fn a_hushed_session_has_no_heartbeats_but_ends_all_the_same() {
    let mut client = Client::new();
    client.session.hush();
    client.listen("xhr");
    client.listen("xhr");
    assert_eq!(client.session.poll_timeout(), None);
    assert_eq!(client.wait(Duration::from_secs(1_000_000)), None);
    client.write("a[\"x\"]");
    assert_eq!(
        client.wait(options().disconnect_delay),
        Some(Timeout::Disconnect)
    );
}
