//! An echo service in memory: what a driver does, with nothing above SockJS.

use std::collections::HashMap;
use std::time::Instant;

use tidings_sockjs::{
    Attached, Options, Receiver, RequestHead, Route, Sender, Session, frame, route,
};

use super::ask::{options, receive, request, split_head};

/// What a session of the service holds beside its life: escaped messages that wait for a receiver.
struct Conversation {
    session: Session,
    waiting: Vec<Vec<u8>>,
}

struct EchoService {
    options: Options,
    conversations: HashMap<String, Conversation>,
    now: Instant,
}

impl EchoService {
    fn new(stream_bytes_limit: usize) -> Self {
        Self {
            options: Options {
                stream_bytes_limit,
                ..options()
            },
            conversations: HashMap::new(),
            now: Instant::now(),
        }
    }

    /// The status and body of an answer, or what a receiver has got so far.
    fn handle(&mut self, head: &RequestHead<'_>, body: &[u8]) -> String {
        let answer = match route(&self.options, head, || 7) {
            Route::Receive {
                session, receiver, ..
            } => return self.receive(session, receiver),
            Route::Send { session, sender } => self.send(session, &sender, body),
            Route::Answer(answer) => answer,
            websocket => panic!("{websocket:?}"),
        };
        format!(
            "{} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        )
    }

    fn receive(&mut self, session: &str, receiver: Receiver) -> String {
        let now = self.now;
        let conversation = self
            .conversations
            .entry(session.to_owned())
            .or_insert_with(|| Conversation {
                session: Session::new(&self.options, now),
                waiting: Vec::new(),
            });
        let mut out = Vec::new();
        if let Attached::Waits = conversation.session.attach(now, receiver, &mut out) {
            conversation.flush(now, &mut out);
        }
        String::from_utf8(out).expect("text")
    }

    fn send(&mut self, session: &str, sender: &Sender, body: &[u8]) -> tidings_sockjs::Answer {
        let Some(conversation) = self.conversations.get_mut(session) else {
            return sender.unknown_session();
        };
        match sender.decode("application/x-www-form-urlencoded", body) {
            Ok(messages) => {
                for message in messages {
                    let mut escaped = Vec::new();
                    frame::escape(&message, &mut escaped);
                    conversation.waiting.push(escaped);
                }
                sender.accepted()
            }
            Err(error) => sender.refused(error),
        }
    }

    /// What a receiver that waits gets now.
    fn flush(&mut self, session: &str) -> String {
        let mut out = Vec::new();
        let conversation = self.conversations.get_mut(session).expect("a session");
        conversation.flush(self.now, &mut out);
        String::from_utf8(out).expect("text")
    }
}

impl Conversation {
    /// All that waits leaves in one frame.
    fn flush(&mut self, now: Instant, out: &mut Vec<u8>) {
        if self.waiting.is_empty() || self.session.receiver().is_none() {
            return;
        }
        let mut messages = Vec::new();
        let escaped = self.waiting.iter().map(|message| [message.as_slice()]);
        frame::write_messages(escaped, &mut messages);
        self.waiting.clear();
        self.session.write(now, &messages, out);
    }
}

#[test]
fn messages_come_back_over_polling() {
    let mut service = EchoService::new(4096);
    let poll = request("POST", "/000/s/xhr");
    let send = request("POST", "/999/s/xhr_send");
    assert_eq!(
        service.handle(&send, b"[\"lost\"]"),
        "404 session is unknown or over; open a new one\n"
    );
    assert!(service.handle(&poll, b"").ends_with("\r\n\r\no\n"));
    assert_eq!(service.handle(&send, b"[\"a\",\"\\u00e4\\n\"]"), "204 ");
    assert_eq!(service.handle(&send, b"[\"b\"]"), "204 ");
    assert_eq!(service.handle(&send, b"[\"c"), "500 Broken JSON encoding.");
    assert_eq!(service.handle(&send, b""), "500 Payload expected.");
    let polled = service.handle(&poll, b"");
    assert_eq!(split_head(&polled).1, "a[\"a\",\"ä\\n\",\"b\"]\n");
    assert_eq!(service.handle(&poll, b""), "");
    assert_eq!(service.handle(&send, b"[\"d\"]"), "204 ");
    assert!(service.flush("s").ends_with("\r\n\r\na[\"d\"]\n"));
}

#[test]
fn messages_come_back_over_every_stream_and_a_new_one_loses_nothing() {
    for transport in ["xhr_streaming", "eventsource", "htmlfile"] {
        let mut service = EchoService::new(128);
        let (path, method) = receive(transport);
        let listen = request(method, &path);
        let send = request("POST", "/000/abcdefgh/jsonp_send");
        assert!(service.handle(&listen, b"").contains('o'));
        let message = "m".repeat(128);
        let body = format!("d=[\"{message}\"]");
        assert_eq!(service.handle(&send, body.as_bytes()), "200 ok");
        let got = service.flush("abcdefgh");
        assert!(
            got.contains(&message) && got.ends_with("\r\n0\r\n\r\n"),
            "{got}"
        );
        assert_eq!(service.handle(&send, body.as_bytes()), "200 ok");
        let again = service.handle(&listen, b"");
        assert!(
            again.contains(&message) && again.ends_with("\r\n0\r\n\r\n"),
            "{again}"
        );
        assert!(!again.contains("\"o\"") && !again.contains("\no\n"));
    }
}
